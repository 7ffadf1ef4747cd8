//! The tree over all entries before the newest, without reading them all.
//!
//! It comes from memory, the cache, the hash tiles, or all entries, whichever is the first that
//! leads to the tree hash which the newest entry names. So nothing derived is ever believed.

use std::sync::PoisonError;

use super::{Head, Journal, JournalEntry, JournalError, WIDTH, tile_key};
use crate::format::{layout, tile};
use crate::object::merkle::{self, Frontier};
use crate::object::{ObjectId, Sha256};

/// Entries that are read one by one to catch up with a cached tree, before tiles are quicker.
const CATCH_UP_MAX: u64 = 4 * WIDTH;

const TILE_BYTES: u64 = 32 * WIDTH;

/// Bytes by which the cached tree checks itself.
const CHECK_BYTES: usize = 8;

impl Journal {
    /// Gives the tree over all entries before `newest`, which names its hash.
    ///
    /// Errors: [`JournalError::Broken`] if the entries that are there do not lead to that hash.
    pub(super) fn frontier_before(&self, newest: &JournalEntry) -> Result<Frontier, JournalError> {
        let is_near = |frontier: &Frontier| {
            newest.number().checked_sub(frontier.size()).is_some_and(|gap| gap <= CATCH_UP_MAX)
        };
        let sources: [fn(&Self) -> Option<Frontier>; 2] = [Self::proved, Self::cached];
        for source in sources {
            let Some(frontier) = source(self).filter(is_near) else { continue };
            if let Some(proved) = self.prove(frontier, newest)? {
                return Ok(proved);
            }
        }
        if let Some(proved) = self.prove(self.tiled(newest.number()), newest)? {
            return Ok(proved);
        }
        let number = newest.number();
        self.prove(Frontier::new(), newest)?.ok_or(JournalError::Broken { number })
    }

    /// Gives how many entries there are up to the head, and the hash of the tree over them.
    ///
    /// Errors: as an append would have.
    pub fn root(&self, head: &Head) -> Result<(u64, Sha256), JournalError> {
        let mut frontier = Frontier::new();
        if let Some(newest) = &head.newest {
            frontier = self.frontier_before(newest)?;
            frontier.push(newest.leaf_hash());
        }
        Ok((frontier.size(), frontier.root()))
    }

    /// Keeps a tree that the entry after it has proved, for the next append here or anywhere.
    pub(super) fn keep_proved(&self, frontier: Frontier) {
        let hashes = frontier.subtrees().iter().flat_map(|hash| *hash.as_bytes());
        let mut bytes: Vec<u8> = frontier.size().to_le_bytes().into_iter().chain(hashes).collect();
        bytes.extend(check_of(&bytes));
        self.cache.save(layout::JOURNAL_FRONTIER, &bytes);
        *self.proved.lock().unwrap_or_else(PoisonError::into_inner) = Some(frontier);
    }

    /// Adds the entries up to `newest`, and compares with the hash that it names.
    fn prove(
        &self,
        mut frontier: Frontier,
        newest: &JournalEntry,
    ) -> Result<Option<Frontier>, JournalError> {
        for number in frontier.size()..newest.number() {
            let (bytes, _) = self.shelf.bytes(number)?;
            frontier.push(merkle::leaf_hash(&bytes));
        }
        Ok((frontier.root() == newest.transaction.previous).then_some(frontier))
    }

    fn proved(&self) -> Option<Frontier> {
        self.proved.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives the number of an entry that this machine has appended or built on, if it is known.
    pub(super) fn seen(&self) -> Option<u64> {
        self.cached().map(|frontier| frontier.size())
    }

    fn cached(&self) -> Option<Frontier> {
        let bytes = self.cache.load(layout::JOURNAL_FRONTIER, 8 + 64 * 32 + CHECK_BYTES as u64)?;
        let (bytes, check) = bytes.split_last_chunk::<CHECK_BYTES>()?;
        if *check != check_of(bytes) {
            return None;
        }
        let (size, rest) = bytes.split_first_chunk::<8>()?;
        let (hashes, []) = rest.as_chunks::<32>() else { return None };
        let hashes = hashes.iter().copied().map(Sha256::from_bytes).collect();
        Frontier::from_subtrees(u64::from_le_bytes(*size), hashes)
    }

    /// Builds the tree over the entries before `end` whose hash tiles are there and whole.
    fn tiled(&self, end: u64) -> Frontier {
        let mut frontier = Frontier::new();
        while frontier.size() + WIDTH <= end {
            let Some(hashes) = self.hash_tile(0, frontier.size() / WIDTH) else { break };
            hashes.into_iter().for_each(|hash| frontier.push(hash));
        }
        frontier
    }

    /// Reads a hash tile; `None` if it is not there or no such thing, since it is derived.
    pub(super) fn hash_tile(&self, level: u8, index: u64) -> Option<Vec<Sha256>> {
        let key = tile_key(level, index).ok()?;
        let bytes = self.shelf.storage().load(&key, TILE_BYTES).ok()??;
        tile::decode_hash_tile(&bytes).ok()
    }
}

fn check_of(bytes: &[u8]) -> [u8; CHECK_BYTES] {
    let hash = ObjectId::of(bytes);
    hash.as_bytes().first_chunk().copied().unwrap_or_default()
}

/// Gives the tree hash of a full tile, which is one hash of the tile above.
pub(super) fn tile_root(hashes: &[Sha256]) -> Sha256 {
    let mut frontier = Frontier::new();
    hashes.iter().for_each(|hash| frontier.push(*hash));
    frontier.root()
}
