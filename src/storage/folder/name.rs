//! Giving a file a name that nobody else can have got too, and making names durable.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;

use super::StorageError;

/// Gives the temporary file at `from` the name `to`; `false` if that name is taken.
///
/// Shape: by a hard link, which NFS has too; `from` stays, or is gone on file systems without
/// links, where it is renamed without replacing.
pub(super) fn link_or_rename(from: &Path, to: &Path) -> io::Result<bool> {
    match fs::hard_link(from, to) {
        Ok(()) => Ok(true),
        // Over NFS the answer to a link that worked can be lost, and the repeated request then
        // finds its own work; so whatever came back, what counts is which file stands there.
        Err(_) if is_same_file(from, to) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) if has_no_links(&error) => rename_new(from, to),
        Err(error) => Err(error),
    }
}

/// Moves the file at `from` to the name `to`; `false` if that name is taken.
pub(super) fn move_to_new(from: &Path, to: &Path) -> io::Result<bool> {
    match rename_new(from, to) {
        Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {
            let moved = link_or_rename(from, to)?;
            if moved {
                fs::remove_file(from)?;
            }
            Ok(moved)
        }
        moved => moved,
    }
}

/// Makes durable which names a folder holds.
pub(super) fn sync_folder(path: &Path) -> Result<(), StorageError> {
    let shown = super::shown(path);
    let folder = fs::File::open(path)
        .map_err(|source| StorageError::system("open the folder", &*shown, source))?;
    folder.sync_all().map_err(|source| StorageError::sync("sync the folder", shown, source))
}

fn rename_new(from: &Path, to: &Path) -> io::Result<bool> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Tells a file system without hard links, which answers with any of these.
fn has_no_links(error: &io::Error) -> bool {
    let answers = [Errno::PERM, Errno::OPNOTSUPP, Errno::NOSYS, Errno::MLINK];
    answers.iter().any(|answer| error.raw_os_error() == Some(answer.raw_os_error()))
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    match (fs::symlink_metadata(one), fs::symlink_metadata(other)) {
        (Ok(one), Ok(other)) => one.dev() == other.dev() && one.ino() == other.ino(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_once() {
        let dir = tempfile::tempdir().unwrap();
        let [one, two, name] = ["one", "two", "name"].map(|name| dir.path().join(name));
        fs::File::create_new(&one).unwrap();
        fs::File::create_new(&two).unwrap();
        assert!(link_or_rename(&one, &name).unwrap());
        assert!(!link_or_rename(&two, &name).unwrap());
        assert!(link_or_rename(&one, &name).unwrap(), "its own link, asked for twice");
    }

    #[test]
    fn without_links_a_file_is_renamed_but_never_over_another() {
        let dir = tempfile::tempdir().unwrap();
        let [one, two, name] = ["one", "two", "name"].map(|name| dir.path().join(name));
        fs::File::create_new(&one).unwrap();
        fs::File::create_new(&two).unwrap();
        assert!(rename_new(&one, &name).unwrap());
        assert!(!rename_new(&two, &name).unwrap());
        assert!(two.exists() && !one.exists());
        for errno in [Errno::PERM, Errno::OPNOTSUPP, Errno::NOSYS] {
            assert!(has_no_links(&errno.into()), "{errno:?}");
        }
        assert!(!has_no_links(&Errno::IO.into()));
    }
}
