//! History as a set of paths sees it: only commits that changed one of them, git's way.

use std::collections::{HashMap, HashSet};

use crate::graph::{ByTime, Vertex};
use crate::object::tree;
use crate::object::{IdHasher, ObjectId, TreePath};
use crate::progress::Progress;
use crate::repo::{Error, Repository};
use crate::store::{Commits, Position, Reader};

/// Lists the content that a path has had in the history of all refs and of the head, each once.
///
/// Cost: a look at the tree of each commit whose directories on the way are others.
pub fn path_versions(
    repository: &Repository,
    path: &TreePath,
    progress: &Progress,
) -> Result<Vec<ObjectId>, Error> {
    let mut reader = repository.store.reader();
    let mut tips: Vec<ObjectId> =
        repository.refs()?.list(&mut reader, None)?.into_values().collect();
    tips.extend(repository.head_commit()?);
    tips.sort_unstable();
    tips.dedup();
    let mut versions = Vec::new();
    repository.with_history(&tips, progress, |commits, positions| {
        versions.clear();
        let read = |position, parents: &mut Vec<Position>| {
            progress.check()?;
            commits.read(position, parents).map_err(Error::from)
        };
        let (mut seen, mut trees) = (HashSet::new(), HashSet::new());
        for position in ByTime::new(positions.iter().copied(), read)? {
            let tree = reader.commit(&commits.id(position?)?)?.tree;
            if !trees.insert(tree) {
                continue;
            }
            let found = tree::find(&tree, path, |id| reader.node(id).map_err(Error::from))?;
            versions.extend(found.map(|found| found.id()).filter(|id| seen.insert(*id)));
        }
        Ok(())
    })?;
    Ok(versions)
}

/// Decides for each commit whether it changed one of the paths, and which parents to follow.
///
/// Shape: a commit that has the paths as one of its parents has them is passed over, and only the
/// first such parent is followed; any other commit is shown and all of its parents are followed.
/// Source: git-log(1), "History Simplification", default mode.
pub struct PathHistory<'a, 'r> {
    commits: Commits<'a>,
    reader: Reader<'r>,
    paths: &'a [TreePath],
    /// Whether all but the first parent of a merge count for nothing.
    first_parent: bool,
    /// What a tree holds under the paths, as a hash of what stands there.
    states: HashMap<ObjectId, State>,
    trees: HashMap<Position, ObjectId>,
    seen: HashMap<Position, Seen>,
}

/// A hash of what stands under all paths; `None` if nothing does.
type State = Option<ObjectId>;

#[derive(Clone)]
struct Seen {
    is_shown: bool,
    vertex: Vertex,
    follows: Vec<Position>,
}

impl<'a, 'r> PathHistory<'a, 'r> {
    /// Looks through `paths`; without any, every commit is shown.
    pub fn new(commits: Commits<'a>, reader: Reader<'r>, paths: &'a [TreePath]) -> Self {
        let (states, trees, seen) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { commits, reader, paths, first_parent: false, states, trees, seen }
    }

    /// Compares a merge with its first parent alone, and follows no other, if `is_so`.
    pub const fn first_parent(mut self, is_so: bool) -> Self {
        self.first_parent = is_so;
        self
    }

    /// Appends the parents to follow, and tells what the walks of `graph` ask.
    pub fn read(
        &mut self,
        position: Position,
        parents: &mut Vec<Position>,
    ) -> Result<Vertex, Error> {
        if self.paths.is_empty() {
            return Ok(self.commits.read(position, parents)?);
        }
        if let Some(seen) = self.seen.get(&position) {
            parents.extend_from_slice(&seen.follows);
            return Ok(seen.vertex);
        }
        let seen = self.look(position)?;
        parents.extend_from_slice(&seen.follows);
        let vertex = seen.vertex;
        self.seen.insert(position, seen);
        Ok(vertex)
    }

    /// Tells whether a commit that was read changed one of the paths.
    pub fn is_shown(&self, position: Position) -> bool {
        self.paths.is_empty() || self.seen.get(&position).is_some_and(|seen| seen.is_shown)
    }

    fn look(&mut self, position: Position) -> Result<Seen, Error> {
        let mut follows = Vec::new();
        let vertex = self.commits.read(position, &mut follows)?;
        if self.first_parent {
            follows.truncate(1);
        }
        let own = self.state(position)?;
        for parent in &follows {
            if self.state(*parent)? == own {
                let follows = vec![*parent];
                return Ok(Seen { is_shown: false, vertex, follows });
            }
        }
        let is_shown = own.is_some() || !follows.is_empty();
        Ok(Seen { is_shown, vertex, follows })
    }

    fn state(&mut self, position: Position) -> Result<State, Error> {
        let root = match self.trees.get(&position) {
            Some(root) => *root,
            None => {
                let id = self.commits.id(position)?;
                let root = self.reader.commit(&id)?.tree;
                self.trees.insert(position, root);
                root
            }
        };
        if let Some(state) = self.states.get(&root) {
            return Ok(*state);
        }
        let mut hasher = IdHasher::new();
        let mut is_there = false;
        for path in self.paths {
            let reader = &mut self.reader;
            let found = tree::find(&root, path, |id| reader.node(id).map_err(Error::from))?;
            is_there |= found.is_some();
            // The whole entry counts: a file that became executable has changed.
            hasher.update(format!("{found:?}\n").as_bytes());
        }
        let state = is_there.then(|| hasher.finish());
        self.states.insert(root, state);
        Ok(state)
    }
}
