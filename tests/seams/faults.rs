//! Power cuts, kills, failures and lost answers at every step of the writes that storages offer.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::sync::Arc;

use provenance::storage::{
    Created, Fault, FaultyStorage, FolderStorage, IfTaken, Key, MemoryStorage, Storage,
    StorageError,
};

use super::storage::key;

const SEEDS: u64 = 64;

/// Two packs together, then the entry that names them: what every command does.
fn command(storage: &dyn Storage) -> Result<Created, StorageError> {
    let mut uploads = Vec::new();
    for text in ["pack/data", "pack/records"] {
        let mut upload = storage.begin(None)?;
        upload.write(text.as_bytes())?;
        upload.write(b" whole")?;
        uploads.push((upload, key(text)));
    }
    storage.finish_all(uploads)?;
    storage.create(&key("journal/entry/1"), b"entry whole")
}

/// Checks that what is there is whole, and that the entry is not there without the packs.
fn check(storage: &dyn Storage, case: &str) -> bool {
    let keys: BTreeSet<Key> = storage.list("").unwrap().into_iter().collect();
    for key in &keys {
        let bytes = storage.load(key, 99).unwrap().unwrap();
        assert!(bytes.ends_with(b" whole"), "{case}: {key} is torn");
    }
    let has_entry = keys.contains(&key("journal/entry/1"));
    assert!(!has_entry || keys.len() == 3, "{case}: the entry names what is not there");
    has_entry
}

#[test]
fn what_was_acknowledged_survives_the_power_cut_and_the_rest_is_whole_or_absent() {
    let counter = FaultyStorage::counting(Arc::new(MemoryStorage::new()));
    command(&counter).unwrap();
    for step in 0..=counter.steps() {
        for fault in [Fault::Stop, Fault::Tear] {
            let memory = MemoryStorage::new();
            let faulty = FaultyStorage::new(Arc::new(memory.clone()), fault, step);
            let is_done = command(&faulty).is_ok();
            for seed in 0..SEEDS {
                let case = format!("{fault:?} at {step}, seed {seed}");
                let after = memory.cut_power(seed);
                let has_entry = check(&after, &case);
                assert!(has_entry || !is_done, "{case}: acknowledged and lost");
                command(&after).unwrap();
                assert!(check(&after, &case), "{case}: the command again");
                after.advance(86_400_000);
                after.sweep(3_600_000, true).unwrap();
                assert_eq!(after.sweep(0, false).unwrap().files, 0, "{case}: leftovers");
            }
        }
    }
}

#[test]
fn a_power_cut_takes_what_was_not_settled_and_keeps_what_was() {
    let memory = MemoryStorage::new();
    memory.create(&key("settled/a"), b"").unwrap();
    let names = ["one/a", "one/b", "two/a"];
    for name in names {
        memory.begin(None).unwrap().install(&key(name), IfTaken::Keep).unwrap();
    }
    memory.remove(&key("settled/a")).unwrap();
    let survivors: BTreeSet<Vec<Key>> =
        (0..1000).map(|seed| memory.cut_power(seed).list("").unwrap()).collect();
    assert_eq!(survivors.len(), 16, "every subset of four changes");
    memory.settle(&[&key("one/x"), &key("settled/x")]).unwrap();
    let survivors: BTreeSet<Vec<Key>> =
        (0..1000).map(|seed| memory.cut_power(seed).list("").unwrap()).collect();
    assert_eq!(survivors.len(), 2);
    assert!(survivors.iter().all(|keys| keys.starts_with(&[key("one/a"), key("one/b")])));
}

#[test]
fn in_a_folder_a_kill_at_any_step_leaves_whole_files_only() {
    let counter = FaultyStorage::counting(Arc::new(MemoryStorage::new()));
    command(&counter).unwrap();
    for step in 0..counter.steps() {
        for fault in [Fault::Stop, Fault::Tear] {
            let dir = tempfile::tempdir().unwrap();
            let folder = FolderStorage::open(dir.path()).unwrap();
            let faulty = FaultyStorage::new(Arc::new(folder.clone()), fault, step);
            let case = format!("{fault:?} at {step}");
            assert!(command(&faulty).is_err(), "{case}");
            assert!(faulty.list("").is_err(), "{case}: a dead process does not read");
            check(&folder, &case);
            command(&folder).unwrap();
            assert!(check(&folder, &case), "{case}: the command again");
            folder.sweep(0, true).unwrap();
            assert_eq!(folder.sweep(0, false).unwrap().files, 0, "{case}: leftovers");
        }
    }
}

#[test]
fn a_step_that_fails_once_fails_the_command_and_leaves_nothing_half() {
    let counter = FaultyStorage::counting(Arc::new(MemoryStorage::new()));
    command(&counter).unwrap();
    for step in 0..counter.steps() {
        for kind in [ErrorKind::StorageFull, ErrorKind::Other] {
            for fault in [Fault::Fail(kind), Fault::FailOn(kind), Fault::Unclear(kind)] {
                let memory = MemoryStorage::new();
                let faulty = FaultyStorage::new(Arc::new(memory.clone()), fault, step);
                let case = format!("{fault:?} at {step}");
                assert!(command(&faulty).is_err(), "{case}");
                check(&memory, &case);
                assert_eq!(memory.sweep(0, false).unwrap().files, 0, "{case}: leftovers");
            }
        }
    }
}

#[test]
fn an_answer_that_is_lost_leaves_the_key_created() {
    // Begin, write, sync, install: step 3 gives the name.
    let memory = MemoryStorage::new();
    let fault = Fault::Unclear(ErrorKind::TimedOut);
    let faulty = FaultyStorage::new(Arc::new(memory.clone()), fault, 3);
    assert!(faulty.create(&key("a"), b"ours").is_err());
    assert_eq!(memory.load(&key("a"), 9).unwrap().unwrap(), b"ours");
    assert_eq!(faulty.create(&key("a"), b"ours").unwrap(), Created::Exists);
}
