//! Opening and making a repository in a folder: the version of its format comes first.

use std::path::Path;
use std::sync::Arc;

use crate::format::layout;
use crate::storage::{Aside, FolderStorage, Key, Reason, Storage, StorageError};

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

    /// Writes the file `format` anew where it is damaged or gone and a journal says that here is a
    /// repository; true if it did. The damaged one goes to quarantine.
    pub fn mend_folder(folder: &Path) -> Result<bool, StoreError> {
        let damage = match Self::open_folder(folder) {
            Err(error @ (StoreError::Format { .. } | StoreError::NotRepository { .. })) => error,
            Err(StoreError::Storage(error)) if is_no_file(&error) => error.into(),
            opened => return opened.map(|_| false),
        };
        let storage: Arc<dyn Storage> = Arc::new(FolderStorage::open(folder)?);
        let entries = storage.list(layout::ENTRIES)?.len() + storage.list(layout::BUNDLES)?.len();
        if entries == 0 {
            return Err(damage);
        }
        let store = Self::open(storage, COMPRESSION);
        store.quarantine(layout::FORMAT)?;
        store.complete()?;
        Ok(true)
    }

    /// Moves a file to quarantine, whatever it is; false if it is not there.
    pub fn quarantine(&self, key: &str) -> Result<bool, StoreError> {
        Ok(self.storage.set_aside(&Key::new(key)?, Aside::Quarantine)?.is_some())
    }

    /// Says that the repository is whole, after everything else in it is durable.
    pub fn complete(&self) -> Result<(), StoreError> {
        let key = Key::new(layout::FORMAT)?;
        self.storage.create(&key, &layout::encode_format())?;
        Ok(())
    }
}

/// Tells an answer to what is a folder, a link or a pipe where a file should be.
fn is_no_file(error: &StorageError) -> bool {
    match error {
        StorageError::TooLong { .. } => true,
        error => error.reason() == Some(Reason::Failed),
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
