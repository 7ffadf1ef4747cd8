//! Reads and decodes blocks into memory that is used again for the next ones.
//!
//! What an object's id says is not decided here but where its bytes are asked for by that id.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::format::block::{self, Codec, Decoder};
use crate::format::chunk::map::ChunkMap;
use crate::format::pack::{BlockPosition, BlockRow, KindSet, ObjectKind, ObjectRow};
use crate::object::{DecodeError, ObjectId};

use super::pack::Pack;
use super::packs::Found;
use super::reader::CHUNKS;
use super::{Fault, Store, StoreError};

/// Decoded bytes that a reader keeps at most, beside the block decoded last.
const KEPT_BYTES: usize = 8 << 20;

/// Memory that a reader leaves to the next one at most, in bytes, of each kind.
const SPARE_BYTES: usize = 2 << 20;

/// Gets to see a whole block as it is decoded.
pub(super) type SeeBlock<'a> =
    dyn FnMut(&Arc<Pack>, BlockPosition, &[u8]) -> Result<(), StoreError> + 'a;

/// Decodes blocks on one thread, and keeps the last ones.
///
/// Cost: at most [`KEPT_BYTES`] and three blocks of at most 16 MiB; 1 MiB each is usual.
#[derive(Debug)]
pub(super) struct BlockReader<'s> {
    store: &'s Store,
    desk: Desk,
}

/// What a reader works with; the next reader of the store goes on where one has ended.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// Made for the first block: many readers are asked for what is known already.
    decoder: Option<Decoder>,
    kept: VecDeque<Kept>,
    /// The block that was decoded last only in part.
    begun: Option<(usize, BlockPosition)>,
    /// Encoded bytes of the block that is being decoded.
    encoded: Vec<u8>,
    /// Memory for the next decoded block.
    spare: Vec<u8>,
}

/// A decoded block.
#[derive(Debug)]
struct Kept {
    pack: Arc<Pack>,
    block: BlockPosition,
    raw: Vec<u8>,
}

impl Drop for BlockReader<'_> {
    fn drop(&mut self) {
        let desk = &mut self.desk;
        for memory in [&mut desk.encoded, &mut desk.spare] {
            if memory.capacity() > SPARE_BYTES {
                *memory = Vec::new();
            }
        }
        self.store.leave(std::mem::take(desk));
    }
}

/// Bytes that follow one another, in memory that is used again.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    /// Longer than what is filled, so that nothing is cleared twice.
    space: Vec<u8>,
    filled: usize,
}

impl Buffer {
    pub fn clear(&mut self) {
        self.filled = 0;
    }

    pub fn filled(&self) -> &[u8] {
        self.space.get(..self.filled).unwrap_or_default()
    }

    /// Lengthens what is filled; the new bytes are anything until they are written.
    fn room(&mut self, bytes: usize) -> &mut [u8] {
        let start = self.filled;
        self.filled += bytes;
        if self.space.len() < self.filled {
            self.space.resize(self.filled, 0);
        }
        self.space.get_mut(start..self.filled).unwrap_or_default()
    }
}

impl<'s> BlockReader<'s> {
    pub fn new(store: &'s Store) -> Self {
        Self { store, desk: store.take_desk() }
    }

    pub const fn store(&self) -> &'s Store {
        self.store
    }

    /// The bytes of an object that was found, not yet checked against its id.
    pub fn content(&mut self, found: &Found) -> Result<&[u8], StoreError> {
        self.content_below(found, u8::MAX)
    }

    /// The bytes of an object that was found under `id`; a chunk map proves itself elsewhere.
    pub fn checked(&mut self, id: &ObjectId, found: &Found) -> Result<&[u8], StoreError> {
        self.checked_below(id, found, u8::MAX)
    }

    /// As [`Self::checked`], for who wants nothing else of the object's block: that is decoded only
    /// as far as the object reaches, and whole if it is asked for once more in a row.
    pub fn alone(&mut self, id: &ObjectId, found: &Found) -> Result<Vec<u8>, StoreError> {
        let place = (address(&found.pack), found.row.block);
        if self.kept_at(found).is_none() && self.desk.begun.replace(place) != Some(place) {
            let mut raw = Vec::new();
            if self.beginning(found, &mut raw)?
                && let Ok(content) = slice_of(&found.pack, &found.row, &raw)
                && proves(&ObjectRow { id: *id, ..found.row }, content)
            {
                return Ok(content.to_vec());
            }
        }
        Ok(self.checked(id, found)?.to_vec())
    }

    /// Decodes the beginning of a block, up to the end of an object in it; false if that is not
    /// worth while, or something is wrong with it.
    fn beginning(&mut self, found: &Found, raw: &mut Vec<u8>) -> Result<bool, StoreError> {
        let row = row_of(found, u8::MAX)?;
        let end = found.row.offset.saturating_add(found.row.bytes);
        // A chunk has its block for itself, and there is memory to decode whole blocks to.
        if end > row.raw_bytes / 4 * 3 {
            return Ok(false);
        }
        if self.desk.decoder.is_none() {
            self.desk.decoder = Decoder::new();
        }
        let decoder = self.desk.decoder.as_mut().ok_or(StoreError::OutOfMemory)?;
        decoder.decode_beginning(
            &row,
            end as usize,
            |offset, into| found.pack.read(offset, into),
            raw,
        )
    }

    /// As [`Self::checked`], in a block that has fewer than `depth` bases, so that no chain of
    /// bases can be endless, whatever the packs say. If it is damaged, any other copy will do.
    fn checked_below(
        &mut self,
        id: &ObjectId,
        found: &Found,
        depth: u8,
    ) -> Result<&[u8], StoreError> {
        if let Err(error) = self.prove(id, found, depth) {
            let copy = self.sound_copy(found, depth).ok_or(error)?;
            return self.content_below(&copy, depth);
        }
        self.content_below(found, depth)
    }

    /// Decodes an object, keeps its block, and insists that it is what its id says.
    fn prove(&mut self, id: &ObjectId, found: &Found, depth: u8) -> Result<(), StoreError> {
        let content = self.content_below(found, depth)?;
        match proves(&ObjectRow { id: *id, ..found.row }, content) {
            true => Ok(()),
            false => Err(StoreError::Mismatch { id: *id, key: found.pack.key().clone() }),
        }
    }

    /// Looks for another copy of an object that is damaged where it was found.
    fn sound_copy(&mut self, damaged: &Found, depth: u8) -> Option<Found> {
        let kinds = match damaged.row.kind {
            ObjectKind::Blob | ObjectKind::Chunk => CHUNKS,
            kind => KindSet::only(kind),
        };
        let place = |found: &Found| (address(&found.pack), found.row.block, found.row.offset);
        let copies = self.store.packs().listing().ok()?.find_all(&damaged.row.id, kinds);
        let mut others = copies.into_iter().filter(|copy| place(copy) != place(damaged));
        others.find(|copy| self.prove(&damaged.row.id, copy, depth).is_ok())
    }

    fn content_below(&mut self, found: &Found, depth: u8) -> Result<&[u8], StoreError> {
        let at = match self.kept_at(found) {
            Some(at) => at,
            None => {
                let row = row_of(found, depth)?;
                self.keep(found, &row)?;
                0
            }
        };
        slice_of(&found.pack, &found.row, &self.desk.kept[at].raw)
    }

    /// Appends the bytes of an object to `into`, not yet checked against its id.
    ///
    /// Shape: `see` gets the object's block if it was decoded for it. Cost: an object that has its
    /// block for itself is read or decoded to its place, and not kept.
    pub fn append(
        &mut self,
        found: &Found,
        into: &mut Buffer,
        see: &mut SeeBlock<'_>,
    ) -> Result<(), StoreError> {
        let filled = into.filled;
        let Err(error) = self.append_from(found, into, see) else { return Ok(()) };
        into.filled = filled;
        if matches!(error.fault(), Fault::Interrupted) {
            return Err(error);
        }
        let copy = self.sound_copy(found, u8::MAX).ok_or(error)?;
        let content = self.content(&copy)?;
        into.room(content.len()).copy_from_slice(content);
        Ok(())
    }

    fn append_from(
        &mut self,
        found: &Found,
        into: &mut Buffer,
        see: &mut SeeBlock<'_>,
    ) -> Result<(), StoreError> {
        let (pack, object) = (&found.pack, &found.row);
        let at = match self.kept_at(found) {
            Some(at) => at,
            None => {
                let row = row_of(found, u8::MAX)?;
                if (object.offset, object.bytes) == (0, row.raw_bytes) {
                    let raw = into.room(row.raw_bytes as usize);
                    self.decode(pack, &row, raw)?;
                    return see(pack, object.block, raw);
                }
                self.keep(found, &row)?;
                see(pack, object.block, &self.desk.kept[0].raw)?;
                0
            }
        };
        let content = slice_of(pack, object, &self.desk.kept[at].raw)?;
        into.room(content.len()).copy_from_slice(content);
        Ok(())
    }

    /// Decodes a block that was found in a footer; gone with the next one.
    pub fn decoded(&mut self, pack: &Arc<Pack>, row: &BlockRow) -> Result<&[u8], StoreError> {
        let mut raw = std::mem::take(&mut self.desk.spare);
        raw.resize(row.raw_bytes as usize, 0);
        let outcome = self.decode(pack, row, &mut raw);
        self.desk.spare = raw;
        outcome.map(|()| self.desk.spare.as_slice())
    }

    fn kept_at(&self, found: &Found) -> Option<usize> {
        let is_it =
            |kept: &Kept| Arc::ptr_eq(&kept.pack, &found.pack) && kept.block == found.row.block;
        self.desk.kept.iter().position(is_it)
    }

    /// Decodes the block of an object to the front of those that are kept.
    fn keep(&mut self, found: &Found, row: &BlockRow) -> Result<(), StoreError> {
        let mut raw = std::mem::take(&mut self.desk.spare);
        raw.resize(row.raw_bytes as usize, 0);
        if let Err(error) = self.decode(&found.pack, row, &mut raw) {
            self.desk.spare = raw;
            return Err(error);
        }
        let mut bytes: usize = self.desk.kept.iter().map(|kept| kept.raw.len()).sum();
        while bytes + raw.len() > KEPT_BYTES
            && let Some(oldest) = self.desk.kept.pop_back()
        {
            bytes -= oldest.raw.len();
            self.desk.spare = oldest.raw;
        }
        let (pack, block) = (Arc::clone(&found.pack), found.row.block);
        self.desk.kept.push_front(Kept { pack, block, raw });
        Ok(())
    }

    fn decode(
        &mut self,
        pack: &Arc<Pack>,
        row: &BlockRow,
        raw: &mut [u8],
    ) -> Result<(), StoreError> {
        if row.codec == Codec::Stored {
            pack.read(row.offset, raw)?;
            return block::check(row, raw).map_err(|error| pack.damaged(error));
        }
        let prefix = match row.base {
            Some(base) => self.base(&base, row.depth)?,
            None => Vec::new(),
        };
        // Bases are decoded before: they need the same memory.
        self.desk.encoded.resize(row.encoded_bytes as usize, 0);
        pack.read(row.offset, &mut self.desk.encoded)?;
        if self.desk.decoder.is_none() {
            self.desk.decoder = Decoder::new();
        }
        let decoder = self.desk.decoder.as_mut().ok_or(StoreError::OutOfMemory)?;
        decoder
            .decode_to(row, &self.desk.encoded, &prefix, raw)
            .map_err(|error| pack.damaged(error))
    }

    /// The content that a block of `depth` bases continues.
    ///
    /// Two writers at once may each have stored what the other one took for its base: of an object
    /// that is in several packs, only a copy with fewer bases can be meant.
    fn base(&mut self, id: &ObjectId, depth: u8) -> Result<Vec<u8>, StoreError> {
        let packs = self.store.packs();
        let mut found = packs.find(id, KindSet::CONTENT)?.ok_or(StoreError::Missing { id: *id })?;
        if row_of(&found, depth).is_err() {
            let copies = packs.listing()?.find_all(id, KindSet::CONTENT);
            found = copies.into_iter().find(|copy| row_of(copy, depth).is_ok()).unwrap_or(found);
        }
        Ok(self.checked_below(id, &found, depth)?.to_vec())
    }
}

/// The row of an object's block, if it has fewer than `depth` bases.
fn row_of(found: &Found, depth: u8) -> Result<BlockRow, StoreError> {
    let row = found.pack.index()?.block_of(&found.row);
    let row = row.map_err(|error| found.pack.damaged(error))?;
    if row.depth >= depth {
        let reason = "a base is as deep as the block that needs it";
        return Err(found.pack.damaged(DecodeError::new("pack footer", row.offset, reason)));
    }
    Ok(row)
}

/// Tells whether these bytes are what the id of an object says.
pub(super) fn proves(row: &ObjectRow, content: &[u8]) -> bool {
    match row.kind {
        ObjectKind::ChunkMap => ChunkMap::decode(content, &row.id).is_ok(),
        _ => ObjectId::of(content) == row.id,
    }
}

/// Tells packs apart for as long as this reader's store keeps them open.
pub(super) fn address(pack: &Arc<Pack>) -> usize {
    Arc::as_ptr(pack).addr()
}

/// The bytes of an object in its decoded block.
pub(super) fn slice_of<'r>(
    pack: &Pack,
    row: &ObjectRow,
    raw: &'r [u8],
) -> Result<&'r [u8], StoreError> {
    let start = row.offset as usize;
    raw.get(start..start.saturating_add(row.bytes as usize)).ok_or_else(|| {
        let reason = "an object lies outside of its block";
        pack.damaged(DecodeError::new("pack footer", 0, reason))
    })
}
