//! Brings the worktree and the branch back to a recorded state, as a new commit that says so.

use super::checkout::difference;
use super::commit::{CommitReport, NextCommit, record_tree};
use super::restore::{check_paths, outermost, restage};
use super::revision::Resolver;
use super::write_out::{WriteOut, Written};
use super::{Error, Repository, union};
use crate::object::tree::Change;
use crate::object::{Commit, ObjectId, TreePath};
use crate::progress::{Phase, Progress};
use crate::worktree::local;

/// Most changes that a report names one by one.
const NAMED_MAX: usize = 20;

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
    /// What differed between the head and it: the first of it, in the order of paths.
    pub changes: Vec<Change>,
    /// How many files that are in all.
    pub changed: u64,
    /// The new commit; none if nothing differed, or in a dry run.
    pub commit: Option<CommitReport>,
    /// What was written to the worktree.
    pub written: Written,
    /// Where the head did not differ and nothing was written: how many files of the worktree do.
    pub differing: u64,
}

/// Brings it back.
///
/// Shape: history stays as it is, and goes on with a commit whose tree is the old one; with paths,
/// what is staged beside them stays staged, and is not in that commit. Errors: [`Error::Conflict`]
/// if something else is staged, or names all that would be lost, unless forced; `NotFound` for a
/// path that neither state has. Nothing has changed then; if it ends in the middle, every file is
/// old or new, and the same command again completes it.
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
    let on = |tree| match paths.is_empty() {
        true => Ok(old.tree),
        false => restage(repository, &paths, tree, old.tree).map(|(tree, _)| tree),
    };
    let next = on(before)?;
    let stage = local::load_stage(&repository.location.folder)?.unwrap_or(before);
    if ![before, next].contains(&stage) && !request.is_forced {
        let text = "changes are staged that no commit holds: commit them, or `provenance restore \
                    --staged .` takes them off";
        return Err(Error::Conflict(text.to_owned()));
    }
    let (changes, changed) = changes(repository, before, next)?;
    let next_stage = on(stage)?;
    let stamps = repository.stamps(&mut reader, stage)?;
    let is_whole = request.is_forced || changed == 0;
    let visit = |visit: &mut dyn FnMut(Change) -> Result<(), Error>| match is_whole {
        true => union::visit(repository, stage, next, &paths, visit),
        false => difference(repository, before, next, visit),
    };
    let out = WriteOut {
        changes: &visit,
        stamps: &stamps,
        overwrites: request.is_forced,
        is_staged: &|_| true,
        progress,
    };
    let written = Written::default();
    let mut report =
        RollbackReport { target, changes, changed, commit: None, written, differing: 0 };
    if request.is_dry_run || !request.is_forced && changed == 0 {
        if changed == 0 {
            report.differing = repository.differing(&out)?;
        }
        return Ok(report);
    }
    progress.begin(Phase { name: "writing files", ..Phase::default() });
    report.written = repository.replace_files(&out, next_stage)?;
    local::save_stage(&repository.location.folder, next_stage)?;
    if changed > 0 {
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

/// Counts what differs, and gives the first of it.
fn changes(
    repository: &Repository,
    old: ObjectId,
    new: ObjectId,
) -> Result<(Vec<Change>, u64), Error> {
    let (mut first, mut count) = (Vec::new(), 0);
    difference(repository, old, new, |change| {
        count += 1;
        if first.len() < NAMED_MAX {
            first.push(change);
        }
        Ok(())
    })?;
    Ok((first, count))
}
