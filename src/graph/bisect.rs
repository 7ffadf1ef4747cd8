//! Which commit to test next, so that few tests find the one that broke something.
//!
//! A suspect is a commit that may be the first bad one: the bad commit and what it descends from,
//! without what a good commit descends from. A test of a suspect says whether the culprit is among
//! its ancestors, so the best one has half of all suspects behind it. What to test, and what the
//! answers were, is the caller's.

use std::collections::HashMap;
use std::hash::Hash;

use super::{Vertex, between};

mod few;
mod halves;

/// The commits that may be the first bad one.
///
/// Shape: parents before children, the bad commit last.
#[derive(Debug, Clone)]
pub struct Suspects<N> {
    nodes: Vec<N>,
    /// Of each node its parents among the nodes, by index.
    parents: Vec<Vec<usize>>,
    /// Whether a node can be the culprit, or only leads from one to another.
    counts: Vec<bool>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next<N> {
    /// This is the first bad commit.
    Found(N),
    /// Test this one.
    Test {
        /// The commit.
        node: N,
        /// How many suspects there are, the bad commit among them.
        suspects: usize,
        /// About how many tests are left after this one.
        steps: u32,
    },
    /// All that is left was skipped: the culprit is one of these, oldest first.
    OnlySkipped(Vec<N>),
}

impl<N: Copy + Ord + Hash> Suspects<N> {
    /// Finds the suspects between a bad commit and good ones.
    ///
    /// Shape: none if a good commit descends from the bad one. `counts` tells which commits can be
    /// the culprit; the bad one always can. Errors: those of `read`, which appends the parents of a
    /// commit and tells what it is, and of `counts`.
    /// Cost: that of [`between`], and memory for each suspect.
    pub fn find<E>(
        bad: N,
        good: impl IntoIterator<Item = N>,
        mut read: impl FnMut(N, &mut Vec<N>) -> Result<Vertex, E>,
        mut counts: impl FnMut(N) -> Result<bool, E>,
    ) -> Result<Self, E> {
        let found = between([bad], good, &mut read)?;
        let mut order = Vec::with_capacity(found.len());
        let mut unused = Vec::new();
        for node in found {
            order.push((read(node, &mut unused)?.generation, node));
            unused.clear();
        }
        order.sort_unstable();
        let nodes: Vec<N> = order.into_iter().map(|(_, node)| node).collect();
        let places: HashMap<N, usize> =
            nodes.iter().enumerate().map(|(place, node)| (*node, place)).collect();
        let mut suspects = Self { nodes: Vec::new(), parents: Vec::new(), counts: Vec::new() };
        for node in &nodes {
            read(*node, &mut unused)?;
            let parents = unused.drain(..).filter_map(|parent| places.get(&parent).copied());
            suspects.parents.push(parents.collect());
            suspects.counts.push(*node == bad || counts(*node)?);
        }
        suspects.nodes = nodes;
        Ok(suspects)
    }

    /// Counts those that can be the culprit.
    pub fn count(&self) -> usize {
        self.counts.iter().filter(|counts| **counts).count()
    }

    /// Lists those that can be the culprit, oldest first.
    pub fn culprits(&self) -> impl Iterator<Item = N> {
        self.nodes.iter().zip(&self.counts).filter(|(_, counts)| **counts).map(|(node, _)| *node)
    }

    /// Decides what to test; `None` if there are no suspects.
    ///
    /// Shape: never the bad commit, nor one that `is_skipped`; of those left the one after which
    /// the searches for all suspects are shortest in sum, or of very many the one that halves them.
    /// Around a commit that was skipped others are likely to be skipped too, so the next one is far
    /// from it. Cost: of some thousands, a tenth of a second or so; of more, a few passes over the
    /// suspects, and one over a merge's ancestors for each of the merges that may halve better than
    /// the best one known.
    pub fn next(&self, is_skipped: impl Fn(N) -> bool) -> Option<Next<N>> {
        let bad = self.nodes.len().checked_sub(1)?;
        let count = self.count();
        let last = *self.nodes.get(bad)?;
        if count == 1 {
            return Some(Next::Found(last));
        }
        let skipped: Vec<bool> = self.nodes.iter().map(|node| is_skipped(*node)).collect();
        let can_test =
            |place: usize| place != bad && flag(&self.counts, place) && !flag(&skipped, place);
        let graph = halves::Graph { parents: &self.parents, counts: &self.counts, count };
        let is_any = (0..bad).any(can_test);
        if !is_any {
            return Some(Next::OnlySkipped(self.culprits().collect()));
        }
        let best = match few::best(&graph) {
            Some(place) => place,
            None => graph.closest(count, |place| place != bad && flag(&self.counts, place))?,
        };
        let place = match can_test(best) {
            true => best,
            false => {
                let skips = self.culprit_places().filter(|place| flag(&skipped, *place)).count();
                graph.closest(shifted(count, skips), can_test)?
            }
        };
        let node = *self.nodes.get(place)?;
        Some(Next::Test { node, suspects: count, steps: steps(count) })
    }

    fn culprit_places(&self) -> impl Iterator<Item = usize> {
        self.counts.iter().enumerate().filter(|(_, counts)| **counts).map(|(place, _)| place)
    }
}

fn flag(flags: &[bool], place: usize) -> bool {
    flags.get(place).copied().unwrap_or_default()
}

/// Twice the number of ancestors to look for after so many skips: 1/2, 1/4, 3/4, 1/8, 5/8, … of
/// all suspects. The bits of the number of skips backwards are the part.
fn shifted(count: usize, skips: usize) -> usize {
    let skips = u32::try_from(skips).unwrap_or(u32::MAX).saturating_add(1);
    let part = u64::from(skips.reverse_bits());
    let twice = u64::try_from(count).unwrap_or(u64::MAX).saturating_mul(2);
    let twice = (u128::from(twice) * u128::from(part)) >> u32::BITS;
    usize::try_from(twice).unwrap_or(usize::MAX)
}

/// About how many tests are left after the next one, if it halves `count` suspects.
///
/// Source: git `bisect.c`, `estimate_bisect_steps`.
pub fn steps(count: usize) -> u32 {
    if count < 3 {
        return 0;
    }
    let (log, power) = (count.ilog2(), 1_usize << count.ilog2());
    let above = count - power;
    if power < 3 * above { log } else { log - 1 }
}

#[cfg(test)]
#[path = "bisect_tests.rs"]
mod tests;
