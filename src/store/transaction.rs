//! New content on its way into packs: nothing is visible before `finish`, everything is after.
//!
//! Which entry of the journal then names the content is `journal.rs`.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::format::pack::{BLOCK_RAW_BYTES_MAX, KindSet, ObjectKind, ObjectRow, PackClass};
use crate::object::ObjectId;
use crate::object::tree::NewNode;
use crate::storage::Upload;

use super::base::{self, Base};
use super::block_builder::{BlockBuilder, BlockEncoder, BlockObject};
use super::claims::Claims;
use super::pack_writer::PackWriter;
use super::{
    JournalError, Reader, Reliance, Root, Store, StoreError, Stored, ingest, limits, reader,
};

/// Collects new objects. Dropped without `finish`, it leaves the repository as it was.
#[derive(Debug)]
pub struct Transaction<'s> {
    store: &'s Store,
    /// For each kind of object: the same bytes may be a file here and a tree there, and a file
    /// that somebody made equal to a tree must not keep that from being stored.
    claims: [Claims; ObjectKind::ALL.len()],
    data: PackWriter,
    records: PackWriter,
    /// What is relied on, once something was looked up.
    reliance: OnceLock<Arc<Reliance>>,
    /// Small objects that come one by one, and not from an ingest.
    desk: Mutex<Desk<'s>>,
}

#[derive(Debug)]
struct Desk<'s> {
    reader: Reader<'s>,
    encoder: BlockEncoder,
    data: BlockBuilder,
    records: BlockBuilder,
}

/// What a finished transaction added to the repository.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Added {
    /// New packs.
    pub packs: u64,
    /// Their length in bytes.
    pub bytes: u64,
}

impl<'s> Transaction<'s> {
    pub(super) fn new(store: &'s Store) -> Result<Self, StoreError> {
        let storage = store.storage();
        Ok(Self {
            store,
            claims: ObjectKind::ALL.map(|_| Claims::new()),
            data: PackWriter::new(Arc::clone(storage), PackClass::Data),
            records: PackWriter::new(Arc::clone(storage), PackClass::Records),
            reliance: OnceLock::new(),
            desk: Mutex::new(Desk {
                reader: store.reader(),
                encoder: BlockEncoder::new(store.compression()),
                data: BlockBuilder::default(),
                records: BlockBuilder::default(),
            }),
        })
    }

    /// Relies on what another transaction did: for who adds much, one transaction after the other.
    pub fn relying(self, reliance: Arc<Reliance>) -> Self {
        // It is new, so nothing was looked up yet.
        let _first = self.reliance.set(reliance);
        self
    }

    /// Stores a small object unless the repository has it, and tells its id.
    ///
    /// Shape: `content` is at most [`crate::format::pack::BLOCK_RAW_BYTES_MAX`] long; chunk maps
    /// and large files do not come this way.
    pub fn put(&self, kind: ObjectKind, content: &[u8]) -> Result<ObjectId, StoreError> {
        let id = ObjectId::of(content);
        let kinds = KindSet::only(kind);
        if self.claims_of(kind).claim(&id) && !self.is_stored(&id, kinds)? {
            self.push(id, kind, content)?;
        }
        Ok(id)
    }

    /// Stores the content of a symbolic link, or of another file of a few bytes.
    pub fn put_small_blob(&self, content: &[u8]) -> Result<ObjectId, StoreError> {
        let id = ObjectId::of(content);
        if self.claim_blob(&id)? {
            self.push(id, ObjectKind::Blob, content)?;
        }
        Ok(id)
    }

    /// Stores a node of a tree, as the difference to the one in whose place it comes.
    pub fn put_node(&self, node: NewNode<'_>) -> Result<(), StoreError> {
        let NewNode { id, bytes, before } = node;
        let kinds = KindSet::only(ObjectKind::Tree);
        if !self.claims_of(ObjectKind::Tree).claim(&id) || self.is_stored(&id, kinds)? {
            return Ok(());
        }
        match before.filter(|_| bytes.len() >= limits::DIFFERENCE_BYTES_MIN) {
            Some(before) => self.push_after(&before, id, ObjectKind::Tree, bytes),
            None => self.push(id, ObjectKind::Tree, bytes),
        }
    }

    /// Stores an object that was read elsewhere and has proven itself; false if it is there.
    pub(super) fn put_proven(&self, row: &ObjectRow, content: &[u8]) -> Result<bool, StoreError> {
        let kinds = match row.kind {
            ObjectKind::Blob | ObjectKind::Chunk => reader::CHUNKS,
            kind => KindSet::only(kind),
        };
        if self.store.packs().contains(&row.id, kinds)? {
            return Ok(false);
        }
        if content.len() >= limits::OWN_BLOCK_BYTES {
            let object = BlockObject::of(row);
            let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
            let writer = self.writer_of(row.kind);
            desk.encoder.append(content, None, &[object], writer)?;
        } else {
            self.push(row.id, row.kind, content)?;
        }
        Ok(true)
    }

    /// Stores a commit's record and tells its id.
    pub fn put_commit(&self, record: &[u8]) -> Result<ObjectId, StoreError> {
        self.put(ObjectKind::Commit, record)
    }

    /// Stores what belongs to a record and is kept with it, and tells its id.
    ///
    /// Shape: what is too large for a block is stored as a file is, with the data.
    pub fn put_attachment(&self, content: &[u8]) -> Result<ObjectId, StoreError> {
        match content.len() > BLOCK_RAW_BYTES_MAX as usize {
            true => ingest::held(self, content),
            false => self.put(ObjectKind::Attachment, content),
        }
    }

    /// Stores the chunk map of a blob that the caller has claimed.
    pub(super) fn put_map(&self, blob: ObjectId, map: &[u8]) -> Result<(), StoreError> {
        self.push(blob, ObjectKind::ChunkMap, map)
    }

    /// Stores a small chunk, such as a list of other chunks, unless the repository has it.
    pub(super) fn put_chunk(&self, content: &[u8]) -> Result<(), StoreError> {
        let id = ObjectId::of(content);
        if self.claim_chunk(&id)? { self.push(id, ObjectKind::Chunk, content) } else { Ok(()) }
    }

    /// Makes everything durable, then visible: data before records.
    ///
    /// Errors: [`StoreError::Overdue`] among others, before anything is visible.
    pub fn finish(self) -> Result<Added, StoreError> {
        if let Some(reliance) = self.reliance.get() {
            if reliance.revives() {
                self.set_apart()?;
            }
            reliance.confirm()?;
        }
        let mut desk = self.desk.into_inner().unwrap_or_else(PoisonError::into_inner);
        desk.data.flush(&mut desk.encoder, &self.data)?;
        desk.records.flush(&mut desk.encoder, &self.records)?;
        let mut added = Added::default();
        let mut uploads: Vec<(Box<dyn Upload>, _)> = Vec::new();
        for finished in [self.data.finish()?, self.records.finish()?].into_iter().flatten() {
            added.packs += 1;
            added.bytes += finished.bytes;
            uploads.push((finished.upload, finished.key));
        }
        if !uploads.is_empty() {
            self.store.storage().finish_all(uploads)?;
            self.store.packs().relist()?;
        }
        Ok(added)
    }

    /// Tells whether the caller is to write a blob: nobody else does, and no pack holds it.
    pub(super) fn claim_blob(&self, id: &ObjectId) -> Result<bool, StoreError> {
        Ok(self.claims_of(ObjectKind::Blob).claim(id) && !self.is_stored(id, reader::BLOBS)?)
    }

    /// Tells whether the caller is to write a chunk.
    ///
    /// Shape: apart from blobs, since a blob of the same bytes may only be there as a chunk map.
    pub(super) fn claim_chunk(&self, id: &ObjectId) -> Result<bool, StoreError> {
        Ok(self.claims_of(ObjectKind::Chunk).claim(id) && !self.is_stored(id, reader::CHUNKS)?)
    }

    /// Tells whether an object need not be stored: a pack holds it, and nobody collects it soon.
    fn is_stored(&self, id: &ObjectId, kinds: KindSet) -> Result<bool, StoreError> {
        let reliance = self.reliance()?;
        reliance.touch()?;
        Ok(!reliance.is_listed(id) && self.store.packs().contains(id, kinds)?)
    }

    /// Tells whether an object is there, or is once this transaction is finished, for who names
    /// it; what waits to be collected is stored anew.
    pub fn holds(&self, id: &ObjectId, what: Stored) -> Result<bool, StoreError> {
        let kind = what.kind();
        if self.claims_of(kind).contains(id) {
            return Ok(true);
        }
        let kinds = match what {
            Stored::Blob => reader::BLOBS,
            // What is too large for a block is kept with the data.
            Stored::Attachment => KindSet::only(kind).or(reader::BLOBS),
            _ => KindSet::only(kind),
        };
        let reliance = self.reliance()?;
        reliance.touch()?;
        if !self.store.packs().contains(id, kinds)? {
            return Ok(false);
        }
        match what {
            _ if !reliance.names(id) => {}
            Stored::Commit => self.store.revive(&reliance, id, Root::Commit(*id))?,
            Stored::Tree => self.store.revive(&reliance, id, Root::Tree(*id))?,
            Stored::Blob | Stored::Attachment | Stored::Signature => return Ok(false),
        }
        Ok(true)
    }

    /// What this transaction relies on; whoever names its objects confirms it before and after,
    /// and keeps it until then.
    pub fn reliance(&self) -> Result<Arc<Reliance>, StoreError> {
        if let Some(reliance) = self.reliance.get() {
            return Ok(Arc::clone(reliance));
        }
        let begun = Arc::new(Reliance::begin(self.store)?);
        Ok(Arc::clone(self.reliance.get_or_init(|| begun)))
    }

    /// Finds what the next version of `old` may continue; nothing that may be collected soon.
    pub(super) fn base_of_next(&self, reader: &mut Reader<'_>, old: &ObjectId) -> Option<Base> {
        Base::of_next(reader, old).filter(|base| self.can_build_on(base))
    }

    /// Tells whether a base stays for long enough.
    pub(super) fn can_build_on(&self, base: &Base) -> bool {
        self.reliance().is_ok_and(|reliance| !reliance.names(&base.id))
    }

    /// Adds what keeps new packs from having the names of old ones that hold the same.
    fn set_apart(&self) -> Result<(), StoreError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| JournalError::NoRandomness)?;
        for (kind, writer) in
            [(ObjectKind::Blob, &self.data), (ObjectKind::Attachment, &self.records)]
        {
            let desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
            let block = if kind == ObjectKind::Blob { &desk.data } else { &desk.records };
            let is_used = writer.is_begun() || !block.is_empty();
            drop(desk);
            if is_used {
                self.push(ObjectId::of(&random), kind, &random)?;
            }
        }
        Ok(())
    }

    /// The store that is added to.
    pub(super) fn store(&self) -> &'s Store {
        self.store
    }

    /// The pack of blobs, chunks and chunk maps.
    pub(super) fn data(&self) -> &PackWriter {
        &self.data
    }

    /// A block encoder with the repository's settings, for one thread.
    pub(super) fn encoder(&self) -> BlockEncoder {
        BlockEncoder::new(self.store.compression())
    }

    /// Reads a node of a tree with the memory that [`Self::put_node`] reads its base with: what
    /// was read to be edited is mostly that base.
    pub fn node(&self, id: &ObjectId) -> Result<Vec<u8>, StoreError> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner).reader.node(id)
    }

    /// Stores a record alone in its block, as the difference to an older one if that can be.
    fn push_after(
        &self,
        old: &ObjectId,
        id: ObjectId,
        kind: ObjectKind,
        content: &[u8],
    ) -> Result<(), StoreError> {
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(base) = self.base_of_node(&mut desk, old, content)? else {
            drop(desk);
            return self.push(id, kind, content);
        };
        let bytes = u32::try_from(content.len()).expect("a node is smaller than a block");
        let object = BlockObject { id, kind, bytes };
        desk.encoder.append(content, Some(&base), &[object], &self.records)
    }

    /// Finds what the next version of a node continues; nothing that may be collected soon.
    fn base_of_node(
        &self,
        desk: &mut Desk<'s>,
        old: &ObjectId,
        content: &[u8],
    ) -> Result<Option<Base>, StoreError> {
        let Some(nearest) = Base::of(&mut desk.reader, old) else { return Ok(None) };
        let bytes = desk.encoder.measure(content, &nearest)?;
        let base = match base::of_node(self.store, old, bytes) {
            Some(id) if id == nearest.id => Some(nearest),
            Some(id) => Base::of(&mut desk.reader, &id),
            None => None,
        };
        Ok(base.filter(|base| self.can_build_on(base)))
    }

    fn claims_of(&self, kind: ObjectKind) -> &Claims {
        let at = ObjectKind::ALL.iter().position(|known| *known == kind);
        &self.claims[at.expect("all kinds are listed")]
    }

    fn writer_of(&self, kind: ObjectKind) -> &PackWriter {
        match kind.class() {
            PackClass::Data => &self.data,
            PackClass::Records => &self.records,
        }
    }

    fn push(&self, id: ObjectId, kind: ObjectKind, content: &[u8]) -> Result<(), StoreError> {
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        let Desk { encoder, data, records, .. } = &mut *desk;
        let block = match kind.class() {
            PackClass::Data => data,
            PackClass::Records => records,
        };
        let writer = self.writer_of(kind);
        block.push(id, kind, content);
        if block.is_full() { block.flush(encoder, writer) } else { Ok(()) }
    }
}
