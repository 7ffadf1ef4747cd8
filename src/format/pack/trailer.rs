//! The first 16 and the last 96 bytes of a pack.
//!
//! Specified in `docs/format/pack.md`.

use super::{
    BLOCK_ROW_BYTES, FAN_OUT_BYTES, HEADER_BYTES, HEADER_MAGIC, ID_BYTES, OBJECT_ROW_BYTES,
    PackClass, PackId, TRAILER_BYTES, TRAILER_MAGIC, VERSION,
};
use crate::format::field::{array_at, is_zero, u16_at, u32_at, u64_at};
use crate::object::DecodeError;

/// Bytes of the trailer that the hash covers.
pub(super) const HASHED_BYTES: usize = 54;

/// Gives the header of a pack.
pub fn header(class: PackClass) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    let (magic, rest) = header.split_at_mut(HEADER_MAGIC.len());
    magic.copy_from_slice(HEADER_MAGIC);
    let [low, high] = VERSION.to_le_bytes();
    if let [first, second, third, ..] = rest {
        (*first, *second, *third) = (low, high, class.code());
    }
    header
}

/// Checks that `bytes` are the header of a pack of that class.
pub fn check_header(bytes: &[u8], class: PackClass) -> Result<(), DecodeError> {
    if bytes == header(class) {
        return Ok(());
    }
    let reason = if bytes.get(..HEADER_MAGIC.len()) != Some(HEADER_MAGIC) {
        "this is not a pack"
    } else if u16_at(bytes, 8).is_some_and(|version| version > VERSION) {
        "a newer version of provenance wrote this pack"
    } else {
        "the header does not agree with the trailer"
    };
    Err(DecodeError::new("pack header", 0, reason))
}

/// Tells how large a pack is and where its parts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trailer {
    /// What the pack may hold.
    pub class: PackClass,
    /// Where the blocks end and the footer begins, from the start of the file.
    pub footer_offset: u64,
    /// Length of the whole file.
    pub file_bytes: u64,
    /// Length of all blocks once decoded.
    pub raw_bytes: u64,
    /// Rows of the block table, at least 1.
    pub block_count: u32,
    /// Rows of the base table.
    pub base_count: u32,
    /// Rows of the object table, at least 1.
    pub object_count: u32,
    /// The hash that names the pack.
    pub id: PackId,
}

impl Trailer {
    /// Reads the last 96 bytes of a pack.
    ///
    /// Shape: sizes and counts agree with one another; whether `file_bytes` is the length of the
    /// file is for the caller to compare. Source: `docs/format/pack.md`.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() != TRAILER_BYTES {
            return Err(malformed(0, "it has another length than 96 bytes"));
        }
        if bytes.get(88..) != Some(TRAILER_MAGIC) {
            return Err(malformed(88, "the file does not end as a pack does"));
        }
        match u16_at(bytes, 86) {
            Some(VERSION) => {}
            Some(version) if version > VERSION => {
                return Err(malformed(86, "a newer version of provenance wrote this pack"));
            }
            _ => return Err(malformed(86, "there is no such version")),
        }
        if !bytes.get(37..HASHED_BYTES).is_some_and(is_zero) {
            return Err(malformed(37, "reserved bytes are not zero"));
        }
        Self::read(bytes).ok_or_else(|| malformed(0, "it is truncated"))?
    }

    fn read(bytes: &[u8]) -> Option<Result<Self, DecodeError>> {
        let Some(class) = PackClass::from_code(*bytes.get(36)?) else {
            return Some(Err(malformed(36, "there is no such class of packs")));
        };
        let trailer = Self {
            class,
            footer_offset: u64_at(bytes, 0)?,
            file_bytes: u64_at(bytes, 8)?,
            raw_bytes: u64_at(bytes, 16)?,
            block_count: u32_at(bytes, 24)?,
            base_count: u32_at(bytes, 28)?,
            object_count: u32_at(bytes, 32)?,
            id: PackId::from_bytes(array_at(bytes, HASHED_BYTES)?),
        };
        Some(trailer.check())
    }

    fn check(self) -> Result<Self, DecodeError> {
        if self.block_count == 0 || self.block_count > self.object_count {
            return Err(malformed(24, "every block must hold an object"));
        }
        if self.base_count > self.block_count {
            return Err(malformed(28, "there are more bases than blocks"));
        }
        if self.footer_offset < HEADER_BYTES as u64 {
            return Err(malformed(0, "the footer begins inside the header"));
        }
        let end = self.footer_offset.checked_add(self.footer_bytes() + TRAILER_BYTES as u64);
        if end != Some(self.file_bytes) {
            return Err(malformed(8, "the length of the file does not follow from the counts"));
        }
        Ok(self)
    }

    /// Gives the length of the footer index: what lies between the blocks and the trailer.
    pub const fn footer_bytes(&self) -> u64 {
        self.block_count as u64 * BLOCK_ROW_BYTES as u64
            + self.base_count as u64 * ID_BYTES as u64
            + FAN_OUT_BYTES as u64
            + self.object_count as u64 * (ID_BYTES + OBJECT_ROW_BYTES) as u64
    }

    /// Gives the length of footer and trailer: what a reader fetches from `footer_offset`.
    pub const fn tail_bytes(&self) -> u64 {
        self.footer_bytes() + TRAILER_BYTES as u64
    }

    /// Appends the part that the hash covers.
    pub(super) fn encode_hashed(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.footer_offset.to_le_bytes());
        into.extend_from_slice(&self.file_bytes.to_le_bytes());
        into.extend_from_slice(&self.raw_bytes.to_le_bytes());
        into.extend_from_slice(&self.block_count.to_le_bytes());
        into.extend_from_slice(&self.base_count.to_le_bytes());
        into.extend_from_slice(&self.object_count.to_le_bytes());
        into.push(self.class.code());
        into.extend_from_slice(&[0; HASHED_BYTES - 37]);
    }

    /// Appends the rest: the hash, the version and the magic.
    pub(super) fn encode_rest(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(self.id.as_bytes());
        into.extend_from_slice(&VERSION.to_le_bytes());
        into.extend_from_slice(TRAILER_MAGIC);
    }
}

fn malformed(offset: u64, reason: &str) -> DecodeError {
    DecodeError::new("pack trailer", offset, reason)
}
