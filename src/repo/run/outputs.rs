//! What a run wrote: taken in as the next stage, or, for a run beside the branch, without it.

use super::apart::{Taken, note, take_apart};
use crate::object::tree;
use crate::object::{ObjectId, TreePath};
use crate::progress::Progress;
use crate::repo::add::stage_changes;
use crate::repo::restamp::unknown;
use crate::repo::{AddRequest, Error, Repository};
use crate::worktree::local;
use crate::worktree::run_folder::RunFolder;
use crate::worktree::stamps::{Stamps, StampsWriter};

/// Stages what lies at `paths`, at least one.
pub(super) fn staged(
    repository: &Repository,
    tree: ObjectId,
    paths: &[TreePath],
    takes_ignored: bool,
    progress: &Progress,
) -> Result<Taken, Error> {
    let request = AddRequest { paths: paths.to_vec(), takes_ignored, ..AddRequest::default() };
    let report = stage_changes(repository, &request, progress)?;
    let notes = report.failures.iter().map(note).collect();
    let tree = report.tree.map_or(tree, |summary| summary.id);
    Ok(Taken { tree, notes, left: report.problems })
}

/// Takes in what lies at `paths`, at least one, on top of `tree`, and leaves the stage alone.
pub(super) fn beside(
    repository: &Repository,
    folder: &RunFolder,
    tree: ObjectId,
    paths: &[TreePath],
    takes_ignored: bool,
    progress: &Progress,
) -> Result<Taken, Error> {
    let known = stamps_of(repository, folder, tree, paths)?;
    take_apart(repository, &known, paths, takes_ignored, progress)
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
