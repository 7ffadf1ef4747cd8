//! What a run began with, found from what it left: without what only the run wrote, and with what
//! it read before it wrote over it.

use std::collections::BTreeSet;

use crate::object::tree::{self, Change, Node, Target, Walked};
use crate::object::{
    Commit, Content, ContentHasher, Input, ObjectId, Run, TraceFile, TraceFiles, TreePath,
};
use crate::progress::Progress;
use crate::repo::fresh::{Fresh, files_of};
use crate::repo::{Error, Repository};
use crate::store::Reader;

/// The files that a run began with.
#[derive(Debug)]
pub(in crate::repo) struct Before {
    /// What is recorded of the end.
    tree: ObjectId,
    /// What was not there, or was something else.
    absent: BTreeSet<TreePath>,
    /// What was read and lies where the run wrote, with its content from before.
    placed: Vec<(TreePath, Target)>,
    /// Directories that have to be there.
    directories: BTreeSet<TreePath>,
    /// Where the command was started.
    pub directory: Option<TreePath>,
}

impl Before {
    /// Finds out.
    ///
    /// Shape: `metrics_files` are left out as outputs are. Errors: `Corrupt` if the content of an
    /// input that was written over is not there any more.
    pub fn of(
        reader: &mut Reader<'_>,
        commit: &Commit,
        run: &Run,
        metrics_files: &[TreePath],
    ) -> Result<Self, Error> {
        let parent = match commit.parents.first() {
            Some(parent) => Some(reader.commit(parent)?.tree),
            None => None,
        };
        let written = written(reader, run)?;
        let mut absent: BTreeSet<TreePath> = written.iter().cloned().collect();
        absent.extend(metrics_files.iter().cloned());
        let placed = placed(reader, commit, run, &mut absent)?;
        let mut directories = BTreeSet::new();
        for path in &absent {
            directories.extend(path.parent());
            // A directory that an earlier run had filled was there.
            let before = match &parent {
                Some(tree) => tree::find(tree, path, |id| reader.node(id))?,
                None => None,
            };
            if before.is_some_and(|before| before.is_directory()) {
                directories.insert(path.clone());
            }
        }
        let directory = match run.directory.as_str() {
            "." => None,
            path => Some(TreePath::new(path).map_err(|error| Error::Corrupt(error.to_string()))?),
        };
        directories.extend(directory.clone());
        Ok(Self { tree: commit.tree, absent, placed, directories, directory })
    }

    /// The paths of what the run alone wrote.
    pub fn absent(&self) -> impl Iterator<Item = &TreePath> {
        self.absent.iter()
    }

    /// Leaves out what another run of the same kind wrote, but for what this one has read.
    pub fn leave_out(&mut self, other: &Self, inputs: &[Input]) {
        let read: BTreeSet<TreePath> =
            inputs.iter().filter_map(|input| TreePath::new(input.path.as_str()).ok()).collect();
        self.absent.extend(other.absent.iter().filter(|path| !is_over(&read, path)).cloned());
        self.directories.extend(other.directories.iter().cloned());
    }

    /// Lists the files in which two runs began differently, ascending by path.
    pub fn differing(&self, other: &Self, reader: &mut Reader<'_>) -> Result<Vec<Change>, Error> {
        let placed: BTreeSet<TreePath> =
            self.placed.iter().chain(&other.placed).map(|(path, _)| path.clone()).collect();
        let mut changes = Vec::new();
        let mut diff = |old, new, at: Option<&TreePath>| {
            let load = |id: &ObjectId| reader.node(id).map_err(Error::from);
            tree::diff(old, new, None, load, |change| {
                let path = joined(at, &change.path)?;
                let is_left_out =
                    [&self.absent, &other.absent, &placed].iter().any(|paths| is_in(paths, &path));
                if at.is_some() || !is_left_out {
                    changes.push(Change { path, ..change });
                }
                Ok::<_, Error>(())
            })
        };
        diff(Some(self.tree), Some(other.tree), None)?;
        let mut files = Vec::new();
        for path in &placed {
            let of = |side: &Self| side.placed.iter().find(|(at, _)| at == path).map(|(_, it)| *it);
            match (of(self), of(other)) {
                (
                    Some(Target::Directory { id: old, .. }),
                    Some(Target::Directory { id: new, .. }),
                ) => {
                    diff(Some(old), Some(new), Some(path))?;
                }
                (old, new) => files.push((path.clone(), old, new)),
            }
        }
        for (path, old, new) in files {
            let old = old.map_or_else(
                || tree::find(&self.tree, &path, |id| reader.node(id)),
                |old| Ok(Some(old)),
            )?;
            let new = new.map_or_else(
                || tree::find(&other.tree, &path, |id| reader.node(id)),
                |new| Ok(Some(new)),
            )?;
            let is_file = |side: Option<Target>| side.is_none_or(|target| !target.is_directory());
            if !is_file(old) || !is_file(new) {
                return Err(Error::Usage(format!(
                    "one of the runs wrote over a directory that it read and the other did not, so \
                     they cannot be mixed, path={path}"
                )));
            }
            if old.map(|it| it.id()) != new.map(|it| it.id()) {
                changes.push(Change { path, old, new });
            }
        }
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(changes)
    }

    /// Tells whether a path is one that a run alone wrote.
    pub fn is_absent(&self, path: &TreePath) -> bool {
        is_in(&self.absent, path)
    }

    /// Tells whether a file of the checkout is written over by what is recorded.
    pub fn has(&self, reader: &mut Reader<'_>, path: &TreePath) -> Result<bool, Error> {
        Ok(tree::find(&self.tree, path, |id| reader.node(id))?.is_some())
    }

    /// Writes it.
    pub fn write(
        &self,
        repository: &Repository,
        fresh: &Fresh,
        progress: &Progress,
    ) -> Result<(), Error> {
        self.write_tree(repository, fresh, &self.tree, progress)?;
        for (path, target) in &self.placed {
            let changes = |visit: &mut dyn FnMut(Change) -> Result<(), Error>| match target {
                Target::Directory { id, .. } => files_of(repository, id, Some(path), visit),
                target => visit(Change { path: path.clone(), old: None, new: Some(*target) }),
            };
            fresh.write(&changes, progress)?;
        }
        fresh.make_directories(&self.directories)
    }

    /// Writes what is in a tree, without what was not there.
    pub fn write_tree(
        &self,
        repository: &Repository,
        fresh: &Fresh,
        tree: &ObjectId,
        progress: &Progress,
    ) -> Result<(), Error> {
        fresh.write(&|visit| self.visit(repository, tree, visit), progress)
    }

    fn visit(
        &self,
        repository: &Repository,
        tree: &ObjectId,
        visit: &mut dyn FnMut(Change) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let placed: BTreeSet<&TreePath> = self.placed.iter().map(|(path, _)| path).collect();
        let mut reader = repository.store.reader();
        let mut walk = tree::walk(tree, None, |id| reader.node(id))?;
        while let Some(entry) = walk.next() {
            let Walked { path, target } = entry.map_err(Error::from)?;
            let is_left_out = self.absent.contains(&path) || placed.contains(&path);
            if is_left_out {
                walk.skip_directory();
            } else if !target.is_directory() {
                visit(Change { path, old: None, new: Some(target) })?;
            }
        }
        Ok(())
    }
}

/// Lists what the run wrote: what was declared, and what was seen, file by file where it is known.
fn written(reader: &mut Reader<'_>, run: &Run) -> Result<Vec<TreePath>, Error> {
    let mut paths = Vec::new();
    let observed = run.outputs.iter().any(|output| output.is_observed);
    let seen = match &run.trace {
        Some(trace) if observed => TraceFiles::decode(&reader.attachment(&trace.files)?)?.files,
        _ => Vec::new(),
    };
    let is_output = |file: &&TraceFile| file.is_written && file.left_out.is_none();
    let seen = seen.iter().filter(is_output).filter(|file| !file.path.starts_with(b"/"));
    paths.extend(seen.filter_map(|file| TreePath::new(file.path.as_slice()).ok()));
    let is_file = |content: &Option<Content>| content.as_ref().is_some_and(|one| one.files == 1);
    let named = run.outputs.iter();
    let named = named.filter(|output| !output.is_observed || is_file(&output.content));
    paths.extend(named.filter_map(|output| TreePath::new(output.path.as_str()).ok()));
    Ok(paths)
}

/// Lists the inputs that are not in the end what they were when they were read, or that lie where
/// the run wrote; takes those out of `absent` that were there.
fn placed(
    reader: &mut Reader<'_>,
    commit: &Commit,
    run: &Run,
    absent: &mut BTreeSet<TreePath>,
) -> Result<Vec<(TreePath, Target)>, Error> {
    let mut placed = Vec::new();
    for input in &run.inputs {
        // One outside of the worktree is read where it is.
        let Ok(path) = TreePath::new(input.path.as_str()) else { continue };
        let after = tree::find(&commit.tree, &path, |id| reader.node(id))?;
        let is_same = after.is_some_and(|after| after.id() == input.content.id);
        let mut target = after.filter(|_| is_same);
        if is_same && !is_over(absent, &path) {
            continue;
        }
        if target.is_none()
            && let Some(parent) = commit.parents.first()
        {
            let tree = reader.commit(parent)?.tree;
            let before = tree::find(&tree, &path, |id| reader.node(id))?;
            target = before.filter(|before| before.id() == input.content.id);
        }
        let target = match target {
            Some(target) => target,
            None => by_id(reader, &path, &input.content, after)?,
        };
        absent.remove(&path);
        placed.push((path, target));
    }
    Ok(placed)
}

/// Tells whether one of these is `path`, or lies around it.
fn is_in(paths: &BTreeSet<TreePath>, path: &TreePath) -> bool {
    std::iter::successors(Some(path.clone()), TreePath::parent).any(|at| paths.contains(&at))
}

fn joined(at: Option<&TreePath>, path: &TreePath) -> Result<TreePath, Error> {
    let Some(at) = at else { return Ok(path.clone()) };
    let joined = [at.as_bytes(), path.as_bytes()].join(&b'/');
    TreePath::new(joined).map_err(|error| Error::Corrupt(error.to_string()))
}

/// Tells whether one of these is `path`, or lies in it or around it.
fn is_over(written: &BTreeSet<TreePath>, path: &TreePath) -> bool {
    // What lies in a directory follows it.
    let next = written.range(path.clone()..).next();
    let around = std::iter::successors(path.parent(), TreePath::parent);
    next.is_some_and(|next| next.starts_with(path))
        || around.into_iter().any(|at| written.contains(&at))
}

/// Finds a content that no tree at hand has: it was changed before the run, and by the run.
fn by_id(
    reader: &mut Reader<'_>,
    path: &TreePath,
    content: &Content,
    after: Option<Target>,
) -> Result<Target, Error> {
    let Content { id, files, bytes, .. } = *content;
    if let Ok(node) = reader.node(&id)
        && Node::decode(&node).is_ok()
    {
        return Ok(Target::Directory { id, files, bytes });
    }
    let mut hasher = ContentHasher::new();
    let read = reader.stream::<Error>(&id, |piece| {
        hasher.update(piece);
        Ok(())
    });
    read.map_err(|_| {
        let id = id.short();
        Error::Corrupt(format!(
            "what the run read there before it wrote over it is not there any more, path={path}, \
             id={id}"
        ))
    })?;
    let (_, sha256) = hasher.finish();
    let executable = matches!(after, Some(Target::File { executable: true, .. }));
    Ok(Target::File { id, size: bytes, sha256, executable })
}
