//! New records for a commit graph, one or many; `docs/format/commit-graph.md`.

use super::record::{self, OVERFLOW_PARENTS, RECORD_BYTES, Record};
use super::{CommitGraph, GraphCommit, Position, WHAT};
use crate::object::{DecodeError, ObjectId, Timestamp};

/// Collects records to append to a commit graph.
///
/// Shape: commits come after their parents, each once. Cost: memory is what is added, 60 bytes a
/// commit.
#[derive(Debug, Default)]
pub struct GraphBuilder<'a> {
    base: Option<CommitGraph<'a>>,
    bytes: Vec<u8>,
}

impl<'a> GraphBuilder<'a> {
    /// Starts a graph without commits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts at the end of a graph.
    pub fn after(base: CommitGraph<'a>) -> Self {
        Self { base: Some(base), ..Self::default() }
    }

    /// Adds a commit that is not there yet, and gives its position.
    ///
    /// Errors: a parent that is not there, or is damaged; more commits than positions.
    pub fn push(
        &mut self,
        id: ObjectId,
        time: Timestamp,
        parents: &[Position],
    ) -> Result<Position, DecodeError> {
        let mut generation = time.0;
        let mut ids = Vec::with_capacity(parents.len());
        for parent in parents {
            let parent = self.get(*parent)?;
            generation = parent.generation.saturating_add(1).max(generation);
            ids.push(parent.id);
        }
        if !(i64::MIN + 1..i64::MAX).contains(&generation) {
            return Err(DecodeError::new(WHAT, 0, "the time leaves no generation"));
        }
        if let [_, further @ ..] = parents
            && further.len() > 1
        {
            let width = usize::try_from(OVERFLOW_PARENTS).unwrap_or(1);
            for listed in further.chunks(width) {
                let position = self.next_position()?;
                self.bytes.extend_from_slice(&record::overflow(listed, position));
            }
        }
        let position = self.next_position()?;
        let commit = GraphCommit { id, time, generation };
        self.bytes.extend_from_slice(&record::commit(&commit, parents, position, &ids));
        Ok(position)
    }

    /// Gives the offset in the file at which [`Self::bytes`] belong.
    pub fn offset(&self) -> u64 {
        match &self.base {
            Some(base) => base.end_offset(),
            None => u64::try_from(CommitGraph::header().len()).unwrap_or_default(),
        }
    }

    /// Gives the new records.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn get(&self, position: Position) -> Result<GraphCommit, DecodeError> {
        let Some(added) = position.index().checked_sub(self.record_count()) else {
            let missing = || DecodeError::new(WHAT, 0, "a parent is not there");
            return self.base.ok_or_else(missing)?.get(position);
        };
        // What was added here is as it was made.
        let (records, _) = self.bytes.as_chunks::<RECORD_BYTES>();
        let at = usize::try_from(added).unwrap_or(usize::MAX);
        let record = records.get(at).map(Record).filter(|record| record.is_commit());
        let record = record.ok_or_else(|| DecodeError::new(WHAT, 0, "a parent is not there"))?;
        Ok(record.commit())
    }

    fn record_count(&self) -> u32 {
        self.base.map_or(0, |base| base.record_count())
    }

    fn next_position(&self) -> Result<Position, DecodeError> {
        let added = u32::try_from(self.bytes.len() / RECORD_BYTES).ok();
        let next = added.and_then(|added| self.record_count().checked_add(added));
        next.map(Position)
            .filter(|position| *position <= Position::MAX)
            .ok_or_else(|| DecodeError::new(WHAT, 0, "there is no position left"))
    }
}
