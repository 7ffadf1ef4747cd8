//! Nodes with one defect each, and trees whose nodes do not fit together.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use provenance::object::tree::{Child, EMPTY_TREE, Entry, Node, Target, find, walk};
use provenance::object::{DecodeError, Name, ObjectId, TreePath};

use crate::support::fixture;
use crate::support::nodes::{Nodes, file};

/// A name whose hash ends a leaf, and one whose hash ends a node of level 1 too.
const CUT_LEAF: &[u8] = b"1219";
const CUT_BOTH: &[u8] = b"106d6e9";

fn node(version: u8, level: u8, count: u64, items: &[Vec<u8>]) -> Vec<u8> {
    [&[version, level], count.to_le_bytes().as_slice(), &items.concat()].concat()
}

fn leaf(items: &[Vec<u8>]) -> Vec<u8> {
    node(1, 0, items.len() as u64, items)
}

fn inner(items: &[Vec<u8>]) -> Vec<u8> {
    node(1, 1, items.len() as u64, items)
}

fn name(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u64).to_le_bytes(), bytes].concat()
}

/// An entry of a kind with an id and numbers.
fn entry(bytes: &[u8], kind: u8, numbers: &[u64]) -> Vec<u8> {
    let numbers: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    [name(bytes), vec![kind], vec![7; 32], numbers].concat()
}

fn link(bytes: &[u8]) -> Vec<u8> {
    entry(bytes, 3, &[1])
}

fn child(last: &[u8], totals: [u64; 3]) -> Vec<u8> {
    let totals: Vec<u8> = totals.iter().flat_map(|number| number.to_le_bytes()).collect();
    [name(last), vec![7; 32], totals].concat()
}

/// Defect, bytes, offset of the defect, and a part of the reason.
type Defect = (&'static str, Vec<u8>, u64, &'static str);

fn leaf_defects() -> Vec<Defect> {
    let whole = leaf(&[link(b"a"), link(b"b")]);
    let (cut_short, _) = whole.split_at(whole.len() - 1);
    let empty_directory =
        [name(b"a"), vec![4], EMPTY_TREE.as_bytes().to_vec(), vec![0; 16]].concat();
    vec![
        ("no-bytes", Vec::new(), 0, "ends inside"),
        ("version-2", node(2, 0, 0, &[]), 0, "version 2"),
        ("count-without-items", node(1, 0, 3, &[link(b"a")]), 2, "3 items"),
        ("count-of-all", node(1, 0, u64::MAX, &[link(b"a")]), 2, "items"),
        ("cut-short", cut_short.to_vec(), 102, "ends inside"),
        ("byte-more", [&*whole, &[0]].concat(), 110, "1 bytes follow"),
        ("name-empty", leaf(&[entry(b"", 1, &[0; 5])]), 10, "empty"),
        ("name-dot", leaf(&[link(b".")]), 10, ". or .."),
        ("name-slash", leaf(&[link(b"a/b")]), 10, "a /"),
        ("name-nul", leaf(&[link(b"a\0")]), 10, "NUL"),
        ("name-git", leaf(&[link(b".Git")]), 10, ".git or .provenance"),
        ("name-provenance", leaf(&[link(b".provenance ")]), 10, ".git or .provenance"),
        ("name-long", leaf(&[link(&[b'x'; 1_025])]), 10, "longer"),
        ("name-beyond-end", leaf(&[[&[0xff; 8], &[b'a'; 40][..]].concat()]), 10, "limit"),
        ("order", leaf(&[link(b"b"), link(b"a")]), 60, "does not come after"),
        ("duplicate", leaf(&[link(b"a"), link(b"a")]), 60, "does not come after"),
        ("cut-inside", leaf(&[link(CUT_LEAF), link(b"a")]), 63, "after a cut"),
        ("kind-0", leaf(&[entry(b"a", 0, &[1])]), 19, "kind 0"),
        ("kind-6", leaf(&[entry(b"a", 6, &[1])]), 19, "kind 6"),
        ("directory-empty", leaf(&[empty_directory]), 19, "empty"),
        ("directory-without-files", leaf(&[entry(b"a", 4, &[0, 1])]), 19, "no files"),
        ("sizes-overflow", leaf(&[entry(b"a", 3, &[u64::MAX]), link(b"b")]), 60, "overflow"),
    ]
}

fn inner_defects() -> Vec<Defect> {
    let cut = child(CUT_LEAF, [2, 2, 2]);
    vec![
        ("level-6", node(1, 6, 1, &[child(b"a", [1, 1, 1])]), 1, "level 6"),
        ("inner-without-children", inner(&[]), 2, "0 items"),
        ("child-without-entries", inner(&[child(b"a", [0, 1, 1])]), 10, "0 entries"),
        ("child-of-8193", inner(&[child(b"a", [8_193, 1, 1])]), 10, "8193 entries"),
        ("child-without-files", inner(&[child(b"a", [1, 0, 1])]), 10, "without files"),
        ("child-uncut", inner(&[child(b"0", [1, 1, 1]), cut.clone()]), 75, "without a cut"),
        ("child-order", inner(&[cut.clone(), child(b"0", [1, 1, 1])]), 78, "not come after"),
        ("child-cut-inside", inner(&[child(CUT_BOTH, [1, 1, 1]), cut]), 81, "after a cut"),
        (
            "entries-overflow",
            node(1, 2, 2, &[child(CUT_BOTH, [u64::MAX, 1, 1]), child(b"2", [1, 1, 1])]),
            81,
            "overflow",
        ),
    ]
}

#[test]
fn a_node_with_one_defect_is_refused_where_it_is() {
    let defects = [leaf_defects(), inner_defects()].concat();
    for (defect, bytes, offset, reason) in &defects {
        fixture::check(&format!("malformed/tree/{defect}"), bytes);
        let bytes = fixture::read(&format!("malformed/tree/{defect}"));
        let error = Node::decode(&bytes).expect_err(defect);
        assert!(error.reason.contains(reason), "{defect}: {error}");
        assert_eq!(error.offset, *offset, "{defect}: {error}");
    }
    assert_eq!(fixture::names("malformed/tree").len(), defects.len());
}

#[test]
fn a_node_of_8193_items_is_refused() {
    let items: Vec<Vec<u8>> = (0..8_193).map(|n| link(format!("{n:04}").as_bytes())).collect();
    assert!(Node::decode(&leaf(&items)).is_err());
}

/// A directory of several nodes, and the children of its root.
fn directory(nodes: &Nodes) -> Vec<Child> {
    let numbers: Vec<String> = (0..5_000).map(|number| format!("{number:04}")).collect();
    let root = nodes.build(numbers.iter().map(|number| (number.as_bytes(), file(7))));
    match Node::decode(&nodes.get(&root.id)).unwrap() {
        Node::Inner { children, .. } => children,
        Node::Leaf(_) => panic!("the directory has several nodes"),
    }
}

fn walk_all(nodes: &Nodes, level: u8, children: Vec<Child>) -> Result<usize, DecodeError> {
    let root = nodes.put(Node::Inner { level, children }.encode());
    let mut count = 0;
    for walked in walk(&root, None, nodes.load())? {
        walked?;
        count += 1;
    }
    Ok(count)
}

#[track_caller]
fn refused(nodes: &Nodes, children: Vec<Child>, reason: &str) {
    let error = walk_all(nodes, 1, children).expect_err(reason);
    assert!(error.reason.contains(reason), "{error}, not {reason}");
}

#[test]
fn nodes_that_do_not_fit_their_parent_are_refused() {
    let nodes = Nodes::default();
    let whole = directory(&nodes);
    assert_eq!(walk_all(&nodes, 1, whole.clone()).ok(), Some(5_000));

    let mut other = whole.clone();
    other[0].totals.files += 1;
    refused(&nodes, other, "other totals");

    let mut other = whole.clone();
    let at = other.len() - 1;
    other[at].last = Name::new(b"zzz").unwrap();
    refused(&nodes, other, "another last name");

    let mut other = whole.clone();
    other[1] = Child { last: other[1].last.clone(), ..other[0].clone() };
    refused(&nodes, other, "another last name");

    refused(&nodes, vec![whole[0].clone()], "one child");
    let inner = nodes.put(Node::Inner { level: 1, children: whole.clone() }.encode());
    let totals = Node::decode(&nodes.get(&inner)).unwrap().totals().unwrap();
    let last = whole.last().unwrap().last.clone();
    let mut other = whole[..1].to_vec();
    other.push(Child { last, id: inner, totals: whole[1].totals });
    assert!(totals.entries > 4_000);
    refused(&nodes, other, "another level");
}

#[test]
fn overlapping_siblings_are_refused() {
    let nodes = Nodes::default();
    let whole = directory(&nodes);
    let Node::Leaf(mut entries) = Node::decode(&nodes.get(&whole[1].id)).unwrap() else {
        panic!("a leaf")
    };
    entries.insert(0, Entry { name: Name::new(b"0000").unwrap(), target: file(7) });
    let node = Node::Leaf(entries);
    let mut other = whole;
    other[1].totals = node.totals().unwrap();
    other[1].id = nodes.put(node.encode());
    refused(&nodes, other, "before its sibling ends");
}

#[test]
fn a_directory_is_what_its_entry_says() {
    let nodes = Nodes::default();
    let below = nodes.build([(b"x".as_slice(), file(1))]);
    let lie = Target::Directory { id: below.id, files: 2, bytes: below.bytes };
    let root = nodes.build([(b"d".as_slice(), lie)]).id;
    let path = TreePath::new("d/x").unwrap();
    assert!(find(&root, &path, nodes.load()).is_err());
    let walked: Vec<_> = walk(&root, None, nodes.load()).unwrap().collect();
    assert!(walked.last().unwrap().is_err());
    let missing = ObjectId::of(b"missing");
    assert!(walk(&missing, None, nodes.load()).is_err());
}
