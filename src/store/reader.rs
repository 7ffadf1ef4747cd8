//! Reads objects back: finds the block, decodes it, and believes nothing that does not hash.
//!
//! Each thread has its own reader, which keeps the last blocks it decoded: neighbours in a tree
//! are neighbours in a block.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::format::block::Decoder;
use crate::format::pack::{BlockPosition, BlockRow, KindSet, ObjectKind, ObjectRow};
use crate::object::tree::{EMPTY_TREE, Node};
use crate::object::{Commit, DecodeError, IdHasher, ObjectId};

use super::chunk_lists::Chunks;
use super::pack::Pack;
use super::packs::Found;
use super::{Store, StoreError};

/// Decoded bytes that a reader keeps at most.
const KEPT_BYTES: usize = 8 << 20;

/// Reads the objects of a store on one thread.
#[derive(Debug)]
pub struct Reader<'s> {
    store: &'s Store,
    decoder: Option<Decoder>,
    kept: VecDeque<Kept>,
}

/// A decoded block.
#[derive(Debug, Clone)]
struct Kept {
    pack: usize,
    block: BlockPosition,
    raw: Arc<Vec<u8>>,
}

/// Where content lies, ordered as it should be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pack: usize,
    block: u32,
    offset: u32,
}

impl<'s> Reader<'s> {
    pub(super) fn new(store: &'s Store) -> Self {
        Self { store, decoder: Decoder::new(), kept: VecDeque::new() }
    }

    /// The store that is read.
    pub(super) fn store(&self) -> &'s Store {
        self.store
    }

    /// Reads a whole small object of an accepted kind, checked against its id.
    ///
    /// Errors: [`StoreError::Missing`], or what is damaged and where.
    pub fn get(&mut self, id: &ObjectId, kinds: KindSet) -> Result<Vec<u8>, StoreError> {
        self.find(id, kinds)?.ok_or(StoreError::Missing { id: *id })
    }

    /// As [`Reader::get`], for an object that may be absent.
    pub fn find(&mut self, id: &ObjectId, kinds: KindSet) -> Result<Option<Vec<u8>>, StoreError> {
        self.find_below(id, kinds, u8::MAX)
    }

    /// Finds an object whose block has fewer than `depth` bases, so that no chain of bases can be
    /// endless, whatever the packs say.
    fn find_below(
        &mut self,
        id: &ObjectId,
        kinds: KindSet,
        depth: u8,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(found) = self.store.packs().find(id, kinds)? else { return Ok(None) };
        let raw = self.block_below(&found, depth)?;
        let content = slice(&found, &raw)?;
        if found.row.kind != ObjectKind::ChunkMap && ObjectId::of(content) != *id {
            return Err(StoreError::Mismatch { id: *id, key: found.pack.key().clone() });
        }
        Ok(Some(content.to_vec()))
    }

    /// Reads a node of a tree; the empty tree is known without looking.
    pub fn node(&mut self, id: &ObjectId) -> Result<Vec<u8>, StoreError> {
        if *id == EMPTY_TREE {
            return Ok(Node::Leaf(Vec::new()).encode());
        }
        self.get(id, KindSet::only(ObjectKind::Tree))
    }

    /// Reads a commit.
    pub fn commit(&mut self, id: &ObjectId) -> Result<Commit, StoreError> {
        let bytes = self.get(id, KindSet::only(ObjectKind::Commit))?;
        Commit::decode(&bytes).map_err(|source| StoreError::Malformed { id: *id, source })
    }

    /// Reads the bytes of a record of any kind: a commit, a tree, a signature, an attachment.
    pub fn record(&mut self, id: &ObjectId) -> Result<Vec<u8>, StoreError> {
        self.get(id, KindSet::RECORDS)
    }

    /// Tells where a blob's content begins, so that many blobs can be read in the order of packs.
    ///
    /// Errors: [`StoreError::Missing`].
    pub fn place(&mut self, id: &ObjectId) -> Result<Place, StoreError> {
        let found = self.store.packs().find(id, BLOBS)?.ok_or(StoreError::Missing { id: *id })?;
        let first = match found.row.kind {
            ObjectKind::ChunkMap => {
                let first = Chunks::open(self, id, &found)?.next(self)?;
                first.map_or(Ok(None), |chunk| self.store.packs().find(&chunk.id, CHUNKS))?
            }
            _ => None,
        };
        let Found { pack, row } = first.unwrap_or(found);
        Ok(Place { pack: address(&pack), block: row.block.0, offset: row.offset })
    }

    /// Reads the content of a blob of any length, piece by piece.
    ///
    /// Shape: `take` gets the pieces in order. Errors: those of `take`, or what is missing or
    /// damaged; the pieces given so far must then not be used, since a whole blob is checked
    /// against its id with its last piece. Cost: one piece in memory, at most 16 MiB.
    pub fn stream<E: From<StoreError>>(
        &mut self,
        id: &ObjectId,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let packs = self.store.packs();
        let found = packs.find(id, BLOBS)?.ok_or(StoreError::Missing { id: *id })?;
        if found.row.kind != ObjectKind::ChunkMap {
            return take(&self.get(id, BLOBS)?);
        }
        let mut chunks = Chunks::open(self, id, &found)?;
        let mut hasher = IdHasher::new();
        while let Some(part) = chunks.next(self)? {
            let missing = StoreError::Missing { id: part.id };
            let chunk = packs.find(&part.id, CHUNKS)?.ok_or(missing)?;
            let raw = self.block(&chunk)?;
            let content = slice(&chunk, &raw)?;
            hasher.update(content);
            take(content)?;
        }
        if hasher.finish() == *id { Ok(()) } else { Err(self.blame(id, &found)?.into()) }
    }

    /// Finds which chunk made a blob wrong; if none did, it is the map.
    fn blame(&mut self, id: &ObjectId, found: &Found) -> Result<StoreError, StoreError> {
        let mut chunks = Chunks::open(self, id, found)?;
        while let Some(part) = chunks.next(self)? {
            self.get(&part.id, CHUNKS)?;
        }
        Ok(StoreError::Mismatch { id: *id, key: found.pack.key().clone() })
    }

    /// The bytes of an object that was found, not yet checked against its id.
    pub(super) fn content_of(&mut self, found: &Found) -> Result<Vec<u8>, StoreError> {
        let raw = self.block(found)?;
        Ok(slice(found, &raw)?.to_vec())
    }

    fn block(&mut self, found: &Found) -> Result<Arc<Vec<u8>>, StoreError> {
        self.block_below(found, u8::MAX)
    }

    /// Decodes the block of an object, or takes it from the blocks decoded last.
    fn block_below(&mut self, found: &Found, depth: u8) -> Result<Arc<Vec<u8>>, StoreError> {
        let (pack, block) = (address(&found.pack), found.row.block);
        if let Some(at) = self.kept.iter().position(|kept| (kept.pack, kept.block) == (pack, block))
        {
            return Ok(Arc::clone(&self.kept[at].raw));
        }
        let row =
            found.pack.index()?.block_of(&found.row).map_err(|error| found.pack.damaged(error))?;
        if row.depth >= depth {
            let reason = "a base is as deep as the block that needs it";
            return Err(found.pack.damaged(DecodeError::new("pack footer", row.offset, reason)));
        }
        let raw = Arc::new(self.decode(&found.pack, &row)?);
        self.keep(Kept { pack, block, raw: Arc::clone(&raw) });
        Ok(raw)
    }

    /// Decodes a block that was found in a footer, and keeps nothing.
    pub(super) fn block_of(
        &mut self,
        pack: &Arc<Pack>,
        row: &BlockRow,
    ) -> Result<Vec<u8>, StoreError> {
        self.decode(pack, row)
    }

    fn decode(&mut self, pack: &Arc<Pack>, row: &BlockRow) -> Result<Vec<u8>, StoreError> {
        let prefix = match row.base {
            Some(base) => self
                .find_below(&base, KindSet::CONTENT, row.depth)?
                .ok_or(StoreError::Missing { id: base })?,
            None => Vec::new(),
        };
        let encoded = pack.read(row.offset, row.encoded_bytes)?;
        let mut buffer = Vec::new();
        let decoder = self.decoder.as_mut().ok_or(StoreError::OutOfMemory)?;
        let raw = decoder
            .decode(row, &encoded, &prefix, &mut buffer)
            .map_err(|error| pack.damaged(error))?;
        Ok(raw.to_vec())
    }

    fn keep(&mut self, kept: Kept) {
        self.kept.push_front(kept);
        let mut bytes = 0;
        self.kept.retain(|kept| {
            bytes += kept.raw.len();
            bytes <= KEPT_BYTES
        });
    }
}

/// What holds the bytes of a chunk: it may have been stored as a blob before, and the reverse.
pub(super) const CHUNKS: KindSet =
    KindSet::only(ObjectKind::Chunk).or(KindSet::only(ObjectKind::Blob));

/// What holds the bytes of a blob: as one object, or as the list of its chunks.
pub(super) const BLOBS: KindSet = CHUNKS.or(KindSet::only(ObjectKind::ChunkMap));

/// Tells packs apart for as long as this reader's store keeps them open.
fn address(pack: &Arc<Pack>) -> usize {
    Arc::as_ptr(pack).addr()
}

/// The bytes of an object in its decoded block.
fn slice<'r>(found: &Found, raw: &'r [u8]) -> Result<&'r [u8], StoreError> {
    slice_of(&found.pack, &found.row, raw)
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
