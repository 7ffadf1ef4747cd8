//! Create-only bytes under keys: the one seam for disks, buckets and faults.
//!
//! A storage knows bytes and keys, not what an object is. A file gets its name once, when it is
//! whole and durable, and is never changed after; what is mutable is not here but in
//! `worktree/atomic.rs`. The promises are spelled out in `docs/format/layout.md`.

mod error;
mod faulty;
mod folder;
mod key;
mod memory;

pub use error::{Reason, StorageError};
pub use faulty::{Fault, FaultyStorage};
pub use folder::FolderStorage;
pub use key::Key;
pub use memory::MemoryStorage;

/// Tells what stood under a key when a file was installed there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// Nothing: the file is ours.
    New,
    /// A file that was kept: of any content under [`IfTaken::Keep`], of exactly these bytes
    /// under [`IfTaken::Mend`].
    Exists,
    /// A file of other bytes: it was set aside under this key and ours took its place.
    Mended(Key),
}

impl Aside {
    /// Gives the folder, and whether a taken name there is evaded with a number.
    const fn folder(self) -> (&'static str, bool) {
        match self {
            Self::Quarantine => ("quarantine", true),
            Self::QuarantineOnce => ("quarantine", false),
            Self::Trash => ("trash", true),
        }
    }
}

/// Says what to do when the key is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfTaken {
    /// Leave what is there, whatever it is: the compare-and-swap of the journal.
    Keep,
    /// Compare all bytes, and put a file that differs into quarantine: for names that follow
    /// from the content, where another content can only be damage.
    Mend,
}

/// Says where a file is put that is no longer to be found under its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aside {
    /// Damaged; kept for a person to look at: `quarantine/KEY`.
    Quarantine,
    /// As `Quarantine`, but only if no file was ever put there under this key: of two that mend
    /// one key, the second cannot move what the first has put in its place.
    QuarantineOnce,
    /// No longer needed; a later run deletes it: `trash/KEY`.
    Trash,
}

/// What is known of a key without reading its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyInfo {
    /// Length in bytes.
    pub bytes: u64,
    /// When it was created or last moved, in milliseconds since 1970 by the store's clock.
    pub created_ms: i64,
}

/// Temporary files of uploads that nobody finished.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// How many.
    pub files: u64,
    /// What they hold together, in bytes.
    pub bytes: u64,
}

/// A create-only map from keys to bytes.
///
/// Shape: between [`Upload::install`] and [`Storage::settle`] a name can be seen but may not
/// survive a power cut. Whoever relies on a key that it did not create itself settles it first.
/// Errors: of the kind [`StorageError`] everywhere; a failed call leaves every key as it was,
/// or (if the failure came after the name was given) as asked for.
pub trait Storage: Send + Sync + std::fmt::Debug {
    /// Starts a file whose key is not known yet; nothing is visible before it is installed.
    ///
    /// Shape: `bytes_expected` reserves space where the system can, so that a full disk shows
    /// before the work is done and not after; more or fewer bytes may come.
    fn begin(&self, bytes_expected: Option<u64>) -> Result<Box<dyn Upload>, StorageError>;

    /// Makes the names durable that were given to `keys`, or taken from them, so far.
    ///
    /// Cost: one sync for each folder among the keys.
    fn settle(&self, keys: &[&Key]) -> Result<(), StorageError>;

    /// Opens for positioned reads; `None` if there is no such key.
    ///
    /// Shape: what was opened stays readable after its key was deleted, where the system allows.
    fn open(&self, key: &Key) -> Result<Option<Box<dyn Source>>, StorageError>;

    /// Tells length and age; `None` if there is no such key.
    fn info(&self, key: &Key) -> Result<Option<KeyInfo>, StorageError>;

    /// Lists every key that begins with `prefix`, which need not end at a slash.
    ///
    /// Shape: sorted, without duplicates; temporary files never. Errors: rather than a short list.
    fn list(&self, prefix: &str) -> Result<Vec<Key>, StorageError>;

    /// Takes a key away, durably once it is settled; `false` if it was absent.
    fn remove(&self, key: &Key) -> Result<bool, StorageError>;

    /// Moves a file out of sight, durable on return; gives its new key, `None` if it was absent
    /// (or is not to be moved: [`Aside::QuarantineOnce`]).
    fn set_aside(&self, key: &Key, place: Aside) -> Result<Option<Key>, StorageError>;

    /// Tells the time by the store's clock, in milliseconds since 1970.
    fn now_ms(&self) -> Result<i64, StorageError>;

    /// Counts the leftovers older than `age_ms_min` by the store's clock, and removes them if
    /// `apply`.
    fn sweep(&self, age_ms_min: i64, apply: bool) -> Result<Leftovers, StorageError>;

    /// Creates `key` with these bytes, durable on return; never replaces: compare-and-swap.
    ///
    /// Shape: [`Created::New`] or [`Created::Exists`]. Errors: may come after the key was
    /// created; look what stands there before trying again.
    fn create(&self, key: &Key, bytes: &[u8]) -> Result<Created, StorageError> {
        let mut upload = self.begin(None)?;
        upload.write(bytes)?;
        upload.sync()?;
        let created = upload.install(key, IfTaken::Keep)?;
        self.settle(&[key])?;
        Ok(created)
    }

    /// Creates `key` with these bytes, seen at once and never synced: for what means nothing after
    /// the process that wrote it. A power cut may leave it, tear it or take it away.
    ///
    /// Errors: the key may be there all the same.
    fn note(&self, key: &Key, bytes: &[u8]) -> Result<(), StorageError>;

    /// Finishes one upload under a name that follows from its content, durable on return.
    fn finish(&self, upload: Box<dyn Upload>, key: &Key) -> Result<Created, StorageError> {
        let mut created = self.finish_all(vec![(upload, key.clone())])?;
        Ok(created.pop().unwrap_or(Created::New))
    }

    /// Finishes several uploads under names that follow from their contents, in this order.
    ///
    /// Shape: one answer for each, in order; all durable on return.
    /// Cost: one sync for each file, and one for each folder among the keys.
    fn finish_all(
        &self,
        mut uploads: Vec<(Box<dyn Upload>, Key)>,
    ) -> Result<Vec<Created>, StorageError> {
        for (upload, _) in &mut uploads {
            upload.sync()?;
        }
        let mut keys = Vec::with_capacity(uploads.len());
        let mut created = Vec::with_capacity(uploads.len());
        for (upload, key) in uploads {
            created.push(upload.install(&key, IfTaken::Mend)?);
            keys.push(key);
        }
        self.settle(&keys.iter().collect::<Vec<_>>())?;
        Ok(created)
    }

    /// Deletes `keys`, durable on return; absent ones are passed over. Gives how many were there.
    fn delete_all(&self, keys: &[Key]) -> Result<u64, StorageError> {
        let mut count = 0;
        for key in keys {
            count += u64::from(self.remove(key)?);
        }
        self.settle(&keys.iter().collect::<Vec<_>>())?;
        Ok(count)
    }

    /// Deletes one key, durable on return; `false` if it was absent.
    fn delete(&self, key: &Key) -> Result<bool, StorageError> {
        Ok(self.delete_all(std::slice::from_ref(key))? == 1)
    }

    /// Tells the length in bytes; `None` if there is no such key.
    fn len(&self, key: &Key) -> Result<Option<u64>, StorageError> {
        Ok(self.info(key)?.map(|info| info.bytes))
    }

    /// Reads a whole small file; `None` if there is no such key.
    ///
    /// Errors: [`StorageError::TooLong`] before anything is allocated, if it is longer than
    /// `bytes_max`.
    fn load(&self, key: &Key, bytes_max: u64) -> Result<Option<Vec<u8>>, StorageError> {
        let Some(source) = self.open(key)? else { return Ok(None) };
        let too_long = || StorageError::TooLong { key: key.to_string(), bytes_max };
        if source.len() > bytes_max {
            return Err(too_long());
        }
        let mut bytes = vec![0; usize::try_from(source.len()).map_err(|_| too_long())?];
        source.read_exact_at(0, &mut bytes)?;
        Ok(Some(bytes))
    }
}

/// A file that is being written and has no name yet.
///
/// Shape: dropped without being installed, it is gone; after an error it can only be dropped.
pub trait Upload: Send {
    /// Appends bytes.
    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError>;

    /// Makes the bytes durable, still without a name; again without effect until more is written.
    ///
    /// Errors: whatever the system says kills the upload: after a failed sync it calls the lost
    /// pages clean, so a second one would prove nothing.
    fn sync(&mut self) -> Result<(), StorageError>;

    /// Gives the file its name, at once and whole; it is durable once [`Storage::settle`]d.
    ///
    /// Shape: syncs first whatever was not. Exactly one of many that race for a key gets
    /// [`Created::New`].
    fn install(self: Box<Self>, key: &Key, if_taken: IfTaken) -> Result<Created, StorageError>;
}

/// An open file.
pub trait Source: Send + Sync + std::fmt::Debug {
    /// Tells its length in bytes, as of when it was opened.
    fn len(&self) -> u64;

    /// Tells whether it holds no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `into` with the bytes from `offset` on.
    ///
    /// Errors: [`StorageError::Bounds`] if they are not all inside the file, checked first.
    fn read_exact_at(&self, offset: u64, into: &mut [u8]) -> Result<(), StorageError>;

    /// Gives all bytes without copying, if the file is on a disk of this machine.
    fn map(&self) -> Option<&[u8]>;
}

/// Checks that a read stays inside a file, before anything is read.
fn check_bounds(key: &Key, offset: u64, bytes: usize, length: u64) -> Result<(), StorageError> {
    let bytes = bytes as u64;
    match offset.checked_add(bytes) {
        Some(end) if end <= length => Ok(()),
        _ => Err(StorageError::Bounds { key: key.to_string(), offset, bytes, length }),
    }
}
