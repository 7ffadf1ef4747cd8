//! Which segments make up the index, and as of which refs; `docs/format/runs-index.md`.

use super::{WHAT, check_of};
use crate::format::field::{array_at, u32_at};
use crate::object::{DecodeError, ObjectId};

const MAGIC: [u8; 8] = *b"PROVRUNS";
const HEADER_BYTES: usize = 52;
const SEGMENT_BYTES: usize = 20;
const GONE_BYTES: usize = 8;
const AGAIN_BYTES: usize = 36;

/// Most segments; with more it is built anew.
pub const SEGMENTS_MAX: usize = 65_536;

/// Tells one segment from all others: 128 bits of the hash of its bytes.
pub type SegmentName = [u8; 16];

/// The index as of one tree of refs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// The tree of all refs; nothing for none.
    pub refs: Option<ObjectId>,
    /// The segments and how many rows each has.
    pub segments: Vec<(SegmentName, u32)>,
    /// Rows that no ref names any more, ascending by segment and row.
    pub gone: Vec<(u32, u32)>,
    /// Commits that more than one ref names, and how many further ones; ascending.
    pub again: Vec<(ObjectId, u32)>,
}

impl State {
    /// Counts the rows that refs name.
    pub fn rows(&self) -> u64 {
        let all: u64 = self.segments.iter().map(|(_, rows)| u64::from(*rows)).sum();
        all.saturating_sub(u64::try_from(self.gone.len()).unwrap_or(u64::MAX))
    }

    /// Gives the bytes.
    pub fn encode(&self) -> Vec<u8> {
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes();
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(self.refs.map_or([0; 32], |id| *id.as_bytes()).as_slice());
        bytes.extend_from_slice(&count(self.segments.len()));
        bytes.extend_from_slice(&count(self.gone.len()));
        bytes.extend_from_slice(&count(self.again.len()));
        for (name, rows) in &self.segments {
            bytes.extend_from_slice(name);
            bytes.extend_from_slice(&rows.to_le_bytes());
        }
        for (segment, row) in &self.gone {
            bytes.extend_from_slice(&segment.to_le_bytes());
            bytes.extend_from_slice(&row.to_le_bytes());
        }
        for (id, further) in &self.again {
            bytes.extend_from_slice(id.as_bytes());
            bytes.extend_from_slice(&further.to_le_bytes());
        }
        let check = check_of(&bytes);
        bytes.extend_from_slice(&check);
        bytes
    }

    /// Reads the bytes.
    ///
    /// Errors: [`DecodeError`] for bytes that are not those that were written.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let damaged = || DecodeError::new(WHAT, 0, "the state is damaged");
        let (body, check) = bytes.split_last_chunk::<8>().ok_or_else(damaged)?;
        if check_of(body) != *check || array_at(body, 0) != Some(MAGIC) {
            return Err(damaged());
        }
        let count = |at| u32_at(body, at).and_then(|count| usize::try_from(count).ok());
        let counts = (count(40), count(44), count(48));
        let (Some(segments), Some(gone), Some(again)) = counts else { return Err(damaged()) };
        let rest = body.get(HEADER_BYTES..).ok_or_else(damaged)?;
        let part = |rest: &'_ [u8], count: usize, bytes: usize| -> Option<usize> {
            count.checked_mul(bytes).filter(|end| *end <= rest.len())
        };
        let end = part(rest, segments, SEGMENT_BYTES).ok_or_else(damaged)?;
        let (listed, rest) = rest.split_at(end);
        let end = part(rest, gone, GONE_BYTES).ok_or_else(damaged)?;
        let (left, rest) = rest.split_at(end);
        if part(rest, again, AGAIN_BYTES) != Some(rest.len()) {
            return Err(damaged());
        }
        let word = |bytes: &[u8], at| u32_at(bytes, at).unwrap_or_default();
        let segment =
            |bytes: &[u8; SEGMENT_BYTES]| (array_at(bytes, 0).unwrap_or_default(), word(bytes, 16));
        let row = |bytes: &[u8; GONE_BYTES]| (word(bytes, 0), word(bytes, 4));
        let twice = |bytes: &[u8; AGAIN_BYTES]| {
            (ObjectId::from_bytes(array_at(bytes, 0).unwrap_or_default()), word(bytes, 32))
        };
        let refs = array_at(body, 8).filter(|id| *id != [0; 32]).map(ObjectId::from_bytes);
        Ok(Self {
            refs,
            segments: listed.as_chunks().0.iter().map(segment).collect(),
            gone: left.as_chunks().0.iter().map(row).collect(),
            again: rest.as_chunks().0.iter().map(twice).collect(),
        })
    }
}
