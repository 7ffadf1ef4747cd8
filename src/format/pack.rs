//! The names and numbers of a pack, and the two rows of its footer index.
//!
//! Building a footer is in `footer`, the trailer in `trailer`, reading in `index` and the full
//! check in `verify`. Specified in `docs/format/pack.md`.

mod footer;
mod index;
mod trailer;
mod verify;

use std::fmt;

pub use footer::{BuildError, FooterBuilder, PackTail};
pub use index::PackIndex;
pub use trailer::{Trailer, check_header, header};

use crate::format::block::Codec;
use crate::object::{IdError, ObjectId};

/// Bytes before the first block.
pub const HEADER_BYTES: usize = 16;
/// Bytes after the footer index; the last bytes of every pack.
pub const TRAILER_BYTES: usize = 96;
/// Most raw bytes in one block, which bounds what a reader allocates.
pub const BLOCK_RAW_BYTES_MAX: u32 = 16 << 20;
/// Most bases that must be decoded, one from the other, before a block can be.
pub const BASE_DEPTH_MAX: u8 = 32;

const VERSION: u16 = 1;
const HEADER_MAGIC: &[u8; 8] = b"PROVPACK";
const TRAILER_MAGIC: &[u8; 8] = b"KCAPVORP";
const BLOCK_ROW_BYTES: usize = 28;
const ID_BYTES: usize = 32;
const FAN_OUT_BYTES: usize = 256 * 4;
const OBJECT_ROW_BYTES: usize = 16;

/// Tells what a pack may hold, so that records can be kept and fetched without the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PackClass {
    /// Trees, commits, signatures and attachments.
    Records,
    /// Blobs, chunks and chunk maps.
    Data,
}

impl PackClass {
    /// Gives the word that begins a pack's file name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Data => "data",
        }
    }

    /// Gives the kinds that a pack of this class may hold.
    pub const fn kinds(self) -> KindSet {
        match self {
            Self::Records => KindSet::RECORDS,
            Self::Data => KindSet::DATA,
        }
    }

    const fn code(self) -> u8 {
        match self {
            Self::Records => 1,
            Self::Data => 2,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Records),
            2 => Some(Self::Data),
            _ => None,
        }
    }
}

/// Tells what the bytes of a stored object are.
///
/// All but [`ObjectKind::ChunkMap`] are content: their BLAKE3 is their id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// The bytes of a file, held whole.
    Blob,
    /// A node of a directory.
    Tree,
    /// A commit's record.
    Commit,
    /// A signature over another object.
    Signature,
    /// A document that records name: environment, log, metric series.
    Attachment,
    /// A piece of a large blob, or of the list of its pieces.
    Chunk,
    /// How a large blob is put together; its row carries the id of the blob.
    ChunkMap,
}

impl ObjectKind {
    /// Every kind, in the order of their codes.
    pub const ALL: [Self; 7] = [
        Self::Blob,
        Self::Tree,
        Self::Commit,
        Self::Signature,
        Self::Attachment,
        Self::Chunk,
        Self::ChunkMap,
    ];

    /// Gives the class of the packs that hold this kind.
    pub const fn class(self) -> PackClass {
        if KindSet::DATA.contains(self) { PackClass::Data } else { PackClass::Records }
    }

    const fn code(self) -> u8 {
        match self {
            Self::Blob => 1,
            Self::Tree => 2,
            Self::Commit => 3,
            Self::Signature => 4,
            Self::Attachment => 5,
            Self::Chunk => 6,
            Self::ChunkMap => 7,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Blob),
            2 => Some(Self::Tree),
            3 => Some(Self::Commit),
            4 => Some(Self::Signature),
            5 => Some(Self::Attachment),
            6 => Some(Self::Chunk),
            7 => Some(Self::ChunkMap),
            _ => None,
        }
    }
}

/// Names the kinds that a look-up accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindSet(u8);

impl KindSet {
    /// Every kind.
    pub const ALL: Self = Self::RECORDS.or(Self::DATA);
    /// Every kind whose id is the hash of its bytes.
    pub const CONTENT: Self = Self::ALL.without(ObjectKind::ChunkMap);
    /// The kinds of records packs.
    pub const RECORDS: Self = Self::only(ObjectKind::Tree)
        .or(Self::only(ObjectKind::Commit))
        .or(Self::only(ObjectKind::Signature))
        .or(Self::only(ObjectKind::Attachment));
    /// The kinds of data packs.
    pub const DATA: Self = Self::only(ObjectKind::Blob)
        .or(Self::only(ObjectKind::Chunk))
        .or(Self::only(ObjectKind::ChunkMap));

    /// Accepts one kind.
    pub const fn only(kind: ObjectKind) -> Self {
        Self(1 << kind.code())
    }

    /// Accepts what either accepts.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Tells whether `kind` is accepted.
    pub const fn contains(self, kind: ObjectKind) -> bool {
        self.0 & Self::only(kind).0 != 0
    }

    const fn without(self, kind: ObjectKind) -> Self {
        Self(self.0 & !Self::only(kind).0)
    }
}

/// Names a pack: the BLAKE3 of its header, its footer and the first part of its trailer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackId(ObjectId);

impl PackId {
    /// Takes the 32 bytes of an id.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(ObjectId::from_bytes(bytes))
    }

    /// Gives the 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Reads 64 lower-case hexadecimal digits.
    pub fn parse(hex: &str) -> Result<Self, IdError> {
        ObjectId::parse(hex).map(Self)
    }
}

impl fmt::Display for PackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for PackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PackId({self})")
    }
}

/// Counts blocks of one pack from 0, in the order of their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockPosition(pub u32);

/// Counts objects of one pack from 0, in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectPosition(pub u32);

/// Tells where a block is and how to decode it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRow {
    /// First byte in the file.
    pub offset: u64,
    /// Length in the file.
    pub encoded_bytes: u32,
    /// Length once decoded.
    pub raw_bytes: u32,
    /// CRC-32 (IEEE) of the encoded bytes.
    pub check: u32,
    /// How the raw bytes were encoded.
    pub codec: Codec,
    /// How many bases must be decoded first.
    pub depth: u8,
    /// The object whose content is the prefix, for [`Codec::ZstdPrefix`] only.
    pub base: Option<ObjectId>,
}

/// What a writer knows of a block before it knows where the block goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockSummary {
    /// Length in the file.
    pub encoded_bytes: u32,
    /// Length once decoded.
    pub raw_bytes: u32,
    /// CRC-32 (IEEE) of the encoded bytes.
    pub check: u32,
    /// How the raw bytes were encoded.
    pub codec: Codec,
    /// How many bases must be decoded first.
    pub depth: u8,
    /// The object whose content is the prefix, for [`Codec::ZstdPrefix`] only.
    pub base: Option<ObjectId>,
}

impl BlockSummary {
    /// Tells what no block may be, or nothing.
    ///
    /// Source: `docs/format/pack.md`, "Blocks".
    pub(crate) fn defect(&self) -> Option<&'static str> {
        if self.raw_bytes > BLOCK_RAW_BYTES_MAX {
            return Some("a block is larger than 16 MiB");
        }
        let shrunk = self.encoded_bytes < self.raw_bytes;
        let sound = match self.codec {
            Codec::Stored => self.encoded_bytes == self.raw_bytes,
            Codec::Zstd | Codec::ZstdPrefix => shrunk,
        };
        if !sound {
            return Some("the length of a block does not fit its codec");
        }
        let based = self.base.is_some() && (1..=BASE_DEPTH_MAX).contains(&self.depth);
        let plain = self.base.is_none() && self.depth == 0;
        match self.codec {
            Codec::ZstdPrefix if !based => Some("a block with a prefix names no base"),
            Codec::Stored | Codec::Zstd if !plain => Some("a block without a prefix names a base"),
            _ => None,
        }
    }
}

impl BlockRow {
    /// Places a block in its file.
    pub const fn at(offset: u64, summary: BlockSummary) -> Self {
        let BlockSummary { encoded_bytes, raw_bytes, check, codec, depth, base } = summary;
        Self { offset, encoded_bytes, raw_bytes, check, codec, depth, base }
    }

    /// Gives what does not depend on where the block is, to copy it to another pack.
    pub const fn summary(&self) -> BlockSummary {
        BlockSummary {
            encoded_bytes: self.encoded_bytes,
            raw_bytes: self.raw_bytes,
            check: self.check,
            codec: self.codec,
            depth: self.depth,
            base: self.base,
        }
    }
}

/// Tells in which block an object is, and where once the block is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectRow {
    /// Its id; of a chunk map, the id of the blob.
    pub id: ObjectId,
    /// What its bytes are.
    pub kind: ObjectKind,
    /// The block that holds it.
    pub block: BlockPosition,
    /// First byte in the raw block.
    pub offset: u32,
    /// Length.
    pub bytes: u32,
}

#[cfg(test)]
#[path = "pack_tests.rs"]
mod tests;
