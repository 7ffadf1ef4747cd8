//! Fills one block with objects and encodes it; what is encoded is decoded again before it counts.
//!
//! Where the block goes is `pack_writer.rs`; the codecs are specified in `docs/format/pack.md`.

use crate::format::block::{Codec, Decoder, Encoder};
use crate::format::pack::{BlockRow, KindSet, ObjectKind, ObjectRow};
use crate::object::ObjectId;

use super::base::Base;
use super::pack_writer::PackWriter;
use super::{StoreError, limits};

/// One object of a block; objects lie one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlockObject {
    pub id: ObjectId,
    pub kind: ObjectKind,
    pub bytes: u32,
}

impl BlockObject {
    /// What a row of a footer says, without where the object lies.
    pub fn of(row: &ObjectRow) -> Self {
        Self { id: row.id, kind: row.kind, bytes: row.bytes }
    }
}

/// Encodes blocks on one thread: contexts and buffers are kept from block to block.
pub(super) struct BlockEncoder {
    level: i32,
    /// Made for the first block: many threads wait for blocks that never come.
    contexts: Option<(Encoder, Decoder)>,
    encoded: Vec<u8>,
    decoded: Vec<u8>,
}

impl BlockEncoder {
    /// Prepares for zstd at `level`.
    pub const fn new(level: i32) -> Self {
        Self { level, contexts: None, encoded: Vec::new(), decoded: Vec::new() }
    }

    /// Tells how many bytes `raw` takes as a difference to `base`.
    pub fn measure(&mut self, raw: &[u8], base: &Base) -> Result<u32, StoreError> {
        let Self { level, contexts, encoded, .. } = self;
        let (encoder, _) = contexts_of(contexts, *level)?;
        let block = encoder.encode_with_prefix(raw, &base.content, encoded);
        Ok(u32::try_from(block.bytes.len()).unwrap_or(u32::MAX))
    }

    /// Encodes `raw`, checks that it decodes to the same, and appends it to `writer`.
    ///
    /// Shape: with a `base`, what `raw` has in common with it is left out.
    /// Compression libraries and memory have corrupted backups before: nothing relies on a block
    /// that has not been decoded once (`docs/guarantees.md`).
    pub fn append(
        &mut self,
        raw: &[u8],
        base: Option<&Base>,
        objects: &[BlockObject],
        writer: &PackWriter,
    ) -> Result<(), StoreError> {
        let Self { level, contexts, encoded, decoded } = self;
        let (encoder, decoder) = contexts_of(contexts, *level)?;
        let prefix = base.map_or(&[][..], |base| &base.content);
        let block = match base {
            Some(_) => encoder.encode_with_prefix(raw, prefix, encoded),
            None => encoder.encode(raw, encoded),
        };
        let summary = block.summary(base.map(|base| (base.id, base.depth)));
        if block.codec != Codec::Stored {
            decoder
                .decode(&BlockRow::at(0, summary), block.bytes, prefix, decoded)
                .ok()
                .filter(|decoded| *decoded == raw)
                .ok_or(StoreError::EncodeMismatch)?;
        }
        writer.append(summary, block.bytes, objects)
    }
}

/// Makes the contexts when they are needed first.
fn contexts_of(
    contexts: &mut Option<(Encoder, Decoder)>,
    level: i32,
) -> Result<&mut (Encoder, Decoder), StoreError> {
    match contexts {
        Some(contexts) => Ok(contexts),
        None => {
            let made = Encoder::new(level).zip(Decoder::new());
            Ok(contexts.insert(made.ok_or(StoreError::OutOfMemory)?))
        }
    }
}

impl std::fmt::Debug for BlockEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BlockEncoder")
    }
}

/// Collects small objects until their shared block is worth encoding.
#[derive(Debug, Default)]
pub(super) struct BlockBuilder {
    raw: Vec<u8>,
    objects: Vec<BlockObject>,
}

impl BlockBuilder {
    /// Takes one object; its bytes must hash to `id`, or be a chunk map for it.
    pub fn push(&mut self, id: ObjectId, kind: ObjectKind, content: &[u8]) {
        let bytes = u32::try_from(content.len()).expect("callers keep objects below a block");
        self.raw.extend_from_slice(content);
        self.objects.push(BlockObject { id, kind, bytes });
    }

    /// Tells whether nothing was pushed since the last flush.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Tells whether the block has reached its usual size.
    pub fn is_full(&self) -> bool {
        let holds_records =
            self.objects.first().is_some_and(|object| KindSet::RECORDS.contains(object.kind));
        let usual =
            if holds_records { limits::RECORDS_BLOCK_BYTES } else { limits::SHARED_BLOCK_BYTES };
        self.raw.len() >= usual
    }

    /// Encodes and appends what was collected, if anything, and starts anew.
    pub fn flush(
        &mut self,
        encoder: &mut BlockEncoder,
        writer: &PackWriter,
    ) -> Result<(), StoreError> {
        if !self.objects.is_empty() {
            encoder.append(&self.raw, None, &self.objects, writer)?;
            self.raw.clear();
            self.objects.clear();
        }
        Ok(())
    }
}
