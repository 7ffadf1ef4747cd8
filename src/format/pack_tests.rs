//! Footer indexes: what was added is found, and any damage is noticed.

use super::*;
use crate::object::{ObjectId, Prefix};

fn stored(raw_bytes: u32) -> BlockSummary {
    BlockSummary {
        encoded_bytes: raw_bytes,
        raw_bytes,
        check: 7,
        codec: Codec::Stored,
        depth: 0,
        base: None,
    }
}

fn id(number: u32) -> ObjectId {
    ObjectId::of(&number.to_le_bytes())
}

/// A pack of `count` blobs of 10 bytes, 4 a block, with one block that has a base.
fn pack(count: u32) -> (PackTail, Vec<u8>) {
    let mut builder = FooterBuilder::new(PackClass::Data);
    let numbers: Vec<u32> = (0..count).collect();
    for group in numbers.chunks(4) {
        let objects = group.iter().map(|number| (id(*number), ObjectKind::Blob, 10));
        builder.add_block(stored(10 * group.len() as u32), objects).expect("a sound block");
    }
    let based = BlockSummary {
        encoded_bytes: 3,
        codec: Codec::ZstdPrefix,
        depth: 1,
        base: Some(id(0)),
        ..stored(9)
    };
    let objects = [(id(0), ObjectKind::ChunkMap, 9), (ObjectId::of(b""), ObjectKind::Blob, 0)];
    builder.add_block(based, objects).expect("a sound block");
    let tail = builder.finish().expect("a sound pack");
    let mut file = header(PackClass::Data).to_vec();
    file.resize(usize::try_from(tail.trailer.footer_offset).expect("small"), 0);
    file.extend_from_slice(&tail.bytes);
    (tail, file)
}

fn open(tail: &PackTail) -> PackIndex<&[u8]> {
    let header = header(PackClass::Data);
    PackIndex::parse(&header, tail.bytes.as_slice(), tail.trailer.file_bytes).expect("a pack")
}

#[test]
fn what_was_added_is_found() {
    let (tail, file) = pack(1000);
    assert_eq!(tail.trailer.file_bytes, file.len() as u64);
    let index = open(&tail);
    index.verify().expect("what the builder wrote");
    for number in 0..1000 {
        let row = index.find(&id(number), KindSet::CONTENT).expect("sound").expect("was added");
        assert_eq!((row.block.0, row.offset), (number / 4, number % 4 * 10));
        assert_eq!(index.block_of(&row).expect("fits").offset, 16 + u64::from(number / 4) * 40);
    }
    assert_eq!(index.find(&id(1000), KindSet::ALL), Ok(None));
    assert_eq!(index.find(&id(1), KindSet::only(ObjectKind::ChunkMap)), Ok(None));
    let map = index.find(&id(0), KindSet::only(ObjectKind::ChunkMap)).expect("sound").expect("map");
    assert_eq!(index.block_of(&map).expect("fits").base, Some(id(0)));
    assert_eq!(index.objects().count(), 1002);
    assert!(index.objects().map(|row| row.expect("sound").id).is_sorted());
    assert_eq!(index.bases().collect::<Vec<_>>(), [id(0)]);
}

#[test]
fn a_prefix_gives_exactly_its_ids() {
    let (tail, _) = pack(1000);
    let index = open(&tail);
    for number in 0..50 {
        let prefix = Prefix::parse(&id(number).to_string()[..4]).expect("four digits");
        let found: Vec<_> = index
            .find_prefix(&prefix)
            .map(|position| index.object(ObjectPosition(position)).expect("sound").id)
            .collect();
        let all = index.objects().map(|row| row.expect("sound").id);
        assert_eq!(found, all.filter(|id| prefix.matches(id)).collect::<Vec<_>>());
        assert!(found.contains(&id(number)));
    }
}

#[test]
fn any_damage_is_noticed() {
    let (tail, _) = pack(30);
    let header = header(PackClass::Data);
    for at in 0..tail.bytes.len() {
        for flip in [1u8, 0x80, 0xFF] {
            let mut bytes = tail.bytes.clone();
            bytes[at] ^= flip;
            let index = PackIndex::parse(&header, bytes.as_slice(), tail.trailer.file_bytes);
            assert!(index.is_err() || index.is_ok_and(|index| damaged(&index)), "byte {at}");
        }
    }
}

/// Everything may be asked of a damaged index, and the check says that it is damaged.
fn damaged(index: &PackIndex<&[u8]>) -> bool {
    for number in 0..31 {
        if let Ok(Some(row)) = index.find(&id(number), KindSet::ALL) {
            let _ = index.block_of(&row);
        }
    }
    index.blocks().chain(index.objects().map(|row| index.block_of(&row?))).for_each(drop);
    index.verify_hash().is_err() && index.verify().is_err()
}

#[test]
fn a_truncated_pack_is_none() {
    let (tail, file) = pack(9);
    let offset = usize::try_from(tail.trailer.footer_offset).expect("small");
    for end in 0..file.len() {
        let tail = file[..end].get(offset..).unwrap_or_default();
        assert!(PackIndex::parse(&file[..end.min(16)], tail, end as u64).is_err(), "{end} bytes");
        let all = PackIndex::parse(&file[..end.min(16)], &file[..end], end as u64);
        assert!(all.is_err(), "{end} bytes");
    }
}

#[test]
fn a_header_of_the_other_class_is_refused() {
    let (tail, _) = pack(9);
    let bytes = tail.bytes.as_slice();
    let parse = |header: &[u8]| PackIndex::parse(header, bytes, tail.trailer.file_bytes).map(drop);
    assert!(parse(&header(PackClass::Records)).is_err());
    let mut newer = header(PackClass::Data);
    newer[8] = 2;
    assert!(parse(&newer).expect_err("newer").reason.contains("newer version"));
    for at in 0..HEADER_BYTES {
        let mut damaged = header(PackClass::Data);
        damaged[at] ^= 0x40;
        assert!(parse(&damaged).is_err(), "byte {at}");
    }
}

#[test]
fn the_builder_refuses_what_no_reader_would_take() {
    let blob = |number, bytes| (id(number), ObjectKind::Blob, bytes);
    let add = |summary, objects: &[(ObjectId, ObjectKind, u32)]| {
        FooterBuilder::new(PackClass::Data).add_block(summary, objects.iter().copied()).map(drop)
    };
    assert_eq!(add(stored(5), &[blob(1, 2), blob(2, 3)]), Ok(()));
    assert_eq!(add(stored(5), &[blob(1, 2)]), Err(BuildError::Coverage { objects: 2, block: 5 }));
    let tree = (id(1), ObjectKind::Tree, 5);
    assert_eq!(add(stored(5), &[tree]), Err(BuildError::Kind(ObjectKind::Tree)));
    let huge = BLOCK_RAW_BYTES_MAX + 1;
    assert!(matches!(add(stored(huge), &[blob(1, huge)]), Err(BuildError::Block(_))));
    assert!(matches!(add(stored(0), &[]), Err(BuildError::Block(_))));
    let grown = BlockSummary { codec: Codec::Zstd, ..stored(5) };
    assert!(matches!(add(grown, &[blob(1, 5)]), Err(BuildError::Block(_))));
    assert_eq!(FooterBuilder::new(PackClass::Data).finish(), Err(BuildError::Empty));
    let mut twice = FooterBuilder::new(PackClass::Data);
    for _ in 0..2 {
        twice.add_block(stored(5), [blob(1, 5)]).expect("a sound block");
    }
    assert_eq!(twice.finish(), Err(BuildError::Duplicate(id(1))));
}
