//! Exit codes and hints: the one place that decides both. Published in `docs/exit-codes.md`.

use std::io;
use std::process::ExitCode;

use crate::progress::Stopped;
use crate::repo::{Error, ErrorKind, StartError};

/// Says how a command ended.
///
/// Source: `docs/exit-codes.md`; codes are never given another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or the answer is yes.
    Ok = 0,
    /// The answer is no: it differs, a check failed.
    No = 1,
    /// The request makes no sense or names what is not there.
    Usage = 2,
    /// Some of it was done; what was not is listed.
    Partial = 3,
    /// There is no repository.
    NoRepository = 10,
    /// Somebody else was quicker, or unrecorded work is in the way.
    Conflict = 11,
    /// A signature or proof does not match.
    Unverified = 12,
    /// An object is missing or damaged.
    Corrupt = 13,
    /// The disk or the remote did not do what was asked.
    Unavailable = 14,
    /// A seal forbids it.
    Sealed = 15,
    /// A fault in this program.
    Internal = 70,
    /// The program of a run cannot be executed.
    NotExecutable = 126,
    /// The program of a run is not found.
    NoProgram = 127,
    /// Ctrl-C.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Tells why a command could not answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The operation failed.
    #[error(transparent)]
    Operation(#[from] Error),
    /// Standard output does not take the answer; a closed pipe is no failure.
    #[error("cannot write the answer")]
    Output(#[from] io::Error),
}

impl Failure {
    /// Sorts the failure.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Operation(error) => error.kind(),
            Self::Output(error) => match error.get_ref() {
                Some(inner) if inner.is::<Stopped>() => ErrorKind::Interrupted,
                _ => ErrorKind::Unavailable,
            },
        }
    }

    /// Gives the exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Operation(Error::Start(StartError::NotFound { .. })) => Exit::NoProgram,
            Self::Operation(Error::Start(StartError::NotExecutable { .. })) => Exit::NotExecutable,
            other => exit_of(other.kind()),
        }
    }

    /// Tells whether the reader of our output went away, which is how `head` ends a list.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// Gives the exit code of an error's kind.
pub const fn exit_of(kind: ErrorKind) -> Exit {
    match kind {
        ErrorKind::Usage | ErrorKind::NotFound => Exit::Usage,
        ErrorKind::NoRepository => Exit::NoRepository,
        ErrorKind::Conflict => Exit::Conflict,
        ErrorKind::Unverified => Exit::Unverified,
        ErrorKind::Corrupt => Exit::Corrupt,
        ErrorKind::Denied | ErrorKind::Unavailable => Exit::Unavailable,
        ErrorKind::Sealed => Exit::Sealed,
        ErrorKind::Interrupted => Exit::Interrupted,
        ErrorKind::Internal => Exit::Internal,
    }
}

/// Gives the next step after a failure, where there is one.
pub fn hint_of(failure: &Failure) -> Option<&'static str> {
    match failure {
        Failure::Operation(Error::NotFound { what: "commit", name }) if name == "HEAD" => {
            Some("there is no commit yet: `provenance commit -m MSG` makes the first")
        }
        Failure::Operation(Error::NotFound { what: "commit", .. }) => Some(
            "`log --all`, `branch` and `tag` list commits; COMMIT:PATH is a file in one, \
             `restore PATH` brings a file back",
        ),
        Failure::Operation(Error::Start(StartError::Trace { .. })) => Some(
            "nothing was started; without --trace the command runs, and only what is declared is \
             recorded",
        ),
        _ => hint_of_system(failure).or_else(|| hint_of_kind(failure.kind())),
    }
}

/// Gives the next step after what the system answered, where it is one that its words do not say.
fn hint_of_system(failure: &Failure) -> Option<&'static str> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(failure);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return hint_of_io(error);
        }
        cause = error.source();
    }
    None
}

fn hint_of_io(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::StorageFull => Some(
            "make room on that disk, then run the same command again; `provenance gc --prune-now` \
             removes what nothing reaches, while no other command runs",
        ),
        io::ErrorKind::QuotaExceeded => {
            Some("remove files of yours there or ask for more, then run the same command again")
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            Some("mount that file system for writing, then run the same command again")
        }
        io::ErrorKind::FileTooLarge => {
            Some("raise the limit of `ulimit -f`, or use a file system that takes larger files")
        }
        io::ErrorKind::OutOfMemory => Some("free some memory, then run the same command again"),
        _ => match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
            Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE) => {
                Some("raise the limit of open files (`ulimit -n`), then run the same command again")
            }
            Some(rustix::io::Errno::AGAIN) => Some(
                "no more processes are allowed: end some, or raise the limit (`ulimit -u`, that of \
                 the container), then run the same command again",
            ),
            _ => None,
        },
    }
}

/// Gives the next step that holds for all errors of a kind.
const fn hint_of_kind(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::NoRepository => {
            Some("`provenance init` makes one here; -C DIR looks in another directory")
        }
        ErrorKind::Corrupt => {
            Some("`provenance fsck --full` lists everything that is missing or damaged")
        }
        ErrorKind::Unverified => Some("do not rely on this content until you know why"),
        ErrorKind::Denied => Some("check who owns the file and who may write there"),
        ErrorKind::Unavailable => Some("mend the cause and run the same command again"),
        ErrorKind::Interrupted => Some("run the same command again"),
        ErrorKind::Internal => Some("this is a fault in provenance: please report it"),
        ErrorKind::Usage | ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Sealed => None,
    }
}
