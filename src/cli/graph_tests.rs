//! Histories and their drawings, as git 2.47 draws them; letters are commits, newest first.

use proptest::prelude::*;

use super::*;

/// Draws `a:bc b:c c`: commits with their parents; a commit in brackets is passed over.
fn draw(history: &str) -> String {
    let mut graph = Graph::default();
    let mut lines = Vec::new();
    for word in history.split(' ') {
        let is_hidden = word.starts_with('(');
        let mut letters = word.chars().filter(|c| c.is_alphabetic());
        let id = letters.next().expect("a commit");
        let parents: Vec<char> = letters.collect();
        if is_hidden {
            lines.extend(graph.pass(id, &parents));
            continue;
        }
        let drawing = graph.draw(id, &parents);
        lines.extend(drawing.above);
        lines.push(format!("{}{id}", drawing.commit));
        lines.extend(drawing.below);
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn assert_drawn(history: &str, expected: &str) {
    let expected: String = expected
        .lines()
        .map(|line| line.trim())
        .filter(|line| !line.is_empty())
        .map(|line| format!("{line}\n"))
        .collect();
    let drawn = draw(history);
    assert_eq!(drawn, expected, "drawn:\n{drawn}expected:\n{expected}");
}

#[test]
fn a_line_is_a_column_of_stars() {
    assert_drawn("c:b b:a a", "* c\n* b\n* a\n");
}

#[test]
fn a_branch_and_its_merge() {
    assert_drawn(
        "d:bc c:a b:a a",
        "
        *   d
        |\\
        | * c
        * | b
        |/
        * a",
    );
}

#[test]
fn two_tips_that_meet() {
    assert_drawn(
        "d:a c:b b:a a",
        "
        * d
        | * c
        | * b
        |/
        * a",
    );
}

#[test]
fn a_merge_whose_first_parent_is_at_the_left() {
    assert_drawn(
        "e:b d:bc c:a b:a a",
        "
        * e
        | * d
        |/|
        | * c
        * | b
        |/
        * a",
    );
}

#[test]
fn a_merge_whose_last_parent_is_at_the_right() {
    assert_drawn(
        "g:fh h:e f:i i:de e:a d:a a",
        "
        *   g
        |\\
        | * h
        * | f
        * | i
        |\\|
        | * e
        * | d
        |/
        * a",
    );
}

#[test]
fn a_slope_goes_on_without_a_kink() {
    assert_drawn(
        "h:bc c:de e:f d:f b:f f",
        "
        *   h
        |\\
        | *   c
        | |\\
        | | * e
        | * | d
        | |/
        * / b
        |/
        * f",
    );
    assert_drawn(
        "i:hg h:bc b:f c:f g:f f",
        "
        *   i
        |\\
        * \\   h
        |\\ \\
        * | | b
        | * | c
        |/ /
        | * g
        |/
        * f",
    );
}

#[test]
fn merges_of_many() {
    assert_drawn(
        "e:abcd d:f c:f b:f a:f f",
        "
        *---.   e
        |\\ \\ \\
        | | | * d
        | | * | c
        | | |/
        | * / b
        | |/
        * / a
        |/
        * f",
    );
}

#[test]
fn a_merge_of_many_makes_room_at_its_right() {
    assert_drawn(
        "z:xy x:abc a:f b:f c:f y:f f",
        "
        *   z
        |\\
        | \\
        |  \\
        *-. \\   x
        |\\ \\ \\
        * | | | a
        | * | | b
        |/ / /
        | * / c
        |/ /
        | * y
        |/
        * f",
    );
}

#[test]
fn an_edge_that_goes_far_runs_along_the_floor() {
    assert_drawn(
        "a:w b:x c:y d:z e:w z:w y:w x:w w",
        "
        * a
        | * b
        | | * c
        | | | * d
        | | | | * e
        | |_|_|/
        |/| | |
        | | | * z
        | |_|/
        |/| |
        | | * y
        | |/
        |/|
        | * x
        |/
        * w",
    );
}

#[test]
fn roots_leave_a_gap_that_closes() {
    assert_eq!(draw("d:b c:a b a"), "* d\n| * c\n* | b\n /\n* a\n");
}

#[test]
fn what_is_passed_over_leaves_no_star() {
    assert_drawn("d:c (c:b) b:a a", "* d\n* b\n* a\n");
    assert_drawn("(e:d) d:a a", "* d\n* a\n");
    assert_drawn(
        "d:b c:x (x:b) b:a a",
        "
        * d
        | * c
        |/
        * b
        * a",
    );
    assert_drawn(
        "e:d (d:bc) c:a b:a a",
        "
        * e
        |\\
        | * c
        * | b
        |/
        * a",
    );
}

#[test]
fn all_lines_beside_a_text_are_equally_wide() {
    let mut graph = Graph::default();
    let drawing = graph.draw('d', &['b', 'c']);
    let expected = Drawing {
        above: vec![],
        commit: "*   ".into(),
        below: vec!["|\\  ".into()],
        beside: "| | ".into(),
    };
    assert_eq!(drawing, expected);
    graph.straighten();
    let drawing = graph.draw('b', &['e', 'f']);
    assert_eq!(drawing.commit, "* |   ");
}

proptest! {
    /// Commit n has parents among the next ones; hidden or not.
    #[test]
    fn any_history_is_drawn(
        history in proptest::collection::vec(
            (proptest::collection::btree_set(1usize..8, 0..5), any::<bool>()), 0..40),
    ) {
        let mut graph = Graph::default();
        for (id, (steps, hidden)) in history.iter().enumerate() {
            let parents: Vec<usize> = steps.iter().map(|step| id + step).collect();
            let lines = if *hidden {
                graph.pass(id, &parents)
            } else {
                let drawing = graph.draw(id, &parents);
                prop_assert_eq!(drawing.commit.matches('*').count(), 1);
                prop_assert!(drawing.above.iter().all(|line| !line.contains('*')));
                drawing.below
            };
            prop_assert!(lines.len() < 100, "edges do not come home");
            let width = graph.lanes.len();
            prop_assert!(width <= 8, "lanes are not closed: {}", width);
        }
    }
}
