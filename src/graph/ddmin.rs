//! The smallest change that breaks it: which of many differences are needed, all others taken back.
//!
//! Source: A. Zeller and R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE
//! Transactions on Software Engineering 28(2), 2002, §3: the algorithm *ddmin*.

use std::collections::HashSet;

/// Finds some of `count` changes that break it together, of which none can be taken back.
///
/// Shape: all changes together break it, and none do not: the caller has tested both. `first_bad`
/// gets sets of changes, each ascending, and gives the position of the first that breaks it, if
/// any does; a set that cannot be told is as good as one that does not. No set is asked for
/// twice. The answer ascends, is not empty unless `count` is 0, and is 1-minimal: without any one
/// of its changes it was tested, and did not break (or is empty). It need not be the only one.
/// Errors: those of `first_bad`.
/// Cost: n² + 3n sets at most, about 2 log n where one change is enough.
pub fn ddmin<E>(
    count: usize,
    mut first_bad: impl FnMut(&[Vec<usize>]) -> Result<Option<usize>, E>,
) -> Result<Vec<usize>, E> {
    let mut left: Vec<usize> = (0..count).collect();
    let mut not_bad: HashSet<Vec<usize>> = HashSet::new();
    let mut parts_count = 2;
    while left.len() >= 2 {
        let mut find = |sets: Vec<Vec<usize>>| -> Result<Option<Vec<usize>>, E> {
            let mut sets = sets;
            sets.retain(|set| !not_bad.contains(set));
            let found = if sets.is_empty() { None } else { first_bad(&sets)? };
            let tested = found.unwrap_or(sets.len());
            not_bad.extend(sets.iter().take(tested).cloned());
            Ok(found.and_then(|at| sets.into_iter().nth(at)))
        };
        let parts = split(&left, parts_count);
        if let Some(part) = find(parts.clone())? {
            (left, parts_count) = (part, 2);
            continue;
        }
        // Of two parts each is what the other leaves.
        let without = |part: &Vec<usize>| -> Vec<usize> {
            left.iter().filter(|change| part.binary_search(change).is_err()).copied().collect()
        };
        let rests = if parts.len() > 2 { parts.iter().map(without).collect() } else { Vec::new() };
        if let Some(rest) = find(rests)? {
            (left, parts_count) = (rest, (parts_count - 1).max(2));
        } else if parts_count < left.len() {
            parts_count = (2 * parts_count).min(left.len());
        } else {
            break;
        }
    }
    Ok(left)
}

/// Cuts a list into so many parts, as equal as can be; at most one for each item.
fn split(items: &[usize], count: usize) -> Vec<Vec<usize>> {
    let count = count.min(items.len()).max(1);
    let (size, more) = (items.len() / count, items.len() % count);
    let mut rest = items;
    let mut parts = Vec::with_capacity(count);
    for at in 0..count {
        let (part, after) = rest.split_at((size + usize::from(at < more)).min(rest.len()));
        parts.push(part.to_vec());
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// Runs it, and counts the sets that were tested one after the other.
    fn run(count: usize, is_bad: impl Fn(&[usize]) -> bool) -> (Vec<usize>, usize) {
        let mut tests = 0;
        let mut seen = HashSet::new();
        let found = ddmin(count, |sets| {
            for (at, set) in sets.iter().enumerate() {
                assert!(seen.insert(set.clone()), "{set:?} is tested twice");
                tests += 1;
                if is_bad(set) {
                    return Ok::<_, Infallible>(Some(at));
                }
            }
            Ok(None)
        });
        (found.expect("it cannot fail"), tests)
    }

    #[test]
    fn one_culprit_is_found_by_halves() {
        for culprit in [0, 1, 500, 1023] {
            let (found, tests) = run(1024, |set| set.contains(&culprit));
            assert_eq!(found, [culprit]);
            assert!(tests <= 20, "{tests}");
        }
    }

    #[test]
    fn two_that_only_break_together_are_both_found() {
        let (found, tests) = run(64, |set| set.contains(&3) && set.contains(&60));
        assert_eq!(found, [3, 60]);
        assert!(tests <= 70, "{tests}");
    }

    #[test]
    fn where_all_are_needed_all_are_given() {
        let (found, tests) = run(8, |set| set.len() == 8);
        assert_eq!(found, (0..8).collect::<Vec<_>>());
        assert!(tests <= 8 * 8 + 3 * 8, "{tests}");
        assert_eq!(run(1, |_| unreachable!("nothing to test")), (vec![0], 0));
        assert_eq!(run(0, |_| unreachable!("nothing to test")), (vec![], 0));
    }

    #[test]
    fn an_error_ends_it() {
        assert_eq!(ddmin(4, |_| Err::<Option<usize>, _>("no")), Err("no"));
    }

    proptest! {
        /// Whatever breaks it, monotone or not: the answer breaks it, and nothing of it can go.
        #[test]
        fn the_answer_is_one_minimal(
            count in 1_usize..14,
            culprits in prop::collection::vec(prop::collection::vec(0_usize..14, 1..4), 1..4),
            mended_by in prop::option::of(0_usize..14),
        ) {
            let all: Vec<usize> = (0..count).collect();
            let is_bad = |set: &[usize]| {
                let is_mended = mended_by.is_some_and(|one| set.contains(&one));
                let is_whole = set.len() == count;
                let breaks = |culprit: &Vec<usize>| culprit.iter().all(|one| set.contains(one));
                is_whole || !is_mended && culprits.iter().any(breaks) && !set.is_empty()
            };
            prop_assert!(is_bad(&all));
            let (found, tests) = run(count, is_bad);
            prop_assert!(is_bad(&found));
            prop_assert!(found.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(tests <= count * count + 3 * count);
            for gone in &found {
                let rest: Vec<usize> = found.iter().filter(|one| *one != gone).copied().collect();
                prop_assert!(rest.is_empty() || !is_bad(&rest), "{:?} without {}", found, gone);
            }
        }
    }
}
