//! Orders in which no parent comes before a child.

use super::*;
use crate::graph::drawing::Drawing;

fn walk(drawing: &mut Drawing, tips: &str) -> String {
    let walk =
        Topological::new(tips.chars(), |node, parents: &mut Vec<char>| drawing.read(node, parents));
    walk.expect("tips are drawn").map(|step| step.expect("all are drawn")).collect()
}

#[test]
fn a_merged_branch_comes_in_one_piece() {
    let mut drawing = Drawing::parse(
        r"
            b-----d
           /       \
          a-c-e-f---g--h
        ",
    );
    assert_eq!(walk(&mut drawing, "h"), "hgdbfeca");
    assert_eq!(walk(&mut drawing, "df"), "dbfeca");
}

#[test]
fn a_tip_in_the_history_of_another_waits() {
    let mut drawing = Drawing::parse("a-9-c-d");
    assert_eq!(walk(&mut drawing, "9d"), "dc9a");
    assert_eq!(walk(&mut drawing, "da9"), "dc9a");
}

#[test]
fn an_octopus_gives_its_last_branch_first() {
    let mut drawing = Drawing::parse(
        r"
            b
           / \
          a-c-e-f
           \ /
            d
        ",
    );
    assert_eq!(drawing.parents('e'), ['c', 'b', 'd']);
    assert_eq!(walk(&mut drawing, "f"), "fedbca");
}

#[test]
fn ten_commits_of_a_long_history_cost_few_reads() {
    let mut reads = 0;
    let walk = Topological::new([1_000_000_u32], |node, parents: &mut Vec<u32>| {
        reads += 1;
        parents.extend(node.checked_sub(1));
        Ok::<_, ()>(Vertex { time: 0, generation: i64::from(node) })
    });
    let first: Vec<_> = walk.expect("a tip").take(10).map(Result::unwrap).collect();
    assert_eq!(first, (999_991..=1_000_000).rev().collect::<Vec<_>>());
    assert!(reads <= 35, "{reads} reads");
}

#[test]
fn generated_histories_come_whole_and_in_order() {
    for seed in 0..300 {
        let mut drawing = Drawing::generated(24, seed);
        let order: Vec<char> = walk(&mut drawing, "MXWV").chars().collect();
        for (at, name) in order.iter().enumerate() {
            let late = drawing.parents(*name).iter().any(|parent| order[..at].contains(parent));
            assert!(!late, "seed {seed}: a parent before {name} in {order:?}");
        }
        let mut listed = order;
        listed.sort_unstable();
        let mut expected: Vec<_> = "MXWV".chars().flat_map(|tip| drawing.history(tip)).collect();
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(listed, expected, "seed {seed}");
    }
}
