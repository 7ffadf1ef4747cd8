//! Histories drawn in ASCII; how many tests each culprit takes is the assertion.

use super::*;
use crate::graph::drawing::Drawing;

fn suspects(drawing: &mut Drawing, bad: char, good: &str) -> Suspects<char> {
    let read = |name, into: &mut Vec<char>| drawing.read(name, into);
    Suspects::find(bad, good.chars(), read, |_| Ok(true)).unwrap()
}

/// Finds `culprit` by tests; gives how many it took.
fn search(drawing: &mut Drawing, bad: char, good: &str, culprit: char, skipped: &str) -> usize {
    let (mut bad, mut good) = (bad, good.to_owned());
    for tests in 0..200 {
        let suspects = suspects(drawing, bad, &good);
        match suspects.next(|name| skipped.contains(name)).unwrap() {
            Next::Found(found) => {
                assert_eq!(found, culprit);
                return tests;
            }
            Next::Test { node, .. } if drawing.history(node).contains(&culprit) => bad = node,
            Next::Test { node, .. } => good.push(node),
            Next::OnlySkipped(left) => {
                assert!(left.contains(&culprit), "{left:?}");
                return tests;
            }
        }
    }
    panic!("never found");
}

/// Gives the number of tests for each suspect, sorted.
fn spread(drawing: &mut Drawing, bad: char, good: &str) -> Vec<usize> {
    let all: Vec<char> = suspects(drawing, bad, good).culprits().collect();
    let tests = all.iter().map(|culprit| search(drawing, bad, good, *culprit, ""));
    let mut tests: Vec<usize> = tests.collect();
    tests.sort_unstable();
    tests
}

#[test]
fn a_line_is_halved() {
    let mut drawing = Drawing::parse("a-b-c-d-e-f-g-h-i");
    assert_eq!(spread(&mut drawing, 'i', "a"), [3; 8]);
    let mut drawing = Drawing::parse("a-b-c-d-e-f");
    assert_eq!(spread(&mut drawing, 'f', "a"), [2, 2, 2, 3, 3]);
}

#[test]
fn branches_are_told_apart_by_their_sizes() {
    let picture = "a-b-c-d-e-f-k\n \\         / \n  p-q-r-s-t  ";
    let mut drawing = Drawing::parse(picture);
    let spread = spread(&mut drawing, 'k', "a");
    assert_eq!(spread.len(), 11);
    assert!(spread.iter().all(|tests| (3..=4).contains(tests)), "{spread:?}");
}

#[test]
fn a_good_commit_clears_its_history() {
    let mut drawing = Drawing::parse("a-b-c-d-e-f-g-h");
    let all: String = suspects(&mut drawing, 'h', "d").culprits().collect();
    assert_eq!(all, "efgh");
    assert_eq!(suspects(&mut drawing, 'c', "h").next(|_| false), None);
    assert_eq!(suspects(&mut drawing, 'h', "g").next(|_| false), Some(Next::Found('h')));
}

#[test]
fn what_was_skipped_is_never_tested() {
    let mut drawing = Drawing::parse("a-b-c-d-e-f-g-h-i");
    for skipped in ["e", "def", "bcdefgh", "h", "bdfh"] {
        for culprit in "bcdefghi".chars() {
            search(&mut drawing, 'i', "a", culprit, skipped);
        }
    }
    let all = suspects(&mut drawing, 'e', "b");
    let left = all.next(|name| "cd".contains(name));
    assert_eq!(left, Some(Next::OnlySkipped(vec!['c', 'd', 'e'])));
}

#[test]
fn the_neighbours_of_a_skipped_commit_are_left_alone() {
    let names: Vec<char> = ('A'..='Z').chain('a'..='z').collect();
    let line: String = names.iter().flat_map(|name| [*name, '-']).collect();
    let mut drawing = Drawing::parse(line.trim_end_matches('-'));
    let all = suspects(&mut drawing, 'z', "A");
    let Some(Next::Test { node: first, .. }) = all.next(|_| false) else { panic!() };
    let Some(Next::Test { node: second, .. }) = all.next(|name| name == first) else { panic!() };
    let place = |name| names.iter().position(|known| *known == name).unwrap();
    assert!(place(first).abs_diff(place(second)) > 8, "{first} {second}");
}

#[test]
fn every_culprit_of_any_history_is_found_in_few_tests() {
    for seed in 0..12 {
        let mut drawing = Drawing::generated(50, seed);
        for bad in drawing.names() {
            let all: Vec<char> = suspects(&mut drawing, bad, "").culprits().collect();
            if all.len() < 12 {
                continue;
            }
            for culprit in &all {
                let tests = search(&mut drawing, bad, "", *culprit, "");
                assert!(tests < all.len(), "seed {seed}, {bad}, {culprit}: {tests}");
                search(&mut drawing, bad, "", *culprit, "CFILORUX");
            }
        }
    }
}

/// Counts what is behind each suspect by the definition.
fn behind(suspects: &Suspects<u32>) -> Vec<usize> {
    let mut all = Vec::new();
    for place in 0..suspects.nodes.len() {
        let mut seen = std::collections::HashSet::from([place]);
        let mut stack = vec![place];
        while let Some(next) = stack.pop() {
            stack.extend(suspects.parents[next].iter().filter(|parent| seen.insert(**parent)));
        }
        all.push(seen.iter().filter(|place| suspects.counts[**place]).count());
    }
    all
}

/// Makes a history with many merges.
fn generated(count: u32, seed: u64) -> Suspects<u32> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut random = move |below: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        u32::try_from(state >> 33).unwrap() % below.max(1)
    };
    let mut history: Vec<Vec<u32>> = vec![vec![]];
    for number in 1..count {
        let mut parents: Vec<u32> = (0..[1, 1, 1, 2, 3][random(5) as usize])
            .map(|_| number - 1 - random(number.min(1 + 9 * u32::from(seed.is_multiple_of(2)))))
            .collect();
        parents.sort_unstable();
        parents.dedup();
        history.push(parents);
    }
    let counts: Vec<bool> = (0..count).map(|_| !seed.is_multiple_of(3) || random(3) == 0).collect();
    let read = |node: u32, into: &mut Vec<u32>| -> Result<Vertex, ()> {
        into.extend(&history[node as usize]);
        Ok(Vertex { time: i64::from(node), generation: i64::from(node) })
    };
    Suspects::find(count - 1, [], read, |node| Ok(counts[node as usize])).unwrap()
}

#[test]
fn of_many_the_one_nearest_to_half_is_found() {
    for seed in 0..40 {
        let suspects = generated(700, seed);
        let behind = behind(&suspects);
        let count = suspects.count();
        let distance = |place: usize| (2 * behind[place]).abs_diff(count);
        let candidates = (0..suspects.nodes.len() - 1).filter(|place| suspects.counts[*place]);
        let least = candidates.map(distance).min().unwrap();
        let (parents, counts) = (&suspects.parents, &suspects.counts);
        let graph = halves::Graph { parents, counts, count };
        let can_test = |place: usize| place + 1 < counts.len() && counts[place];
        let place = graph.closest(count, can_test).unwrap();
        // One off half is as good as half.
        assert!(distance(place) <= least.max(1), "seed {seed}: {} {least}", distance(place));
    }
}

/// A merge of many lines: every test tells but one of them from all others, and looking to the end
/// of each order of tests would take for ever.
#[test]
fn commits_that_tell_little_are_not_looked_at_for_ever() {
    let read = |node: u32, into: &mut Vec<u32>| -> Result<Vertex, ()> {
        if node == 100 {
            into.extend(0..100);
        }
        Ok(Vertex { time: i64::from(node), generation: i64::from(node / 100) })
    };
    let suspects = Suspects::find(100, [], read, |_| Ok(true)).unwrap();
    assert!(matches!(suspects.next(|_| false), Some(Next::Test { suspects: 101, .. })));
}

/// Counts the tests of the searches for all suspects in sum, by a rule that says what to test.
fn tests_in_sum(history: &[Vec<u32>], rule: impl Fn(&Suspects<u32>) -> u32) -> (usize, usize) {
    let mut generations: Vec<i64> = Vec::new();
    for parents in history {
        let above = parents.iter().map(|parent| generations[*parent as usize]).max();
        generations.push(above.unwrap_or_default() + 1);
    }
    let read = |node: u32, into: &mut Vec<u32>| -> Result<Vertex, ()> {
        into.extend(&history[node as usize]);
        Ok(Vertex { time: i64::from(node), generation: generations[node as usize] })
    };
    let last = u32::try_from(history.len() - 1).unwrap();
    let (mut sum, mut found, mut open) = (0, 0, vec![(last, Vec::new(), 0)]);
    while let Some((bad, good, tests)) = open.pop() {
        let suspects = Suspects::find(bad, good.iter().copied(), read, |_| Ok(true)).unwrap();
        if suspects.count() == 1 {
            (sum, found) = (sum + tests, found + 1);
            continue;
        }
        let test = rule(&suspects);
        open.push((bad, good.iter().copied().chain([test]).collect(), tests + 1));
        open.push((test, good, tests + 1));
    }
    (sum, found)
}

#[test]
fn searches_are_shorter_than_where_each_test_only_halves() {
    let least = |count: usize| match count.checked_ilog2() {
        Some(log) => count * log as usize + 2 * (count - (1 << log)),
        None => 0,
    };
    let halves = |suspects: &Suspects<u32>| {
        let (behind, count) = (behind(suspects), suspects.count());
        let places = (0..suspects.nodes.len() - 1).rev();
        let place =
            places.min_by_key(|place| least(behind[*place]) + least(count - behind[*place]));
        suspects.nodes[place.unwrap()]
    };
    let ahead = |suspects: &Suspects<u32>| match suspects.next(|_| false) {
        Some(Next::Test { node, .. }) => node,
        other => panic!("{other:?}"),
    };
    let mut sums = (0, 0);
    for seed in 0..8 {
        let history = lines_side_by_side(250, seed);
        let (ahead, halves) = (tests_in_sum(&history, ahead), tests_in_sum(&history, halves));
        assert_eq!((ahead.1, halves.1), (history.len(), history.len()), "all are found");
        assert!(ahead.0 <= halves.0, "seed {seed}: {} {}", ahead.0, halves.0);
        sums = (sums.0 + ahead.0, sums.1 + halves.0);
    }
    assert!(sums.0 < sums.1, "{sums:?}");
}

/// Makes a history of lines that are seldom merged, all of them in the last commit.
fn lines_side_by_side(count: u32, seed: u64) -> Vec<Vec<u32>> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut random = move |below: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        u32::try_from(state >> 33).unwrap() % below
    };
    let (mut history, mut tips) = (vec![vec![]], [0; 12]);
    for number in 1..count {
        let at = random(12) as usize;
        let mut parents = vec![tips[at]];
        parents.extend((random(50) == 0).then(|| tips[random(12) as usize]));
        parents.dedup();
        history.push(parents);
        tips[at] = number;
    }
    let mut tips = tips.to_vec();
    tips.sort_unstable();
    tips.dedup();
    history.push(tips);
    history
}
