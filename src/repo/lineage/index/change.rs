//! What happened to refs since the index was written: which runs came, and whether some went.

use std::collections::HashSet;

use crate::graph;
use crate::object::tree;
use crate::object::{ObjectId, TreePath};
use crate::progress::Progress;
use crate::repo::ref_name::RefKind;
use crate::repo::refs::Refs;
use crate::repo::trouble::Trouble;
use crate::repo::{Error, Repository};
use crate::store::refs::RefTree;
use crate::store::{Position, Reader, StoreError};

/// What happened to refs since the index was written.
pub(super) struct Change {
    /// The commits that count since then.
    pub came: HashSet<ObjectId>,
    /// Whether there may be some that count no longer.
    pub has_lost: bool,
}

/// Finds out what happened to refs since they were `old`.
///
/// Shape: `detached` is what was checked out without a branch then, and what is now.
/// Errors: [`Trouble::Stale`] where what was there before is there no longer.
/// Cost: what differs, and the names of all branches and tags.
pub(super) fn change(
    repository: &Repository,
    old: RefTree,
    refs: &Refs,
    detached: [Option<ObjectId>; 2],
    progress: &Progress,
) -> Result<Change, Trouble> {
    let mut reader = repository.store.reader();
    let mut change = change_of_runs(&mut reader, old, refs.tree).map_err(gone)?;
    let [mut then, mut now]: [HashSet<ObjectId>; 2] =
        detached.map(|detached| detached.into_iter().collect());
    for kind in RefKind::ALL.into_iter().filter(|kind| *kind != RefKind::Run) {
        now.extend(refs.list(&mut reader, Some(kind.folder()))?.into_values());
        let listed = old.list(Some(kind.folder()), |id| reader.node(id).map_err(Error::from));
        then.extend(listed.map_err(gone)?.into_iter().map(|(_, id)| id));
    }
    if now == then {
        return Ok(change);
    }
    let all: Vec<ObjectId> = now.iter().chain(&then).copied().collect();
    let walked = repository.with_history(&all, progress, |graph, positions| {
        let (now, then) = positions.split_at(now.len());
        let between = |tips: &[Position], hidden: &[Position]| {
            let read = |position, parents: &mut Vec<_>| {
                progress.check()?;
                graph.read(position, parents).map_err(Error::from)
            };
            graph::between(tips.iter().copied(), hidden.iter().copied(), read)
        };
        let came = between(now, then)?.into_iter();
        let came = came.map(|position| Ok(graph.id(position)?)).collect::<Result<Vec<_>, Error>>();
        Ok((came?, !between(then, now)?.is_empty()))
    });
    let (came, has_lost) = walked.map_err(gone)?;
    change.came.extend(came);
    change.has_lost |= has_lost;
    Ok(change)
}

/// Finds out what happened to the refs of runs.
fn change_of_runs(reader: &mut Reader<'_>, old: RefTree, new: RefTree) -> Result<Change, Error> {
    let folder = TreePath::new(RefKind::Run.folder());
    let folder = folder.map_err(|error| Error::Internal(error.to_string()))?;
    let (mut came, mut has_lost) = (HashSet::new(), false);
    let load = |id: &ObjectId| reader.node(id).map_err(Error::from);
    tree::diff(Some(old.0), Some(new.0), Some(&folder), load, |change| {
        has_lost |= change.old.is_some();
        came.extend(change.new.map(|new| new.id()));
        Ok::<(), Error>(())
    })?;
    Ok(Change { came, has_lost })
}

/// What was there when the index was written may have been collected since.
fn gone(error: Error) -> Trouble {
    match error {
        Error::Store(StoreError::Missing { .. }) => Trouble::Stale,
        error => Trouble::Other(error),
    }
}
