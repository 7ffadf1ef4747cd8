//! Makes the worktree, the stage and the head stand on another commit.

use std::collections::BTreeMap;

use super::ref_name::RefKind;
use super::revision::Resolver;
use super::write_out::{WriteOut, Written};
use super::{Error, Repository, union};
use crate::object::tree::{self, Change, Edit, Target};
use crate::object::{ObjectId, TreePath, Update, shorten_command};
use crate::progress::{Phase, Progress};
use crate::worktree::head::Head;
use crate::worktree::local;

/// Says where to go.
#[derive(Debug, Clone, Default)]
pub struct CheckoutRequest {
    /// A branch, or a revision that names a commit; as typed.
    pub target: Option<Vec<u8>>,
    /// A branch to be made there, by its short name.
    pub new_branch: Option<String>,
    /// Whether what is recorded nowhere may be lost.
    pub is_forced: bool,
    /// The command as typed, for the journal.
    pub command: String,
}

/// Tells where the worktree stands now.
#[derive(Debug)]
pub struct CheckoutReport {
    /// What it stands on.
    pub head: Head,
    /// The commit; none on a branch without any.
    pub commit: Option<ObjectId>,
    /// What was written.
    pub written: Written,
}

/// Goes there.
///
/// Shape: what is staged or changed but not recorded is carried along where the two commits do not
/// differ. Errors: [`Error::Conflict`] names all that would be lost; nothing has changed then. If
/// it ends in the middle, every file is old or new, and the same command again completes it.
pub fn checkout(
    repository: &Repository,
    request: &CheckoutRequest,
    progress: &Progress,
) -> Result<CheckoutReport, Error> {
    let _lock = repository.lock(progress)?;
    checkout_locked(repository, request, progress)
}

/// Goes there for a caller that holds the worktree's lock.
pub(super) fn checkout_locked(
    repository: &Repository,
    request: &CheckoutRequest,
    progress: &Progress,
) -> Result<CheckoutReport, Error> {
    let (head, commit) = destination(repository, request)?;
    let written = switch(repository, commit, request.is_forced, progress)?;
    if let (Some(name), Some(id)) = (&request.new_branch, commit) {
        let update = Update { name: format!("heads/{name}"), old: None, new: Some(id) };
        if !is_made(repository, &update, &request.command)? {
            repository.move_refs(&[update], &request.command, None)?;
        }
    }
    local::save_head(&repository.location.folder, &head)?;
    Ok(CheckoutReport { head, commit, written })
}

/// Finds what the head shall be, and its commit.
fn destination(
    repository: &Repository,
    request: &CheckoutRequest,
) -> Result<(Head, Option<ObjectId>), Error> {
    let typed = request.target.as_deref();
    if let Some(name) = &request.new_branch {
        let full = RefKind::Branch.full_name(name)?;
        let there = repository.refs()?.find(&mut repository.store.reader(), &full)?;
        let commit = match typed {
            Some(typed) => Some(Resolver::new(repository)?.commit(typed)?),
            None => repository.head_commit()?,
        };
        let head = Head::Branch(full.clone());
        let update = Update { name: full, old: None, new: commit };
        let is_ours = repository.head()? != head && is_made(repository, &update, &request.command)?;
        if there.is_some() && !is_ours {
            return Err(Error::Conflict(format!("there is a branch of that name, branch={name}")));
        }
        return Ok((head, commit));
    }
    let typed = typed.ok_or_else(|| Error::Usage("name a branch or a commit".to_owned()))?;
    if let Ok(name) = std::str::from_utf8(typed)
        && let Ok(full) = RefKind::Branch.full_name(name)
        && let Some(id) = repository.refs()?.find(&mut repository.store.reader(), &full)?
    {
        return Ok((Head::Branch(full), Some(id)));
    }
    let commit = Resolver::new(repository)?.commit(typed)?;
    Ok((Head::Detached(commit), Some(commit)))
}

/// Tells whether the last transaction is the very one that this command would write: then it was
/// killed before the head followed.
fn is_made(repository: &Repository, update: &Update, command: &str) -> Result<bool, Error> {
    let newest = repository.refs()?.head.newest;
    Ok(newest.is_some_and(|newest| {
        newest.transaction.updates == std::slice::from_ref(update)
            && newest.transaction.command == shorten_command(command)
    }))
}

/// Brings the stage and the files from the commit of the head to another one.
fn switch(
    repository: &Repository,
    commit: Option<ObjectId>,
    is_forced: bool,
    progress: &Progress,
) -> Result<Written, Error> {
    let folder = &repository.location.folder;
    let mut reader = repository.store.reader();
    let before = repository.tree_of(&mut reader, repository.head_commit()?)?;
    let after = repository.tree_of(&mut reader, commit)?;
    let stage = local::load_stage(folder)?.unwrap_or(before);
    let staged = if is_forced { BTreeMap::new() } else { changed(repository, before, stage)? };
    let next = carried(repository, before, stage, after, &staged)?;
    let stamps = repository.stamps(&mut reader, stage)?;
    progress.begin(Phase { name: "writing files", ..Phase::default() });
    let changes = |visit: &mut dyn FnMut(Change) -> Result<(), Error>| match is_forced {
        true => union::visit(repository, stage, after, &[], visit),
        false => difference(repository, before, after, |change| {
            if staged.contains_key(&change.path) { Ok(()) } else { visit(change) }
        }),
    };
    let out = WriteOut {
        changes: &changes,
        stamps: &stamps,
        overwrites: is_forced,
        is_staged: &|_| true,
        progress,
    };
    let written = repository.replace_files(&out, next)?;
    local::save_stage(folder, next)?;
    Ok(written)
}

/// Gives the staged tree that goes along: the new one, with what was staged on top of the old.
fn carried(
    repository: &Repository,
    before: ObjectId,
    stage: ObjectId,
    after: ObjectId,
    staged: &BTreeMap<TreePath, Option<Target>>,
) -> Result<ObjectId, Error> {
    if staged.is_empty() {
        return Ok(after);
    }
    let mut edits = Vec::new();
    let mut lost = Vec::new();
    difference(repository, before, after, |change| {
        match staged.get(&change.path) {
            Some(target) if *target == change.new => {}
            Some(_) => lost.push(change.path.to_string()),
            None => {
                let edit = change.new.map_or(Edit::Remove, Edit::Put);
                edits.push((change.path, edit));
            }
        }
        Ok(())
    })?;
    if !lost.is_empty() {
        let lost = lost.join(" ");
        return Err(Error::Conflict(format!("staged changes would be lost, paths={lost}")));
    }
    let mut reader = repository.store.reader();
    let transaction = repository.store.transaction()?;
    let summary = tree::edit(
        Some(stage),
        edits,
        |id| reader.node(id).map_err(Error::from),
        |node| Ok(transaction.put_node(node)?),
    )?;
    transaction.finish()?;
    Ok(summary.id)
}

/// Lists what is staged on top of a tree.
fn changed(
    repository: &Repository,
    before: ObjectId,
    stage: ObjectId,
) -> Result<BTreeMap<TreePath, Option<Target>>, Error> {
    let mut staged = BTreeMap::new();
    difference(repository, before, stage, |change| {
        staged.insert(change.path, change.new);
        Ok(())
    })?;
    Ok(staged)
}

/// Visits what differs between two trees, each of which may be the empty one.
pub(super) fn difference(
    repository: &Repository,
    old: ObjectId,
    new: ObjectId,
    visit: impl FnMut(Change) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut reader = repository.store.reader();
    let load = |id: &ObjectId| reader.node(id).map_err(Error::from);
    tree::diff(Some(old), Some(new), None, load, visit)
}
