//! Chunk maps keep their bytes; cut points stay where they are as long as the rules do.

use provenance::format::chunk::map::{ChunkMap, MapBuilder, Part, decode_list};
use provenance::format::chunk::{ChunkLimits, cut_points};
use provenance::object::ObjectId;

use crate::support::fixture;

/// The map of a blob in chunks of these lengths, and its lists.
fn build(lengths: impl Iterator<Item = u32>) -> (Vec<Vec<u8>>, Vec<u8>, ObjectId) {
    let mut builder = MapBuilder::new();
    let mut lists = Vec::new();
    for bytes in lengths {
        let id = ObjectId::of(&bytes.to_le_bytes());
        lists.extend(builder.push(Part { id, bytes }));
    }
    let blob = ObjectId::of(b"the blob");
    let built = builder.finish(blob).expect("small");
    lists.extend(built.list);
    (lists, built.map, blob)
}

#[test]
fn a_map_of_chunks() {
    let (lists, map, blob) = build(1..=3);
    assert_eq!(lists, [[0; 0]; 0]);
    fixture::check("format/v1/chunk/map", &map);
    let map = ChunkMap::decode(&map, &blob).expect("a golden map");
    assert_eq!(map.parts.iter().map(|part| part.bytes).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn a_map_of_lists() {
    let (lists, map, blob) = build(1..=1500);
    fixture::check("format/v1/chunk/map-of-lists", &map);
    let map = ChunkMap::decode(&map, &blob).expect("a golden map");
    let mut next = 1;
    for (number, (part, list)) in map.parts.iter().zip(&lists).enumerate() {
        fixture::check(&format!("format/v1/chunk/list-{number}"), list);
        assert_eq!(part.id, ObjectId::of(list));
        for chunk in decode_list(list).expect("a golden list") {
            assert_eq!(chunk.bytes, next);
            next += 1;
        }
    }
    assert_eq!(next, 1501);
}

/// Cut points are no part of the format, but moving them would store everybody's data once more.
#[test]
fn noise_is_cut_where_it_was() {
    let mut noise = vec![0; 4 << 20];
    blake3::Hasher::new_derive_key("noise of a test").finalize_xof().fill(&mut noise);
    for bits in [12, 16] {
        let ends = cut_points(&noise, ChunkLimits::around(bits));
        let ends: String = ends.map(|end| format!("{end}\n")).collect();
        fixture::check(&format!("format/v1/chunk/cuts-of-noise-{bits}.txt"), ends.as_bytes());
    }
}
