//! Several threads give the same bytes as one, and the same errors; nobody waits for ever.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::progress::Progress;
use crate::storage::FolderStorage;
use crate::store::{IngestRequest, Look, ingest};

/// Bytes of which some compress, some repeat and some do neither.
fn mixed(bytes: usize) -> Vec<u8> {
    let mut mixed = vec![0; bytes];
    blake3::Hasher::new().finalize_xof().fill(&mut mixed);
    let third = bytes / 3;
    mixed[..third].iter_mut().for_each(|byte| *byte = b'a' + *byte % 4);
    mixed[third..third + (3 << 20)].fill(0);
    mixed
}

/// A store that holds one large blob, in a folder that is gone with the test.
fn stored(content: &[u8]) -> (tempfile::TempDir, Store, ObjectId) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("large");
    File::create(&path).and_then(|mut file| file.write_all(content)).expect("a test file");
    let storage = FolderStorage::open(folder.path()).expect("the folder");
    let store = Store::open(Arc::new(storage), 1);
    let look = |file: &File| {
        let bytes = file.metadata()?.len();
        io::Result::Ok(Some(Look { bytes, stamp: () }))
    };
    let request = IngestRequest {
        open: &|_: &u8| File::open(&path),
        look: &look,
        before: &|_| None,
        done: &|_, outcome| assert!(outcome.is_ok()),
        progress: &Progress::default(),
    };
    let transaction = store.transaction().expect("begun");
    ingest(&transaction, &request, [(0_u8, content.len() as u64)].into_iter()).expect("stored");
    transaction.finish().expect("durable");
    (folder, store, ObjectId::of(content))
}

#[test]
fn any_number_of_threads_gives_every_byte_once() {
    let content = mixed((21 << 20) + 7);
    let (_folder, store, id) = stored(&content);
    for workers in [1, 2, 5] {
        let found = Mutex::new(vec![0; content.len()]);
        let count = AtomicUsize::new(0);
        let take = |offset: u64, piece: &[u8]| {
            let start = usize::try_from(offset).expect("small");
            count.fetch_add(piece.len(), Ordering::Relaxed);
            found.lock().expect("no panic")[start..start + piece.len()].copy_from_slice(piece);
            Ok::<_, StoreError>(())
        };
        store.stream_in_parallel(&id, workers, take).expect("read");
        assert_eq!(count.into_inner(), content.len());
        assert!(found.into_inner().expect("no panic") == content, "{workers} threads");
    }
}

#[test]
fn what_must_be_in_order_is() {
    let content = mixed(17 << 20);
    let (_folder, store, id) = stored(&content);
    let mut found = Vec::new();
    let uses = Uses::<StoreError> {
        block: &|_, _, _| Ok(()),
        stretch: &|_, _| Ok(()),
        in_order: &mut |piece| found.extend_from_slice(piece),
    };
    store.read_with(&id, 3, uses).expect("read");
    assert!(found == content);
}

#[test]
fn who_takes_the_bytes_may_stop_and_all_threads_end() {
    let content = mixed(17 << 20);
    let (_folder, store, id) = stored(&content);
    for stop in [0, 5 << 20, 16 << 20] {
        let take = |offset: u64, piece: &[u8]| match (offset..offset + piece.len() as u64)
            .contains(&stop)
        {
            true => Err(StoreError::OutOfMemory),
            false => Ok(()),
        };
        let outcome = store.stream_in_parallel(&id, 4, take);
        assert!(matches!(outcome, Err(StoreError::OutOfMemory)), "{outcome:?}");
    }
}
