//! The runs that a question can be about, found by the index: all others need not be read.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::index::{Index, contents};
use super::live::Live;
use super::{Direction, LineageNode};
use crate::object::tree::{Node, Target};
use crate::object::{Commit, Content, ObjectId};
use crate::progress::Progress;
use crate::repo::refs::Refs;
use crate::repo::trouble::Trouble;
use crate::repo::{Error, Repository};
use crate::store::lineage_index::Table;
use crate::store::{Reader, StoreError};

/// Follows content from run to run.
///
/// Shape: it finds at least what [`super::Graph`] walks, which decides; what only seems to belong
/// to it costs time and changes nothing.
pub(in crate::repo) struct Search<'r> {
    index: &'r mut Index,
    repository: &'r Repository,
    reader: Reader<'r>,
    live: Live<'r>,
    pub(super) progress: &'r Progress,
}

impl<'r> Search<'r> {
    pub(super) fn new(
        index: &'r mut Index,
        repository: &'r Repository,
        refs: &'r Refs,
        progress: &'r Progress,
    ) -> Self {
        let live = Live::new(repository, refs, index.all_count(), progress);
        Self { index, repository, reader: repository.store.reader(), live, progress }
    }

    /// Gives what a run says of content that it has read or made.
    pub fn content(&mut self, id: &ObjectId) -> Result<Option<Content>, Trouble> {
        for table in [Table::Makers, Table::Users] {
            let mut found = Vec::new();
            self.index.find(table, id, &mut found)?;
            for run in found {
                let Some(run) = self.commit(&run)?.and_then(|commit| commit.run) else { continue };
                let made = run.outputs.into_iter().filter_map(|output| output.content);
                let all = made.chain(run.inputs.into_iter().map(|input| input.content));
                let content = all.into_iter().find(|content| content.id == *id);
                if content.is_some() {
                    return Ok(content);
                }
            }
        }
        Ok(None)
    }

    /// Finds the runs to which some nodes lead, so many runs far; commits among the nodes as well.
    pub fn runs(
        &mut self,
        starts: &[LineageNode],
        direction: Direction,
        depth_max: Option<u32>,
    ) -> Result<BTreeMap<ObjectId, Commit>, Trouble> {
        let (near, far) = match direction {
            Direction::Up => (Table::Makers, Table::Users),
            Direction::Down => (Table::Users, Table::Makers),
        };
        let mut runs = BTreeMap::new();
        let (mut asked, mut queue) = (HashSet::new(), VecDeque::new());
        for start in starts {
            match start {
                LineageNode::Artifact(id) => queue.push_back((*id, 0)),
                LineageNode::Commit(id) => {
                    let commit = self.reader.commit(id)?;
                    let artifacts = commit.artifacts.iter().map(|artifact| artifact.content.id);
                    let reached = contents(&commit).filter(|(table, _)| *table == far);
                    queue.extend(
                        reached.map(|(_, content)| content.id).chain(artifacts).map(|id| (id, 0)),
                    );
                    runs.insert(*id, commit);
                }
            }
        }
        while let Some((content, depth)) = queue.pop_front() {
            if depth_max.is_some_and(|depth_max| depth >= depth_max) {
                continue;
            }
            let mut found = Vec::new();
            self.around(content, near, &mut asked, &mut found)?;
            self.inside(content, depth, near, &mut asked, &mut found)?;
            for id in found {
                if runs.contains_key(&id) {
                    continue;
                }
                let Some(commit) = self.commit(&id)? else { continue };
                let reached = contents(&commit).filter(|(table, _)| *table == far);
                queue.extend(reached.map(|(_, content)| (content.id, depth + 1)));
                runs.insert(id, commit);
            }
        }
        Ok(runs)
    }

    /// Asks about content and everything that holds it.
    fn around(
        &mut self,
        content: ObjectId,
        table: Table,
        asked: &mut HashSet<ObjectId>,
        into: &mut Vec<ObjectId>,
    ) -> Result<(), Trouble> {
        let mut stack = vec![content];
        while let Some(id) = stack.pop() {
            if asked.insert(id) {
                self.progress.check()?;
                self.index.find(table, &id, into)?;
                self.index.find(Table::Holders, &id, &mut stack)?;
            }
        }
        Ok(())
    }

    /// Asks about everything that a directory holds, and about what holds that, where there is
    /// anything to find.
    fn inside(
        &mut self,
        content: ObjectId,
        depth: u32,
        table: Table,
        asked: &mut HashSet<ObjectId>,
        into: &mut Vec<ObjectId>,
    ) -> Result<(), Trouble> {
        // It has every directory that a run names; what only the user names is looked for.
        let is_node = match depth {
            0 => !self.repository.store.nodes_among(&[content])?.is_empty(),
            _ => self.index.has_node(&content)?,
        };
        if !is_node {
            return Ok(());
        }
        let (mut stack, mut seen) = (vec![content], HashSet::from([content]));
        while let Some(node) = stack.pop() {
            self.progress.check()?;
            match Node::decode(&self.reader.node(&node)?)? {
                Node::Inner { children, .. } => {
                    stack.extend(children.into_iter().map(|child| child.id));
                }
                Node::Leaf(entries) => {
                    for target in entries.into_iter().map(|entry| entry.target) {
                        let id = target.id();
                        if !seen.insert(id) {
                            continue;
                        }
                        if matches!(target, Target::Directory { .. }) {
                            stack.push(id);
                        }
                        let before = into.len();
                        self.index.find(table, &id, into)?;
                        if into.len() > before {
                            self.around(id, table, asked, into)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads the record of a run; nothing for one that no ref leads to any more.
    fn commit(&mut self, id: &ObjectId) -> Result<Option<Commit>, Error> {
        match self.reader.commit(id) {
            Ok(commit) => Ok(self.live.has(id, &commit)?.then_some(commit)),
            Err(StoreError::Missing { .. }) if !self.live.leads_to(id)? => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
