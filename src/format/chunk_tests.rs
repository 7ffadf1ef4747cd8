//! Cut points against the plain rules, across pieces, and after edits.

use super::*;
use crate::object::ObjectId;

fn noise(bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    blake3::Hasher::new_derive_key("noise of a test").finalize_xof().fill(&mut noise);
    noise
}

fn chunks(data: &[u8], limits: ChunkLimits) -> Vec<&[u8]> {
    let mut start = 0;
    let ends = cut_points(data, limits);
    ends.map(|end| &data[std::mem::replace(&mut start, end)..end]).collect()
}

/// The rules of `docs/format/chunk.md` without any haste.
fn plain_cut(data: &[u8], limits: ChunkLimits) -> usize {
    let bits = limits.average_bytes.trailing_zeros();
    for end in 1..=data.len().min(limits.max_bytes as usize) {
        let window = &data[end.saturating_sub(64)..end];
        let hash = window.iter().fold(0, |hash, byte| GEAR.roll(hash, *byte));
        let bits = if end as u32 <= limits.average_bytes { bits + 2 } else { bits - 2 };
        if end as u32 >= limits.min_bytes && hash & mask(bits) == 0 {
            return end;
        }
    }
    data.len().min(limits.max_bytes as usize)
}

#[test]
fn the_quick_scan_cuts_where_the_plain_rules_do() {
    let data = noise(1 << 20);
    for limits in [ChunkLimits::around(8), ChunkLimits::around(12), ChunkLimits::DEFAULT] {
        let mut start = 0;
        for end in cut_points(&data, limits) {
            assert_eq!(end, start + plain_cut(&data[start..], limits), "{limits:?}");
            start = end;
        }
        assert_eq!(start, data.len());
    }
}

#[test]
fn lengths_are_within_the_limits_and_near_the_average() {
    let data = noise(16 << 20);
    for limits in [ChunkLimits::around(12), ChunkLimits::DEFAULT] {
        let chunks = chunks(&data, limits);
        let (_, but_last) = chunks.split_last().expect("some chunks");
        for chunk in but_last {
            let range = limits.min_bytes as usize..=limits.max_bytes as usize;
            assert!(range.contains(&chunk.len()), "{}", chunk.len());
        }
        let average = data.len() / chunks.len();
        let wanted = limits.average_bytes as usize;
        assert!((wanted * 4 / 5..wanted * 3 / 2).contains(&average), "{average} for {wanted}");
    }
}

#[test]
fn pieces_make_no_difference() {
    let data = noise(300_000);
    let limits = ChunkLimits::around(10);
    let whole: Vec<_> = cut_points(&data, limits).collect();
    for piece_bytes in [1, 7, 63, 64, 65, 1000, 4096, 100_000] {
        let mut chunker = Chunker::new(limits);
        let (mut at, mut ends) = (0, Vec::new());
        for mut piece in data.chunks(piece_bytes) {
            while let Some(taken) = chunker.next_cut(piece) {
                at += taken;
                ends.push(at);
                piece = &piece[taken..];
            }
            at += piece.len();
        }
        if chunker.seen_bytes() > 0 {
            ends.push(at);
        }
        assert_eq!(ends, whole, "pieces of {piece_bytes}");
    }
}

#[test]
fn an_edit_changes_few_chunks() {
    let old = noise(4 << 20);
    let mut new = old.clone();
    new.splice(1_000_000..1_000_010, *b"inserted here, longer than it was");
    new[3_000_000] ^= 1;
    let limits = ChunkLimits::around(14);
    let (old, new) = (chunks(&old, limits), chunks(&new, limits));
    let changed = new.iter().filter(|chunk| !old.contains(chunk)).count();
    assert!((2..=6).contains(&changed), "{changed} of {}", new.len());
}

#[test]
fn what_never_changes_is_cut_at_the_most() {
    let limits = ChunkLimits::around(12);
    for byte in [0, b' ', 0xFF] {
        let data = vec![byte; 100_000];
        let lengths: Vec<_> = chunks(&data, limits).iter().map(|chunk| chunk.len()).collect();
        assert!(lengths.iter().all(|length| *length <= 16_384), "{lengths:?}");
        assert_eq!(lengths.iter().sum::<usize>(), data.len());
    }
    assert_eq!(cut_points(b"", limits).count(), 0);
    assert_eq!(cut_points(b"x", limits).collect::<Vec<_>>(), [1]);
}

#[test]
fn the_gear_table_is_the_one_of_the_page() {
    assert_eq!(GEAR.single[0], 0x8B3F_0305_29BA_B261);
    let all: Vec<u8> = GEAR.single.iter().flat_map(|number| number.to_le_bytes()).collect();
    let hash = "09a6287bd37db1af3bccabd6fb838f4ff88b373df5022176e4df731a6f05e874";
    assert_eq!(ObjectId::of(&all).to_string(), hash);
}
