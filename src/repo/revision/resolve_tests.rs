//! Revisions of a small repository: what they stand for, and what is refused.

use super::*;
use crate::repo::sample::Sample;
use crate::worktree::local;

/// Gives the letter of the commit that a revision stands for, or the error.
fn commit(sample: &Sample, typed: &str) -> String {
    let mut resolver = Resolver::new(&sample.repository).expect("refs");
    match resolver.commit(typed.as_bytes()) {
        Ok(id) => sample.letter(&id).to_string(),
        Err(error) => error.to_string(),
    }
}

fn history() -> Sample {
    let sample = Sample::drawn("a b:a c:a d:bc");
    sample.move_ref("tags/v1", None, Some('b'));
    sample.move_ref("heads/side/x", None, Some('c'));
    sample
}

/// Another command had made a branch and gone to it: there was no commit at HEAD, it said.
#[test]
fn head_is_what_it_was_when_refs_were_read() {
    let sample = history();
    let mut resolver = Resolver::new(&sample.repository).expect("refs");
    sample.move_ref("heads/new", None, Some('b'));
    let folder = &sample.repository.location.folder;
    local::save_head(folder, &Head::Branch("heads/new".to_owned())).expect("saved");
    let id = resolver.commit(b"HEAD").expect("there is one");
    assert_eq!(sample.letter(&id), 'd');
    assert_eq!(commit(&sample, "HEAD"), "b");
}

#[test]
fn names_and_steps() {
    let sample = history();
    for (typed, expected) in [
        ("HEAD", "d"),
        ("@", "d"),
        ("main", "d"),
        ("heads/main", "d"),
        ("v1", "b"),
        ("tags/v1", "b"),
        ("side/x", "c"),
        ("main~1", "b"),
        ("main^2", "c"),
        ("main^2~1", "a"),
        ("main~2", "a"),
        ("main~0^0", "d"),
        ("main^{commit}", "d"),
        ("@~", "b"),
    ] {
        assert_eq!(commit(&sample, typed), expected, "{typed}");
    }
}

#[test]
fn ids_and_their_first_digits() {
    let sample = history();
    let id = sample.ids[&'b'];
    assert_eq!(commit(&sample, &id.to_string()), "b");
    assert_eq!(commit(&sample, &id.to_record()), "b");
    assert_eq!(commit(&sample, &id.short()), "b");
    assert_eq!(commit(&sample, &format!("{}~1", id.short())), "a");
    let nowhere = ObjectId::of(b"nowhere").to_string();
    assert_eq!(commit(&sample, &nowhere), format!("object not found, name={nowhere:?}"));
    assert_eq!(
        commit(&sample, &nowhere[..9]),
        format!("commit not found, name={:?}", &nowhere[..9])
    );
}

#[test]
fn what_is_not_there() {
    let sample = history();
    let a = sample.ids[&'a'].short();
    for (typed, expected) in [
        ("nowhere", r#"commit not found, name="nowhere""#.to_owned()),
        (".git", r#"commit not found, name=".git""#.to_owned()),
        ("heads", r#"commit not found, name="heads""#.to_owned()),
        ("main~3", format!("commit before the first one not found, name=\"{a}^1\"")),
        ("main^{tree}", format!("a commit is asked for, but {EMPTY} is a directory")),
        ("main:x", r#"path not found, name="x""#.to_owned()),
    ] {
        assert_eq!(commit(&sample, typed), expected, "{typed}");
    }
    let empty = Sample::new();
    assert_eq!(commit(&empty, "HEAD"), r#"commit not found, name="HEAD""#);
    assert_eq!(commit(&empty, "main"), r#"commit not found, name="main""#);
}

const EMPTY: ObjectId = crate::object::tree::EMPTY_TREE;

#[test]
fn former_values_of_refs() {
    let sample = Sample::drawn("a b:a c:b");
    sample.move_ref("heads/main", Some('c'), Some('a'));
    sample.move_ref("heads/gone", None, Some('b'));
    sample.move_ref("heads/gone", Some('b'), None);
    for (typed, expected) in [
        ("main@{0}", "a"),
        ("main@{1}", "c"),
        ("@{1}", "c"),
        ("HEAD@{1}~1", "b"),
        ("gone@{1}", "b"),
        ("main@{now}", "a"),
        ("main@{2}", r#"former value of the ref not found, name="heads/main""#),
        ("main@{3}", r#"that is before the first value of the ref, name="heads/main""#),
        ("main@{yesterday}", r#"that is before the first value of the ref, name="heads/main""#),
        ("never@{1}", r#"no such branch or tag, now or ever, name="heads/never""#),
        (
            "main@{soon}",
            r#"date not understood, date="soon"; write 2026-01-31, yesterday or "2 weeks ago""#,
        ),
    ] {
        assert_eq!(commit(&sample, typed), expected, "{typed}");
    }
}

#[test]
fn paths_in_trees() {
    let mut sample = Sample::new();
    let tree = sample.tree(&[("a.csv", "1,2"), ("b.csv", "3")]);
    sample.commit("a", tree);
    sample.move_ref("heads/main", None, Some('a'));
    let mut resolver = Resolver::new(&sample.repository).expect("refs");
    let mut object = |typed: &str| resolver.object(typed.as_bytes());
    assert!(matches!(object("main:a.csv"), Ok(Named::Entry(Target::File { size: 3, .. }))));
    assert!(matches!(object(":b.csv"), Ok(Named::Entry(Target::File { size: 1, .. }))));
    assert!(matches!(object("main:"), Ok(Named::Tree(id)) if id == tree));
    assert!(matches!(object("main^{tree}"), Ok(Named::Tree(id)) if id == tree));
    assert!(matches!(object(&tree.to_string()), Ok(Named::Tree(id)) if id == tree));
    assert!(matches!(object(&format!("{}:a.csv", tree.short())), Ok(Named::Entry(_))));
    assert!(matches!(object("main:a.csv/x"), Err(Error::NotFound { .. })));
    assert!(matches!(object("main:.git"), Err(Error::Usage(_))));
    assert_eq!(resolver.tree(b"main").ok(), Some(tree));
    assert!(matches!(resolver.tree(b"main:a.csv"), Err(Error::Usage(_))));
}

#[test]
fn far_ancestors_are_found_in_the_graph() {
    let history: Vec<String> = ('A'..='Z')
        .chain('a'..='z')
        .scan(String::new(), |before, letter| {
            let word = format!("{letter}:{before}");
            *before = letter.to_string();
            Some(word)
        })
        .collect();
    let sample = Sample::drawn(&history.join(" "));
    assert_eq!(commit(&sample, "main~51"), "A");
    assert_eq!(commit(&sample, "main~33"), "S");
    let z = sample.ids[&'z'].short();
    let expected =
        format!("ancestor of a commit not found, name=\"{z}~52 (it goes back 51 steps)\"");
    assert_eq!(commit(&sample, "main~52"), expected);
}
