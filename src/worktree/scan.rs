//! Walks the worktree and compares it with the stamps of what is tracked.
//!
//! Directories are read through their descriptors on all cores, and only what differs comes out,
//! in the order of the tree. Contents are never read here, nor anything opened that could block.
//! The walk is in `scan/visit.rs`, the comparison in `scan/files.rs`, the
//! order in `scan/ordered.rs`.

mod enter;
mod files;
mod ordered;
mod rules;
mod selected;
mod selection;
mod visit;
mod whole;

use std::ffi::OsString;
use std::io;

pub use visit::is_gone;

use super::directory::{Directory, Special};
use super::stamps::{DirectorySeen, Stamps};
use crate::format::stamps::{Record, Stamp};
use crate::object::{DecodeError, TreePath};
use crate::progress::{Progress, Stopped};
use selection::Selection;
use visit::Walk;

/// The name of the files that hold ignore rules, in the syntax of `.gitignore`.
pub const IGNORE_FILE: &str = ".provenanceignore";

/// Says what to walk.
#[derive(Debug, Clone, Copy)]
pub struct ScanRequest<'a> {
    /// The worktree's root.
    pub root: &'a Directory,
    /// What is tracked; without it, everything is new.
    pub stamps: Option<&'a Stamps>,
    /// Files and directories to look at; none means everything.
    pub paths: &'a [TreePath],
    /// Whether ignore rules are themselves ignored.
    pub takes_ignored: bool,
    /// Whether a directory without any tracked file comes as one [`Change::NewDirectory`].
    pub collapses_new: bool,
    /// Threads to use, this one included.
    pub thread_count: usize,
    /// Counts the files looked at, and carries the wish to stop.
    pub progress: &'a Progress,
}

/// A piece of the answer: what was found in one directory, or in a part of it.
///
/// Shape: batches come in the order of the tree, as do the files in them; a directory comes in
/// several batches if it holds other directories or very many files.
#[derive(Debug, Default)]
pub struct Batch {
    /// The directory; `None` is the root.
    pub directory: Option<TreePath>,
    /// What the directory held in all; only in its first batch, and only if it was read.
    pub seen: Option<DirectorySeen>,
    /// What differs from the stamps.
    pub found: Vec<Found>,
    /// What could not be looked at, or cannot be recorded.
    pub problems: Vec<Problem>,
    /// Tracked files whose stamps prove them unchanged.
    pub unchanged_count: u64,
    /// Files and directories that rules ignore.
    pub ignored_count: u64,
}

/// One file that differs from what is tracked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub path: TreePath,
    /// In which way it differs.
    pub change: Change,
    /// How it looks now; all zero if it is missing.
    pub stamp: Stamp,
    /// What is tracked for the path.
    pub tracked: Option<Record>,
}

/// The ways to differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// Nothing is tracked here.
    New,
    /// Nothing is tracked in the whole directory, which holds at least one file to record.
    NewDirectory,
    /// Content or mode may differ: sizes decide if they differ, else the content must be read.
    Modified,
    /// A symbolic link became a file, or a file a symbolic link.
    KindChanged,
    /// The file is gone, or is now a directory or something that cannot be recorded.
    Missing,
}

/// Something in the worktree that is left alone.
#[derive(Debug)]
pub struct Problem {
    /// Where it is, from the root; names that no tree can hold are possible.
    pub path: OsString,
    /// What it is.
    pub kind: ProblemKind,
}

/// Why something is left alone.
#[derive(Debug, thiserror::Error)]
pub enum ProblemKind {
    /// A FIFO, socket or device.
    #[error("is a {0}, which cannot be recorded")]
    Special(Special),
    /// The name, or the path, cannot stand in a tree.
    #[error("cannot be recorded")]
    Path(#[from] crate::object::PathError),
    /// A file that a checkout had not finished when it was killed.
    #[error("is left over from a checkout that was killed: `provenance gc` removes it")]
    Leftover,
    /// The directory is the worktree of another repository.
    #[error("is the worktree of another repository")]
    NestedRepository,
    /// The folder in which a version-control system keeps its own files.
    #[error("is a repository's own folder")]
    RepositoryFolder,
    /// The path was asked for and does not exist.
    #[error("does not exist")]
    NotFound,
    /// The path was asked for, but a rule ignores it.
    #[error("is ignored by a rule")]
    Ignored,
    /// A line of an ignore file says nothing that can be followed.
    #[error("line {line} is not a rule: {reason}")]
    Rule {
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The system does not let us look at the rules of a directory, so nothing new in it is taken.
    #[error("cannot be read, so nothing new in this directory is recorded")]
    RulesUnreadable(#[source] io::Error),
    /// The system does not let us look.
    #[error("cannot be read")]
    Unreadable(#[source] io::Error),
}

/// Tells why a walk ended early.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The stamps are damaged: nothing that was found counts. Remove them and walk again.
    #[error("the file stamps are damaged")]
    Stamps(#[from] DecodeError),
    /// The wish to stop was seen.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Files that may wait for their turn in the order, in all threads together.
const BUDGET_FILES: usize = 64 * 1024;

/// Walks the worktree and gives what differs from the stamps to `consume`, in tree order.
///
/// Shape: a tracked file is compared even where rules ignore it; an ignored directory without
/// tracked files is not entered. The folders `.git` and `.provenance` are left out, silently at
/// the root, as a problem elsewhere, and a directory that holds a `.provenance` and nothing
/// tracked is left out whole. Unreadable directories are a problem, and nothing in them missing.
/// Errors: [`ScanError`] and whatever `consume` refuses; the rest of the walk is then dropped.
/// Cost: one system call per file, and about three per directory; none of its names are read if
/// its stamp proves them. Memory for the names of one directory per thread.
pub fn scan<E: From<ScanError>>(
    request: &ScanRequest<'_>,
    mut consume: impl FnMut(Batch) -> Result<(), E>,
) -> Result<(), E> {
    let walk = Walk::new(request)?;
    let first = walk.root(Selection::new(request.paths));
    let threads = request.thread_count.max(1);
    ordered::unfold(
        first,
        threads,
        BUDGET_FILES,
        |piece| walk.unfold(piece),
        |output| consume(output?),
    )
}

#[cfg(test)]
#[path = "scan_tests.rs"]
pub(super) mod tests;

#[cfg(test)]
#[path = "scan_tracked_tests.rs"]
mod tracked_tests;
