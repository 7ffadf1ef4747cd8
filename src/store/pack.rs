//! One open pack: looked up through its footer, read block by block.

use std::sync::OnceLock;

use crate::format::layout;
use crate::format::pack::{HEADER_BYTES, PackIndex, TRAILER_BYTES, Trailer};
use crate::object::DecodeError;
use crate::storage::{Key, Source};

use super::StoreError;

/// Packs up to this length are read at once: that is quicker than two reads and a map. Bytes.
const WHOLE_BYTES_MAX: u64 = 64 << 10;

/// A pack whose ends have been read. The footer of a local pack is mapped, others are held.
#[derive(Debug)]
pub struct Pack {
    key: Key,
    source: Box<dyn Source>,
    header: [u8; HEADER_BYTES],
    trailer: Trailer,
    /// Footer and trailer, where the file is not mapped.
    tail: Option<Vec<u8>>,
    /// What the check of the footer's hash found, once somebody asked.
    defect: OnceLock<Option<DecodeError>>,
}

impl Pack {
    /// Reads header and trailer, and the footer unless the file is mapped.
    ///
    /// Errors: [`StoreError::Damaged`] if the file is no pack, or is truncated.
    pub fn open(key: Key, source: Box<dyn Source>) -> Result<Self, StoreError> {
        let mut header = [0; HEADER_BYTES];
        let mut trailer = [0; TRAILER_BYTES];
        let length = source.len();
        if length < (HEADER_BYTES + TRAILER_BYTES) as u64 {
            let error = DecodeError::new("pack", length, "the file is truncated");
            return Err(StoreError::damaged(&key, error));
        }
        let mut whole = Vec::new();
        if length <= WHOLE_BYTES_MAX {
            whole.resize(length as usize, 0);
            source.read_exact_at(0, &mut whole)?;
            header.copy_from_slice(&whole[..HEADER_BYTES]);
            trailer.copy_from_slice(&whole[whole.len() - TRAILER_BYTES..]);
        } else {
            source.read_exact_at(0, &mut header)?;
            source.read_exact_at(length - TRAILER_BYTES as u64, &mut trailer)?;
        }
        let trailer =
            Trailer::decode(&trailer).map_err(|error| StoreError::damaged(&key, error))?;
        let mut pack = Self { key, source, header, trailer, tail: None, defect: OnceLock::new() };
        let footer = usize::try_from(trailer.footer_offset).unwrap_or(usize::MAX);
        if !whole.is_empty() {
            pack.tail = Some(whole.get(footer..).ok_or_else(|| pack.past_end())?.to_vec());
        } else if pack.source.map().is_none() {
            pack.tail = Some(pack.read_tail()?);
        }
        pack.index()?;
        Ok(pack)
    }

    /// The pack's key in storage.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Length of the file in bytes.
    pub fn bytes(&self) -> u64 {
        self.source.len()
    }

    /// Counts its objects, as its trailer does.
    pub fn objects(&self) -> u64 {
        u64::from(self.trailer.object_count)
    }

    /// The footer, not yet checked as a whole: what it leads to must prove itself.
    pub fn index(&self) -> Result<PackIndex<&[u8]>, StoreError> {
        let tail = match (&self.tail, self.source.map()) {
            (Some(tail), _) => tail.as_slice(),
            (None, map) => map
                .zip(usize::try_from(self.trailer.footer_offset).ok())
                .and_then(|(map, start)| map.get(start..))
                .unwrap_or_default(),
        };
        PackIndex::parse(&self.header, tail, self.source.len()).map_err(|error| self.damaged(error))
    }

    /// The footer, whose hash was checked once, so that "not here" can be believed.
    pub fn verified_index(&self) -> Result<PackIndex<&[u8]>, StoreError> {
        let index = self.index()?;
        match self.defect.get_or_init(|| index.verify_hash().err()) {
            None => Ok(index),
            Some(error) => Err(self.damaged(error.clone())),
        }
    }

    /// Checks the name and every rule that concerns the footer.
    pub fn verify(&self) -> Result<(), StoreError> {
        let index = self.verified_index()?;
        index.verify().map_err(|error| self.damaged(error))?;
        let named = layout::parse_pack_name(self.key.as_str());
        match named == Some((index.class(), index.id())) {
            true => Ok(()),
            false => Err(self.damaged(DecodeError::new("pack", 0, "it has another pack's name"))),
        }
    }

    /// Fills `into` with the encoded bytes from `offset` on.
    ///
    /// Always a positioned read, never the map: what is read once through a map counts as memory
    /// of the process, and a page fault takes longer than the copy.
    pub fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), StoreError> {
        Ok(self.source.read_exact_at(offset, into)?)
    }

    /// Words for damage in this pack.
    pub fn damaged(&self, error: DecodeError) -> StoreError {
        StoreError::damaged(&self.key, error)
    }

    fn past_end(&self) -> StoreError {
        self.damaged(DecodeError::new("pack trailer", 0, "the footer lies past the end"))
    }

    /// Reads footer and trailer, whose length the file itself bounds.
    fn read_tail(&self) -> Result<Vec<u8>, StoreError> {
        let bytes = self
            .source
            .len()
            .checked_sub(self.trailer.footer_offset)
            .and_then(|bytes| usize::try_from(bytes).ok())
            .ok_or_else(|| self.past_end())?;
        let mut tail = vec![0; bytes];
        self.source.read_exact_at(self.trailer.footer_offset, &mut tail)?;
        Ok(tail)
    }
}
