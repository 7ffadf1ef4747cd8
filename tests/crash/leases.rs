//! A writer that relies on what is stored, and a collection that would take it away.
//!
//! The rules are those of `docs/decisions/0006-leases.md`: days pass by the storage's clock.

use std::sync::Arc;

use provenance::format::lease::{Holder, Lease};
use provenance::format::pack::ObjectKind;
use provenance::object::ObjectId;
use provenance::progress::Progress;
use provenance::storage::{Key, MemoryStorage, Storage};
use provenance::store::check::check;
use provenance::store::collect::{CollectRequest, Collected, collect};
use provenance::store::{Root, Store, StoreError};

use super::stopped::{assert_whole, record};
use crate::support::sample;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

fn holder() -> Holder {
    sample::lease().holder
}

fn open(storage: &MemoryStorage) -> Store {
    Store::open(Arc::new(storage.clone()), 1).held_by(holder)
}

/// Collects on another machine, with the shortest grace period, as somebody who may see the
/// process of a lease or not.
fn gc(storage: &MemoryStorage, roots: &[Root], is_alive: Option<bool>) -> Collected {
    let request = CollectRequest {
        roots,
        grace_ms: Some(DAY_MS),
        applies: true,
        is_current: &|| true,
        is_alive: &|_| is_alive,
        progress: &Progress::default(),
    };
    collect(&open(storage), &request).expect("collected")
}

/// A storage with one tree that nothing reaches, and its number.
fn abandoned() -> (MemoryStorage, Root) {
    let storage = MemoryStorage::new();
    let tree = record(&open(&storage), 1).expect("stored");
    (storage, tree)
}

fn leases(storage: &MemoryStorage) -> Vec<Key> {
    storage.list("lease/").expect("listed")
}

#[test]
fn a_short_writer_leaves_no_lease_and_a_long_one_takes_its_lease_away() {
    let (storage, _) = abandoned();
    let store = open(&storage);
    record(&store, 2).expect("stored");
    let transaction = store.transaction().expect("begun");
    let reliance = transaction.reliance().expect("begun");
    reliance.confirm().expect("at once");
    assert_eq!(leases(&storage), []);
    for _ in 0..3 {
        storage.advance(HOUR_MS);
        reliance.confirm().expect("in time");
        assert_eq!(leases(&storage).len(), 1, "renewed, not added");
    }
    let bytes = storage.load(&leases(&storage)[0], 4096).expect("read").expect("there");
    let lease = Lease::decode(&bytes).expect("a lease");
    let now_ms = storage.now_ms().expect("told");
    assert!(lease.since.0 < now_ms - 3 * HOUR_MS, "since its first look, however often renewed");
    drop((transaction, reliance));
    assert_eq!(leases(&storage), []);
}

#[test]
fn what_a_long_writer_relies_on_stays_until_it_is_done() {
    let (storage, tree) = abandoned();
    let store = open(&storage);
    let transaction = store.transaction().expect("begun");
    let reliance = transaction.reliance().expect("begun");
    // A week of renewals, with a collection each hour by somebody who cannot see the process.
    for _ in 0..7 * 24 {
        storage.advance(HOUR_MS);
        reliance.confirm().expect("in time");
        assert_eq!(gc(&storage, &[], None).dropped, 0);
    }
    // It is stopped for a month, which only somebody on its own machine can tell from dead.
    storage.advance(30 * DAY_MS);
    assert_eq!(gc(&storage, &[], Some(true)).dropped, 0);
    assert_whole(&storage, &[tree], "relied on");
    drop((transaction, reliance));
    assert_eq!(gc(&storage, &[], None).dropped, 2, "nobody relies on it any more");
}

#[test]
fn garbage_of_before_goes_while_a_long_writer_runs() {
    let (storage, _) = abandoned();
    gc(&storage, &[], None);
    storage.advance(HOUR_MS);
    let store = open(&storage);
    let transaction = store.transaction().expect("begun");
    let reliance = transaction.reliance().expect("begun");
    for _ in 0..24 {
        storage.advance(HOUR_MS);
        reliance.confirm().expect("in time");
    }
    assert_eq!(gc(&storage, &[], Some(true)).dropped, 2);
}

#[test]
fn a_writer_that_stood_still_for_too_long_names_nothing() {
    let (storage, tree) = abandoned();
    let store = open(&storage);
    let transaction = store.transaction().expect("begun");
    let reliance = transaction.reliance().expect("begun");
    let id = transaction.put(ObjectKind::Blob, &b"new".repeat(9)).expect("stored");
    // It relies on a tree that nothing reaches, and is stopped.
    assert!(matches!(tree, Root::Tree(tree) if store.contains(&tree).expect("looked")));
    gc(&storage, &[], None);
    storage.advance(2 * DAY_MS);
    assert_eq!(gc(&storage, &[], None).dropped, 2, "elsewhere, and not renewed");
    assert!(matches!(reliance.confirm(), Err(StoreError::Overdue)));
    assert!(matches!(transaction.finish(), Err(StoreError::Overdue)));
    assert!(!open(&storage).contains(&id).expect("looked"), "nothing of it is visible");
}

#[test]
fn the_lease_of_a_dead_process_is_swept_and_a_torn_one_after_half_a_day() {
    let (storage, _) = abandoned();
    gc(&storage, &[], None);
    storage.advance(2 * DAY_MS);
    let key = |name: &str| Key::new(format!("lease/{name}")).expect("a key");
    storage.note(&key("whole.json"), &sample::lease().encode().expect("valid")).expect("made");
    storage.note(&key("torn.json"), b"{\"boot").expect("made");
    let held = gc(&storage, &[], Some(false));
    assert_eq!((held.dropped, held.swept_files), (0, 1), "the torn one may stand for anything");
    storage.advance(HOUR_MS);
    assert_eq!(gc(&storage, &[], Some(false)).dropped, 0);
    storage.advance(12 * HOUR_MS);
    let free = gc(&storage, &[], Some(false));
    assert_eq!((free.dropped, free.swept_files), (2, 1));
    assert_eq!(leases(&storage), []);
}

#[test]
fn what_is_listed_is_stored_anew_in_a_pack_of_another_name() {
    let (storage, _) = abandoned();
    gc(&storage, &[], None);
    storage.advance(2 * DAY_MS);
    let before = storage.list("pack/").expect("listed");
    let tree = record(&open(&storage), 1).expect("stored");
    // A collection that has marked before that, and is about to delete.
    for key in &before {
        storage.delete(key).expect("deleted");
    }
    assert_whole(&storage, &[tree], "stored anew");
    assert_eq!(gc(&storage, &[tree], None).dropped, 0);
    assert_whole(&storage, &[tree], "collected for good");
}

#[test]
fn what_is_asked_for_by_an_id_that_is_listed_is_copied_first() {
    let (storage, tree) = abandoned();
    gc(&storage, &[], None);
    storage.advance(2 * DAY_MS);
    let before = storage.list("pack/").expect("listed");
    let store = open(&storage);
    let transaction = store.transaction().expect("begun");
    let reliance = transaction.reliance().expect("begun");
    let Root::Tree(id) = tree else { panic!("a tree") };
    store.revive(&reliance, &id, tree).expect("copied");
    for key in &before {
        storage.delete(key).expect("deleted");
    }
    assert_whole(&storage, &[tree], "copied");
}

#[test]
fn what_waits_for_its_grace_period_keeps_what_it_leads_to() {
    let (storage, _) = abandoned();
    gc(&storage, &[], None);
    storage.advance(2 * DAY_MS);
    // A tree that is on no list leads to a file that is; it is stored beside it, without it.
    let file = "file 1 ".repeat(40);
    assert!(open(&storage).contains(&ObjectId::of(file.as_bytes())).expect("looked"));
    let store = open(&storage);
    let transaction = store.transaction().expect("begun");
    let node = sample::named("another name", file.as_bytes());
    let tree = ObjectId::of(&node);
    transaction.put(ObjectKind::Tree, &node).expect("stored");
    transaction.finish().expect("stored");
    storage.advance(2 * DAY_MS);
    let collected = gc(&storage, &[], None);
    assert_eq!(collected.dropped, 1, "the old tree, and not the file");
    let checked = check(&open(&storage), &[Root::Tree(tree)], true, &Progress::default());
    assert_eq!(checked.expect("checked").findings, []);
}
