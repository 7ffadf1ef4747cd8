//! Walks by time, and differences of histories.

use super::*;
use crate::graph::drawing::Drawing;

fn by_time(drawing: &mut Drawing, tips: &str) -> String {
    let walk =
        ByTime::new(tips.chars(), |node, parents: &mut Vec<char>| drawing.read(node, parents));
    walk.expect("tips are drawn").map(|step| step.expect("all are drawn")).collect()
}

fn difference(drawing: &mut Drawing, tips: &str, hidden: &str) -> String {
    let found = between(tips.chars(), hidden.chars(), |node, parents| drawing.read(node, parents));
    let mut found: Vec<_> = found.expect("all are drawn").into_iter().collect();
    found.sort_unstable();
    found.into_iter().collect()
}

#[test]
fn the_latest_comes_first() {
    let mut drawing = Drawing::parse(
        r"
            b--d
           /    \
          a-c----e--f
        ",
    );
    assert_eq!(by_time(&mut drawing, "f"), "fedcba");
    assert_eq!(by_time(&mut drawing, "dc"), "dcba");
    assert_eq!(by_time(&mut drawing, "aff"), "fedcba");
    assert_eq!(by_time(&mut drawing, ""), "");
}

#[test]
fn a_parent_with_a_late_clock_comes_after_its_child() {
    let mut drawing = Drawing::parse(
        r"
          a-9-c-d
             \
              e
        ",
    );
    assert_eq!(by_time(&mut drawing, "d"), "dc9a");
}

#[test]
fn ten_commits_of_a_long_history_cost_few_reads() {
    let mut reads = 0;
    let walk = ByTime::new([1_000_000_u32], |node, parents: &mut Vec<u32>| {
        reads += 1;
        parents.extend(node.checked_sub(1));
        Ok::<_, ()>(Vertex { time: i64::from(node), generation: i64::from(node) })
    });
    let first: Vec<_> = walk.expect("a tip").take(10).map(Result::unwrap).collect();
    assert_eq!(first, (999_991..=1_000_000).rev().collect::<Vec<_>>());
    assert_eq!(reads, 21);
}

#[test]
fn an_error_ends_the_walk() {
    let mut drawing = Drawing::parse("a-b-c");
    let mut walk = ByTime::new(['c'], |node, parents: &mut Vec<char>| {
        drawing.read(node, parents)?;
        if node == 'a' { Err("a is damaged".to_owned()) } else { drawing.read(node, &mut vec![]) }
    })
    .expect("a tip");
    assert_eq!(walk.next(), Some(Ok('c')));
    assert_eq!(walk.next(), Some(Err("a is damaged".to_owned())));
    assert_eq!(walk.next(), None);
}

#[test]
fn what_is_in_one_history_only() {
    let mut drawing = Drawing::parse(
        r"
            b--d---g
           /    \
          a-c----e--f
        ",
    );
    assert_eq!(difference(&mut drawing, "f", "g"), "cef");
    assert_eq!(difference(&mut drawing, "g", "f"), "g");
    assert_eq!(difference(&mut drawing, "f", "f"), "");
    assert_eq!(difference(&mut drawing, "f", "cd"), "ef");
    assert_eq!(difference(&mut drawing, "fg", ""), "abcdefg");
}

#[test]
fn a_difference_reads_only_what_differs() {
    let mut reads = 0;
    let found = between([1_000_000_u32], [999_990], |node, parents| {
        reads += 1;
        parents.extend(node.checked_sub(1));
        Ok::<_, ()>(Vertex { time: 0, generation: i64::from(node) })
    });
    assert_eq!(found.expect("no error").len(), 10);
    assert!(reads < 30, "{reads} reads");
}

#[test]
fn generated_histories_agree_with_the_definition() {
    for seed in 0..300 {
        let mut drawing = Drawing::generated(24, seed);
        for (tip, hidden) in [('X', 'W'), ('W', 'X'), ('V', 'A'), ('X', 'M')] {
            let hides = drawing.history(hidden);
            let expected: String =
                drawing.history(tip).into_iter().filter(|name| !hides.contains(name)).collect();
            let found = difference(&mut drawing, &tip.to_string(), &hidden.to_string());
            assert_eq!(found, expected, "seed {seed}");
        }
        let mut walked: Vec<char> = by_time(&mut drawing, "XWV").chars().collect();
        walked.sort_unstable();
        let mut expected: Vec<_> = "XWV".chars().flat_map(|tip| drawing.history(tip)).collect();
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(walked, expected, "seed {seed}");
    }
}
