//! Which chunks, in which order, are a large blob.
//!
//! The list of a very large blob is itself cut into lists that are stored like chunks, so that
//! neither an edit nor a sparse file of a terabyte makes a long one. Specified in
//! `docs/format/chunk.md`.

use std::ops::RangeInclusive;

use crate::format::field::{array_at, u16_at, u32_at, u64_at};
use crate::format::pack::BLOCK_RAW_BYTES_MAX;
use crate::object::{DecodeError, ObjectId};

const MAGIC: &[u8; 4] = b"PVCM";
const VERSION: u16 = 1;
const HEADER_BYTES: usize = 52;
const ITEM_BYTES: usize = 36;
const HASH_BYTES: usize = 32;
/// Most items of one list, and of a map that needs no lists.
const LIST_ITEMS_MAX: usize = 1024;
/// Fewest items of a list, but for the last and those that cover almost 4 GiB.
const LIST_ITEMS_MIN: usize = 128;

/// Names a part of a blob: a chunk, or a list of chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The id of the chunk's bytes, or of the list's.
    pub id: ObjectId,
    /// How many bytes of the blob it stands for, at least 1.
    pub bytes: u32,
}

/// Tells what the parts of a chunk map are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapLevel {
    /// Chunks: bytes of the blob.
    Chunks,
    /// Lists: objects to be decoded by [`decode_list`], whose parts are chunks.
    Lists,
}

impl MapLevel {
    /// How many parts a map of this level has.
    const fn counts(self) -> RangeInclusive<usize> {
        match self {
            Self::Chunks => 1..=LIST_ITEMS_MAX,
            Self::Lists => 2..=usize::MAX,
        }
    }
}

/// Tells how a large blob is put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkMap {
    /// The id of the whole.
    pub blob: ObjectId,
    /// The length of the whole.
    pub blob_bytes: u64,
    /// What the parts are.
    pub level: MapLevel,
    /// The parts in order; their lengths add up to the whole.
    pub parts: Vec<Part>,
}

impl ChunkMap {
    /// Reads the chunk map of `blob`.
    ///
    /// Errors: the bytes are damaged, or are the map of another blob. Cost: allocates as much as
    /// there are bytes. Source: `docs/format/chunk.md`.
    pub fn decode(bytes: &[u8], blob: &ObjectId) -> Result<Self, DecodeError> {
        let (content, hash) = bytes
            .split_last_chunk::<HASH_BYTES>()
            .ok_or_else(|| malformed(0, "it is truncated"))?;
        if content.get(..4) != Some(MAGIC) {
            return Err(malformed(0, "this is not a chunk map"));
        }
        if u16_at(content, 4).is_some_and(|version| version > VERSION) {
            return Err(malformed(4, "a newer version of provenance wrote it"));
        }
        if ObjectId::of(content).as_bytes() != hash {
            return Err(malformed(0, "its bytes are not those that were written"));
        }
        Self::read(content, blob).ok_or_else(|| malformed(0, "it is truncated"))?
    }

    fn read(content: &[u8], blob: &ObjectId) -> Option<Result<Self, DecodeError>> {
        let fail = |offset, reason| Some(Err(malformed(offset, reason)));
        let level = match *content.get(6)? {
            0 => MapLevel::Chunks,
            1 => MapLevel::Lists,
            _ => return fail(6, "there is no such level"),
        };
        if u16_at(content, 4)? != VERSION || *content.get(7)? != 0 {
            return fail(4, "there is no such version, or a reserved byte is not zero");
        }
        if array_at(content, 8)? != *blob.as_bytes() {
            return fail(8, "it belongs to another blob");
        }
        let (blob_bytes, count) = (u64_at(content, 40)?, u32_at(content, 48)?);
        let items = content.get(HEADER_BYTES..)?;
        let parts = match decode_parts(items, level) {
            Ok(parts) => parts,
            Err(reason) => return fail(HEADER_BYTES as u64, reason),
        };
        if parts.len() as u64 != u64::from(count) {
            return fail(48, "it has another number of parts than it says");
        }
        if !level.counts().contains(&parts.len()) {
            return fail(48, "a map of its level has not that many parts");
        }
        // At most 2^32 parts of less than 2^32 bytes: the sum cannot overflow.
        if parts.iter().map(|part| u64::from(part.bytes)).sum::<u64>() != blob_bytes {
            return fail(40, "its parts are not as long as the blob");
        }
        Some(Ok(Self { blob: *blob, blob_bytes, level, parts }))
    }

    /// Writes the map.
    fn encode(&self) -> Result<Vec<u8>, MapError> {
        let bytes = HEADER_BYTES + self.parts.len() * ITEM_BYTES + HASH_BYTES;
        let count = u32::try_from(self.parts.len()).map_err(|_| MapError)?;
        let is_count = self.level.counts().contains(&self.parts.len());
        if !is_count || bytes as u64 > u64::from(BLOCK_RAW_BYTES_MAX) {
            return Err(MapError);
        }
        let mut into = Vec::with_capacity(bytes);
        into.extend_from_slice(MAGIC);
        into.extend_from_slice(&VERSION.to_le_bytes());
        into.extend_from_slice(&[u8::from(self.level == MapLevel::Lists), 0]);
        into.extend_from_slice(self.blob.as_bytes());
        into.extend_from_slice(&self.blob_bytes.to_le_bytes());
        into.extend_from_slice(&count.to_le_bytes());
        encode_parts(&self.parts, &mut into);
        let hash = ObjectId::of(&into);
        into.extend_from_slice(hash.as_bytes());
        Ok(into)
    }
}

/// Tells that a blob has no parts, or more than a chunk map holds, which takes some terabytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the file has no chunks, or more than one chunk map can name")]
pub struct MapError;

/// Reads a list of chunks, which proves itself by its id.
///
/// Shape: 1 to 1,024 parts. Errors: the length is no multiple of an item, or an item is damaged.
pub fn decode_list(bytes: &[u8]) -> Result<Vec<Part>, DecodeError> {
    let fail = |reason| DecodeError::new("chunk list", 0, reason);
    let parts = decode_parts(bytes, MapLevel::Chunks).map_err(fail)?;
    match parts.len() {
        1..=LIST_ITEMS_MAX => Ok(parts),
        _ => Err(fail("it has not 1 to 1,024 parts")),
    }
}

fn decode_parts(items: &[u8], level: MapLevel) -> Result<Vec<Part>, &'static str> {
    let (items, []) = items.as_chunks::<ITEM_BYTES>() else {
        return Err("its length is not that of whole items");
    };
    let bytes_max = match level {
        MapLevel::Chunks => BLOCK_RAW_BYTES_MAX,
        MapLevel::Lists => u32::MAX,
    };
    let decode = |item: &[u8; ITEM_BYTES]| {
        let id = ObjectId::from_bytes(array_at(item, 0)?);
        let bytes = u32_at(item, 32).filter(|bytes| (1..=bytes_max).contains(bytes))?;
        Some(Part { id, bytes })
    };
    items.iter().map(|item| decode(item).ok_or("a part is empty or too large")).collect()
}

fn encode_parts(parts: &[Part], into: &mut Vec<u8>) {
    for part in parts {
        into.extend_from_slice(part.id.as_bytes());
        into.extend_from_slice(&part.bytes.to_le_bytes());
    }
}

fn malformed(offset: u64, reason: &str) -> DecodeError {
    DecodeError::new("chunk map", offset, reason)
}

/// Collects the chunks of a blob into a chunk map, and into lists where there are many.
///
/// Cost: 36 KiB, and 36 bytes for every few hundred chunks.
#[derive(Debug, Clone, Default)]
pub struct MapBuilder {
    pending: Vec<Part>,
    pending_bytes: u32,
    lists: Vec<Part>,
    blob_bytes: u64,
}

/// The last bytes of a map under construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltMap {
    /// A last list to be stored as a chunk, before the map.
    pub list: Option<Vec<u8>>,
    /// The map, to be stored under the id of the blob.
    pub map: Vec<u8>,
}

impl MapBuilder {
    /// Starts with no chunk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the length of all chunks so far.
    pub const fn blob_bytes(&self) -> u64 {
        self.blob_bytes
    }

    /// Adds the next chunk, of at least one byte; gives a list to be stored as a chunk if one is
    /// complete.
    pub fn push(&mut self, chunk: Part) -> Option<Vec<u8>> {
        let full = self.pending_bytes.checked_add(chunk.bytes).is_none();
        let list = if full || self.ends_list() { self.take_list() } else { None };
        self.pending_bytes += chunk.bytes;
        self.pending.push(chunk);
        self.blob_bytes += u64::from(chunk.bytes);
        list
    }

    /// Tells whether the next chunk begins a list: a rule of content, so that an edit changes few.
    fn ends_list(&self) -> bool {
        let Some(last) = self.pending.last() else { return false };
        let [first, ..] = *last.id.as_bytes();
        let length = self.pending.len();
        length >= LIST_ITEMS_MAX || (length >= LIST_ITEMS_MIN && first == 0)
    }

    fn take_list(&mut self) -> Option<Vec<u8>> {
        if self.pending.is_empty() {
            return None;
        }
        let mut list = Vec::with_capacity(self.pending.len() * ITEM_BYTES);
        encode_parts(&self.pending, &mut list);
        self.lists.push(Part { id: ObjectId::of(&list), bytes: self.pending_bytes });
        self.pending.clear();
        self.pending_bytes = 0;
        Some(list)
    }

    /// Completes the map of `blob`, whose chunks were all added.
    ///
    /// Errors: no chunk, or more than about 4 TB in chunks of 64 KiB.
    pub fn finish(mut self, blob: ObjectId) -> Result<BuiltMap, MapError> {
        let (list, level, parts) = if self.lists.is_empty() {
            (None, MapLevel::Chunks, self.pending)
        } else {
            (self.take_list(), MapLevel::Lists, self.lists)
        };
        let map = ChunkMap { blob, blob_bytes: self.blob_bytes, level, parts }.encode()?;
        Ok(BuiltMap { list, map })
    }
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
