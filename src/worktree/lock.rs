//! One command at a time changes the stage, the head and the files of a worktree; others wait.
//!
//! The lock belongs to the process, so a killed command leaves none behind. It protects the user
//! from two commands at once; the repository itself needs no lock (`docs/guarantees.md`).

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use crate::progress::Progress;

/// How long a command waits for another one to end.
const PATIENCE: Duration = Duration::from_secs(600);

/// Time between two attempts.
const PAUSE: Duration = Duration::from_millis(5);

/// Held while a command changes the worktree; let go when dropped.
#[derive(Debug)]
pub struct WorktreeLock(File);

/// Why the lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another command still runs.
    #[error("another provenance command is still at work in this worktree")]
    Busy,
    /// The caller was asked to stop while it waited.
    #[error("interrupted")]
    Interrupted(#[from] crate::progress::Stopped),
    /// The lock file cannot be opened.
    #[error("the lock file cannot be used, path={path:?}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl LockError {
    /// Tells whether there is just no lock file.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

impl WorktreeLock {
    /// Takes the lock in `path` if it is free.
    pub fn try_take(path: &Path) -> Result<Option<Self>, LockError> {
        Self::take_free(path, true)
    }

    /// As [`Self::try_take`], of a lock file that is there; makes none.
    pub fn try_take_existing(path: &Path) -> Result<Option<Self>, LockError> {
        Self::take_free(path, false)
    }

    fn take_free(path: &Path, creates: bool) -> Result<Option<Self>, LockError> {
        let file = Self::open(path, creates)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(failed(path, source)),
        }
    }

    /// Makes a lock file that is held from the moment at which anybody can see it.
    ///
    /// Shape: `temporaries` is a folder on the same file system, made if need be.
    pub fn make_held(path: &Path, temporaries: &Path) -> Result<Self, LockError> {
        let io = |source| failed(path, source);
        std::fs::create_dir_all(temporaries).map_err(io)?;
        // As any other file: where a group shares the worktree, its members take this lock too.
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        let mut builder = tempfile::Builder::new();
        let file = builder.permissions(permissions).tempfile_in(temporaries).map_err(io)?;
        file.as_file().try_lock().map_err(|error| io(error.into()))?;
        file.persist_noclobber(path).map(Self).map_err(|error| io(error.error))
    }

    /// Lets processes that are started from now on hold the lock as well, for as long as they live.
    pub fn share(&self) -> io::Result<()> {
        Ok(rustix::io::fcntl_setfd(&self.0, rustix::io::FdFlags::empty())?)
    }

    fn open(path: &Path, creates: bool) -> Result<File, LockError> {
        let mut options = OpenOptions::new();
        options.create(creates).truncate(false).write(true);
        // A pipe in its place would wait for a reader that never comes.
        options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
        options.open(path).map_err(|source| failed(path, source))
    }

    /// Waits for the lock in `path`, at most ten minutes.
    pub fn wait(path: &Path, progress: &Progress) -> Result<Self, LockError> {
        let file = Self::open(path, true)?;
        let began = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::Error(source)) => return Err(failed(path, source)),
                Err(TryLockError::WouldBlock) if began.elapsed() > PATIENCE => {
                    return Err(LockError::Busy);
                }
                Err(TryLockError::WouldBlock) => {
                    progress.check()?;
                    thread::sleep(PAUSE);
                }
            }
        }
    }
}

fn failed(path: &Path, source: io::Error) -> LockError {
    LockError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Members of a group that shares the worktree could not look whether the run goes on.
    #[test]
    fn a_lock_that_is_made_held_has_the_mode_of_any_file() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| {
            use std::os::unix::fs::PermissionsExt as _;
            path.metadata().unwrap().permissions().mode()
        };
        let [plain, held] = ["plain", "held"].map(|name| folder.path().join(name));
        File::create(&plain).unwrap();
        let _held = WorktreeLock::make_held(&held, &folder.path().join("temporaries")).unwrap();
        assert!(WorktreeLock::try_take(&held).unwrap().is_none());
        assert_eq!(mode(&held), mode(&plain));
    }
}
