//! Who descends from whom: ancestors, and the best common ones.

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::hash::Hash;

use super::Vertex;

/// Tells whether `ancestor` is in the history of `descendant`; a commit is in its own.
///
/// Errors: those of `read`, which appends the parents of a commit and tells what it is.
/// Cost: reads the history of `descendant` down to the generation of `ancestor`.
pub fn is_ancestor<N: Copy + Ord + Hash, E>(
    ancestor: N,
    descendant: N,
    mut read: impl FnMut(N, &mut Vec<N>) -> Result<Vertex, E>,
) -> Result<bool, E> {
    if ancestor == descendant {
        return Ok(true);
    }
    let lowest = read(ancestor, &mut Vec::new())?.generation;
    let mut seen = HashSet::from([descendant]);
    let mut stack = vec![descendant];
    let mut parents = Vec::new();
    while let Some(node) = stack.pop() {
        parents.clear();
        // Whoever is not above the ancestor has only others below.
        if read(node, &mut parents)?.generation <= lowest {
            continue;
        }
        if parents.contains(&ancestor) {
            return Ok(true);
        }
        // The first parent is looked at first: most ancestors are on the main line.
        stack.extend(parents.iter().rev().filter(|parent| seen.insert(**parent)));
    }
    Ok(false)
}

/// From which side a commit was reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sides {
    one: bool,
    other: bool,
    /// It is behind a common ancestor, so it is not a best one.
    stale: bool,
}

impl Sides {
    const fn join(self, with: Self) -> Self {
        Self {
            one: self.one || with.one,
            other: self.other || with.other,
            stale: self.stale || with.stale,
        }
    }

    const fn is_fresh_one(self) -> bool {
        self.one && !self.stale
    }

    const fn is_fresh_other(self) -> bool {
        self.other && !self.stale
    }
}

/// Finds the best common ancestors of `one` and of a merge of `others`: those that are not in the
/// history of another common ancestor.
///
/// Shape: as `git merge-base --all`; the latest first; one for most histories, several after
/// criss-cross merges, none for unrelated ones or when `others` is empty.
/// Errors: those of `read`, which appends the parents of a commit and tells what it is.
/// Cost: reads both histories down to the generation of the lowest result; to the end where there
/// is none.
pub fn merge_bases<N: Copy + Ord + Hash, E>(
    one: N,
    others: impl IntoIterator<Item = N>,
    mut read: impl FnMut(N, &mut Vec<N>) -> Result<Vertex, E>,
) -> Result<Vec<N>, E> {
    let mut paint = Paint::default();
    paint.reach(one, Sides { one: true, ..Sides::default() }, &mut read)?;
    for other in others {
        paint.reach(other, Sides { other: true, ..Sides::default() }, &mut read)?;
    }
    let mut bases = Vec::new();
    let mut parents = Vec::new();
    // Largest generation first: when a commit comes, whoever leads to it has come. A best common
    // ancestor is reached from commits of both sides that are behind no other one, so when either
    // side has none left, all were found.
    while paint.one_count > 0 && paint.other_count > 0 {
        let Some((_, time, node)) = paint.queue.pop() else { break };
        let mut sides = paint.sides.get(&node).copied().unwrap_or_default();
        paint.count(sides, Sides::default());
        if sides.is_fresh_one() && sides.is_fresh_other() {
            bases.push((time, node));
            sides.stale = true;
        }
        read(node, &mut parents)?;
        for parent in parents.drain(..) {
            paint.reach(parent, sides, &mut read)?;
        }
    }
    bases.sort_unstable_by(|a, b| b.cmp(a));
    Ok(bases.into_iter().map(|(_, node)| node).collect())
}

struct Paint<N> {
    /// Generation, time, commit.
    queue: BinaryHeap<(i64, i64, N)>,
    sides: HashMap<N, Sides>,
    /// How many commits that wait in the queue were reached from each side and are not stale.
    one_count: u64,
    other_count: u64,
}

impl<N: Copy + Ord + Hash> Default for Paint<N> {
    fn default() -> Self {
        Self { queue: BinaryHeap::new(), sides: HashMap::new(), one_count: 0, other_count: 0 }
    }
}

impl<N: Copy + Ord + Hash> Paint<N> {
    fn reach<E>(
        &mut self,
        node: N,
        from: Sides,
        read: &mut impl FnMut(N, &mut Vec<N>) -> Result<Vertex, E>,
    ) -> Result<(), E> {
        if let Some(known) = self.sides.get_mut(&node) {
            let before = *known;
            *known = before.join(from);
            let after = *known;
            self.count(before, after);
            return Ok(());
        }
        let vertex = read(node, &mut Vec::new())?;
        self.queue.push((vertex.generation, vertex.time, node));
        self.sides.insert(node, from);
        self.count(Sides::default(), from);
        Ok(())
    }

    /// Counts a waiting commit as what it is now, instead of what it was.
    fn count(&mut self, before: Sides, after: Sides) {
        self.one_count += u64::from(after.is_fresh_one());
        self.one_count = self.one_count.saturating_sub(u64::from(before.is_fresh_one()));
        self.other_count += u64::from(after.is_fresh_other());
        self.other_count = self.other_count.saturating_sub(u64::from(before.is_fresh_other()));
    }
}

#[cfg(test)]
#[path = "ancestry_tests.rs"]
mod tests;
