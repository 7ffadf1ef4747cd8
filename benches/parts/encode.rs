//! How fast blocks are compressed, found incompressible, and decoded.

use std::hint::black_box;

use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use provenance::format::block::{Codec, Decoder, Encoder};
use provenance::format::pack::BlockRow;

use crate::samples;

const BLOCK_BYTES: usize = 1 << 20;

/// Measures blocks of 1 MiB of three kinds, and a block after its former version.
pub fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    group.throughput(Throughput::Bytes(BLOCK_BYTES as u64));
    let kinds = [
        ("noise", samples::noise(BLOCK_BYTES)),
        ("table", samples::table(BLOCK_BYTES)),
        ("weights", samples::weights(BLOCK_BYTES)),
    ];
    for (kind, raw) in &kinds {
        for level in [1, 3] {
            encode(&mut group, &format!("{kind}, level {level}"), raw, level);
        }
    }
    let (_, table) = &kinds[1];
    encode_after(&mut group, table);
    decode(&mut group, table);
    group.finish();
}

fn encode(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, raw: &[u8], level: i32) {
    let mut encoder = Encoder::new(level).expect("memory for an encoder");
    let mut buffer = Vec::new();
    group.bench_function(name, |b| {
        b.iter(|| encoder.encode(black_box(raw), &mut buffer).bytes.len());
    });
}

/// Measures one edit in the middle of a block, with the block before the edit as prefix.
fn encode_after(group: &mut BenchmarkGroup<'_, WallTime>, before: &[u8]) {
    let mut after = before.to_vec();
    after.splice(BLOCK_BYTES / 2..BLOCK_BYTES / 2 + 10, *b"an edit here");
    let mut encoder = Encoder::new(3).expect("memory for an encoder");
    let mut buffer = Vec::new();
    group.bench_function("table with an edit, after its former version", |b| {
        b.iter(|| encoder.encode_with_prefix(black_box(&after), before, &mut buffer).bytes.len());
    });
}

fn decode(group: &mut BenchmarkGroup<'_, WallTime>, raw: &[u8]) {
    let mut buffer = Vec::new();
    let mut encoder = Encoder::new(3).expect("memory for an encoder");
    let encoded = encoder.encode(raw, &mut buffer);
    assert_eq!(encoded.codec, Codec::Zstd, "a table is worth compressing");
    let row = BlockRow::at(16, encoded.summary(None));
    let mut decoder = Decoder::new().expect("memory for a decoder");
    let mut space = Vec::new();
    group.bench_function("decode, table", |b| {
        b.iter(|| {
            let decoded = decoder.decode(&row, black_box(encoded.bytes), &[], &mut space);
            decoded.expect("what was encoded").len()
        });
    });
}
