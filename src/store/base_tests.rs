//! Long histories of one node: what they take, what reading one version takes, what a merge makes
//! of them.

use std::sync::Arc;

use super::*;
use crate::format::block::Codec;
use crate::format::pack::{BlockSummary, ObjectKind, PackClass};
use crate::object::tree::NewNode;
use crate::progress::Progress;
use crate::storage::FolderStorage;
use crate::store::block_builder::BlockObject;
use crate::store::merge::{self, Dispose};
use crate::store::pack_writer::PackWriter;

const ROWS: usize = 1_000;
const ROW_BYTES: usize = 80;

/// A store with `versions` of a node, each of which has another row with a new hash.
fn history(versions: usize) -> (tempfile::TempDir, Store, Vec<(ObjectId, Vec<u8>)>) {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = FolderStorage::open(folder.path()).expect("the folder");
    let store = Store::open(Arc::new(storage), 1);
    let mut content = vec![0; ROWS * ROW_BYTES];
    blake3::Hasher::new().finalize_xof().fill(&mut content);
    let mut all: Vec<(ObjectId, Vec<u8>)> = Vec::new();
    for version in 0..versions {
        let at = version * 7 % ROWS * ROW_BYTES;
        let mut row = blake3::Hasher::new();
        row.update(&(version as u64).to_le_bytes()).finalize_xof().fill(&mut content[at..at + 64]);
        let id = ObjectId::of(&content);
        let before = all.last().map(|(id, _)| *id);
        let transaction = store.transaction().expect("begun");
        transaction.put_node(NewNode { id, bytes: &content, before }).expect("put");
        transaction.finish().expect("finished");
        all.push((id, content.clone()));
        if version % 8 == 7 {
            merge::tidy(&store, &Progress::default()).expect("merged");
        }
    }
    (folder, store, all)
}

#[test]
fn a_version_of_a_node_takes_little_and_has_few_bases() {
    let (_kept, store, all) = history(400);
    let (mut depth_max, mut whole, mut bytes) = (0, 0, 0);
    for (id, _) in &all {
        let row = look(&store, id).expect("looked").expect("there");
        depth_max = depth_max.max(row.depth);
        whole += usize::from(row.depth == 0);
        bytes += if row.depth == 0 { 0 } else { u64::from(row.encoded_bytes) };
    }
    assert!((6..=DEPTH_MAX).contains(&depth_max), "{depth_max}");
    assert!(whole <= 3, "{whole} of 400 are stored whole");
    // One row takes about 80 bytes, and log2(400) / 2 of them are in each difference.
    assert!(bytes / 400 < 500, "{} bytes for each version", bytes / 400);
    let mut reader = store.reader();
    for (id, content) in &all {
        let kinds = KindSet::only(ObjectKind::Tree);
        assert!(reader.get(id, kinds).expect("whole") == *content);
    }
}

#[test]
fn a_node_that_became_another_one_is_stored_whole() {
    let (_kept, store, all) = history(3);
    let (old, content) = all.last().expect("three versions");
    let other: Vec<u8> = content.iter().map(|byte| byte.rotate_left(3) ^ 0x5a).collect();
    let id = ObjectId::of(&other);
    let transaction = store.transaction().expect("begun");
    transaction.put_node(NewNode { id, bytes: &other, before: Some(*old) }).expect("put");
    transaction.finish().expect("finished");
    assert_eq!(look(&store, &id).expect("looked").expect("there").base, None);
}

/// Differences are not decoded by a merge; what is damaged must not outlive its last good copy
/// all the same.
#[test]
fn a_merge_leaves_a_pack_with_a_damaged_difference_alone() {
    let (folder, store, all) = history(7);
    let listing = store.packs().listing().expect("listed");
    let packs = listing.of(PackClass::Records).to_vec();
    let found = store.packs().peek(&all[6].0, KINDS).expect("looked").expect("there");
    let row = found.pack.index().expect("sound").block_of(&found.row).expect("sound");
    assert!(row.depth > 0);
    let path = folder.path().join(found.pack.key().as_str());
    let mut bytes = std::fs::read(&path).expect("a pack");
    bytes[usize::try_from(row.offset).unwrap() + row.encoded_bytes as usize / 2] ^= 1;
    std::fs::remove_file(&path).expect("removed");
    std::io::Write::write_all(&mut std::fs::File::create(&path).expect("made"), &bytes).unwrap();
    let store = store.anew();
    let listing = store.packs().listing().expect("listed");
    assert_eq!(listing.of(PackClass::Records).len(), packs.len());
    let packs = listing.of(PackClass::Records).to_vec();
    let progress = Progress::default();
    let merged =
        merge::merge(&store, PackClass::Records, &packs, &|_| true, Dispose::Delete, &progress);
    assert!(matches!(merged, Err(StoreError::Damaged { .. })), "{merged:?}");
    assert_eq!(store.packs().relist().expect("listed").of(PackClass::Records).len(), packs.len());
}

#[test]
fn packs_of_many_objects_are_not_merged_on_the_way() {
    let (_kept, store, _) = history(1);
    for pack in 0..8_u8 {
        let transaction = store.transaction().expect("begun");
        transaction.put_attachment(&[pack, 0]).expect("put");
        transaction.put_attachment(&[pack, 1]).expect("put");
        transaction.finish().expect("finished");
    }
    let merge = |most| merge::merge_up_to(&store, u64::MAX, most, &Progress::default());
    assert_eq!(merge(2).expect("merged").packs, 0);
    assert_eq!(merge(3).expect("merged").packs, 8);
    assert_eq!(store.packs().listing().expect("listed").of(PackClass::Records).len(), 2);
}

/// Writes a pack with a node that nobody can decode, and that names its base.
fn put_difference(store: &Store, id: ObjectId, base: ObjectId, depth: u8) {
    let storage = store.storage();
    let writer = PackWriter::new(Arc::clone(storage), PackClass::Records);
    let summary = BlockSummary {
        encoded_bytes: 4,
        raw_bytes: 1 << 20,
        check: crc32fast::hash(b"none"),
        codec: Codec::ZstdPrefix,
        depth,
        base: Some(base),
    };
    let object = BlockObject { id, kind: ObjectKind::Tree, bytes: 1 << 20 };
    writer.append(summary, b"none", &[object]).expect("appended");
    let finished = writer.finish().expect("finished").expect("a pack");
    storage.finish(finished.upload, &finished.key).expect("published");
}

/// Two packs whose nodes are bases of each other kept a commit going for ever.
#[test]
fn bases_in_a_circle_are_no_bases() {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = FolderStorage::open(folder.path()).expect("the folder");
    let store = Store::open(Arc::new(storage), 1);
    let [one, other] = [b"one", b"two"].map(|name| ObjectId::of(name));
    for depths in [[3, 2], [DEPTH_MAX, DEPTH_MAX]] {
        put_difference(&store, one, other, depths[0]);
        put_difference(&store, other, one, depths[1]);
        let store = store.anew();
        assert_eq!(of_node(&store, &one, 4), None);
        assert_eq!(of_node(&store, &other, 4), None);
    }
}
