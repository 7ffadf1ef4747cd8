//! The journal: every change of a ref, appended by number, for ever.
//!
//! Creating entry *n* if it is absent is the one compare-and-swap of a repository; there is no
//! lock. What an entry says is `object/transaction.rs`, what its refs mean is `refs.rs`; the rules
//! are in `docs/format/journal.md`.

mod bundle;
mod entries;
mod error;
mod frontier;
mod mend;
mod torn;
mod verify;

use std::sync::{Arc, Mutex};

pub use entries::{Entries, JournalEntry};
pub use error::JournalError;
pub use mend::Mended;
pub use verify::Problem;

use self::entries::Shelf;
use super::cache::Cache;
use crate::format::entry_file::decode_entry_file;
use crate::format::layout;
use crate::format::tile::TILE_WIDTH;
use crate::object::merkle::Frontier;
use crate::object::{Actor, ObjectId, Timestamp, Transaction, TransactionId, Update};
use crate::storage::{Aside, Created, Key, Reason, Storage, StorageError};

/// Entries of one bundle.
const WIDTH: u64 = TILE_WIDTH as u64;

/// The newest entries, at least as many, stay files of their own: their names alone tell which
/// is the newest, and a slow writer meets them.
const LOOSE_MIN: u64 = 32;

/// How often a listed entry may vanish before that is an error.
const LOOK_ATTEMPTS: u32 = 16;

/// The journal of one repository.
///
/// Shape: many journals, in many processes, may use one storage at once.
#[derive(Debug)]
pub struct Journal {
    shelf: Shelf,
    cache: Cache,
    /// The tree over some first entries, proved against the entry after them.
    proved: Mutex<Option<Frontier>>,
}

/// How far the journal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The newest entry; `None` before `init` has made the first.
    pub newest: Option<JournalEntry>,
    /// Entries after it that a power cut has torn, the highest first. They were never
    /// acknowledged; the next append moves them to quarantine.
    pub torn: Vec<Key>,
}

/// What a new entry says; its number, id and proof are added when it is appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// When.
    pub time: Timestamp,
    /// Who.
    pub actor: Actor,
    /// The command as typed, already shortened.
    pub command: String,
    /// What changes, strictly ascending by ref.
    pub updates: Vec<Update>,
    /// How many refs of runs move beside those.
    pub unlisted: u64,
    /// The tree of all refs after it.
    pub refs: ObjectId,
    /// The tree of statements about objects.
    pub attestations: ObjectId,
}

/// How a race for the next number ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// The entry is ours, and durable.
    Won(Box<JournalEntry>),
    /// Somebody else's entry has the number: look at the head again.
    Lost,
}

impl Journal {
    /// Opens the journal in `storage`; reads nothing yet.
    pub fn open(storage: Arc<dyn Storage>, cache: Cache) -> Self {
        Self { shelf: Shelf::new(storage), cache, proved: Mutex::default() }
    }

    /// Finds the newest entry.
    ///
    /// Errors: [`JournalError::Damaged`] if it is there and whole but cannot be believed; an
    /// entry that was acknowledged is never passed over.
    /// Cost: a listing of at most some 300 names, and one read.
    pub fn head(&self) -> Result<Head, JournalError> {
        let mut torn = Vec::new();
        let mut numbers = self.shelf.loose_numbers()?;
        let mut attempts_left = LOOK_ATTEMPTS;
        while let Some(number) = numbers.pop() {
            let key = entry_key(number)?;
            match self.shelf.load_loose(number)? {
                Some(file) if torn::is_torn(&file) => torn.push(key),
                Some(file) => {
                    let entry = decode_entry_file(&file).map(<[u8]>::to_vec);
                    let entry = entry
                        .map_err(|source| JournalError::Damaged { key: key.clone(), source })?;
                    let newest = Some(JournalEntry::decode(number, &key, entry)?);
                    return Ok(Head { newest, torn });
                }
                None if attempts_left == 0 => return Err(JournalError::Missing { number }),
                // Moved to quarantine, or bundled by very busy writers: look again.
                None => {
                    attempts_left -= 1;
                    torn.clear();
                    numbers = self.shelf.loose_numbers()?;
                }
            }
        }
        match self.shelf.bundles()?.last() {
            None => Ok(Head { newest: None, torn }),
            Some(last) => Err(JournalError::Missing { number: (last + 1) * WIDTH }),
        }
    }

    /// Gets one entry.
    ///
    /// Errors: [`JournalError::Missing`] if there is none, so `number` must not be beyond the
    /// head.
    pub fn entry(&self, number: u64) -> Result<JournalEntry, JournalError> {
        self.shelf.entry(number)
    }

    /// Lists entries from `newest` down to entry 0.
    ///
    /// Cost: one read for each entry, or for 256 of them once they are bundled.
    pub fn entries(&self, newest: u64) -> Entries<'_> {
        Entries::new(&self.shelf, newest)
    }

    /// Appends an entry after the head that it was drafted on.
    ///
    /// Shape: an answer that was lost on the way is found out by reading back.
    /// Errors: [`JournalError::OutcomeUnknown`] if that is not possible; the entry may be there
    /// then, and nothing that it names may be deleted. Other errors: it is not there.
    /// Cost: two syncs; once in 256 entries a bundle.
    pub fn append(&self, head: &Head, draft: Draft) -> Result<Appended, JournalError> {
        let mut frontier = match &head.newest {
            None => Frontier::new(),
            Some(newest) => self.frontier_before(newest)?,
        };
        if let Some(newest) = &head.newest {
            frontier.push(newest.leaf_hash());
        }
        let entry = draft.into_entry(&frontier)?;
        let key = entry_key(entry.number())?;
        for torn in &head.torn {
            self.shelf.storage().set_aside(torn, Aside::QuarantineOnce)?;
        }
        let is_ours = match self.shelf.storage().create(&key, &entry.file()) {
            Ok(Created::New) => self.is_kept(&key, &entry)?,
            Ok(Created::Exists | Created::Mended(_)) => self.stands(&key, &entry)? == Some(true),
            Err(error) => self.resolve(&key, &entry, error)?,
        };
        if !is_ours {
            return Ok(Appended::Lost);
        }
        self.keep_proved(frontier);
        self.bundle_after(entry.number());
        Ok(Appended::Won(Box::new(entry)))
    }

    /// Tells whether the entry that stands under the number of `entry` is this one.
    fn stands(&self, key: &Key, entry: &JournalEntry) -> Result<Option<bool>, JournalError> {
        let number = entry.number();
        if let Some((bytes, _)) = self.shelf.bundled(number)? {
            return Ok(Some(bytes == entry.bytes));
        }
        match self.shelf.load_loose(number)? {
            None => Ok(None),
            Some(file) if torn::is_torn(&file) => Err(torn::error(key)),
            Some(file) => Ok(Some(file == entry.file())),
        }
    }

    /// Tells whether the entry that we created is the one that counts, and takes it back if not.
    ///
    /// A writer that slept between reading the head and creating its entry may use a number that
    /// was bundled long ago: the file was free again, but the bundle counts.
    fn is_kept(&self, key: &Key, entry: &JournalEntry) -> Result<bool, JournalError> {
        match self.shelf.bundled(entry.number())? {
            Some((bytes, _)) if bytes != entry.bytes => {
                self.shelf.storage().delete(key)?;
                Ok(false)
            }
            _ => Ok(true),
        }
    }

    /// Finds out what became of a create that failed.
    fn resolve(
        &self,
        key: &Key,
        entry: &JournalEntry,
        error: StorageError,
    ) -> Result<bool, JournalError> {
        let number = entry.number();
        let unknown = |source| Err(JournalError::OutcomeUnknown { number, source });
        match self.stands(key, entry) {
            Ok(None) => Err(error.into()),
            Ok(Some(false)) => Ok(false),
            // It is there, but the sync that would have kept it has failed.
            // A full disk can say so as late as there; a second sync would not say it again.
            Ok(Some(true)) if is_of_sync(&error) => unknown(error),
            Ok(Some(true)) => match self.shelf.storage().settle(&[key]) {
                Ok(()) => self.is_kept(key, entry),
                Err(source) => unknown(source),
            },
            Err(_) => unknown(error),
        }
    }
}

impl Draft {
    fn into_entry(self, before: &Frontier) -> Result<JournalEntry, JournalError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| JournalError::NoRandomness)?;
        let Self { time, actor, command, updates, unlisted, refs, attestations } = self;
        let transaction = Transaction {
            number: before.size(),
            transaction: TransactionId::from_bytes(random),
            time,
            actor,
            command,
            updates,
            unlisted,
            refs,
            attestations,
            previous: before.root(),
        };
        let bytes = transaction.encode().map_err(JournalError::Refused)?;
        Ok(JournalEntry { bytes, transaction })
    }
}

/// Tells whether a failed sync can have answered so.
fn is_of_sync(error: &StorageError) -> bool {
    matches!(error.reason(), Some(Reason::NotDurable | Reason::NoSpace | Reason::Quota))
}

fn entry_key(number: u64) -> Result<Key, StorageError> {
    Key::new(layout::entry_name(number))
}

fn bundle_key(index: u64) -> Result<Key, StorageError> {
    Key::new(layout::bundle_name(index))
}

fn tile_key(level: u8, index: u64) -> Result<Key, StorageError> {
    Key::new(layout::hash_tile_name(level, index))
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
