//! Files that are taken into a tree without being staged.

use crate::object::{ObjectId, TreePath};
use crate::progress::Progress;
use crate::repo::intake::Intake;
use crate::repo::{Error, Repository};
use crate::store::IngestFailure;
use crate::worktree::local;
use crate::worktree::scan::Problem;
use crate::worktree::stamps::{self, Stamps, StampsWriter};

/// A tree with what was taken in.
pub(super) struct Taken {
    pub tree: ObjectId,
    /// Files that could not be read.
    pub notes: Vec<String>,
    /// What was left alone, though it was named.
    pub left: Vec<Problem>,
}

/// Takes in what lies at `paths`, at least one, on top of the tree that `known` is about.
///
/// Shape: what rules ignore only with `takes_ignored`; all of it is durable on return; no cache of
/// the worktree learns of it.
pub(super) fn take_apart(
    repository: &Repository,
    known: &Stamps,
    paths: &[TreePath],
    takes_ignored: bool,
    progress: &Progress,
) -> Result<Taken, Error> {
    let temporaries = local::temporaries(&repository.location.folder);
    let moment = stamps::moment(&temporaries)
        .map_err(|error| Error::io("make a temporary file", &temporaries, error))?;
    let mut writer = StampsWriter::new(Some(known), &temporaries, moment)?;
    let transaction = repository.store.transaction()?;
    let intake = Intake { paths, takes_ignored, takes_new: true, is_dry_run: false, progress };
    let taken = repository.take_in(&intake, known, &mut writer, &transaction)?;
    transaction.finish()?;
    let notes = taken.failures.iter().map(note).collect();
    let tree = taken.tree.map_or(known.tree(), |summary| summary.id);
    Ok(Taken { tree, notes, left: taken.problems })
}

/// Words what could not be read.
pub(super) fn note((path, failure): &(TreePath, IngestFailure)) -> String {
    format!("a file {failure} and is not recorded, path={path}")
}
