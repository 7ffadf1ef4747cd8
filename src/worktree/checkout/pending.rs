//! A file that has its content but not yet its name.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::clear::clear;
use super::{CheckoutError, fails};
use crate::object::TreePath;
use crate::worktree::directory::{Directory, stamp_of};
use crate::worktree::stamps::Stamp;

/// How often a directory in the way is removed, should somebody make it again.
const ATTEMPTS: usize = 3;

/// What stands at the name that a file or link is about to get.
#[derive(Debug, Clone, Copy)]
pub enum Over {
    /// Nothing, or directories without files.
    Nothing,
    /// Exactly what was examined.
    Examined(Stamp),
    /// Whatever it is.
    Anything,
}

/// A file under a temporary name, beside the place where it belongs.
///
/// Shape: several threads may write at different offsets, each byte once. Dropping it without
/// [`PendingFile::finish`] removes it.
#[derive(Debug)]
pub struct PendingFile {
    temporary: Temporary,
    file: File,
    written: AtomicU64,
    path: TreePath,
    over: Over,
}

impl PendingFile {
    pub(super) fn create(
        directory: Arc<Directory>,
        temporary: CString,
        path: &TreePath,
        executable: bool,
        over: Over,
    ) -> io::Result<Self> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let mode = Mode::from_raw_mode(if executable { 0o777 } else { 0o666 });
        let open = || rustix::fs::openat(&*directory, &temporary, flags | OFlags::CLOEXEC, mode);
        let fd = rustix::io::retry_on_intr(open)?;
        let temporary = Temporary { directory, name: Some(temporary) };
        let (file, written) = (File::from(fd), AtomicU64::new(0));
        Ok(Self { temporary, file, written, path: path.clone(), over })
    }

    /// Writes bytes where they belong; other threads may write others meanwhile.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), CheckoutError> {
        let outcome = self.file.write_all_at(bytes, offset);
        outcome.map_err(fails("write the file", &self.path))?;
        self.written.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Gives the file its name, once `size` bytes were written, and looks at it.
    ///
    /// Errors: [`CheckoutError`] if anything but what was examined is there; the file is then
    /// removed, and what is there stays.
    pub fn finish(mut self, size: u64) -> Result<Stamp, CheckoutError> {
        let found = *self.written.get_mut();
        if found != size {
            return Err(CheckoutError::Length { path: self.path, expected: size, found });
        }
        let own = self.look()?;
        self.temporary.publish(&self.path, self.over)?;
        // Only now: a rename changes the time of the last change, too.
        Ok(unless_written(&own, self.look()?))
    }

    fn look(&self) -> Result<Stamp, CheckoutError> {
        let stat = rustix::fs::fstat(&self.file).map_err(io::Error::from);
        stat.map(|stat| stamp_of(&stat)).map_err(fails("look at the file", &self.path))
    }
}

/// A temporary name in a directory, which is removed unless it becomes a real one.
#[derive(Debug)]
pub struct Temporary {
    pub directory: Arc<Directory>,
    pub name: Option<CString>,
}

impl Temporary {
    /// Renames to the last name of `path`.
    pub fn publish(&mut self, path: &TreePath, over: Over) -> Result<(), CheckoutError> {
        let in_the_way = || CheckoutError::InTheWay { path: path.clone() };
        let Some(temporary) = self.name.clone() else { return Ok(()) };
        let name = CString::new(path.last_name()).map_err(|_| in_the_way())?;
        for _ in 0..ATTEMPTS {
            match rename(&self.directory, &temporary, &name, over) {
                Ok(()) => {
                    self.name = None;
                    return Ok(());
                }
                Err(Errno::EXIST | Errno::ISDIR | Errno::NOTEMPTY) => {
                    let takes_files = matches!(over, Over::Anything);
                    clear(&self.directory, &name, takes_files).map_err(|_| in_the_way())?;
                }
                // Without a name to rename, somebody has removed the directory.
                Err(Errno::STALE | Errno::NOENT) => {
                    return Err(CheckoutError::Changed { path: path.clone() });
                }
                Err(error) => return Err(fails("rename the file", path)(error.into())),
            }
        }
        Err(in_the_way())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // Nothing more can be done; a walk names what is left.
            let _left = rustix::fs::unlinkat(&*self.directory, name, AtFlags::empty());
        }
    }
}

/// Gives the stamp of what has its name now, or forgets it where somebody wrote to that meanwhile,
/// or put something else in its place: its content is not what was written then.
pub fn unless_written(own: &Stamp, now: Stamp) -> Stamp {
    let content = |stamp: &Stamp| (stamp.mtime_ns, stamp.ino, stamp.size, stamp.kind());
    if content(own) == content(&now) { now } else { own.forget() }
}

/// Looks at what has the name. What cannot be looked at is not known to be gone.
fn look(directory: &Directory, name: &CStr) -> Result<Option<Stamp>, Errno> {
    match directory.stat(name) {
        Ok(now) => Ok(Some(now)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
    }
}

/// Renames within a directory; `ESTALE` says that something else stands there than was examined.
fn rename(directory: &Directory, from: &CStr, to: &CStr, over: Over) -> Result<(), Errno> {
    match over {
        Over::Anything => rustix::fs::renameat(directory, from, directory, to),
        Over::Examined(stamp) => match look(directory, to)? {
            Some(now) if now == stamp => rustix::fs::renameat(directory, from, directory, to),
            _ => Err(Errno::STALE),
        },
        Over::Nothing => {
            let flags = RenameFlags::NOREPLACE;
            match rustix::fs::renameat_with(directory, from, directory, to, flags) {
                // Not every file system can; then a look must do.
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => match look(directory, to)? {
                    Some(_) => Err(Errno::EXIST),
                    None => rustix::fs::renameat(directory, from, directory, to),
                },
                outcome => outcome,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worktree::stamps::FileKind;

    #[test]
    fn what_was_written_to_meanwhile_is_not_known() {
        let own = Stamp { mtime_ns: 5, ctime_ns: 5, ino: 7, ..Stamp::unknown(FileKind::File, 3) };
        let renamed = Stamp { ctime_ns: 6, ..own };
        assert_eq!(unless_written(&own, renamed), renamed);
        for other in [
            Stamp { mtime_ns: 6, ..renamed },
            Stamp { ino: 8, ..renamed },
            Stamp { size: 4, ..renamed },
            Stamp { mode: 0, ..renamed },
        ] {
            assert_eq!(unless_written(&own, other), own.forget());
        }
    }
}
