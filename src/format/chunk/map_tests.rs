//! Chunk maps at every size, and with one defect each.

use super::*;

fn part(number: u32, bytes: u32) -> Part {
    Part { id: ObjectId::of(&number.to_le_bytes()), bytes }
}

/// Builds the map of these chunks and reads it, and its lists, again.
fn round_trip(chunks: &[Part]) -> (ChunkMap, Vec<Vec<u8>>) {
    let mut builder = MapBuilder::new();
    let mut lists: Vec<_> = chunks.iter().filter_map(|chunk| builder.push(*chunk)).collect();
    let blob = ObjectId::of(b"the blob");
    let built = builder.finish(blob).expect("not too large");
    lists.extend(built.list);
    let map = ChunkMap::decode(&built.map, &blob).expect("what was written");
    assert_eq!(map.encode().as_ref(), Ok(&built.map));
    let read = match map.level {
        MapLevel::Chunks => map.parts.clone(),
        MapLevel::Lists => {
            assert_eq!(map.parts.len(), lists.len());
            lists.iter().flat_map(|list| decode_list(list).expect("what was written")).collect()
        }
    };
    assert_eq!(read, chunks);
    for (part, list) in map.parts.iter().zip(&lists) {
        assert_eq!(part.id, ObjectId::of(list));
    }
    (map, lists)
}

#[test]
fn a_map_comes_back_at_every_size() {
    for count in [1, 2, 127, 128, 129, 1023, 1024, 1025, 5000] {
        let chunks: Vec<_> = (0..count).map(|number| part(number, number + 1)).collect();
        let (map, lists) = round_trip(&chunks);
        assert_eq!(map.blob_bytes, u64::from(count) * u64::from(count + 1) / 2);
        assert_eq!(map.level == MapLevel::Chunks, lists.is_empty());
        assert!(count > 128 || lists.is_empty(), "{count}");
    }
}

#[test]
fn a_sparse_terabyte_has_a_short_map() {
    let zeros = part(0, 1 << 20);
    let (map, lists) = round_trip(&vec![zeros; 1 << 20]);
    assert_eq!(map.blob_bytes, 1 << 40);
    assert_eq!(map.parts.len(), 1024);
    assert!(lists.iter().all(|list| *list == lists[0]));
}

#[test]
fn lists_never_cover_4_gib() {
    let (map, _) = round_trip(&vec![part(0, BLOCK_RAW_BYTES_MAX); 1000]);
    assert_eq!(map.parts[0].bytes, 255 * BLOCK_RAW_BYTES_MAX);
}

#[test]
fn an_edit_changes_few_lists() {
    let mut chunks: Vec<_> = (0..100_000).map(|number| part(number, 60_000)).collect();
    let (_, old) = round_trip(&chunks);
    chunks.splice(50_000..50_001, [part(200_000, 30_000), part(200_001, 40_000)]);
    let (_, new) = round_trip(&chunks);
    let changed = new.iter().filter(|list| !old.contains(list)).count();
    assert!(changed <= 4, "{changed} of {}", new.len());
}

/// Writes a map of three chunks, does `defect` to it and makes its hash fit again.
fn after(defect: impl FnOnce(&mut Vec<u8>)) -> Result<ChunkMap, DecodeError> {
    let mut builder = MapBuilder::new();
    (1..4).for_each(|number| assert_eq!(builder.push(part(number, number)), None));
    let blob = ObjectId::of(b"the blob");
    let mut bytes = builder.finish(blob).expect("not too large").map;
    bytes.truncate(bytes.len() - HASH_BYTES);
    defect(&mut bytes);
    let hash = ObjectId::of(&bytes);
    bytes.extend_from_slice(hash.as_bytes());
    ChunkMap::decode(&bytes, &blob)
}

#[test]
fn a_map_with_a_defect_is_refused() {
    assert!(after(|_| ()).is_ok());
    for (reason, at, value) in [
        ("not a chunk map", 0, b'p'),
        ("newer version", 4, 2),
        ("no such version", 4, 0),
        ("no such level", 6, 2),
        ("reserved", 7, 1),
        ("another blob", 8, 0),
        ("not as long", 40, 7),
        ("another number", 48, 4),
        ("empty or too large", HEADER_BYTES + 32, 0),
        ("empty or too large", HEADER_BYTES + 35, 1),
    ] {
        let refused = after(|bytes| bytes[at] = value).expect_err(reason);
        assert!(refused.reason.contains(reason), "{refused} for {reason}");
    }
    let one_list = |bytes: &mut Vec<u8>| {
        (bytes[6], bytes[40], bytes[48]) = (1, 1, 1);
        bytes.truncate(HEADER_BYTES + ITEM_BYTES);
    };
    assert!(after(one_list).expect_err("one list").reason.contains("not that many"));
    assert!(after(|bytes| bytes.push(0)).is_err());
    assert!(after(|bytes| bytes.truncate(HEADER_BYTES)).is_err());
    assert!(after(|bytes| bytes.clear()).is_err());
}

#[test]
fn every_flipped_byte_and_every_truncation_is_noticed() {
    let mut builder = MapBuilder::new();
    builder.push(part(1, 10));
    let blob = ObjectId::of(b"the blob");
    let good = builder.finish(blob).expect("not too large").map;
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        assert!(ChunkMap::decode(&bytes, &blob).is_err(), "byte {at}");
        assert!(ChunkMap::decode(&good[..at], &blob).is_err(), "{at} bytes");
    }
}

#[test]
fn no_chunks_are_no_map() {
    let blob = ObjectId::of(b"");
    assert_eq!(MapBuilder::new().finish(blob), Err(MapError));
}
