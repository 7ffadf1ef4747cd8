//! Puts every ref back to where it stood before the last transaction; itself a transaction.

use super::{Error, Repository, refs};
use crate::object::tree::EMPTY_TREE;
use crate::object::{ObjectId, Transaction, Update};
use crate::progress::Progress;
use crate::store::Reader;
use crate::store::refs::RefTree;
use crate::worktree::head::Head;
use crate::worktree::local;

/// Says how to undo.
#[derive(Debug, Clone, Default)]
pub struct UndoRequest {
    /// Whether to tell what would move, and do nothing.
    pub is_dry_run: bool,
    /// The command as typed, for the journal.
    pub command: String,
}

/// Tells what moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoReport {
    /// The transaction that was undone.
    pub undone: Transaction,
    /// What moved now, the opposite of it; sorted by ref.
    pub updates: Vec<Update>,
    /// Number of the new journal entry; none in a dry run.
    pub number: Option<u64>,
    /// What the worktree stood on.
    pub head_before: Head,
    /// What it stands on now.
    pub head: Head,
    /// The commit that it stands on now; none for a branch without one.
    pub head_commit: Option<ObjectId>,
    /// Whether what is staged differs from that commit.
    pub has_staged: bool,
}

/// Undoes the last transaction; undone again, it is done again.
///
/// Shape: the files and what is staged stay as they are, so what an undone commit had recorded is
/// staged then. Where the branch that is checked out goes away, `HEAD` follows it if it was only
/// renamed, stays at its commit if another ref keeps that, and else waits for its first commit
/// again. Errors: `Usage` if nothing was ever done; [`Error::Ref`] if somebody moves the same refs.
pub fn undo(
    repository: &Repository,
    request: &UndoRequest,
    progress: &Progress,
) -> Result<UndoReport, Error> {
    let _lock = repository.lock(progress)?;
    let refs = repository.refs()?;
    let newest = refs.head.newest.as_ref().map(|newest| &newest.transaction);
    let moves = |newest: &&Transaction| !newest.updates.is_empty() || newest.unlisted > 0;
    let Some(undone) = newest.filter(moves) else {
        return Err(Error::Usage("there is nothing to undo: no ref has moved yet".to_owned()));
    };
    let updates: Vec<Update> = undone.updates.iter().map(opposite).collect();
    let mut reader = repository.store.reader();
    let stage = repository.staged_tree(&mut reader)?;
    let head_before = repository.head()?;
    let head = repository.head_after(&head_before, &updates, &mut reader, progress)?;
    let mut number = None;
    if !request.is_dry_run {
        let folder = &repository.location.folder;
        local::save_stage(folder, stage)?;
        // Killed from here on, HEAD names a commit, and no branch that is not there; one that has
        // another name again is followed through the journal.
        let is_early = matches!(head, Head::Detached(_)) && matches!(head_before, Head::Branch(_));
        if is_early {
            local::save_head(folder, &head)?;
        }
        number = Some(match undone.unlisted {
            0 => repository.move_refs(&updates, &request.command, None)?,
            _ => repository.put_refs_back(undone, &updates, &request.command)?,
        });
        if head != head_before && !is_early {
            local::save_head(folder, &head)?;
        }
    }
    let head_commit = match &head {
        Head::Detached(id) => Some(*id),
        Head::Branch(name) => match updates.iter().find(|update| update.name == *name) {
            Some(update) => update.new,
            None => refs.find(&mut reader, name)?,
        },
    };
    let has_staged = stage != repository.tree_of(&mut reader, head_commit)?;
    let undone = undone.clone();
    Ok(UndoReport { undone, updates, number, head_before, head, head_commit, has_staged })
}

fn opposite(update: &Update) -> Update {
    Update { name: update.name.clone(), old: update.new, new: update.old }
}

fn is_head_gone(head: &Head, update: &Update) -> bool {
    *head == Head::Branch(update.name.clone()) && update.new.is_none()
}

impl Repository {
    /// Puts all refs back to where they stood before the newest entry, which does not list them.
    ///
    /// Errors: `Conflict` if there is a newer one.
    fn put_refs_back(
        &self,
        undone: &Transaction,
        updates: &[Update],
        command: &str,
    ) -> Result<u64, Error> {
        let before = undone.number.checked_sub(1).map(|before| self.journal.entry(before));
        let before = before.transpose()?.map_or(EMPTY_TREE, |before| before.transaction.refs);
        self.append(command, None, |refs, _| {
            let newest = refs.head.newest.as_ref().map(|newest| newest.transaction.transaction);
            if newest != Some(undone.transaction) {
                let text = "another command moved refs meanwhile: look, and try again";
                return Err(Error::Conflict(text.to_owned()));
            }
            let (updates, unlisted) = (updates.to_vec(), undone.unlisted);
            Ok(refs::Step { updates, unlisted, tree: RefTree(before) })
        })
    }

    /// Decides what the worktree stands on once the refs have moved.
    fn head_after(
        &self,
        head: &Head,
        updates: &[Update],
        reader: &mut Reader<'_>,
        progress: &Progress,
    ) -> Result<Head, Error> {
        let gone = updates.iter().find(|update| is_head_gone(head, update));
        if let Some(commit) = gone.and_then(|update| update.old) {
            if let Some(renamed) = gone.and_then(|gone| refs::renamed(updates, &gone.name)) {
                return Ok(Head::Branch(renamed.to_owned()));
            }
            let is_kept = self.is_kept(commit, updates, reader, progress)?;
            return Ok(if is_kept { Head::Detached(commit) } else { head.clone() });
        }
        let Head::Detached(at) = head else { return Ok(head.clone()) };
        for update in updates {
            // Commits on no branch have refs of their own, which follow their steps.
            if !update.name.starts_with("detached/") {
                continue;
            }
            let commit = update.old.or(update.new).unwrap_or(*at);
            let parent = reader.commit(&commit)?.parents.first().copied();
            match (update.new, parent) {
                (None, Some(parent)) if commit == *at => return Ok(Head::Detached(parent)),
                (Some(_), Some(parent)) if parent == *at => return Ok(Head::Detached(commit)),
                _ => {}
            }
        }
        Ok(head.clone())
    }

    /// Tells whether a ref will still lead to a commit.
    fn is_kept(
        &self,
        commit: ObjectId,
        updates: &[Update],
        reader: &mut Reader<'_>,
        progress: &Progress,
    ) -> Result<bool, Error> {
        let mut refs = self.refs()?.list(reader, None)?;
        for update in updates {
            match update.new {
                Some(id) => refs.insert(update.name.clone(), id),
                None => refs.remove(&update.name),
            };
        }
        let mut tips: Vec<ObjectId> = refs.into_values().collect();
        tips.sort_unstable();
        tips.dedup();
        for tip in tips {
            if self.has_ancestor(&[commit, tip], progress)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
#[path = "undo_tests.rs"]
mod tests;
