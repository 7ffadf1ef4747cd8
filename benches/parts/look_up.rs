//! How fast an object is found in the footer index of a pack.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use provenance::format::block::Codec;
use provenance::format::pack::{
    BlockSummary, FooterBuilder, KindSet, ObjectKind, PackClass, PackIndex, PackTail, header,
};
use provenance::object::Prefix;

use crate::samples;

const OBJECTS: u32 = 1_000_000;
/// Objects that are looked for in turn: too many for the caches of a processor.
const ASKED: u32 = 100_000;
const BLOCK_OBJECTS: u32 = 250;
const OBJECT_BYTES: u32 = 4096;

/// Measures a pack of a million objects.
pub fn bench(criterion: &mut Criterion) {
    let tail = pack();
    let header = header(PackClass::Data);
    let open = || PackIndex::parse(&header, tail.bytes.as_slice(), tail.trailer.file_bytes);
    let index = open().expect("a sound pack");
    let asked: Vec<_> = (0..ASKED).map(|number| samples::id(number * 7919 % OBJECTS)).collect();
    let mut next = asked.iter().cycle();

    let mut group = criterion.benchmark_group("look-up");
    group.bench_function("open", |b| b.iter(open));
    group.bench_function("one that is there", |b| {
        b.iter(|| index.find(next.next().expect("a cycle"), KindSet::CONTENT));
    });
    group.bench_function("one that is not there", |b| {
        let absent = samples::id(OBJECTS);
        b.iter(|| index.find(black_box(&absent), KindSet::CONTENT));
    });
    group.bench_function("a prefix of eight digits", |b| {
        let digits = samples::id(OBJECTS / 2).to_string();
        let prefix = Prefix::parse(&digits[..8]).expect("eight digits");
        b.iter(|| index.find_prefix(black_box(&prefix)));
    });
    group.throughput(Throughput::Bytes(tail.bytes.len() as u64));
    group.bench_function("check the footer", |b| b.iter(|| index.verify_hash()));
    group.finish();
}

fn pack() -> PackTail {
    let mut builder = FooterBuilder::new(PackClass::Data);
    let bytes = BLOCK_OBJECTS * OBJECT_BYTES;
    let block = BlockSummary {
        encoded_bytes: bytes,
        raw_bytes: bytes,
        check: 0,
        codec: Codec::Stored,
        depth: 0,
        base: None,
    };
    for first in (0..OBJECTS).step_by(BLOCK_OBJECTS as usize) {
        let objects = (first..first + BLOCK_OBJECTS)
            .map(|number| (samples::id(number), ObjectKind::Blob, OBJECT_BYTES));
        builder.add_block(block, objects).expect("a sound block");
    }
    builder.finish().expect("a sound pack")
}
