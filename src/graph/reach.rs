//! What some roots keep alive.

/// Visits everything that can be reached from `roots`, the roots among it, each once.
///
/// Shape: `enter` marks a node in the caller's set and tells whether it was new; only then
/// `neighbours` appends what the node refers to. In depth, the last neighbour first.
/// Errors: the first of `neighbours`; what was marked stays marked.
/// Cost: memory beyond the caller's set is what the nodes on one path refer to.
pub fn reach<N, E>(
    roots: impl IntoIterator<Item = N>,
    mut enter: impl FnMut(&N) -> bool,
    mut neighbours: impl FnMut(N, &mut Vec<N>) -> Result<(), E>,
) -> Result<(), E> {
    let mut stack = Vec::new();
    for root in roots {
        stack.push(root);
        while let Some(node) = stack.pop() {
            if enter(&node) {
                neighbours(node, &mut stack)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// A cycle, a diamond and something apart.
    #[test]
    fn what_is_reached_is_entered_once() {
        let neighbours = |node: u32, into: &mut Vec<u32>| {
            into.extend_from_slice(match node {
                1 => &[2, 3],
                2 | 3 => &[4],
                4 => &[1],
                9 => &[8],
                _ => &[],
            });
            Ok::<(), ()>(())
        };
        let mut seen = HashSet::new();
        let mut entered = Vec::new();
        let enter = |node: &u32| {
            let is_new = seen.insert(*node);
            entered.extend(is_new.then_some(*node));
            is_new
        };
        assert_eq!(reach([1, 4, 1], enter, neighbours), Ok(()));
        assert_eq!(entered, [1, 3, 4, 2]);
    }

    #[test]
    fn the_first_error_ends_it() {
        let fail = |node: u32, into: &mut Vec<u32>| {
            into.push(node + 1);
            if node == 3 { Err(node) } else { Ok(()) }
        };
        assert_eq!(reach([0], |_| true, fail), Err(3));
    }
}
