//! How the raw bytes of one block become the bytes in a pack, and back.
//!
//! Specified in `docs/format/pack.md`, "Blocks".

/// Names how a block was encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// The raw bytes themselves.
    Stored,
    /// One zstd frame.
    Zstd,
    /// One zstd frame that continues the content of another object.
    ZstdPrefix,
}

impl Codec {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Stored => 0,
            Self::Zstd => 1,
            Self::ZstdPrefix => 2,
        }
    }

    pub(crate) const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Stored),
            1 => Some(Self::Zstd),
            2 => Some(Self::ZstdPrefix),
            _ => None,
        }
    }
}
