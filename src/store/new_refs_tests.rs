//! Many new refs beside those there are: the tree is the one that single updates make.

use std::cell::RefCell;
use std::collections::HashMap;

use super::*;
use crate::object::Update;

#[derive(Default)]
struct Nodes(RefCell<HashMap<ObjectId, Vec<u8>>>);

type Fault = Box<dyn std::error::Error>;

impl Nodes {
    fn load(&self, id: &ObjectId) -> Result<Vec<u8>, Fault> {
        Ok(self.0.borrow().get(id).expect("it was emitted").clone())
    }

    fn keep(&self, node: NewNode<'_>) -> Result<(), Fault> {
        self.0.borrow_mut().insert(node.id, node.bytes.to_vec());
        Ok(())
    }

    fn after(&self, names: &[&str]) -> RefTree {
        let updates: Vec<Update> = names
            .iter()
            .map(|name| Update { name: (*name).to_owned(), old: None, new: Some(commit(name)) })
            .collect();
        let empty = RefTree(EMPTY_TREE);
        empty.after(&updates, |id| self.load(id), |node| self.keep(node)).unwrap()
    }
}

fn commit(name: &str) -> ObjectId {
    ObjectId::of(name.as_bytes())
}

fn new(names: &[&str]) -> NewRefs {
    let mut new = NewRefs::default();
    for (note, name) in names.iter().enumerate() {
        assert!(new.push(name, commit(name), u32::try_from(note).unwrap()));
    }
    new
}

#[test]
fn many_names_make_the_tree_that_single_ones_make() {
    let nodes = Nodes::default();
    let numbered: Vec<String> = (0..5000).map(|n| format!("runs/r{n}")).collect();
    let mut all: Vec<&str> = numbered.iter().map(String::as_str).collect();
    all.extend(["heads/main", "runs/a.b", "runs/a/b", "runs/a/c"]);
    let (there, coming): (Vec<&str>, Vec<&str>) =
        all.iter().partition(|name| name.len() % 2 == 0 || name.starts_with("heads"));
    let before = nodes.after(&there);
    let mut coming = new(&coming);
    for again in there.iter().filter(|name| name.starts_with("runs/")).take(100) {
        coming.push(again, commit(again), 0);
    }
    coming.sort().unwrap();
    let settled = coming.settle(before, "runs", |id| nodes.load(id)).unwrap().unwrap();
    assert_eq!((settled.standing, settled.fresh()), (100, coming.len() as u64 - 100));
    let put = coming.put(before, &settled, |id| nodes.load(id), |node| nodes.keep(node)).unwrap();
    assert_eq!(put, nodes.after(&all));
}

#[test]
fn the_same_twice_is_one_and_two_of_one_name_are_refused() {
    let mut twice = new(&["runs/a", "runs/b", "runs/a"]);
    twice.sort().unwrap();
    assert_eq!(twice.len(), 2);
    let mut two = new(&["runs/a", "runs/b"]);
    two.push("runs/a", commit("another"), 7);
    let refused = two.sort().unwrap_err();
    assert!(matches!(refused.error, RefError::Moved { .. }), "{refused:?}");
    assert_eq!(refused.note, 7);
    let refused = new(&["runs/a/x", "runs/a.b", "runs/a"]).sort().unwrap_err();
    assert!(matches!(refused.error, RefError::Clash { .. }), "{refused:?}");
}

#[test]
fn what_is_in_the_way_is_told_with_its_note() {
    let nodes = Nodes::default();
    let there = nodes.after(&["runs/a", "runs/b/c", "runs/d"]);
    for (name, id, is_clash) in
        [("runs/a/x", "x", true), ("runs/b", "x", true), ("runs/d", "x", false)]
    {
        let mut one = NewRefs::default();
        one.push(name, commit(id), 3);
        one.sort().unwrap();
        let refused = one.settle(there, "runs", |id| nodes.load(id)).unwrap().unwrap_err();
        assert_eq!(matches!(refused.error, RefError::Clash { .. }), is_clash, "{name}");
        assert_eq!(refused.note, 3);
    }
    let mut beside = new(&["runs/a.b", "runs/b/d", "runs/e"]);
    beside.sort().unwrap();
    let settled = beside.settle(there, "runs", |id| nodes.load(id)).unwrap().unwrap();
    assert_eq!(settled.fresh(), 3);
}
