//! Writes recorded files into the worktree: nothing leaves it, and nothing unrecorded is lost.
//!
//! Two steps. First every change is examined, and whatever would be lost is a conflict; nothing
//! is written yet ([`Examiner`]). Then hands carry the changes out, one per thread ([`Hand`]):
//! all removals, then all writes in any order. Each directory is opened through the one around
//! it, without following links; each file is made under a temporary name and renamed, and only
//! if what it replaces still is what was examined.

mod clear;
mod examine;
mod fold;
mod hand;
mod pending;
mod place;

use std::io;

use crate::object::{DecodeError, TreePath};
use crate::worktree::stamps::Stamp;

pub use examine::Examiner;
pub use fold::folds_names;
pub use hand::Hand;
pub use pending::PendingFile;

/// What is to be done at a path.
#[derive(Debug)]
pub enum Verdict {
    /// Nothing: neither is it there nor should it be.
    Nothing,
    /// The new content is there already; this is its stamp.
    Keep(Stamp),
    /// The new content is there already, but not its mode: [`Hand::set_executable`].
    SetMode {
        /// What was examined.
        over: Stamp,
    },
    /// The new content must be written: [`Hand::write_file`], [`Hand::write_link`].
    Write {
        /// What was examined; `None` if there is nothing, or a directory to be removed first.
        over: Option<Stamp>,
    },
    /// The file must go: [`Hand::remove`].
    Remove {
        /// What was examined.
        over: Stamp,
    },
    /// Something would be lost. The same conflict may come for several paths in a row.
    Conflict(Conflict),
}

/// Something that writing would destroy, or that cannot be written.
#[derive(Debug)]
pub struct Conflict {
    /// Where; a directory above the changed path, or a file below it, is possible.
    pub path: TreePath,
    /// What it is.
    pub kind: ConflictKind,
}

/// The kinds of conflicts.
#[derive(Debug, thiserror::Error)]
pub enum ConflictKind {
    /// Something is in the way that is not recorded at all.
    #[error("is not recorded and would be overwritten")]
    Untracked,
    /// The file was changed since it was recorded.
    #[error("has changes that are not recorded and would be lost")]
    Modified,
    /// On this disk another recorded name is the same file.
    #[error("is the same name as {with} on this disk")]
    Folds {
        /// The other path.
        with: TreePath,
    },
    /// It cannot be told what is there.
    #[error("cannot be read")]
    Unreadable(#[source] io::Error),
}

/// Tells why something was not written.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// Something came in the way since it was examined, or lies in a directory to be replaced.
    #[error("something is in the way, path={path}")]
    InTheWay {
        /// The path that was to be written.
        path: TreePath,
    },
    /// The file is not any more what was examined.
    #[error("the file was changed meanwhile, path={path}")]
    Changed {
        /// The file.
        path: TreePath,
    },
    /// The content has another length than it should.
    #[error("content has another length, path={path}, expected={expected}, found={found}")]
    Length {
        /// The file.
        path: TreePath,
        /// Bytes that it should have.
        expected: u64,
        /// Bytes that came.
        found: u64,
    },
    /// The content could not be read.
    #[error("cannot get the content, path={path}")]
    Content {
        /// The file.
        path: TreePath,
        /// What its reader said.
        source: io::Error,
    },
    /// The system did not let us.
    #[error("cannot {doing}, path={path}")]
    Io {
        /// What was tried, as a verb and its object.
        doing: &'static str,
        /// The path concerned.
        path: TreePath,
        /// What the system said.
        source: io::Error,
    },
    /// The stamps are damaged: remove them and examine again.
    #[error("the file stamps are damaged")]
    Stamps(#[from] DecodeError),
}

/// Names of files that are not finished: this, 16 hexadecimal digits, and `.tmp`.
const TEMPORARY_PREFIX: &str = ".provenance-";
const TEMPORARY_SUFFIX: &str = ".tmp";

/// Tells whether a name is one that a hand gives to files it has not finished.
pub(in crate::worktree) fn is_temporary(name: &[u8]) -> bool {
    name.strip_prefix(TEMPORARY_PREFIX.as_bytes())
        .and_then(|rest| rest.strip_suffix(TEMPORARY_SUFFIX.as_bytes()))
        .is_some_and(|digits| digits.len() == 16 && digits.iter().all(u8::is_ascii_hexdigit))
}

fn fails<'a>(
    doing: &'static str,
    path: &'a TreePath,
) -> impl Fn(io::Error) -> CheckoutError + use<'a> {
    move |source| CheckoutError::Io { doing, path: path.clone(), source }
}

#[cfg(test)]
#[path = "checkout_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "checkout_safety_tests.rs"]
mod safety_tests;
