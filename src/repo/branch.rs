//! Branches: listed, made, moved, renamed, deleted.

use super::ref_name::RefKind;
use super::revision::Resolver;
use super::{Error, Repository};
use crate::object::{Commit, ObjectId, Update};
use crate::progress::Progress;
use crate::worktree::bisect;
use crate::worktree::head::Head;
use crate::worktree::local;

/// One branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Its name, without `heads/`.
    pub name: String,
    /// The commit it stands at.
    pub id: ObjectId,
    /// That commit's record.
    pub commit: Commit,
}

/// Tells the branches, and what is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchListReport {
    /// What the worktree stands on.
    pub head: Head,
    /// Sorted by name.
    pub branches: Vec<Branch>,
}

/// Says which branch to make or move.
#[derive(Debug, Clone, Default)]
pub struct BranchCreateRequest {
    /// Its name, without `heads/`.
    pub name: String,
    /// Where it shall stand, as typed; `HEAD` if none.
    pub start: Option<Vec<u8>>,
    /// Whether a branch of that name may be moved there.
    pub is_forced: bool,
    /// The command as typed, for the journal.
    pub command: String,
}

/// Tells where a ref came to stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefMoved {
    /// Its short name.
    pub name: String,
    /// Where it stood; nothing if it is new.
    pub old: Option<ObjectId>,
    /// Where it stands; nothing if it is gone.
    pub new: Option<ObjectId>,
}

/// Says which branches to delete.
#[derive(Debug, Clone, Default)]
pub struct BranchDeleteRequest {
    /// Their names, without `heads/`.
    pub names: Vec<String>,
    /// Whether branches may go whose commits are not in the history of `HEAD`.
    pub is_forced: bool,
    /// The command as typed, for the journal.
    pub command: String,
}

/// Says which branch to rename.
#[derive(Debug, Clone, Default)]
pub struct BranchRenameRequest {
    /// Its name; the branch that is checked out if none.
    pub old: Option<String>,
    /// The name it shall have.
    pub new: String,
    /// Whether a branch of that name may be replaced.
    pub is_forced: bool,
    /// The command as typed, for the journal.
    pub command: String,
}

/// Lists the branches.
pub fn branch_list(repository: &Repository) -> Result<BranchListReport, Error> {
    let refs = repository.refs()?;
    let mut reader = repository.store.reader();
    let mut branches = Vec::new();
    for (full, id) in refs.list(&mut reader, Some("heads"))? {
        let Some(name) = RefKind::Branch.short_name(&full) else { continue };
        let commit = reader.commit(&id)?;
        branches.push(Branch { name: name.to_owned(), id, commit });
    }
    Ok(BranchListReport { head: repository.head()?, branches })
}

/// Makes a branch, or moves one.
///
/// Errors: `Usage` for a bad name; `Conflict` if there is one already and it may not be moved, or
/// it is checked out.
pub fn branch_create(
    repository: &Repository,
    request: &BranchCreateRequest,
) -> Result<RefMoved, Error> {
    let full = RefKind::Branch.full_name(&request.name)?;
    let mut resolver = Resolver::new(repository)?;
    let new = resolver.commit(request.start.as_deref().unwrap_or(b"HEAD"))?;
    let refs = resolver.refs().clone();
    let old = refs.find(resolver.reader(), &full)?;
    if old.is_some() && !request.is_forced {
        return Err(taken(RefKind::Branch, &request.name, "-f moves it"));
    }
    if old.is_some() && repository.head()? == Head::Branch(full.clone()) {
        let name = &request.name;
        return Err(Error::Conflict(format!(
            "the branch is checked out and cannot be moved from under it, name={name:?}"
        )));
    }
    let moved = RefMoved { name: request.name.clone(), old, new: Some(new) };
    if old != moved.new {
        repository.move_refs(
            &[Update { name: full, old, new: Some(new) }],
            &request.command,
            None,
        )?;
    }
    Ok(moved)
}

/// Deletes branches, all of them or none.
///
/// Errors: `NotFound`; `Conflict` for the branch that is checked out, or on which a search for a
/// bad commit began, and for commits that only this branch has, unless forced.
pub fn branch_delete(
    repository: &Repository,
    request: &BranchDeleteRequest,
    progress: &Progress,
) -> Result<Vec<RefMoved>, Error> {
    let refs = repository.refs()?;
    let mut reader = repository.store.reader();
    let head = repository.head()?;
    let mut deleted: Vec<RefMoved> = Vec::new();
    let mut updates = Vec::new();
    for name in &request.names {
        let full = RefKind::Branch.full_name(name)?;
        let Some(id) = refs.find(&mut reader, &full)? else {
            return Err(Error::NotFound { what: "branch", name: name.clone() });
        };
        if head == Head::Branch(full.clone()) {
            return Err(Error::Conflict(format!("the branch is checked out, name={name:?}")));
        }
        repository.insist_on_no_bisection(&full)?;
        if !request.is_forced {
            repository.insist_on_merged(name, id, progress)?;
        }
        if deleted.iter().all(|moved| moved.name != *name) {
            deleted.push(RefMoved { name: name.clone(), old: Some(id), new: None });
            updates.push(Update { name: full, old: Some(id), new: None });
        }
    }
    repository.move_refs(&updates, &request.command, None)?;
    Ok(deleted)
}

/// Renames a branch; the worktree follows if it is checked out.
///
/// Errors: `NotFound`; `Conflict` if the name is taken, or a search for a bad commit began there.
pub fn branch_rename(
    repository: &Repository,
    request: &BranchRenameRequest,
    progress: &Progress,
) -> Result<RefMoved, Error> {
    let new = RefKind::Branch.full_name(&request.new)?;
    let _lock = repository.lock(progress)?;
    let head = repository.head()?;
    let old = match (&request.old, &head) {
        (Some(name), _) => RefKind::Branch.full_name(name)?,
        (None, Head::Branch(full)) => full.clone(),
        (None, Head::Detached(_)) => {
            return Err(Error::Usage("HEAD is on no branch: name the one to rename".to_owned()));
        }
    };
    repository.insist_on_no_bisection(&old)?;
    let refs = repository.refs()?;
    let mut reader = repository.store.reader();
    let id = refs.find(&mut reader, &old)?;
    let replaced = refs.find(&mut reader, &new)?.filter(|_| new != old);
    if replaced.is_some() && (!request.is_forced || head == Head::Branch(new.clone())) {
        return Err(taken(
            RefKind::Branch,
            &request.new,
            "-M replaces it, if it is not checked out",
        ));
    }
    let is_head = head == Head::Branch(old.clone());
    if id.is_none() && !is_head {
        let name = RefKind::Branch.short_name(&old).unwrap_or(&old).to_owned();
        return Err(Error::NotFound { what: "branch", name });
    }
    if new != old && id.is_some() {
        let updates = [
            Update { name: old, old: id, new: None },
            Update { name: new.clone(), old: replaced, new: id },
        ];
        repository.move_refs(&updates, &request.command, None)?;
    }
    if is_head {
        local::save_head(&repository.location.folder, &Head::Branch(new))?;
    }
    Ok(RefMoved { name: request.new.clone(), old: replaced, new: id })
}

/// Says that a name is taken, and what would do it all the same.
pub(super) fn taken(kind: RefKind, name: &str, advice: &str) -> Error {
    Error::Conflict(format!("there is a {} of that name: {advice}, name={name:?}", kind.word()))
}

impl Repository {
    /// Refuses to take away the branch to which the end of a search goes back.
    fn insist_on_no_bisection(&self, full: &str) -> Result<(), Error> {
        let Some(state) = bisect::load(&self.location.folder)? else { return Ok(()) };
        let begun = Head::decode(format!("{}\n", state.head).as_bytes())?;
        if begun != Head::Branch(full.to_owned()) {
            return Ok(());
        }
        let name = RefKind::Branch.short_name(full).unwrap_or(full);
        Err(Error::Conflict(format!(
            "a bisection began on the branch and goes back to it: `provenance bisect reset` ends \
             it, name={name:?}"
        )))
    }

    /// Refuses to let go of commits that are not in the history of `HEAD`.
    fn insist_on_merged(&self, name: &str, id: ObjectId, progress: &Progress) -> Result<(), Error> {
        let is_merged = match self.head_commit()? {
            Some(head) => self.has_ancestor(&[id, head], progress)?,
            None => false,
        };
        if is_merged {
            return Ok(());
        }
        Err(Error::Conflict(format!(
            "the branch has commits that HEAD does not have: -D deletes it all the same, \
             name={name:?}"
        )))
    }
}

#[cfg(test)]
#[path = "branch_tests.rs"]
mod tests;
