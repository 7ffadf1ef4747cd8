//! Records and directories taken into segments, on several threads.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Index, SEGMENT_BYTES};
use crate::object::tree::{Node, Target};
use crate::object::{Commit, ObjectId};
use crate::progress::{Phase, Progress};
use crate::repo::Repository;
use crate::repo::trouble::Trouble;
use crate::store::Reader;
use crate::store::lineage_index::{SegmentBuilder, Table};
use crate::threads;

/// Most commits that one thread takes at once.
const SHARE: usize = 1024;

/// Reads the records of some commits and the directories that they name, on several threads, and
/// makes segments of them.
///
/// Shape: `known` gives the index that there is, whose nodes are passed over; `done` gets the bytes
/// of each segment. Cost: some 30 MiB for each thread, and 60 bytes for each commit.
pub(super) fn build<T: Send, E: Into<Trouble>>(
    repository: &Repository,
    commits: Vec<ObjectId>,
    progress: &Progress,
    known: impl Fn() -> Index + Sync,
    done: impl Fn(Vec<u8>) -> Result<T, E> + Sync,
) -> Result<Vec<T>, Trouble> {
    let mut reader = repository.store.reader();
    let mut placed = Vec::with_capacity(commits.len());
    for (id, number) in commits.iter().zip(0_u32..) {
        placed.push((reader.record_place(id)?, number));
    }
    placed.sort_unstable();
    progress.begin(Phase {
        name: "reading runs",
        files_total: Some(placed.len() as u64),
        ..Phase::default()
    });
    let shares: Vec<_> = placed.chunks(SHARE).collect();
    let next = AtomicUsize::new(0);
    threads::gather(threads::count().min(shares.len()), || {
        let mut intake = Intake::new(repository, progress, known());
        let mut segments = Vec::new();
        let mut finish = |builder: SegmentBuilder| {
            if !builder.is_empty() {
                segments.push(done(builder.finish()).map_err(Into::into)?);
            }
            Ok::<_, Trouble>(())
        };
        while let Some(share) = shares.get(next.fetch_add(1, Ordering::Relaxed)) {
            let ids = share.iter().filter_map(|(_, number)| commits.get(*number as usize));
            intake.commits(ids, &mut finish)?;
        }
        finish(intake.builder)?;
        Ok(segments)
    })
}

/// Takes in one commit after the other.
struct Intake<'r> {
    repository: &'r Repository,
    reader: Reader<'r>,
    progress: &'r Progress,
    known: Index,
    /// Nodes that were taken in; half of an id, in which two would take 2^64 attempts to agree.
    taken: HashSet<[u8; 16]>,
    builder: SegmentBuilder,
}

impl<'r> Intake<'r> {
    fn new(repository: &'r Repository, progress: &'r Progress, known: Index) -> Self {
        let (reader, builder) = (repository.store.reader(), SegmentBuilder::default());
        Self { repository, reader, progress, known, taken: HashSet::new(), builder }
    }

    fn commits<'i>(
        &mut self,
        ids: impl Iterator<Item = &'i ObjectId>,
        finish: &mut impl FnMut(SegmentBuilder) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let mut named = Vec::new();
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
                    Table::Makers => self.builder.made(&content),
                    _ => self.builder.used(&content),
                }
                named.push(content);
            }
        }
        named.sort_unstable();
        named.dedup();
        for directory in self.repository.store.nodes_among(&named)? {
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

/// Lists what a run has read and made, by the tables in which that is.
pub(in crate::repo::lineage) fn contents(
    commit: &Commit,
) -> impl Iterator<Item = (Table, ObjectId)> {
    let inputs = commit.run.iter().flat_map(|run| &run.inputs);
    let outputs = commit.run.iter().flat_map(|run| &run.outputs);
    let made = outputs.filter_map(|output| output.content.as_ref());
    let made = made.map(|content| (Table::Makers, content.id));
    inputs.map(|input| (Table::Users, input.content.id)).chain(made)
}
