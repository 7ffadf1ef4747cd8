//! The bytes of nodes, and where directories are cut, are for ever.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::fmt::Write as _;

use provenance::object::tree::{EMPTY_TREE, Node, Target, TreeBuilder};
use provenance::object::{Name, ObjectId, Sha256};

use crate::support::fixture;
use crate::support::nodes::{Nodes, file};

fn blob(content: &[u8]) -> (ObjectId, u64, Sha256) {
    (ObjectId::of(content), content.len() as u64, Sha256::of(content))
}

/// A leaf with an entry of each kind.
fn leaf(nodes: &Nodes) -> ObjectId {
    let (id, size, sha256) = blob(b"a,b\n1,2\n");
    let data = Target::File { id, size, sha256, executable: false };
    let directory = nodes.build([(b"table.csv".as_slice(), data)]).target().unwrap();
    let (id, size, sha256) = blob(b"#!/bin/sh\n");
    let script = Target::File { id, size, sha256, executable: true };
    let (id, size, _) = blob(b"data/table.csv");
    let entries = [
        (b"data".as_slice(), directory),
        (b"latest", Target::Symlink { id, size }),
        (b"main", Target::Commit { id: ObjectId::of(b"a commit") }),
        (b"run.sh", script),
        (b"t\xff\n", data),
    ];
    nodes.build(entries).id
}

#[test]
fn nodes_keep_their_bytes() {
    let nodes = Nodes::default();
    let numbers: Vec<String> = (0..3_000).map(|number| format!("{number:04}")).collect();
    let inner = nodes.build(numbers.iter().map(|number| (number.as_bytes(), file(7)))).id;
    let empty = nodes.build([]).id;
    assert_eq!(empty, EMPTY_TREE);
    for (name, id, level) in [("empty", empty, 0), ("leaf", leaf(&nodes), 0), ("inner", inner, 1)] {
        let bytes = nodes.get(&id);
        fixture::check(&format!("format/v1/tree/{name}.node"), &bytes);
        let node = Node::decode(&bytes).unwrap();
        assert_eq!(node.level(), level);
        assert_eq!(node.encode(), bytes, "{name}");
    }
}

/// Lists the nodes of a directory of empty files: id, level, items, last name.
fn shape(names: impl Iterator<Item = String>) -> String {
    let mut lines = String::new();
    let empty =
        Target::File { id: ObjectId::of(b""), size: 0, sha256: Sha256::of(b""), executable: false };
    let mut builder = TreeBuilder::new(|id, bytes: &[u8]| {
        let (level, count, last) = match Node::decode(bytes)? {
            Node::Leaf(entries) => (0, entries.len(), entries.last().map(|e| e.name.clone())),
            Node::Inner { level, children } => {
                (level, children.len(), children.last().map(|c| c.last.clone()))
            }
        };
        writeln!(lines, "{id} {level} {count} {}", last.unwrap()).unwrap();
        Ok::<_, provenance::object::DecodeError>(())
    });
    for name in names {
        builder.push(&Name::new(name.as_bytes()).unwrap(), &empty).unwrap();
    }
    builder.finish().unwrap();
    lines
}

#[test]
fn directories_are_cut_at_the_same_names_for_ever() {
    let numbers = (0..20_000).map(|number| format!("file-{number:05}.txt"));
    fixture::check("format/v1/tree/shape-20000.txt", shape(numbers).as_bytes());
}

#[test]
fn a_node_is_full_at_8192_items_where_no_name_cuts() {
    let uncut = (0..u32::MAX).map(|number| format!("{number:06}")).filter(|name| {
        let hash = blake3::hash(name.as_bytes());
        let bytes = hash.as_bytes();
        u16::from_le_bytes([bytes[0], bytes[1]]) & 0x3ff != 0
    });
    fixture::check("format/v1/tree/shape-uncut.txt", shape(uncut.take(20_000)).as_bytes());
}
