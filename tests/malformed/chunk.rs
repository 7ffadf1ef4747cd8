//! Chunk maps and lists with one defect each.

use provenance::format::chunk::map::{ChunkMap, MapBuilder, Part, decode_list};
use provenance::object::ObjectId;

use crate::support::fixture;

/// A map of three chunks of 1, 2 and 3 bytes, with a defect and a hash that fits.
fn map(defect: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut builder = MapBuilder::new();
    for bytes in 1..=3_u32 {
        let id = ObjectId::of(&bytes.to_le_bytes());
        assert_eq!(builder.push(Part { id, bytes }), None);
    }
    let mut bytes = builder.finish(ObjectId::of(b"the blob")).expect("small").map;
    bytes.truncate(bytes.len() - 32);
    defect(&mut bytes);
    let hash = ObjectId::of(&bytes);
    bytes.extend_from_slice(hash.as_bytes());
    bytes
}

#[test]
fn maps_with_one_defect_are_refused() {
    let good = map(|_| ());
    let blob = ObjectId::of(b"the blob");
    assert!(ChunkMap::decode(&good, &blob).is_ok());
    let set = |at: usize, value: u8| map(|bytes| bytes[at] = value);
    let changed = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    for (defect, bytes, reason) in [
        ("empty", Vec::new(), "truncated"),
        ("truncated", good[..good.len() - 1].to_vec(), "not those"),
        ("magic", set(0, b'p'), "not a chunk map"),
        ("newer", set(4, 2), "newer version"),
        ("version-0", set(4, 0), "no such version"),
        ("level", set(6, 2), "no such level"),
        ("reserved", set(7, 1), "reserved"),
        ("another-blob", set(8, 0), "another blob"),
        ("another-length", set(40, 7), "not as long"),
        ("another-count", set(48, 2), "another number"),
        ("part-empty", set(52 + 32, 0), "empty or too large"),
        ("part-too-large", set(52 + 35, 2), "empty or too large"),
        ("half-a-part", map(|bytes| bytes.truncate(100)), "whole items"),
        ("item-changed", changed(60), "not those"),
        ("hash-changed", changed(good.len() - 1), "not those"),
        (
            "one-list",
            map(|bytes| {
                (bytes[6], bytes[40], bytes[48]) = (1, 1, 1);
                bytes.truncate(52 + 36);
            }),
            "not that many",
        ),
        (
            "no-parts",
            map(|bytes| {
                (bytes[40], bytes[48]) = (0, 0);
                bytes.truncate(52);
            }),
            "not that many",
        ),
    ] {
        let refused = ChunkMap::decode(&bytes, &blob).expect_err(defect);
        assert!(refused.reason.contains(reason), "{defect}: {refused}");
        fixture::check(&format!("malformed/chunk/map-{defect}"), &bytes);
    }
    assert!(ChunkMap::decode(&good, &ObjectId::of(b"other")).is_err());
}

#[test]
fn lists_with_one_defect_are_refused() {
    let item = |bytes: u32| [&[7; 32][..], &bytes.to_le_bytes()].concat();
    assert!(decode_list(&item(5)).is_ok());
    for (defect, bytes) in [
        ("empty", Vec::new()),
        ("truncated", item(5)[..35].to_vec()),
        ("part-empty", item(0)),
        ("part-too-large", item((16 << 20) + 1)),
        ("too-long", item(5).repeat(1025)),
    ] {
        assert!(decode_list(&bytes).is_err(), "{defect} was accepted");
        fixture::check(&format!("malformed/chunk/list-{defect}"), &bytes);
    }
}
