//! Many writers of one journal, on every storage: each entry lands exactly once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use provenance::object::tree::EMPTY_TREE;
use provenance::object::{Actor, Timestamp};
use provenance::storage::{FolderStorage, MemoryStorage, Storage};
use provenance::store::cache::Cache;
use provenance::store::journal::{Appended, Draft, Journal};

const WRITERS: usize = 4;

/// Enough for all writers together to bundle while the others append.
const APPENDS: usize = 140;

fn draft(command: String) -> Draft {
    let actor = Actor { name: "Ada".into(), email: String::new(), host: None, user: None };
    let time = Timestamp(1_700_000_000_000);
    let (updates, refs, attestations) = (Vec::new(), EMPTY_TREE, EMPTY_TREE);
    Draft { time, actor, command, updates, unlisted: 0, refs, attestations }
}

fn write(journal: &Journal, writer: usize) {
    for count in 0..APPENDS {
        loop {
            let head = journal.head().unwrap();
            assert_eq!(head.torn, []);
            let outcome = journal.append(&head, draft(format!("{writer} {count}"))).unwrap();
            if matches!(outcome, Appended::Won(_)) {
                break;
            }
        }
    }
}

/// Lets writers race, while a reader finds nothing wrong at any time.
fn race(storage: Arc<dyn Storage>, cache: &dyn Fn() -> Cache) {
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let journal = Journal::open(Arc::clone(&storage), cache());
                scope.spawn(move || write(&journal, writer))
            })
            .collect();
        let reader = Journal::open(Arc::clone(&storage), Cache::none());
        let is_done = &is_done;
        let reader = scope.spawn(move || {
            while !is_done.load(Ordering::Relaxed) {
                assert_eq!(reader.verify().unwrap(), [], "a false alarm");
            }
        });
        let results: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        is_done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
        results.into_iter().for_each(|result| result.unwrap());
    });
    let journal = Journal::open(storage, Cache::none());
    assert_eq!(journal.verify().unwrap(), []);
    let newest = journal.head().unwrap().newest.unwrap().number();
    let commands: Vec<String> =
        journal.entries(newest).map(|entry| entry.unwrap().transaction.command).collect();
    assert_eq!(commands.len(), WRITERS * APPENDS);
    assert_eq!(commands.iter().collect::<BTreeSet<_>>().len(), WRITERS * APPENDS, "once each");
    for writer in 0..WRITERS {
        let own: Vec<usize> = commands
            .iter()
            .rev()
            .filter_map(|command| command.strip_prefix(&format!("{writer} "))?.parse().ok())
            .collect();
        assert!(own.into_iter().eq(0..APPENDS), "writer {writer}: in its own order");
    }
}

#[test]
fn in_a_folder_every_append_of_every_writer_lands_once() {
    let dir = tempfile::tempdir().unwrap();
    let storage = Arc::new(FolderStorage::open(dir.path()).unwrap());
    let (files, temporaries) = (dir.path().join("cache"), dir.path().join("tmp"));
    race(storage, &|| Cache::new(&files, &temporaries));
}

#[test]
fn in_memory_every_append_of_every_writer_lands_once() {
    race(Arc::new(MemoryStorage::new()), &Cache::none);
}
