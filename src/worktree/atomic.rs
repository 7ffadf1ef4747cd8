//! Replacing a small local file whole: the one way in which `HEAD`, stage and settings change.
//!
//! Shared files are not written here but through `Storage`, which never replaces any. The order
//! of steps is in `docs/format/layout.md`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Tells which step of replacing a file failed; the old file is still there, whole.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing}, path={path:?}")]
pub struct ReplaceError {
    /// The step, as a verb and its object: "sync the file".
    pub doing: &'static str,
    /// The file or folder concerned.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// Replaces a file, or makes it: after any power cut it has the old bytes or the new ones.
///
/// Shape: `temporaries` is a folder on the same file system, made if need be; what a killed
/// process leaves there has no effect. The permissions of an old file are kept.
/// Errors: before the new file has its name, the old one stays; a failed sync of the folder
/// leaves the new one, of which it is not known whether it survives a power cut.
/// Cost: two syncs.
pub fn replace(path: &Path, bytes: &[u8], temporaries: &Path) -> Result<(), ReplaceError> {
    let temporary = Temporary::write(path, bytes, temporaries)?;
    let failed = |doing| fails(doing, &temporary.path);
    temporary.file.sync_all().map_err(failed("sync the file"))?;
    temporary.rename(path)?;
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(fails("sync the folder", folder))
}

/// Replaces a derived file, or makes it: a reader sees the old bytes or the new ones, but after
/// a power cut it may find anything.
///
/// Shape: as [`replace`]. Who reads such a file checks it. Cost: no sync.
pub fn replace_cache(path: &Path, bytes: &[u8], temporaries: &Path) -> Result<(), ReplaceError> {
    Temporary::write(path, bytes, temporaries)?.rename(path)
}

/// A file that is removed again unless it is renamed.
struct Temporary {
    path: PathBuf,
    file: File,
}

impl Temporary {
    fn write(target: &Path, bytes: &[u8], folder: &Path) -> Result<Self, ReplaceError> {
        fs::create_dir_all(folder).map_err(fails("make the folder", folder))?;
        let mut random = [0; 16];
        getrandom::fill(&mut random)
            .map_err(|error| fails("draw a random name", folder)(io::Error::other(error)))?;
        let path = folder.join(format!("{:032x}", u128::from_le_bytes(random)));
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let file = file.map_err(fails("create the file", &path))?;
        let mut temporary = Self { path, file };
        temporary.fill(target, bytes).map_err(fails("write the file", &temporary.path))?;
        Ok(temporary)
    }

    fn fill(&mut self, target: &Path, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        match fs::metadata(target) {
            Ok(old) => self.file.set_permissions(old.permissions()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that replaces a file")]
    fn rename(self, target: &Path) -> Result<(), ReplaceError> {
        fs::rename(&self.path, target).map_err(fails("replace the file", target))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Not there any more once it was renamed; otherwise it is swept one day.
        let _leftover = fs::remove_file(&self.path);
    }
}

fn fails(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> ReplaceError {
    move |source| ReplaceError { doing, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_permissions() {
        let dir = tempfile::tempdir().unwrap();
        let (path, tmp) = (dir.path().join("HEAD"), dir.path().join("tmp"));
        for save in [replace, replace_cache] {
            save(&path, b"one", &tmp).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
            save(&path, b"two", &tmp).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"two");
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
            assert_eq!(fs::read_dir(&tmp).unwrap().count(), 0);
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let tmp = dir.path().join("tmp");
        let taken = dir.path().join("folder");
        fs::create_dir_all(taken.join("inside")).unwrap();
        let error = replace(&taken, b"bytes", &tmp).unwrap_err();
        assert_eq!((error.doing, error.path), ("replace the file", taken.clone()));
        assert!(taken.join("inside").exists());
        assert_eq!(fs::read_dir(&tmp).unwrap().count(), 0);
        fs::remove_dir(&tmp).unwrap();
        File::create(&tmp).unwrap();
        assert_eq!(replace(&taken, b"bytes", &tmp).unwrap_err().doing, "make the folder");
    }
}
