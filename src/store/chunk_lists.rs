//! The chunks of a large blob: the map that names them, and the lists that a long map is made of.
//!
//! The bytes are specified in `docs/format/chunk.md`.

use crate::format::chunk::map::{ChunkMap, MapBuilder, MapLevel, Part, decode_list};
use crate::format::pack::ObjectKind;
use crate::object::ObjectId;

use super::packs::Found;
use super::reader::{BLOBS, CHUNKS};
use super::transaction::Transaction;
use super::{Reader, StoreError};

/// Stores how a blob is put together; the caller has claimed the blob and stored its chunks.
pub(super) fn put(
    transaction: &Transaction<'_>,
    blob: ObjectId,
    chunks: &[Part],
) -> Result<(), StoreError> {
    let mut builder = MapBuilder::new();
    for chunk in chunks {
        if let Some(list) = builder.push(*chunk) {
            transaction.put_chunk(&list)?;
        }
    }
    let built = builder.finish(blob)?;
    if let Some(list) = built.list {
        transaction.put_chunk(&list)?;
    }
    transaction.put_map(blob, &built.map)
}

/// Finds the chunks of a blob; none if it is not stored in chunks.
pub(super) fn of_blob(
    reader: &mut Reader<'_>,
    blob: &ObjectId,
) -> Result<Option<Chunks>, StoreError> {
    let Some(found) = reader.store().packs().peek(blob, BLOBS)? else { return Ok(None) };
    let is_map = found.row.kind == ObjectKind::ChunkMap;
    is_map.then(|| Chunks::open(reader, blob, &found)).transpose()
}

/// Gives the chunks of a blob one after the other, and reads each list when it is reached.
#[derive(Debug)]
pub(super) struct Chunks {
    blob_bytes: u64,
    level: MapLevel,
    parts: std::vec::IntoIter<Part>,
    list: std::vec::IntoIter<Part>,
}

impl Chunks {
    /// Reads the map that was found for `blob`.
    pub fn open(
        reader: &mut Reader<'_>,
        blob: &ObjectId,
        found: &Found,
    ) -> Result<Self, StoreError> {
        let bytes = reader.blocks().checked(blob, found)?;
        let map = ChunkMap::decode(bytes, blob).map_err(|error| found.pack.damaged(error))?;
        let list = Vec::new().into_iter();
        let (blob_bytes, level, parts) = (map.blob_bytes, map.level, map.parts.into_iter());
        Ok(Self { blob_bytes, level, parts, list })
    }

    /// The lists that are not reached yet; none if the map names the chunks itself.
    pub fn lists(&self) -> Vec<ObjectId> {
        let parts = if self.level == MapLevel::Lists { self.parts.as_slice() } else { &[] };
        parts.iter().map(|list| list.id).collect()
    }

    /// How long the blob is, as its map says.
    pub const fn blob_bytes(&self) -> u64 {
        self.blob_bytes
    }

    /// The next chunk.
    pub fn next(&mut self, reader: &mut Reader<'_>) -> Result<Option<Part>, StoreError> {
        if self.level == MapLevel::Chunks {
            return Ok(self.parts.next());
        }
        if let Some(part) = self.list.next() {
            return Ok(Some(part));
        }
        let Some(list) = self.parts.next() else { return Ok(None) };
        let bytes = reader.get(&list.id, CHUNKS)?;
        let parts =
            decode_list(&bytes).map_err(|source| StoreError::Malformed { id: list.id, source })?;
        self.list = parts.into_iter();
        Ok(self.list.next())
    }
}
