//! The runs index brought up to date: what changed since it was written is read, and no more.
//!
//! The index is as of one tree of refs; the difference to today's says which runs came and went.
//! Its files are `store/runs_index.rs`; questions are asked in `query.rs`.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::field::{Field, field, names_of};
use crate::object::tree::{self, EMPTY_TREE};
use crate::object::{Commit, ObjectId, TreePath};
use crate::progress::{Phase, Progress};
use crate::repo::ref_name::RefKind;
use crate::repo::trouble::Trouble;
use crate::repo::{Error, Repository};
use crate::store::runs_index::{
    self, COLUMNS_MAX, Cell, SEGMENT_ROWS, SEGMENTS_MAX, Segment, SegmentBuilder, State,
};
use crate::store::{Cache, Reader, Stale};
use crate::threads;

/// Most parameters and metrics of a run in the index; the others of a run are read when asked for.
const VALUES_MAX: usize = 512;

/// Segments of fewer rows are merged once there are several.
const SMALL_ROWS: u32 = SEGMENT_ROWS / 16;
const SMALL_MAX: usize = 16;

/// Commits that several refs name, and how many further ones.
type Again = Vec<(ObjectId, u32)>;

/// Runs that came and went, by their commits: how many refs more, or fewer, name each.
type Changes = HashMap<ObjectId, i64>;

/// Brings the index in `cache` up to date with a tree of refs, and gives what it consists of.
///
/// Errors: [`Trouble::Stale`] for files that are not what they should be.
/// Cost: reads what differs between the trees of refs, the records that are new, and four bytes of
/// each row.
pub(super) fn up_to_date(
    repository: &Repository,
    cache: &Cache,
    refs: ObjectId,
    progress: &Progress,
) -> Result<State, Trouble> {
    let before = runs_index::load_state(cache).unwrap_or_default();
    if before.refs == Some(refs) {
        return Ok(before);
    }
    let mut reader = repository.store.reader();
    let mut state = before.clone();
    state.refs = Some(refs);
    let new = match before.refs {
        Some(old) => {
            // Where the refs of then cannot be read, all are read anew.
            let changes = changed(&mut reader, old, refs).map_err(|_| Trouble::Stale)?;
            settle(cache, &mut state, &changes)?
        }
        None => {
            let (new, again) = all(&mut reader, refs)?;
            state.again = again;
            new
        }
    };
    let is_worn = state.gone.len() as u64 > state.rows() || state.segments.len() > SEGMENTS_MAX;
    if is_worn && before.refs.is_some() {
        return Err(Trouble::Stale);
    }
    for segment in built(repository, new, progress, |bytes, rows| {
        Ok((runs_index::save_segment(cache, &bytes), rows))
    })? {
        state.segments.push(segment);
    }
    compact(cache, &mut state)?;
    runs_index::save_state(cache, &state, &before);
    Ok(state)
}

/// Asks about every run without an index: segments are built and thrown away.
pub(super) fn without_cache(
    repository: &Repository,
    refs: ObjectId,
    progress: &Progress,
    mut each: impl FnMut(&Segment) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let (new, _) = all(&mut repository.store.reader(), refs)?;
    for some in new.chunks(SEGMENT_ROWS as usize) {
        let held = built(repository, some.to_vec(), progress, |bytes, _| Ok(bytes))?;
        for bytes in held {
            each(&Segment::held(bytes)?)?;
        }
    }
    Ok(())
}

/// Finds the runs that came and went between two trees of refs.
fn changed(reader: &mut Reader<'_>, old: ObjectId, new: ObjectId) -> Result<Changes, Error> {
    let mut changes = Changes::new();
    let load = |id: &ObjectId| reader.node(id).map_err(Error::from);
    tree::diff(Some(old), Some(new), Some(&folder()?), load, |change| {
        if let Some(old) = change.old {
            *changes.entry(old.id()).or_default() -= 1;
        }
        if let Some(new) = change.new {
            *changes.entry(new.id()).or_default() += 1;
        }
        Ok::<(), Error>(())
    })?;
    changes.retain(|_, count| *count != 0);
    Ok(changes)
}

/// Lists the commits that any ref of a run names, ascending, and how many further refs name one.
fn all(reader: &mut Reader<'_>, refs: ObjectId) -> Result<(Vec<ObjectId>, Again), Error> {
    let mut ids = Vec::new();
    let mut again = Again::new();
    if refs == EMPTY_TREE {
        return Ok((ids, again));
    }
    for entry in tree::walk(&refs, Some(&folder()?), |id| reader.node(id).map_err(Error::from))? {
        let entry = entry?;
        if !entry.target.is_directory() {
            ids.push(entry.target.id());
        }
    }
    ids.sort_unstable();
    ids.dedup_by(|later, first| {
        let is_same = later == first;
        match again.last_mut() {
            Some((id, further)) if is_same && id == first => *further += 1,
            _ if is_same => again.push((*first, 1)),
            _ => {}
        }
        is_same
    });
    Ok((ids, again))
}

fn folder() -> Result<TreePath, Error> {
    TreePath::new(RefKind::Run.folder()).map_err(|error| Error::Internal(error.to_string()))
}

/// Notes what went, and gives the commits that need a row.
fn settle(cache: &Cache, state: &mut State, changes: &Changes) -> Result<Vec<ObjectId>, Stale> {
    let rows = rows_of(cache, state, changes)?;
    let mut again: HashMap<ObjectId, u32> = state.again.drain(..).collect();
    let mut gone: BTreeSet<(u32, u32)> = state.gone.drain(..).collect();
    let mut new = Vec::new();
    for (id, change) in changes {
        let row = rows.get(id);
        let further = again.remove(id).unwrap_or(0);
        let count = i64::from(row.is_some()) + i64::from(further) + change;
        match row {
            Some(row) if count <= 0 => drop(gone.insert(*row)),
            None if count > 0 => new.push(*id),
            _ => {}
        }
        if let Ok(further) = u32::try_from(count - 1)
            && further > 0
        {
            again.insert(*id, further);
        }
    }
    state.gone = gone.into_iter().collect();
    state.again = again.into_iter().collect();
    state.again.sort_unstable();
    new.sort_unstable();
    Ok(new)
}

/// Finds the rows of some commits.
fn rows_of(
    cache: &Cache,
    state: &State,
    sought: &Changes,
) -> Result<HashMap<ObjectId, (u32, u32)>, Stale> {
    let short = |id: &ObjectId| id.as_bytes().first_chunk::<4>().copied().unwrap_or_default();
    let shorts: HashSet<[u8; 4]> = sought.keys().map(short).collect();
    let gone: HashSet<(u32, u32)> = state.gone.iter().copied().collect();
    let mut found = HashMap::new();
    for (at, (name, rows)) in (0_u32..).zip(&state.segments) {
        let segment = runs_index::open_segment(cache, name, *rows)?;
        let mut ids = None;
        for (row, _) in (0_u32..).zip(segment.short_ids()?).filter(|(_, s)| shorts.contains(s)) {
            if ids.is_none() {
                ids = Some(segment.ids()?);
            }
            let id = ids.as_ref().and_then(|ids| ids.get(row as usize)).copied();
            if let Some(id) = id.filter(|id| sought.contains_key(id))
                && !gone.contains(&(at, row))
            {
                found.insert(id, (at, row));
            }
        }
    }
    Ok(found)
}

/// Reads the records of some commits and builds segments of them, on several threads.
///
/// Shape: `done` gets the bytes of each segment and its rows, from any thread; a commit without a
/// run has no row. Cost: some 20 MiB for each thread.
fn built<T: Send>(
    repository: &Repository,
    ids: Vec<ObjectId>,
    progress: &Progress,
    done: impl Fn(Vec<u8>, u32) -> Result<T, Error> + Sync,
) -> Result<Vec<T>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    progress.begin(Phase { name: "reading runs", ..Phase::default() });
    let mut reader = repository.store.reader();
    let mut placed = Vec::with_capacity(ids.len());
    for id in ids {
        placed.push((reader.record_place(&id)?, id));
    }
    placed.sort_unstable();
    let ids: Vec<ObjectId> = placed.into_iter().map(|(_, id)| id).collect();
    let share = ids.len().div_ceil(threads::count()).clamp(1024, SEGMENT_ROWS as usize);
    let shares: Vec<&[ObjectId]> = ids.chunks(share).collect();
    let next = AtomicUsize::new(0);
    threads::gather(threads::count().min(shares.len()), || {
        let mut segments = Vec::new();
        let mut reader = repository.store.reader();
        while let Some(share) = shares.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut builder = SegmentBuilder::default();
            for id in *share {
                progress.check()?;
                progress.add_files(1);
                push(&mut builder, *id, &reader.commit(id)?);
                if builder.columns() > COLUMNS_MAX {
                    let full = std::mem::take(&mut builder);
                    let rows = full.rows();
                    segments.push(done(full.finish(), rows)?);
                }
            }
            let rows = builder.rows();
            if rows > 0 {
                segments.push(done(builder.finish(), rows)?);
            }
        }
        Ok(segments)
    })
}

/// Adds the row of a commit, if it has a run.
fn push(builder: &mut SegmentBuilder, id: ObjectId, commit: &Commit) {
    let Some(run) = &commit.run else { return };
    builder.push(id, run.started.0);
    let Some(names) = names_of(run, VALUES_MAX) else { return builder.set_wide() };
    for name in names {
        let Some(value) = field(commit, run, &name) else { continue };
        let cell = match &value {
            Field::Number(number) => Cell::Number(*number),
            Field::Bool(value) => Cell::Bool(*value),
            Field::Text(text) => Cell::Text(text),
        };
        builder.set(&name, cell);
    }
}

/// Merges small segments, so that there are few.
fn compact(cache: &Cache, state: &mut State) -> Result<(), Stale> {
    let is_small = |rows: u32| rows < SMALL_ROWS;
    let small = state.segments.iter().filter(|(_, rows)| is_small(*rows)).count();
    if small <= SMALL_MAX {
        return Ok(());
    }
    let gone: HashSet<(u32, u32)> = state.gone.drain(..).collect();
    let mut kept = Vec::new();
    let mut merged = SegmentBuilder::default();
    let mut finished = Vec::new();
    for (at, (name, rows)) in (0_u32..).zip(std::mem::take(&mut state.segments)) {
        if !is_small(rows) {
            let to = u32::try_from(kept.len()).unwrap_or(u32::MAX);
            let here = gone.iter().filter(|(segment, _)| *segment == at);
            state.gone.extend(here.map(|(_, row)| (to, *row)));
            kept.push((name, rows));
            continue;
        }
        let segment = runs_index::open_segment(cache, &name, rows)?;
        if merged.rows().saturating_add(rows) > SEGMENT_ROWS || merged.columns() > COLUMNS_MAX {
            finished.push(std::mem::take(&mut merged));
        }
        copy(&segment, &mut merged, |row| gone.contains(&(at, row)))?;
    }
    finished.push(merged);
    for builder in finished.into_iter().filter(|builder| builder.rows() > 0) {
        let rows = builder.rows();
        kept.push((runs_index::save_segment(cache, &builder.finish()), rows));
    }
    state.segments = kept;
    state.gone.sort_unstable();
    Ok(())
}

fn copy(
    segment: &Segment,
    to: &mut SegmentBuilder,
    is_gone: impl Fn(u32) -> bool,
) -> Result<(), Stale> {
    let names = segment.names();
    let mut columns = Vec::with_capacity(names.len());
    for name in names {
        let column = segment.column(&name)?;
        columns.extend(column.map(|column| (name, column)));
    }
    let wide = segment.wide()?;
    for ((row, id), started) in (0_u32..).zip(segment.ids()?).zip(segment.started()?) {
        if is_gone(row) {
            continue;
        }
        to.push(id, started);
        if wide.binary_search(&row).is_ok() {
            to.set_wide();
        }
        for (name, column) in &columns {
            if let Some(cell) = column.cell(row) {
                to.set(name, cell);
            }
        }
    }
    Ok(())
}
