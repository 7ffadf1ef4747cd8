//! The error of every storage: what was tried, on which file, and why it did not work.

use std::io;

/// Tells why a storage did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The text is not a key.
    #[error("not a key, key={key:?}: {reason}")]
    Key {
        /// What was given.
        key: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The system did not do it.
    #[error("cannot {doing}, path={path:?}{}", reason.addition())]
    System {
        /// What was tried, as a verb and its object: "sync the file".
        doing: &'static str,
        /// The file or key concerned.
        path: String,
        /// The system's answer, sorted.
        reason: Reason,
        /// The system's answer.
        source: io::Error,
    },
    /// The read reaches beyond the end of the file.
    #[error("read beyond the end, key={key:?}, offset={offset}, bytes={bytes}, length={length}")]
    Bounds {
        /// The file that was read.
        key: String,
        /// Where the read began.
        offset: u64,
        /// How many bytes were asked for.
        bytes: u64,
        /// How many the file has.
        length: u64,
    },
    /// The file is longer than a file of its kind may be.
    #[error("too long, key={key:?}, bytes_max={bytes_max}")]
    TooLong {
        /// The file that was opened.
        key: String,
        /// How long it may be.
        bytes_max: u64,
    },
    /// Fewer bytes reached the disk than were written, or a stored file has become shorter.
    #[error("the file has another length, path={path:?}, expected={expected}, found={found}")]
    Length {
        /// The file or key concerned.
        path: String,
        /// How many bytes it must have.
        expected: u64,
        /// How many it has.
        found: u64,
    },
    /// The upload failed before, so nothing more can be done with it.
    #[error("an earlier write or sync of this file failed, path={path:?}")]
    Dead {
        /// The temporary file.
        path: String,
    },
}

/// Sorts what the system answered by what a person can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// `ENOSPC`: make room.
    NoSpace,
    /// `EDQUOT`: make room, or ask for more.
    Quota,
    /// `EROFS`: mount it writable.
    ReadOnly,
    /// `EACCES`, `EPERM`: mend the permissions.
    Denied,
    /// `ENOENT`, `ENOTDIR`: a folder that must be there is not.
    Missing,
    /// `EMFILE`, `ENFILE`: too many files are open.
    TooManyFiles,
    /// A sync failed: what was written before it may be lost.
    NotDurable,
    /// The file system can neither link nor rename without replacing.
    NoExclusiveName,
    /// Anything else: the medium or the connection failed.
    Failed,
}

impl Reason {
    /// Gives what the system's own answer, which comes behind, does not say.
    const fn addition(self) -> &'static str {
        match self {
            Self::NotDurable => ": the disk did not confirm what was written",
            Self::NoExclusiveName => {
                ": the file system can neither link files nor rename them without replacing"
            }
            _ => "",
        }
    }

    /// Sorts an error of the system.
    pub fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull => Self::NoSpace,
            io::ErrorKind::QuotaExceeded => Self::Quota,
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            io::ErrorKind::PermissionDenied => Self::Denied,
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Missing,
            _ => match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
                Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE) => Self::TooManyFiles,
                _ => Self::Failed,
            },
        }
    }
}

impl StorageError {
    /// Builds the error of a failed system call.
    pub fn system(doing: &'static str, path: impl Into<String>, source: io::Error) -> Self {
        Self::System { doing, path: path.into(), reason: Reason::of(&source), source }
    }

    /// Builds the error of a failed sync, after which nothing that was written is certain.
    ///
    /// A full disk keeps its own word: it can show as late as here.
    pub fn sync(doing: &'static str, path: impl Into<String>, source: io::Error) -> Self {
        let reason = match Reason::of(&source) {
            full @ (Reason::NoSpace | Reason::Quota) => full,
            _ => Reason::NotDurable,
        };
        Self::System { doing, path: path.into(), reason, source }
    }

    /// Builds the error of a file system that cannot give a name to exactly one of many.
    pub fn no_exclusive_name(
        doing: &'static str,
        path: impl Into<String>,
        source: io::Error,
    ) -> Self {
        Self::System { doing, path: path.into(), reason: Reason::NoExclusiveName, source }
    }

    /// Gives the system's answer, sorted; `None` if it is not the system that said no.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::System { reason, .. } => Some(*reason),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_itself_is_not_said_twice() {
        let full = || io::Error::from(rustix::io::Errno::NOSPC);
        let error = StorageError::system("write the file", "tmp/1", full());
        assert_eq!(error.to_string(), r#"cannot write the file, path="tmp/1""#);
        let error = StorageError::sync("sync the file", "tmp/1", rustix::io::Errno::IO.into());
        let text = error.to_string();
        assert!(text.ends_with(r#"path="tmp/1": the disk did not confirm what was written"#));
        assert_eq!(StorageError::sync("sync", "x", full()).reason(), Some(Reason::NoSpace));
    }

    #[test]
    fn each_answer_that_a_person_can_act_on_is_told_apart() {
        use rustix::io::Errno;
        for (errno, reason) in [
            (Errno::DQUOT, Reason::Quota),
            (Errno::ROFS, Reason::ReadOnly),
            (Errno::ACCESS, Reason::Denied),
            (Errno::PERM, Reason::Denied),
            (Errno::NOENT, Reason::Missing),
            (Errno::MFILE, Reason::TooManyFiles),
            (Errno::IO, Reason::Failed),
        ] {
            assert_eq!(Reason::of(&errno.into()), reason, "{errno:?}");
        }
        let error = StorageError::sync("sync the folder", "pack", Errno::IO.into());
        assert_eq!(error.reason(), Some(Reason::NotDurable));
    }
}
