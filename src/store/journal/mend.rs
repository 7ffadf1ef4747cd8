//! Mends a journal: derived files are made anew, a newest entry that is damaged goes to quarantine.
//!
//! What an entry said that is damaged further back nobody else can know; it stays where it is.

use super::entries::{Bundle, JournalEntry};
use super::{Journal, JournalError, WIDTH, bundle_key, entry_key, torn};
use crate::format::entry_file::decode_entry_file;
use crate::format::layout;
use crate::object::{ObjectId, Sha256, merkle};
use crate::storage::{Aside, Key};

/// One thing that was mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended {
    /// The file concerned.
    pub key: Key,
    /// What was done, as a sentence part.
    pub what: String,
}

impl Journal {
    /// Mends what can be mended.
    ///
    /// Shape: in the order in which it was done; again without effect. Errors: of the storage.
    /// Nothing is deleted.
    pub fn mend(&self) -> Result<Vec<Mended>, JournalError> {
        let mut mended = Vec::new();
        self.mend_newest(&mut mended)?;
        for group in self.shelf.bundles()? {
            self.mend_bundle(group, &mut mended)?;
            self.mend_tiles(group, &mut mended)?;
        }
        Ok(mended)
    }

    /// Puts newest entries away that cannot be read, down to the first one that can.
    fn mend_newest(&self, mended: &mut Vec<Mended>) -> Result<(), JournalError> {
        let mut numbers = self.shelf.loose_numbers()?;
        let mut damaged = Vec::new();
        let is_read = loop {
            let Some(number) = numbers.pop() else { break false };
            let key = entry_key(number)?;
            let file = match self.shelf.load_loose(number) {
                Err(JournalError::Damaged { .. }) => None,
                file => file?,
            };
            let entry = file.as_deref().and_then(|file| decode_entry_file(file).ok());
            match entry.map(|entry| JournalEntry::decode(number, &key, entry.to_vec())) {
                Some(Ok(_)) => break true,
                _ => {
                    let named = file.as_deref().map(named_commits).unwrap_or_default();
                    let is_torn = file.is_some_and(|file| torn::is_torn(&file));
                    damaged.push((key, number, is_torn, named));
                }
            }
        };
        // Where no entry is left, nothing would be won.
        if !is_read && self.shelf.bundles()?.is_empty() {
            return Ok(());
        }
        for (key, number, is_torn, named) in damaged {
            if self.shelf.storage().set_aside(&key, Aside::Quarantine)?.is_some() {
                let what = match (is_torn, number.checked_sub(1)) {
                    (false, Some(before)) => format!(
                        "entry {number} could not be read and went to quarantine: all refs stand \
                         where entry {before} left them{named}"
                    ),
                    _ => format!("entry {number}, never acknowledged, went to quarantine"),
                };
                mended.push(Mended { key, what });
                // That this worktree has seen the entry is no longer evidence of a loss.
                self.cache.save(layout::JOURNAL_FRONTIER, b"");
            }
        }
        Ok(())
    }

    /// Makes a damaged bundle anew where its entries are still there, and puts away what a slow
    /// writer left beside a good one.
    fn mend_bundle(&self, group: u64, mended: &mut Vec<Mended>) -> Result<(), JournalError> {
        let key = bundle_key(group)?;
        let numbers = group * WIDTH..(group + 1) * WIDTH;
        match self.shelf.load_bundle(group) {
            Err(JournalError::Damaged { .. }) => {
                let is_there = |number| matches!(self.shelf.loose(number), Ok(Some(_)));
                if !numbers.clone().all(is_there) {
                    return Ok(());
                }
                self.shelf.storage().set_aside(&key, Aside::Quarantine)?;
                self.bundle()?;
                let what = "was made anew from its entries".to_owned();
                mended.push(Mended { key, what });
                Ok(())
            }
            Err(error) => Err(error),
            Ok(None) => Ok(()),
            Ok(Some(bundle)) => {
                for (number, bundled) in numbers.zip(bundle.entries()) {
                    let is_other = match self.shelf.loose(number) {
                        Ok(None) => false,
                        Ok(Some((bytes, _))) => bytes != bundled,
                        Err(JournalError::Damaged { .. }) => true,
                        Err(error) => return Err(error),
                    };
                    let key = entry_key(number)?;
                    if is_other
                        && self.shelf.storage().set_aside(&key, Aside::Quarantine)?.is_some()
                    {
                        let what = "went to quarantine: another entry is bundled under its number";
                        mended.push(Mended { key, what: what.to_owned() });
                    }
                }
                Ok(())
            }
        }
    }

    /// Makes the hash tiles over a bundle anew that are missing or differ.
    fn mend_tiles(&self, group: u64, mended: &mut Vec<Mended>) -> Result<(), JournalError> {
        let Ok(Some(bundle)) = self.shelf.load_bundle(group) else { return Ok(()) };
        for (key, bytes) in self.full_tiles(group, leaves(&bundle))? {
            let there = self.shelf.storage().load(&key, bytes.len() as u64);
            if there.is_ok_and(|there| there.as_ref() == Some(&bytes)) {
                continue;
            }
            let mut upload = self.shelf.storage().begin(None)?;
            upload.write(&bytes)?;
            self.shelf.storage().finish(upload, &key)?;
            mended.push(Mended { key, what: "was made anew from the entries".to_owned() });
        }
        Ok(())
    }
}

fn leaves(bundle: &Bundle) -> Vec<Sha256> {
    bundle.entries().map(merkle::leaf_hash).collect()
}

/// Names the commits to which a damaged entry moved refs, as far as it can still be read: they are
/// stored until a collection, and a branch brings them back.
fn named_commits(file: &[u8]) -> String {
    const BEFORE: &[u8] = b"\"new\":\"blake3:";
    const HEX: usize = 64;
    let starts = file.windows(BEFORE.len()).enumerate().filter(|(_, window)| *window == BEFORE);
    let ids = starts.filter_map(|(at, _)| {
        let start = at + BEFORE.len();
        let hex = std::str::from_utf8(file.get(start..start + HEX)?).ok()?;
        ObjectId::parse(hex).ok()
    });
    let ids: Vec<String> = ids.map(|id| id.to_string()).collect();
    match ids.is_empty() {
        true => String::new(),
        false => format!(
            "; it had recorded {}: `provenance branch NAME ID` brings that back, before a gc",
            ids.join(" ")
        ),
    }
}
