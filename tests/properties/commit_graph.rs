//! Commit graphs: any history reads back, and damage never gives a wrong answer.

use proptest::prelude::*;
use provenance::format::commit_graph::{CommitGraph, GraphBuilder, Position};
use provenance::object::Timestamp;

use crate::support::sample;

/// For each commit its time, and how far back its parents are.
fn histories() -> impl Strategy<Value = Vec<(i64, Vec<usize>)>> {
    let parents = proptest::collection::vec(1_usize..20, 0..16);
    proptest::collection::vec((any::<i64>(), parents), 1..40)
}

fn build(history: &[(i64, Vec<usize>)]) -> (Vec<u8>, Vec<(Position, Vec<Position>)>) {
    let mut builder = GraphBuilder::new();
    let mut commits: Vec<(Position, Vec<Position>)> = Vec::new();
    for (number, (time, back)) in history.iter().enumerate() {
        let mut parents = Vec::new();
        for parent in back.iter().filter_map(|back| commits.get(number.checked_sub(*back)?)) {
            if !parents.contains(&parent.0) {
                parents.push(parent.0);
            }
        }
        let id = sample::id(&number.to_string());
        let position = builder.push(id, Timestamp(*time), &parents).expect("parents are there");
        commits.push((position, parents));
    }
    ([CommitGraph::header().as_slice(), builder.bytes()].concat(), commits)
}

proptest! {
    #[test]
    fn a_history_reads_back(history in histories()) {
        let (bytes, commits) = build(&history);
        let graph = CommitGraph::open(&bytes).unwrap();
        prop_assert_eq!(graph.positions().count(), commits.len());
        for (number, (position, parents)) in commits.iter().enumerate() {
            prop_assert_eq!(graph.find(&sample::id(&number.to_string())), Some(*position));
            let mut read = Vec::new();
            let commit = graph.read(*position, &mut read).unwrap();
            prop_assert_eq!(commit.time.0, history[number].0);
            prop_assert_eq!(&read, parents);
            for parent in parents {
                prop_assert!(graph.get(*parent).unwrap().generation < commit.generation);
            }
        }
    }

    #[test]
    fn damage_is_refused(history in histories(), at in any::<usize>(), to in any::<[u8; 4]>()) {
        let (bytes, commits) = build(&history);
        let mut damaged = bytes.clone();
        let at = at % (bytes.len() - 4);
        damaged[at..at + 4].copy_from_slice(&to);
        let graph = CommitGraph::open(&bytes).unwrap();
        let Ok(other) = CommitGraph::open(&damaged) else { return Ok(()) };
        for (position, _) in commits {
            let (mut parents, mut expected) = (Vec::new(), Vec::new());
            if let Ok(commit) = other.read(position, &mut parents) {
                prop_assert_eq!(commit, graph.read(position, &mut expected).unwrap());
                prop_assert_eq!(parents, expected);
            }
        }
    }

    #[test]
    fn arbitrary_bytes_give_no_panic(bytes in any::<Vec<u8>>()) {
        let bytes = [CommitGraph::header().as_slice(), &bytes].concat();
        let graph = CommitGraph::open(&bytes).unwrap();
        prop_assert!(graph.positions().all(|position| graph.get(position).is_err()));
    }
}
