//! How fast the ends of chunks are found.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput};
use provenance::format::chunk::{self, ChunkLimits};
use provenance::format::tensor::{self, TensorLimits};

use crate::samples;

const CONTENT_BYTES: usize = 16 << 20;
const TENSORS: u64 = 201;
const TENSOR_BYTES: u64 = 10 << 20;

/// Measures content-defined cuts on three kinds of content, and cuts at tensors.
pub fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("chunk");
    group.throughput(Throughput::Bytes(CONTENT_BYTES as u64));
    let kinds = [
        ("noise", samples::noise(CONTENT_BYTES)),
        ("table", samples::table(CONTENT_BYTES)),
        ("weights", samples::weights(CONTENT_BYTES)),
    ];
    for (kind, content) in &kinds {
        group.bench_function(format!("{kind}, 16 MiB"), |b| {
            b.iter(|| chunk::cut_points(black_box(content), ChunkLimits::DEFAULT).count());
        });
    }
    group.throughput(Throughput::Elements(TENSORS));
    let header = safetensors_header();
    let file_bytes = header.len() as u64 + TENSORS * TENSOR_BYTES;
    group.bench_function("tensors of a safetensors header", |b| {
        b.iter(|| tensor::cut_points(black_box(&header), file_bytes, TensorLimits::DEFAULT));
    });
    group.finish();
}

fn safetensors_header() -> Vec<u8> {
    let mut json = String::from("{");
    for number in 0..TENSORS {
        let (start, end) = (number * TENSOR_BYTES, (number + 1) * TENSOR_BYTES);
        let separator = if number == 0 { "" } else { "," };
        write!(
            json,
            "{separator}\"model.layers.{number}.weight\":{{\"dtype\":\"BF16\",\
             \"shape\":[{}],\"data_offsets\":[{start},{end}]}}",
            TENSOR_BYTES / 2
        )
        .expect("a String takes what is written");
    }
    json.push('}');
    let length = json.len() as u64;
    [&length.to_le_bytes()[..], json.as_bytes()].concat()
}
