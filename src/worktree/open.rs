//! Opening a tracked file for reading, without ever following a link on the way to it.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::directory::{Directory, stamp_of};
use crate::format::stamps::Stamp;
use crate::object::TreePath;

/// Times that a file may be replaced by another client of NFS between its opening and its end.
const STALE_MAX: usize = 8;

/// Opens the file at `path` below `root`, without waiting for anything.
///
/// Shape: paths of any length. Errors: `ELOOP` or `ENOTDIR` where a directory on the way became a
/// link or a file; whatever else the system says.
pub fn open_file(root: &Directory, path: &TreePath) -> io::Result<File> {
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let open = || rustix::fs::openat2(root.as_fd(), path.as_bytes(), flags, Mode::empty(), resolve);
    match rustix::io::retry_on_intr(open) {
        Ok(fd) => Ok(File::from(fd)),
        // An old kernel, a sandbox that hides the call, or a path longer than one call takes.
        Err(Errno::NOSYS | Errno::PERM | Errno::NAMETOOLONG) => step_by_step(root, path),
        Err(error) => Err(error.into()),
    }
}

/// Reads the target of the symbolic link at `path` below `root`.
pub fn read_link(root: &Directory, path: &TreePath) -> io::Result<Vec<u8>> {
    let (parent, name) = parent_of(root, path)?;
    let directory = parent.as_ref().unwrap_or(root);
    let target = rustix::fs::readlinkat(directory.as_fd(), name, Vec::new())?;
    Ok(target.into_bytes())
}

/// Looks at the symbolic link at `path` below `root`.
pub fn look_at_link(root: &Directory, path: &TreePath) -> io::Result<Stamp> {
    let (parent, name) = parent_of(root, path)?;
    parent.as_ref().unwrap_or(root).stat(&name)
}

/// Looks at an open file: how it looks, or `None` if it is no regular file.
pub fn look(file: &File) -> io::Result<Option<Stamp>> {
    let stat = rustix::fs::fstat(file)?;
    let is_file = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file();
    Ok(is_file.then(|| stamp_of(&stat)))
}

/// Reads a small file of this program's own, wherever a link leads, without waiting for anything.
///
/// Shape: its first `bytes_max` bytes; on NFS those of the file that has the name now, if another
/// client replaced the one that was opened. Errors: whatever is no regular file is refused.
pub fn small_file(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    for _ in 0..STALE_MAX {
        match read_small(path, bytes_max) {
            Err(error) if Errno::from_io_error(&error) == Some(Errno::STALE) => {
                // Opening the folder makes the client ask the server for its names again.
                let _folder = path.parent().map(Directory::open);
            }
            read => return read,
        }
    }
    read_small(path, bytes_max)
}

fn read_small(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let file = open_any(path)?;
    let kind = file.metadata()?.file_type();
    // `/dev/null` is a common way to say "no settings".
    if !kind.is_file() && !kind.is_char_device() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no regular file"));
    }
    let mut bytes = Vec::with_capacity(1 << 10);
    file.take(bytes_max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a file of this program's own for reading; whatever is no regular file is refused.
pub fn own_file(path: &Path) -> io::Result<File> {
    let file = open_any(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Opens without waiting: a pipe would wait for a writer that never comes.
fn open_any(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

/// Opens the root of the worktree.
pub fn root(path: &Path) -> io::Result<Directory> {
    Directory::open(path)
}

fn step_by_step(root: &Directory, path: &TreePath) -> io::Result<File> {
    let (parent, name) = parent_of(root, path)?;
    parent.as_ref().unwrap_or(root).open_file(&name)
}

/// Opens the directory of a path; `None` is the root.
fn parent_of(root: &Directory, path: &TreePath) -> io::Result<(Option<Directory>, CString)> {
    let mut names = path.names().map(|name| CString::new(name).map_err(io::Error::other));
    let last = names.next_back().ok_or(io::ErrorKind::InvalidInput)??;
    let mut parent: Option<Directory> = None;
    for name in names {
        parent = Some(parent.as_ref().unwrap_or(root).open_directory(&name?)?);
    }
    Ok((parent, last))
}
