//! Checking a whole journal: every entry, every link of the chain, every derived file.

use std::collections::BTreeSet;

use super::frontier::tile_root;
use super::{Journal, JournalEntry, JournalError, WIDTH, bundle_key, entry_key, tile_key, torn};
use crate::format::entry_file::encode_entry_file;
use crate::format::{layout, tile};
use crate::object::merkle::Frontier;
use crate::object::{Sha256, merkle};
use crate::storage::Key;

/// One thing that is wrong with a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file concerned.
    pub key: Key,
    /// What is wrong with it, as a sentence part.
    pub what: String,
}

/// What has been seen of the journal so far.
struct Check<'j> {
    journal: &'j Journal,
    problems: Vec<Problem>,
    /// The tree over all entries so far; `None` once an entry is missing.
    frontier: Option<Frontier>,
    /// Hashes of the tiles that are not full yet, from the leaves upwards.
    tiles: Vec<Vec<Sha256>>,
    loose: BTreeSet<u64>,
}

impl Journal {
    /// Checks every entry and tile, and the chain from entry 0 to the head.
    ///
    /// Shape: empty if nothing is wrong; in the order of the entries. An entry that was torn by a
    /// power cut is a problem too, until the next append puts it away.
    /// Errors: only if files cannot be reached; damage is a problem, not an error.
    /// Cost: reads everything once, one bundle at a time.
    pub fn verify(&self) -> Result<Vec<Problem>, JournalError> {
        // Before the listing: whoever has seen an entry finds it there.
        let seen = self.seen();
        let numbers: BTreeSet<u64> = self.shelf.loose_numbers()?.into_iter().collect();
        let bundles = self.shelf.bundles()?;
        let mut check = Check {
            journal: self,
            problems: self.foreign_files()?,
            frontier: Some(Frontier::new()),
            tiles: Vec::new(),
            loose: numbers,
        };
        let end = self.end(&mut check)?;
        if let Some(seen) = seen.filter(|seen| *seen >= end) {
            let what = "missing: this worktree has seen it; where an older copy was put back on \
                        purpose, delete .provenance/cache";
            check.add(entry_key(seen)?, what);
        }
        let bundled_end = bundles.last().map_or(0, |last| (last + 1) * WIDTH);
        for number in 0..end.max(bundled_end) {
            check.entry(number)?;
        }
        Ok(check.problems)
    }

    /// Finds the number after the last whole entry, and reports the torn ones.
    fn end(&self, check: &mut Check<'_>) -> Result<u64, JournalError> {
        while let Some(last) = check.loose.last().copied() {
            // Damaged entries are met again on the way.
            match self.shelf.load_loose(last) {
                Ok(Some(bytes)) if torn::is_torn(&bytes) => {
                    check.add(entry_key(last)?, "torn by a power cut, never acknowledged");
                    check.loose.remove(&last);
                }
                _ => return Ok(last + 1),
            }
        }
        Ok(0)
    }

    fn foreign_files(&self) -> Result<Vec<Problem>, JournalError> {
        let keys = self.shelf.storage().list("journal/")?;
        let foreign = keys.into_iter().filter(|key| {
            let name = key.as_str();
            layout::parse_entry_name(name).is_none()
                && layout::parse_bundle_name(name).is_none()
                && layout::parse_hash_tile_name(name).is_none()
        });
        Ok(foreign.map(|key| Problem { key, what: "not a file of a journal".to_owned() }).collect())
    }
}

impl Check<'_> {
    fn add(&mut self, key: Key, what: impl Into<String>) {
        self.problems.push(Problem { key, what: what.into() });
    }

    fn entry(&mut self, number: u64) -> Result<(), JournalError> {
        match self.journal.shelf.bytes(number) {
            Ok((bytes, key)) => self.bytes(number, bytes, key),
            Err(JournalError::Missing { .. }) => {
                self.lose(entry_key(number)?, "missing");
                Ok(())
            }
            Err(JournalError::Damaged { key, source }) => {
                let is_repeated = self.problems.last().is_some_and(|problem| problem.key == key);
                if !is_repeated {
                    self.lose(key, source.to_string());
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Notes a problem after which nothing can be said about the chain.
    fn lose(&mut self, key: Key, what: impl Into<String>) {
        self.frontier = None;
        self.tiles.clear();
        self.add(key, what);
    }

    fn bytes(&mut self, number: u64, bytes: Vec<u8>, key: Key) -> Result<(), JournalError> {
        self.twin(number, &bytes, &key)?;
        let hash = merkle::leaf_hash(&bytes);
        match JournalEntry::decode(number, &key, bytes) {
            Ok(entry) => {
                let root = self.frontier.as_ref().map(Frontier::root);
                if root.is_some_and(|root| root != entry.transaction.previous) {
                    let what = format!("entry {number} does not continue the entries before it");
                    self.add(key, what);
                }
            }
            Err(JournalError::Damaged { source, .. }) => {
                self.add(key, format!("entry {number}: {source}"));
            }
            Err(error) => return Err(error),
        }
        if let Some(frontier) = &mut self.frontier {
            frontier.push(hash);
            self.tile(0, number, hash)?;
        }
        Ok(())
    }

    /// Compares a bundled entry with a file of the same number.
    fn twin(&mut self, number: u64, bytes: &[u8], key: &Key) -> Result<(), JournalError> {
        let loose = entry_key(number)?;
        if *key == loose || !self.loose.contains(&number) {
            return Ok(());
        }
        // It may be on its way out.
        let twin = self.journal.shelf.load_loose(number);
        if twin.is_ok_and(|twin| twin.is_some_and(|twin| twin != encode_entry_file(bytes))) {
            self.add(loose, "differs from the entry that was bundled under its number");
        }
        Ok(())
    }

    /// Adds a hash to its tile, and checks the stored tile once it is full.
    fn tile(&mut self, level: u8, index: u64, hash: Sha256) -> Result<(), JournalError> {
        let place = usize::from(level);
        if self.tiles.len() <= place {
            self.tiles.push(Vec::new());
        }
        self.tiles[place].push(hash);
        if self.tiles[place].len() < tile::TILE_WIDTH {
            return Ok(());
        }
        let hashes = std::mem::take(&mut self.tiles[place]);
        let (key, index) = (tile_key(level, index / WIDTH)?, index / WIDTH);
        let is_due = self.journal.shelf.storage().info(&bundle_key(last_bundle(level, index))?)?;
        let stored = self.journal.shelf.storage().load(&key, 32 * WIDTH).map(|stored| {
            stored.map(|bytes| tile::decode_hash_tile(&bytes).is_ok_and(|there| there == hashes))
        });
        match stored {
            Ok(Some(true)) => {}
            Ok(None) if is_due.is_none() => {}
            Ok(None) => self.add(key, "missing hash tile"),
            Ok(Some(false)) => self.add(key, "differs from the hashes of the entries"),
            Err(crate::storage::StorageError::TooLong { .. }) => self.add(key, "too long"),
            Err(error) => return Err(error.into()),
        }
        self.tile(level + 1, index, tile_root(&hashes))
    }
}

/// Gives the index of the last bundle below a tile.
fn last_bundle(level: u8, index: u64) -> u64 {
    let below = WIDTH.saturating_pow(u32::from(level));
    (index + 1).saturating_mul(below).saturating_sub(1)
}
