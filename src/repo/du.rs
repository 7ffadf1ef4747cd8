//! How much room the staged files take: logical, unique and stored, by path and by kind.

use std::collections::BTreeSet;

use super::{Error, Repository};
use crate::object::tree::{self, EMPTY_TREE, Target};
use crate::object::{ObjectId, TreePath};
use crate::progress::{Phase, Progress};
use crate::store::usage::{self, Contents, Meter, Usage};

/// Says what to count.
#[derive(Debug, Clone, Default)]
pub struct DuRequest {
    /// Paths from the root of the worktree; the entries at its top if none is given.
    pub paths: Vec<TreePath>,
}

/// What one path takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathUsage {
    /// The path.
    pub path: TreePath,
    /// Files below it.
    pub files: u64,
    /// Their length in bytes, each time it occurs.
    pub logical_bytes: u64,
    /// Distinct contents: how many, their length once each, and what is stored for them.
    pub unique: Usage,
}

/// Tells how much room everything takes.
#[derive(Debug)]
pub struct DuReport {
    /// What each path takes; what paths share counts for each of them.
    pub paths: Vec<PathUsage>,
    /// What all of them take together.
    pub total: PathUsageTotal,
    /// What each kind of object takes, over all of history.
    pub kinds: Vec<(&'static str, Usage)>,
    /// The length of all packs in bytes.
    pub pack_bytes: u64,
    /// The length of the journal in bytes.
    pub journal_bytes: u64,
}

/// What all paths take together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PathUsageTotal {
    /// Files.
    pub files: u64,
    /// Their length in bytes.
    pub logical_bytes: u64,
    /// Distinct contents.
    pub unique: Usage,
}

/// Counts.
///
/// Errors: [`Error::NotFound`] for a path that is not staged.
/// Cost: reads the staged tree, the chunk maps of its large files, and all footers.
pub fn du(
    repository: &Repository,
    request: &DuRequest,
    progress: &Progress,
) -> Result<DuReport, Error> {
    progress.begin(Phase { name: "counting", ..Phase::default() });
    let mut reader = repository.store.reader();
    let root = repository.staged_tree(&mut reader)?;
    let mut all = Meter::new(&repository.store);
    let mut total = PathUsageTotal::default();
    let mut paths = Vec::new();
    for path in asked(repository, &root, &request.paths)? {
        let mut meter = Meter::new(&repository.store);
        let (mut files, mut logical_bytes, mut is_there) = (0, 0, false);
        for entry in tree::walk(&root, Some(&path), |id| reader.node(id))? {
            progress.check()?;
            is_there = true;
            let (id, size) = match entry?.target {
                Target::File { id, size, .. } | Target::Symlink { id, size } => (id, size),
                Target::Directory { .. } | Target::Commit { .. } => continue,
            };
            meter.blob(&id, size)?;
            all.blob(&id, size)?;
            files += 1;
            logical_bytes += size;
            progress.add_files(1);
        }
        if !is_there {
            let name = String::from_utf8_lossy(path.as_bytes()).into_owned();
            return Err(Error::NotFound { what: "path", name });
        }
        total.files += files;
        total.logical_bytes += logical_bytes;
        paths.push(PathUsage { path, files, logical_bytes, unique: meter.usage() });
    }
    total.unique = all.usage();
    let Contents { kinds, pack_bytes } = usage::by_kind(&repository.store)?;
    let journal_bytes = usage::journal_bytes(&repository.store)?;
    Ok(DuReport { paths, total, kinds, pack_bytes, journal_bytes })
}

/// Gives the paths to count, none inside another.
fn asked(
    repository: &Repository,
    root: &ObjectId,
    paths: &[TreePath],
) -> Result<Vec<TreePath>, Error> {
    let mut asked: BTreeSet<TreePath> = paths.iter().cloned().collect();
    if asked.is_empty() && *root != EMPTY_TREE {
        let mut reader = repository.store.reader();
        let mut walk = tree::walk(root, None, |id| reader.node(id))?;
        while let Some(entry) = walk.next() {
            asked.insert(entry?.path);
            walk.skip_directory();
        }
    }
    let mut apart: Vec<TreePath> = Vec::new();
    for path in asked {
        let is_inside = |above: &TreePath| {
            let rest = path.as_bytes().strip_prefix(above.as_bytes());
            rest.is_some_and(|rest| rest.starts_with(b"/"))
        };
        if !apart.last().is_some_and(is_inside) {
            apart.push(path);
        }
    }
    Ok(apart)
}
