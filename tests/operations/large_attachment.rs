//! An attachment that no block can hold: a run with so many measured values could not be recorded.

use std::sync::Arc;

use provenance::object::{Commit, ObjectId};
use provenance::progress::Progress;
use provenance::storage::MemoryStorage;
use provenance::store::check::check;
use provenance::store::{Root, Store, StoreError};

use crate::support::sample::minimal_commit;

/// More than a block holds, and nothing that repeats.
fn values() -> Vec<u8> {
    let words = (0..700_000_u32)
        .flat_map(|number| ObjectId::of(&number.to_le_bytes()).as_bytes()[..25].to_vec());
    words.collect()
}

#[test]
fn what_no_block_holds_is_stored_read_back_and_kept() {
    let content = values();
    assert!(content.len() > 16 << 20);
    let store = Store::open(Arc::new(MemoryStorage::new()), 1);
    let transaction = store.transaction().expect("begun");
    let id = transaction.put_attachment(&content).expect("put");
    assert_eq!(id, ObjectId::of(&content));
    let tree = provenance::object::tree::EMPTY_TREE;
    let commit = Commit { environment: Some(id), tree, ..minimal_commit() };
    let commit = transaction.put_commit(&commit.encode().expect("encoded")).expect("put");
    transaction.finish().expect("stored");

    let mut found = Vec::new();
    let mut reader = store.reader();
    let read = reader.stream(&id, |piece| {
        found.extend_from_slice(piece);
        Ok::<(), StoreError>(())
    });
    read.expect("read");
    assert!(found == content);
    let roots = [Root::Commit(commit)];
    let checked = check(&store, &roots, true, &Progress::default()).expect("checked");
    assert_eq!(checked.findings, []);
}
