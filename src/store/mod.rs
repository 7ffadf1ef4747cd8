//! A repository's content over any storage: objects, packs, the journal and its refs.
//!
//! Local and remote repositories are the same code. What the content means is decided in `repo/`;
//! how files reach a disk is `storage/`; how bytes are laid out is `format/`.

mod base;
mod block_builder;
mod block_reader;
pub mod cache;
mod candidates;
pub mod check;
mod chunk_lists;
mod claims;
pub mod collect;
mod error;
mod fault;
mod garbage;
mod graph_cache;
mod id_set;
mod in_order;
mod ingest;
pub mod journal;
mod large_blob;
pub mod lease;
mod limits;
pub mod lineage_index;
mod links;
mod lookup;
pub mod merge;
pub mod new_refs;
mod open;
mod pack;
mod pack_writer;
mod packs;
mod reach;
mod reader;
mod record_packs;
pub mod refs;
pub mod repair;
mod revive;
pub mod runs_index;
mod segment;
mod transaction;
pub mod usage;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

pub use cache::{Cache, Stale};
pub use error::StoreError;
pub use fault::Fault;
pub use graph_cache::{Commits, History, Position};
pub use ingest::{IngestFailure, IngestRequest, Ingested, Look, ingest};
pub use journal::{
    Appended, Draft, Entries, Head as JournalHead, Journal, JournalEntry, JournalError,
    Problem as JournalProblem,
};
pub use lease::Reliance;
pub use links::attachments;
pub use lookup::Stored;
pub use reach::Root;
pub use reader::{Place, Reader};
pub use record_packs::RecordPacks;
pub use transaction::{Added, Transaction};

use crate::format::lease::Holder;
use crate::format::pack::{KindSet, ObjectKind};
use crate::object::ObjectId;
use crate::progress::Progress;
use crate::storage::{Key, Storage};
use block_reader::Desk;
use packs::Packs;

/// The objects of one repository.
#[derive(Debug)]
pub struct Store {
    storage: Arc<dyn Storage>,
    packs: Packs,
    compression: i32,
    /// Says which process this is, for the leases of long transactions.
    holder: Option<fn() -> Holder>,
    /// What the reader that ended last worked with: many commands read the same few blocks again.
    desk: Mutex<Option<Desk>>,
}

impl Store {
    /// Opens the objects in `storage`; nothing is read before something is asked for.
    ///
    /// Units: `compression` is a zstd level.
    pub fn open(storage: Arc<dyn Storage>, compression: i32) -> Self {
        let packs = Packs::new(Arc::clone(&storage));
        Self { storage, packs, compression, holder: None, desk: Mutex::default() }
    }

    /// Leaves leases in this name while a transaction takes long.
    pub fn held_by(self, holder: fn() -> Holder) -> Self {
        Self { holder: Some(holder), ..self }
    }

    /// Opens what is sound in the same storage: damaged packs are passed over.
    pub(crate) fn sound_part(&self) -> Self {
        let storage = Arc::clone(&self.storage);
        let packs = Packs::skipping_damaged(Arc::clone(&storage));
        Self { holder: self.holder, packs, ..Self::open(storage, self.compression) }
    }

    /// Opens the same storage without some packs, and without all that are damaged.
    pub(crate) fn without(&self, packs: BTreeSet<Key>) -> Self {
        let storage = Arc::clone(&self.storage);
        let packs = Packs::without(Arc::clone(&storage), packs);
        Self { holder: self.holder, packs, ..Self::open(storage, self.compression) }
    }

    /// Opens the same storage, and nothing that was open before.
    pub(crate) fn anew(&self) -> Self {
        Self::open(Arc::clone(&self.storage), self.compression)
    }

    /// Where everything lies.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// Opens the history of the refs that name these objects.
    pub fn journal(&self, cache: Cache) -> Journal {
        Journal::open(Arc::clone(&self.storage), cache)
    }

    /// Starts to add objects.
    pub fn transaction(&self) -> Result<Transaction<'_>, StoreError> {
        Transaction::new(self)
    }

    /// Starts to read objects; each thread takes its own reader.
    pub fn reader(&self) -> Reader<'_> {
        Reader::new(self)
    }

    /// Gives what the last reader left.
    fn take_desk(&self) -> Desk {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }

    /// Leaves what a reader worked with for the next one.
    fn leave(&self, desk: Desk) {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(desk);
    }

    /// Tells whether the content named `id` is stored, as one object or as chunks.
    ///
    /// Cost: a look-up in each pack; the footers' hashes are checked once, since to rely on this
    /// answer is not to store the content again.
    pub fn contains(&self, id: &ObjectId) -> Result<bool, StoreError> {
        self.packs.contains(id, KindSet::ALL)
    }

    /// Stores one small object at once: a transaction of its own.
    pub fn put(&self, kind: ObjectKind, content: &[u8]) -> Result<ObjectId, StoreError> {
        let transaction = self.transaction()?;
        let id = transaction.put(kind, content)?;
        transaction.finish()?;
        Ok(id)
    }

    /// Makes every pack durable that can be seen, whoever wrote it.
    pub fn settle(&self) -> Result<(), StoreError> {
        let listing = self.packs.relist()?;
        Ok(self.storage.settle(&listing.keys())?)
    }

    /// Checks that everything that a root reaches is there.
    pub fn check_reach(&self, root: Root) -> Result<(), StoreError> {
        let (progress, mut failed) = (Progress::default(), |_, error| Err(error));
        self.packs.relist()?;
        reach::Marker::new(self, &progress, &mut failed).mark(root)
    }

    fn compression(&self) -> i32 {
        self.compression
    }

    /// The packs, as last listed.
    pub(crate) fn packs(&self) -> &Packs {
        &self.packs
    }
}
