//! The history of small repositories: orders, filters, paths, labels; and the journal.

use super::*;
use crate::object::tree::EMPTY_TREE;
use crate::repo::sample::{NOW_MS, Sample};

/// Lists letters; in a drawing, those that are passed over are in brackets, with what they follow.
fn listed(sample: &Sample, request: &LogRequest) -> String {
    let mut listed = Vec::new();
    log(&sample.repository, request, &sample.progress, |row| {
        listed.push(match row {
            LogRow::Shown(shown) if request.is_graph => {
                format!("{}:{}", sample.letter(&shown.id), sample.letters(&shown.parents))
            }
            LogRow::Shown(shown) => sample.letter(&shown.id).to_string(),
            LogRow::Passed { id, parents } => {
                format!("({}:{})", sample.letter(&id), sample.letters(&parents))
            }
        });
        Ok::<(), Error>(())
    })
    .expect("listed");
    listed.join(if request.is_graph { " " } else { "" })
}

fn with_filter(filter: LogFilter) -> LogRequest {
    LogRequest { filter, ..LogRequest::default() }
}

fn paths(words: &[&str]) -> Vec<TreePath> {
    words.iter().map(|path| TreePath::new(path.as_bytes()).expect("a good path")).collect()
}

#[test]
fn the_latest_comes_first_and_a_drawing_keeps_branches_together() {
    let sample = Sample::drawn("a b:a c:a d:b e:c f:de");
    assert_eq!(listed(&sample, &LogRequest::default()), "fedcba");
    let graph = LogRequest { is_graph: true, ..LogRequest::default() };
    assert_eq!(listed(&sample, &graph), "f:de e:c c:a d:b b:a a:");
    assert_eq!(listed(&Sample::new(), &LogRequest::default()), "");
}

#[test]
fn filters_by_time_author_message_and_number() {
    let sample = Sample::drawn("a b:a c:b d:c");
    // d was made 22 minutes before the clock, c one minute earlier, and so on.
    let since = |typed: &str| LogFilter { since: Some(typed.into()), ..LogFilter::default() };
    assert_eq!(listed(&sample, &with_filter(since("23 minutes ago"))), "dc");
    let until = LogFilter { until: Some("23 minutes ago".into()), ..LogFilter::default() };
    assert_eq!(listed(&sample, &with_filter(until)), "cba");
    let grep = |pattern: &str| LogFilter { messages: vec![pattern.into()], ..LogFilter::default() };
    assert_eq!(listed(&sample, &with_filter(grep("^why [bd]$"))), "db");
    let author =
        |pattern: &str| LogFilter { authors: vec![pattern.into()], ..LogFilter::default() };
    assert_eq!(listed(&sample, &with_filter(author("ada@"))), "dcba");
    assert_eq!(listed(&sample, &with_filter(author("grace"))), "");
    let filter = LogFilter { count_max: Some(1), ..grep("^why [ac]$") };
    assert_eq!(listed(&sample, &with_filter(filter)), "c");
    let wrong = with_filter(since("soon"));
    let refused = log(&sample.repository, &wrong, &sample.progress, |_| Ok::<(), Error>(()));
    assert!(matches!(refused, Err(Error::Usage(_))));
}

/// ```text
/// a---b---e---f   x is changed by a, c and d; y by b
///  \     /
///   c---d
/// ```
fn files() -> Sample {
    let mut sample = Sample::new();
    let tree = |sample: &Sample, x: &str, y: &str| sample.tree(&[("x", x), ("y", y)]);
    for (drawn, x, y) in [
        ("a", "1", "1"),
        ("b:a", "1", "2"),
        ("c:a", "2", "1"),
        ("d:c", "3", "1"),
        ("e:bd", "3", "2"),
        ("f:e", "3", "2"),
    ] {
        let tree = tree(&sample, x, y);
        sample.commit(drawn, tree);
    }
    sample.move_ref("heads/main", None, Some('f'));
    sample
}

#[test]
fn only_what_changed_a_path() {
    let sample = files();
    let on = |words: &[&str]| LogRequest { paths: paths(words), ..LogRequest::default() };
    assert_eq!(listed(&sample, &on(&["x"])), "dca");
    assert_eq!(listed(&sample, &on(&["y"])), "ba");
    assert_eq!(listed(&sample, &on(&["x", "y"])), "edcba");
    assert_eq!(listed(&sample, &on(&["nowhere"])), "");
    let graph = LogRequest { is_graph: true, ..on(&["x"]) };
    assert_eq!(listed(&sample, &graph), "(f:e) (e:d) d:c c:a a:");
    let range = LogRequest { revisions: vec![b"main~2..main".to_vec()], ..on(&["x"]) };
    assert_eq!(listed(&sample, &range), "dc");
}

#[test]
fn a_path_that_went_away_or_changed_its_kind_has_changed() {
    let mut sample = Sample::new();
    let tree = sample.tree(&[("x", "1")]);
    sample.commit("a", tree);
    sample.commit("b:a", EMPTY_TREE);
    sample.commit("c:b", EMPTY_TREE);
    sample.commit("d:c", tree);
    sample.move_ref("heads/main", None, Some('d'));
    let request = LogRequest { paths: paths(&["x"]), ..LogRequest::default() };
    assert_eq!(listed(&sample, &request), "dba");
}

#[test]
fn names_stand_at_their_commits() {
    let sample = Sample::drawn("a b:a");
    sample.move_ref("heads/side", None, Some('b'));
    sample.move_ref("tags/v1", None, Some('b'));
    sample.move_ref("tags/v0", None, Some('a'));
    let mut resolver = Resolver::new(&sample.repository).expect("refs");
    let labels = labels(&mut resolver).expect("labels");
    let head = Label::Head(Some("main".into()));
    let expected = [head, Label::Tag("v1".into()), Label::Branch("side".into())];
    assert_eq!(labels[&sample.ids[&'b']], expected);
    assert_eq!(labels[&sample.ids[&'a']], [Label::Tag("v0".into())]);
}

#[test]
fn the_journal_has_every_change() {
    let sample = Sample::drawn("a b:a");
    sample.move_ref("tags/v1", None, Some('b'));
    sample.move_ref("tags/v1", Some('b'), None);
    let commands = |filter: LogFilter| {
        let mut commands = Vec::new();
        log_journal(&sample.repository, &filter, &sample.progress, |transaction| {
            assert_eq!(transaction.time, Timestamp(NOW_MS));
            commands.push(transaction.command);
            Ok::<(), Error>(())
        })
        .expect("listed");
        commands.join(", ")
    };
    let all = "move tags/v1, move tags/v1, move heads/main, init";
    assert_eq!(commands(LogFilter::default()), all);
    assert_eq!(commands(LogFilter { count_max: Some(1), ..LogFilter::default() }), "move tags/v1");
    let grep = LogFilter { messages: vec!["^init".into()], ..LogFilter::default() };
    assert_eq!(commands(grep), "init");
}
