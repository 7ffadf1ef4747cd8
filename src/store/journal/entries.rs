//! Reading entries: each a file of its own, or 256 of them in a bundle.

use std::sync::{Arc, Mutex, PoisonError};

use super::{JournalError, WIDTH, bundle_key, entry_key};
use crate::format::entry_file::{ENTRY_FILE_BYTES_MAX, decode_entry_file, encode_entry_file};
use crate::format::{layout, tile};
use crate::object::{DecodeError, Sha256, Transaction, merkle};
use crate::storage::{Key, Storage, StorageError};

/// Longest stored bundle: zstd adds at most one byte in 256 to what does not compress.
const BUNDLE_BYTES_MAX: u64 = 17 << 20;

/// One entry, as it is hashed and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// Its bytes: a leaf of the journal's Merkle tree.
    pub bytes: Vec<u8>,
    /// What they say.
    pub transaction: Transaction,
}

impl JournalEntry {
    /// Gives its place in the journal.
    pub const fn number(&self) -> u64 {
        self.transaction.number
    }

    /// Gives its hash as a leaf of the Merkle tree.
    pub fn leaf_hash(&self) -> Sha256 {
        merkle::leaf_hash(&self.bytes)
    }

    /// Spells the file that holds it while it is not bundled.
    pub(super) fn file(&self) -> Vec<u8> {
        encode_entry_file(&self.bytes)
    }

    /// Reads the entry that was found in the file `key` as number `number`.
    pub(super) fn decode(number: u64, key: &Key, bytes: Vec<u8>) -> Result<Self, JournalError> {
        let damaged = |source| JournalError::Damaged { key: key.clone(), source };
        let transaction = Transaction::decode(&bytes).map_err(damaged)?;
        if transaction.number != number {
            let reason = format!("says number {} in the place of {number}", transaction.number);
            return Err(damaged(DecodeError::new("journal entry", 0, reason)));
        }
        Ok(Self { bytes, transaction })
    }
}

/// The files of a journal, and the bundle that was read last.
#[derive(Debug)]
pub(super) struct Shelf {
    storage: Arc<dyn Storage>,
    latest: Mutex<Option<(u64, Arc<Bundle>)>>,
}

/// The entries of one bundle, not looked at yet.
#[derive(Debug)]
pub(super) struct Bundle {
    bytes: Vec<u8>,
    /// Where each entry begins and ends.
    bounds: Vec<(usize, usize)>,
}

impl Bundle {
    /// Reads a stored bundle.
    pub(super) fn decode(frame: &[u8]) -> Result<Self, DecodeError> {
        let bytes = tile::decompress_bundle(frame)?;
        let mut bounds = Vec::with_capacity(tile::TILE_WIDTH);
        let mut end = 0;
        for entry in tile::decode_bundle(&bytes)? {
            let begin = end + 2;
            end = begin + entry.len();
            bounds.push((begin, end));
        }
        Ok(Self { bytes, bounds })
    }

    /// Gives the bytes of all 256 entries, in order.
    pub(super) fn entries(&self) -> impl Iterator<Item = &[u8]> {
        self.bounds.iter().map(|(begin, end)| &self.bytes[*begin..*end])
    }
}

impl Shelf {
    pub(super) fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, latest: Mutex::default() }
    }

    pub(super) fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    /// Lists the numbers of entries with files of their own, ascending.
    pub(super) fn loose_numbers(&self) -> Result<Vec<u64>, StorageError> {
        let keys = self.storage.list(layout::ENTRIES)?;
        Ok(keys.iter().filter_map(|key| layout::parse_entry_name(key.as_str())).collect())
    }

    /// Lists the bundles, ascending.
    pub(super) fn bundles(&self) -> Result<Vec<u64>, StorageError> {
        let keys = self.storage.list(layout::BUNDLES)?;
        let mut bundles: Vec<u64> =
            keys.iter().filter_map(|key| layout::parse_bundle_name(key.as_str())).collect();
        bundles.sort_unstable();
        Ok(bundles)
    }

    /// Reads the file of one entry, whatever it holds; `None` if there is none.
    pub(super) fn load_loose(&self, number: u64) -> Result<Option<Vec<u8>>, JournalError> {
        let key = entry_key(number)?;
        match self.storage.load(&key, ENTRY_FILE_BYTES_MAX as u64) {
            Err(StorageError::TooLong { .. }) => {
                let reason = format!("longer than {ENTRY_FILE_BYTES_MAX} bytes");
                let source = DecodeError::new("journal entry", 0, reason);
                Err(JournalError::Damaged { key, source })
            }
            loaded => Ok(loaded?),
        }
    }

    /// Gets the bytes of an entry out of its file, checked; `None` if it has none.
    pub(super) fn loose(&self, number: u64) -> Result<Option<(Vec<u8>, Key)>, JournalError> {
        let Some(file) = self.load_loose(number)? else { return Ok(None) };
        let key = entry_key(number)?;
        match decode_entry_file(&file) {
            Ok(entry) => Ok(Some((entry.to_vec(), key))),
            Err(source) => Err(JournalError::Damaged { key, source }),
        }
    }

    /// Reads a bundle; `None` if there is none.
    pub(super) fn load_bundle(&self, index: u64) -> Result<Option<Arc<Bundle>>, JournalError> {
        let lock = || self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bundle)) = lock().as_ref().filter(|(latest, _)| *latest == index) {
            return Ok(Some(Arc::clone(bundle)));
        }
        let key = bundle_key(index)?;
        let Some(frame) = self.storage.load(&key, BUNDLE_BYTES_MAX)? else { return Ok(None) };
        let bundle = Bundle::decode(&frame)
            .map_err(|source| JournalError::Damaged { key, source })
            .map(Arc::new)?;
        *lock() = Some((index, Arc::clone(&bundle)));
        Ok(Some(bundle))
    }

    /// Gets the bytes of one entry, and the file that they are in.
    ///
    /// Once a bundle is there, it counts: a file under a bundled number can only be the work of
    /// a writer that slept.
    pub(super) fn bytes(&self, number: u64) -> Result<(Vec<u8>, Key), JournalError> {
        if let Some(found) = self.bundled(number)? {
            return Ok(found);
        }
        if let Some(found) = self.loose(number)? {
            return Ok(found);
        }
        // It may have been bundled in between.
        self.bundled(number)?.ok_or(JournalError::Missing { number })
    }

    /// Gets the bytes of an entry out of its bundle; `None` if it is not bundled.
    pub(super) fn bundled(&self, number: u64) -> Result<Option<(Vec<u8>, Key)>, JournalError> {
        let Some(bundle) = self.load_bundle(number / WIDTH)? else { return Ok(None) };
        let place = usize::try_from(number % WIDTH).unwrap_or(usize::MAX);
        let bytes = bundle.entries().nth(place).map(<[u8]>::to_vec);
        Ok(bytes.zip(bundle_key(number / WIDTH).ok()))
    }

    /// Gets one entry.
    pub(super) fn entry(&self, number: u64) -> Result<JournalEntry, JournalError> {
        let (bytes, key) = self.bytes(number)?;
        JournalEntry::decode(number, &key, bytes)
    }
}

/// Lists entries, the newest first; see [`super::Journal::entries`].
#[derive(Debug)]
pub struct Entries<'j> {
    shelf: &'j Shelf,
    next: Option<u64>,
}

impl<'j> Entries<'j> {
    pub(super) fn new(shelf: &'j Shelf, newest: u64) -> Self {
        Self { shelf, next: Some(newest) }
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<JournalEntry, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        let number = self.next?;
        let entry = self.shelf.entry(number);
        // Nothing is known about what comes before an entry that cannot be read.
        self.next = number.checked_sub(1).filter(|_| entry.is_ok());
        Some(entry)
    }
}
