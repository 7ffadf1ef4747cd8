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

    const fn is_common(self) -> bool {
        self.one && self.other
    }
}

/// Finds the best common ancestors of `one` and of a merge of `others`: those that are not in the
/// history of another common ancestor.
///
/// Shape: as `git merge-base --all`; the latest first; one for most histories, several after
/// criss-cross merges, none for unrelated ones or when `others` is empty.
/// Errors: those of `read`, which appends the parents of a commit and tells what it is.
/// Cost: reads both histories down to the generation of the lowest result.
pub fn merge_bases<N: Copy + Ord + Hash, E>(
    one: N,
    others: impl IntoIterator<Item = N>,
    mut read: impl FnMut(N, &mut Vec<N>) -> Result<Vertex, E>,
) -> Result<Vec<N>, E> {
    let mut paint = Paint { queue: BinaryHeap::new(), sides: HashMap::new(), fresh_count: 0 };
    paint.reach(one, Sides { one: true, ..Sides::default() }, &mut read)?;
    for other in others {
        paint.reach(other, Sides { other: true, ..Sides::default() }, &mut read)?;
    }
    let mut bases = Vec::new();
    let mut parents = Vec::new();
    // Largest generation first: when a commit comes, whoever leads to it has come.
    while paint.fresh_count > 0 {
        let Some((_, time, node)) = paint.queue.pop() else { break };
        let mut sides = paint.sides.get(&node).copied().unwrap_or_default();
        if !sides.stale {
            paint.fresh_count = paint.fresh_count.saturating_sub(1);
            if sides.is_common() {
                bases.push((time, node));
                sides.stale = true;
            }
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
    queue: BinaryHeap<(u32, i64, N)>,
    sides: HashMap<N, Sides>,
    /// How many commits wait in the queue that are not stale.
    fresh_count: u64,
}

impl<N: Copy + Ord + Hash> Paint<N> {
    fn reach<E>(
        &mut self,
        node: N,
        from: Sides,
        read: &mut impl FnMut(N, &mut Vec<N>) -> Result<Vertex, E>,
    ) -> Result<(), E> {
        if let Some(sides) = self.sides.get_mut(&node) {
            let joined = sides.join(from);
            let ages = u64::from(joined.stale && !sides.stale);
            self.fresh_count = self.fresh_count.saturating_sub(ages);
            *sides = joined;
            return Ok(());
        }
        let vertex = read(node, &mut Vec::new())?;
        self.queue.push((vertex.generation, vertex.time, node));
        self.sides.insert(node, from);
        self.fresh_count += u64::from(!from.stale);
        Ok(())
    }
}

#[cfg(test)]
#[path = "ancestry_tests.rs"]
mod tests;
