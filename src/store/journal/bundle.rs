//! Putting 256 entries into one file, so that a repository of any age has few.
//!
//! The bundle and its hash tiles are durable before the entry files go; from then on the bundle
//! is the boundary below which no number can be used again.

use super::entries::Bundle;
use super::frontier::tile_root;
use super::{
    Journal, JournalEntry, JournalError, LOOSE_MIN, WIDTH, bundle_key, entry_key, tile_key,
};
use crate::format::tile;
use crate::object::merkle::{self, Frontier};
use crate::object::{DecodeError, Sha256};
use crate::storage::{Aside, Created, IfTaken, Key, StorageError};

impl Journal {
    /// Bundles after an append, now and then.
    ///
    /// The append has succeeded and stays so: what fails here is tried again after the next 256
    /// entries, and by every collection, which reports it.
    pub(super) fn bundle_after(&self, number: u64) {
        let count = number + 1;
        if count > WIDTH && count % WIDTH == LOOSE_MIN {
            let _tried_again_later = self.bundle();
        }
    }

    /// Bundles every full group of entries but the newest, and gives how many groups it bundled.
    ///
    /// Errors: nothing is deleted of a group that could not be bundled and read back.
    pub fn bundle(&self) -> Result<u64, JournalError> {
        let Some(newest) = self.head()?.newest else { return Ok(0) };
        let end = (newest.number() + 1).saturating_sub(LOOSE_MIN) / WIDTH;
        let mut groups: Vec<u64> =
            self.shelf.loose_numbers()?.iter().map(|number| number / WIDTH).collect();
        groups.dedup();
        let mut count = 0;
        for group in groups.into_iter().filter(|group| *group < end) {
            if self.shelf.load_bundle(group)?.is_none() {
                match self.write_bundle(group) {
                    // Somebody else bundled it meanwhile, and took the files away.
                    Err(JournalError::Missing { .. })
                        if self.shelf.load_bundle(group)?.is_some() => {}
                    written => written?,
                }
                count += 1;
            }
            self.delete_bundled(group)?;
        }
        Ok(count)
    }

    /// Deletes the files of entries that are bundled.
    fn delete_bundled(&self, group: u64) -> Result<(), JournalError> {
        let first = group * WIDTH;
        let bundle = self.shelf.load_bundle(group)?;
        let bundle = bundle.ok_or(JournalError::Missing { number: first })?;
        let entries: Vec<&[u8]> = bundle.entries().collect();
        self.prove_group(group, &bundle_key(group)?, &entries)?;
        self.shelf.storage().settle(&[&bundle_key(group)?])?;
        let keys = (first..first + WIDTH).map(entry_key).collect::<Result<Vec<_>, _>>()?;
        self.shelf.storage().delete_all(&keys)?;
        Ok(())
    }

    /// Checks that a group of entries is what the entry after it names, and gives their hashes.
    fn prove_group(
        &self,
        group: u64,
        key: &Key,
        entries: &[&[u8]],
    ) -> Result<Vec<Sha256>, JournalError> {
        let mut frontier = match entries.first() {
            Some(first) if group > 0 => {
                let first = JournalEntry::decode(group * WIDTH, key, first.to_vec())?;
                self.frontier_before(&first)?
            }
            _ => Frontier::new(),
        };
        let hashes: Vec<Sha256> = entries.iter().map(|entry| merkle::leaf_hash(entry)).collect();
        hashes.iter().for_each(|hash| frontier.push(*hash));
        let next = self.shelf.entry((group + 1) * WIDTH)?;
        match frontier.root() == next.transaction.previous {
            true => Ok(hashes),
            false => Err(JournalError::Broken { number: next.number() }),
        }
    }

    fn write_bundle(&self, group: u64) -> Result<(), JournalError> {
        let mut entries = Vec::with_capacity(tile::TILE_WIDTH);
        for number in group * WIDTH..(group + 1) * WIDTH {
            let (bytes, _) = self.shelf.loose(number)?.ok_or(JournalError::Missing { number })?;
            entries.push(bytes);
        }
        let bytes: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        let hashes = self.prove_group(group, &entry_key(group * WIDTH)?, &bytes)?;

        let key = bundle_key(group)?;
        let refused = |source| JournalError::Damaged { key: key.clone(), source };
        let bundle = tile::encode_bundle(&bytes).map_err(refused)?;
        let frame = tile::compress_bundle(&bundle).map_err(refused)?;
        if tile::decompress_bundle(&frame).map_err(refused)? != bundle {
            let reason = "did not decompress to what was compressed";
            return Err(refused(DecodeError::new("entry bundle", 0, reason)));
        }
        let mut uploads = Vec::new();
        for (key, bytes) in self.full_tiles(group, hashes)? {
            let mut upload = self.shelf.storage().begin(None)?;
            upload.write(&bytes)?;
            uploads.push((upload, key));
        }
        self.shelf.storage().finish_all(uploads)?;
        self.install_bundle(&key, &frame, &bytes)
    }

    /// Makes the tiles that become full with a group, from the leaves upwards.
    pub(super) fn full_tiles(
        &self,
        group: u64,
        leaves: Vec<Sha256>,
    ) -> Result<Vec<(Key, Vec<u8>)>, JournalError> {
        let mut tiles = Vec::new();
        let (mut level, mut index, mut hashes) = (0, group, leaves);
        loop {
            let key = tile_key(level, index)?;
            let bytes = tile::encode_hash_tile(&hashes)
                .map_err(|source| JournalError::Damaged { key: key.clone(), source })?;
            tiles.push((key, bytes));
            if !(index + 1).is_multiple_of(WIDTH) {
                return Ok(tiles);
            }
            let before = index + 1 - WIDTH..index;
            let Some(mut roots) = before
                .map(|index| self.hash_tile(level, index).map(|hashes| tile_root(&hashes)))
                .collect::<Option<Vec<_>>>()
            else {
                // A tile below is damaged: fsck says so, and what is above can wait for its mend.
                return Ok(tiles);
            };
            roots.push(tile_root(&hashes));
            (level, index, hashes) = (level + 1, index / WIDTH, roots);
        }
    }

    /// Gives the bundle its name, durably; the same entries may be there in another compression.
    fn install_bundle(
        &self,
        key: &Key,
        frame: &[u8],
        entries: &[&[u8]],
    ) -> Result<(), JournalError> {
        let storage = self.shelf.storage();
        let install = || -> Result<Created, StorageError> {
            let mut upload = storage.begin(None)?;
            upload.write(frame)?;
            upload.install(key, IfTaken::Keep)
        };
        if install()? == Created::Exists {
            let there = storage.load(key, frame.len() as u64 + (1 << 20))?;
            let is_same = there.is_some_and(|there| {
                Bundle::decode(&there)
                    .is_ok_and(|bundle| bundle.entries().eq(entries.iter().copied()))
            });
            if !is_same {
                storage.set_aside(key, Aside::Quarantine)?;
                install()?;
            }
        }
        Ok(storage.settle(&[key])?)
    }
}
