//! Derived files of one machine: they can be lost or damaged at any time, and no answer changes.
//!
//! The only files that the store keeps beside `Storage`. Nothing here is synced; who loads a
//! cache checks it, and who cannot save one goes on without.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::listing;
use crate::object::DecodeError;

/// Says that derived files are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stale;

impl From<DecodeError> for Stale {
    fn from(_: DecodeError) -> Self {
        Self
    }
}

/// A folder of derived files, or none.
#[derive(Debug, Clone, Default)]
pub struct Cache {
    folders: Option<Folders>,
}

#[derive(Debug, Clone)]
struct Folders {
    files: PathBuf,
    temporaries: PathBuf,
}

impl Cache {
    /// Keeps derived files in the folder `files`, made when it is needed.
    ///
    /// Shape: `temporaries` is on the same file system; what a killed process leaves there is
    /// swept with the rest.
    pub fn new(files: impl Into<PathBuf>, temporaries: impl Into<PathBuf>) -> Self {
        let folders = Folders { files: files.into(), temporaries: temporaries.into() };
        Self { folders: Some(folders) }
    }

    /// Keeps nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Gives the path of a derived file, for who maps it.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.folders.as_ref().map(|folders| folders.files.join(name))
    }

    /// Reads a derived file; `None` if it is not there, longer than `bytes_max`, or unreadable.
    pub fn load(&self, name: &str, bytes_max: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(1 << 10);
        let file = open_plain(OpenOptions::new().read(true), &self.path(name)?).ok()?;
        file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).ok()?;
        (bytes.len() as u64 <= bytes_max).then_some(bytes)
    }

    /// Replaces a derived file if that is possible: a reader sees the old bytes or the new ones.
    pub fn save(&self, name: &str, bytes: &[u8]) {
        if let Some(folders) = &self.folders {
            let _kept_or_not = folders.save(name, bytes);
        }
    }

    /// Removes a derived file and all whose names begin with its name.
    pub(super) fn forget(&self, name: &str) {
        let Some(path) = self.path(name) else { return };
        // It may be gone already, and what cannot be removed is refused when it is read.
        let _gone_or_refused = fs::remove_file(&path);
        // Parts that no state names are those of somebody who was killed.
        let files = path.parent().and_then(|folder| listing::entries(folder).ok());
        for file in files.into_iter().flatten().flatten() {
            if file.name.to_string_lossy().starts_with(name) {
                let _gone_already = fs::remove_file(file.path);
            }
        }
    }
}

impl Folders {
    #[expect(clippy::disallowed_methods, reason = "a cache is replaced without syncs")]
    fn save(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let temporary = self.write(bytes)?;
        fs::create_dir_all(&self.files)?;
        fs::rename(&temporary, self.files.join(name)).inspect_err(|_| remove(&temporary))
    }

    fn write(&self, bytes: &[u8]) -> io::Result<PathBuf> {
        fs::create_dir_all(&self.temporaries)?;
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let path = self.temporaries.join(format!("{:032x}", u128::from_le_bytes(random)));
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        file.write_all(bytes).inspect_err(|_| remove(&path))?;
        Ok(path)
    }
}

/// Opens a derived file without waiting for anything; a link, a folder or a pipe is none.
pub(super) fn open_plain(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = options.custom_flags(flags.bits().cast_signed()).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn remove(path: &Path) {
    // Otherwise it is swept one day.
    let _leftover = fs::remove_file(path);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded_and_what_cannot_be_saved_is_not_missed() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path().join("cache"), dir.path().join("tmp"));
        assert_eq!(cache.load("journal", 9), None);
        cache.save("journal", b"one");
        cache.save("journal", b"two");
        assert_eq!(cache.load("journal", 3).as_deref(), Some(&b"two"[..]));
        assert_eq!(cache.load("journal", 2), None, "longer than it may be");
        assert_eq!(fs::read_dir(dir.path().join("tmp")).unwrap().count(), 0);
        fs::remove_dir(dir.path().join("tmp")).unwrap();
        File::create(dir.path().join("tmp")).unwrap();
        cache.save("journal", b"three");
        assert_eq!(cache.load("journal", 9).as_deref(), Some(&b"two"[..]));
        Cache::none().save("journal", b"x");
        assert_eq!(Cache::none().load("journal", 9), None);
    }
}
