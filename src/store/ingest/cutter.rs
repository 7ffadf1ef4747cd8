//! Where a file is cut: at its tensors if it is a safetensors file, else where its content says so.

use crate::format::chunk::{ChunkLimits, Chunker};
use crate::format::tensor::{self, TensorLimits};

/// Finds the end of one chunk after the other.
#[derive(Debug)]
pub(in crate::store) struct Cutter {
    /// Where tensors end, from the start of the file, those that are still to come.
    ends: std::vec::IntoIter<u64>,
    /// Where the next chunk begins, from the start of the file.
    position: u64,
    chunker: Chunker,
}

impl Cutter {
    /// Largest chunk, in bytes: a piece of a tensor may have a quarter more than its usual size.
    pub const CHUNK_BYTES_MAX: usize = {
        let piece = TensorLimits::DEFAULT.piece_bytes as usize;
        let (tensor, content) = (piece + piece / 4, ChunkLimits::DEFAULT.max_bytes() as usize);
        if tensor > content { tensor } else { content }
    };

    /// Looks at the start of a file that is `file_bytes` long.
    ///
    /// Shape: a header of tensors counts only if `start` holds all of it.
    pub fn new(start: &[u8], file_bytes: u64) -> Self {
        let ends = tensor::header_bytes(start, file_bytes)
            .and_then(|bytes| start.get(..usize::try_from(bytes).ok()?))
            .and_then(|header| tensor::cut_points(header, file_bytes, TensorLimits::DEFAULT).ok())
            .unwrap_or_default();
        let chunker = Chunker::new(ChunkLimits::DEFAULT);
        Self { ends: ends.into_iter(), position: 0, chunker }
    }

    /// Length of the chunk that begins with `content`; none if it does not end in there yet.
    ///
    /// Shape: `content` is not empty, and continues what was given when no end was found; with
    /// `is_last` it reaches to the end of the file, and then there always is an answer.
    pub fn cut(&mut self, content: &[u8], is_last: bool) -> Option<usize> {
        let found = match self.ends.as_slice().first() {
            Some(&end) => {
                let bytes = usize::try_from(end - self.position).ok();
                bytes.filter(|&bytes| bytes <= content.len())
            }
            // No tensors, or the file has grown since its header was read.
            None => {
                let seen = self.chunker.seen_bytes() as usize;
                self.chunker.next_cut(content.get(seen..)?).map(|bytes| seen + bytes)
            }
        };
        let bytes = found.or_else(|| is_last.then_some(content.len()))?;
        self.position += bytes as u64;
        if self.ends.as_slice().first() == Some(&self.position) {
            self.ends.next();
        }
        Some(bytes)
    }
}
