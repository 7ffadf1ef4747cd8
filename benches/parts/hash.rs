//! How fast content becomes an id, a SHA-256, or both.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use provenance::object::{ContentHasher, ObjectId, Sha256};

use crate::samples;

const LARGE_BYTES: usize = 16 << 20;
const PIECE_BYTES: usize = 128 << 10;

/// Measures one thread over large content, and the cost of a small file.
pub fn bench(criterion: &mut Criterion) {
    let content = samples::noise(LARGE_BYTES);
    let mut group = criterion.benchmark_group("hash");
    group.throughput(Throughput::Bytes(LARGE_BYTES as u64));
    group.bench_function("id, 16 MiB", |b| b.iter(|| ObjectId::of(black_box(&content))));
    group.bench_function("sha256, 16 MiB", |b| b.iter(|| Sha256::of(black_box(&content))));
    group.bench_function("both, 16 MiB in pieces of 128 KiB", |b| {
        b.iter(|| {
            let mut hasher = ContentHasher::new();
            black_box(&content).chunks(PIECE_BYTES).for_each(|piece| hasher.update(piece));
            hasher.finish()
        });
    });
    for bytes in [200, 8 << 10] {
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(format!("both, {bytes} bytes"), |b| {
            b.iter(|| {
                let mut hasher = ContentHasher::new();
                hasher.update(black_box(&content[..bytes]));
                hasher.finish()
            });
        });
    }
    group.finish();
}
