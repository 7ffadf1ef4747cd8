//! What something came from, or led to: everything that can be reached, and by which way first.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;

/// A step from one node to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge<N, L> {
    /// Where it begins: nearer to the start.
    pub from: N,
    /// Where it leads.
    pub to: N,
    /// What it says.
    pub label: L,
    /// Whether it is the first to lead there: these edges alone are a tree.
    pub is_first: bool,
}

/// Follows edges from `starts`, nearest first, to the end or as deep as `depth_max`.
///
/// Shape: every edge out of a node that is reached, once, in the order in which they were given; no
/// first edge leads to a start, and a cycle ends where it closes. `weight` tells how much deeper a
/// node lies than what leads to it.
/// Errors: those of `neighbours`, which appends what a node leads to.
/// Cost: `neighbours` is called once for each node that is not too deep.
pub fn spread<N: Clone + Eq + Hash, L, E>(
    starts: impl IntoIterator<Item = N>,
    depth_max: Option<u32>,
    weight: impl Fn(&N) -> u32,
    mut neighbours: impl FnMut(&N, &mut Vec<(N, L)>) -> Result<(), E>,
) -> Result<Vec<Edge<N, L>>, E> {
    let mut edges = Vec::new();
    let (mut seen, mut queue) = (HashSet::new(), VecDeque::new());
    for start in starts {
        if seen.insert(start.clone()) {
            queue.push_back((start, 0_u32));
        }
    }
    let mut found = Vec::new();
    while let Some((from, depth)) = queue.pop_front() {
        neighbours(&from, &mut found)?;
        for (to, label) in found.drain(..) {
            let deeper = depth.saturating_add(weight(&to));
            if depth_max.is_some_and(|depth_max| deeper > depth_max) {
                continue;
            }
            let is_first = seen.insert(to.clone());
            if is_first {
                queue.push_back((to.clone(), deeper));
            }
            edges.push(Edge { from: from.clone(), to, label, is_first });
        }
    }
    Ok(edges)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ```text
    /// a─b─c─d
    ///  ╲e╱   ╲      d leads back to b
    ///         b
    /// ```
    fn neighbours(from: &char, into: &mut Vec<(char, String)>) -> Result<(), ()> {
        let to = match from {
            'a' => "be",
            'b' | 'e' => "c",
            'c' => "d",
            'd' => "b",
            _ => "",
        };
        into.extend(to.chars().map(|to| (to, format!("{from}{to}"))));
        Ok(())
    }

    fn labels(depth_max: Option<u32>, is_first: bool) -> Vec<String> {
        let edges = spread(['a'], depth_max, |_| 1, neighbours).unwrap();
        let edges = edges.into_iter().filter(|edge| !is_first || edge.is_first);
        edges.map(|edge| edge.label).collect()
    }

    #[test]
    fn every_edge_comes_once_and_a_cycle_ends() {
        assert_eq!(labels(None, false), ["ab", "ae", "bc", "ec", "cd", "db"]);
        assert_eq!(labels(None, true), ["ab", "ae", "bc", "cd"]);
    }

    #[test]
    fn depth_is_counted_from_the_start() {
        assert_eq!(labels(Some(1), false), ["ab", "ae"]);
        assert_eq!(labels(Some(2), false), ["ab", "ae", "bc", "ec"]);
        assert!(labels(Some(0), false).is_empty());
    }

    /// The nearest start led to nothing that another, asked about before it, had led to already.
    #[test]
    fn of_several_starts_the_nearest_leads_to_it() {
        let edges = spread(['a', 'c', 'a'], None, |_| 1, neighbours).unwrap();
        let first = edges.iter().filter(|edge| edge.is_first).map(|edge| edge.label.as_str());
        assert_eq!(first.collect::<Vec<_>>(), ["ab", "ae", "cd"]);
        assert_eq!(edges.len(), labels(None, false).len(), "no edge comes twice");
    }

    #[test]
    fn what_cannot_be_read_ends_it() {
        let result = spread(['a'], None, |_| 1, |_, _: &mut Vec<(char, ())>| Err("damaged"));
        assert_eq!(result, Err("damaged"));
    }
}
