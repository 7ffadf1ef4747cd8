//! Brings the worktree and the branch back to a recorded state, as a new commit that says so.

use super::commit::{CommitReport, NextCommit, record_tree};
use super::restore::{check_paths, outermost, restage};
use super::revision::Resolver;
use super::write_out::{WriteOut, Written};
use super::{Error, Repository, union};
use crate::object::tree::{self, Change, EMPTY_TREE};
use crate::object::{Commit, ObjectId, TreePath};
use crate::progress::{Phase, Progress};
use crate::worktree::local;

/// Says what to bring back.
#[derive(Debug, Clone, Default)]
pub struct RollbackRequest {
    /// The commit whose state it shall be, as typed.
    pub target: Vec<u8>,
    /// Files and directories; none means everything.
    pub paths: Vec<TreePath>,
    /// Why, in place of what names the commit.
    pub message: Option<String>,
    /// Whether what is recorded nowhere may be lost.
    pub is_forced: bool,
    /// Whether to tell what would change, and do nothing.
    pub is_dry_run: bool,
    /// The command as typed, for the journal.
    pub command: String,
}

/// Tells what was brought back.
#[derive(Debug)]
pub struct RollbackReport {
    /// The commit whose state it is now.
    pub target: ObjectId,
    /// What differed between the head and it, in the order of paths.
    pub changes: Vec<Change>,
    /// The new commit; none if nothing differed, or in a dry run.
    pub commit: Option<CommitReport>,
    /// What was written to the worktree.
    pub written: Written,
}

/// Brings it back.
///
/// Shape: history stays as it is, and goes on with a commit whose tree is the old one. Errors:
/// [`Error::Conflict`] if something else is staged, or names all that would be lost; `NotFound` for
/// a path that neither state has. Nothing has changed then; if it ends in the middle, every file
/// is old or new, and the same command again completes it.
pub fn rollback(
    repository: &Repository,
    request: &RollbackRequest,
    progress: &Progress,
) -> Result<RollbackReport, Error> {
    let _lock = repository.lock(progress)?;
    let mut resolver = Resolver::new(repository)?;
    let target = resolver.commit(&request.target)?;
    let old = resolver.reader().commit(&target)?;
    let mut reader = repository.store.reader();
    let at = repository.head_and_commit()?;
    let before = repository.tree_of(&mut reader, at.1)?;
    let paths = outermost(&request.paths);
    check_paths(repository, &paths, before, old.tree)?;
    let next = match paths.is_empty() {
        true => old.tree,
        false => restage(repository, &paths, before, old.tree)?.0,
    };
    let stage = local::load_stage(&repository.location.folder)?.unwrap_or(before);
    if ![before, next].contains(&stage) && !request.is_forced {
        let text = "changes are staged that no commit holds: commit them, or `provenance restore \
                    --staged .` takes them off";
        return Err(Error::Conflict(text.to_owned()));
    }
    let changes = changes(repository, before, next)?;
    let mut report = RollbackReport { target, changes, commit: None, written: Written::default() };
    if request.is_dry_run || report.changes.is_empty() && stage == before && !request.is_forced {
        return Ok(report);
    }
    progress.begin(Phase { name: "writing files", ..Phase::default() });
    let stamps = repository.stamps(&mut reader, stage)?;
    let visit = |visit: &mut dyn FnMut(Change) -> Result<(), Error>| match request.is_forced {
        true => union::visit(repository, stage, next, &paths, visit),
        false => report.changes.iter().cloned().try_for_each(visit),
    };
    let out = WriteOut {
        changes: &visit,
        stamps: &stamps,
        overwrites: request.is_forced,
        is_staged: &|_| true,
        progress,
    };
    report.written = repository.replace_files(&out, next)?;
    local::save_stage(&repository.location.folder, next)?;
    if !report.changes.is_empty() {
        let message = request.message.clone().unwrap_or_else(|| message(&target, &old, &paths));
        let message = message.trim_end();
        let (head, parent) = at;
        let commit = NextCommit { head, parent, tree: next, message, command: &request.command };
        report.commit = Some(record_tree(repository, commit, progress)?);
    }
    Ok(report)
}

/// Says in a commit what it brings back.
fn message(target: &ObjectId, old: &Commit, paths: &[TreePath]) -> String {
    let subject = old.message.lines().next().unwrap_or_default();
    let what = match paths {
        [] => String::new(),
        [one] => format!("{one} "),
        [first, ..] => format!("{first} and {} more ", paths.len() - 1),
    };
    let mut message = format!("roll {what}back to {}: {subject}\n\n", target.short());
    message.push_str(&format!("The state of commit {target}"));
    if !paths.is_empty() {
        message.push_str(", of these paths alone:\n");
        paths.iter().for_each(|path| message.push_str(&format!("\n  {path}")));
    }
    message
}

fn changes(repository: &Repository, old: ObjectId, new: ObjectId) -> Result<Vec<Change>, Error> {
    let some = |tree: ObjectId| (tree != EMPTY_TREE).then_some(tree);
    let mut reader = repository.store.reader();
    let mut changes = Vec::new();
    let load = |id: &ObjectId| reader.node(id).map_err(Error::from);
    tree::diff(some(old), some(new), None, load, |change| {
        changes.push(change);
        Ok::<_, Error>(())
    })?;
    Ok(changes)
}
