//! How the raw bytes of one block become the bytes in a pack, and back.
//!
//! Which bytes share a block is not decided here. Specified in `docs/format/pack.md`, "Blocks";
//! levels and thresholds are measured in `docs/decisions/0003-incompressible-data.md`.

mod beginning;
mod probe;

use std::fmt;

use zstd_safe::{CCtx, DCtx, SafeResult};

pub use probe::probe;

use crate::format::pack::{BLOCK_RAW_BYTES_MAX, BlockRow, BlockSummary};
use crate::object::{DecodeError, ObjectId};

/// The first bytes of a zstd frame (RFC 8878 §3.1.1).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// The first bytes of a trained dictionary (RFC 8878 §5), which zstd would not take for content.
const DICTIONARY_MAGIC: [u8; 4] = [0x37, 0xA4, 0x30, 0xEC];
/// One part in this many must be saved, or the raw bytes are stored.
const SAVED_PART_MIN: usize = 32;
/// Most raw bytes, as a length in memory.
const RAW_BYTES_MAX: usize = BLOCK_RAW_BYTES_MAX as usize;
/// Fewest raw bytes that are worth a frame of their own, whose header takes about 12.
const RAW_BYTES_MIN: usize = 32;

/// Names how a block was encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// The raw bytes themselves.
    Stored,
    /// One zstd frame.
    Zstd,
    /// One zstd frame that continues the content of another object.
    ZstdPrefix,
}

impl Codec {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Stored => 0,
            Self::Zstd => 1,
            Self::ZstdPrefix => 2,
        }
    }

    pub(crate) const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Stored),
            1 => Some(Self::Zstd),
            2 => Some(Self::ZstdPrefix),
            _ => None,
        }
    }
}

/// The bytes of one block as they go into a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoded<'a> {
    /// What is written: the raw bytes themselves if they are stored.
    pub bytes: &'a [u8],
    /// How they were encoded.
    pub codec: Codec,
    /// Length once decoded.
    pub raw_bytes: u32,
}

impl Encoded<'_> {
    /// Computes the check and gives what the footer index must know.
    ///
    /// Shape: `base` is the object whose content was the prefix, and the depth of the block that
    /// holds it; it is left out unless the codec needs it.
    pub fn summary(&self, base: Option<(ObjectId, u8)>) -> BlockSummary {
        let base = base.filter(|_| self.codec == Codec::ZstdPrefix);
        BlockSummary {
            encoded_bytes: u32::try_from(self.bytes.len()).unwrap_or(u32::MAX),
            raw_bytes: self.raw_bytes,
            check: crc32fast::hash(self.bytes),
            codec: self.codec,
            depth: base.map_or(0, |(_, depth)| depth.saturating_add(1)),
            base: base.map(|(id, _)| id),
        }
    }
}

/// Encodes blocks, one after the other, with one set of zstd tables.
///
/// Cost: at level 1 about 0.7 MiB, at level 3 about 1.3 MiB, kept from block to block.
pub struct Encoder {
    context: CCtx<'static>,
    level: i32,
}

impl Encoder {
    /// Starts an encoder.
    ///
    /// Shape: `None` if there is no memory for it. Units: `level` as zstd counts them, from −7
    /// (fast) to 22 (small); others are clamped.
    pub fn new(level: i32) -> Option<Self> {
        CCtx::try_create().map(|context| Self { context, level })
    }

    /// Encodes `raw`, or leaves it as it is if that saves less than a 32nd part.
    ///
    /// Shape: at most 16 MiB, else [`FooterBuilder`](super::pack::FooterBuilder) refuses the block;
    /// the result borrows `raw` or `buffer`, whose old content is lost. Errors: none; whatever
    /// cannot be compressed is stored. Cost: [`probe`] first, so that data without repetition
    /// costs nothing more.
    pub fn encode<'a>(&mut self, raw: &'a [u8], buffer: &'a mut Vec<u8>) -> Encoded<'a> {
        if !probe(raw) {
            return stored(raw);
        }
        let Self { context, level } = self;
        let bytes = shrink(raw, buffer, |into| context.compress(into, raw, *level));
        bytes.map_or_else(|| stored(raw), |bytes| encoded(raw, bytes, Codec::Zstd))
    }

    /// Encodes `raw` as the continuation of `prefix`.
    ///
    /// Shape: as [`Encoder::encode`], without the probe; a `prefix` that cannot be one (see
    /// [`is_prefix`]) is left out. Source: `docs/format/pack.md`, "Codecs".
    pub fn encode_with_prefix<'a>(
        &mut self,
        raw: &'a [u8],
        prefix: &[u8],
        buffer: &'a mut Vec<u8>,
    ) -> Encoded<'a> {
        if !is_prefix(prefix) {
            return self.encode(raw, buffer);
        }
        let level = self.level.max(prefix_level(raw.len() + prefix.len()));
        let context = &mut self.context;
        let bytes =
            shrink(raw, buffer, |into| context.compress_using_dict(into, raw, prefix, level));
        bytes.map_or_else(|| stored(raw), |bytes| encoded(raw, bytes, Codec::ZstdPrefix))
    }
}

/// Leaves `raw` as it is: for what is known not to be compressible.
pub fn stored(raw: &[u8]) -> Encoded<'_> {
    encoded(raw, raw, Codec::Stored)
}

/// Tells whether a content may be the base of another block.
///
/// Shape: not empty, at most 16 MiB, and not beginning as trained dictionaries of zstd do, because
/// the library would read it as one. Source: `docs/format/pack.md`, "Codecs".
pub fn is_prefix(content: &[u8]) -> bool {
    !content.is_empty() && content.len() <= RAW_BYTES_MAX && !content.starts_with(&DICTIONARY_MAGIC)
}

/// Gives the least level whose tables remember a whole prefix.
///
/// Level 1 forgets the first half of a prefix of 256 KiB, level 2 of 1 MiB; where they remember
/// it, all three encode 2 to 4 GB/s of mostly equal bytes (measured on tables).
const fn prefix_level(raw_and_prefix_bytes: usize) -> i32 {
    if raw_and_prefix_bytes <= 576 << 10 { 2 } else { 3 }
}

fn encoded<'a>(raw: &[u8], bytes: &'a [u8], codec: Codec) -> Encoded<'a> {
    Encoded { bytes, codec, raw_bytes: u32::try_from(raw.len()).unwrap_or(u32::MAX) }
}

/// Compresses into a space that is too small for what would not pay; `None` if it does not fit.
fn shrink<'a>(
    raw: &[u8],
    buffer: &'a mut Vec<u8>,
    compress: impl FnOnce(&mut [u8]) -> SafeResult,
) -> Option<&'a [u8]> {
    let space = raw.len() - raw.len() / SAVED_PART_MIN;
    if raw.len() < RAW_BYTES_MIN || raw.len() > RAW_BYTES_MAX {
        return None;
    }
    if buffer.len() < space {
        buffer.resize(space, 0);
    }
    let written = compress(buffer.get_mut(..space)?).ok()?;
    buffer.get(..written)
}

/// Decodes blocks, one after the other, with one set of zstd tables.
///
/// Cost: about 160 KiB, kept from block to block.
pub struct Decoder {
    context: DCtx<'static>,
}

impl Decoder {
    /// Starts a decoder; `None` if there is no memory for it.
    pub fn new() -> Option<Self> {
        DCtx::try_create().map(|context| Self { context })
    }

    /// Decodes the block of `row` from its bytes in the pack.
    ///
    /// Shape: `base` is the content of the object that `row.base` names, ignored if there is none;
    /// the result has exactly `row.raw_bytes` and borrows `encoded` if the block is stored, else
    /// `buffer`, whose old content is lost. Errors: the bytes are not those that were written, or
    /// hold anything but one frame of that length; what the result means is proven by the ids of
    /// its objects only. Cost: `buffer` grows to at most 16 MiB.
    pub fn decode<'a>(
        &mut self,
        row: &BlockRow,
        encoded: &'a [u8],
        base: &[u8],
        buffer: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], DecodeError> {
        check(row, encoded)?;
        if row.codec == Codec::Stored {
            return Ok(encoded);
        }
        let space = row.raw_bytes as usize;
        if buffer.len() < space {
            buffer.resize(space, 0);
        }
        let raw = buffer.get_mut(..space).unwrap_or_default();
        self.decompress(row, encoded, base, raw)?;
        Ok(raw)
    }

    /// Decodes the block of `row` straight to where its raw bytes belong.
    ///
    /// Shape: as [`Decoder::decode`]; `raw` is `row.raw_bytes` long, its content after an error is
    /// anything. A stored block is better read to its place and [`check`]ed there.
    pub fn decode_to(
        &mut self,
        row: &BlockRow,
        encoded: &[u8],
        base: &[u8],
        raw: &mut [u8],
    ) -> Result<(), DecodeError> {
        check(row, encoded)?;
        if raw.len() as u64 != u64::from(row.raw_bytes) {
            return Err(malformed(row, "there is another space for it than its row says"));
        }
        if row.codec == Codec::Stored {
            raw.copy_from_slice(encoded);
            return Ok(());
        }
        self.decompress(row, encoded, base, raw)
    }

    fn decompress(
        &mut self,
        row: &BlockRow,
        frame: &[u8],
        base: &[u8],
        raw: &mut [u8],
    ) -> Result<(), DecodeError> {
        let malformed = |reason| Err(malformed(row, reason));
        let prefix = match row.codec {
            Codec::ZstdPrefix if is_prefix(base) => base,
            Codec::ZstdPrefix => return malformed("its base cannot be a prefix"),
            Codec::Stored | Codec::Zstd => &[],
        };
        if !frame.starts_with(&ZSTD_MAGIC) {
            return malformed("it is not a zstd frame");
        }
        if zstd_safe::find_frame_compressed_size(frame) != Ok(frame.len()) {
            return malformed("it is not exactly one zstd frame");
        }
        let content_bytes = zstd_safe::get_frame_content_size(frame).ok().flatten();
        if content_bytes != Some(u64::from(row.raw_bytes)) {
            return malformed("its frame has another length than its row says");
        }
        if zstd_safe::get_dict_id_from_frame(frame).is_some() {
            return malformed("its frame names a dictionary");
        }
        let space = raw.len();
        match self.context.decompress_using_dict(raw, frame, prefix) {
            Ok(written) if written == space => Ok(()),
            _ => malformed("its frame is damaged"),
        }
    }
}

/// Checks that `encoded` are the bytes that were written as the block of `row`.
///
/// Shape: the raw bytes of a stored block are these very bytes. Errors: they are not.
pub fn check(row: &BlockRow, encoded: &[u8]) -> Result<(), DecodeError> {
    if let Some(defect) = row.summary().defect() {
        return Err(malformed(row, defect));
    }
    if encoded.len() as u64 != u64::from(row.encoded_bytes) {
        return Err(malformed(row, "it has another length than its row says"));
    }
    if crc32fast::hash(encoded) != row.check {
        return Err(malformed(row, "its bytes are not those that were written"));
    }
    Ok(())
}

fn malformed(row: &BlockRow, reason: &str) -> DecodeError {
    DecodeError::new("block", row.offset, reason)
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").field("level", &self.level).finish_non_exhaustive()
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decoder")
    }
}

#[cfg(test)]
#[path = "block_tests.rs"]
mod tests;
