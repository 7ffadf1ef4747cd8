//! What is in a folder, and removing all of it.
//!
//! The standard library panics where the system fails to close a folder, which a disk or a mount
//! that goes away may do. Nothing is lost by that: all names had been read. So folders are listed
//! here (the rules check it), and that answer is passed over.

use std::ffi::{CStr, OsString};
use std::fs::Metadata;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

/// Lists a folder, in no order.
///
/// Errors: what the system says when it is opened, and once of what follows; then it ends.
pub fn entries(folder: &Path) -> io::Result<Entries> {
    let dir = Dir::new(open(CWD, folder, OFlags::empty())?)?;
    Ok(Entries { folder: folder.to_owned(), dir })
}

/// Removes a folder with all that is in it, and follows no link.
///
/// Errors: what the system says; a part is gone then.
pub fn remove_all(folder: &Path) -> io::Result<()> {
    empty(open(CWD, folder, OFlags::NOFOLLOW)?)?;
    Ok(rustix::fs::unlinkat(CWD, folder, AtFlags::REMOVEDIR)?)
}

/// The names in a folder.
#[derive(Debug)]
pub struct Entries {
    folder: PathBuf,
    dir: Dir,
}

/// One name in a folder.
#[derive(Debug)]
pub struct Entry {
    /// The name.
    pub name: OsString,
    /// The folder and the name.
    pub path: PathBuf,
    kind: FileType,
}

impl Iterator for Entries {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<io::Result<Entry>> {
        loop {
            let found = match self.dir.read()? {
                Ok(found) => found,
                Err(error) => return Some(Err(error.into())),
            };
            if !is_itself(found.file_name()) {
                let name = OsString::from_vec(found.file_name().to_bytes().to_vec());
                let path = self.folder.join(&name);
                return Some(Ok(Entry { name, path, kind: found.file_type() }));
            }
        }
    }
}

impl Entry {
    /// Looks at what has the name, the link itself where it is one.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.path.symlink_metadata()
    }

    /// Tells what has the name; looks only where the folder itself does not tell.
    pub fn kind(&self) -> io::Result<FileType> {
        if self.kind != FileType::Unknown {
            return Ok(self.kind);
        }
        let found = rustix::fs::lstat(&self.path)?;
        Ok(FileType::from_raw_mode(found.st_mode))
    }
}

fn open(
    parent: impl AsFd,
    name: impl rustix::path::Arg + Copy,
    more: OFlags,
) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | more;
    Ok(retry_on_intr(|| rustix::fs::openat(&parent, name, flags, Mode::empty()))?)
}

fn empty(folder: OwnedFd) -> io::Result<()> {
    for entry in Dir::read_from(&folder)? {
        let entry = entry?;
        if !is_itself(entry.file_name()) {
            remove(folder.as_fd(), entry.file_name())?;
        }
    }
    Ok(())
}

fn remove(parent: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        // Linux says the one of a folder, POSIX the other.
        Err(Errno::ISDIR | Errno::PERM) => {}
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    empty(open(parent, name, OFlags::NOFOLLOW)?)?;
    Ok(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?)
}

fn is_itself(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"." | b"..")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_folder_is_listed_with_what_each_name_is() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("folder")).unwrap();
        fs::File::create(dir.path().join("file")).unwrap();
        symlink("folder", dir.path().join("link")).unwrap();
        let mut found: Vec<_> = entries(dir.path())
            .unwrap()
            .map(|entry| entry.map(|e| (e.name.clone(), e.kind().unwrap())).unwrap())
            .collect();
        found.sort_by(|a: &(OsString, _), b| a.0.cmp(&b.0));
        let expected = [
            ("file".into(), FileType::RegularFile),
            ("folder".into(), FileType::Directory),
            ("link".into(), FileType::Symlink),
        ];
        assert_eq!(found, expected);
        let absent = entries(&dir.path().join("absent")).unwrap_err();
        assert_eq!(absent.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn all_of_a_folder_is_removed_and_nothing_that_a_link_leads_to() {
        let dir = tempfile::tempdir().unwrap();
        let (kept, gone) = (dir.path().join("kept"), dir.path().join("gone"));
        fs::create_dir_all(gone.join("in/side")).unwrap();
        fs::create_dir(&kept).unwrap();
        fs::File::create(kept.join("file")).unwrap();
        fs::File::create(gone.join("in/file")).unwrap();
        symlink(&kept, gone.join("in/link")).unwrap();
        symlink(&kept, dir.path().join("link")).unwrap();
        assert!(remove_all(&dir.path().join("link")).is_err());
        remove_all(&gone).unwrap();
        assert!(!gone.exists());
        assert!(kept.join("file").exists());
    }
}
