//! A writer that slept while its number was bundled and deleted: the number is free again as a
//! file, and must never be used again as a success (`docs/format/journal.md`, "Order of writes").

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use provenance::object::tree::EMPTY_TREE;
use provenance::object::{Actor, Timestamp};
use provenance::storage::{MemoryStorage, Storage};
use provenance::store::{Appended, Cache, Draft, Journal, JournalHead};

use super::hooked::{Call, HookedStorage};
use crate::support::effort;
use crate::support::tally::Tally;

/// Where the sleeper fell asleep, and how long the journal is when it wakes: with the last entry,
/// the first 256 are bundled.
const SLEPT_AT: u64 = 10;
const ENTRIES: u64 = 512;

fn draft(command: String) -> Draft {
    let actor = Actor { name: "Ada".into(), email: String::new(), host: None, user: None };
    let time = Timestamp(1_700_000_000_000);
    let (updates, refs, attestations) = (Vec::new(), EMPTY_TREE, EMPTY_TREE);
    Draft { time, actor, command, updates, unlisted: 0, refs, attestations }
}

fn open(storage: Arc<dyn Storage>) -> Journal {
    Journal::open(storage, Cache::none())
}

fn plain(memory: &MemoryStorage) -> Journal {
    open(Arc::new(memory.clone()))
}

/// Appends an entry after the newest.
fn append(journal: &Journal, number: u64) {
    let head = journal.head().expect("read");
    let won = journal.append(&head, draft(format!("entry {number}"))).expect("appended");
    assert!(matches!(won, Appended::Won(_)), "nobody else appends");
}

/// A journal one entry short of being bundled, and its head when it was shorter.
fn grown() -> (MemoryStorage, JournalHead) {
    let memory = MemoryStorage::new();
    let journal = plain(&memory);
    let mut slept = journal.head().expect("empty");
    for number in 0..ENTRIES - 1 {
        if number == SLEPT_AT {
            slept = journal.head().expect("read");
        }
        append(&journal, number);
    }
    (memory, slept)
}

/// Runs `run` on a storage that runs `other` before change number `at`; tells how many there were.
fn with_other(
    memory: &MemoryStorage,
    at: u64,
    other: impl Fn() + Send + Sync + 'static,
    run: impl FnOnce(Journal),
) -> u64 {
    let calls = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&calls);
    let hook = move |call| {
        if call != Call::Private && count.fetch_add(1, Ordering::SeqCst) == at {
            other();
        }
    };
    run(open(Arc::new(HookedStorage::new(Arc::new(memory.clone()), Arc::new(hook)))));
    calls.load(Ordering::SeqCst)
}

fn append_late(journal: &Journal, slept: &JournalHead, case: &str) {
    match journal.append(slept, draft("too late".to_owned())) {
        Ok(Appended::Lost) => {}
        other => panic!("a number that is taken: {other:?}\n{case}"),
    }
}

fn look(memory: &MemoryStorage, case: &str) {
    let journal = plain(memory);
    let _what_was_left = journal.bundle().expect(case);
    assert_eq!(journal.verify().expect(case), [], "{case}");
    let commands = journal.entries(ENTRIES - 1).map(|entry| entry.expect(case).transaction.command);
    let expected = (0..ENTRIES).rev().map(|number| format!("entry {number}"));
    assert!(commands.eq(expected), "an entry was replaced\n{case}");
}

#[test]
fn a_sleeper_that_wakes_while_others_bundle_has_lost() {
    let tally = Tally::new("a writer sleeps and wakes at a step", "bundling the journal");
    let (memory, slept) = grown();
    let (mut at, mut calls) = (0, u64::MAX);
    while at <= calls && effort::goes_on() {
        let memory = memory.fork();
        let case = format!("it wakes at call {at} of the bundling");
        let (own, head, told) = (memory.clone(), slept.clone(), case.clone());
        let wake = move || append_late(&plain(&own), &head, &told);
        calls = with_other(&memory, at, wake, |journal| append(&journal, ENTRIES - 1));
        append_late(&plain(&memory), &slept, &case);
        look(&memory, &case);
        tally.count("it lost, and the journal is as before");
        at += if at < 20 { 1 } else { effort::cases(97, 1) };
    }
}

#[test]
fn a_sleeper_whose_number_is_bundled_at_any_of_its_steps_has_lost() {
    let tally = Tally::new("all is bundled at a step of a late writer", "appending to the journal");
    let (memory, slept) = grown();
    let (mut at, mut calls) = (0, u64::MAX);
    while at <= calls {
        let memory = memory.fork();
        let case = format!("bundled at call {at} of the late append");
        let own = memory.clone();
        let bundle = move || append(&plain(&own), ENTRIES - 1);
        calls = with_other(&memory, at, bundle, |journal| append_late(&journal, &slept, &case));
        if calls <= at {
            break;
        }
        look(&memory, &case);
        tally.count("it lost, and the journal is as before");
        at += 1;
    }
}
