//! How fast a log is searched for secrets: without, and with names that need a second look.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use provenance::capture::redact::LogRedactor;

const PIECE_BYTES: usize = 64 << 10;
const PIECES: usize = 64;

const PLAIN: &str =
    "2026-01-01 12:00:00 INFO step 1200/10000 loss=0.3124 lr=3e-4 1.23 it/s eta 00:12\n";
const NAMES: &str = "2026-01-01 12:00:00 INFO step 1200 loss=0.3124 tokens/s: 12345.6 key_dim=64\n";
const BAR: &str = "Epoch 3:  57%|#####7    | 535/938 [00:12<00:09, 42.31it/s, loss=0.0312]\r";

/// Measures one thread over logs of three kinds.
pub fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("redact");
    group.throughput(Throughput::Bytes((PIECE_BYTES * PIECES) as u64));
    for (name, line) in [("plain lines", PLAIN), ("lines with names", NAMES), ("a bar", BAR)] {
        let piece: Vec<u8> = line.bytes().cycle().take(PIECE_BYTES).collect();
        group.bench_function(name, |b| {
            b.iter(|| {
                let (mut redactor, mut clean) = (LogRedactor::new(), Vec::new());
                for _ in 0..PIECES {
                    clean.clear();
                    redactor.push(black_box(&piece), &mut clean);
                }
                redactor.finish(&mut clean);
                clean.len()
            });
        });
    }
    group.finish();
}
