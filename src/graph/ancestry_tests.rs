//! Ancestors and merge bases, on drawings and against the definition.

use super::*;
use crate::graph::drawing::Drawing;

fn ancestor(drawing: &mut Drawing, pair: &str) -> bool {
    let names: Vec<char> = pair.chars().collect();
    is_ancestor(names[0], names[1], |node, parents| drawing.read(node, parents))
        .expect("all are drawn")
}

fn bases(drawing: &mut Drawing, one: char, others: &str) -> String {
    merge_bases(one, others.chars(), |node, parents| drawing.read(node, parents))
        .expect("all are drawn")
        .into_iter()
        .collect()
}

#[test]
fn an_ancestor_is_found_over_any_branch() {
    let mut drawing = Drawing::parse(
        r"
            b--d---g
           /    \
          a-c----e--f
        ",
    );
    for pair in ["aa", "af", "bf", "cf", "ag", "df"] {
        assert!(ancestor(&mut drawing, pair), "{pair}");
    }
    for pair in ["fa", "cg", "fg", "gf", "eg", "bc"] {
        assert!(!ancestor(&mut drawing, pair), "{pair}");
    }
}

#[test]
fn whoever_is_too_young_to_be_an_ancestor_costs_one_look() {
    let mut drawing = Drawing::parse("a-b-c-d-e-f-g-h");
    assert!(!ancestor(&mut drawing, "hd"));
    assert_eq!(drawing.read, ['h', 'd']);
}

#[test]
fn the_merge_base_of_a_fork() {
    let mut drawing = Drawing::parse(
        r"
            d--e
           /
        a-b-c----f
        ",
    );
    assert_eq!(bases(&mut drawing, 'e', "f"), "b");
    assert_eq!(bases(&mut drawing, 'f', "e"), "b");
    assert_eq!(bases(&mut drawing, 'c', "f"), "c");
    assert_eq!(bases(&mut drawing, 'f', "f"), "f");
    assert_eq!(bases(&mut drawing, 'f', ""), "");
}

#[test]
fn a_common_ancestor_behind_another_is_none() {
    let mut drawing = Drawing::parse(
        r"
            b--c---e--g
           /    \
          a-d----f--h
        ",
    );
    assert_eq!(bases(&mut drawing, 'g', "h"), "c");
}

#[test]
fn a_criss_cross_has_two() {
    // b and c were merged into one another twice: d = b + c, e = c + b.
    let mut drawing = Drawing::parse(
        r"
            b---d--f
           / \ /
          a   x
           \ / \
            c---e--g
        ",
    );
    assert_eq!(drawing.parents('x'), ['b', 'c']);
    assert_eq!(bases(&mut drawing, 'f', "g"), "x");
    let mut crossed = crossed();
    assert_eq!(bases(&mut crossed, 'D', "E"), "CB");
}

/// A is the parent of B and C; D merges B and C, E merges C and B.
fn crossed() -> Drawing {
    Drawing::of(&[('A', ""), ('B', "A"), ('C', "A"), ('D', "BC"), ('E', "CB")])
}

#[test]
fn the_base_with_a_merge_of_others() {
    // As git-merge-base(1) says: the base with a merge of D and B is B, although D has only A.
    let mut drawing = Drawing::of(&[('A', ""), ('B', "A"), ('C', "B"), ('D', "A")]);
    assert_eq!(bases(&mut drawing, 'C', "D"), "A");
    assert_eq!(bases(&mut drawing, 'C', "DB"), "B");
}

/// What broke: once the base was found, the branch that never comes together with the main line
/// was followed to its end, which took seconds on a million commits.
#[test]
fn a_side_that_never_joins_is_not_followed() {
    let mut reads = 0;
    let bases = merge_bases(1_000_000_u32, [1_000_001], |node, parents| {
        reads += 1;
        // Even commits are the main line; odd ones another, into which the even ones are merged.
        parents.extend(node.checked_sub(2));
        parents.extend(node.checked_sub(3).filter(|_| node % 2 == 1));
        Ok::<_, ()>(Vertex { time: i64::from(node), generation: i64::from(node) })
    });
    assert_eq!(bases, Ok(vec![999_998]));
    assert!(reads < 20, "{reads} reads");
}

#[test]
fn unrelated_histories_have_none() {
    let mut drawing = Drawing::parse("a-b c-d");
    assert_eq!(bases(&mut drawing, 'b', "d"), "");
    assert!(!ancestor(&mut drawing, "ad"));
}

#[test]
fn generated_histories_agree_with_the_definition() {
    for seed in 0..300 {
        let mut drawing = Drawing::generated(20, seed);
        let names = drawing.names();
        for (at, one) in names.iter().enumerate() {
            for other in &names[..=at] {
                let pair = format!("{other}{one}");
                let (history, others) = (drawing.history(*one), drawing.history(*other));
                assert_eq!(ancestor(&mut drawing, &pair), history.contains(other), "{pair}");
                let common = |name: &char| history.contains(name) && others.contains(name);
                let mut expected: Vec<_> = names.iter().copied().filter(common).collect();
                let all = expected.clone();
                expected.retain(|name| {
                    !all.iter().any(|of| of != name && drawing.history(*of).contains(name))
                });
                expected.sort_by_key(|name| std::cmp::Reverse((drawing.time(*name), *name)));
                let expected: String = expected.into_iter().collect();
                assert_eq!(
                    bases(&mut drawing, *one, &other.to_string()),
                    expected,
                    "{seed} {pair}"
                );
            }
        }
    }
}
