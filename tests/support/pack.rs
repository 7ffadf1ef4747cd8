//! Whole packs, made and checked as a store does it.

use std::collections::HashMap;

use provenance::format::block::{Codec, Decoder, stored};
use provenance::format::chunk::map::{ChunkMap, MapBuilder, Part};
use provenance::format::pack::{
    BlockSummary, FooterBuilder, HEADER_BYTES, ObjectKind, ObjectRow, PackClass, PackIndex,
    Trailer, header,
};
use provenance::object::{DecodeError, ObjectId};

use super::fixture;

/// Forty rows of a table.
pub fn rows() -> Vec<u8> {
    let row = |number| format!("{number},penguin,{}.{}\n", 30 + number * 7 % 20, number % 10);
    (0..40).map(row).collect::<String>().into_bytes()
}

/// The same, with one row edited.
pub fn rows_edited() -> Vec<u8> {
    let rows = String::from_utf8(rows()).expect("text");
    rows.replace("17,penguin", "17,emperor penguin").into_bytes()
}

/// One block on its way into a pack.
#[derive(Debug, Clone)]
pub struct Block {
    pub summary: BlockSummary,
    pub encoded: Vec<u8>,
    pub objects: Vec<(ObjectId, ObjectKind, u32)>,
}

impl Block {
    /// Stores objects as they are.
    pub fn stored(objects: &[(ObjectKind, &[u8])]) -> Self {
        let raw: Vec<u8> = objects.iter().flat_map(|(_, content)| content.to_vec()).collect();
        let row =
            |(kind, content): &(ObjectKind, &[u8])| (ObjectId::of(content), *kind, length(content));
        let objects = objects.iter().map(row).collect();
        Self { summary: stored(&raw).summary(None), encoded: raw, objects }
    }

    /// Stores one object as a frame that was compressed by somebody else.
    pub fn frame(kind: ObjectKind, content: &[u8], frame: &[u8], base: Option<&[u8]>) -> Self {
        let summary = BlockSummary {
            raw_bytes: length(content),
            codec: if base.is_some() { Codec::ZstdPrefix } else { Codec::Zstd },
            depth: u8::from(base.is_some()),
            base: base.map(ObjectId::of),
            ..stored(frame).summary(None)
        };
        let objects = vec![(ObjectId::of(content), kind, length(content))];
        Self { summary, encoded: frame.to_vec(), objects }
    }
}

fn length(content: &[u8]) -> u32 {
    u32::try_from(content.len()).expect("small")
}

/// Writes a pack; gives the file and its trailer.
pub fn write(class: PackClass, blocks: &[Block]) -> (Vec<u8>, Trailer) {
    let mut file = header(class).to_vec();
    let mut builder = FooterBuilder::new(class);
    for block in blocks {
        builder.add_block(block.summary, block.objects.iter().copied()).expect("a sound block");
        file.extend_from_slice(&block.encoded);
    }
    assert_eq!(builder.footer_offset(), file.len() as u64);
    let tail = builder.finish().expect("a sound pack");
    file.extend_from_slice(&tail.bytes);
    (file, tail.trailer)
}

/// Gives the blocks of the golden data pack: every kind, every codec, an empty blob.
pub fn data_blocks() -> Vec<Block> {
    let (rows, edited) = (rows(), rows_edited());
    let read = |name: &str| fixture::read(&format!("format/v1/pack/{name}"));
    let whole = [rows.as_slice(), &edited].concat();
    let mut map = MapBuilder::new();
    for content in [&rows, &edited] {
        assert_eq!(map.push(Part { id: ObjectId::of(content), bytes: length(content) }), None);
    }
    let map = map.finish(ObjectId::of(&whole)).expect("small").map;
    let mut mapped = Block::stored(&[(ObjectKind::ChunkMap, &map)]);
    mapped.objects[0].0 = ObjectId::of(&whole);
    vec![
        Block::stored(&[(ObjectKind::Blob, b"hello, provenance\n"), (ObjectKind::Blob, b"")]),
        Block::frame(ObjectKind::Chunk, &rows, &read("rows.zst"), None),
        Block::frame(ObjectKind::Chunk, &edited, &read("rows-edited-after-rows.zst"), Some(&rows)),
        mapped,
    ]
}

/// Gives the blocks of the golden records pack.
pub fn records_blocks() -> Vec<Block> {
    vec![
        Block::stored(&[(ObjectKind::Attachment, b"{\"interpreter\":\"python 3.11\"}")]),
        Block::stored(&[(ObjectKind::Tree, &[1; 10]), (ObjectKind::Commit, b"{}")]),
    ]
}

/// Gives one block with one blob.
pub fn one_blob() -> Vec<Block> {
    vec![Block::stored(&[(ObjectKind::Blob, b"one")])]
}

/// Reads every byte of a pack and checks all that can be, with the bases that are in it.
pub fn read(file: &[u8]) -> Result<Vec<(ObjectRow, Vec<u8>)>, DecodeError> {
    let trailer = file.last_chunk::<96>().map_or(Trailer::decode(file), |t| Trailer::decode(t))?;
    let header = file.get(..HEADER_BYTES).unwrap_or_default();
    let start = usize::try_from(trailer.footer_offset).unwrap_or(usize::MAX);
    let tail = file.get(start..).unwrap_or_default();
    let index = PackIndex::parse(header, tail, file.len() as u64)?;
    index.verify()?;
    let mut decoder = Decoder::new().expect("memory");
    let mut contents: HashMap<ObjectId, Vec<u8>> = HashMap::new();
    let mut raws = Vec::new();
    for (position, block) in (0..).zip(index.blocks()) {
        let block = block?;
        let start = usize::try_from(block.offset).expect("checked");
        let encoded = &file[start..start + block.encoded_bytes as usize];
        let base = block.base.and_then(|base| contents.get(&base).cloned()).unwrap_or_default();
        let raw = decoder.decode(&block, encoded, &base, &mut Vec::new())?.to_vec();
        for object in index.objects() {
            let object = object?;
            if object.block.0 == position && object.kind != ObjectKind::ChunkMap {
                contents.insert(object.id, content(&object, &raw));
            }
        }
        raws.push(raw);
    }
    let objects = index.objects().map(|object| {
        let object = object?;
        let content = content(&object, &raws[object.block.0 as usize]);
        match object.kind {
            ObjectKind::ChunkMap => drop(ChunkMap::decode(&content, &object.id)?),
            _ if ObjectId::of(&content) == object.id => {}
            _ => return Err(DecodeError::new("object", 0, "its bytes are not those of its id")),
        }
        Ok((object, content))
    });
    objects.collect()
}

fn content(object: &ObjectRow, raw: &[u8]) -> Vec<u8> {
    raw[object.offset as usize..][..object.bytes as usize].to_vec()
}
