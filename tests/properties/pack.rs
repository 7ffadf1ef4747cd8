//! Packs, blocks, chunks and tensors under arbitrary content and arbitrary damage.

use std::collections::BTreeMap;

use proptest::prelude::*;
use provenance::format::block::{Codec, Decoder, Encoder};
use provenance::format::chunk::map::{ChunkMap, decode_list};
use provenance::format::chunk::{ChunkLimits, Chunker, cut_points};
use provenance::format::pack::{
    BlockRow, KindSet, ObjectKind, PackClass, PackIndex, Trailer, header,
};
use provenance::format::tensor::{self, TensorLimits};
use provenance::object::ObjectId;

use crate::support::pack::{self, Block};

/// Blobs of which many share the first bytes of their content, in blocks of any size.
fn contents() -> impl Strategy<Value = Vec<Vec<Vec<u8>>>> {
    let content = proptest::collection::vec(any::<u8>(), 0..40);
    let block = proptest::collection::vec(content, 1..6);
    proptest::collection::vec(block, 1..8)
}

proptest! {
    #[test]
    fn a_pack_is_a_map(contents in contents()) {
        let mut map = BTreeMap::new();
        let mut blocks = Vec::new();
        for block in &contents {
            let new: Vec<_> = block.iter().filter(|content| {
                map.insert(ObjectId::of(content), (*content).clone()).is_none()
            }).collect();
            let objects: Vec<_> = new.iter().map(|c| (ObjectKind::Blob, c.as_slice())).collect();
            if !objects.is_empty() {
                blocks.push(Block::stored(&objects));
            }
        }
        let (file, trailer) = pack::write(PackClass::Data, &blocks);
        let read = pack::read(&file).expect("what was written");
        let pairs = read.into_iter().map(|(row, content)| (row.id, content));
        let found: BTreeMap<_, _> = pairs.collect();
        prop_assert_eq!(&found, &map);
        let start = usize::try_from(trailer.footer_offset).unwrap();
        let index = PackIndex::parse(&file[..16], &file[start..], file.len() as u64).unwrap();
        for id in map.keys() {
            prop_assert_eq!(index.find(id, KindSet::CONTENT).unwrap().unwrap().id, *id);
            let mut other = *id.as_bytes();
            other[31] ^= 1;
            let other = ObjectId::from_bytes(other);
            let found = index.find(&other, KindSet::ALL).unwrap();
            prop_assert_eq!(found.is_some(), map.contains_key(&other));
        }
    }

    #[test]
    fn a_damaged_pack_is_an_error(
        flips in proptest::collection::vec((any::<usize>(), 1_u8..), 1..4),
    ) {
        let (good, _) = pack::write(PackClass::Data, &pack::data_blocks());
        let mut file = good.clone();
        for (at, flip) in flips {
            let at = at % file.len();
            file[at] ^= flip;
        }
        prop_assert!(file == good || pack::read(&file).is_err());
    }

    #[test]
    fn arbitrary_bytes_are_no_pack(bytes in any::<Vec<u8>>(), counts in any::<[u8; 96]>()) {
        let _ = Trailer::decode(&bytes);
        let header = header(PackClass::Data);
        prop_assert!(PackIndex::parse(&header, bytes.as_slice(), bytes.len() as u64).is_err());
        // A trailer whose numbers are arbitrary, but whose fixed parts are right.
        let (file, _) = pack::write(PackClass::Data, &pack::one_blob());
        let mut trailer = counts;
        trailer[36..54].copy_from_slice(&file[file.len() - 60..file.len() - 42]);
        trailer[86..].copy_from_slice(&file[file.len() - 10..]);
        let _ = Trailer::decode(&trailer);
        prop_assert!(PackIndex::parse(&header, trailer.as_slice(), 112).is_err());
    }

    #[test]
    fn a_block_comes_back(seed in any::<Vec<u8>>(), repeat in 1_usize..300, cut in any::<usize>()) {
        let raw = seed.repeat(repeat);
        let base = raw[cut % (raw.len() + 1)..].to_vec();
        let mut encoder = Encoder::new(1).unwrap();
        let mut decoder = Decoder::new().unwrap();
        for prefix in [&[][..], &base] {
            let mut buffer = Vec::new();
            let encoded = encoder.encode_with_prefix(&raw, prefix, &mut buffer);
            let base = (encoded.codec == Codec::ZstdPrefix).then(|| (ObjectId::of(prefix), 0));
            let row = BlockRow::at(16, encoded.summary(base));
            let mut into = Vec::new();
            prop_assert_eq!(decoder.decode(&row, encoded.bytes, prefix, &mut into), Ok(&raw[..]));
        }
    }

    #[test]
    fn pieces_make_no_difference(
        seed in any::<u64>(),
        lengths in proptest::collection::vec(1_usize..5000, 1..60),
    ) {
        let mut data = vec![0; lengths.iter().sum()];
        blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut data);
        let limits = ChunkLimits::around(10);
        let (mut ends, mut at) = (Vec::new(), 0);
        let mut chunker = Chunker::new(limits);
        for length in lengths {
            let mut piece = &data[at..at + length];
            while let Some(taken) = chunker.next_cut(piece) {
                at += taken;
                ends.push(at);
                piece = &piece[taken..];
            }
            at += piece.len();
        }
        if chunker.seen_bytes() > 0 {
            ends.push(at);
        }
        prop_assert_eq!(ends, cut_points(&data, limits).collect::<Vec<_>>());
    }

    #[test]
    fn arbitrary_bytes_are_no_map(mut bytes in any::<Vec<u8>>()) {
        let blob = ObjectId::of(b"");
        prop_assert!(ChunkMap::decode(&bytes, &blob).is_err());
        let _ = decode_list(&bytes);
        // With a hash that fits, and a beginning that is right.
        bytes.splice(..0, *b"PVCM\x01\0\0\0");
        let hash = ObjectId::of(&bytes);
        bytes.extend_from_slice(hash.as_bytes());
        prop_assert!(ChunkMap::decode(&bytes, &blob).is_err());
    }

    #[test]
    fn tensors_are_cut_within_the_file(
        lengths in proptest::collection::vec(0_u64..5000, 1..20),
        min_bytes in 0_u32..3000,
        piece_bytes in 0_u32..3000,
    ) {
        let mut items = Vec::new();
        let mut end = 0;
        for (number, length) in lengths.iter().enumerate() {
            items.push(format!("\"t{number}\":{{\"data_offsets\":[{end},{}]}}", end + length));
            end += length;
        }
        let json = format!("{{{}}}", items.join(","));
        let mut file = (json.len() as u64).to_le_bytes().to_vec();
        file.extend(json.bytes());
        let file_bytes = file.len() as u64 + end;
        let limits = TensorLimits { min_bytes, piece_bytes };
        let cuts = tensor::cut_points(&file, file_bytes, limits).unwrap();
        prop_assert!(cuts.is_sorted_by(|a, b| a < b));
        prop_assert_eq!(cuts.last(), Some(&file_bytes));
        let mut start = 0;
        for cut in cuts {
            prop_assert!(cut - start <= u64::from((piece_bytes.max(1) * 5).div_ceil(4)));
            start = cut;
        }
    }

    #[test]
    fn arbitrary_headers_are_refused_or_cut(
        spans in proptest::collection::vec("[0-9]{1,20},[0-9]{1,20}", 1..5),
        rest in 0_u64..1000,
    ) {
        let item = |span| format!("\"a{span}\":{{\"data_offsets\":[{span}]}}");
        let json = format!("{{{}}}", spans.iter().map(item).collect::<Vec<_>>().join(","));
        let mut file = (json.len() as u64).to_le_bytes().to_vec();
        file.extend(json.bytes());
        let file_bytes = file.len() as u64 + rest;
        if let Ok(cuts) = tensor::cut_points(&file, file_bytes, TensorLimits::DEFAULT) {
            prop_assert_eq!(cuts.last(), Some(&file_bytes));
        }
    }
}
