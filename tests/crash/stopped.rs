//! Recording, merging and collecting stopped at every step of the storage, then a power cut.
//!
//! Faults survived: a kill before or in any step, and of what was not synced any subset lost.
//! After each: nothing that was acknowledged is missing, every stored byte is right, and the
//! same again succeeds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use provenance::format::pack::ObjectKind;
use provenance::object::ObjectId;
use provenance::object::tree::NewNode;
use provenance::progress::Progress;
use provenance::storage::{Fault, FaultyStorage, MemoryStorage, Storage};
use provenance::store::check::check;
use provenance::store::collect::{CollectRequest, Collected, collect};
use provenance::store::{Root, Store, StoreError, merge};

use crate::simulation::hooked::{Call, HookedStorage};
use crate::support::tally::Tally;
use crate::support::{effort, sample};

const DAY_MS: i64 = 86_400_000;

/// Survivors to try for each stop.
fn seeds() -> u64 {
    effort::cases(4, 400)
}

fn open(storage: &MemoryStorage) -> Store {
    Store::open(Arc::new(storage.clone()), 1)
}

/// Stores a file and a tree that holds it; gives the tree.
pub fn record(store: &Store, number: u32) -> Result<Root, StoreError> {
    let content = format!("file {number} ").repeat(40);
    let transaction = store.transaction()?;
    transaction.put(ObjectKind::Blob, content.as_bytes())?;
    let node = sample::node(content.as_bytes());
    let tree = ObjectId::of(&node);
    transaction.put_node(NewNode { id: tree, bytes: &node, before: None })?;
    transaction.finish()?;
    Ok(Root::Tree(tree))
}

/// A storage with `count` recordings, each in two packs of its own.
fn filled(count: u32) -> (MemoryStorage, Vec<Root>) {
    let storage = MemoryStorage::new();
    let store = open(&storage);
    let roots = (0..count).map(|number| record(&store, number).expect("stored")).collect();
    (storage, roots)
}

fn gc(store: &Store, roots: &[Root], grace_ms: Option<i64>) -> Result<Collected, StoreError> {
    let progress = Progress::default();
    let request = CollectRequest {
        roots,
        grace_ms,
        applies: true,
        is_current: &|| true,
        is_alive: &|_| None,
        progress: &progress,
    };
    collect(store, &request)
}

/// Checks every stored byte, and that all that the roots reach is there.
pub fn assert_whole(storage: &MemoryStorage, roots: &[Root], case: &str) {
    let checked = check(&open(storage), roots, true, &Progress::default()).expect(case);
    assert_eq!(checked.findings, [], "{case}");
}

/// Stops `run` at every step, cuts the power, and checks what is left; then runs it again.
fn stop_everywhere(
    operation: &'static str,
    filled: impl Fn() -> (MemoryStorage, Vec<Root>),
    run: impl Fn(&Store, &[Root]) -> Result<(), StoreError>,
) {
    let (storage, roots) = filled();
    let counter = FaultyStorage::counting(Arc::new(storage));
    run(&Store::open(Arc::new(counter.clone()), 1), &roots).expect("runs without faults");
    let steps = counter.steps();
    assert!(steps > 3, "there is something to stop: {steps}");
    let tally = Tally::new("stopped at a step of the storage, then a power cut", operation);
    for step in 0..steps {
        for fault in [Fault::Stop, Fault::Tear] {
            let (storage, roots) = filled();
            let faulty: Arc<dyn Storage> =
                Arc::new(FaultyStorage::new(Arc::new(storage.clone()), fault, step));
            let stopped = run(&Store::open(faulty, 1), &roots);
            assert!(stopped.is_err(), "{fault:?} at {step} is told");
            for seed in (0..seeds()).take_while(|seed| *seed < 4 || effort::goes_on()) {
                let seed = seed.wrapping_add(effort::seed());
                let case = format!("{fault:?} at {step} of {steps}, seed {seed}");
                let after = storage.cut_power(seed);
                assert_whole(&after, &roots, &case);
                run(&open(&after), &roots).expect(&case);
                assert_whole(&after, &roots, &case);
                tally.count("nothing lost, the same again succeeds");
            }
        }
    }
}

#[test]
fn recording_stopped_anywhere_leaves_what_was_recorded_before() {
    stop_everywhere("recording", || filled(2), |store, _| record(store, 7).map(drop));
}

#[test]
fn merging_stopped_anywhere_loses_nothing() {
    let merge = |store: &Store, _: &[Root]| merge::tidy(store, &Progress::default()).map(drop);
    stop_everywhere("merging packs", || filled(9), merge);
}

/// Half of what was recorded is not reachable, and goes at once.
fn half_dead() -> (MemoryStorage, Vec<Root>) {
    let (storage, roots) = filled(12);
    (storage, roots.into_iter().step_by(2).collect())
}

#[test]
fn pruning_stopped_anywhere_loses_nothing_that_is_reachable() {
    stop_everywhere("pruning", half_dead, |store, roots| gc(store, roots, None).map(drop));
}

#[test]
fn collecting_after_the_grace_period_stopped_anywhere_loses_nothing() {
    let waited = || {
        let (storage, roots) = half_dead();
        gc(&open(&storage), &roots, Some(14 * DAY_MS)).expect("listed");
        storage.advance(15 * DAY_MS);
        (storage, roots)
    };
    stop_everywhere("collecting", waited, |store, roots| {
        gc(store, roots, Some(14 * DAY_MS)).map(drop)
    });
}

#[test]
fn what_nothing_reaches_goes_a_grace_period_after_it_was_listed_and_not_before() {
    let (storage, roots) = half_dead();
    let store = open(&storage);
    storage.advance(100 * DAY_MS);
    let first = gc(&store, &roots, Some(14 * DAY_MS)).expect("listed");
    assert_eq!((first.unreachable, first.waiting, first.dropped), (12, 12, 0));
    storage.advance(13 * DAY_MS);
    let early = gc(&store, &roots, Some(14 * DAY_MS)).expect("waits");
    assert_eq!((early.waiting, early.dropped), (12, 0), "however old the packs are");
    storage.advance(2 * DAY_MS);
    let late = gc(&store, &roots, Some(14 * DAY_MS)).expect("removed");
    assert_eq!((late.waiting, late.dropped), (0, 12));
    assert!(late.trash_bytes > 0, "in the trash first");
    storage.advance(2 * DAY_MS);
    let last = gc(&store, &roots, Some(14 * DAY_MS)).expect("emptied");
    assert_eq!((last.unreachable, last.trash_bytes), (0, 0));
    assert!(last.bytes_after < first.bytes_before);
    assert_whole(&storage, &roots, "at the end");
}

#[test]
fn what_became_reachable_again_stays() {
    let (storage, roots) = filled(4);
    let store = open(&storage);
    gc(&store, &roots[..2], Some(14 * DAY_MS)).expect("listed");
    storage.advance(15 * DAY_MS);
    let collected = gc(&store, &roots, Some(14 * DAY_MS)).expect("marked again");
    assert_eq!(collected.dropped, 0);
    assert_whole(&storage, &roots, "all of it");
}

#[test]
fn a_root_that_cannot_be_read_stops_a_collection_before_it_deletes() {
    let (storage, mut roots) = half_dead();
    let before = storage.list("").expect("listed");
    roots.push(Root::Tree(ObjectId::of(b"not there")));
    for grace_ms in [None, Some(14 * DAY_MS)] {
        let stopped = gc(&open(&storage), &roots, grace_ms);
        assert!(matches!(stopped, Err(StoreError::Missing { .. })), "{stopped:?}");
    }
    assert_eq!(storage.list("").expect("listed"), before);
}

#[test]
fn many_recordings_stay_in_few_packs() {
    let storage = MemoryStorage::new();
    let store = open(&storage);
    let mut roots = Vec::new();
    for number in 0..300 {
        roots.push(record(&store, number).expect("stored"));
        merge::tidy(&store, &Progress::default()).expect("merged");
    }
    let packs = storage.list("pack/").expect("listed").len();
    assert!(packs <= 32, "{packs} packs");
    assert_whole(&storage, &roots, "merged over and over");
}

/// A reader used to call an object missing if its pack was merged away after the folder was listed
/// and before it was opened, twice: the one that took its place was in neither list.
#[test]
fn an_object_is_found_however_often_its_pack_is_merged() {
    const MERGES: u64 = 4;
    for at in 0..24 {
        let (storage, roots) = filled(9);
        let reads = Arc::new(AtomicU64::new(0));
        let live = storage.clone();
        let hook = move |call| {
            let number = reads.fetch_add(u64::from(call == Call::Read), Ordering::SeqCst);
            if call == Call::Read && (at..at + MERGES).contains(&number) {
                let store = open(&live);
                let first = 100 * (number as u32 + 1);
                for number in first..first + 9 {
                    record(&store, number).expect("stored");
                }
                merge::tidy(&store, &Progress::default()).expect("merged");
            }
        };
        let hooked = HookedStorage::new(Arc::new(storage), Arc::new(hook));
        let store = Store::open(Arc::new(hooked), 1);
        for root in &roots {
            let Root::Tree(id) = root else { continue };
            store.reader().node(id).unwrap_or_else(|error| panic!("read {at}: {error}"));
        }
    }
}
