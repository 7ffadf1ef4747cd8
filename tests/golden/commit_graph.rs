//! Commit graphs: bytes that stay.

use provenance::format::commit_graph::{CommitGraph, GraphBuilder, Position};
use provenance::object::Timestamp;

use crate::support::{fixture, sample};

/// A root, two children, and their merge.
fn fork() -> Vec<u8> {
    let mut builder = GraphBuilder::new();
    let mut push = |word: &str, time: i64, parents: &[Position]| {
        builder.push(sample::id(word), Timestamp(time), parents).expect("parents are there")
    };
    let root = push("root", 1_785_490_000_000, &[]);
    let left = push("left", 1_785_490_001_000, &[root]);
    let right = push("right", -1, &[root]);
    push("merge", 1_785_490_002_000, &[left, right]);
    [CommitGraph::header().as_slice(), builder.bytes()].concat()
}

/// Fourteen roots, merged at once: two overflow records.
fn octopus() -> Vec<u8> {
    let mut builder = GraphBuilder::new();
    let roots: Vec<_> = (0..14)
        .map(|number| {
            let id = sample::id(&format!("root {number}"));
            builder.push(id, Timestamp(number), &[]).expect("a root")
        })
        .collect();
    builder.push(sample::id("octopus"), Timestamp(14), &roots).expect("parents are there");
    [CommitGraph::header().as_slice(), builder.bytes()].concat()
}

#[test]
fn graphs_keep_their_bytes() {
    fixture::check("format/v1/commit-graph/fork", &fork());
    fixture::check("format/v1/commit-graph/octopus", &octopus());
    for (name, last, parents, generation) in
        [("fork", "merge", 2, 1_785_490_002_000), ("octopus", "octopus", 14, 14)]
    {
        let bytes = fixture::read(&format!("format/v1/commit-graph/{name}"));
        let graph = CommitGraph::open(&bytes).unwrap();
        assert_eq!(graph.end_offset(), bytes.len() as u64);
        let mut listed = Vec::new();
        let commit = graph.read(graph.last().unwrap(), &mut listed).unwrap();
        assert_eq!((commit.id, commit.generation), (sample::id(last), generation));
        assert_eq!(listed.len(), parents);
        assert!(graph.positions().all(|position| graph.get(position).is_ok()));
    }
}
