//! Where a large file is cut, so that equal parts of two versions become equal chunks.
//!
//! How the chunks are put together again is in [`map`]. Specified in `docs/format/chunk.md`; the
//! average was chosen in `docs/decisions/0002-chunk-average.md`.

pub mod map;

use std::sync::LazyLock;

use super::pack::BLOCK_RAW_BYTES_MAX;

/// Bytes that decide whether a chunk ends after them.
const WINDOW_BYTES: u32 = 64;
/// How many bits more are asked for before the average, and less after it.
///
/// Source: Xia et al., FastCDC, USENIX ATC 2016, §3.4 (normalised chunking).
const NORMALISATION_BITS: u32 = 2;
/// Bytes that one lane of the wide scan looks at before both lanes go on.
const LANE_BYTES: usize = 512;
/// Names what the gear table is derived from (`docs/format/chunk.md`, "Gear table").
const GEAR_CONTEXT: &str = "provenance 2026-11-23 gear table of the chunker";

/// Bounds the length of chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkLimits {
    min_bytes: u32,
    average_bytes: u32,
    max_bytes: u32,
}

impl ChunkLimits {
    /// What files are cut with unless somebody measured something better for them.
    ///
    /// Source: `docs/decisions/0002-chunk-average.md`.
    pub const DEFAULT: Self = Self::around(16);

    /// Sets the average to 2 to the power of `bits`, the least to a quarter and the most to four
    /// times of it.
    ///
    /// Units: `bits` from 8 to 22; others are taken for the nearest of these.
    pub const fn around(bits: u32) -> Self {
        let bits = if bits < 8 { 8 } else { bits };
        let average_bytes = 1 << if bits > 22 { 22 } else { bits };
        Self { min_bytes: average_bytes / 4, average_bytes, max_bytes: average_bytes * 4 }
    }

    /// Gives the fewest bytes of any chunk but the last of a file.
    pub const fn min_bytes(&self) -> u32 {
        self.min_bytes
    }

    /// Gives the bytes that chunks of noise have on average, roughly.
    pub const fn average_bytes(&self) -> u32 {
        self.average_bytes
    }

    /// Gives the most bytes of any chunk; never more than a block holds.
    pub const fn max_bytes(&self) -> u32 {
        self.max_bytes
    }
}

const _: () = assert!(ChunkLimits::around(22).max_bytes <= BLOCK_RAW_BYTES_MAX);
const _: () = assert!(ChunkLimits::around(8).min_bytes >= WINDOW_BYTES);

/// Random numbers for each byte value, and the same doubled, for every other byte.
struct Gear {
    single: [u64; 256],
    double: [u64; 256],
}

static GEAR: LazyLock<Gear> = LazyLock::new(|| {
    let mut reader = blake3::Hasher::new_derive_key(GEAR_CONTEXT).finalize_xof();
    let mut single = [0; 256];
    for number in &mut single {
        let mut bytes = [0; 8];
        reader.fill(&mut bytes);
        *number = u64::from_le_bytes(bytes);
    }
    Gear { single, double: single.map(|number| number << 1) }
});

/// Finds the ends of chunks in content that comes in pieces.
///
/// Where a chunk ends depends on where it began and on its own bytes; how the content is cut into
/// pieces makes no difference. Cost: no allocation; nothing of a piece is kept.
#[derive(Clone)]
pub struct Chunker {
    limits: ChunkLimits,
    gear: &'static Gear,
    hash: u64,
    /// Bytes of the current chunk that were seen.
    seen: u32,
}

impl Chunker {
    /// Starts at the beginning of a chunk.
    pub fn new(limits: ChunkLimits) -> Self {
        Self { limits, gear: &GEAR, hash: 0, seen: 0 }
    }

    /// Gives how many bytes were seen since the last cut.
    pub const fn seen_bytes(&self) -> u32 {
        self.seen
    }

    /// Goes on with the next piece, up to the end of the current chunk.
    ///
    /// Shape: `Some(n)` if the chunk ends after the first `n` bytes of `piece`, which then is to be
    /// called with the rest; `None` if it does not end in `piece`. The last chunk of a file ends
    /// with the file. Cost: about a cycle a byte, nothing for the first quarter of a
    /// chunk. Source: Xia et al., FastCDC, USENIX ATC 2016; `docs/format/chunk.md`.
    pub fn next_cut(&mut self, piece: &[u8]) -> Option<usize> {
        let ChunkLimits { min_bytes, average_bytes, max_bytes } = self.limits;
        let mut at = self.skip_to(min_bytes - WINDOW_BYTES, piece);
        let warm = self.take_to(min_bytes - 1, piece, &mut at);
        self.hash = warm.iter().fold(self.hash, |hash, byte| self.gear.roll(hash, *byte));
        let bits = average_bytes.trailing_zeros();
        for (end, bits) in
            [(average_bytes, bits + NORMALISATION_BITS), (max_bytes, bits - NORMALISATION_BITS)]
        {
            let start = at;
            let part = self.take_to(end, piece, &mut at);
            if let Some(found) = self.gear.scan(part, &mut self.hash, mask(bits)) {
                return Some(self.cut(start + found));
            }
        }
        (self.seen == max_bytes).then(|| self.cut(at))
    }

    fn cut(&mut self, at: usize) -> usize {
        (self.hash, self.seen) = (0, 0);
        at
    }

    fn skip_to(&mut self, target: u32, piece: &[u8]) -> usize {
        let mut at = 0;
        self.take_to(target, piece, &mut at);
        at
    }

    /// Takes from `piece` what brings `seen` nearer to `target`.
    fn take_to<'a>(&mut self, target: u32, piece: &'a [u8], at: &mut usize) -> &'a [u8] {
        let rest = piece.get(*at..).unwrap_or_default();
        let wanted = target.saturating_sub(self.seen);
        let length = u32::try_from(rest.len()).unwrap_or(u32::MAX).min(wanted);
        let part = rest.get(..length as usize).unwrap_or_default();
        self.seen += length;
        *at += part.len();
        part
    }
}

impl std::fmt::Debug for Chunker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chunker").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Selects `bits` bits of a hash, the highest but one, so that as many bytes as possible count.
const fn mask(bits: u32) -> u64 {
    ((1 << bits) - 1) << (63 - bits)
}

#[expect(clippy::indexing_slicing, reason = "a byte is an index of 256 numbers")]
impl Gear {
    fn roll(&self, hash: u64, byte: u8) -> u64 {
        (hash << 1).wrapping_add(self.single[usize::from(byte)])
    }

    /// Rolls over two bytes; the first result is doubled, and so compares to a doubled mask.
    fn roll_pair(&self, hash: u64, pair: [u8; 2]) -> (u64, u64) {
        let [first, second] = pair;
        let doubled = (hash << 2).wrapping_add(self.double[usize::from(first)]);
        (doubled, doubled.wrapping_add(self.single[usize::from(second)]))
    }

    /// Finds the first byte after which the bits of `mask` are zero; gives how many come up to it.
    ///
    /// Two lanes at once, because each waits for its own last result; measured 4.1 GB/s on a core
    /// of an EPYC 9005 against 2.0 for the plain loop.
    fn scan(&self, bytes: &[u8], hash: &mut u64, mask: u64) -> Option<usize> {
        let (blocks, rest) = bytes.as_chunks::<{ 2 * LANE_BYTES }>();
        for (number, block) in blocks.iter().enumerate() {
            match self.scan_lanes(block, *hash, mask) {
                Some(next) => *hash = next,
                None => {
                    let found = self.scan_narrow(block, hash, mask)?;
                    return Some(number * 2 * LANE_BYTES + found);
                }
            }
        }
        let found = self.scan_narrow(rest, hash, mask)?;
        Some(bytes.len() - rest.len() + found)
    }

    /// Rolls over a block; `None` if there is a cut somewhere in it.
    #[inline]
    fn scan_lanes(&self, block: &[u8; 2 * LANE_BYTES], hash: u64, mask: u64) -> Option<u64> {
        let (left, right) = block.split_at(LANE_BYTES);
        let (_, warm) = left.split_last_chunk::<{ WINDOW_BYTES as usize }>()?;
        let mut first = hash;
        let mut second = warm.iter().fold(0, |hash, byte| self.roll(hash, *byte));
        for (a, b) in left.as_chunks::<2>().0.iter().zip(right.as_chunks::<2>().0) {
            let (doubled, next) = self.roll_pair(first, *a);
            if doubled & (mask << 1) == 0 || next & mask == 0 {
                return None;
            }
            first = next;
            let (doubled, next) = self.roll_pair(second, *b);
            if doubled & (mask << 1) == 0 || next & mask == 0 {
                return None;
            }
            second = next;
        }
        Some(second)
    }

    fn scan_narrow(&self, bytes: &[u8], hash: &mut u64, mask: u64) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            *hash = self.roll(*hash, *byte);
            if *hash & mask == 0 {
                return Some(at + 1);
            }
        }
        None
    }
}

/// Splits `data`, held whole, into content-defined chunks.
///
/// Shape: any length; end offsets, strictly increasing, the last is `data.len()`; none for empty
/// input. Units: bytes, ends exclusive. Cost: as [`Chunker::next_cut`].
pub fn cut_points(data: &[u8], limits: ChunkLimits) -> CutPoints<'_> {
    CutPoints { rest: data, end: 0, chunker: Chunker::new(limits) }
}

/// Gives the ends of the chunks of some bytes; made by [`cut_points`].
#[derive(Debug, Clone)]
pub struct CutPoints<'a> {
    rest: &'a [u8],
    end: usize,
    chunker: Chunker,
}

impl Iterator for CutPoints<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.rest.is_empty() {
            return None;
        }
        let length = self.chunker.next_cut(self.rest).unwrap_or(self.rest.len());
        self.rest = self.rest.get(length..).unwrap_or_default();
        self.end += length;
        Some(self.end)
    }
}

#[cfg(test)]
#[path = "chunk_tests.rs"]
mod tests;
