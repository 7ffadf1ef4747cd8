//! Commits that a commit graph does not have yet: found newest first, added oldest first.

use std::collections::HashMap;

use super::{Lookup, Position, Short, short};
use crate::format::commit_graph::GraphBuilder;
use crate::object::{DecodeError, ObjectId, Timestamp};
use crate::progress::{Phase, Progress};
use crate::store::{Reader, StoreError};

/// From so many tips on their order matters.
const TIPS_MIN: usize = 64;

/// Holds new commits in the order in which they were found.
///
/// Cost: some 50 bytes a commit, and as much again for the index while they are looked for.
#[derive(Debug, Default)]
pub(super) struct Addition {
    commits: Vec<NewCommit>,
    /// The id of each.
    ids: Vec<ObjectId>,
    /// The parents of all of them, one after the other.
    parents: Vec<Parent>,
}

#[derive(Debug)]
struct NewCommit {
    time: Timestamp,
    /// Where its parents end in the list of all parents.
    parents_end: usize,
}

/// Where a parent is.
#[derive(Debug, Clone, Copy)]
enum Parent {
    /// In the graph.
    Kept(Position),
    /// Among the new commits.
    New(u32),
}

impl Addition {
    /// Finds what `tips` reach and the graph does not have.
    pub fn find(
        tips: &[ObjectId],
        lookup: &mut Lookup<'_>,
        reader: &mut Reader<'_>,
        progress: &Progress,
    ) -> Result<Self, StoreError> {
        let mut addition = Self::default();
        let mut found = HashMap::new();
        let mut ids = Vec::new();
        for tip in in_order_of_packs(tips, lookup, reader)? {
            addition.locate(tip, lookup, &mut found, &mut ids)?;
        }
        if !ids.is_empty() {
            progress.begin(Phase { name: "reading history", ..Phase::default() });
        }
        // Ids come to the list while it is gone through.
        let mut next = 0;
        while let Some(id) = ids.get(next).copied() {
            next += 1;
            progress.check()?;
            progress.add_files(1);
            let commit = reader.commit(&id)?;
            for parent in commit.parents {
                let parent = addition.locate(parent, lookup, &mut found, &mut ids)?;
                addition.parents.push(parent);
            }
            let (time, parents_end) = (commit.time, addition.parents.len());
            addition.commits.push(NewCommit { time, parents_end });
        }
        addition.ids = ids;
        Ok(addition)
    }

    fn locate(
        &self,
        id: ObjectId,
        lookup: &mut Lookup<'_>,
        found: &mut HashMap<Short, Parent>,
        ids: &mut Vec<ObjectId>,
    ) -> Result<Parent, StoreError> {
        if let Some(known) = found.get(&short(&id)).copied() {
            let is_it = match known {
                Parent::Kept(position) => lookup.is_at(&id, position)?,
                Parent::New(number) => ids.get(number as usize) == Some(&id),
            };
            if is_it {
                return Ok(known);
            }
            // Half of its id is another commit's too.
            if let Some(number) = ids.iter().position(|other| *other == id) {
                return Ok(Parent::New(u32::try_from(number).map_err(|_| too_many())?));
            }
        }
        let place = match lookup.find(&id)? {
            Some(position) => Parent::Kept(position),
            None => {
                let number = u32::try_from(ids.len()).map_err(|_| too_many())?;
                ids.push(id);
                Parent::New(number)
            }
        };
        found.insert(short(&id), place);
        Ok(place)
    }

    /// Adds all of them, parents before children.
    pub fn push_to(&self, builder: &mut GraphBuilder<'_>) -> Result<(), DecodeError> {
        let mut added: Vec<Option<Position>> = vec![None; self.commits.len()];
        let mut stack = Vec::new();
        let mut positions = Vec::new();
        for number in 0..self.commits.len() {
            stack.push(number);
            while let Some(top) = stack.last().copied() {
                if added.get(top).copied().flatten().is_some() {
                    stack.pop();
                    continue;
                }
                positions.clear();
                let mut missing = None;
                for parent in self.parents_of(top) {
                    match self.position_of(*parent, &added) {
                        Ok(position) => positions.push(position),
                        Err(number) => {
                            missing = Some(number);
                            break;
                        }
                    }
                }
                match (missing, self.commits.get(top).zip(self.ids.get(top))) {
                    (Some(parent), _) => stack.push(parent),
                    (None, Some((commit, id))) => {
                        let position = builder.push(*id, commit.time, &positions)?;
                        if let Some(slot) = added.get_mut(top) {
                            *slot = Some(position);
                        }
                        stack.pop();
                    }
                    (None, None) => break,
                }
            }
        }
        Ok(())
    }

    fn parents_of(&self, number: usize) -> &[Parent] {
        let end = |number: usize| self.commits.get(number).map(|commit| commit.parents_end);
        let begin = number.checked_sub(1).and_then(end).unwrap_or(0);
        self.parents.get(begin..end(number).unwrap_or(begin)).unwrap_or_default()
    }

    /// Gives the position of a parent, or its number if it was not added yet.
    fn position_of(&self, parent: Parent, added: &[Option<Position>]) -> Result<Position, usize> {
        match parent {
            Parent::Kept(position) => Ok(position),
            Parent::New(number) => {
                let number = usize::try_from(number).unwrap_or(usize::MAX);
                added.get(number).copied().flatten().ok_or(number)
            }
        }
    }
}

/// Puts tips that are new in the order in which they lie in packs, if they are many: a block that
/// holds a thousand of them is decoded once then.
fn in_order_of_packs(
    tips: &[ObjectId],
    lookup: &mut Lookup<'_>,
    reader: &mut Reader<'_>,
) -> Result<Vec<ObjectId>, StoreError> {
    if tips.len() < TIPS_MIN {
        return Ok(tips.to_vec());
    }
    let mut placed = Vec::new();
    for tip in tips {
        if lookup.find(tip)?.is_none() {
            // One that is missing is told when it is read.
            placed.push((reader.record_place(tip).ok(), *tip));
        }
    }
    placed.sort_unstable();
    Ok(placed.into_iter().map(|(_, tip)| tip).collect())
}

fn too_many() -> StoreError {
    StoreError::StaleGraph(DecodeError::new("commit graph", 0, "there are too many commits"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::commit_graph::CommitGraph;

    #[test]
    fn new_commits_that_agree_in_half_of_their_ids_are_told_apart() {
        let ids = [1, 2, 1, 2, 3].map(|last| {
            let mut bytes = [7; 32];
            bytes[31] = last;
            ObjectId::from_bytes(bytes)
        });
        let bytes = CommitGraph::header();
        let mut lookup = Lookup::new(CommitGraph::open(&bytes).expect("empty"));
        let (mut found, mut new) = (HashMap::new(), Vec::new());
        let numbers = ids.map(|id| {
            let addition = Addition::default();
            match addition.locate(id, &mut lookup, &mut found, &mut new).expect("sound") {
                Parent::New(number) => number,
                Parent::Kept(_) => u32::MAX,
            }
        });
        assert_eq!((numbers, new.len()), ([0, 1, 0, 1, 2], 3));
    }
}
