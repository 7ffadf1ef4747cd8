//! Looks objects up in the footer index of a pack.
//!
//! Opening reads nothing but lengths; whether the bytes are those that were written is a question
//! of its own, [`PackIndex::verify_hash`]. Specified in `docs/format/pack.md`.

use std::ops::Range;

use super::{
    BLOCK_ROW_BYTES, BlockPosition, BlockRow, FAN_OUT_BYTES, ID_BYTES, KindSet, OBJECT_ROW_BYTES,
    ObjectKind, ObjectPosition, ObjectRow, PackClass, PackId, TRAILER_BYTES, Trailer, check_header,
};
use crate::format::block::Codec;
use crate::format::field::{array_at, is_zero, u32_at, u64_at};
use crate::object::{DecodeError, ObjectId, Prefix};

const WHAT: &str = "pack footer";

/// Reads the footer index of one pack.
///
/// `B` holds footer and trailer: a map, a vector, a borrowed slice.
/// What it answers before [`PackIndex::verify_hash`] may be wrong if the file is damaged: an
/// object that is found still proves itself by its hash, "not here" must not be believed.
#[derive(Debug, Clone)]
pub struct PackIndex<B> {
    tail: B,
    trailer: Trailer,
    parts: Parts,
}

/// Where the tables begin, from the start of the footer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    pub bases: usize,
    pub fan_out: usize,
    pub ids: usize,
    pub objects: usize,
    pub trailer: usize,
}

impl Parts {
    fn of(trailer: &Trailer) -> Option<Self> {
        let count = |count: u32| usize::try_from(count).ok();
        let bases = count(trailer.block_count)?.checked_mul(BLOCK_ROW_BYTES)?;
        let fan_out = bases.checked_add(count(trailer.base_count)?.checked_mul(ID_BYTES)?)?;
        let ids = fan_out.checked_add(FAN_OUT_BYTES)?;
        let objects = ids.checked_add(count(trailer.object_count)?.checked_mul(ID_BYTES)?)?;
        let rows = count(trailer.object_count)?.checked_mul(OBJECT_ROW_BYTES)?;
        Some(Self { bases, fan_out, ids, objects, trailer: objects.checked_add(rows)? })
    }
}

impl<B: AsRef<[u8]>> PackIndex<B> {
    /// Opens an index.
    ///
    /// Shape: `header` is the first 16 bytes of the file, `tail` the last
    /// [`Trailer::tail_bytes`] (all from `footer_offset`), `file_bytes` its length.
    /// Errors: not a pack, a newer one, or truncated. Cost: reads 112 bytes.
    pub fn parse(header: &[u8], tail: B, file_bytes: u64) -> Result<Self, DecodeError> {
        let bytes = tail.as_ref();
        let (_, trailer) = bytes
            .split_last_chunk::<TRAILER_BYTES>()
            .ok_or_else(|| DecodeError::new("pack trailer", 0, "it is truncated"))?;
        let trailer = Trailer::decode(trailer)?;
        check_header(header, trailer.class)?;
        if trailer.file_bytes != file_bytes {
            return Err(DecodeError::new("pack", 0, "the file has another length than it says"));
        }
        let parts = Parts::of(&trailer)
            .filter(|parts| parts.trailer.checked_add(TRAILER_BYTES) == Some(bytes.len()))
            .ok_or_else(|| DecodeError::new(WHAT, 0, "it has another length than it says"))?;
        Ok(Self { tail, trailer, parts })
    }

    /// Gives what the trailer says.
    pub const fn trailer(&self) -> &Trailer {
        &self.trailer
    }

    /// Gives the hash that names the pack.
    pub const fn id(&self) -> PackId {
        self.trailer.id
    }

    /// Gives what the pack may hold.
    pub const fn class(&self) -> PackClass {
        self.trailer.class
    }

    /// Finds an object that is of one of `kinds`.
    ///
    /// Errors: the row is damaged. Cost: a binary search among the ids with the same first byte.
    pub fn find(&self, id: &ObjectId, kinds: KindSet) -> Result<Option<ObjectRow>, DecodeError> {
        let [first, ..] = *id.as_bytes();
        let bucket = self.bucket(first);
        let ids = self.ids();
        let target = id.as_bytes().as_slice();
        let start = partition(ids, bucket.clone(), |found| found < target);
        for position in start..bucket.end {
            if id_bytes(ids, position) != target {
                break;
            }
            let row = self.object(ObjectPosition(position))?;
            if kinds.contains(row.kind) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// Gives the positions of all objects whose id begins with `prefix`.
    pub fn find_prefix(&self, prefix: &Prefix) -> Range<u32> {
        let (low, high) = prefix.range();
        let ids = self.ids();
        let all = 0..self.trailer.object_count;
        let start = partition(ids, all.clone(), |found| found < low.as_bytes().as_slice());
        let end = partition(ids, all, |found| found <= high.as_bytes().as_slice());
        start..end.max(start)
    }

    /// Gives one object, counted in the order of (id, kind).
    ///
    /// Errors: no such row, or it is damaged.
    pub fn object(&self, position: ObjectPosition) -> Result<ObjectRow, DecodeError> {
        let at = row_at(self.parts.objects, position.0, OBJECT_ROW_BYTES);
        self.read_object(position, at).ok_or_else(|| self.malformed(at, "an object row is damaged"))
    }

    fn read_object(&self, position: ObjectPosition, at: usize) -> Option<ObjectRow> {
        if position.0 >= self.trailer.object_count {
            return None;
        }
        let bytes = self.tail.as_ref();
        let id = array_at(bytes, row_at(self.parts.ids, position.0, ID_BYTES))?;
        let [kind, reserved @ ..] = array_at::<4>(bytes, at + 12)?;
        let kind = ObjectKind::from_code(kind).filter(|_| is_zero(&reserved))?;
        let row = ObjectRow {
            id: ObjectId::from_bytes(id),
            kind,
            block: BlockPosition(u32_at(bytes, at)?),
            offset: u32_at(bytes, at + 4)?,
            bytes: u32_at(bytes, at + 8)?,
        };
        let sound = row.block.0 < self.trailer.block_count && self.class().kinds().contains(kind);
        sound.then_some(row)
    }

    /// Gives every object in the order of (id, kind).
    pub fn objects(&self) -> impl Iterator<Item = Result<ObjectRow, DecodeError>> {
        (0..self.trailer.object_count).map(|position| self.object(ObjectPosition(position)))
    }

    /// Gives one block.
    ///
    /// Shape: it lies between header and footer, and is at most 16 MiB encoded or decoded.
    /// Errors: no such row, or it is damaged.
    pub fn block(&self, position: BlockPosition) -> Result<BlockRow, DecodeError> {
        let at = row_at(0, position.0, BLOCK_ROW_BYTES);
        let row = self
            .read_block(position, at)
            .ok_or_else(|| self.malformed(at, "a block row is damaged"))?;
        if let Some(defect) = row.summary().defect() {
            return Err(self.malformed(at, defect));
        }
        let end = row.offset.checked_add(u64::from(row.encoded_bytes));
        if row.offset < super::HEADER_BYTES as u64
            || end.is_none_or(|end| end > self.trailer.footer_offset)
        {
            return Err(self.malformed(at, "a block is not between header and footer"));
        }
        Ok(row)
    }

    fn read_block(&self, position: BlockPosition, at: usize) -> Option<BlockRow> {
        if position.0 >= self.trailer.block_count {
            return None;
        }
        let bytes = self.tail.as_ref();
        let [codec, depth, reserved @ ..] = array_at::<4>(bytes, at + 20)?;
        if !is_zero(&reserved) {
            return None;
        }
        let base = match u32_at(bytes, at + 24)?.checked_sub(1) {
            None => None,
            Some(row) => Some(self.base(row)?),
        };
        Some(BlockRow {
            offset: u64_at(bytes, at)?,
            encoded_bytes: u32_at(bytes, at + 8)?,
            raw_bytes: u32_at(bytes, at + 12)?,
            check: u32_at(bytes, at + 16)?,
            codec: Codec::from_code(codec)?,
            depth,
            base,
        })
    }

    /// Gives one row of the base table, counted from 0.
    pub(super) fn base(&self, row: u32) -> Option<ObjectId> {
        if row >= self.trailer.base_count {
            return None;
        }
        let at = row_at(self.parts.bases, row, ID_BYTES);
        array_at(self.tail.as_ref(), at).map(ObjectId::from_bytes)
    }

    /// Gives every block in the order of its bytes.
    pub fn blocks(&self) -> impl Iterator<Item = Result<BlockRow, DecodeError>> {
        (0..self.trailer.block_count).map(|position| self.block(BlockPosition(position)))
    }

    /// Gives every object whose content some block needs as its prefix, sorted, each once.
    pub fn bases(&self) -> impl Iterator<Item = ObjectId> {
        (0..self.trailer.base_count).map_while(|row| self.base(row))
    }

    /// Gives the block of an object, in which the object is known to fit.
    pub fn block_of(&self, object: &ObjectRow) -> Result<BlockRow, DecodeError> {
        let block = self.block(object.block)?;
        match object.offset.checked_add(object.bytes) {
            Some(end) if end <= block.raw_bytes => Ok(block),
            _ => Err(self.malformed(self.parts.objects, "an object ends outside its block")),
        }
    }

    pub(super) fn tail(&self) -> &[u8] {
        self.tail.as_ref()
    }

    pub(super) const fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Builds an error; `at` counts from the start of the footer, the error from that of the file.
    pub(super) fn malformed(&self, at: usize, reason: &str) -> DecodeError {
        DecodeError::new(WHAT, self.trailer.footer_offset.saturating_add(at as u64), reason)
    }

    fn ids(&self) -> &[u8] {
        self.tail.as_ref().get(self.parts.ids..self.parts.objects).unwrap_or_default()
    }

    fn bucket(&self, first: u8) -> Range<u32> {
        let cumulative = |row: u8| {
            let at = row_at(self.parts.fan_out, u32::from(row), 4);
            u32_at(self.tail.as_ref(), at).unwrap_or(0).min(self.trailer.object_count)
        };
        first.checked_sub(1).map_or(0, cumulative)..cumulative(first)
    }
}

/// Gives where a row begins; saturates, and so leads to an absent field, where it cannot be.
pub(super) fn row_at(table: usize, row: u32, row_bytes: usize) -> usize {
    let row = usize::try_from(row).unwrap_or(usize::MAX);
    row.saturating_mul(row_bytes).saturating_add(table)
}

fn id_bytes(ids: &[u8], position: u32) -> &[u8] {
    let at = row_at(0, position, ID_BYTES);
    ids.get(at..at.saturating_add(ID_BYTES)).unwrap_or_default()
}

/// Gives the first position in `range` whose id is not `before`.
fn partition(ids: &[u8], range: Range<u32>, before: impl Fn(&[u8]) -> bool) -> u32 {
    let Range { mut start, mut end } = range;
    while start < end {
        let middle = start + (end - start) / 2;
        if before(id_bytes(ids, middle)) {
            start = middle + 1;
        } else {
            end = middle;
        }
    }
    start
}
