//! The history of a store, with a cache that is short, damaged, overtaken or not there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::format::pack::ObjectKind;
use crate::object::{Author, Commit, System};
use crate::storage::MemoryStorage;

struct Fixture {
    store: Store,
    cache: Cache,
    folder: tempfile::TempDir,
    ids: BTreeMap<char, ObjectId>,
}

/// The clocks run backwards, so that generations must correct every time but the first.
fn time(letter: char) -> i64 {
    1_000_000 - i64::from(u32::from(letter))
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(folder.path().join("cache"), folder.path().join("tmp"));
        let store = Store::open(Arc::new(MemoryStorage::new()), 1);
        Self { store, cache, folder, ids: BTreeMap::new() }
    }

    /// Stores `b:a`: a commit and its parents.
    fn commit(&mut self, drawn: &str) -> ObjectId {
        let mut letters = drawn.chars().filter(|c| c.is_alphabetic());
        let letter = letters.next().expect("a letter");
        let commit = Commit {
            tree: crate::object::tree::EMPTY_TREE,
            parents: letters.map(|parent| self.ids[&parent]).collect(),
            author: Author { name: "Ada".into(), email: String::new() },
            time: Timestamp(time(letter)),
            message: letter.to_string(),
            system: System::default(),
            artifacts: vec![],
            run: None,
            code: None,
            environment: None,
            fine_tune: None,
            overlaps: None,
        };
        let record = commit.encode().expect("a good commit");
        let id = self.store.put(ObjectKind::Commit, &record).expect("stored");
        self.ids.insert(letter, id);
        id
    }

    fn history(&self, tip: char) -> History {
        let tips = [self.ids[&tip]];
        self.store.history(&self.cache, &tips, &Progress::default()).expect("a history")
    }

    /// Reads what is above a tip out of its history: `b2:a` is b with parent a, one generation
    /// after the first.
    fn drawn(&self, tip: char) -> String {
        let history = self.history(tip);
        let commits = history.commits().expect("readable");
        let mut drawn = Vec::new();
        for (letter, id) in &self.ids {
            let found = commits.find_all(&[*id]).expect("readable");
            let Some(position) = found[0] else { continue };
            let mut parents = Vec::new();
            let vertex = commits.read(position, &mut parents).expect("readable");
            assert_eq!(vertex.time, time(*letter));
            let parents: String =
                parents.iter().map(|parent| self.letter(commits, *parent)).collect();
            let generation = vertex.generation - time('a') + 1;
            drawn.push(format!("{letter}{generation}:{parents}"));
        }
        drawn.join(" ")
    }

    fn letter(&self, commits: Commits<'_>, position: Position) -> char {
        let id = commits.id(position).expect("readable");
        *self.ids.iter().find(|(_, known)| **known == id).expect("known").0
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("cache").join(layout::COMMIT_GRAPH)
    }
}

fn diamond() -> Fixture {
    let mut fixture = Fixture::new();
    for drawn in ["a", "b:a", "c:a", "d:bc"] {
        fixture.commit(drawn);
    }
    fixture
}

#[test]
fn a_history_is_built_then_only_read() {
    let fixture = diamond();
    assert_eq!(fixture.drawn('d'), "a1: b2:a c2:a d3:bc");
    let built = fs::read(fixture.path()).expect("kept");
    assert_eq!(fixture.drawn('d'), "a1: b2:a c2:a d3:bc");
    assert_eq!(fs::read(fixture.path()).expect("kept"), built);
}

#[test]
fn new_commits_are_appended() {
    let mut fixture = diamond();
    assert_eq!(fixture.drawn('b'), "a1: b2:a");
    let short = fs::read(fixture.path()).expect("kept");
    fixture.commit("e:dab");
    assert_eq!(fixture.drawn('e'), "a1: b2:a c2:a d3:bc e4:dab");
    let long = fs::read(fixture.path()).expect("kept");
    assert_eq!(long.get(..short.len()), Some(short.as_slice()));
}

#[test]
fn without_a_cache_the_answer_is_the_same() {
    let mut fixture = diamond();
    fixture.cache = Cache::none();
    assert_eq!(fixture.drawn('d'), "a1: b2:a c2:a d3:bc");
}

#[test]
fn a_torn_end_is_written_anew() {
    let fixture = diamond();
    fixture.drawn('d');
    let whole = fs::read(fixture.path()).expect("kept");
    for length in 0..whole.len() {
        File::create(fixture.path())
            .and_then(|file| file.write_all_at(&whole[..length], 0))
            .expect("torn");
        assert_eq!(fixture.drawn('d'), "a1: b2:a c2:a d3:bc", "cut to {length}");
        assert_eq!(fixture.drawn('d'), "a1: b2:a c2:a d3:bc", "cut to {length}, again");
    }
}

#[test]
fn every_damaged_byte_is_noticed_and_the_file_built_anew() {
    let fixture = diamond();
    fixture.drawn('d');
    let whole = fs::read(fixture.path()).expect("kept");
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        File::create(fixture.path())
            .and_then(|file| file.write_all_at(&damaged, 0))
            .expect("damaged");
        let read = |_: u32| -> Result<(), StoreError> {
            let history = fixture.history('d');
            let commits = history.commits()?;
            for position in commits.graph.positions() {
                commits.read(position, &mut Vec::new())?;
            }
            Ok(())
        };
        if read(0).is_err() {
            fixture.store.forget_history(&fixture.cache);
        }
        assert_eq!(fixture.drawn('d'), "a1: b2:a c2:a d3:bc", "byte {at}");
    }
}

#[test]
fn two_that_append_do_not_mix() {
    let mut fixture = diamond();
    fixture.drawn('b');
    let short = fixture.history('b');
    fixture.commit("e:d");
    fixture.drawn('e');
    let overtaken = fixture
        .store
        .with_new(short, &fixture.cache, &[fixture.ids[&'c']], &Progress::default())
        .expect("no damage");
    assert!(overtaken.is_none());
    assert_eq!(fixture.drawn('e'), "a1: b2:a c2:a d3:bc e4:d");
}

#[test]
fn a_missing_commit_is_an_error_and_nothing_is_kept_of_it() {
    let mut fixture = diamond();
    fixture.ids.insert('x', ObjectId::of(b"nowhere"));
    fixture.commit("e:dx");
    let tips = [fixture.ids[&'e']];
    let error = fixture.store.history(&fixture.cache, &tips, &Progress::default());
    assert!(matches!(error, Err(StoreError::Missing { .. })));
    assert_eq!(fixture.drawn('d'), "a1: b2:a c2:a d3:bc");
}

#[test]
fn many_are_found_at_once() {
    let fixture = diamond();
    let history = fixture.history('d');
    let commits = history.commits().expect("readable");
    let mut ids: Vec<ObjectId> = fixture.ids.values().cycle().take(40).copied().collect();
    ids.push(ObjectId::of(b"nowhere"));
    let found = commits.find_all(&ids).expect("readable");
    assert!(found[..40].iter().all(Option::is_some));
    assert_eq!(found[40], None);
    assert_eq!(commits.position_count(), 4);
}

/// Ids that agree in the half by which they are looked up.
fn twins() -> [ObjectId; 2] {
    [1, 2].map(|last| {
        let mut bytes = [7; 32];
        bytes[31] = last;
        ObjectId::from_bytes(bytes)
    })
}

/// Whoever was there last was found for both.
#[test]
fn commits_that_agree_in_half_of_their_ids_are_told_apart() {
    let twins = twins();
    let mut builder = GraphBuilder::new();
    let positions = twins.map(|id| builder.push(id, Timestamp(1), &[]).expect("pushed"));
    let bytes = [&CommitGraph::header()[..], builder.bytes()].concat();
    let graph = CommitGraph::open(&bytes).expect("a graph");
    let mut lookup = Lookup::new(graph);
    for _ in 0..=SCANS_MAX {
        for (id, position) in twins.iter().zip(positions) {
            assert_eq!(lookup.find(id).expect("sound"), Some(position));
        }
    }
    let mut bytes = *twins[0].as_bytes();
    bytes[30] = 0;
    assert_eq!(lookup.find(&ObjectId::from_bytes(bytes)).expect("sound"), None);
}
