//! History in an order in which no commit comes before one of its children.

use std::collections::{BinaryHeap, HashMap};
use std::hash::Hash;

use super::Vertex;

/// Lists commits and all their ancestors, each once, children always before parents, and one line
/// of history before another begins.
///
/// Shape: as git's `--topo-order`: after a merge the branch that was merged last comes first.
/// Errors: those of `read`, after which nothing more comes.
/// Cost: lazy; to list a commit, history is read down to the generation of its parents; memory
/// follows what is read and not yet listed.
/// Source: git `revision.c`, `expand_topo_walk`, which has the idea from Kahn's algorithm.
pub struct Topological<N, F> {
    /// Commits that are not yet counted as children: generation and commit.
    unexplored: BinaryHeap<(i64, N)>,
    /// Commits that are known and not listed.
    waiting: HashMap<N, Waiting>,
    /// Those whose children are all listed; the last one is next.
    ready: Vec<N>,
    read: F,
}

#[derive(Clone, Copy)]
struct Waiting {
    /// Children that are known and not listed.
    children: u32,
    generation: i64,
}

impl<N, E, F> Topological<N, F>
where
    N: Copy + Ord + Hash,
    F: FnMut(N, &mut Vec<N>) -> Result<Vertex, E>,
{
    /// Starts at `tips`, the latest of which comes first; `read` appends the parents of a commit
    /// and tells what it is.
    pub fn new(tips: impl IntoIterator<Item = N>, read: F) -> Result<Self, E> {
        let mut walk = Self {
            unexplored: BinaryHeap::new(),
            waiting: HashMap::new(),
            ready: Vec::new(),
            read,
        };
        let mut starts = Vec::new();
        for tip in tips {
            if !walk.waiting.contains_key(&tip) {
                let vertex = walk.discover(tip, 0)?;
                starts.push((vertex.time, vertex.generation, tip));
            }
        }
        starts.sort_unstable();
        let lowest = starts.iter().map(|(_, generation, _)| *generation).min();
        walk.explore_above(lowest.unwrap_or(i64::MAX))?;
        for (_, _, tip) in starts {
            // A tip in the history of another one comes when its children have come.
            if walk.waiting.get(&tip).is_some_and(|waiting| waiting.children == 0) {
                walk.ready.push(tip);
            }
        }
        Ok(walk)
    }

    /// Meets a commit for the first time.
    fn discover(&mut self, node: N, children: u32) -> Result<Vertex, E> {
        let vertex = (self.read)(node, &mut Vec::new())?;
        self.unexplored.push((vertex.generation, node));
        self.waiting.insert(node, Waiting { children, generation: vertex.generation });
        Ok(vertex)
    }

    /// Counts the children of every commit whose generation is at least `generation`.
    fn explore_above(&mut self, generation: i64) -> Result<(), E> {
        while self.unexplored.peek().is_some_and(|(highest, _)| *highest > generation) {
            let Some((_, node)) = self.unexplored.pop() else { break };
            let mut parents = Vec::new();
            (self.read)(node, &mut parents)?;
            for parent in parents {
                match self.waiting.get_mut(&parent) {
                    Some(waiting) => waiting.children = waiting.children.saturating_add(1),
                    None => drop(self.discover(parent, 1)?),
                }
            }
        }
        Ok(())
    }

    fn step(&mut self) -> Result<Option<N>, E> {
        let Some(node) = self.ready.pop() else { return Ok(None) };
        let mut parents = Vec::new();
        let vertex = (self.read)(node, &mut parents)?;
        // Explores the commit itself at the latest, so its parents are known.
        self.explore_above(vertex.generation.saturating_sub(1))?;
        self.waiting.remove(&node);
        for parent in parents {
            let Some(waiting) = self.waiting.get(&parent).copied() else { continue };
            self.explore_above(waiting.generation)?;
            let Some(waiting) = self.waiting.get_mut(&parent) else { continue };
            waiting.children = waiting.children.saturating_sub(1);
            if waiting.children == 0 {
                self.ready.push(parent);
            }
        }
        Ok(Some(node))
    }
}

impl<N, E, F> Iterator for Topological<N, F>
where
    N: Copy + Ord + Hash,
    F: FnMut(N, &mut Vec<N>) -> Result<Vertex, E>,
{
    type Item = Result<N, E>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_err() {
            self.ready.clear();
        }
        step.transpose()
    }
}

#[cfg(test)]
#[path = "topology_tests.rs"]
mod tests;
