//! A directory of its own to execute something in, apart from every worktree: made empty, and
//! removed at the end unless somebody wants to keep it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::listing;

/// The directory; gone with this value unless it is kept.
#[derive(Debug)]
pub struct FreshDirectory {
    path: PathBuf,
    is_kept: bool,
}

impl FreshDirectory {
    /// Makes one under the system's directory for temporary files (`TMPDIR`).
    pub fn temporary() -> io::Result<Self> {
        let made = tempfile::Builder::new().prefix("provenance-").tempdir()?;
        let path = made.keep().canonicalize()?;
        Ok(Self { path, is_kept: false })
    }

    /// Makes one at `path`, or takes the empty one that is there.
    ///
    /// Errors: `AlreadyExists` if anything is in it; nothing has changed then.
    pub fn at(path: &Path) -> io::Result<Self> {
        match listing::entries(path) {
            Ok(mut entries) => {
                if entries.next().transpose()?.is_some() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir_all(path)?,
            Err(error) => return Err(error),
        }
        Ok(Self { path: path.canonicalize()?, is_kept: false })
    }

    /// Where it is: absolute, without links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it there for good.
    pub fn keep(&mut self) {
        self.is_kept = true;
    }

    /// Tells whether it stays.
    pub fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// Removes it, unless it is kept.
    pub fn remove(mut self) -> io::Result<()> {
        let removed = self.remove_unless_kept();
        self.is_kept = true;
        removed
    }

    fn remove_unless_kept(&self) -> io::Result<()> {
        if self.is_kept { Ok(()) } else { listing::remove_all(&self.path) }
    }
}

impl Drop for FreshDirectory {
    fn drop(&mut self) {
        // Whoever wants to know whether it is gone calls `remove`.
        let _gone_or_not = self.remove_unless_kept();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_gone_unless_it_is_kept() {
        let made = FreshDirectory::temporary().unwrap();
        let path = made.path().to_owned();
        fs::create_dir_all(path.join("a/b")).unwrap();
        drop(made);
        assert!(!path.exists());
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("x/y");
        let mut made = FreshDirectory::at(&place).unwrap();
        made.keep();
        made.remove().unwrap();
        assert!(place.is_dir());
    }

    #[test]
    fn what_is_not_empty_is_refused_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("work")).unwrap();
        let refused = FreshDirectory::at(folder.path()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert!(folder.path().join("work").is_dir());
    }
}
