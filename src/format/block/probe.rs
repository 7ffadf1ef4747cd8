//! Finds out quickly whether bytes are worth compressing.
//!
//! Looks at a few KiB of a block, however large it is. The codecs between which it decides are
//! specified in `docs/format/pack.md`; how well it guesses, and what it costs, is measured in
//! `docs/decisions/0003-incompressible-data.md`.

/// Fewest bytes that are looked at; less is not worth a guess, because trying is as quick.
const RAW_BYTES_MIN: usize = 4096;
const SAMPLE_COUNT: usize = 8;
const SAMPLE_BYTES: usize = 256;
const SAMPLED_BYTES: usize = SAMPLE_COUNT * SAMPLE_BYTES;
/// Windows in which repetitions are looked for.
const WINDOW_COUNT: usize = 2;
const WINDOW_BYTES: usize = 4096;
/// A window repeats itself if one byte in this many is part of a repetition.
const REPEATED_PART_MIN: usize = 12;
const TABLE_BITS: u32 = 11;

/// Guesses whether compressing `raw` saves enough to be worth its time.
///
/// Shape: text, tables, JSON, code and dictionary-coded columns are; weights, images and what is
/// compressed already are not, even where coding single bytes would save a fifth, as it would of
/// weights in bf16. A guess: either answer only costs time or space.
/// Cost: about 1 µs for noise and text, 3 to 6 µs for what is neither.
pub fn probe(raw: &[u8]) -> bool {
    if raw.len() < RAW_BYTES_MIN {
        return true;
    }
    match distribution(raw) {
        Distribution::Even => false,
        Distribution::Peaked => true,
        Distribution::Uneven => windows(raw, WINDOW_COUNT, WINDOW_BYTES).any(repeats),
    }
}

/// How often the byte values occur, whatever their order.
#[derive(Debug, PartialEq, Eq)]
enum Distribution {
    /// As in noise: compressed, encrypted.
    Even,
    /// Some bytes say little, others much: weights, machine code, packed integers.
    Uneven,
    /// Every byte is one of few values, as in text.
    Peaked,
}

/// Judges bytes at even and at odd offsets apart: every other byte of a weight is noise.
fn distribution(raw: &[u8]) -> Distribution {
    let mut counts = [[0u32; 256]; 2];
    let [even, odd] = &mut counts;
    for sample in windows(raw, SAMPLE_COUNT, SAMPLE_BYTES) {
        for pair in sample.chunks_exact(2) {
            let &[first, second] = pair else { continue };
            count(even, first);
            count(odd, second);
        }
    }
    let both = even.iter().zip(odd.iter()).map(|(first, second)| first + second);
    if peak_percent(both, SAMPLED_BYTES) < 108 {
        Distribution::Even
    } else if counts.iter().all(|half| peak_percent(half.iter().copied(), SAMPLED_BYTES / 2) > 350)
    {
        Distribution::Peaked
    } else {
        Distribution::Uneven
    }
}

/// Estimates how likely two bytes are the same, in percent of the 1 in 256 of noise.
///
/// Noise has 100 ± 1.1 at 2,048 bytes; 16 equally likely values have 1,600.
fn peak_percent(counts: impl Iterator<Item = u32>, sampled: usize) -> u64 {
    let pairs: u64 =
        counts.map(|count| u64::from(count) * u64::from(count.saturating_sub(1))).sum();
    let sampled = sampled as u64;
    pairs * 256 * 100 / (sampled * (sampled - 1))
}

fn count(counts: &mut [u32; 256], byte: u8) {
    if let Some(count) = counts.get_mut(usize::from(byte)) {
        *count += 1;
    }
}

/// Gives `count` windows of `bytes` each, spread evenly; fewer if `raw` is too small.
fn windows(raw: &[u8], count: usize, bytes: usize) -> impl Iterator<Item = &[u8]> {
    let room = raw.len().saturating_sub(bytes);
    (0..count).filter_map(move |number| {
        let start = room / count * number + room / count / 2;
        raw.get(start..start.checked_add(bytes)?)
    })
}

/// Looks for repeated runs of six bytes and more, hurrying where there are none.
fn repeats(window: &[u8]) -> bool {
    let mut last = [0u16; 1 << TABLE_BITS];
    let (mut at, mut repeated, mut misses) = (0, 0, 0);
    while let Some(word) = word_at(window, at) {
        let slot = slot(word);
        let before = last.get(slot).copied().map_or(0, usize::from);
        if let (Some(entry), Ok(position)) = (last.get_mut(slot), u16::try_from(at)) {
            *entry = position;
        }
        if before < at && word_at(window, before) == Some(word) {
            repeated += 6;
            at += 6;
            misses = 0;
        } else {
            misses += 1;
            at += 1 + misses / 64;
        }
    }
    repeated * REPEATED_PART_MIN > window.len()
}

/// Reads the six bytes at an offset, in a word whose other bytes are zero.
fn word_at(window: &[u8], at: usize) -> Option<u64> {
    window.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes) << 16)
}

fn slot(word: u64) -> usize {
    // The 64-bit golden ratio (Knuth, The Art of Computer Programming 3, §6.4).
    let mixed = word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - TABLE_BITS);
    usize::try_from(mixed).unwrap_or_default()
}
