//! Where a file is cut: where its content says so.

use crate::format::chunk::{ChunkLimits, Chunker};

/// Finds the end of one chunk after the other.
#[derive(Debug)]
pub(in crate::store) struct Cutter {
    chunker: Chunker,
}

impl Cutter {
    /// Largest chunk, in bytes.
    pub const CHUNK_BYTES_MAX: usize = ChunkLimits::DEFAULT.max_bytes() as usize;

    /// Starts at the beginning of a file.
    pub fn new() -> Self {
        Self { chunker: Chunker::new(ChunkLimits::DEFAULT) }
    }

    /// Length of the chunk that begins with `content`; none if it does not end in there yet.
    ///
    /// Shape: `content` is not empty, and continues what was given when no end was found; with
    /// `is_last` it reaches to the end of the file, and then there always is an answer.
    pub fn cut(&mut self, content: &[u8], is_last: bool) -> Option<usize> {
        let seen = self.chunker.seen_bytes() as usize;
        match self.chunker.next_cut(content.get(seen..)?) {
            Some(bytes) => Some(seen + bytes),
            None => is_last.then_some(content.len()),
        }
    }
}
