//! What differs in the worktree from the stage, laid over what differs between two trees.
//!
//! The scan runs on threads of its own and gives its findings in the order of paths, as the
//! comparison of trees does, so both are merged without holding either.

use std::iter::Peekable;

use crossbeam_channel::{IntoIter, Receiver, Sender, bounded};

use super::{FileDiff, FileSide};
use crate::object::tree::Change as TreeChange;
use crate::object::{ObjectId, TreePath};
use crate::progress::Progress;
use crate::repo::{Error, Repository};
use crate::store::Reader;
use crate::threads;
use crate::worktree::compare::{Now, hash_files};
use crate::worktree::directory::Directory;
use crate::worktree::open;
use crate::worktree::scan::{Batch, Change, Found, Problem, ProblemKind, ScanRequest, scan};
use crate::worktree::stamps::{Record, Stamp, Stamps};

/// Findings on their way to the merge.
const UNDER_WAY: usize = 1024;

/// Says where to look.
#[derive(Clone, Copy)]
pub(super) struct Overlay<'a> {
    pub repository: &'a Repository,
    pub paths: &'a [TreePath],
    pub progress: &'a Progress,
}

/// One finding of the scan.
enum Finding {
    File { path: TreePath, staged: Record, now: Option<FileSide> },
    Unreadable { path: TreePath, error: std::io::Error },
    Problem(Problem),
}

/// The findings, to be merged with changes between trees.
pub(super) struct Changes<'a> {
    findings: Peekable<IntoIter<Finding>>,
    overlay: Overlay<'a>,
    root: Option<&'a Directory>,
    /// Files that could not be read.
    pub failures: Vec<(TreePath, std::io::Error)>,
    /// What was left alone.
    pub problems: Vec<Problem>,
}

/// The merge went away.
struct Gone;

enum ScanEnd {
    Gone,
    Failed(Error),
}

impl From<Gone> for ScanEnd {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl From<crate::worktree::scan::ScanError> for ScanEnd {
    fn from(error: crate::worktree::scan::ScanError) -> Self {
        Self::Failed(error.into())
    }
}

impl<'a> Overlay<'a> {
    /// Runs `merge` with what differs from `stage` in the worktree; with nothing if there is none.
    pub fn with<E: From<Error>>(
        self,
        stage: Option<ObjectId>,
        reader: &mut Reader<'_>,
        merge: impl FnOnce(&mut Reader<'_>, &mut Changes<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let changes = |root, findings: Receiver<Finding>| Changes {
            findings: findings.into_iter().peekable(),
            overlay: self,
            root,
            failures: Vec::new(),
            problems: Vec::new(),
        };
        let Some(stage) = stage else {
            let (_, none) = bounded(0);
            return merge(reader, &mut changes(None, none));
        };
        let place = &self.repository.location.root;
        let root =
            open::root(place).map_err(|error| Error::io("open the worktree", place, error))?;
        let stamps = self.repository.stamps(reader, stage)?;
        let (scanned, merged) = threads::produce_beside(
            UNDER_WAY,
            |sender| self.scan(&root, &stamps, &sender),
            |findings| merge(reader, &mut changes(Some(&root), findings)),
        );
        match scanned {
            Err(ScanEnd::Failed(error)) => Err(error.into()),
            Ok(()) | Err(ScanEnd::Gone) => merged,
        }
    }

    fn scan(
        self,
        root: &Directory,
        stamps: &Stamps,
        sender: &Sender<Finding>,
    ) -> Result<(), ScanEnd> {
        let request = ScanRequest {
            root,
            stamps: Some(stamps),
            paths: self.paths,
            takes_ignored: false,
            collapses_new: true,
            thread_count: threads::count(),
            progress: self.progress,
        };
        scan(&request, |batch| self.send(root, batch, sender))
    }

    /// Passes on what really differs in one batch.
    fn send(self, root: &Directory, batch: Batch, sender: &Sender<Finding>) -> Result<(), ScanEnd> {
        let give = |finding| sender.send(finding).map_err(|_| Gone);
        let doubtful: Vec<_> = batch
            .found
            .iter()
            .filter(|found| is_doubtful(found))
            .map(|found| (&found.path, found.stamp.kind()))
            .collect();
        let mut answers = hash_files(root, &doubtful, threads::count(), self.progress).into_iter();
        self.progress.check().map_err(Error::from).map_err(ScanEnd::Failed)?;
        for found in &batch.found {
            let answer = if is_doubtful(found) { answers.next() } else { None };
            let Some(staged) = found.tracked else { continue };
            let path = found.path.clone();
            let side = |stamp: Stamp, id| FileSide {
                kind: stamp.kind(),
                size: stamp.size,
                id,
                is_in_worktree: true,
            };
            let now = match (found.change, answer) {
                (Change::New | Change::NewDirectory, _) => continue,
                (Change::Missing, _) => None,
                (_, Some(Now::Unreadable(error))) => {
                    give(Finding::Unreadable { path, error })?;
                    continue;
                }
                (_, Some(Now::Content(id, stamp))) => {
                    if id == staged.id && stamp.kind() == staged.stamp.kind() {
                        continue;
                    }
                    Some(side(stamp, Some(id)))
                }
                (_, Some(Now::Moving) | None) => Some(side(found.stamp, None)),
            };
            give(Finding::File { path, staged, now })?;
        }
        for problem in batch.problems {
            if matches!(
                problem.kind,
                ProblemKind::Unreadable(_)
                    | ProblemKind::RulesUnreadable(_)
                    | ProblemKind::Rule { .. }
            ) {
                give(Finding::Problem(problem))?;
            }
        }
        Ok(())
    }
}

/// Tells whether only the content can say if a file differs.
fn is_doubtful(found: &Found) -> bool {
    let is_alike = |staged: &Record| staged.stamp.size == found.stamp.size;
    found.change == Change::Modified && found.tracked.as_ref().is_some_and(is_alike)
}

impl Changes<'_> {
    /// Gives the findings before `path`: only the worktree differs there.
    pub fn before<E>(
        &mut self,
        path: &TreePath,
        mut take: impl FnMut(FileDiff) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some((found, staged, now)) = self.next_if(|found| found < path) {
            take(FileDiff::new(found, Some(of_record(&staged)), now))?;
        }
        Ok(())
    }

    /// Gives all findings that are left.
    pub fn rest<E>(&mut self, mut take: impl FnMut(FileDiff) -> Result<(), E>) -> Result<(), E> {
        while let Some((found, staged, now)) = self.next_if(|_| true) {
            take(FileDiff::new(found, Some(of_record(&staged)), now))?;
        }
        Ok(())
    }

    /// Gives the change of one path from the old tree to the new one, or on to the worktree; none
    /// if the worktree holds again what the old tree does.
    pub fn lay_over(&mut self, change: &TreeChange) -> Result<Option<FileDiff>, Error> {
        let old = change.old.as_ref().map(FileSide::stored);
        let new = change.new.as_ref().map(FileSide::stored);
        let path = change.path.clone();
        let Some((_, _, mut now)) = self.next_if(|found| *found == path) else {
            return Ok(Some(FileDiff::new(path, old, new)));
        };
        if let (Some(now), Some(old), Some(root)) = (&mut now, &old, self.root)
            && (now.id.is_none() && now.size == old.size)
        {
            let files = [(&path, now.kind)];
            let answer = hash_files(root, &files, 1, self.overlay.progress).pop();
            match answer {
                Some(Now::Content(id, _)) => now.id = Some(id),
                Some(Now::Unreadable(error)) => self.failures.push((path.clone(), error)),
                Some(Now::Moving) | None => {}
            }
        }
        let is_alike = match (&old, &now) {
            (None, None) => true,
            (Some(old), Some(now)) => (old.id, old.kind) == (now.id, now.kind),
            _ => false,
        };
        Ok((!is_alike).then(|| FileDiff::new(path, old, now)))
    }

    fn next_if(
        &mut self,
        is_due: impl Fn(&TreePath) -> bool,
    ) -> Option<(TreePath, Record, Option<FileSide>)> {
        loop {
            let due = self.findings.next_if(|finding| match finding {
                Finding::File { path, .. } => is_due(path),
                Finding::Unreadable { .. } | Finding::Problem(_) => true,
            })?;
            match due {
                Finding::File { path, staged, now } => return Some((path, staged, now)),
                Finding::Unreadable { path, error } => self.failures.push((path, error)),
                Finding::Problem(problem) => self.problems.push(problem),
            }
        }
    }
}

/// The side of what is staged.
fn of_record(record: &Record) -> FileSide {
    let Record { stamp, id } = record;
    FileSide { kind: stamp.kind(), size: stamp.size, id: Some(*id), is_in_worktree: false }
}
