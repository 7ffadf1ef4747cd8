//! How fast directories are built, edited, compared and searched.

use std::collections::HashMap;
use std::hint::black_box;

use criterion::{Criterion, Throughput};
use provenance::object::tree::{self, Edit, NewNode, Node, Summary, Target, TreeBuilder};
use provenance::object::{DecodeError, Name, ObjectId, TreePath};

use crate::samples;

const ENTRIES: u32 = 100_000;

type Nodes = HashMap<ObjectId, Vec<u8>>;

/// Measures one directory of 100,000 files.
pub fn bench(criterion: &mut Criterion) {
    let files: Vec<(Name, Target)> =
        (0..ENTRIES).map(|number| (name(number), file(number))).collect();
    let mut nodes = Nodes::new();
    let before = build(&files, &mut nodes);
    let leaf = nodes.values().max_by_key(|node| node.len()).expect("there are nodes").clone();
    let changed = [(path(ENTRIES / 2), Edit::Put(file(ENTRIES)))];
    let after = edit(&before, &changed, &nodes.clone(), |id, bytes| {
        nodes.insert(id, bytes.to_vec());
    });

    let mut group = criterion.benchmark_group("tree");
    group.throughput(Throughput::Elements(u64::from(ENTRIES)));
    group.bench_function("build 100,000 entries", |b| {
        b.iter(|| build(black_box(&files), &mut Nodes::new()));
    });
    group.throughput(Throughput::Bytes(leaf.len() as u64));
    group.bench_function("decode a node", |b| b.iter(|| Node::decode(black_box(&leaf))));
    group.throughput(Throughput::Elements(1));
    group.bench_function("edit one of 100,000", |b| {
        b.iter(|| edit(black_box(&before), &changed, &nodes, |_, _| ()));
    });
    group.bench_function("compare, one of 100,000 differs", |b| {
        b.iter(|| count_changes(black_box(before.id), after.id, &nodes));
    });
    let wanted = path(ENTRIES / 3);
    group.bench_function("find one of 100,000", |b| {
        b.iter(|| tree::find(&before.id, black_box(&wanted), load(&nodes)));
    });
    group.finish();
}

fn name(number: u32) -> Name {
    Name::new(format!("r{number:06}.json").as_bytes()).expect("a valid name")
}

fn path(number: u32) -> TreePath {
    TreePath::new(format!("r{number:06}.json")).expect("a valid path")
}

fn file(number: u32) -> Target {
    let (id, sha256) = (samples::id(number), samples::sha256(number));
    Target::File { id, size: 4096, sha256, executable: false }
}

fn build(files: &[(Name, Target)], nodes: &mut Nodes) -> Summary {
    let mut builder = TreeBuilder::new(|id, bytes: &[u8]| {
        nodes.insert(id, bytes.to_vec());
        Ok::<_, DecodeError>(())
    });
    for (name, target) in files {
        builder.push(name, target).expect("names ascend");
    }
    builder.finish().expect("sizes add up")
}

fn load<'n>(nodes: &'n Nodes) -> impl FnMut(&ObjectId) -> Result<&'n Vec<u8>, DecodeError> {
    move |id| nodes.get(id).ok_or_else(|| DecodeError::new("node", 0, "missing"))
}

fn edit(
    before: &Summary,
    edits: &[(TreePath, Edit)],
    nodes: &Nodes,
    mut emit: impl FnMut(ObjectId, &[u8]),
) -> Summary {
    let emit = |node: NewNode<'_>| {
        emit(node.id, node.bytes);
        Ok(())
    };
    tree::edit(Some(before.id), edits.iter().cloned(), load(nodes), emit).expect("a sound edit")
}

fn count_changes(before: ObjectId, after: ObjectId, nodes: &Nodes) -> u32 {
    let mut count = 0;
    let visit = |_| {
        count += 1;
        Ok(())
    };
    tree::diff(Some(before), Some(after), None, load(nodes), visit).expect("sound trees");
    assert_eq!(count, 1, "one entry differs");
    count
}
