//! What a run wrote: taken in as the next stage, or, for a run beside the branch, without it.

use crate::object::tree;
use crate::object::{ObjectId, TreePath};
use crate::progress::Progress;
use crate::repo::add::stage_changes;
use crate::repo::intake::Intake;
use crate::repo::restamp::unknown;
use crate::repo::{AddRequest, Error, Repository};
use crate::worktree::local;
use crate::worktree::run_folder::RunFolder;
use crate::worktree::stamps::{self, Stamps, StampsWriter};

/// A tree with what a run wrote.
pub(super) struct Taken {
    pub tree: ObjectId,
    /// Files that could not be read.
    pub notes: Vec<String>,
}

/// Stages what lies at `paths`.
pub(super) fn staged(
    repository: &Repository,
    tree: ObjectId,
    paths: &[TreePath],
    progress: &Progress,
) -> Result<Taken, Error> {
    if paths.is_empty() {
        return Ok(Taken { tree, notes: Vec::new() });
    }
    let request =
        AddRequest { paths: paths.to_vec(), takes_ignored: true, ..AddRequest::default() };
    let report = stage_changes(repository, &request, progress)?;
    let notes = report.failures.iter().map(|(path, failure)| note(path, failure)).collect();
    let tree = report.tree.map_or(tree, |summary| summary.id);
    Ok(Taken { tree, notes })
}

/// Takes in what lies at `paths` on top of `tree`, and leaves the stage alone.
pub(super) fn beside(
    repository: &Repository,
    folder: &RunFolder,
    tree: ObjectId,
    paths: &[TreePath],
    progress: &Progress,
) -> Result<Taken, Error> {
    if paths.is_empty() {
        return Ok(Taken { tree, notes: Vec::new() });
    }
    let temporaries = local::temporaries(&repository.location.folder);
    let known = stamps_of(repository, folder, tree, paths)?;
    let moment = stamps::moment(&temporaries)
        .map_err(|error| Error::io("make a temporary file", &temporaries, error))?;
    let mut writer = StampsWriter::new(Some(&known), &temporaries, moment)?;
    let transaction = repository.store.transaction()?;
    let intake =
        Intake { paths, takes_ignored: true, takes_new: true, is_dry_run: false, progress };
    let taken = repository.take_in(&intake, &known, &mut writer, &transaction)?;
    transaction.finish()?;
    let notes = taken.failures.iter().map(|(path, failure)| note(path, failure)).collect();
    let new = taken.tree.map_or(tree, |summary| summary.id);
    Ok(Taken { tree: new, notes })
}

/// Makes stamps that know of these paths what is in the tree, and nothing of how files look.
fn stamps_of(
    repository: &Repository,
    folder: &RunFolder,
    tree: ObjectId,
    paths: &[TreePath],
) -> Result<Stamps, Error> {
    let temporaries = local::temporaries(&repository.location.folder);
    let mut reader = repository.store.reader();
    let mut writer = StampsWriter::new(None, &temporaries, i64::MAX)?;
    let mut before: Option<&TreePath> = None;
    for path in paths {
        if before.is_some_and(|before| path.starts_with(before)) {
            continue;
        }
        before = Some(path);
        for entry in tree::walk(&tree, Some(path), |id| reader.node(id))? {
            let entry = entry?;
            if let Some(record) = unknown(&entry.target) {
                writer.put(&entry.path, record)?;
            }
        }
    }
    let path = folder.path().join("stamps");
    writer.finish(&path, &tree)?;
    Stamps::reopen(&path).map_err(|error| Error::io("read the stamps back", &path, error))
}

fn note(path: &TreePath, failure: &crate::store::IngestFailure) -> String {
    format!("a file {failure} and is not recorded, path={path}")
}
