//! Builds the footer index of a pack while its blocks are written.
//!
//! The blocks themselves never come here. Specified in `docs/format/pack.md`.

use super::{
    BlockPosition, BlockSummary, HEADER_BYTES, ObjectKind, PackClass, PackId, Trailer, header,
};
use crate::object::ObjectId;

/// Tells why blocks and objects do not make a pack; always a fault of the writer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The pack would hold nothing.
    #[error("a pack must hold at least one block")]
    Empty,
    /// The block breaks a rule of the format.
    #[error("{0}")]
    Block(&'static str),
    /// The objects do not fill their block exactly.
    #[error("the objects of a block have {objects} bytes, the block {block}")]
    Coverage {
        /// Bytes of the objects.
        objects: u64,
        /// Raw bytes of the block.
        block: u32,
    },
    /// The kind belongs to packs of the other class.
    #[error("a {0:?} does not belong into this class of packs")]
    Kind(ObjectKind),
    /// The same object was added twice.
    #[error("object {0} is in the pack twice")]
    Duplicate(ObjectId),
    /// There are more rows than 32 bits count.
    #[error("a pack holds at most 4,294,967,295 blocks or objects")]
    TooMany,
}

/// What follows the last block of a pack, and what the pack is to be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackTail {
    /// Footer index and trailer.
    pub bytes: Vec<u8>,
    /// What the trailer says; `trailer.id` names the pack.
    pub trailer: Trailer,
}

/// One object as it was added; 48 bytes.
struct Row {
    id: ObjectId,
    block: u32,
    offset: u32,
    bytes: u32,
    kind: ObjectKind,
}

impl Row {
    fn order(&self) -> (&ObjectId, u8) {
        (&self.id, self.kind.code())
    }
}

/// Collects the rows of a footer index.
///
/// Cost: 48 bytes an object and 56 a block; [`FooterBuilder::finish`] needs 72 an object more.
pub struct FooterBuilder {
    class: PackClass,
    blocks: Vec<BlockSummary>,
    rows: Vec<Row>,
    footer_offset: u64,
    raw_bytes: u64,
}

impl FooterBuilder {
    /// Starts a pack; its first [`HEADER_BYTES`] bytes are [`header`] of the same class.
    pub fn new(class: PackClass) -> Self {
        let footer_offset = HEADER_BYTES as u64;
        Self { class, blocks: Vec::new(), rows: Vec::new(), footer_offset, raw_bytes: 0 }
    }

    /// Gives where the next block goes, or the footer if there is none.
    pub const fn footer_offset(&self) -> u64 {
        self.footer_offset
    }

    /// Gives how many blocks were added.
    pub const fn block_count(&self) -> usize {
        self.blocks.len()
    }

    /// Gives how many objects were added.
    pub const fn object_count(&self) -> usize {
        self.rows.len()
    }

    /// Adds the block that was or will be written at [`FooterBuilder::footer_offset`].
    ///
    /// Shape: `objects` in the order of their bytes, at least one, together exactly the raw block.
    /// Errors: the writer broke a rule of the format; the builder must not be used further.
    pub fn add_block(
        &mut self,
        block: BlockSummary,
        objects: impl IntoIterator<Item = (ObjectId, ObjectKind, u32)>,
    ) -> Result<BlockPosition, BuildError> {
        if let Some(defect) = block.defect() {
            return Err(BuildError::Block(defect));
        }
        let position = u32::try_from(self.blocks.len()).map_err(|_| BuildError::TooMany)?;
        let rows_before = self.rows.len();
        let mut end: u64 = 0;
        for (id, kind, bytes) in objects {
            if !self.class.kinds().contains(kind) {
                return Err(BuildError::Kind(kind));
            }
            let offset = u32::try_from(end).map_err(|_| BuildError::TooMany)?;
            self.rows.push(Row { id, block: position, offset, bytes, kind });
            end += u64::from(bytes);
        }
        if end != u64::from(block.raw_bytes) {
            return Err(BuildError::Coverage { objects: end, block: block.raw_bytes });
        }
        if self.rows.len() == rows_before {
            return Err(BuildError::Block("a block holds no object"));
        }
        self.footer_offset += u64::from(block.encoded_bytes);
        self.raw_bytes += u64::from(block.raw_bytes);
        self.blocks.push(block);
        Ok(BlockPosition(position))
    }

    /// Sorts the objects and encodes footer and trailer.
    pub fn finish(self) -> Result<PackTail, BuildError> {
        if self.blocks.is_empty() {
            return Err(BuildError::Empty);
        }
        let bases = self.bases();
        let mut trailer = self.trailer(bases.len())?;
        let order = sorted(&self.rows)?;
        let tail_bytes = usize::try_from(trailer.tail_bytes()).map_err(|_| BuildError::TooMany)?;
        let mut bytes = Vec::with_capacity(tail_bytes);
        self.encode_blocks(&bases, &mut bytes);
        encode_objects(&order, &mut bytes);
        trailer.encode_hashed(&mut bytes);
        trailer.id = pack_id(&header(self.class), &bytes);
        trailer.encode_rest(&mut bytes);
        assert_eq!(bytes.len(), tail_bytes, "the counts give the length");
        Ok(PackTail { bytes, trailer })
    }

    fn bases(&self) -> Vec<ObjectId> {
        let mut bases: Vec<_> = self.blocks.iter().filter_map(|block| block.base).collect();
        bases.sort_unstable();
        bases.dedup();
        bases
    }

    fn trailer(&self, base_count: usize) -> Result<Trailer, BuildError> {
        let count = |length| u32::try_from(length).map_err(|_| BuildError::TooMany);
        let mut trailer = Trailer {
            class: self.class,
            footer_offset: self.footer_offset,
            file_bytes: 0,
            raw_bytes: self.raw_bytes,
            block_count: count(self.blocks.len())?,
            base_count: count(base_count)?,
            object_count: count(self.rows.len())?,
            id: PackId::from_bytes([0; 32]),
        };
        trailer.file_bytes = trailer.footer_offset + trailer.tail_bytes();
        Ok(trailer)
    }

    fn encode_blocks(&self, bases: &[ObjectId], into: &mut Vec<u8>) {
        let mut offset = HEADER_BYTES as u64;
        for block in &self.blocks {
            into.extend_from_slice(&offset.to_le_bytes());
            into.extend_from_slice(&block.encoded_bytes.to_le_bytes());
            into.extend_from_slice(&block.raw_bytes.to_le_bytes());
            into.extend_from_slice(&block.check.to_le_bytes());
            into.extend_from_slice(&[block.codec.code(), block.depth, 0, 0]);
            let row = block.base.and_then(|base| bases.binary_search(&base).ok());
            let number = row.and_then(|row| u32::try_from(row + 1).ok()).unwrap_or(0);
            into.extend_from_slice(&number.to_le_bytes());
            offset += u64::from(block.encoded_bytes);
        }
        for base in bases {
            into.extend_from_slice(base.as_bytes());
        }
    }
}

impl std::fmt::Debug for FooterBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FooterBuilder")
            .field("class", &self.class)
            .field("blocks", &self.blocks.len())
            .field("objects", &self.rows.len())
            .finish()
    }
}

/// Hashes what names a pack: its header, its footer and the first part of its trailer.
pub(super) fn pack_id(header: &[u8], footer_and_trailer: &[u8]) -> PackId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(header);
    hasher.update(footer_and_trailer);
    PackId::from_bytes(*hasher.finalize().as_bytes())
}

/// Orders rows by (id, kind); 16-byte keys move instead of 48-byte rows.
fn sorted(rows: &[Row]) -> Result<Vec<&Row>, BuildError> {
    let key = |row: &Row| {
        let first = row.id.as_bytes().first_chunk().copied().unwrap_or_default();
        u64::from_be_bytes(first)
    };
    let mut keyed: Vec<(u64, &Row)> = rows.iter().map(|row| (key(row), row)).collect();
    keyed.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.order().cmp(&b.1.order())));
    let twin = keyed.windows(2).find_map(|pair| match pair {
        [a, b] if a.1.order() == b.1.order() => Some(a.1.id),
        _ => None,
    });
    match twin {
        Some(id) => Err(BuildError::Duplicate(id)),
        None => Ok(keyed.into_iter().map(|(_, row)| row).collect()),
    }
}

fn encode_objects(order: &[&Row], into: &mut Vec<u8>) {
    let mut fan_out = [0u32; 256];
    for row in order {
        let [first, ..] = row.id.as_bytes();
        if let Some(count) = fan_out.get_mut(usize::from(*first)) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for count in fan_out {
        sum += count;
        into.extend_from_slice(&u32::to_le_bytes(sum));
    }
    for row in order {
        into.extend_from_slice(row.id.as_bytes());
    }
    for row in order {
        into.extend_from_slice(&row.block.to_le_bytes());
        into.extend_from_slice(&row.offset.to_le_bytes());
        into.extend_from_slice(&row.bytes.to_le_bytes());
        into.extend_from_slice(&[row.kind.code(), 0, 0, 0]);
    }
}
