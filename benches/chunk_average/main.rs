//! What a file costs, and what its next version adds, at different average lengths of chunks.
//!
//! `cargo bench --bench chunk_average` generates a table, an archive and weights, each with a
//! later version; `-- OLD NEW [OLD NEW…]` measures pairs of files instead. Counts bytes, not time,
//! so that other load on the machine makes no difference. The choice that came from it is
//! `docs/decisions/0002-chunk-average.md`.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for developers")]

mod generated;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use provenance::format::block::{Codec, Encoder};
use provenance::format::chunk::map::{MapBuilder, Part};
use provenance::format::chunk::{ChunkLimits, cut_points};
use provenance::object::ObjectId;

/// Bytes that a chunk in a block of its own takes beside its content: a row of the block table, an
/// id and a row of the object table (`docs/format/pack.md`).
const INDEX_BYTES: usize = 28 + 32 + 16;
/// The level that is used for new data.
const LEVEL: i32 = 1;

fn main() {
    let paths: Vec<_> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    println!("| file | average | chunks | stored | next version: new chunks | added | with base |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    if paths.is_empty() {
        for (name, old, new) in generated::all() {
            measure(name, &old, &new);
        }
    }
    for pair in paths.chunks_exact(2) {
        let name = Path::new(&pair[0]).file_name().unwrap().to_string_lossy().into_owned();
        measure(&name, &std::fs::read(&pair[0]).unwrap(), &std::fs::read(&pair[1]).unwrap());
    }
}

fn measure(name: &str, old: &[u8], new: &[u8]) {
    for bits in 13..=20 {
        let limits = ChunkLimits::around(bits);
        let chunks = split(old, limits);
        let mut store = Store::new();
        let first = store.add_first(&chunks);
        let next = store.add_next(&chunks, &split(new, limits));
        println!(
            "| {name} | {} KiB | {} | {:.2} % | {} | {:.3} % | {:.3} % |",
            1 << (bits - 10),
            chunks.len(),
            percent(first, old.len()),
            next.chunks,
            percent(next.plain_bytes, first),
            percent(next.based_bytes, first),
        );
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    part as f64 * 100.0 / whole as f64
}

fn split(data: &[u8], limits: ChunkLimits) -> Vec<&[u8]> {
    let mut start = 0;
    cut_points(data, limits).map(|end| &data[std::mem::replace(&mut start, end)..end]).collect()
}

/// What a second version of a file adds.
struct Added {
    chunks: usize,
    plain_bytes: usize,
    based_bytes: usize,
}

/// What is stored already: chunks, and lists of chunk maps.
struct Store {
    encoder: Encoder,
    buffer: Vec<u8>,
    known: HashSet<ObjectId>,
}

impl Store {
    fn new() -> Self {
        let encoder = Encoder::new(LEVEL).unwrap();
        Self { encoder, buffer: Vec::new(), known: HashSet::new() }
    }

    /// Gives how many bytes the first version takes.
    fn add_first(&mut self, chunks: &[&[u8]]) -> usize {
        let new: Vec<_> = chunks.iter().filter(|chunk| self.is_new(chunk)).collect();
        new.iter().map(|chunk| self.block_bytes(chunk, None)).sum::<usize>() + self.add_map(chunks)
    }

    /// Adds a later version; the base of a new chunk is the old one that stood in its place.
    fn add_next(&mut self, old: &[&[u8]], new: &[&[u8]]) -> Added {
        let place: HashMap<_, _> =
            old.iter().enumerate().map(|(at, chunk)| (ObjectId::of(chunk), at)).collect();
        let map_bytes = self.add_map(new);
        let mut added = Added { chunks: 0, plain_bytes: map_bytes, based_bytes: map_bytes };
        let mut next = 0;
        for chunk in new {
            if let Some(at) = place.get(&ObjectId::of(chunk)) {
                next = at + 1;
            } else if self.is_new(chunk) {
                let base = old.get(next).copied();
                next += 1;
                added.chunks += 1;
                added.plain_bytes += self.block_bytes(chunk, None);
                added.based_bytes += self.block_bytes(chunk, base);
            }
        }
        added
    }

    fn is_new(&mut self, content: &[u8]) -> bool {
        self.known.insert(ObjectId::of(content))
    }

    fn block_bytes(&mut self, chunk: &[u8], base: Option<&[u8]>) -> usize {
        let encoded = match base {
            Some(base) => self.encoder.encode_with_prefix(chunk, base, &mut self.buffer),
            None => self.encoder.encode(chunk, &mut self.buffer),
        };
        let base_bytes = if encoded.codec == Codec::ZstdPrefix { 32 } else { 0 };
        encoded.bytes.len() + base_bytes + INDEX_BYTES
    }

    /// Gives how many bytes the chunk map of a version takes, with those of its lists that are new.
    fn add_map(&mut self, chunks: &[&[u8]]) -> usize {
        let mut builder = MapBuilder::new();
        let mut lists = Vec::new();
        for chunk in chunks {
            let bytes = u32::try_from(chunk.len()).unwrap();
            lists.extend(builder.push(Part { id: ObjectId::of(chunk), bytes }));
        }
        let built = builder.finish(ObjectId::of(b"")).unwrap();
        lists.extend(built.list);
        let new = lists.iter().filter(|list| self.is_new(list));
        new.map(|list| list.len() + INDEX_BYTES).sum::<usize>() + built.map.len() + INDEX_BYTES
    }
}
