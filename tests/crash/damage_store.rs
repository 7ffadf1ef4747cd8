//! Every file that a store keeps damaged in every way, in memory and on all cores.
//!
//! Faults survived: bytes flipped, zeroed, cut, grown, lost and put in, a file removed, replaced by
//! an older or another one. After each: whatever is given out is right, what lies in other files is
//! still given out, and nothing panics. A part of them is repaired, too.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use provenance::format::pack::{ObjectKind, TRAILER_BYTES, Trailer};
use provenance::object::ObjectId;
use provenance::object::tree::NewNode;
use provenance::progress::Progress;
use provenance::storage::{Key, MemoryStorage, Storage};
use provenance::store::check::check;
use provenance::store::repair::repair;
use provenance::store::{Cache, Fault, Store, StoreError};

use super::damage_sample::{Sample, bundled, read, sample};
use crate::support::chance::Chance;
use crate::support::effort;
use crate::support::tally::Tally;

/// One file that is not as it was written.
struct Case<'a> {
    key: &'a Key,
    bytes: Option<Vec<u8>>,
    fault: &'static str,
    at: usize,
}

impl Case<'_> {
    fn name(&self) -> String {
        format!("{} {}, at {}", self.key, self.fault, self.at)
    }
}

/// Gives every damage of one file to `try_it`.
fn damage<'a>(
    sample: &'a Sample,
    (key, good): &'a (Key, Vec<u8>),
    places_max: usize,
    try_it: &mut dyn FnMut(Case<'a>),
) {
    let step = if effort::is_torture() { 1 } else { good.len().div_ceil(places_max).max(1) };
    let mut give = |fault, at, bytes: Option<Vec<u8>>| {
        if bytes.as_ref() != Some(good) {
            try_it(Case { key, bytes, fault, at });
        }
    };
    let masks: &[u8] = if effort::is_torture() { &[] } else { &[0x01, 0x04, 0x20, 0x80, 0xFF] };
    for at in (0..good.len()).step_by(step) {
        let all = 1..=255;
        let few = masks.iter().copied();
        let masks: Vec<u8> = if masks.is_empty() { all.collect() } else { few.collect() };
        for mask in masks {
            let mut bad = good.clone();
            bad[at] ^= mask;
            give("byte changed", at, Some(bad));
        }
        give("cut short", at, Some(good[..at].to_vec()));
        let (before, after) = good.split_at(at);
        give("byte lost", at, Some([before, &after[1..]].concat()));
        give("byte put in", at, Some([before, &[0x5A], after].concat()));
        for block in [4, 16, 64, 512] {
            if (at / step).is_multiple_of(block) {
                let mut bad = good.clone();
                let end = bad.len().min(at + block);
                bad[at..end].fill(0);
                give("block zeroed", at, Some(bad));
            }
        }
    }
    for more in [1, 100, 10_000] {
        give("grown", more, Some([good.as_slice(), &vec![0xA5; more]].concat()));
        give("grown by zeros", more, Some([good.as_slice(), &vec![0; more]].concat()));
    }
    for (number, (_, other)) in sample.files.iter().enumerate() {
        give("another file in its place", number, Some(other.clone()));
    }
    give("twice", 0, Some([good.as_slice(), good].concat()));
    give("removed", 0, None);
}

/// Reads everything, and insists that it is right where it is given out.
fn look(sample: &Sample, store: &Store, case: &Case<'_>) -> &'static str {
    let mut refused = 0;
    for (id, (kind, truth, packs)) in &sample.objects {
        match read(store, *kind, id) {
            Ok(content) => assert!(content == *truth, "wrong bytes: {}", case.name()),
            Err(error) => {
                let is_there = packs.iter().any(|pack| pack != case.key);
                assert!(!is_there, "{}: {id} is in another pack: {error}", case.name());
                assert_eq!(error.fault(), Fault::Corrupt, "{}: {error}", case.name());
                refused += 1;
            }
        }
    }
    let journal = store.journal(Cache::none());
    let newest = sample.entries.len() as u64 - 1;
    match journal.head() {
        Ok(head) => {
            let number = head.newest.map_or(0, |entry| entry.number());
            let is_last = case.key.as_str().ends_with(&format!("{newest:020}.json"));
            // Torn, cut to nothing or gone: never acknowledged, or told by a root noted elsewhere.
            assert!(number == newest || is_last, "{}: entry {number}", case.name());
        }
        Err(error) => {
            assert_eq!(error.fault(), Fault::Corrupt, "{}: {error}", case.name());
            refused += 1;
        }
    }
    // A bundle holds 256 of them: one of each is enough.
    let step = if sample.entries.len() > 8 { 128 } else { 1 };
    for (number, truth) in sample.entries.iter().enumerate().step_by(step) {
        match journal.entry(number as u64) {
            // An entry of a bundle proves itself through those after it: a check compares.
            Ok(entry) if entry.bytes != *truth => {
                assert!(!journal.verify().expect("read").is_empty(), "{}", case.name());
            }
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.fault(), Fault::Corrupt, "{}: {error}", case.name());
                refused += 1;
            }
        }
    }
    if refused == 0 { "all still right" } else { "refused as damaged, all else right" }
}

/// Checks, repairs, and insists that all is right that can be.
fn mend(sample: &Sample, storage: &MemoryStorage, case: &Case<'_>) {
    let store = Store::open(Arc::new(storage.clone()), 1);
    let progress = Progress::default();
    let before = check(&store, &sample.roots, true, &progress).expect("checked");
    let is_pack = case.key.as_str().starts_with("pack/");
    assert!(!is_pack || !before.findings.is_empty(), "found: {}", case.name());
    let mend = || {
        repair(&store, &sample.roots, &progress, |transaction, wanted| {
            let mut blobs = sample.objects.iter().filter(|(id, _)| wanted.contains(id));
            blobs.try_for_each(|(id, (kind, content, _))| match kind {
                ObjectKind::Tree => {
                    transaction.put_node(NewNode { id: *id, bytes: content, before: None })
                }
                kind => transaction.put(*kind, content).map(drop),
            })
        })
    };
    mend().unwrap_or_else(|error: StoreError| panic!("{}: {error}", case.name()));
    let keys = storage.list("").expect("listed");
    let again = mend().expect("repaired again");
    assert_eq!(storage.list("").expect("listed"), keys, "twice changes nothing: {}", case.name());
    assert_eq!((again.set_aside.len(), again.lost), (0, 0), "{}", case.name());
    let store = Store::open(Arc::new(storage.clone()), 1);
    let after = check(&store, &sample.roots, true, &progress).expect("checked");
    assert_eq!(after.findings, [], "{}", case.name());
    for (id, (kind, truth, _)) in &sample.objects {
        let content = read(&store, *kind, id).expect("mended");
        assert!(content == *truth, "wrong bytes: {}", case.name());
    }
}

/// Which files to damage, at how many places of each at most, and how many cases to repair, too.
struct Plan {
    places_max: usize,
    mend_one_in: u64,
    is_meant: fn(&str) -> bool,
}

/// Cases of which there are more in every file class.
const TRIED_MIN: u64 = 1000;

/// Tries every damage of the files that `is_meant` names, on all cores.
fn run(sample: &'static Sample, operation: &'static str, plan: &Plan) {
    let Plan { places_max, mend_one_in, is_meant } = *plan;
    let reads = Tally::new("a stored file damaged in every way", operation);
    let fault = "a stored file damaged in every way, then repaired";
    let repairs = (mend_one_in < u64::MAX).then(|| Tally::new(fault, operation));
    let cores = thread::available_parallelism().map_or(2, usize::from) as u64;
    let next = AtomicU64::new(0);
    // All of them take hours: each round of `make torture` draws others.
    let (seed, one_in) = (effort::seed(), effort::cases(1, 64));
    let is_in_time = || reads.tried() <= TRIED_MIN || effort::goes_on();
    thread::scope(|scope| {
        for core in 0..cores {
            let is_in_time = &is_in_time;
            let (reads, repairs, next) = (&reads, &repairs, &next);
            scope.spawn(move || {
                let mut number: u64 = 0;
                for file in sample.files.iter().filter(|(key, _)| is_meant(key.as_str())) {
                    damage(sample, file, places_max, &mut |case| {
                        number += 1;
                        let is_drawn = Chance(seed ^ (number << 8)).below(one_in) == 0;
                        if number % cores != core || !is_drawn || !is_in_time() {
                            return;
                        }
                        let storage = sample.storage(case.key, case.bytes.as_deref());
                        let store = Store::open(Arc::new(storage.clone()), 1);
                        reads.count(look(sample, &store, &case));
                        let Some(repairs) = repairs else { return };
                        if next.fetch_add(1, Ordering::Relaxed).is_multiple_of(mend_one_in) {
                            mend(sample, &storage, &case);
                            repairs.count("whole again, and again without effect");
                        }
                    });
                }
            });
        }
    });
    assert!(reads.tried() > TRIED_MIN, "there was something to damage");
}

#[test]
fn damaged_packs_give_out_nothing_wrong_and_are_repaired() {
    let (places_max, mend_one_in) = (usize::MAX, effort::cases(97, 1));
    let is_meant = |key: &str| key.starts_with("pack/");
    run(sample(), "reading packs", &Plan { places_max, mend_one_in, is_meant });
}

#[test]
fn damaged_entries_give_out_nothing_wrong() {
    let (places_max, mend_one_in) = (usize::MAX, u64::MAX);
    let is_meant = |key: &str| key.starts_with("journal/");
    run(sample(), "reading journal entries", &Plan { places_max, mend_one_in, is_meant });
}

#[test]
fn damaged_bundles_and_tiles_give_out_nothing_wrong() {
    let (places_max, mend_one_in) = (128, u64::MAX);
    let is_meant = |key: &str| key.starts_with("journal/tile");
    run(bundled(), "reading bundles and tiles", &Plan { places_max, mend_one_in, is_meant });
}

/// Lists the objects that are given out.
fn readable(sample: &Sample, storage: &MemoryStorage) -> Vec<ObjectId> {
    let store = Store::open(Arc::new(storage.clone()), 1);
    let objects = sample.objects.iter();
    objects.filter(|(id, (kind, ..))| read(&store, *kind, id).is_ok()).map(|(id, _)| *id).collect()
}

/// What was repaired is durable before anything moves, and a kill loses nothing.
#[test]
fn repairing_stopped_anywhere_loses_nothing() {
    use provenance::storage::{Fault as Stop, FaultyStorage};
    let sample = sample();
    let tally = Tally::new("stopped at a step of the storage, then a power cut", "repairing");
    for (key, good) in sample.files.iter().filter(|(key, _)| key.as_str().starts_with("pack/")) {
        // A byte of the table of ids: the other objects of the pack can still be read.
        let trailer = Trailer::decode(&good[good.len() - TRAILER_BYTES..]).expect("a trailer");
        let at = good.len() - TRAILER_BYTES - 16 * trailer.object_count as usize - 1;
        let mut bad = good.clone();
        bad[at] ^= 1;
        let case = Case { key, bytes: Some(bad), fault: "byte changed", at };
        let run = |storage: Arc<dyn Storage>| {
            let store = Store::open(storage, 1);
            repair(&store, &sample.roots, &Progress::default(), |_, _| Ok::<_, StoreError>(()))
        };
        let counter =
            FaultyStorage::counting(Arc::new(sample.storage(case.key, case.bytes.as_deref())));
        run(Arc::new(counter.clone())).expect("repaired");
        let before = readable(sample, &sample.storage(case.key, case.bytes.as_deref()));
        assert!(!before.is_empty() && before.len() < sample.objects.len(), "one is lost");
        for step in 0..counter.steps() {
            let storage = sample.storage(case.key, case.bytes.as_deref());
            let faulty = FaultyStorage::new(Arc::new(storage.clone()), Stop::Stop, step);
            assert!(run(Arc::new(faulty)).is_err(), "the stop at {step} is told");
            for seed in 0..effort::cases(3, 100) {
                let after = storage.cut_power(seed);
                assert_eq!(readable(sample, &after), before, "step {step}, seed {seed}");
                run(Arc::new(after.clone())).expect("repaired");
                assert_eq!(readable(sample, &after), before, "step {step}, seed {seed}, repaired");
                tally.count("nothing lost, the same again succeeds");
            }
        }
    }
    assert!(tally.tried() > 50);
}
