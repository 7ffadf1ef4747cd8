//! The error of every operation, and the few kinds that say what to do next.
//!
//! A kind decides the exit code (`cli/exit.rs`) and stands in `--json`. Messages are lower case,
//! name the path or id, and never repeat their source.

use std::io;
use std::path::PathBuf;

use crate::capture::process::StartError;
use crate::object::DecodeError;
use crate::progress::Stopped;
use crate::store::refs::RefError;
use crate::store::{Fault, JournalError, StoreError};
use crate::worktree::checkout::CheckoutError;
use crate::worktree::config::ConfigError;
use crate::worktree::local::LocalError;
use crate::worktree::lock::LockError;
use crate::worktree::scan::ScanError;
use crate::worktree::settings::SettingsError;
use crate::worktree::stamps::StampsError;

/// Sorts errors by what the caller can do about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request makes no sense as it stands: change it.
    Usage,
    /// The request names a commit, ref or path that is not there: name another.
    NotFound,
    /// There is no repository where one was looked for: make one, or look elsewhere.
    NoRepository,
    /// Somebody else was quicker, or something unrecorded is in the way: look, then try again.
    Conflict,
    /// A signature, proof or manifest does not match what it vouches for: trust nothing of it.
    Unverified,
    /// Something that was stored is missing or damaged: run fsck.
    Corrupt,
    /// The system does not let us: mend the permissions.
    Denied,
    /// A seal forbids it: it stays so.
    Sealed,
    /// The disk or the remote did not do what was asked: mend that and try again.
    Unavailable,
    /// A signal asked to stop: the same request may be sent again.
    Interrupted,
    /// A fault in this program: report it.
    Internal,
}

impl ErrorKind {
    /// Gives the word that stands for the kind in `--json`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::NotFound => "not-found",
            Self::NoRepository => "no-repository",
            Self::Conflict => "conflict",
            Self::Unverified => "unverified",
            Self::Corrupt => "corrupt",
            Self::Denied => "denied",
            Self::Sealed => "sealed",
            Self::Unavailable => "unavailable",
            Self::Interrupted => "interrupted",
            Self::Internal => "internal",
        }
    }

    /// Sorts an error of the operating system.
    pub fn of_io(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NotFound,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::Denied,
            io::ErrorKind::InvalidInput
            | io::ErrorKind::InvalidFilename
            | io::ErrorKind::IsADirectory => Self::Usage,
            _ => Self::Unavailable,
        }
    }
}

/// Tells why an operation did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was asked for contradicts itself or has the wrong form.
    #[error("{0}")]
    Usage(String),
    /// No directory from here to the root holds a repository.
    #[error("no repository here or in any directory above, path={path:?}")]
    NoRepository {
        /// Where the search began.
        path: PathBuf,
    },
    /// A name means nothing here.
    #[error("{what} not found, name={name:?}")]
    NotFound {
        /// What was looked for: "commit", "branch", "path".
        what: &'static str,
        /// What was typed.
        name: String,
    },
    /// Going on would lose something, or somebody else was quicker.
    #[error("{0}")]
    Conflict(String),
    /// Stored bytes are missing, or do not decode.
    #[error("{0}")]
    Corrupt(String),
    /// Stored bytes do not decode.
    #[error("a stored object cannot be decoded")]
    Decode(#[from] DecodeError),
    /// The operating system refused, or failed.
    #[error("cannot {doing}, path={path:?}")]
    Io {
        /// What was tried, as a verb and its object: "read the stage".
        doing: &'static str,
        /// The file or folder concerned.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The content of the repository could not be read or stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal could not be read or extended.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A ref cannot be read or moved as asked.
    #[error("the ref cannot be moved")]
    Ref(#[from] RefError),
    /// A setting is wrong.
    #[error(transparent)]
    Settings(#[from] ConfigError),
    /// `provenance.toml` is wrong.
    #[error("the artifacts are not declared as they should be")]
    Artifacts(#[from] SettingsError),
    /// A file of this worktree in `.provenance` is wrong.
    #[error("the state of the worktree is not usable")]
    Local(#[from] LocalError),
    /// The file stamps could not be written.
    #[error("the file stamps are not usable")]
    Stamps(#[from] StampsError),
    /// The worktree could not be walked.
    #[error("the worktree could not be walked")]
    Scan(#[from] ScanError),
    /// A file could not be written to the worktree.
    #[error("the worktree could not be written")]
    Checkout(#[from] CheckoutError),
    /// The command of a run did not start; nothing is recorded then.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Another command is at work.
    #[error("the worktree cannot be changed now")]
    Lock(#[from] LockError),
    /// A signal asked to stop; nothing was named that is not whole.
    #[error("interrupted")]
    Interrupted(#[from] Stopped),
    /// Something that cannot be; a fault in this program.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Error {
    /// Gives the kind, which decides the exit code.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Usage(_) | Self::Artifacts(_) => ErrorKind::Usage,
            Self::NoRepository { .. } => ErrorKind::NoRepository,
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Conflict(_) => ErrorKind::Conflict,
            Self::Corrupt(_) | Self::Decode(_) => ErrorKind::Corrupt,
            Self::Io { source, .. } => ErrorKind::of_io(source),
            Self::Interrupted(_) => ErrorKind::Interrupted,
            Self::Store(error) => of_fault(error.fault()),
            Self::Journal(error) => of_fault(error.fault()),
            Self::Ref(RefError::Name { .. }) => ErrorKind::Usage,
            Self::Ref(RefError::Moved { .. } | RefError::Clash { .. }) => ErrorKind::Conflict,
            Self::Settings(error) => of_settings(error),
            Self::Local(error) => of_local(error),
            Self::Stamps(error) => of_stamps(error),
            Self::Scan(ScanError::Stamps(_)) => ErrorKind::Corrupt,
            Self::Scan(ScanError::Stopped(_)) => ErrorKind::Interrupted,
            Self::Checkout(error) => of_checkout(error),
            Self::Lock(LockError::Busy) => ErrorKind::Conflict,
            Self::Lock(LockError::Interrupted(_)) => ErrorKind::Interrupted,
            Self::Lock(LockError::Io { source, .. }) => ErrorKind::of_io(source),
            Self::Start(StartError::NotFound { .. }) => ErrorKind::NotFound,
            Self::Start(StartError::NotExecutable { .. }) => ErrorKind::Denied,
            Self::Start(StartError::Watch(source)) => ErrorKind::of_io(source),
            Self::Start(StartError::Trace { .. }) => ErrorKind::Unavailable,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }

    /// Builds the error of a failed system call.
    pub fn io(doing: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Io { doing, path: path.into(), source }
    }
}

fn of_fault(fault: Fault) -> ErrorKind {
    match fault {
        Fault::Corrupt => ErrorKind::Corrupt,
        Fault::Denied => ErrorKind::Denied,
        Fault::Unavailable => ErrorKind::Unavailable,
        Fault::NotRepository => ErrorKind::NoRepository,
        Fault::Unsupported => ErrorKind::Usage,
        Fault::Interrupted => ErrorKind::Interrupted,
        Fault::Internal => ErrorKind::Internal,
    }
}

fn of_settings(error: &ConfigError) -> ErrorKind {
    match error {
        ConfigError::Read { source, .. } => ErrorKind::of_io(source),
        ConfigError::Write(error) => ErrorKind::of_io(&error.source),
        _ => ErrorKind::Usage,
    }
}

fn of_stamps(error: &StampsError) -> ErrorKind {
    match error {
        StampsError::Damaged(_) => ErrorKind::Corrupt,
        StampsError::Io { source, .. } => ErrorKind::of_io(source),
        StampsError::Order { .. } => ErrorKind::Internal,
    }
}

fn of_checkout(error: &CheckoutError) -> ErrorKind {
    match error {
        CheckoutError::InTheWay { .. } | CheckoutError::Changed { .. } => ErrorKind::Conflict,
        CheckoutError::Length { .. } | CheckoutError::Stamps(_) => ErrorKind::Corrupt,
        CheckoutError::Content { source, .. } | CheckoutError::Io { source, .. } => {
            ErrorKind::of_io(source)
        }
    }
}

fn of_local(error: &LocalError) -> ErrorKind {
    match error {
        LocalError::Damaged { .. } => ErrorKind::Corrupt,
        LocalError::Read { .. } if error.is_absent() => ErrorKind::NoRepository,
        LocalError::Read { source, .. } | LocalError::Remove { source, .. } => {
            ErrorKind::of_io(source)
        }
        LocalError::Replace(error) => ErrorKind::of_io(&error.source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_messages_are_quoted_so_that_any_name_is_readable() {
        let path = PathBuf::from("data/\u{1b}[2J\n.csv");
        let error = Error::io("read the file", path, io::ErrorKind::PermissionDenied.into());
        let text = error.to_string();
        assert_eq!(text, r#"cannot read the file, path="data/\u{1b}[2J\n.csv""#);
        assert_eq!(error.kind(), ErrorKind::Denied);
    }
}
