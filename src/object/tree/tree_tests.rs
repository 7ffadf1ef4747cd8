//! What the shapes promise, on directories large enough to have several levels.

use std::cell::RefCell;
use std::collections::HashMap;

use super::*;
use crate::object::DecodeError;
use crate::object::path::TreePath;

/// Nodes by id, and how often one was read.
#[derive(Default)]
struct Nodes {
    bytes: RefCell<HashMap<ObjectId, Vec<u8>>>,
    reads: RefCell<usize>,
}

impl Nodes {
    fn load(&self) -> impl FnMut(&ObjectId) -> Result<Vec<u8>, DecodeError> + '_ {
        |id| {
            *self.reads.borrow_mut() += 1;
            let missing = || DecodeError::new("node", 0, format!("{id} is missing"));
            self.bytes.borrow().get(id).cloned().ok_or_else(missing)
        }
    }

    fn emit(&self) -> impl FnMut(ObjectId, &[u8]) -> Result<(), DecodeError> + '_ {
        |id, bytes| {
            assert_eq!(ObjectId::of(bytes), id);
            self.bytes.borrow_mut().insert(id, bytes.to_vec());
            Ok(())
        }
    }

    fn emit_new(&self) -> impl for<'a> FnMut(NewNode<'a>) -> Result<(), DecodeError> + '_ {
        let mut emit = self.emit();
        move |node| emit(node.id, node.bytes)
    }

    fn build(&self, names: impl IntoIterator<Item = String>, seed: u64) -> Summary {
        let mut builder = TreeBuilder::new(self.emit());
        for name in names {
            builder.push(&Name::new(name.as_bytes()).unwrap(), &file(seed)).unwrap();
        }
        builder.finish().unwrap()
    }

    fn edit(&self, root: &Summary, edits: &[(&str, Edit)]) -> Summary {
        let edits = edits.iter().map(|(path, edit)| (TreePath::new(*path).unwrap(), *edit));
        edit(Some(root.id), edits, self.load(), self.emit_new()).unwrap()
    }

    fn reads(&self, work: impl FnOnce()) -> usize {
        *self.reads.borrow_mut() = 0;
        work();
        *self.reads.borrow()
    }
}

fn file(seed: u64) -> Target {
    let content = seed.to_le_bytes();
    let (id, sha256) = (ObjectId::of(&content), Sha256::of(&content));
    Target::File { id, size: 8, sha256, executable: false }
}

fn numbered(range: std::ops::Range<u32>) -> impl Iterator<Item = String> {
    range.map(|number| format!("file-{number:07}"))
}

#[test]
fn the_empty_tree_has_the_id_of_ten_bytes() {
    let nodes = Nodes::default();
    let empty = nodes.build([], 0);
    assert_eq!(empty, Summary { id: EMPTY_TREE, files: 0, bytes: 0 });
    assert_eq!(ObjectId::of(b"\x01\0\0\0\0\0\0\0\0\0"), EMPTY_TREE);
    assert_eq!(empty.target(), None);
    // Nobody stores it, so nobody asks for it.
    let load = |id: &ObjectId| -> Result<Vec<u8>, DecodeError> { panic!("asks for {id}") };
    let visit = |change| -> Result<(), DecodeError> { panic!("{change:?}") };
    diff(Some(EMPTY_TREE), None, None, load, visit).expect("the same");
    let edited = edit(Some(EMPTY_TREE), [], load, |_| Ok::<_, DecodeError>(()));
    assert_eq!(edited.expect("nothing to do"), empty);
}

#[test]
fn one_entry_more_rewrites_one_node_a_level() {
    let nodes = Nodes::default();
    let old = nodes.build(numbered(0..300_000), 1);
    let before = nodes.bytes.borrow().len();
    let mut new = None;
    let reads =
        nodes.reads(|| new = Some(nodes.edit(&old, &[("file-0150000x", Edit::Put(file(2)))])));
    let added = nodes.bytes.borrow().len() - before;
    assert!(reads <= 4 && added <= 4, "{reads} reads, {added} nodes");
    let mut names: Vec<_> = numbered(0..300_000).collect();
    names.push("file-0150000x".to_owned());
    names.sort();
    let nodes = Nodes::default();
    let mut builder = TreeBuilder::new(nodes.emit());
    for name in names {
        let target = if name.ends_with('x') { file(2) } else { file(1) };
        builder.push(&Name::new(name.as_bytes()).unwrap(), &target).unwrap();
    }
    assert_eq!(builder.finish().ok(), new);
}

#[test]
fn a_diff_reads_only_what_differs() {
    let nodes = Nodes::default();
    let old = nodes.build(numbered(0..300_000), 1);
    let edits = [("file-0000007", Edit::Remove), ("file-0299999", Edit::Put(file(2)))];
    let new = nodes.edit(&old, &edits);
    let mut changes = Vec::new();
    let reads = nodes.reads(|| {
        let visit = |change: Change| {
            changes.push(change.path.to_string());
            Ok(())
        };
        diff(Some(old.id), Some(new.id), None, nodes.load(), visit).unwrap();
    });
    assert_eq!(changes, ["file-0000007", "file-0299999"]);
    assert!(reads <= 10, "{reads} reads");
}

#[test]
fn one_name_is_found_by_one_read_a_level() {
    let nodes = Nodes::default();
    let root = nodes.build(numbered(0..300_000), 1);
    let found = |text: &str| {
        let path = TreePath::new(text).unwrap();
        find(&root.id, &path, nodes.load()).unwrap()
    };
    let reads = nodes.reads(|| assert_eq!(found("file-0123456"), Some(file(1))));
    assert!(reads <= 3, "{reads} reads");
    for absent in ["a", "file-0123456x", "zebra", "file-0123456/below"] {
        assert_eq!(found(absent), None, "{absent}");
    }
}

#[test]
fn files_and_directories_replace_each_other_in_the_order_of_the_edits() {
    let nodes = Nodes::default();
    let empty = nodes.build([], 0);
    let put = |seed| Edit::Put(file(seed));
    let tree = nodes.edit(&empty, &[("a", put(1)), ("b/c", put(2)), ("b/d", put(3))]);
    let paths = |root: &Summary| {
        let walk = walk(&root.id, None, nodes.load()).unwrap();
        walk.map(|walked| walked.unwrap().path.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(paths(&tree), ["a", "b", "b/c", "b/d"]);
    let below = nodes.edit(&tree, &[("a/x", put(4))]);
    assert_eq!(paths(&below), ["a", "a/x", "b", "b/c", "b/d"]);
    assert_eq!(nodes.edit(&tree, &[("a", Edit::Remove), ("a/x", put(4))]), below);
    let over = nodes.edit(&tree, &[("b", put(5)), ("b/c", Edit::Remove), ("b/d", Edit::Remove)]);
    assert_eq!(paths(&over), ["a", "b"]);
    assert_eq!(paths(&nodes.edit(&tree, &[("a/x", Edit::Remove)])), ["a", "b", "b/c", "b/d"]);
    assert_eq!(paths(&nodes.edit(&tree, &[("b/c", Edit::Remove), ("b/d", Edit::Remove)])), ["a"]);
    assert_eq!(nodes.edit(&tree, &[("a", Edit::Remove), ("b", Edit::Remove)]), empty);
    let directory = below.target().unwrap();
    let nested = nodes.edit(&tree, &[("b", Edit::Put(directory)), ("b/b/c", Edit::Remove)]);
    assert_eq!(paths(&nested), ["a", "b", "b/a", "b/a/x", "b/b", "b/b/d"]);
}

/// `106d6e9` ends a leaf and a node of level 1, so the root of both names is on level 2; when the
/// other name goes, all that is left is a whole node of level 1 whose only child is the root.
#[test]
fn a_directory_that_shrinks_to_one_old_node_loses_its_upper_levels() {
    let nodes = Nodes::default();
    let both = nodes.build(["106d6e9".to_owned(), "z".to_owned()], 1);
    assert_eq!(Node::decode(&nodes.load()(&both.id).unwrap()).unwrap().level(), 2);
    let one = nodes.edit(&both, &[("z", Edit::Remove)]);
    assert_eq!(one, nodes.build(["106d6e9".to_owned()], 1));
}

#[test]
fn edits_out_of_order_are_refused() {
    let nodes = Nodes::default();
    let empty = nodes.build([], 0);
    let paths = ["b", "a"].map(|text| (TreePath::new(text).unwrap(), Edit::Remove));
    assert!(edit(Some(empty.id), paths, nodes.load(), nodes.emit_new()).is_err());
    let mut builder = TreeBuilder::new(nodes.emit());
    let name = Name::new(b"same").unwrap();
    builder.push(&name, &file(1)).unwrap();
    assert!(builder.push(&name, &file(1)).is_err());
}

#[test]
fn a_tree_deeper_than_any_path_ends_in_an_error() {
    let nodes = Nodes::default();
    let name = Name::new(b"a").unwrap();
    let mut target = file(1);
    for _ in 0..=TreePath::DEPTH_MAX {
        let mut builder = TreeBuilder::new(nodes.emit());
        builder.push(&name, &target).unwrap();
        target = builder.finish().unwrap().target().unwrap();
    }
    let listed: Vec<_> = walk(&target.id(), None, nodes.load()).unwrap().collect();
    assert_eq!(listed.len(), TreePath::DEPTH_MAX + 1);
    assert!(listed.last().is_some_and(Result::is_err));
    let visit = |_| Ok(());
    assert!(diff(None, Some(target.id()), None, nodes.load(), visit).is_err());
}

/// What is stored of a node is its difference to the one before: which that is must be right on
/// every level, in every directory on the way, and for the last node of a directory too.
#[test]
fn each_new_node_names_the_one_in_whose_place_it_comes() {
    let nodes = Nodes::default();
    let deep = nodes.build((0..20_000).map(|n| format!("file-{n:07}")), 1);
    let top = nodes.edit(&nodes.build(["z".to_owned()], 1), &[]);
    let top = nodes
        .edit(&top, &[("a/b", Edit::Put(deep.target().unwrap())), ("a/c", Edit::Put(file(1)))]);
    let name_of = |bytes: &[u8]| {
        let node = Node::decode(bytes).unwrap();
        (node.level(), node.first_name().cloned())
    };
    let (mut load, mut seen) = (nodes.load(), 0);
    let edits = ["a/b/file-0000007", "a/b/file-0019999"]
        .map(|path| (TreePath::new(path).unwrap(), Edit::Put(file(2))));
    edit(Some(top.id), edits, nodes.load(), |node: NewNode<'_>| {
        let before = load(&node.before.expect("there was one")).unwrap();
        assert_eq!(name_of(&before), name_of(node.bytes));
        seen += 1;
        Ok::<_, DecodeError>(())
    })
    .unwrap();
    assert_eq!(seen, 5, "two leaves and their root, and the two directories above");
}
