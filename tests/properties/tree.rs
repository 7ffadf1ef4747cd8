//! Trees against a plain map from paths to targets.
//!
//! Names that end nodes are rare, so the pool holds some that were searched for: small trees get
//! several levels, and edits hit the cut points as often as anything else.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use provenance::object::tree::{
    Change, Edit, Node, Summary, Target, TreeBuilder, diff, edit, find, walk,
};
use provenance::object::{DecodeError, Name, ObjectId, TreePath};

use crate::support::nodes::{Nodes, file};

type Map = BTreeMap<TreePath, Target>;

const PLAIN: &[&str] = &["a", "a!", "a.b", "b", "f", "z", "\u{fc}"];
/// Names whose hash ends a leaf.
const CUT_LEAF: &[&str] =
    &["1219", "123b", "161d", "2114", "46c", "7ce", "8f1", "9f5", "b65", "c6c8"];
/// Names whose hash ends a leaf and a node of level 1.
const CUT_BOTH: &[&str] = &["106d6e9", "22efc0", "5aa04f", "816f93", "a505b3", "f3f8f4"];

fn names() -> impl Strategy<Value = &'static str> {
    prop_oneof![select(PLAIN), select(CUT_LEAF), select(CUT_BOTH)]
}

fn paths() -> impl Strategy<Value = TreePath> {
    prop::collection::vec(names(), 1..4).prop_map(|names| TreePath::new(names.join("/")).unwrap())
}

fn targets() -> impl Strategy<Value = Target> {
    let id = || (0..4_u8).prop_map(|byte| ObjectId::from_bytes([byte; 32]));
    prop_oneof![
        4 => (0..4_u64).prop_map(file),
        1 => id().prop_map(|id| Target::Symlink { id, size: 9 }),
        1 => id().prop_map(|id| Target::Commit { id }),
    ]
}

fn edits() -> impl Strategy<Value = Vec<(TreePath, Edit)>> {
    let kinds = prop_oneof![3 => targets().prop_map(Edit::Put), 2 => Just(Edit::Remove)];
    prop::collection::vec((paths(), kinds), 0..40).prop_map(|mut edits| {
        edits.sort_by(|a, b| a.0.cmp(&b.0));
        edits
    })
}

/// Does to a map what the edits do to a tree.
fn apply(map: &mut Map, edits: &[(TreePath, Edit)]) {
    for (path, edit) in edits {
        map.retain(|other, _| !other.starts_with(path));
        if let Edit::Put(target) = edit {
            map.retain(|other, _| !path.starts_with(other));
            map.insert(path.clone(), *target);
        }
    }
}

/// Builds the tree of a map from nothing, directory by directory.
fn build(nodes: &Nodes, map: &Map) -> Summary {
    let mut builder = TreeBuilder::new(nodes.emit());
    let mut rest: Vec<(TreePath, Target)> = map.iter().map(|(p, t)| (p.clone(), *t)).collect();
    while let Some((first, target)) = rest.first().cloned() {
        let name = first.names().next().unwrap().to_vec();
        let count = rest.iter().take_while(|(path, _)| path.names().next() == Some(&name)).count();
        let inside: Vec<_> = rest.drain(..count).collect();
        let target = if first.as_bytes() == name {
            target
        } else {
            let below = |path: &TreePath| path.as_bytes()[name.len() + 1..].to_vec();
            let map =
                inside.iter().map(|(path, target)| (TreePath::new(below(path)).unwrap(), *target));
            build(nodes, &map.collect()).target().unwrap()
        };
        builder.push(&Name::new(&name).unwrap(), &target).unwrap();
    }
    builder.finish().unwrap()
}

fn naive_diff(old: &Map, new: &Map) -> Vec<Change> {
    let mut paths: Vec<&TreePath> = old.keys().chain(new.keys()).collect();
    paths.sort();
    paths.dedup();
    let change = |path: &TreePath| {
        let (old, new) = (old.get(path).copied(), new.get(path).copied());
        (old != new).then(|| Change { path: path.clone(), old, new })
    };
    paths.into_iter().filter_map(change).collect()
}

fn changes(nodes: &Nodes, old: &Summary, new: &Summary, prefix: Option<&TreePath>) -> Vec<Change> {
    let mut changes = Vec::new();
    let visit = |change| {
        changes.push(change);
        Ok::<_, DecodeError>(())
    };
    diff(Some(old.id), Some(new.id), prefix, nodes.load(), visit).unwrap();
    changes
}

fn listed(nodes: &Nodes, root: &Summary, prefix: Option<&TreePath>) -> Vec<(TreePath, Target)> {
    walk(&root.id, prefix, nodes.load())
        .unwrap()
        .map(Result::unwrap)
        .filter(|walked| !walked.target.is_directory())
        .map(|walked| (walked.path, walked.target))
        .collect()
}

proptest! {
    #[test]
    fn an_edited_tree_is_the_tree_built_from_its_entries(
        steps in prop::collection::vec(edits(), 1..4),
        prefix in paths(),
    ) {
        let nodes = Nodes::default();
        let mut map = Map::new();
        let mut root = build(&nodes, &map);
        for edits in steps {
            let old_map = map.clone();
            apply(&mut map, &edits);
            let new = edit(Some(root.id), edits, nodes.load(), nodes.emit_new()).unwrap();
            prop_assert_eq!(new, build(&nodes, &map));
            let expected = naive_diff(&old_map, &map);
            prop_assert_eq!(&changes(&nodes, &root, &new, None), &expected);
            let below: Vec<_> =
                expected.into_iter().filter(|c| c.path.starts_with(&prefix)).collect();
            prop_assert_eq!(changes(&nodes, &root, &new, Some(&prefix)), below);
            root = new;
        }
        let all: Vec<_> = map.iter().map(|(path, target)| (path.clone(), *target)).collect();
        let below: Vec<_> = all.iter().filter(|(p, _)| p.starts_with(&prefix)).cloned().collect();
        prop_assert_eq!(listed(&nodes, &root, None), all);
        prop_assert_eq!(listed(&nodes, &root, Some(&prefix)), below);
        for (path, target) in &map {
            prop_assert_eq!(find(&root.id, path, nodes.load()).unwrap(), Some(*target));
        }
        let found = find(&root.id, &prefix, nodes.load()).unwrap();
        let found = found.filter(|target| !target.is_directory());
        prop_assert_eq!(found, map.get(&prefix).copied());
    }

    #[test]
    fn bytes_are_a_node_only_if_they_are_its_one_spelling(
        mut bytes in prop::collection::vec(any::<u8>(), 0..200),
        is_headed in any::<bool>(),
    ) {
        if is_headed {
            bytes.splice(0..bytes.len().min(10), [1, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
        }
        if let Ok(node) = Node::decode(&bytes) {
            prop_assert_eq!(node.encode(), bytes);
        }
    }

    #[test]
    fn a_node_with_a_byte_changed_is_another_node_or_none(
        map in prop::collection::btree_map(paths(), targets(), 1..20),
        at in any::<Index>(),
        byte in any::<u8>(),
    ) {
        let nodes = Nodes::default();
        let edits = map.into_iter().map(|(path, target)| (path, Edit::Put(target)));
        let root = edit(None, edits, nodes.load(), nodes.emit_new()).unwrap();
        let mut bytes = nodes.get(&root.id);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(node) = Node::decode(&bytes) {
            prop_assert_eq!(node.encode(), bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Runs of names without a cut point fill nodes to the brim, where an edit moves every end
    /// up to the next cut.
    #[test]
    fn edits_of_full_nodes_give_the_tree_built_from_its_entries(
        edits in prop::collection::btree_map(0..26_000_u32, any::<bool>(), 1..6),
        cuts in prop::collection::btree_set(0..25_000_u32, 0..3),
    ) {
        let is_cut = |name: &str| {
            let hash = blake3::hash(name.as_bytes());
            u16::from_le_bytes([hash.as_bytes()[0], hash.as_bytes()[1]]) & 0x3ff == 0
        };
        let numbers = (0..25_000_u32).filter(|number| {
            !is_cut(&format!("{number:05}")) || cuts.contains(&(number - number % 5_000))
        });
        let mut map: BTreeMap<String, Target> =
            numbers.map(|number| (format!("{number:05}"), file(1))).collect();
        let nodes = Nodes::default();
        let build = |map: &BTreeMap<String, Target>| {
            nodes.build(map.iter().map(|(name, target)| (name.as_bytes(), *target)))
        };
        let old = build(&map);
        let mut list = Vec::new();
        for (number, is_put) in &edits {
            let name = format!("{number:05}{}", if number % 2 == 0 { "" } else { "x" });
            let path = TreePath::new(name.as_str()).unwrap();
            if *is_put {
                map.insert(name, file(2));
                list.push((path, Edit::Put(file(2))));
            } else {
                map.remove(&name);
                list.push((path, Edit::Remove));
            }
        }
        let new = edit(Some(old.id), list, nodes.load(), nodes.emit_new()).unwrap();
        prop_assert_eq!(new, build(&map));
        prop_assert!(changes(&nodes, &old, &new, None).len() <= edits.len());
        let count = walk(&new.id, None, nodes.load()).unwrap().map(Result::unwrap).count();
        prop_assert_eq!(count, map.len());
    }
}
