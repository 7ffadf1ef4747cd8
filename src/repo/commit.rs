//! Records the staged tree as a commit, and moves the branch to it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use super::add::stage_changes;
use super::artifacts::artifacts_of;
use super::describe::{Described, describe};
use super::splits::OverlapReport;
use super::{AddReport, AddRequest, Error, Repository};
use crate::object::tree::{EMPTY_TREE, Node, Summary};
use crate::object::{Commit, ObjectId, Update};
use crate::progress::Progress;
use crate::store::{IngestFailure, Reader, merge};
use crate::worktree::head::Head;
use crate::worktree::local;

/// Says what to record.
#[derive(Debug, Clone, Default)]
pub struct CommitRequest {
    /// Why; not empty.
    pub message: String,
    /// Whether changes of tracked files are staged first.
    pub stages_tracked: bool,
    /// Whether a commit is made even if nothing has changed.
    pub allows_empty: bool,
    /// The command as typed, for the journal.
    pub command: String,
}

/// Tells what was recorded.
#[derive(Debug)]
pub struct CommitReport {
    /// The commit.
    pub id: ObjectId,
    /// Its record.
    pub commit: Commit,
    /// What the recorded tree amounts to.
    pub tree: Summary,
    /// The branch that stands on it; none if no branch does.
    pub branch: Option<String>,
    /// The commit before; none for the first.
    pub parent: Option<ObjectId>,
    /// The journal entry.
    pub number: u64,
    /// What was staged first.
    pub staged: Option<AddReport>,
    /// Names that `provenance.toml` declares for paths that match nothing.
    pub unmatched: Vec<String>,
    /// What the splits of the data share, if there are two.
    pub overlaps: Option<OverlapReport>,
    /// Whether the author's name or address is a guess, because no setting gives it.
    pub is_author_guessed: bool,
}

/// Why no commit was made, or the commit.
#[derive(Debug)]
pub enum Committed {
    /// A commit was made.
    Made(Box<CommitReport>),
    /// The staged tree is that of the commit before.
    NothingChanged,
}

/// Records the staged tree.
///
/// Errors: an empty message; a malformed `provenance.toml`; a file that `stages_tracked` cannot
/// read, and then nothing is staged either; [`Error::Conflict`] if somebody else moved the branch.
/// Nothing is recorded then.
pub fn commit(
    repository: &Repository,
    request: &CommitRequest,
    progress: &Progress,
) -> Result<Committed, Error> {
    let message = request.message.trim_end();
    if message.trim().is_empty() {
        return Err(Error::Usage("the message is empty: say why with -m".to_owned()));
    }
    let _lock = repository.lock(progress)?;
    let staged = match request.stages_tracked {
        true => Some(stage_tracked(repository, progress)?),
        false => None,
    };
    let mut reader = repository.store.reader();
    let (head, parent) = repository.head_and_commit()?;
    let before = repository.tree_of(&mut reader, parent)?;
    let tree = match local::load_stage(&repository.location.folder)? {
        Some(tree) => tree,
        None => before,
    };
    let is_first = parent.is_none() && tree != EMPTY_TREE;
    if tree == before && !is_first && !request.allows_empty {
        return Ok(Committed::NothingChanged);
    }
    let next = NextCommit { head, parent, tree, message, command: &request.command };
    let report = record_tree(repository, next, progress)?;
    Ok(Committed::Made(Box::new(CommitReport { staged, ..report })))
}

/// What is to be recorded, and after which commit.
pub(super) struct NextCommit<'a> {
    /// What the worktree stands on.
    pub head: Head,
    /// Its commit.
    pub parent: Option<ObjectId>,
    /// The tree.
    pub tree: ObjectId,
    /// Why.
    pub message: &'a str,
    /// The command as typed, for the journal.
    pub command: &'a str,
}

/// Records a tree as the next commit of the branch, or of the head where no branch is.
///
/// Errors: as [`commit`]; the worktree is locked by the caller.
pub(super) fn record_tree(
    repository: &Repository,
    next: NextCommit<'_>,
    progress: &Progress,
) -> Result<CommitReport, Error> {
    let NextCommit { head, parent, tree, message, command } = next;
    let mut reader = repository.store.reader();
    let mut found = artifacts_of(&mut reader, &tree, parent.as_ref())?;
    let described = describe(repository, &tree, &mut found, parent, progress)?;
    let commit = Commit {
        tree,
        parents: parent.into_iter().collect(),
        author: repository.author(),
        time: repository.clock.now(),
        message: message.to_owned(),
        system: crate::capture::system(),
        artifacts: found.artifacts,
        run: None,
        code: None,
        environment: None,
        fine_tune: None,
        overlaps: described.overlaps_id,
    };
    let (id, number) = record(repository, (&commit, &described), &head, parent, command)?;
    let branch = match head {
        Head::Branch(name) => Some(name),
        Head::Detached(_) => {
            local::save_head(&repository.location.folder, &Head::Detached(id))?;
            None
        }
    };
    // The commit stands, whatever comes of this; the next one tries again.
    let _tidied_or_not = merge::tidy(&repository.store, &Progress::default());
    Ok(CommitReport {
        id,
        tree: summary(&mut reader, &commit.tree)?,
        commit,
        branch,
        parent,
        number,
        staged: None,
        unmatched: found.unmatched,
        overlaps: described.overlaps,
        is_author_guessed: repository.is_author_guessed(),
    })
}

/// Adds up what a tree amounts to, from its root alone.
fn summary(reader: &mut Reader<'_>, tree: &ObjectId) -> Result<Summary, Error> {
    let node = Node::decode(&reader.node(tree)?)?;
    let totals = node.totals().unwrap_or_default();
    Ok(Summary { id: *tree, files: totals.files, bytes: totals.bytes })
}

/// Stages what changed in tracked files, and insists on all of it.
fn stage_tracked(repository: &Repository, progress: &Progress) -> Result<AddReport, Error> {
    let request = AddRequest { tracked_only: true, insists_on_all: true, ..AddRequest::default() };
    let mut report = stage_changes(repository, &request, progress)?;
    match report.failures.pop() {
        None => Ok(report),
        Some((path, IngestFailure::Io(source))) => {
            let path = OsStr::from_bytes(path.as_bytes());
            Err(Error::io("read a tracked file", path, source))
        }
        Some((path, failure)) => Err(Error::Conflict(format!(
            "a tracked file {failure}: commit again when nothing writes to it, path={path}"
        ))),
    }
}

/// Stores the record and moves the branch to it, in one journal entry.
fn record(
    repository: &Repository,
    (commit, described): (&Commit, &Described),
    head: &Head,
    parent: Option<ObjectId>,
    command: &str,
) -> Result<(ObjectId, u64), Error> {
    let transaction = repository.store.transaction()?;
    described.put(&transaction)?;
    let id = transaction.put_commit(&commit.encode()?)?;
    let moves = match head {
        Head::Branch(name) => vec![Update { name: name.clone(), old: parent, new: Some(id) }],
        // A commit that no branch follows is reachable through this worktree's head, and the
        // journal keeps it findable afterwards.
        Head::Detached(_) => {
            vec![Update { name: format!("detached/{id}"), old: None, new: Some(id) }]
        }
    };
    let number = repository.move_refs(&moves, command, Some(transaction))?;
    Ok((id, number))
}
