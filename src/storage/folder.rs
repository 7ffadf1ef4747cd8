//! A storage in a folder: temporary file, sync, hard link, sync of the folder.
//!
//! The order, and why, stands in `docs/format/layout.md`. Everything is written through one
//! helper, the upload; all else here reads, moves whole files, or syncs folders.

mod direct;
mod name;
mod source;
mod upload;

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{AtFlags, CWD, FileType, Timespec, Timestamps, UTIME_NOW};

use self::source::FolderSource;
use self::upload::FolderUpload;
use super::key::split_prefix;
use super::{Aside, Key, KeyInfo, Leftovers, Source, Storage, StorageError, Upload};
use crate::listing;

/// Folder of files that have no name yet.
const TEMPORARY: &str = "tmp";

/// Keeps files in a folder, on a disk of this machine or a shared one.
///
/// Shape: several storages, processes and machines may use one folder at once.
#[derive(Debug, Clone)]
pub struct FolderStorage {
    root: Arc<Root>,
}

/// The folder, and what is known about it.
#[derive(Debug)]
struct Root {
    path: PathBuf,
    /// Whether it is on a disk of this machine, so that nobody else can cut a mapped file.
    is_local: bool,
    /// Folders whose own names are known to be durable.
    settled: Mutex<HashSet<PathBuf>>,
}

impl FolderStorage {
    /// Opens a folder that is there.
    ///
    /// Errors: with [`super::Reason::Missing`] if it is not, or is no folder.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StorageError> {
        let path = path.into();
        let refused =
            |source| StorageError::system("open the storage folder", shown(&path), source);
        let is_folder = fs::metadata(&path).map_err(refused)?.is_dir();
        if !is_folder {
            return Err(refused(io::ErrorKind::NotADirectory.into()));
        }
        let is_local = source::is_local(&path);
        Ok(Self { root: Arc::new(Root { path, is_local, settled: Mutex::default() }) })
    }

    /// Opens a folder, and makes it durably if it is not there; its parent must be.
    pub fn make(path: impl Into<PathBuf>) -> Result<Self, StorageError> {
        let path = path.into();
        match fs::create_dir(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(StorageError::system("make the folder", shown(&path), error));
            }
            _ => {}
        }
        if let Some(parent) = path.parent() {
            name::sync_folder(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })?;
        }
        Self::open(path)
    }

    /// Makes folders in it whose names are durable on return.
    ///
    /// Shape: relative paths; those on the way are made as well. Cost: a sync for each.
    pub fn prepare(&self, folders: &[&str]) -> Result<(), StorageError> {
        for folder in folders {
            self.root.make_folders(folder)?;
            self.root.settle_folder(folder)?;
        }
        Ok(())
    }

    /// Takes the names of folders for durable, because [`FolderStorage::prepare`] had returned
    /// before something that was read here could be written.
    ///
    /// Shape: one that is missing all the same is made again when it is needed, and then its name
    /// is made durable like any other.
    pub fn rely_on(&self, folders: &[&str]) {
        let mut settled = self.root.settled.lock().unwrap_or_else(PoisonError::into_inner);
        settled.extend(folders.iter().map(|folder| self.root.path.join(folder)));
    }

    /// Gives the folder.
    pub fn path(&self) -> &Path {
        &self.root.path
    }

    /// Tells whether the folder is on a disk of this machine, where files may be mapped.
    pub fn is_local(&self) -> bool {
        self.root.is_local
    }
}

impl Root {
    fn path_of(&self, key: &Key) -> PathBuf {
        self.path.join(key.as_str())
    }

    /// Makes the missing folders on the way to a relative folder; never the root itself.
    fn make_folders(&self, relative: &str) -> Result<(), StorageError> {
        let mut path = self.path.clone();
        for part in relative.split('/').filter(|part| !part.is_empty()) {
            path.push(part);
            match fs::create_dir(&path) {
                Ok(()) => {
                    let lock = self.settled.lock();
                    lock.unwrap_or_else(PoisonError::into_inner).remove(&path);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(StorageError::system("make the folder", shown(&path), error));
                }
            }
        }
        Ok(())
    }

    /// Syncs a relative folder, and each folder above it whose name is not known to be durable.
    ///
    /// The folders above may have been made a moment ago by another process that has not come
    /// to its own sync yet.
    fn settle_folder(&self, relative: &str) -> Result<(), StorageError> {
        let lock = || self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        let mut path = self.path.join(relative);
        name::sync_folder(&path)?;
        let mut named = Vec::new();
        while path != self.path && !lock().contains(&path) {
            named.push(path.clone());
            let Some(parent) = path.parent() else { break };
            path = parent.to_owned();
            name::sync_folder(&path)?;
        }
        lock().extend(named);
        Ok(())
    }

    fn set_aside(&self, key: &Key, place: Aside) -> Result<Option<Key>, StorageError> {
        let (place, is_numbered) = place.folder();
        let from = self.path_of(key);
        let mut attempt = 0_u64;
        let to = loop {
            let suffix = if attempt == 0 { String::new() } else { format!(".{attempt}") };
            let to = Key::new(format!("{place}/{key}{suffix}"))?;
            self.make_folders(to.folder())?;
            match name::move_to_new(&from, &self.path_of(&to)) {
                Ok(true) => break to,
                Ok(false) if !is_numbered => return Ok(None),
                Ok(false) => attempt += 1,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => {
                    return Err(StorageError::system("set the file aside", key.as_str(), error));
                }
            }
        };
        self.settle_folder(to.folder())?;
        self.settle_folder(key.folder())?;
        Ok(Some(to))
    }
}

impl Storage for FolderStorage {
    fn begin(&self, bytes_expected: Option<u64>) -> Result<Box<dyn Upload>, StorageError> {
        Ok(Box::new(FolderUpload::begin(Arc::clone(&self.root), bytes_expected)?))
    }

    fn settle(&self, keys: &[&Key]) -> Result<(), StorageError> {
        let folders: BTreeSet<&str> = keys.iter().map(|key| key.folder()).collect();
        folders.into_iter().try_for_each(|folder| match self.root.settle_folder(folder) {
            // A folder that is not there holds no name that could be lost.
            Err(error) if error.reason() == Some(super::Reason::Missing) => {
                fs::metadata(&self.root.path).map(|_| ()).map_err(|_| error)
            }
            done => done,
        })
    }

    fn open(&self, key: &Key) -> Result<Option<Box<dyn Source>>, StorageError> {
        let source = FolderSource::open(&self.root, key)?;
        Ok(source.map(|source| Box::new(source) as Box<dyn Source>))
    }

    fn info(&self, key: &Key) -> Result<Option<KeyInfo>, StorageError> {
        match source::look_again(&self.root, key, || fs::symlink_metadata(self.root.path_of(key))) {
            Ok(Some(found)) if !found.is_dir() => {
                Ok(Some(KeyInfo { bytes: found.len(), created_ms: changed_ms(&found) }))
            }
            Ok(_) => Ok(None),
            Err(error) => Err(StorageError::system("look for the file", key.as_str(), error)),
        }
    }

    fn list(&self, prefix: &str) -> Result<Vec<Key>, StorageError> {
        let (folder, begin) = split_prefix(prefix)?;
        let folder_prefix = &prefix[..prefix.len() - begin.len()];
        let mut keys = Vec::new();
        let path = self.root.path.join(folder);
        list_folder(&path, folder_prefix, begin, &mut keys).map_err(|error| {
            StorageError::system("list the folder", shown(&self.root.path.join(folder)), error)
        })?;
        keys.sort_unstable();
        keys.dedup();
        // Nothing at all may also mean that the disk is no longer there.
        if keys.is_empty() {
            listing::entries(&self.root.path).map_err(|error| {
                StorageError::system("list the folder", shown(&self.root.path), error)
            })?;
        }
        Ok(keys)
    }

    fn remove(&self, key: &Key) -> Result<bool, StorageError> {
        match fs::remove_file(self.root.path_of(key)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StorageError::system("delete the file", key.as_str(), error)),
        }
    }

    fn set_aside(&self, key: &Key, place: Aside) -> Result<Option<Key>, StorageError> {
        self.root.set_aside(key, place)
    }

    fn note(&self, key: &Key, bytes: &[u8]) -> Result<(), StorageError> {
        FolderUpload::begin(Arc::clone(&self.root), None)?.note(key, bytes)
    }

    fn now_ms(&self) -> Result<i64, StorageError> {
        match touched_ms(&self.root.path.join(TEMPORARY)) {
            Ok(now_ms) => Ok(now_ms),
            // It is not there yet, or somebody else's.
            Err(_) => FolderUpload::begin(Arc::clone(&self.root), None)?.now_ms(),
        }
    }

    fn sweep(&self, age_ms_min: i64, apply: bool) -> Result<Leftovers, StorageError> {
        let folder = self.root.path.join(TEMPORARY);
        let failed = |source| StorageError::system("sweep the folder", shown(&folder), source);
        let mut swept = Leftovers::default();
        let before_ms = self.now_ms()?.saturating_sub(age_ms_min);
        for entry in listing::entries(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let found = match entry.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                found => found.map_err(failed)?,
            };
            if !found.is_file() || changed_ms(&found) > before_ms {
                continue;
            }
            match if apply { fs::remove_file(&entry.path) } else { Ok(()) } {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                done => done.map_err(failed)?,
            }
            swept.files += 1;
            swept.bytes += found.len();
        }
        Ok(swept)
    }
}

/// Adds the keys under a folder whose first part begins with `begin`.
fn list_folder(path: &Path, prefix: &str, begin: &str, keys: &mut Vec<Key>) -> io::Result<()> {
    let entries = match listing::entries(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        // Whatever else lies here (a mount's `.nfs…`, an editor's copy) is not ours.
        let Some(name) = entry.name.to_str().filter(|name| name.starts_with(begin)) else {
            continue;
        };
        let Ok(key) = Key::new(format!("{prefix}{name}")) else { continue };
        match entry.kind()? {
            FileType::Directory => list_folder(&entry.path, &format!("{key}/"), "", keys)?,
            FileType::RegularFile => keys.push(key),
            _ => {}
        }
    }
    Ok(())
}

/// Has a folder stamped with the time of now, and gives it.
///
/// To make a file and delete it tells the same, but a disk makes files more slowly for a while
/// after each that was deleted.
fn touched_ms(folder: &Path) -> io::Result<i64> {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let times = Timestamps { last_access: now, last_modification: now };
    rustix::fs::utimensat(CWD, folder, &times, AtFlags::SYMLINK_NOFOLLOW)?;
    let found = fs::symlink_metadata(folder)?;
    if !found.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    Ok(changed_ms(&found))
}

/// Tells when a file was created or moved: the one time that no copying program sets.
fn changed_ms(found: &fs::Metadata) -> i64 {
    found.ctime().saturating_mul(1000).saturating_add(found.ctime_nsec() / 1_000_000)
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The time is that of files that are made now, and asking for it leaves none behind.
    #[test]
    fn the_clock_is_that_of_new_files() {
        let dir = tempfile::tempdir().unwrap();
        let storage = FolderStorage::open(dir.path()).unwrap();
        let made = |name: &str| {
            let path = dir.path().join(name);
            fs::File::create_new(&path).unwrap();
            changed_ms(&fs::metadata(path).unwrap())
        };
        // The first look makes the folder, the others find it.
        for round in ["one", "two", "three"] {
            let before = made(&format!("before-{round}"));
            let now = storage.now_ms().unwrap();
            assert!((before..=made(&format!("after-{round}"))).contains(&now), "{round}");
            let temporaries = dir.path().join(TEMPORARY);
            assert_eq!(fs::read_dir(&temporaries).unwrap().count(), 0);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        fs::remove_dir(dir.path().join(TEMPORARY)).unwrap();
        fs::File::create_new(dir.path().join(TEMPORARY)).unwrap();
        assert!(storage.now_ms().is_err(), "a file is no place for temporary files");
    }

    /// The name of a folder that was relied on is durable only as long as the folder is that one.
    #[test]
    fn a_folder_that_had_to_be_made_again_is_not_relied_on() {
        let dir = tempfile::tempdir().unwrap();
        let storage = FolderStorage::open(dir.path()).unwrap();
        storage.rely_on(&["there", "gone"]);
        fs::create_dir(dir.path().join("there")).unwrap();
        for name in ["there/file", "gone/file"] {
            let mut upload = storage.begin(None).unwrap();
            upload.write(b"x").unwrap();
            upload.install(&Key::new(name).unwrap(), crate::storage::IfTaken::Keep).unwrap();
        }
        let is_durable =
            |name: &str| storage.root.settled.lock().unwrap().contains(&dir.path().join(name));
        assert!(is_durable("there") && !is_durable("gone"));
        storage.settle(&[&Key::new("gone/file").unwrap()]).unwrap();
        assert!(is_durable("gone"));
    }
}
