//! Journal entries, bundles and hash tiles with one defect each.

use provenance::format::entry_file::{decode_entry_file, encode_entry_file};
use provenance::format::tile;
use provenance::object::Transaction;

use crate::support::{fixture, sample};

/// Defect, what of entry 1 is replaced by what, and a part of the refusal.
const DEFECTS: &[(&str, &str, &str, &str)] = &[
    ("entry-actor-missing-name", ",\"name\":\"Ada Lovelace\"", "", "name is missing"),
    ("entry-field-unknown", "\"number\":1,", "\"number\":1,\"numbr\":1,", "unknown field"),
    ("entry-number-negative", "\"number\":1", "\"number\":-1", "integer"),
    ("entry-number-text", "\"number\":1", "\"number\":\"1\"", "must be a number"),
    ("entry-previous-of-nothing", "PREVIOUS", "EMPTY", "only then"),
    ("entry-previous-short", "PREVIOUS", "3b0c44298fc1c149", "hexadecimal digits"),
    ("entry-ref-absolute", "\"heads/main\"", "\"/heads/main\"", "a name is empty"),
    ("entry-ref-control-character", "\"heads/main\"", "\"heads/\\tmain\"", "control characters"),
    ("entry-ref-upwards", "\"heads/main\"", "\"heads/../main\"", "a name is . or .."),
    ("entry-schema-other", "transaction/v1", "transaction/v2", "schema"),
    ("entry-spelling-blank", "\"number\":1", "\"number\": 1", "canonical spelling"),
    ("entry-time-missing", ",\"time\":\"2026-07-31T09:30:00.120Z\"", "", "time is missing"),
    ("entry-transaction-upper-case", "abababab", "ABABABAB", "lower-case"),
    (
        "entry-update-of-nothing",
        "{\"old\":OLD,\"ref\":\"heads/old\"}",
        "{\"ref\":\"heads/old\"}",
        "differ",
    ),
    (
        "entry-update-to-the-same",
        "{\"old\":OLD,\"ref\":\"heads/old\"}",
        "{\"new\":OLD,\"old\":OLD,\"ref\":\"heads/old\"}",
        "differ",
    ),
    ("entry-unlisted-nothing", "\"updates\":", "\"unlisted\":0,\"updates\":", "at least 1"),
    ("entry-updates-descend", "\"heads/main\"", "\"heads/z\"", "must come after"),
    ("entry-updates-twice", "\"heads/main\"", "\"heads/old\"", "must come after"),
];

#[test]
fn entries_with_one_defect_are_refused() {
    let entry = sample::transaction();
    let fill = |text: &str| {
        text.replace("PREVIOUS", &entry.previous.to_string())
            .replace("EMPTY", &provenance::object::merkle::empty_root().to_string())
            .replace("OLD", &format!("\"{}\"", sample::id("parent").to_record()))
    };
    let text = String::from_utf8(entry.encode().unwrap()).unwrap();
    for (defect, from, to, reason) in DEFECTS {
        let from = fill(from);
        assert!(text.contains(&from), "{defect}: {from} is not there");
        check_entry(defect, text.replacen(&from, &fill(to), 1).as_bytes(), reason);
    }
    let first = String::from_utf8(sample::first_transaction().encode().unwrap()).unwrap();
    let chained = first.replacen("e3b0c4", "e3b0c5", 1);
    check_entry("entry-0-with-previous", chained.as_bytes(), "only then");
    let long = text.replacen("commit -m", &"x".repeat(1024), 1);
    check_entry("entry-command-1034-bytes", long.as_bytes(), "longer than 1024");
}

fn check_entry(defect: &str, bytes: &[u8], reason: &str) {
    let name = format!("malformed/journal/{defect}");
    fixture::check(&name, bytes);
    let error = Transaction::decode(&fixture::read(&name)).expect_err(defect);
    assert!(error.to_string().contains(reason), "{defect}: {error}");
}

#[test]
fn files_of_entries_with_one_defect_are_refused() {
    let entry = sample::transaction().encode().unwrap();
    let file = encode_entry_file(&entry);
    let text = String::from_utf8(file.clone()).unwrap();
    let (_, check) = text.split_once('\n').unwrap();
    let upper = text.replace(check, &check.to_uppercase());
    for (defect, bytes) in [
        ("file-bare-entry", entry.clone()),
        ("file-blank-line", [&file[..], b"\n"].concat()),
        ("file-carriage-returns", text.replace('\n', "\r\n").into_bytes()),
        ("file-cut-short", file[..file.len() - 1].to_vec()),
        ("file-other-command", text.replacen("commit -m", "commit -n", 1).into_bytes()),
        ("file-other-check", [&entry[..], &encode_entry_file(b"{}")[2..]].concat()),
        ("file-upper-case-check", upper.into_bytes()),
    ] {
        let name = format!("malformed/journal/{defect}");
        fixture::check(&name, &bytes);
        assert!(decode_entry_file(&fixture::read(&name)).is_err(), "{defect}");
    }
}

#[test]
fn an_entry_of_65536_bytes_is_refused() {
    let mut entry = sample::transaction();
    entry.updates = (0..700)
        .map(|number| provenance::object::Update {
            name: format!("heads/{number:04}"),
            old: None,
            new: Some(sample::id("commit")),
        })
        .collect();
    assert!(entry.encode().expect_err("too long").reason.contains("longer than 65535 bytes"));
}

#[test]
fn bundles_with_one_defect_are_refused() {
    let bundle = tile::encode_bundle(&[b"entry"; 256]).unwrap();
    let short = bundle[..bundle.len() - 2 - b"entry".len()].to_vec();
    let mut little_endian = bundle.clone();
    little_endian[..2].reverse();
    for (defect, bytes) in [
        ("bundle-255-entries", short),
        ("bundle-cut-short", bundle[..bundle.len() - 1].to_vec()),
        ("bundle-little-endian", little_endian),
        ("bundle-trailing-byte", [bundle.as_slice(), b"\0"].concat()),
    ] {
        let name = format!("malformed/journal/{defect}");
        fixture::check(&name, &bytes);
        assert!(tile::decode_bundle(&fixture::read(&name)).is_err(), "{defect}");
    }
    let frame = fixture::read("format/v1/journal/bundle.zst");
    for (defect, bytes) in [
        ("frame-cut-short", frame[..frame.len() - 1].to_vec()),
        ("frame-trailing-byte", [frame.as_slice(), b"\0"].concat()),
        ("frame-twice", [frame.as_slice(), &frame].concat()),
        ("frame-to-be-skipped", b"\x50\x2A\x4D\x18\0\0\0\0".to_vec()),
    ] {
        let name = format!("malformed/journal/{defect}");
        fixture::check(&name, &bytes);
        assert!(tile::decompress_bundle(&fixture::read(&name)).is_err(), "{defect}");
    }
}

#[test]
fn hash_tiles_with_one_defect_are_refused() {
    let hashes = fixture::read("format/v1/journal/hashes");
    for (defect, bytes) in
        [("hashes-255", &hashes[32..]), ("hashes-cut-short", &hashes[..hashes.len() - 1])]
    {
        let name = format!("malformed/journal/{defect}");
        fixture::check(&name, bytes);
        assert!(tile::decode_hash_tile(&fixture::read(&name)).is_err(), "{defect}");
    }
}
