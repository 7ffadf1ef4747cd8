//! Removing a tracked file, and the directories that become empty, without following a link.

use std::ffi::CString;
use std::io;
use std::os::fd::AsFd as _;

use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::directory::Directory;
use super::stamps::Stamp;
use crate::object::TreePath;

/// Removes the file at `path` below `root`; one that is gone already is fine.
///
/// Shape: `may_go` is asked with a last look at it; directories that are empty afterwards go as
/// well, up to the root. Errors: what the system says of the file, `ResourceBusy` for one that may
/// not go; a directory that cannot be removed stays.
pub fn remove(
    root: &Directory,
    path: &TreePath,
    may_go: impl Fn(&Stamp) -> bool,
) -> io::Result<()> {
    let names: Vec<CString> = path
        .names()
        .map(|name| CString::new(name).map_err(io::Error::other))
        .collect::<io::Result<_>>()?;
    let Some((last, parents)) = names.split_last() else { return Ok(()) };
    let mut open: Vec<Directory> = Vec::with_capacity(parents.len());
    for name in parents {
        match open.last().unwrap_or(root).open_directory(name) {
            Ok(directory) => open.push(directory),
            // What was there is gone, or is something else now: then the file is gone too.
            Err(error) if is_gone(&error) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    let parent = open.last().unwrap_or(root);
    match parent.stat(last) {
        Ok(now) if !now.is_directory() && !may_go(&now) => {
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, "it was changed meanwhile"));
        }
        // What cannot be looked at cannot be removed either.
        _ => {}
    }
    match rustix::fs::unlinkat(parent.as_fd(), last, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT | Errno::ISDIR) => {}
        Err(error) => return Err(error.into()),
    }
    while open.pop().is_some() {
        let Some(name) = parents.get(open.len()) else { break };
        let parent = open.last().unwrap_or(root);
        if rustix::fs::unlinkat(parent.as_fd(), name, AtFlags::REMOVEDIR).is_err() {
            break;
        }
    }
    Ok(())
}

fn is_gone(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_may_not_go_any_more_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("d/a");
        fs::create_dir(folder.path().join("d")).unwrap();
        fs::File::create(&file).unwrap();
        let root = Directory::open(folder.path()).unwrap();
        let path = TreePath::new("d/a").unwrap();
        let before = super::super::open::look_at_link(&root, &path).unwrap();
        fs::File::options().write(true).open(&file).unwrap().set_len(1).unwrap();
        let refused = remove(&root, &path, |now| *now == before).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ResourceBusy);
        assert!(file.exists());
        let before = super::super::open::look_at_link(&root, &path).unwrap();
        remove(&root, &path, |now| *now == before).unwrap();
        assert!(!folder.path().join("d").exists());
        remove(&root, &path, |_| false).unwrap();
    }
}
