//! Which segments make up the index, and as of which refs; `docs/format/lineage-index.md`.

use super::WHAT;
use crate::format::field::{array_at, u32_at, u64_at};
use crate::object::{DecodeError, ObjectId};

const MAGIC: [u8; 8] = *b"PROVLINS";
const HEADER_BYTES: usize = 84;
const SEGMENT_BYTES: usize = 24;
const PACK_BYTES: usize = 16;

/// Tells one segment from all others: 128 bits of the hash of its bytes.
pub type SegmentName = [u8; 16];

/// Tells one pack from all others: half of its id.
pub type PackName = [u8; PACK_BYTES];

/// The index as of one tree of refs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// The tree of all refs; nothing for none.
    pub refs: Option<ObjectId>,
    /// The commit that was checked out without a branch.
    pub detached: Option<ObjectId>,
    /// Whether refs still led to every run that is in it.
    pub all_count: bool,
    /// The segments and how long each is, in bytes.
    pub segments: Vec<(SegmentName, u64)>,
    /// The packs of records in which it was looked for what runs name and was not stored,
    /// ascending; none if everything was.
    pub packs: Vec<PackName>,
}

impl State {
    /// Gives the bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for id in [self.refs, self.detached] {
            bytes.extend_from_slice(id.map_or([0; 32], |id| *id.as_bytes()).as_slice());
        }
        bytes.extend_from_slice(&u32::from(self.all_count).to_le_bytes());
        for count in [self.segments.len(), self.packs.len()] {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&count.to_le_bytes());
        }
        for (name, length) in &self.segments {
            bytes.extend_from_slice(name);
            bytes.extend_from_slice(&length.to_le_bytes());
        }
        self.packs.iter().for_each(|name| bytes.extend_from_slice(name));
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
        let listed = body.get(HEADER_BYTES..).ok_or_else(damaged)?;
        let end = count(76).and_then(|count| count.checked_mul(SEGMENT_BYTES));
        let parts = end.and_then(|end| listed.split_at_checked(end));
        let (listed, packs) = parts.ok_or_else(damaged)?;
        let (listed, _) = listed.as_chunks::<SEGMENT_BYTES>();
        let (packs, rest) = packs.as_chunks::<PACK_BYTES>();
        if count(80) != Some(packs.len()) || !rest.is_empty() {
            return Err(damaged());
        }
        let id = |at| array_at(body, at).filter(|id| *id != [0; 32]).map(ObjectId::from_bytes);
        let segment = |bytes: &[u8; SEGMENT_BYTES]| {
            (array_at(bytes, 0).unwrap_or_default(), u64_at(bytes, 16).unwrap_or_default())
        };
        let segments = listed.iter().map(segment).collect();
        let all_count = match u32_at(body, 72) {
            Some(0) => false,
            Some(1) => true,
            _ => return Err(damaged()),
        };
        let packs = packs.to_vec();
        Ok(Self { refs: id(8), detached: id(40), all_count, segments, packs })
    }
}

fn check_of(bytes: &[u8]) -> [u8; 8] {
    ObjectId::of(bytes).as_bytes().first_chunk().copied().unwrap_or_default()
}
