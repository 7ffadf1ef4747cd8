//! What differs: the stage from the head, and the worktree from the stage.

use super::source::{StaleSource, stale_in};
use super::splits::overlaps_of;
use super::{Error, Repository};
use crate::object::tree;
use crate::object::{ObjectId, Overlaps, TreePath};
use crate::progress::{Phase, Progress};
use crate::store::Reader;
use crate::threads;
use crate::worktree::compare::{Now, hash_files};
use crate::worktree::head::Head;
use crate::worktree::lock::WorktreeLock;
use crate::worktree::scan::{Batch, Change, Found, Problem, ScanRequest, scan};
use crate::worktree::stamps::{self, Record, Stamps, StampsWriter};
use crate::worktree::{bisect, local, open};

/// Says what to compare.
#[derive(Debug, Clone, Default)]
pub struct StatusRequest {
    /// Files and directories; none means everything.
    pub paths: Vec<TreePath>,
    /// Whether files in directories without any tracked file are named one by one.
    pub lists_new: bool,
}

/// How one file differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusEntry {
    /// Where.
    pub path: TreePath,
    /// In which way.
    pub difference: Difference,
}

/// The ways to differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Difference {
    /// It was not there before.
    Added,
    /// Its content or mode is another.
    Modified,
    /// It is gone.
    Deleted,
    /// A file became a symbolic link, or the reverse.
    KindChanged,
    /// Nothing is staged for it.
    Untracked,
    /// Nothing is staged in the whole directory.
    UntrackedDirectory,
}

/// Tells what differs.
#[derive(Debug)]
pub struct StatusReport {
    /// What the worktree stands on.
    pub head: Head,
    /// The commit it stands on; none before the first.
    pub commit: Option<ObjectId>,
    /// What the next commit would change, in the order of paths.
    pub staged: Vec<StatusEntry>,
    /// What `add` would stage, in the order of paths; untracked files apart.
    pub unstaged: Vec<StatusEntry>,
    /// What is not tracked.
    pub untracked: Vec<StatusEntry>,
    /// What was left alone.
    pub problems: Vec<Problem>,
    /// Tracked files that were compared.
    pub compared: u64,
    /// What the splits of that commit share, if it says so.
    pub overlaps: Option<Overlaps>,
    /// Whether a search for the commit that broke it is under way.
    pub is_bisecting: bool,
    /// Sources that have changed since what is staged of them was recorded, by name.
    pub stale: Vec<StaleSource>,
}

impl StatusReport {
    /// Tells whether there is nothing to stage or to record.
    pub fn is_clean(&self) -> bool {
        self.staged.is_empty() && self.unstaged.is_empty() && self.untracked.is_empty()
    }
}

/// Compares.
///
/// Shape: what was found to be unchanged although its stamp was not is noted, so that it is not
/// read again, unless another command is at work. Cost: one look at each tracked file; contents
/// are read only where a stamp changed, trees only where the stage differs from the head.
pub fn status(
    repository: &Repository,
    request: &StatusRequest,
    progress: &Progress,
) -> Result<StatusReport, Error> {
    let mut reader = repository.store.reader();
    let head = repository.head()?;
    let commit = repository.head_commit()?;
    let before = repository.tree_of(&mut reader, commit)?;
    let stage = local::load_stage(&repository.location.folder)?.unwrap_or(before);
    let staged = compare_trees(&mut reader, before, stage, &request.paths)?;
    progress.begin(Phase { name: "comparing files", ..Phase::default() });
    let compared = match compare_worktree(repository, request, &mut reader, stage, progress) {
        Err(Error::Scan(crate::worktree::scan::ScanError::Stamps(_))) => {
            repository.remake_stamps(&mut reader, stage)?;
            compare_worktree(repository, request, &mut reader, stage, progress)?
        }
        outcome => outcome?,
    };
    let (untracked, unstaged) = compared.entries.into_iter().partition(|entry| {
        matches!(entry.difference, Difference::Untracked | Difference::UntrackedDirectory)
    });
    let (problems, compared) = (compared.problems, compared.count);
    let stale = stale_in(repository, &mut reader, &stage)?;
    let is_bisecting = bisect::is_under_way(&repository.location.folder);
    let overlaps = match commit {
        // What is damaged is told by `fsck`; what differs is not held up by it.
        Some(id) => {
            let named = reader.commit(&id)?.overlaps;
            overlaps_of(&mut reader, named).unwrap_or(None)
        }
        None => None,
    };
    Ok(StatusReport {
        head,
        commit,
        staged,
        unstaged,
        untracked,
        problems,
        compared,
        overlaps,
        is_bisecting,
        stale,
    })
}

/// Finds what the stage changes.
fn compare_trees(
    reader: &mut Reader<'_>,
    before: ObjectId,
    stage: ObjectId,
    paths: &[TreePath],
) -> Result<Vec<StatusEntry>, Error> {
    let mut entries = Vec::new();
    if before == stage {
        return Ok(entries);
    }
    let wanted =
        |path: &TreePath| paths.is_empty() || paths.iter().any(|prefix| path.starts_with(prefix));
    let load = |id: &ObjectId| reader.node(id).map_err(Error::from);
    tree::diff(Some(before), Some(stage), None, load, |change| {
        let difference = match (&change.old, &change.new) {
            (None, _) => Difference::Added,
            (_, None) => Difference::Deleted,
            (Some(old), Some(new)) if old.is_symlink() != new.is_symlink() => {
                Difference::KindChanged
            }
            _ => Difference::Modified,
        };
        if wanted(&change.path) {
            entries.push(StatusEntry { path: change.path, difference });
        }
        Ok::<_, Error>(())
    })?;
    Ok(entries)
}

/// What the walk over the worktree found.
#[derive(Default)]
struct Compared {
    entries: Vec<StatusEntry>,
    problems: Vec<Problem>,
    count: u64,
}

fn compare_worktree(
    repository: &Repository,
    request: &StatusRequest,
    reader: &mut Reader<'_>,
    stage: ObjectId,
    progress: &Progress,
) -> Result<Compared, Error> {
    let location = &repository.location;
    let root = open::root(&location.root)
        .map_err(|error| Error::io("open the worktree", &location.root, error))?;
    let stamps = repository.stamps(reader, stage)?;
    let temporaries = local::temporaries(&location.folder);
    let moment = stamps::moment(&temporaries).ok();
    let request = ScanRequest {
        root: &root,
        stamps: Some(&stamps),
        paths: &request.paths,
        takes_ignored: false,
        collapses_new: !request.lists_new,
        thread_count: threads::count(),
        progress,
    };
    let mut compared = Compared::default();
    let mut batches: Vec<Batch> = Vec::new();
    scan(&request, |mut batch| {
        compared.problems.append(&mut batch.problems);
        compared.count += batch.unchanged_count;
        batch.found.retain(|found| !compared.note_known(found));
        if !batch.found.is_empty() || batch.seen.is_some() {
            batches.push(batch);
        }
        Ok::<_, Error>(())
    })?;
    let proved = compared.read(&root, &batches, progress)?;
    let is_whole = request.paths.is_empty();
    if let (Some(moment), true) = (moment, is_whole && proved.iter().any(Option::is_some)) {
        // Only a saving of work: whatever goes wrong, the next status does it again.
        let _saved = save(repository, &stamps, batches, &proved, stage, moment);
    }
    compared.entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(compared)
}

impl Compared {
    /// Notes a file of which it is known how it differs; false if only its content can say.
    ///
    /// What is known is not kept until the walk is over: it may be a million files.
    fn note_known(&mut self, found: &Found) -> bool {
        if is_doubtful(found) {
            return false;
        }
        let difference = match found.change {
            Change::New => Difference::Untracked,
            Change::NewDirectory => Difference::UntrackedDirectory,
            Change::Missing => Difference::Deleted,
            Change::KindChanged => Difference::KindChanged,
            Change::Modified => Difference::Modified,
        };
        self.entries.push(StatusEntry { path: found.path.clone(), difference });
        true
    }

    /// Notes the doubtful files that differ; gives, in order, the new records of those that do not.
    fn read(
        &mut self,
        root: &crate::worktree::directory::Directory,
        batches: &[Batch],
        progress: &Progress,
    ) -> Result<Vec<Option<Record>>, Error> {
        let found: Vec<&Found> = batches.iter().flat_map(|batch| &batch.found).collect();
        let doubtful: Vec<_> =
            found.iter().map(|found| (&found.path, found.stamp.kind())).collect();
        let answers = hash_files(root, &doubtful, threads::count(), progress);
        progress.check()?;
        let mut proved = Vec::with_capacity(found.len());
        for (found, answer) in found.into_iter().zip(answers) {
            let record = proof(found, answer);
            match record {
                Some(_) => self.count += 1,
                None => self.entries.push(StatusEntry {
                    path: found.path.clone(),
                    difference: Difference::Modified,
                }),
            }
            proved.push(record);
        }
        Ok(proved)
    }
}

/// Tells whether only the content can say if a file differs.
fn is_doubtful(found: &Found) -> bool {
    let is_alike = |tracked: &Record| {
        tracked.stamp.size == found.stamp.size && tracked.stamp.kind() == found.stamp.kind()
    };
    found.change == Change::Modified && found.tracked.as_ref().is_some_and(is_alike)
}

/// Gives the record of a file that turned out to hold what is staged.
fn proof(found: &Found, answer: Now) -> Option<Record> {
    let tracked = found.tracked.as_ref()?;
    match answer {
        Now::Content(id, stamp) if id == tracked.id && stamp.kind() == tracked.stamp.kind() => {
            Some(Record { stamp, id })
        }
        _ => None,
    }
}

/// Notes what was proved, so that it is not read again.
fn save(
    repository: &Repository,
    stamps: &Stamps,
    batches: Vec<Batch>,
    proved: &[Option<Record>],
    stage: ObjectId,
    moment: i64,
) -> Result<(), Error> {
    let folder = &repository.location.folder;
    let Some(_lock) = WorktreeLock::try_take(&local::lock_file(folder))? else { return Ok(()) };
    if Stamps::open(&local::stamps_file(folder)).map(|now| now.tree()) != Some(stage) {
        return Ok(());
    }
    let mut writer = StampsWriter::new(Some(stamps), &local::temporaries(folder), moment)?;
    let mut proved = proved.iter();
    for batch in batches {
        if let Some(seen) = batch.seen {
            writer.seen(batch.directory.as_ref(), seen)?;
        }
        for found in batch.found {
            if let Some(Some(record)) = proved.next() {
                writer.put(&found.path, *record)?;
            }
        }
    }
    writer.finish(&local::stamps_file(folder), &stage)?;
    Ok(())
}
