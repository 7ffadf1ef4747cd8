//! Reads objects back: finds the block, decodes it, and believes nothing that does not hash.
//!
//! Each thread has its own reader, which keeps the last blocks it decoded: neighbours in a tree
//! are neighbours in a block.

use crate::format::pack::{KindSet, ObjectKind};
use crate::object::tree::{EMPTY_TREE, Node};
use crate::object::{Commit, ObjectId};

use super::block_reader::{BlockReader, address};
use super::chunk_lists::Chunks;
use super::large_blob::{self, Uses};
use super::packs::Found;
use super::{Store, StoreError};

/// Reads the objects of a store on one thread.
///
/// Cost: the blocks decoded last, at most 8 MiB of them or one, and memory to decode one more: a
/// block is mostly 1 MiB, at most 16 MiB.
#[derive(Debug)]
pub struct Reader<'s> {
    blocks: BlockReader<'s>,
}

/// Where content lies, ordered as it should be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pack: usize,
    block: u32,
    offset: u32,
}

impl Place {
    /// Tells whether both are in one block, which is decoded once for who reads them in a row.
    pub fn shares_block(&self, other: &Self) -> bool {
        (self.pack, self.block) == (other.pack, other.block)
    }
}

impl<'s> Reader<'s> {
    pub(super) fn new(store: &'s Store) -> Self {
        Self { blocks: BlockReader::new(store) }
    }

    /// Reads a whole small object of an accepted kind, checked against its id.
    ///
    /// Errors: [`StoreError::Missing`], or what is damaged and where.
    pub fn get(&mut self, id: &ObjectId, kinds: KindSet) -> Result<Vec<u8>, StoreError> {
        self.find(id, kinds)?.ok_or(StoreError::Missing { id: *id })
    }

    /// As [`Reader::get`], for an object that may be absent.
    pub fn find(&mut self, id: &ObjectId, kinds: KindSet) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(found) = self.store().packs().find(id, kinds)? else { return Ok(None) };
        Ok(Some(self.blocks.checked(id, &found)?.to_vec()))
    }

    /// As [`Reader::get`], for one object of a block of which nothing else is wanted.
    pub(super) fn get_alone(
        &mut self,
        id: &ObjectId,
        kinds: KindSet,
    ) -> Result<Vec<u8>, StoreError> {
        let found = self.store().packs().find(id, kinds)?;
        self.blocks.alone(id, &found.ok_or(StoreError::Missing { id: *id })?)
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

    /// Reads what belongs to a record, whole: of any length, with the records or with the data.
    pub fn attachment(&mut self, id: &ObjectId) -> Result<Vec<u8>, StoreError> {
        if let Some(found) = self.find(id, KindSet::only(ObjectKind::Attachment))? {
            return Ok(found);
        }
        let mut bytes = Vec::new();
        self.stream(id, |piece| {
            bytes.extend_from_slice(piece);
            Ok::<(), StoreError>(())
        })?;
        Ok(bytes)
    }

    /// Reads what belongs to a record, if it is kept with the records; `None` for what is too large
    /// for that and kept as a blob.
    ///
    /// Errors: [`StoreError::Missing`] if it is neither.
    pub fn small_attachment(&mut self, id: &ObjectId) -> Result<Option<Vec<u8>>, StoreError> {
        match self.find(id, KindSet::only(ObjectKind::Attachment))? {
            Some(found) => Ok(Some(found)),
            None => self.blob(id).map(|_| None),
        }
    }

    /// Tells where a record lies, so that many can be read in the order of packs.
    ///
    /// Errors: [`StoreError::Missing`].
    pub fn record_place(&mut self, id: &ObjectId) -> Result<Place, StoreError> {
        let found = self.store().packs().find(id, KindSet::RECORDS)?;
        let Found { pack, row } = found.ok_or(StoreError::Missing { id: *id })?;
        Ok(Place { pack: address(&pack), block: row.block.0, offset: row.offset })
    }

    /// Tells where a blob's content begins, so that many blobs can be read in the order of packs.
    ///
    /// Errors: [`StoreError::Missing`].
    pub fn place(&mut self, id: &ObjectId) -> Result<Place, StoreError> {
        let found = self.blob(id)?;
        let first = match found.row.kind {
            ObjectKind::ChunkMap => {
                let first = Chunks::open(self, id, &found)?.next(self)?;
                first.map_or(Ok(None), |chunk| self.store().packs().find(&chunk.id, CHUNKS))?
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
    /// against its id with its last piece. Cost: one piece in memory: 1 MiB and one chunk, at
    /// most 17 MiB.
    pub fn stream<E: From<StoreError>>(
        &mut self,
        id: &ObjectId,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let found = self.blob(id)?;
        match found.row.kind {
            ObjectKind::ChunkMap => large_blob::stream(self, id, &found, &mut take),
            _ => take(self.blocks.checked(id, &found)?),
        }
    }

    pub(super) fn blocks(&mut self) -> &mut BlockReader<'s> {
        &mut self.blocks
    }

    pub(super) const fn store(&self) -> &'s Store {
        self.blocks.store()
    }

    fn blob(&self, id: &ObjectId) -> Result<Found, StoreError> {
        self.store().packs().find(id, BLOBS)?.ok_or(StoreError::Missing { id: *id })
    }
}

impl Store {
    /// Reads the content of a blob of any length on several threads.
    ///
    /// Shape: `take` gets each piece with its offset, from any thread, in any order.
    /// Errors: as [`Reader::stream`]. Cost: for each thread what [`Reader::stream`] takes.
    pub fn stream_in_parallel<E: From<StoreError> + Send>(
        &self,
        id: &ObjectId,
        workers: usize,
        take: impl Fn(u64, &[u8]) -> Result<(), E> + Sync,
    ) -> Result<(), E> {
        let uses = Uses { block: &|_, _, _| Ok(()), stretch: &take, in_order: &mut |_| () };
        self.read_with(id, workers, uses)
    }

    /// As [`Store::stream_in_parallel`], for who must see more.
    pub(super) fn read_with<E: From<StoreError> + Send>(
        &self,
        id: &ObjectId,
        workers: usize,
        uses: Uses<'_, E>,
    ) -> Result<(), E> {
        let mut reader = self.reader();
        let found = reader.blob(id)?;
        if found.row.kind == ObjectKind::ChunkMap {
            return large_blob::read(self, id, &found, workers, uses);
        }
        let content = reader.blocks.checked(id, &found)?;
        (uses.stretch)(0, content)?;
        (uses.in_order)(content);
        Ok(())
    }
}

/// What holds the bytes of a chunk: it may have been stored as a blob before, and the reverse.
pub(super) const CHUNKS: KindSet =
    KindSet::only(ObjectKind::Chunk).or(KindSet::only(ObjectKind::Blob));

/// What holds the bytes of a blob: as one object, or as the list of its chunks.
pub(super) const BLOBS: KindSet = CHUNKS.or(KindSet::only(ObjectKind::ChunkMap));
