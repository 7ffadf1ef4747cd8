//! The lineage index brought up to date: what changed since it was written is read, and no more.
//!
//! It knows every run that ever counted, and says where to look; `live.rs` tells which count now.
//! Its files are `store/lineage_index.rs`; `search.rs` asks it.

mod build;
mod change;
mod intake;

use std::sync::atomic::{AtomicBool, Ordering};

use super::live;
use crate::object::ObjectId;
use crate::progress::Progress;
use crate::repo::refs::Refs;
use crate::repo::trouble::Trouble;
use crate::repo::{Error, Repository};
use crate::store::lineage_index::{
    self, PackName, Segment, SegmentBuilder, SegmentName, State, Table,
};
use crate::store::refs::RefTree;
use crate::store::{Cache, RecordPacks, Stale};
use build::build;
use change::change;
use intake::Intake;
pub(super) use intake::{contents, insist_was_never_here};

/// Length from which on a segment is complete, in bytes.
const SEGMENT_BYTES: usize = 8 << 20;

/// A segment is merged with the one after it unless it is so many times as long.
const STEP: u64 = 4;

/// How often files are built anew before a question is answered without.
const ATTEMPTS: u32 = 3;

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

    /// Tells whether a run may have made or used what has an id.
    fn has_content(&mut self, id: &ObjectId) -> Result<bool, Stale> {
        for segment in &mut self.segments {
            if segment.has_row(Table::Makers, id)? || segment.has_row(Table::Users, id)? {
                return Ok(true);
            }
        }
        Ok(false)
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
    let commits = live::commits(repository, refs, repository.detached()?, progress)?;
    let lacks = AtomicBool::new(true);
    let nothing = (&lacks, Index::default);
    let built = build(repository, commits, progress, nothing, Segment::held);
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
    let is_same = state == before;
    if is_same && before.packs.is_empty() {
        return Ok(open(cache, &state)?);
    }
    // Listed first: what comes meanwhile is looked for the next time.
    let packs = repository.store.record_packs()?;
    state.packs = packs.names();
    if state == before {
        return Ok(open(cache, &state)?);
    }
    let commits = match before.refs {
        Some(_) if is_same => Vec::new(),
        Some(old) => {
            let detached = [before.detached, state.detached];
            let change = change(repository, RefTree(old), refs, detached, progress)?;
            state.all_count &= !change.has_lost;
            change.came.into_iter().collect()
        }
        None => {
            state.all_count = true;
            live::commits(repository, refs, state.detached, progress)?
        }
    };
    // Where that cannot be read, nodes are taken in again, and the whole is refused below.
    let known = || open(cache, &before).unwrap_or_default();
    let keep = |bytes: Vec<u8>| Ok::<_, Trouble>(lineage_index::save_segment(cache, &bytes));
    let lacks = AtomicBool::new(!before.packs.is_empty());
    if lacks.load(Ordering::Relaxed) {
        let directories = new_directories(open(cache, &before)?, &packs, &before.packs, progress)?;
        let mut intake = Intake::new(repository, progress, known(), &lacks);
        state.segments.extend(intake.directories(directories, keep)?);
    }
    state.segments.extend(build(repository, commits, progress, (&lacks, known), keep)?);
    if !lacks.into_inner() {
        state.packs.clear();
    }
    let dropped = compact(cache, &mut state)?;
    lineage_index::save_state(cache, &state, &dropped);
    Ok(open(cache, &state)?)
}

/// Finds the directories that runs name and that are stored only since the index was written.
fn new_directories(
    mut index: Index,
    packs: &RecordPacks,
    known: &[PackName],
    progress: &Progress,
) -> Result<Vec<ObjectId>, Trouble> {
    let mut found = Vec::new();
    packs.each_new_node(known, |id| {
        progress.check()?;
        if index.has_content(&id)? && !index.has_node(&id)? {
            found.push(id);
        }
        Ok::<_, Trouble>(())
    })?;
    Ok(found)
}

fn open(cache: &Cache, state: &State) -> Result<Index, Stale> {
    let segments = state.segments.iter();
    let segments = segments.map(|(name, bytes)| lineage_index::open_segment(cache, name, *bytes));
    Ok(Index { segments: segments.collect::<Result<_, _>>()?, all_count: state.all_count })
}

/// Merges segments that are not much longer than the one after them, so that there are few; lists
/// those that are not needed any more.
fn compact(cache: &Cache, state: &mut State) -> Result<Vec<SegmentName>, Stale> {
    let mut dropped = Vec::new();
    state.segments.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    while let [kept @ .., (long, long_bytes), (short, short_bytes)] = state.segments.as_slice()
        && *long_bytes < short_bytes.saturating_mul(STEP)
        && long_bytes.saturating_add(*short_bytes) <= SEGMENT_BYTES as u64
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
