//! What differs between two states, file by file: commits, the stage, the worktree.
//!
//! Every question is one walk: two trees are compared, reading only what differs, and where the
//! worktree is asked for, what differs from the stage there is laid over it.

mod content;
mod overlay;
pub(super) mod read;
mod renames;
#[cfg(feature = "parquet")]
mod scratches;
mod sides;
mod weights;

use super::halt::Halt;
use super::table::RowDiff;
use super::{Error, Hunk, KeyChange, Repository};
use crate::object::tree::{Target, diff as diff_trees};
use crate::object::{ObjectId, TreePath};
use crate::progress::{Phase, Progress};
use crate::worktree::scan::{Problem, ScanError};
use crate::worktree::stamps::FileKind;
use content::Contents;
use overlay::Overlay;

pub use sides::{DiffSides, diff_sides, leading_names};
pub use weights::Tensors;

/// Longer texts are not compared line by line, bytes.
pub const PATCH_BYTES_MAX: u64 = 4 << 20;

/// Changes that are held back to find renames; more come as they are found, without renames.
const HELD_MAX: usize = 50_000;

/// Says what to compare.
#[derive(Debug, Clone)]
pub struct DiffRequest {
    /// The two states.
    pub sides: DiffSides,
    /// Files and directories, in order, none twice; none means everything.
    pub paths: Vec<TreePath>,
    /// Whether contents are compared too, or only told to differ.
    pub reads_contents: bool,
    /// How many rows of each kind to show of tables; none compares them as other texts.
    pub row_samples: Option<usize>,
}

/// One file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDiff {
    /// Where it is now, or was.
    pub path: TreePath,
    /// Where it was, and by how many percent of its bytes it is the same, if it was renamed.
    pub renamed: Option<(TreePath, u8)>,
    /// What it was.
    pub old: Option<FileSide>,
    /// What it is.
    pub new: Option<FileSide>,
    /// How the contents differ, if that was asked for.
    pub content: Option<ContentDiff>,
    /// Why they are not compared by row, if the name is that of a table.
    pub no_table: Option<String>,
}

/// What stands at a path on one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSide {
    /// What it is; none for what stands in no worktree, such as a commit.
    pub kind: Option<FileKind>,
    /// Bytes.
    pub size: u64,
    /// Its content; not known of a file in the worktree that nobody had to read.
    pub id: Option<ObjectId>,
    /// Whether the bytes are read from the worktree.
    is_in_worktree: bool,
}

/// How two contents differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentDiff {
    /// Not at all: only the name or the mode is another.
    Same,
    /// By key, as both are configurations.
    Keys(Vec<KeyChange>),
    /// Row by row, as both are tables.
    Rows(Box<RowDiff>),
    /// Line by line.
    Patch(Vec<Hunk>),
    /// The targets of links, where they are links.
    Links {
        /// Of the old one.
        old: Option<Vec<u8>>,
        /// Of the new one.
        new: Option<Vec<u8>>,
    },
    /// They are not text.
    Binary {
        /// What they are: "PNG image".
        what: &'static str,
        /// How their tensors differ, if they are weights.
        tensors: Option<Tensors>,
    },
    /// They are text longer than [`PATCH_BYTES_MAX`].
    TooLarge,
}

/// Counts what differs.
#[derive(Debug, Default)]
pub struct DiffReport {
    /// Files that are new.
    pub added: u64,
    /// Files that are gone.
    pub removed: u64,
    /// Files that are others, links and renamed ones apart.
    pub changed: u64,
    /// Files that have another name.
    pub renamed: u64,
    /// Whether there were too many changes to look for renames.
    pub skips_renames: bool,
    /// Files that could not be read, and why.
    pub failures: Vec<(TreePath, std::io::Error)>,
    /// What was left alone in the worktree.
    pub problems: Vec<Problem>,
}

impl DiffReport {
    /// Counts all files that differ.
    pub const fn total(&self) -> u64 {
        self.added + self.removed + self.changed + self.renamed
    }
}

impl FileDiff {
    fn new(path: TreePath, old: Option<FileSide>, new: Option<FileSide>) -> Self {
        Self { path, renamed: None, old, new, content: None, no_table: None }
    }

    /// Tells whether a file became a link, or the reverse.
    pub fn is_retyped(&self) -> bool {
        let is_link = |side: &FileSide| side.kind == Some(FileKind::Symlink);
        matches!((&self.old, &self.new), (Some(old), Some(new)) if is_link(old) != is_link(new))
    }
}

impl FileSide {
    /// Gives the side of an entry of a tree.
    pub(super) fn stored(target: &Target) -> Self {
        let (kind, size) = match *target {
            Target::File { size, executable: false, .. } => (Some(FileKind::File), size),
            Target::File { size, executable: true, .. } => (Some(FileKind::Executable), size),
            Target::Symlink { size, .. } => (Some(FileKind::Symlink), size),
            Target::Directory { bytes, .. } => (None, bytes),
            Target::Commit { .. } => (None, 0),
        };
        Self { kind, size, id: Some(target.id()), is_in_worktree: false }
    }

    fn is_file(&self) -> bool {
        matches!(self.kind, Some(FileKind::File | FileKind::Executable))
    }
}

/// Counts how the tensors of a file differ in the worktree from what is recorded.
///
/// Shape: `None` for what holds no tensors, or cannot be read as if it did.
pub(super) fn tensors(
    repository: &Repository,
    path: &TreePath,
    recorded: (ObjectId, u64),
    now_bytes: u64,
    progress: &Progress,
) -> Result<Option<Tensors>, Error> {
    let side =
        |id, size| FileSide { kind: Some(FileKind::File), size, id, is_in_worktree: id.is_none() };
    let (id, bytes) = recorded;
    let (old, new) = (side(Some(id), bytes), side(None, now_bytes));
    let diff = FileDiff::new(path.clone(), Some(old), Some(new));
    let request = DiffRequest {
        sides: DiffSides::Worktree { old: None },
        paths: Vec::new(),
        reads_contents: true,
        row_samples: None,
    };
    match Contents::new(repository, &request, progress).compare(&diff) {
        Ok(Some(ContentDiff::Binary { tensors, .. })) => Ok(tensors),
        Ok(_) | Err(read::Refusal::Unreadable(_)) => Ok(None),
        Err(read::Refusal::Store(error)) => Err(error),
    }
}

/// Compares two states; each file that differs is handed to `take`, in the order of paths.
///
/// Shape: files that are not tracked are not compared. Renames are found among the first 50,000
/// changes: of the same content, or of small texts that share half of their bytes.
/// Errors: those of `take` and of the store; what cannot be read is in the report.
/// Cost: reads the nodes in which the trees differ, looks at each file of the worktree if that is
/// a side, and reads the contents of what differs, of each at most [`PATCH_BYTES_MAX`] at once.
pub fn diff<E: From<Error>>(
    repository: &Repository,
    request: &DiffRequest,
    progress: &Progress,
    take: impl FnMut(FileDiff) -> Result<(), E>,
) -> Result<DiffReport, E> {
    progress.begin(Phase { name: "comparing", ..Phase::default() });
    let mut found = Found {
        contents: Contents::new(repository, request, progress),
        held: Vec::new(),
        report: DiffReport::default(),
        progress,
        take,
    };
    let walked = match walk(repository, request, progress, &mut found) {
        // Stamps are derived: damaged ones are made again, if nothing was handed over yet.
        Err(Halt::Own(Error::Scan(ScanError::Stamps(_)))) if !found.report.skips_renames => {
            (found.held, found.report) = Default::default();
            let mut reader = repository.store.reader();
            let tree = repository.staged_tree(&mut reader)?;
            repository.remake_stamps(&mut reader, tree)?;
            walk(repository, request, progress, &mut found)
        }
        walked => walked,
    };
    walked.and_then(|()| found.finish()).map_err(Halt::into_error)?;
    Ok(found.report)
}

/// Walks both sides at once.
fn walk<E, T: FnMut(FileDiff) -> Result<(), E>>(
    repository: &Repository,
    request: &DiffRequest,
    progress: &Progress,
    found: &mut Found<'_, T>,
) -> Result<(), Halt<E>> {
    let mut reader = repository.store.reader();
    let (old, new, is_worktree) = match request.sides {
        DiffSides::Trees { old, new } => (old, new, false),
        DiffSides::Worktree { old } => {
            let stage = repository.staged_tree(&mut reader)?;
            (old.unwrap_or(stage), stage, true)
        }
    };
    let overlay = Overlay { repository, paths: &request.paths, progress };
    let stage = is_worktree.then_some(new);
    overlay.with(stage, &mut reader, |reader, changes| {
        let mut prefixes: Vec<Option<&TreePath>> = disjoint(&request.paths).map(Some).collect();
        if prefixes.is_empty() {
            prefixes.push(None);
        }
        for prefix in prefixes {
            let load = |id: &ObjectId| Ok::<_, Halt<E>>(reader.node(id)?);
            diff_trees(Some(old), Some(new), prefix, load, |change| {
                changes.before(&change.path, |diff| found.add(diff))?;
                match changes.lay_over(&change)? {
                    Some(diff) => found.add(diff),
                    None => Ok(()),
                }
            })?;
        }
        changes.rest(|diff| found.add(diff))?;
        found.report.failures.append(&mut changes.failures);
        found.report.problems.append(&mut changes.problems);
        Ok(())
    })
}

/// Leaves out paths that lie below others; `paths` are sorted.
fn disjoint(paths: &[TreePath]) -> impl Iterator<Item = &TreePath> {
    let mut last: Option<&TreePath> = None;
    paths.iter().filter(move |path| {
        let is_below = last.is_some_and(|last| path.starts_with(last));
        if !is_below {
            last = Some(path);
        }
        !is_below
    })
}

/// What was found, on its way to the taker.
struct Found<'a, T> {
    contents: Contents<'a>,
    held: Vec<FileDiff>,
    report: DiffReport,
    progress: &'a Progress,
    take: T,
}

impl<T> Found<'_, T> {
    fn add<E>(&mut self, diff: FileDiff) -> Result<(), Halt<E>>
    where
        T: FnMut(FileDiff) -> Result<(), E>,
    {
        self.progress.check().map_err(Error::from)?;
        if self.report.skips_renames {
            return self.give(diff);
        }
        self.held.push(diff);
        if self.held.len() > HELD_MAX {
            self.report.skips_renames = true;
            return self.give_held();
        }
        Ok(())
    }

    fn finish<E>(&mut self) -> Result<(), Halt<E>>
    where
        T: FnMut(FileDiff) -> Result<(), E>,
    {
        let held = std::mem::take(&mut self.held);
        self.held = renames::find(held, &mut self.contents.files, self.progress)?;
        self.give_held()
    }

    fn give_held<E>(&mut self) -> Result<(), Halt<E>>
    where
        T: FnMut(FileDiff) -> Result<(), E>,
    {
        for diff in std::mem::take(&mut self.held) {
            self.give(diff)?;
        }
        Ok(())
    }

    fn give<E>(&mut self, mut diff: FileDiff) -> Result<(), Halt<E>>
    where
        T: FnMut(FileDiff) -> Result<(), E>,
    {
        self.progress.check().map_err(Error::from)?;
        match self.contents.compare(&diff) {
            Ok(content) => {
                diff.content = content;
                diff.no_table = self.contents.no_table.take();
            }
            Err(read::Refusal::Unreadable(error)) => {
                self.report.failures.push((diff.path.clone(), error));
            }
            Err(read::Refusal::Store(error)) => return Err(error.into()),
        }
        let count = match (&diff.old, &diff.new) {
            _ if diff.renamed.is_some() => &mut self.report.renamed,
            (None, _) => &mut self.report.added,
            (_, None) => &mut self.report.removed,
            _ => &mut self.report.changed,
        };
        *count += 1;
        (self.take)(diff).map_err(Halt::Taker)
    }
}
