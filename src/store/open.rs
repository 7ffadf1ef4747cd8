//! Opening and making a repository in a folder: the version of its format comes first.

use std::path::Path;
use std::sync::Arc;

use crate::format::layout;
use crate::storage::{FolderStorage, Key, Storage};

use super::{Store, StoreError};

/// Level of zstd for new blocks: the fastest that comes near to level 3 on tables and text.
///
/// Measured in `docs/performance.md`.
const COMPRESSION: i32 = 1;

impl Store {
    /// Opens the repository in `folder`.
    ///
    /// Errors: [`StoreError::NotRepository`] if there is none, [`StoreError::Newer`] if a later
    /// version of this program made it.
    pub fn open_folder(folder: &Path) -> Result<Self, StoreError> {
        let storage = FolderStorage::open(folder)?;
        let key = Key::new(layout::FORMAT)?;
        let bytes = storage
            .load(&key, layout::FORMAT_BYTES_MAX as u64)?
            .ok_or_else(|| StoreError::NotRepository { folder: folder.to_owned() })?;
        let version = layout::decode_format(&bytes)
            .map_err(|source| StoreError::Format { folder: folder.to_owned(), source })?;
        check_version(version, folder)?;
        storage.rely_on(layout::FOLDERS);
        Ok(Self::open(Arc::new(storage), COMPRESSION))
    }

    /// Prepares a repository in `folder`, or opens the one that is there.
    ///
    /// Shape: a new one has no entry in its journal and is none yet for anybody else; once its
    /// first entry is there, [`Store::complete`] makes it one.
    pub fn make_folder(folder: &Path) -> Result<Self, StoreError> {
        let storage = FolderStorage::make(folder)?;
        match Self::open_folder(folder) {
            Err(StoreError::NotRepository { .. }) => {
                storage.prepare(layout::FOLDERS)?;
                Ok(Self::open(Arc::new(storage), COMPRESSION))
            }
            opened => opened,
        }
    }

    /// Says that the repository is whole, after everything else in it is durable.
    pub fn complete(&self) -> Result<(), StoreError> {
        let key = Key::new(layout::FORMAT)?;
        self.storage.create(&key, &layout::encode_format())?;
        Ok(())
    }
}

fn check_version(version: u64, folder: &Path) -> Result<(), StoreError> {
    match version {
        layout::VERSION => Ok(()),
        newer => Err(StoreError::Newer {
            folder: folder.to_owned(),
            version: newer,
            known: layout::VERSION,
        }),
    }
}
