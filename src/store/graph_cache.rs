//! The commit graph of a repository: completed with what is new, kept in `cache/`, rebuilt at will.
//!
//! The bytes are specified in `docs/format/commit-graph.md`. A map of the file never changes: new
//! records are appended after it, and whatever is damaged is replaced by a new file.

mod addition;

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use memmap2::Mmap;

use crate::format::commit_graph::{CommitGraph, GraphBuilder};
use crate::format::layout;
use crate::graph::Vertex;
use crate::object::{ObjectId, Timestamp};
use crate::progress::Progress;

use super::cache::open_plain;
use super::{Cache, Store, StoreError};
use addition::Addition;

pub use crate::format::commit_graph::Position;

/// From so many look-ups on, an index of all ids pays; each look-up may scan the whole graph.
const SCANS_MAX: u32 = 8;

/// How often the file is looked at again when it is damaged, or others append to it.
const ATTEMPTS: u32 = 4;

/// Commits by position, with everything that they can reach.
///
/// Shape: positions are those of this value only; parents have smaller ones than children.
#[derive(Debug)]
pub struct History {
    bytes: Bytes,
}

#[derive(Debug)]
enum Bytes {
    Mapped(Mmap),
    Held(Vec<u8>),
}

/// Reads a [`History`]; cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct Commits<'h> {
    graph: CommitGraph<'h>,
}

impl History {
    fn empty() -> Self {
        Self { bytes: Bytes::Held(CommitGraph::header().to_vec()) }
    }

    fn as_bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Mapped(map) => map,
            Bytes::Held(bytes) => bytes,
        }
    }

    /// Looks into it.
    ///
    /// Errors: [`StoreError::StaleGraph`], as [`Commits::read`].
    pub fn commits(&self) -> Result<Commits<'_>, StoreError> {
        let graph = CommitGraph::open(self.as_bytes()).map_err(StoreError::StaleGraph)?;
        Ok(Commits { graph })
    }
}

impl Commits<'_> {
    /// Finds the positions of several commits; `None` for one that is not there.
    ///
    /// Cost: one look from the end for a few commits, one pass over all for many.
    pub fn find_all(&self, ids: &[ObjectId]) -> Result<Vec<Option<Position>>, StoreError> {
        let mut lookup = Lookup::new(self.graph);
        ids.iter().map(|id| lookup.find(id)).collect()
    }

    /// Counts positions; all are below, though not each of them is a commit.
    pub fn position_count(&self) -> u32 {
        self.graph.record_count()
    }

    /// Gives the id of a commit.
    ///
    /// Errors: as [`Self::read`].
    pub fn id(&self, position: Position) -> Result<ObjectId, StoreError> {
        Ok(self.graph.get(position).map_err(StoreError::StaleGraph)?.id)
    }

    /// Gives the time that the author of a commit claims.
    ///
    /// Errors: as [`Self::read`].
    pub fn time(&self, position: Position) -> Result<Timestamp, StoreError> {
        Ok(self.graph.get(position).map_err(StoreError::StaleGraph)?.time)
    }

    /// Appends the parents of a commit, in their order, and tells what the walks of `graph` ask.
    ///
    /// Errors: [`StoreError::StaleGraph`] when the file is damaged: [`Store::forget_history`], and
    /// ask again.
    pub fn read(
        &self,
        position: Position,
        parents: &mut Vec<Position>,
    ) -> Result<Vertex, StoreError> {
        let commit = self.graph.read(position, parents).map_err(StoreError::StaleGraph)?;
        Ok(Vertex { time: commit.time.0, generation: commit.generation })
    }
}

/// Half of an id: it keeps an index small, and who finds two commits that agree in it, in 2^64
/// attempts, makes that index slow. The whole id is compared before anything is believed.
type Short = [u8; 16];

fn short(id: &ObjectId) -> Short {
    id.as_bytes().first_chunk().copied().unwrap_or_default()
}

/// Finds commits in a graph: by scans while they are few, then in an index.
struct Lookup<'g> {
    graph: CommitGraph<'g>,
    scans: u32,
    index: Option<HashMap<Short, Position>>,
}

impl<'g> Lookup<'g> {
    fn new(graph: CommitGraph<'g>) -> Self {
        Self { graph, scans: 0, index: None }
    }

    fn find(&mut self, id: &ObjectId) -> Result<Option<Position>, StoreError> {
        if let Some(index) = &self.index {
            let found = index.get(&short(id)).copied();
            return found.map_or(Ok(None), |position| self.checked(id, position));
        }
        if self.scans < SCANS_MAX {
            self.scans += 1;
            return Ok(self.graph.find(id));
        }
        let entry = |position| Ok((short(&self.graph.get(position)?.id), position));
        let index = self.graph.positions().map(entry).collect::<Result<HashMap<_, _>, _>>();
        self.index = Some(index.map_err(StoreError::StaleGraph)?);
        self.find(id)
    }

    /// Gives the position of a commit, if there is one, where one with the same half of an id is.
    fn checked(&self, id: &ObjectId, other: Position) -> Result<Option<Position>, StoreError> {
        Ok(if self.is_at(id, other)? { Some(other) } else { self.graph.find(id) })
    }

    fn is_at(&self, id: &ObjectId, position: Position) -> Result<bool, StoreError> {
        Ok(self.graph.get(position).map_err(StoreError::StaleGraph)?.id == *id)
    }
}

impl Store {
    /// Gives the history of `tips`: all that they can reach is in it.
    ///
    /// Shape: commits that the file in `cache` does not have are read and appended to it; the
    /// answer is the same without a cache. Errors: a commit that is missing or malformed; a stop.
    /// Cost: a map of the file, and a read of each commit that is new to it.
    pub fn history(
        &self,
        cache: &Cache,
        tips: &[ObjectId],
        progress: &Progress,
    ) -> Result<History, StoreError> {
        for _ in 0..ATTEMPTS {
            let kept = load(cache).unwrap_or_else(History::empty);
            match self.with_new(kept, cache, tips, progress) {
                Ok(Some(history)) => return Ok(history),
                Ok(None) => {}
                Err(StoreError::StaleGraph(_)) => self.forget_history(cache),
                Err(error) => return Err(error),
            }
        }
        let history = self.with_new(History::empty(), &Cache::none(), tips, progress)?;
        Ok(history.unwrap_or_else(History::empty))
    }

    /// Throws the file away; it is built anew when it is asked for.
    pub fn forget_history(&self, cache: &Cache) {
        if let Some(path) = cache.path(layout::COMMIT_GRAPH) {
            // It may be gone already, and what cannot be removed is refused when it is read.
            let _gone_or_refused = fs::remove_file(path);
        }
    }

    /// Adds the commits that `tips` reach and `kept` does not have; `None` if another process
    /// has added some meanwhile.
    fn with_new(
        &self,
        kept: History,
        cache: &Cache,
        tips: &[ObjectId],
        progress: &Progress,
    ) -> Result<Option<History>, StoreError> {
        let graph = kept.commits()?.graph;
        let mut builder = GraphBuilder::after(graph);
        Addition::find(tips, &mut Lookup::new(graph), &mut self.reader(), progress)?
            .push_to(&mut builder)
            .map_err(StoreError::StaleGraph)?;
        let (offset, new) = (builder.offset(), builder.bytes());
        if new.is_empty() {
            return Ok(Some(kept));
        }
        match append(cache, &kept, offset, new) {
            Ok(()) => return Ok(load(cache).filter(|longer| continues(&kept, longer, new))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
            Err(_) => {}
        }
        let whole = usize::try_from(offset).ok().and_then(|end| kept.as_bytes().get(..end));
        let bytes = [whole.unwrap_or_default(), new].concat();
        cache.save(layout::COMMIT_GRAPH, &bytes);
        Ok(Some(History { bytes: Bytes::Held(bytes) }))
    }
}

/// Tells whether the file that was appended to is the one that was looked at.
fn continues(kept: &History, longer: &History, new: &[u8]) -> bool {
    let (kept, longer) = (kept.as_bytes(), longer.as_bytes());
    let end = kept.len().saturating_add(new.len());
    longer.get(kept.len()..end) == Some(new)
}

/// Maps the file, if it is there.
fn load(cache: &Cache) -> Option<History> {
    let path = cache.path(layout::COMMIT_GRAPH)?;
    let file = open_plain(OpenOptions::new().read(true), &path).ok()?;
    // SAFETY: the file belongs to this worktree alone. It is appended to, behind what is mapped
    // here, or replaced by another one; it is never cut short or changed where it is mapped.
    #[expect(unsafe_code, reason = "a million commits are not copied to look at ten")]
    let map = unsafe { Mmap::map(&file) }.ok()?;
    Some(History { bytes: Bytes::Mapped(map) })
}

/// Appends records to the file that `kept` is a map of, if it still ends there.
fn append(cache: &Cache, kept: &History, offset: u64, new: &[u8]) -> io::Result<()> {
    let path = cache.path(layout::COMMIT_GRAPH).ok_or(io::ErrorKind::NotFound)?;
    let kept_bytes = u64::try_from(kept.as_bytes().len()).unwrap_or(u64::MAX);
    // A torn end is mapped too: it is not overwritten in place.
    if kept_bytes != offset || matches!(kept.bytes, Bytes::Held(_)) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let file = open_locked(&path)?;
    if file.metadata()?.len() != offset {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    file.write_all_at(new, offset)
}

/// Opens the file for one writer at a time; whoever comes second keeps nothing.
fn open_locked(path: &Path) -> io::Result<File> {
    let file = open_plain(OpenOptions::new().read(true).write(true), path)?;
    file.try_lock().map_err(io::Error::from)?;
    Ok(file)
}

#[cfg(test)]
#[path = "graph_cache_tests.rs"]
mod tests;
