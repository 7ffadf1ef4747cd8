//! Stages files: their content goes into packs, and the staged tree names it.

use std::os::unix::ffi::OsStrExt as _;

use super::intake::{Intake, Taken};
use super::{Error, Repository};
use crate::object::tree::{self, Summary};
use crate::object::{ObjectId, TreePath};
use crate::progress::{Phase, Progress};
use crate::store::{Added, IngestFailure, StoreError};
use crate::worktree::scan::{Change, Problem, ProblemKind};
use crate::worktree::stamps::StampsWriter;
use crate::worktree::{local, scan};

/// Says what to stage.
#[derive(Debug, Clone, Default)]
pub struct AddRequest {
    /// Files and directories; none means the whole worktree.
    pub paths: Vec<TreePath>,
    /// Whether ignored files are staged as well.
    pub takes_ignored: bool,
    /// Whether only files are staged that are tracked already.
    pub tracked_only: bool,
    /// Whether nothing is staged unless every file could be read.
    pub insists_on_all: bool,
    /// Whether to tell what would be staged, and do nothing.
    pub is_dry_run: bool,
}

/// Tells what was staged.
#[derive(Debug, Default)]
pub struct AddReport {
    /// Files that were not staged before.
    pub added: u64,
    /// Files whose content, mode or kind is another now.
    pub modified: u64,
    /// Files that are gone.
    pub removed: u64,
    /// In a dry run, what would happen to which file.
    pub planned: Vec<(Change, TreePath)>,
    /// The staged tree; none in a dry run.
    pub tree: Option<Summary>,
    /// What the repository grew by.
    pub stored: Added,
    /// Files that could not be read, and stay as they were.
    pub failures: Vec<(TreePath, IngestFailure)>,
    /// What was left alone.
    pub problems: Vec<Problem>,
}

impl AddReport {
    /// Gives a path that was asked for and does not exist.
    pub fn missing_path(&self) -> Option<String> {
        let missing = |problem: &&Problem| matches!(problem.kind, ProblemKind::NotFound);
        let found = self.problems.iter().find(missing)?;
        Some(found.path.to_string_lossy().into_owned())
    }

    /// Tells whether something that was asked for was not staged.
    pub fn is_partial(&self) -> bool {
        let lost = |problem: &Problem| {
            !matches!(
                problem.kind,
                ProblemKind::RepositoryFolder
                    | ProblemKind::NestedRepository
                    | ProblemKind::Leftover
            )
        };
        !self.failures.is_empty() || self.problems.iter().any(lost)
    }
}

/// Stages files.
///
/// Shape: what could not be read stays as it was staged before, and is in the report. Errors: of
/// the store; the stage is then as before. Cost: reads only files whose stamps have changed; about
/// five syncs, however many files.
pub fn add(
    repository: &Repository,
    request: &AddRequest,
    progress: &Progress,
) -> Result<AddReport, Error> {
    let _lock = repository.lock(progress)?;
    stage_changes(repository, request, progress)
}

/// Stages files for a caller that holds the worktree's lock.
pub(super) fn stage_changes(
    repository: &Repository,
    request: &AddRequest,
    progress: &Progress,
) -> Result<AddReport, Error> {
    let tree = repository.staged_tree(&mut repository.store.reader())?;
    match attempt(repository, request, tree, progress) {
        // Stamps are derived: damaged ones are made again, and nothing has been staged yet.
        Err(Error::Scan(scan::ScanError::Stamps(_))) => {
            repository.remake_stamps(&mut repository.store.reader(), tree)?;
            attempt(repository, request, tree, progress)
        }
        outcome => outcome,
    }
}

fn attempt(
    repository: &Repository,
    request: &AddRequest,
    tree: ObjectId,
    progress: &Progress,
) -> Result<AddReport, Error> {
    let folder = &repository.location.folder;
    let temporaries = local::temporaries(folder);
    let old = repository.stamps(&mut repository.store.reader(), tree)?;
    progress.begin(Phase { name: "reading files", ..Phase::default() });
    // It is begun before the first file is looked at.
    let mut writer = StampsWriter::begun_now(Some(&old), &temporaries)?;
    let transaction = repository.store.transaction()?;
    let intake = Intake {
        paths: &request.paths,
        takes_ignored: request.takes_ignored,
        takes_new: !request.tracked_only,
        is_dry_run: request.is_dry_run,
        progress,
    };
    let mut taken = repository.take_in(&intake, &old, &mut writer, &transaction)?;
    if request.insists_on_all {
        insist(repository, tree, &mut taken)?;
    }
    if request.is_dry_run || request.insists_on_all && !taken.failures.is_empty() {
        return Ok(report(taken, Added::default()));
    }
    progress.check().map_err(StoreError::from)?;
    progress.begin(Phase { name: "writing to disk", ..Phase::default() });
    let stored = transaction.finish()?;
    let staged = taken.tree.as_ref().map_or(tree, |summary| summary.id);
    if staged != tree {
        local::save_stage(folder, staged)?;
    }
    writer.finish(&local::stamps_file(folder), &staged)?;
    Ok(report(taken, stored))
}

/// Counts what is tracked and cannot be looked at among the files that cannot be read.
fn insist(repository: &Repository, tree: ObjectId, taken: &mut Taken) -> Result<(), Error> {
    let mut reader = repository.store.reader();
    for Problem { path, kind } in std::mem::take(&mut taken.problems) {
        let ProblemKind::Unreadable(source) = kind else {
            taken.problems.push(Problem { path, kind });
            continue;
        };
        let Ok(tree_path) = TreePath::new(path.as_bytes()) else {
            return Err(Error::io(
                "read the worktree",
                repository.location.root.join(path),
                source,
            ));
        };
        match tree::find(&tree, &tree_path, |id| reader.node(id))? {
            Some(_) => taken.failures.push((tree_path, source.into())),
            None => taken.problems.push(Problem { path, kind: ProblemKind::Unreadable(source) }),
        }
    }
    Ok(())
}

fn report(taken: Taken, stored: Added) -> AddReport {
    let Taken { tree, added, modified, removed, paths, failures, problems } = taken;
    AddReport { added, modified, removed, planned: paths, tree, stored, failures, problems }
}
