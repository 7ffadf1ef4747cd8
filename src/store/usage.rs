//! How much room objects take: as they are, once each, and as they are stored.

use super::id_set::{IdSet, Role};
use super::packs::Found;
use super::reader::{BLOBS, CHUNKS};
use super::{Reader, Store, StoreError, chunk_lists};
use crate::format::pack::{ObjectKind, ObjectRow, PackClass, PackIndex};
use crate::object::{DecodeError, ObjectId};

/// Some objects and the room they take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many.
    pub objects: u64,
    /// Their length in bytes.
    pub raw_bytes: u64,
    /// Their part of the blocks that they are stored in, in bytes.
    pub stored_bytes: u64,
}

impl Usage {
    fn add(&mut self, raw_bytes: u64, stored_bytes: u64) {
        self.objects += 1;
        self.raw_bytes += raw_bytes;
        self.stored_bytes += stored_bytes;
    }
}

/// What all packs hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// What each kind of object takes.
    pub kinds: Vec<(&'static str, Usage)>,
    /// The length of all packs in bytes.
    pub pack_bytes: u64,
}

/// Adds up what all packs hold.
///
/// Cost: reads the footers.
pub fn by_kind(store: &Store) -> Result<Contents, StoreError> {
    let mut kinds = ObjectKind::ALL.map(|kind| (kind, Usage::default()));
    let mut bytes = 0;
    let listing = store.packs().listing()?;
    for class in [PackClass::Records, PackClass::Data] {
        for pack in listing.of(class) {
            bytes += pack.bytes();
            let index = pack.verified_index()?;
            for object in index.objects() {
                let object = object.map_err(|error| pack.damaged(error))?;
                let stored = share(&index, &object).map_err(|error| pack.damaged(error))?;
                for (kind, usage) in &mut kinds {
                    if *kind == object.kind {
                        usage.add(u64::from(object.bytes), stored);
                    }
                }
            }
        }
    }
    let kinds = kinds.map(|(kind, usage)| (word(kind), usage)).to_vec();
    Ok(Contents { kinds, pack_bytes: bytes })
}

/// Gives the length of all files of the journal, in bytes.
pub fn journal_bytes(store: &Store) -> Result<u64, StoreError> {
    super::collect::bytes_below(store, "journal/")
}

const fn word(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Blob => "blob",
        ObjectKind::Tree => "tree",
        ObjectKind::Commit => "commit",
        ObjectKind::Signature => "signature",
        ObjectKind::Attachment => "attachment",
        ObjectKind::Chunk => "chunk",
        ObjectKind::ChunkMap => "chunk map",
    }
}

/// The part of its block that an object takes, in encoded bytes.
fn share(index: &PackIndex<&[u8]>, object: &ObjectRow) -> Result<u64, DecodeError> {
    let block = index.block_of(object)?;
    let whole = u128::from(block.encoded_bytes) * u128::from(object.bytes);
    let share = whole / u128::from(block.raw_bytes.max(1));
    Ok(u64::try_from(share).unwrap_or(u64::MAX))
}

/// Counts the content of files, each piece once.
#[derive(Debug)]
pub struct Meter<'s> {
    store: &'s Store,
    reader: Reader<'s>,
    seen: IdSet,
    usage: Usage,
}

impl<'s> Meter<'s> {
    /// Starts at zero.
    pub fn new(store: &'s Store) -> Self {
        let (reader, seen) = (store.reader(), IdSet::default());
        Self { store, reader, seen, usage: Usage::default() }
    }

    /// Counts one file's content, unless it was counted.
    ///
    /// Errors: [`StoreError::Missing`].
    pub fn blob(&mut self, id: &ObjectId, bytes: u64) -> Result<(), StoreError> {
        if !self.seen.insert(Role::Blob, id) {
            return Ok(());
        }
        self.usage.add(bytes, 0);
        let found = self.store.packs().find(id, BLOBS)?.ok_or(StoreError::Missing { id: *id })?;
        self.stored(&found)?;
        if found.row.kind != ObjectKind::ChunkMap {
            return Ok(());
        }
        let mut chunks = chunk_lists::Chunks::open(&mut self.reader, id, &found)?;
        while let Some(part) = chunks.next(&mut self.reader)? {
            if self.seen.insert(Role::Chunk, &part.id) {
                let missing = StoreError::Missing { id: part.id };
                let chunk = self.store.packs().find(&part.id, CHUNKS)?.ok_or(missing)?;
                self.stored(&chunk)?;
            }
        }
        Ok(())
    }

    /// Gives what was counted so far.
    pub const fn usage(&self) -> Usage {
        self.usage
    }

    fn stored(&mut self, found: &Found) -> Result<(), StoreError> {
        let index = found.pack.index()?;
        let share = share(&index, &found.row).map_err(|error| found.pack.damaged(error))?;
        self.usage.stored_bytes += share;
        Ok(())
    }
}
