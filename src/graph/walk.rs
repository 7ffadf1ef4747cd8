//! From some commits back through history: the latest first, and what is in one history only.

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::hash::Hash;

use super::Vertex;

/// Lists commits and all their ancestors, each once, the latest first.
///
/// Shape: a commit comes before its parents as far as times tell; where a parent claims to be
/// later than its child, it comes when the child has come. Equal times go by generation, then by
/// node. Errors: those of `read`, after which nothing more comes.
/// Cost: lazy; `read` is called twice for each commit listed and once for each one that waits.
pub struct ByTime<N, F> {
    /// Time, generation, commit.
    queue: BinaryHeap<(i64, i64, N)>,
    seen: HashSet<N>,
    /// Room for the parents of the commit at hand, and of one whose parents do not matter yet.
    parents: Vec<N>,
    unused: Vec<N>,
    read: F,
}

impl<N: Copy + Ord + Hash, E, F: FnMut(N, &mut Vec<N>) -> Result<Vertex, E>> ByTime<N, F> {
    /// Starts at `tips`; `read` appends the parents of a commit and tells what it is.
    pub fn new(tips: impl IntoIterator<Item = N>, read: F) -> Result<Self, E> {
        let mut walk = Self {
            queue: BinaryHeap::new(),
            seen: HashSet::new(),
            parents: Vec::new(),
            unused: Vec::new(),
            read,
        };
        tips.into_iter().try_for_each(|tip| walk.push(tip))?;
        Ok(walk)
    }

    fn push(&mut self, node: N) -> Result<(), E> {
        if self.seen.insert(node) {
            let vertex = (self.read)(node, &mut self.unused)?;
            self.unused.clear();
            self.queue.push((vertex.time, vertex.generation, node));
        }
        Ok(())
    }

    fn step(&mut self) -> Result<Option<N>, E> {
        let Some((_, _, node)) = self.queue.pop() else { return Ok(None) };
        let mut parents = std::mem::take(&mut self.parents);
        (self.read)(node, &mut parents)?;
        parents.iter().try_for_each(|parent| self.push(*parent))?;
        parents.clear();
        self.parents = parents;
        Ok(Some(node))
    }
}

impl<N: Copy + Ord + Hash, E, F: FnMut(N, &mut Vec<N>) -> Result<Vertex, E>> Iterator
    for ByTime<N, F>
{
    type Item = Result<N, E>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_err() {
            self.queue.clear();
        }
        step.transpose()
    }
}

/// Finds the commits in the history of `tips` that are not in the history of `hidden`, in the
/// words of git `^hidden tips`.
///
/// Shape: in no order. Errors: those of `read`.
/// Cost: reads what it finds, and of the history of `hidden` only as far back as the found part
/// goes; memory follows both.
pub fn between<N: Copy + Ord + Hash, E>(
    tips: impl IntoIterator<Item = N>,
    hidden: impl IntoIterator<Item = N>,
    mut read: impl FnMut(N, &mut Vec<N>) -> Result<Vertex, E>,
) -> Result<HashSet<N>, E> {
    let mut sorting = Sorting { queue: BinaryHeap::new(), hides: HashMap::new(), open_count: 0 };
    for node in hidden {
        sorting.reach(node, true, &mut read)?;
    }
    for node in tips {
        sorting.reach(node, false, &mut read)?;
    }
    let mut found = HashSet::new();
    let mut parents = Vec::new();
    // Largest generation first: whoever can hide a commit was looked at before it.
    while sorting.open_count > 0 {
        let Some((_, node)) = sorting.queue.pop() else { break };
        let hides = sorting.hides.get(&node).copied().unwrap_or_default();
        if !hides {
            found.insert(node);
            sorting.open_count = sorting.open_count.saturating_sub(1);
        }
        read(node, &mut parents)?;
        for parent in parents.drain(..) {
            sorting.reach(parent, hides, &mut read)?;
        }
    }
    Ok(found)
}

/// Commits that wait to be found or hidden.
struct Sorting<N> {
    /// Generation and commit.
    queue: BinaryHeap<(i64, N)>,
    /// Whether each commit that was met is in the hidden history, as far as it is known.
    hides: HashMap<N, bool>,
    /// How many commits wait in the queue that are not known to be hidden.
    open_count: u64,
}

impl<N: Copy + Ord + Hash> Sorting<N> {
    fn reach<E>(
        &mut self,
        node: N,
        hides: bool,
        read: &mut impl FnMut(N, &mut Vec<N>) -> Result<Vertex, E>,
    ) -> Result<(), E> {
        if let Some(known) = self.hides.get_mut(&node) {
            let newly_hidden = u64::from(hides && !*known);
            self.open_count = self.open_count.saturating_sub(newly_hidden);
            *known |= hides;
            return Ok(());
        }
        let vertex = read(node, &mut Vec::new())?;
        self.queue.push((vertex.generation, node));
        self.hides.insert(node, hides);
        self.open_count += u64::from(!hides);
        Ok(())
    }
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
