//! Files that somebody writes to between the look at them and their end.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use super::tests::{noise, read_back, run, store, write};
use super::*;

#[test]
fn a_file_that_changes_while_it_is_read_is_never_recorded() {
    let folder = tempfile::tempdir().expect("a folder");
    for bytes in [1000, 2 << 20, 9 << 20] {
        let path = write(folder.path(), "moving", &noise(3, bytes));
        let change_behind = |path: &PathBuf| {
            let file = File::open(path)?;
            let end = File::options().append(true).open(path)?;
            // The reader has opened the file and looked at it, or is about to: it grows in between.
            (&end).write_all(b"more")?;
            let late = path.clone();
            std::thread::spawn(move || {
                std::thread::sleep(std::time::Duration::from_micros(200));
                File::options()
                    .append(true)
                    .open(late)
                    .map(|mut file| file.write_all(b"still more"))
            });
            Ok(file)
        };
        let (_kept, store) = store();
        let (outcomes, _) =
            run(&store, std::slice::from_ref(&path), &change_behind, &Progress::default())
                .expect("ran");
        match &outcomes[0].1 {
            Err(IngestFailure::Changed) => {}
            Err(other) => panic!("{other}"),
            Ok(ingested) => {
                let stored = read_back(&store, &ingested.id);
                assert_eq!(stored.len() as u64, ingested.bytes);
                assert_eq!(Sha256::of(&stored), ingested.sha256);
            }
        }
    }
}

/// A file that was emptied after it was found to be large left a chunk map of no chunks, which hid
/// the empty file from then on.
#[test]
fn a_file_that_shrank_since_it_was_found_is_stored_as_what_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    for bytes in [0, 1, 1000, 200 << 10, 2 << 20, (8 << 20) - 1] {
        let content = noise(4, 9 << 20);
        let path = write(folder.path(), "shrinking", &content);
        let shrink = |path: &PathBuf| {
            File::options().write(true).open(path)?.set_len(bytes)?;
            File::open(path)
        };
        let (_kept, store) = store();
        let files = [path];
        let (outcomes, _) = run(&store, &files, &shrink, &Progress::default()).expect("ran");
        let ingested = outcomes[0].1.as_ref().expect("readable");
        assert_eq!(ingested.bytes, bytes);
        let kept = &content[..usize::try_from(bytes).expect("small")];
        assert!(read_back(&store, &ingested.id) == kept, "{bytes} bytes");
    }
}

/// It was read for as long as somebody wrote into it.
#[test]
fn a_file_that_grows_without_end_is_not_followed() {
    let (_kept, store) = store();
    let failures = Mutex::new(Vec::new());
    let request = IngestRequest {
        open: &|_: &()| Ok(io::repeat(7)),
        look: &|_: &io::Repeat| Ok(Some(Look { bytes: limits::LARGE_BYTES, stamp: () })),
        before: &|_| None,
        done: &|(), outcome| failures.lock().expect("no panic").push(outcome.err()),
        progress: &Progress::default(),
    };
    let transaction = store.transaction().expect("begun");
    ingest(&transaction, &request, [((), limits::LARGE_BYTES)].into_iter()).expect("ran");
    let failures = failures.into_inner().expect("no panic");
    assert!(matches!(failures[..], [Some(IngestFailure::Changed)]), "{failures:?}");
}
