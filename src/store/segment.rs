//! The bytes of one segment of an index: a derived file, or what was just built.
//!
//! A segment is named after the hash of its bytes, is created whole and never changes. What cannot
//! be read is [`Stale`]; whether it is what was written is checked by whoever knows its format.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt as _;

use crate::object::ObjectId;

use super::cache::{Cache, Stale, open_plain};

/// Tells one segment from all others: 128 bits of the hash of its bytes.
pub(super) type SegmentName = [u8; 16];

/// Where the bytes are.
#[derive(Debug)]
pub(super) enum SegmentBytes {
    /// In a file of so many bytes.
    File(File, u64),
    /// In memory.
    Held(Vec<u8>),
}

impl SegmentBytes {
    /// Opens a derived file.
    pub fn open(cache: &Cache, file: &str) -> Result<Self, Stale> {
        let path = cache.path(file).ok_or(Stale)?;
        let file = open_plain(OpenOptions::new().read(true), &path).map_err(|_| Stale)?;
        let length = file.metadata().map_err(|_| Stale)?.len();
        Ok(Self::File(file, length))
    }

    /// Counts them.
    pub fn length(&self) -> u64 {
        match self {
            Self::File(_, length) => *length,
            Self::Held(held) => held.len() as u64,
        }
    }

    /// Reads a stretch; one that does not lie within is refused before memory is taken for it.
    pub fn read(&self, offset: u64, bytes: u64) -> Result<Vec<u8>, Stale> {
        let end = offset.checked_add(bytes).filter(|end| *end <= self.length()).ok_or(Stale)?;
        let bytes = usize::try_from(bytes).map_err(|_| Stale)?;
        match self {
            Self::File(file, _) => {
                let mut read = vec![0; bytes];
                file.read_exact_at(&mut read, offset).map_err(|_| Stale)?;
                Ok(read)
            }
            Self::Held(held) => {
                let place = |at| usize::try_from(at).map_err(|_| Stale);
                held.get(place(offset)?..place(end)?).map(<[u8]>::to_vec).ok_or(Stale)
            }
        }
    }
}

/// Keeps a segment in a derived file, if that is possible, and gives its name.
pub(super) fn save(
    cache: &Cache,
    bytes: &[u8],
    file_of: impl Fn(&SegmentName) -> String,
) -> SegmentName {
    let id = ObjectId::of(bytes);
    let name = id.as_bytes().first_chunk().copied().unwrap_or_default();
    cache.save(&file_of(&name), bytes);
    name
}

/// Removes the derived file of a segment.
pub(super) fn remove(cache: &Cache, file: &str) {
    if let Some(path) = cache.path(file) {
        let _gone_already = fs::remove_file(path);
    }
}
