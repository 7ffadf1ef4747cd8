//! Records of runs and the nodes of directories, taken in as rows of the lineage index.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Index, SEGMENT_BYTES};
use crate::object::tree::{self, EMPTY_TREE, Node, Target};
use crate::object::{Commit, Content, ObjectId, TreePath};
use crate::progress::Progress;
use crate::repo::trouble::Trouble;
use crate::repo::{Error, Repository};
use crate::store::lineage_index::{SegmentBuilder, Table};
use crate::store::{Reader, StoreError};

/// Contents that are named before directories are looked for among them.
const NAMED_MAX: usize = 1 << 16;

/// Takes in one commit after the other.
pub(super) struct Intake<'r> {
    repository: &'r Repository,
    reader: Reader<'r>,
    progress: &'r Progress,
    known: Index,
    /// Nodes that were taken in; half of an id, in which two would take 2^64 attempts to agree.
    taken: HashSet<[u8; 16]>,
    /// What is not in a segment yet.
    pub builder: SegmentBuilder,
    /// Whether runs name what is not stored.
    lacks: &'r AtomicBool,
}

impl<'r> Intake<'r> {
    /// Begins with nothing; `known` is the index that there is, whose nodes are passed over.
    pub fn new(
        repository: &'r Repository,
        progress: &'r Progress,
        known: Index,
        lacks: &'r AtomicBool,
    ) -> Self {
        let (reader, builder) = (repository.store.reader(), SegmentBuilder::default());
        Self { repository, reader, progress, known, taken: HashSet::new(), builder, lacks }
    }

    /// Takes in directories, and makes segments of all that there is.
    pub fn directories<T, E: Into<Trouble>>(
        &mut self,
        directories: Vec<ObjectId>,
        done: impl Fn(Vec<u8>) -> Result<T, E>,
    ) -> Result<Vec<T>, Trouble> {
        let mut segments = Vec::new();
        let mut finish = finish(&mut segments, &done);
        for directory in directories {
            self.directory(directory, &mut finish)?;
        }
        finish(std::mem::take(&mut self.builder))?;
        drop(finish);
        Ok(segments)
    }

    /// Takes in commits, and the directories that they name.
    pub fn commits<'i>(
        &mut self,
        ids: impl Iterator<Item = &'i ObjectId>,
        finish: &mut impl FnMut(SegmentBuilder) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let mut named = Named::default();
        for id in ids {
            self.progress.check()?;
            self.progress.add_files(1);
            let commit = self.reader.commit(id)?;
            if commit.run.is_none() {
                continue;
            }
            self.builder.begin_run(*id);
            for (table, content) in contents(&commit) {
                match table {
                    Table::Makers => self.builder.made(&content.id),
                    _ => self.builder.used(&content.id),
                }
                named.put(content, *id);
            }
            // One run may name as much as thousands of others.
            if named.ids.len() >= NAMED_MAX {
                self.named(std::mem::take(&mut named), finish)?;
            }
        }
        self.named(named, finish)
    }

    /// Takes in the directories among what runs name.
    fn named(
        &mut self,
        mut named: Named,
        finish: &mut impl FnMut(SegmentBuilder) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let (store, reader) = (&self.repository.store, &mut self.reader);
        named.ids.sort_unstable();
        named.ids.dedup();
        let directories = store.nodes_among(&named.ids)?;
        for (directory, commit) in named.directories {
            if !directories.contains(&directory) {
                let commit = reader.commit(&commit)?;
                insist_was_never_here(reader, &directory, &commit)?;
            }
        }
        if !self.lacks.load(Ordering::Relaxed) {
            named.ids.retain(|id| !directories.contains(id));
            if store.lacks_any(&named.ids)? {
                self.lacks.store(true, Ordering::Relaxed);
            }
        }
        for directory in directories {
            self.directory(directory, finish)?;
        }
        if self.builder.bytes() >= SEGMENT_BYTES {
            finish(std::mem::take(&mut self.builder))?;
        }
        Ok(())
    }

    fn directory(
        &mut self,
        root: ObjectId,
        finish: &mut impl FnMut(SegmentBuilder) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let mut stack = vec![root];
        while let Some(node) = stack.pop() {
            let short = node.as_bytes().first_chunk().copied().unwrap_or_default();
            if !self.taken.insert(short) || self.known.has_node(&node)? {
                continue;
            }
            self.progress.check()?;
            if self.builder.bytes() >= SEGMENT_BYTES {
                finish(std::mem::take(&mut self.builder))?;
            }
            self.builder.begin_node(node);
            match Node::decode(&self.reader.node(&node)?)? {
                Node::Inner { children, .. } => {
                    children.iter().for_each(|child| self.builder.holds(&child.id));
                    stack.extend(children.into_iter().map(|child| child.id));
                }
                Node::Leaf(entries) => {
                    for entry in entries {
                        self.builder.holds(&entry.target.id());
                        if let Target::Directory { id, .. } = entry.target {
                            stack.push(id);
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// What some runs name.
#[derive(Default)]
struct Named {
    ids: Vec<ObjectId>,
    /// What must be directories, and a commit that says so.
    directories: Vec<(ObjectId, ObjectId)>,
}

impl Named {
    fn put(&mut self, content: &Content, commit: ObjectId) {
        if content.id == EMPTY_TREE {
            return;
        }
        self.ids.push(content.id);
        if content.files != 1 {
            self.directories.push((content.id, commit));
        }
    }
}

/// Gives what puts the rows of a segment among those that are done.
pub(super) fn finish<T, E: Into<Trouble>>(
    segments: &mut Vec<T>,
    done: &impl Fn(Vec<u8>) -> Result<T, E>,
) -> impl FnMut(SegmentBuilder) -> Result<(), Trouble> {
    |builder| {
        if !builder.is_empty() {
            segments.push(done(builder.finish()).map_err(Into::into)?);
        }
        Ok(())
    }
}

/// Insists that a directory that is not stored is none that a commit's tree has: a run may name
/// what was never here, as an import does; but what was recorded must not be lost unnoticed.
pub(in crate::repo::lineage) fn insist_was_never_here(
    reader: &mut Reader<'_>,
    directory: &ObjectId,
    commit: &Commit,
) -> Result<(), Error> {
    let Some(run) = &commit.run else { return Ok(()) };
    let made =
        run.outputs.iter().filter_map(|output| Some((&output.path, output.content.as_ref()?)));
    let read = run.inputs.iter().map(|input| (&input.path, &input.content));
    for (path, _) in made.chain(read).filter(|(_, content)| content.id == *directory) {
        let Ok(path) = TreePath::new(path.as_bytes()) else { continue };
        let found = tree::find(&commit.tree, &path, |id| reader.node(id).map_err(Error::from))?;
        if found.is_some_and(|target| target.id() == *directory) {
            return Err(StoreError::Missing { id: *directory }.into());
        }
    }
    Ok(())
}

/// Lists what a run has read and made, by the tables in which that is.
pub(in crate::repo::lineage) fn contents(
    commit: &Commit,
) -> impl Iterator<Item = (Table, &Content)> {
    let inputs = commit.run.iter().flat_map(|run| &run.inputs);
    let outputs = commit.run.iter().flat_map(|run| &run.outputs);
    let made = outputs.filter_map(|output| output.content.as_ref());
    let made = made.map(|content| (Table::Makers, content));
    inputs.map(|input| (Table::Users, &input.content)).chain(made)
}
