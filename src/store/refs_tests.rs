//! Refs are made, moved and removed; names that would swallow others are refused.

use std::cell::RefCell;
use std::collections::HashMap;

use super::*;

#[derive(Debug, PartialEq)]
enum Fault {
    Decode(DecodeError),
    Ref(RefError),
}

impl From<DecodeError> for Fault {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<RefError> for Fault {
    fn from(error: RefError) -> Self {
        Self::Ref(error)
    }
}

#[derive(Default)]
struct Nodes(RefCell<HashMap<ObjectId, Vec<u8>>>);

impl Nodes {
    fn load(&self, id: &ObjectId) -> Result<Vec<u8>, Fault> {
        Ok(self.0.borrow().get(id).expect("only nodes that were emitted are asked for").clone())
    }

    fn after(&self, refs: RefTree, updates: &[Update]) -> Result<RefTree, Fault> {
        refs.after(
            updates,
            |id| self.load(id),
            |node| {
                self.0.borrow_mut().insert(node.id, node.bytes.to_vec());
                Ok(())
            },
        )
    }

    fn list(&self, refs: RefTree, prefix: Option<&str>) -> Vec<String> {
        let list = refs.list(prefix, |id| self.load(id)).unwrap();
        list.into_iter().map(|(name, _)| name).collect()
    }

    fn find(&self, refs: RefTree, name: &str) -> Option<ObjectId> {
        refs.find(name, |id| self.load(id)).unwrap()
    }
}

fn commit(text: &str) -> ObjectId {
    ObjectId::of(text.as_bytes())
}

/// `heads/main: a → b`, where `-` is nowhere.
fn update(text: &str) -> Update {
    let (name, places) = text.split_once(": ").unwrap();
    let (old, new) = places.split_once(" → ").unwrap();
    let place = |text: &str| (text != "-").then(|| commit(text));
    Update { name: name.to_owned(), old: place(old), new: place(new) }
}

fn updates<const N: usize>(texts: [&str; N]) -> [Update; N] {
    texts.map(update)
}

const NONE: RefTree = RefTree(EMPTY_TREE);

#[test]
fn refs_are_made_moved_and_removed() {
    let nodes = Nodes::default();
    assert_eq!(nodes.find(NONE, "heads/main"), None);
    assert!(nodes.list(NONE, None).is_empty());
    let one = nodes.after(NONE, &updates(["heads/main: - → a", "tags/v1: - → a"])).unwrap();
    assert_eq!(nodes.list(one, None), ["heads/main", "tags/v1"]);
    assert_eq!(nodes.list(one, Some("tags")), ["tags/v1"]);
    assert_eq!(nodes.find(one, "heads/main"), Some(commit("a")));
    assert_eq!(nodes.find(one, "heads"), None, "the beginning of refs is none");
    let two = nodes.after(one, &updates(["heads/main: a → b", "heads/new: - → b"])).unwrap();
    assert_eq!(nodes.find(two, "heads/main"), Some(commit("b")));
    let back = updates(["heads/main: b → a", "heads/new: b → -"]);
    assert_eq!(nodes.after(two, &back).unwrap(), one, "undone to the same tree");
    let all_gone = updates(["heads/main: a → -", "tags/v1: a → -"]);
    assert_eq!(nodes.after(one, &all_gone).unwrap(), NONE);
}

#[test]
fn a_ref_that_somebody_else_moved_stays_where_it_is() {
    let nodes = Nodes::default();
    let refs = nodes.after(NONE, &updates(["heads/main: - → a"])).unwrap();
    for (text, expected) in [
        ("heads/main: b → c", Some("b")),
        ("heads/main: - → c", None),
        ("heads/x: a → c", Some("a")),
    ] {
        let moved = nodes.after(refs, &updates([text])).unwrap_err();
        let Fault::Ref(RefError::Moved { expected: found, .. }) = &moved else {
            panic!("{text}: {moved:?}");
        };
        assert_eq!(*found, expected.map(commit), "{text}");
    }
}

#[test]
fn a_new_ref_never_swallows_another_one() {
    // Once possible: making heads/a removed heads/a/b without a word.
    let nodes = Nodes::default();
    let refs = nodes.after(NONE, &updates(["heads/a/b: - → a", "heads/c: - → a"])).unwrap();
    for (text, other) in [
        ("heads/a: - → x", "heads/a/b"),
        ("heads: - → x", "heads/a/b"),
        ("heads/c/d: - → x", "heads/c"),
        ("heads/c/d/e: - → x", "heads/c"),
    ] {
        let name = update(text).name;
        let expected = RefError::Clash { name, other: other.to_owned() };
        assert_eq!(nodes.after(refs, &updates([text])), Err(Fault::Ref(expected)));
    }
    let both = updates(["heads/x: - → a", "heads/x/y: - → a"]);
    assert!(matches!(nodes.after(refs, &both), Err(Fault::Ref(RefError::Clash { .. }))));
}

#[test]
fn a_ref_that_goes_makes_room() {
    let nodes = Nodes::default();
    let refs = nodes.after(NONE, &updates(["heads/a/b: - → a", "heads/c: - → a"])).unwrap();
    let moves =
        updates(["heads/a: - → a", "heads/a/b: a → -", "heads/c: a → -", "heads/c/d: - → a"]);
    let refs = nodes.after(refs, &moves).unwrap();
    assert_eq!(nodes.list(refs, None), ["heads/a", "heads/c/d"]);
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in ["", "heads/", "heads//a", "../a", "heads/.git", "/heads/a"] {
        let update = Update { name: name.to_owned(), old: None, new: Some(commit("a")) };
        let refused = Nodes::default().after(NONE, &[update]);
        let expected = RefError::Name { name: name.to_owned() };
        assert_eq!(refused, Err(Fault::Ref(expected)), "{name:?}");
    }
}

#[test]
fn a_step_that_does_something_else_than_it_says_is_found() {
    let nodes = Nodes::default();
    let one = nodes.after(NONE, &updates(["heads/main: - → a", "tags/v1: - → a"])).unwrap();
    let said = updates(["heads/main: a → b", "tags/v1: a → -"]);
    let two = nodes.after(one, &said).unwrap();
    let check = |updates: &[Update], next| one.check_step(updates, 0, next, |id| nodes.load(id));
    assert_eq!(check(&said, two).unwrap(), [""; 0]);
    assert_eq!(check(&[], one).unwrap(), [""; 0]);
    let count = |updates: &[Update], next| check(updates, next).unwrap().len();
    assert_eq!(count(&said[..1], two), 1, "one moved unsaid");
    assert_eq!(count(&said, one), 2, "neither moved");
    assert_eq!(count(&updates(["heads/main: a → c", "tags/v1: a → -"]), two), 1, "elsewhere");
}
