//! From changed files to a new staged tree: scan, read, edit the tree, note the stamps.
//!
//! A window of files is read at a time, so memory does not grow with their number; the tree is
//! edited by a thread of its own while the next window is read.

use std::io;
use std::sync::Mutex;

use crossbeam_channel::{Receiver, Sender};

use super::{Error, Repository};
use crate::object::tree::{self, Edit, NewNode, Summary, Target};
use crate::object::{ObjectId, TreePath};
use crate::progress::Progress;
use crate::store::{IngestFailure, IngestRequest, Ingested, Look, Transaction, ingest};
use crate::threads;
use crate::worktree::directory::Directory;
use crate::worktree::open;
use crate::worktree::scan::{Batch, Change, Found, Problem, ScanRequest, is_gone, scan};
use crate::worktree::stamps::{FileKind, Record, Stamp, Stamps, StampsWriter};

/// Files that are read before their results go on, and bytes of them. The first window is small, so
/// that the tree is edited soon; each next one is twice as large, as long as they are filled.
const WINDOW_FILES_MIN: usize = 1 << 9;
const WINDOW_FILES_MAX: usize = 1 << 15;
const WINDOW_BYTES: u64 = 1 << 30;

/// Changed files whose earlier versions are worth reading, whatever their size; of more than these,
/// only those of files from this many bytes on. What many small ones save is not worth the time.
const FEW_FILES: usize = 256;
const LARGE_BYTES: u64 = 128 << 10;

/// Edits on their way to the tree.
const EDITS_UNDER_WAY: usize = 512;

/// Which files to take in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Intake<'a> {
    /// Files and directories; none means everything.
    pub paths: &'a [TreePath],
    /// Whether ignored files are taken as well.
    pub takes_ignored: bool,
    /// Whether files that are not tracked yet are taken.
    pub takes_new: bool,
    /// Whether to read and store, or only to tell what would be.
    pub is_dry_run: bool,
    /// Counts, and stops.
    pub progress: &'a Progress,
}

/// What was taken in.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// The tree with all of it.
    pub tree: Option<Summary>,
    /// Files that are new in the tree.
    pub added: u64,
    /// Files whose content or kind is another now.
    pub modified: u64,
    /// Files that are gone.
    pub removed: u64,
    /// Their paths, only in a dry run.
    pub paths: Vec<(Change, TreePath)>,
    /// Files that could not be read, and why.
    pub failures: Vec<(TreePath, IngestFailure)>,
    /// What was left alone.
    pub problems: Vec<Problem>,
}

/// What was found out about one file of a window.
enum Outcome {
    /// Its content and how it looks.
    Content(Target, Stamp),
    /// It is to be forgotten.
    Gone,
    /// It is left as it is.
    Left,
}

impl Repository {
    /// Takes changed files in, on top of `stamps`, and writes the new stamps.
    ///
    /// Shape: all objects are in `transaction`; the caller finishes it before it stages the tree.
    /// Errors: of the store and of the scan; a file that cannot be read is in the report.
    pub(super) fn take_in(
        &self,
        intake: &Intake<'_>,
        stamps: &Stamps,
        writer: &mut StampsWriter<'_>,
        transaction: &Transaction<'_>,
    ) -> Result<Taken, Error> {
        let root = open::root(&self.location.root)
            .map_err(|error| Error::io("open the worktree", &self.location.root, error))?;
        let read = |edits| {
            let mut window = Window {
                intake,
                root: &root,
                transaction,
                writer,
                edits,
                batches: Vec::new(),
                files: 0,
                files_max: WINDOW_FILES_MIN,
                bytes: 0,
                taken: Taken::default(),
            };
            let request = ScanRequest {
                root: &root,
                stamps: Some(stamps),
                paths: intake.paths,
                takes_ignored: intake.takes_ignored,
                collapses_new: false,
                thread_count: threads::count(),
                progress: intake.progress,
            };
            scan(&request, |batch| window.take(batch)).and_then(|()| window.flush())?;
            Ok::<_, Error>(window.taken)
        };
        let edit = |to_edit| self.edit_tree(stamps.tree(), to_edit, transaction);
        let (taken, tree) = threads::consume_beside(EDITS_UNDER_WAY, read, edit);
        let taken = taken?;
        Ok(Taken { tree: Some(tree?), ..taken })
    }

    fn edit_tree(
        &self,
        tree: ObjectId,
        edits: Receiver<(TreePath, Edit)>,
        transaction: &Transaction<'_>,
    ) -> Result<Summary, Error> {
        let load = |id: &ObjectId| transaction.node(id).map_err(Error::from);
        let emit = |node: NewNode<'_>| transaction.put_node(node).map_err(Error::from);
        tree::edit(Some(tree), edits, load, emit)
    }
}

/// Batches of the scan until there are enough files to read.
struct Window<'a, 's, 'w> {
    intake: &'a Intake<'a>,
    root: &'a Directory,
    transaction: &'a Transaction<'s>,
    writer: &'a mut StampsWriter<'w>,
    edits: Sender<(TreePath, Edit)>,
    batches: Vec<Batch>,
    files: usize,
    /// Files of a full window.
    files_max: usize,
    bytes: u64,
    taken: Taken,
}

impl Window<'_, '_, '_> {
    /// Takes a batch, and reads the window once it is full.
    fn take(&mut self, mut batch: Batch) -> Result<(), Error> {
        self.taken.problems.append(&mut batch.problems);
        if !self.intake.takes_new {
            batch.found.retain(|found| found.change != Change::New);
        }
        self.files += batch.found.len();
        // A sparse file may claim as many bytes as a number holds.
        let sizes = batch.found.iter().map(|found| found.stamp.size);
        self.bytes = sizes.fold(self.bytes, u64::saturating_add);
        self.batches.push(batch);
        if self.files < self.files_max && self.bytes < WINDOW_BYTES {
            return Ok(());
        }
        self.flush()?;
        self.files_max = WINDOW_FILES_MAX.min(2 * self.files_max);
        Ok(())
    }

    /// Reads the files of the window and passes on what became of them.
    fn flush(&mut self) -> Result<(), Error> {
        let batches = std::mem::take(&mut self.batches);
        (self.files, self.bytes) = (0, 0);
        if self.intake.is_dry_run {
            for found in batches.into_iter().flat_map(|batch| batch.found) {
                self.taken.paths.push((found.change, found.path));
            }
            return Ok(());
        }
        let mut outcomes = self.read(&batches)?.into_iter();
        for batch in batches {
            if let Some(seen) = batch.seen {
                self.writer.seen(batch.directory.as_ref(), seen)?;
            }
            for found in batch.found {
                let outcome = outcomes.next().unwrap_or(Outcome::Left);
                self.apply(found, outcome)?;
            }
        }
        Ok(())
    }

    /// Finds out what every file of the window is now, in their order.
    fn read(&mut self, batches: &[Batch]) -> Result<Vec<Outcome>, Error> {
        let files: Vec<&Found> = batches.iter().flat_map(|batch| &batch.found).collect();
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(files.len());
        for found in &files {
            outcomes.push(match found.stamp.kind() {
                _ if found.change == Change::Missing => Outcome::Gone,
                Some(FileKind::Symlink) => self.link(found)?,
                _ => Outcome::Left,
            });
        }
        let is_file = |kind| matches!(kind, Some(FileKind::File | FileKind::Executable));
        let to_read = files
            .iter()
            .enumerate()
            .filter(|(_, found)| found.change != Change::Missing && is_file(found.stamp.kind()))
            .map(|(position, found)| (position, found.stamp.size));
        let modified = files.iter().filter(|found| found.tracked.is_some()).count();
        let is_few = modified <= FEW_FILES;
        let results = Mutex::new((&mut outcomes, Vec::new()));
        let request = IngestRequest {
            open: &|position: &usize| open::open_file(self.root, &files[*position].path),
            look: &|file: &_| {
                let look = |stamp: Stamp| Look { bytes: stamp.size, stamp };
                Ok(open::look(file)?.map(look))
            },
            before: &|position: &usize| {
                let found = files[*position];
                let is_worth_it = is_few || found.stamp.size >= LARGE_BYTES;
                found.tracked.filter(|_| is_worth_it).map(|tracked| tracked.id)
            },
            done: &|position, result| {
                let mut results = results.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                match result {
                    Ok(ingested) => results.0[position] = content(&ingested),
                    Err(failure) => {
                        results.1.push((files[position].path.clone(), meanwhile(failure)));
                    }
                }
            },
            progress: self.intake.progress,
        };
        ingest(self.transaction, &request, to_read)?;
        let (_, mut failures) =
            results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        failures.sort_by(|a, b| a.0.cmp(&b.0));
        self.taken.failures.append(&mut failures);
        Ok(outcomes)
    }

    /// Stores the target of a symbolic link.
    fn link(&mut self, found: &Found) -> Result<Outcome, Error> {
        match open::read_link(self.root, &found.path) {
            Ok(target) => {
                let id = self.transaction.put_small_blob(&target)?;
                let size = target.len() as u64;
                Ok(Outcome::Content(Target::Symlink { id, size }, found.stamp))
            }
            Err(error) => {
                self.taken.failures.push((found.path.clone(), meanwhile(error.into())));
                Ok(Outcome::Left)
            }
        }
    }

    /// Passes on what became of one file.
    fn apply(&mut self, found: Found, outcome: Outcome) -> Result<(), Error> {
        let Found { path, tracked, .. } = found;
        match outcome {
            Outcome::Left => Ok(()),
            Outcome::Gone => {
                self.taken.removed += 1;
                self.writer.remove(&path)?;
                self.edit(path, Edit::Remove)
            }
            Outcome::Content(target, stamp) => {
                let record = Record { stamp, id: target.id() };
                self.writer.put(&path, record)?;
                match tracked {
                    Some(old) if old.id == record.id && old.stamp.kind() == stamp.kind() => Ok(()),
                    Some(_) => {
                        self.taken.modified += 1;
                        self.edit(path, Edit::Put(target))
                    }
                    None => {
                        self.taken.added += 1;
                        self.edit(path, Edit::Put(target))
                    }
                }
            }
        }
    }

    fn edit(&mut self, path: TreePath, edit: Edit) -> Result<(), Error> {
        // The editor is only gone if it failed, and then its error is the one to report.
        let _ = self.edits.send((path, edit));
        Ok(())
    }
}

/// Tells a file that became something else since it was found from one that cannot be read.
fn meanwhile(failure: IngestFailure) -> IngestFailure {
    match failure {
        // Of a link that is none any more the system says that the argument is invalid.
        IngestFailure::Io(error)
            if is_gone(&error) || error.kind() == io::ErrorKind::InvalidInput =>
        {
            IngestFailure::Changed
        }
        failure => failure,
    }
}

/// What a file that was read is in a tree.
fn content(ingested: &Ingested<Stamp>) -> Outcome {
    let Ingested { id, sha256, bytes, stamp } = *ingested;
    let executable = stamp.kind() == Some(FileKind::Executable);
    Outcome::Content(Target::File { id, size: bytes, sha256, executable }, stamp)
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    /// A commit said that the remote was not reached, or that a revision was not found.
    #[test]
    fn a_file_that_is_something_else_by_now_has_changed() {
        for error in [Errno::LOOP, Errno::NOENT, Errno::NOTDIR, Errno::INVAL] {
            let failure = meanwhile(io::Error::from(error).into());
            assert!(matches!(failure, IngestFailure::Changed), "{error:?}");
        }
        for error in [Errno::ACCESS, Errno::IO, Errno::MFILE] {
            let failure = meanwhile(io::Error::from(error).into());
            assert!(matches!(failure, IngestFailure::Io(_)), "{error:?}");
        }
    }
}
