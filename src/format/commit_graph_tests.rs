//! The commit graph: appends, octopus merges, damage.

use super::*;

fn id(number: u32) -> ObjectId {
    ObjectId::of(&number.to_le_bytes())
}

fn file(builder: &GraphBuilder<'_>) -> Vec<u8> {
    [CommitGraph::header().as_slice(), builder.bytes()].concat()
}

/// A line of commits, of which each number divisible by 10 merges the `parents` before it.
fn history(count: u32, parents: u32) -> Vec<u8> {
    let mut builder = GraphBuilder::new();
    let mut positions = Vec::new();
    for number in 0..count {
        let width = if number % 10 == 0 { parents } else { 1 };
        let merged: Vec<_> = (1..=width.min(number))
            .map(|back| positions[usize::try_from(number - back).expect("small")])
            .collect();
        positions.push(builder.push(id(number), Timestamp(number.into()), &merged).expect("fits"));
    }
    file(&builder)
}

#[test]
fn a_commit_is_found_and_read() {
    let bytes = history(100, 2);
    assert_eq!(bytes.len(), 16 + 100 * 60);
    let graph = CommitGraph::open(&bytes).expect("just built");
    assert_eq!(graph.positions().count(), 100);
    for number in 0..100 {
        let position = graph.find(&id(number)).expect("pushed");
        let mut parents = Vec::new();
        let commit = graph.read(position, &mut parents).expect("whole");
        let expected = GraphCommit {
            id: id(number),
            time: Timestamp(number.into()),
            generation: number.into(),
        };
        assert_eq!(commit, expected);
        let named: Vec<_> =
            parents.iter().map(|parent| graph.get(*parent).expect("whole").id).collect();
        let width = if number % 10 == 0 { 2 } else { 1 };
        let expected: Vec<_> = (1..=width.min(number)).map(|back| id(number - back)).collect();
        assert_eq!(named, expected);
    }
    assert_eq!(graph.find(&id(100)), None);
}

#[test]
fn an_octopus_has_all_its_parents_in_order() {
    for width in [3, 12, 13, 14, 25, 26, 200] {
        let mut builder = GraphBuilder::new();
        let mut parents: Vec<_> = (0..width)
            .map(|number| builder.push(id(number), Timestamp(0), &[]).expect("fits"))
            .collect();
        parents.reverse();
        let octopus = builder.push(id(width), Timestamp(1), &parents).expect("fits");
        let child = builder.push(id(width + 1), Timestamp(2), &[octopus]).expect("fits");
        let bytes = file(&builder);
        let graph = CommitGraph::open(&bytes).expect("just built");
        let mut read = Vec::new();
        assert_eq!(graph.read(octopus, &mut read).expect("whole").generation, 1);
        assert_eq!(read, parents);
        assert_eq!(graph.get(child).expect("whole").generation, 2);
        let commits = graph.positions().count();
        assert_eq!(commits, usize::try_from(width).expect("small") + 2);
        assert_eq!(graph.last(), Some(child));
    }
}

#[test]
fn appending_one_by_one_gives_the_same_file() {
    let whole = history(35, 4);
    let mut grown = CommitGraph::header().to_vec();
    for number in 0..35 {
        let graph = CommitGraph::open(&grown).expect("whole so far");
        let mut builder = GraphBuilder::after(graph);
        let width = if number % 10 == 0 { 4 } else { 1 };
        let parents: Vec<_> = (1..=width.min(number))
            .map(|back| graph.find(&id(number - back)).expect("added before"))
            .collect();
        builder.push(id(number), Timestamp(number.into()), &parents).expect("fits");
        assert_eq!(builder.offset(), grown.len() as u64);
        let added = builder.bytes().to_vec();
        grown.extend_from_slice(&added);
    }
    assert_eq!(grown, whole);
}

#[test]
fn parents_must_be_there() {
    let mut builder = GraphBuilder::new();
    builder.push(id(1), Timestamp(0), &[]).expect("fits");
    assert_eq!(builder.bytes().len(), 60);
    assert!(builder.push(id(2), Timestamp(0), &[Position(1)]).is_err());
    assert!(GraphBuilder::new().push(id(2), Timestamp(0), &[Position(0)]).is_err());
}

#[test]
fn an_interrupted_append_is_cut_off() {
    let whole = history(31, 20);
    let count = CommitGraph::open(&whole).expect("whole").positions().count();
    for length in 16..whole.len() {
        let graph = CommitGraph::open(&whole[..length]).expect("a header and whole records");
        let end = usize::try_from(graph.end_offset()).expect("small");
        assert!(end <= length);
        // What is left is a graph: every commit of it can be read.
        assert!(graph.positions().all(|position| graph.get(position).is_ok()));
        assert!(graph.positions().count() < count);
    }
    let mut zeros = whole.clone();
    zeros.extend_from_slice(&[0; 60 * 3]);
    let graph = CommitGraph::open(&zeros).expect("zeros are cut off");
    assert_eq!(graph.end_offset(), whole.len() as u64);
}

#[test]
fn every_changed_byte_is_noticed_by_whoever_uses_it() {
    let whole = history(31, 20);
    let original = CommitGraph::open(&whole).expect("whole");
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x41;
        let Ok(graph) = CommitGraph::open(&bytes) else { continue };
        for position in original.positions() {
            let (mut parents, mut expected) = (Vec::new(), Vec::new());
            let truth = original.read(position, &mut expected).expect("whole");
            // Damage at the end cuts commits off; elsewhere a wrong record is refused.
            if let Ok(commit) = graph.read(position, &mut parents) {
                assert_eq!((commit, parents), (truth, expected), "byte {at}, {position:?}");
            }
        }
    }
}

#[test]
fn a_record_is_not_believed_at_another_place() {
    let mut bytes = history(9, 2);
    let (first, second) = (16 + 3 * 60, 16 + 4 * 60);
    let moved: Vec<u8> = bytes[first..first + 60].to_vec();
    bytes.copy_within(second..second + 60, first);
    bytes[second..second + 60].copy_from_slice(&moved);
    let graph = CommitGraph::open(&bytes).expect("its end is whole");
    assert!(graph.get(Position(3)).is_err());
    assert!(graph.get(Position(4)).is_err());
}

#[test]
fn a_parent_that_became_another_commit_is_noticed() {
    let bytes = history(3, 2);
    let graph = CommitGraph::open(&bytes).expect("whole");
    let mut builder = GraphBuilder::after(graph);
    let one = builder.push(id(77), Timestamp(7), &[Position(2)]).expect("fits");
    builder.push(id(78), Timestamp(8), &[one]).expect("fits");
    let mut raced = bytes.clone();
    raced.extend_from_slice(builder.bytes());
    // Another process writes its own commit where 77 was.
    let mut other = GraphBuilder::after(graph);
    other.push(id(99), Timestamp(9), &[Position(2)]).expect("fits");
    raced[bytes.len()..bytes.len() + 60].copy_from_slice(other.bytes());
    let graph = CommitGraph::open(&raced).expect("the child is cut off");
    assert_eq!(graph.find(&id(78)), None);
    assert_eq!(graph.last().and_then(|last| graph.get(last).ok()).map(|c| c.id), Some(id(99)));
}

#[test]
fn other_headers_are_refused() {
    assert!(CommitGraph::open(&[]).is_err());
    let mut bytes = CommitGraph::header().to_vec();
    assert!(CommitGraph::open(&bytes).expect("empty").is_empty());
    bytes[8] = 2;
    assert!(CommitGraph::open(&bytes).is_err());
}

#[test]
fn a_generation_is_above_the_parents_whatever_the_clocks_say() {
    let mut builder = GraphBuilder::new();
    let late = builder.push(id(1), Timestamp(5_000), &[]).expect("fits");
    let early = builder.push(id(2), Timestamp(-7), &[late]).expect("fits");
    let later = builder.push(id(3), Timestamp(9_000), &[early, late]).expect("fits");
    assert!(builder.push(id(4), Timestamp(i64::MAX), &[later]).is_err());
    assert!(builder.push(id(4), Timestamp(i64::MIN), &[]).is_err());
    let bytes = file(&builder);
    let graph = CommitGraph::open(&bytes).expect("just built");
    let generations = graph.positions().map(|at| graph.get(at).expect("whole").generation);
    assert_eq!(generations.collect::<Vec<_>>(), [5_000, 5_001, 9_000]);
}
