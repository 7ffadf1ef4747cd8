//! Journal entries, bundles and hash tiles: bytes that stay.

use provenance::format::entry_file::{decode_entry_file, encode_entry_file};
use provenance::format::tile;
use provenance::object::{Transaction, merkle};

use crate::support::{fixture, sample};

#[test]
fn entries_keep_their_bytes() {
    for (name, entry) in [
        ("entry-0.json", sample::first_transaction()),
        ("entry-1.json", sample::transaction()),
        ("entry-2.json", sample::bulk_transaction()),
    ] {
        let name = format!("format/v1/journal/{name}");
        fixture::check(&name, &entry.encode().unwrap());
        let decoded = Transaction::decode(&fixture::read(&name)).unwrap();
        assert_eq!(decoded, entry);
        assert_eq!(decoded.encode().unwrap(), fixture::read(&name));
    }
}

#[test]
fn the_file_of_an_entry_keeps_its_bytes() {
    let entry = sample::transaction().encode().unwrap();
    fixture::check("format/v1/journal/file-1.json", &encode_entry_file(&entry));
    let kept = fixture::read("format/v1/journal/file-1.json");
    assert_eq!(decode_entry_file(&kept).unwrap(), entry);
}

#[test]
fn a_bundle_and_its_hash_tile_keep_their_bytes() {
    let entries = sample::journal(256);
    let bundle = tile::encode_bundle(&entries).unwrap();
    assert_eq!(tile::decode_bundle(&bundle).unwrap(), entries);

    // The frame was made by zstd's own program; what it holds is what counts.
    let frame = fixture::read("format/v1/journal/bundle.zst");
    assert_eq!(tile::decompress_bundle(&frame).unwrap(), bundle);

    let hashes: Vec<_> = entries.iter().map(|entry| merkle::leaf_hash(entry)).collect();
    fixture::check("format/v1/journal/hashes", &tile::encode_hash_tile(&hashes).unwrap());
    let kept = tile::decode_hash_tile(&fixture::read("format/v1/journal/hashes")).unwrap();
    assert_eq!(kept, hashes);

    let mut frontier = merkle::Frontier::new();
    hashes.into_iter().for_each(|hash| frontier.push(hash));
    fixture::check("format/v1/journal/root", format!("{}\n", frontier.root()).as_bytes());
}
