//! The lineage index brought up to date: what changed since it was written is read, and no more.
//!
//! It knows every run that ever counted, and says where to look; `live.rs` tells which count now.
//! Its files are `store/lineage_index.rs`; `search.rs` asks it.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::live;
use crate::graph;
use crate::object::tree::{self, EMPTY_TREE, Node, Target};
use crate::object::{Commit, ObjectId, TreePath};
use crate::progress::{Phase, Progress};
use crate::repo::ref_name::RefKind;
use crate::repo::refs::Refs;
use crate::repo::trouble::Trouble;
use crate::repo::{Error, Repository};
use crate::store::lineage_index::{self, Segment, SegmentBuilder, SegmentName, State, Table};
use crate::store::refs::RefTree;
use crate::store::{Cache, Position, Reader, Stale, StoreError};
use crate::threads;

/// Length from which on a segment is complete, in bytes.
const SEGMENT_BYTES: usize = 8 << 20;

/// A segment is merged with the one after it unless it is so many times as long.
const STEP: u64 = 4;

/// How often files are built anew before a question is answered without.
const ATTEMPTS: u32 = 3;

/// Most commits that one thread takes at once.
const SHARE: usize = 1024;

/// What the index consists of.
#[derive(Debug, Default)]
pub(super) struct Index {
    segments: Vec<Segment>,
    all_count: bool,
}

impl Index {
    /// Tells whether refs still lead to every run that it knows.
    pub const fn all_count(&self) -> bool {
        self.all_count
    }

    /// Finds the runs that made or used content, or the nodes that hold it, by the table.
    ///
    /// Shape: appends ids, some perhaps more than once; among them may be such of other content.
    pub fn find(
        &mut self,
        table: Table,
        sought: &ObjectId,
        into: &mut Vec<ObjectId>,
    ) -> Result<(), Stale> {
        self.segments.iter_mut().try_for_each(|segment| segment.find(table, sought, into))
    }

    /// Tells whether it has a node of a tree.
    pub fn has_node(&mut self, id: &ObjectId) -> Result<bool, Stale> {
        for segment in &mut self.segments {
            if segment.has_node(id)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Asks the index as of `refs`; anew if its files are not what they should be, and without files
/// where none can be kept.
pub(super) fn ask<T>(
    repository: &Repository,
    refs: &Refs,
    progress: &Progress,
    mut question: impl FnMut(&mut Index) -> Result<T, Trouble>,
) -> Result<T, Error> {
    let cache = repository.cache();
    for _ in 0..ATTEMPTS {
        let index = up_to_date(repository, &cache, refs, progress);
        match index.and_then(|mut index| question(&mut index)) {
            Ok(answer) => return Ok(answer),
            Err(Trouble::Other(error)) => return Err(error),
            Err(Trouble::Stale) => {}
        }
        let was_kept = lineage_index::load_state(&cache).is_some();
        lineage_index::forget(&cache);
        if !was_kept {
            break;
        }
    }
    let commits = live::commits(repository, refs, progress)?;
    let built = build(repository, commits, progress, Index::default, Segment::held);
    match built.and_then(|segments| question(&mut Index { segments, all_count: true })) {
        Ok(answer) => Ok(answer),
        Err(Trouble::Other(error)) => Err(error),
        Err(Trouble::Stale) => Err(Error::Internal("rows that were built are gone".to_owned())),
    }
}

fn up_to_date(
    repository: &Repository,
    cache: &Cache,
    refs: &Refs,
    progress: &Progress,
) -> Result<Index, Trouble> {
    let before = lineage_index::load_state(cache).unwrap_or_default();
    let mut state = before.clone();
    state.refs = Some(refs.tree.0);
    state.detached = repository.detached()?;
    if state != before {
        let commits = match before.refs {
            Some(old) => {
                let change = change(repository, RefTree(old), refs, &before, &state, progress)?;
                state.all_count &= !change.has_lost;
                change.came.into_iter().collect()
            }
            None => {
                state.all_count = true;
                live::commits(repository, refs, progress)?
            }
        };
        let known = || open(cache, &before).unwrap_or_default();
        let built = build(repository, commits, progress, known, |bytes| {
            Ok::<_, Trouble>(lineage_index::save_segment(cache, &bytes))
        })?;
        state.segments.extend(built);
        let dropped = compact(cache, &mut state)?;
        lineage_index::save_state(cache, &state, &dropped);
    }
    Ok(open(cache, &state)?)
}

fn open(cache: &Cache, state: &State) -> Result<Index, Stale> {
    let segments = state.segments.iter();
    let segments = segments.map(|(name, bytes)| lineage_index::open_segment(cache, name, *bytes));
    Ok(Index { segments: segments.collect::<Result<_, _>>()?, all_count: state.all_count })
}

/// What happened to refs since the index was written.
struct Change {
    /// The commits that count since then.
    came: HashSet<ObjectId>,
    /// Whether there may be some that count no longer.
    has_lost: bool,
}

/// Finds out what happened to refs.
///
/// Errors: [`Trouble::Stale`] where what was there before is there no longer.
/// Cost: what differs, and the names of all branches and tags.
fn change(
    repository: &Repository,
    old: RefTree,
    refs: &Refs,
    before: &State,
    state: &State,
    progress: &Progress,
) -> Result<Change, Trouble> {
    let mut reader = repository.store.reader();
    let mut change = change_of_runs(&mut reader, old, refs.tree).map_err(gone)?;
    let (mut now, mut then): (HashSet<_>, HashSet<_>) =
        (state.detached.into_iter().collect(), before.detached.into_iter().collect());
    for kind in RefKind::ALL.into_iter().filter(|kind| *kind != RefKind::Run) {
        now.extend(refs.list(&mut reader, Some(kind.folder()))?.into_values());
        let listed = old.list(Some(kind.folder()), |id| reader.node(id).map_err(Error::from));
        then.extend(listed.map_err(gone)?.into_iter().map(|(_, id)| id));
    }
    if now == then {
        return Ok(change);
    }
    let all: Vec<ObjectId> = now.iter().chain(&then).copied().collect();
    let walked = repository.with_history(&all, progress, |graph, positions| {
        let (now, then) = positions.split_at(now.len());
        let between = |tips: &[Position], hidden: &[Position]| {
            let read = |position, parents: &mut Vec<_>| {
                progress.check()?;
                graph.read(position, parents).map_err(Error::from)
            };
            graph::between(tips.iter().copied(), hidden.iter().copied(), read)
        };
        let came = between(now, then)?.into_iter();
        let came = came.map(|position| Ok(graph.id(position)?)).collect::<Result<Vec<_>, Error>>();
        Ok((came?, !between(then, now)?.is_empty()))
    });
    let (came, has_lost) = walked.map_err(gone)?;
    change.came.extend(came);
    change.has_lost |= has_lost;
    Ok(change)
}

/// Finds out what happened to the refs of runs.
fn change_of_runs(reader: &mut Reader<'_>, old: RefTree, new: RefTree) -> Result<Change, Error> {
    let some = |tree: RefTree| (tree.0 != EMPTY_TREE).then_some(tree.0);
    let folder = TreePath::new(RefKind::Run.folder());
    let folder = folder.map_err(|error| Error::Internal(error.to_string()))?;
    let (mut came, mut has_lost) = (HashSet::new(), false);
    let load = |id: &ObjectId| reader.node(id).map_err(Error::from);
    tree::diff(some(old), some(new), Some(&folder), load, |change| {
        has_lost |= change.old.is_some();
        came.extend(change.new.map(|new| new.id()));
        Ok::<(), Error>(())
    })?;
    Ok(Change { came, has_lost })
}

/// What was there when the index was written may have been collected since.
fn gone(error: Error) -> Trouble {
    match error {
        Error::Store(StoreError::Missing { .. }) => Trouble::Stale,
        error => Trouble::Other(error),
    }
}

/// Reads the records of some commits and the directories that they name, on several threads, and
/// makes segments of them.
///
/// Shape: `known` gives the index that there is, whose nodes are passed over; `done` gets the bytes
/// of each segment. Cost: some 30 MiB for each thread, and 60 bytes for each commit.
fn build<T: Send, E: Into<Trouble>>(
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
    let outcomes = Mutex::new(Vec::new());
    threads::share(threads::count().min(shares.len()), || {
        let work = || {
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
            Ok::<_, Trouble>(segments)
        };
        let outcome = work();
        outcomes.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
    });
    let mut segments = Vec::new();
    for outcome in outcomes.into_inner().unwrap_or_else(PoisonError::into_inner) {
        segments.extend(outcome?);
    }
    Ok(segments)
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
pub(super) fn contents(commit: &Commit) -> impl Iterator<Item = (Table, ObjectId)> {
    let inputs = commit.run.iter().flat_map(|run| &run.inputs);
    let outputs = commit.run.iter().flat_map(|run| &run.outputs);
    let made = outputs.filter_map(|output| output.content.as_ref());
    let made = made.map(|content| (Table::Makers, content.id));
    inputs.map(|input| (Table::Users, input.content.id)).chain(made)
}

/// Merges segments that are not much longer than the one after them, so that there are few; lists
/// those that are not needed any more.
fn compact(cache: &Cache, state: &mut State) -> Result<Vec<SegmentName>, Stale> {
    let mut dropped = Vec::new();
    state.segments.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    while let [kept @ .., (long, long_bytes), (short, short_bytes)] = state.segments.as_slice()
        && *long_bytes < short_bytes * STEP
        && long_bytes + short_bytes <= SEGMENT_BYTES as u64
    {
        let mut merged = SegmentBuilder::default();
        lineage_index::open_segment(cache, long, *long_bytes)?.add_to(&mut merged)?;
        lineage_index::open_segment(cache, short, *short_bytes)?.add_to(&mut merged)?;
        dropped.extend([*long, *short]);
        let merged = lineage_index::save_segment(cache, &merged.finish());
        state.segments = [kept, &[merged]].concat();
    }
    // What says no more than a segment before it has its name.
    dropped.retain(|name| state.segments.iter().all(|(kept, _)| kept != name));
    Ok(dropped)
}
