//! Feeds any bytes to each decoder, and insists on what must hold whatever they are.
//!
//! Shared by the kept corpora (`malformed/corpus.rs`) and the fuzz targets (`fuzz/`).

#[path = "decoders_of_indexes.rs"]
pub mod indexes;

use std::cell::OnceCell;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;

use provenance::format::bisect::Bisection;
use provenance::format::block::{Codec, Decoder};
use provenance::format::chunk::map::{ChunkMap, decode_list};
use provenance::format::commit_graph::CommitGraph;
use provenance::format::entry_file::{decode_entry_file, encode_entry_file};
use provenance::format::lease::Lease;
use provenance::format::pack::{
    BlockRow, BlockSummary, HEADER_BYTES, PackIndex, TRAILER_BYTES, Trailer,
};
use provenance::format::run_record::RunRecord;
use provenance::format::run_state::RunState;
use provenance::format::stage::Stage;
use provenance::format::stamps::View;
use provenance::format::tensor::{TensorLimits, cut_points, header_bytes};
use provenance::format::{layout, tile};
use provenance::object::tree::Node;
use provenance::object::{
    Commit, ObjectId, Overlaps, Profile, SeriesValues, TraceFiles, Transaction, TreePath, canonical,
};
use provenance::progress::Progress;
use provenance::repo::diff::{DiffRequest, DiffSides, diff};
use provenance::repo::revision::{Part, Revision};
use provenance::repo::{AddRequest, Error, InitRequest, Repository, add, init};
use provenance::worktree::config::{self, Origin};
use provenance::worktree::directory::Directory;
use provenance::worktree::head::Head;
use provenance::worktree::scan::{Batch, IGNORE_FILE, ScanRequest, scan};
use provenance::worktree::settings;

/// Takes any bytes.
pub type Feed = fn(&[u8]);

/// Every decoder by the name of its fuzz target.
pub const ALL: &[(&str, Feed)] = &[
    ("tree", tree),
    ("commit", commit),
    ("json", json),
    ("profile", profile),
    ("overlaps", overlaps),
    ("pack", pack),
    ("block", block),
    ("chunk", chunk),
    ("journal", journal),
    ("tile", tile),
    ("stage", stage),
    ("stamps", stamps),
    ("commit_graph", commit_graph),
    ("runs_index", indexes::runs_index),
    ("lineage_index", indexes::lineage_index),
    ("local", local),
    ("attachments", attachments),
    ("config", config),
    ("settings", settings),
    ("tensor", tensor),
    ("ignore", ignore),
    ("table", table),
    ("revision", revision),
];

pub fn tree(bytes: &[u8]) {
    let Ok(node) = Node::decode(bytes) else { return };
    assert_eq!(node.encode(), bytes, "a node has one spelling");
    black_box(node.totals());
}

pub fn commit(bytes: &[u8]) {
    let Ok(commit) = Commit::decode(bytes) else { return };
    assert_eq!(commit.encode().expect("what was read can be written"), bytes);
}

pub fn profile(bytes: &[u8]) {
    let Ok(profile) = Profile::decode(bytes) else { return };
    assert_eq!(profile.encode().expect("what was read can be written"), bytes);
}

pub fn overlaps(bytes: &[u8]) {
    let Ok(overlaps) = Overlaps::decode(bytes) else { return };
    assert_eq!(overlaps.encode().expect("what was read can be written"), bytes);
}

pub fn json(bytes: &[u8]) {
    if let Ok(value) = canonical::decode(bytes, "value", 1 << 20) {
        assert_eq!(value.encode(), bytes, "a value has one spelling");
    }
    if let Ok(value) = canonical::capture(bytes, "value", 1 << 20) {
        let encoded = value.encode();
        let again = canonical::decode(&encoded, "value", 1 << 24).expect("it is canonical");
        assert_eq!(again.encode(), encoded);
    }
}

/// A whole pack: whatever its footer leads to is decoded.
pub fn pack(bytes: &[u8]) {
    let Some(trailer_at) = bytes.len().checked_sub(TRAILER_BYTES) else { return };
    let Ok(trailer) = Trailer::decode(&bytes[trailer_at..]) else { return };
    let tail = usize::try_from(trailer.footer_offset).ok().and_then(|at| bytes.get(at..));
    let (Some(tail), Some(header)) = (tail, bytes.get(..HEADER_BYTES)) else { return };
    let Ok(index) = PackIndex::parse(header, tail, bytes.len() as u64) else { return };
    let _sound = index.verify();
    let mut decoder = Decoder::new().expect("there is memory");
    let mut buffer = Vec::new();
    for row in index.blocks().flatten() {
        let start = usize::try_from(row.offset).expect("inside of the file");
        let encoded = &bytes[start..start + row.encoded_bytes as usize];
        if let Ok(raw) = decoder.decode(&row, encoded, b"base", &mut buffer) {
            assert_eq!(raw.len(), row.raw_bytes as usize);
        }
    }
    for object in index.objects().flatten() {
        let kinds = provenance::format::pack::KindSet::ALL;
        let _found = index.find(&object.id, kinds).map(|found| found.map(|row| row.kind));
        let _block = index.block_of(&object);
    }
}

/// The first bytes say how long the block claims to be and what it continues.
pub fn block(bytes: &[u8]) {
    let Some((head, rest)) = bytes.split_first_chunk::<6>() else { return };
    let [codec, base_bytes, length @ ..] = *head;
    let (base, encoded) = rest.split_at(rest.len().min(usize::from(base_bytes)));
    let codec = [Codec::Stored, Codec::Zstd, Codec::ZstdPrefix][usize::from(codec % 3)];
    // Mostly small, since the space is cleared each time; now and then beyond the limit.
    let limit = if base_bytes == 0xFF { 17 << 20 } else { 1 << 16 };
    let raw_bytes = u32::from_le_bytes(length) % limit;
    let has_base = codec == Codec::ZstdPrefix;
    let summary = BlockSummary {
        encoded_bytes: u32::try_from(encoded.len()).expect("short"),
        raw_bytes,
        check: crc32fast::hash(encoded),
        codec,
        depth: u8::from(has_base),
        base: has_base.then(|| ObjectId::of(base)),
    };
    let mut decoder = Decoder::new().expect("there is memory");
    let mut buffer = Vec::new();
    let row = BlockRow::at(HEADER_BYTES as u64, summary);
    if let Ok(raw) = decoder.decode(&row, encoded, base, &mut buffer) {
        assert_eq!(raw.len(), row.raw_bytes as usize);
    }
}

/// A map without its hash, which no mutation would survive, or a list of chunks.
pub fn chunk(bytes: &[u8]) {
    let _list = decode_list(bytes).map(|parts| parts.len());
    let blob = bytes.get(16..48).and_then(|id| <[u8; 32]>::try_from(id).ok());
    let blob = blob.map_or_else(|| ObjectId::of(b""), ObjectId::from_bytes);
    let whole = [bytes, ObjectId::of(bytes).as_bytes()].concat();
    for bytes in [bytes, &whole] {
        let Ok(map) = ChunkMap::decode(bytes, &blob) else { continue };
        let sum: u64 = map.parts.iter().map(|part| u64::from(part.bytes)).sum();
        assert!(sum <= map.blob_bytes, "parts are not longer than the whole");
    }
}

pub fn journal(bytes: &[u8]) {
    if let Ok(entry) = Transaction::decode(bytes) {
        assert_eq!(entry.encode().expect("what was read can be written"), bytes);
    }
    if let Ok(entry) = decode_entry_file(bytes) {
        assert_eq!(encode_entry_file(entry), bytes);
    }
}

pub fn tile(bytes: &[u8]) {
    let _hashes = tile::decode_hash_tile(bytes).map(|hashes| hashes.len());
    if let Ok(bundle) = tile::decompress_bundle(bytes) {
        assert!(bundle.len() <= 17 << 20, "bounded, whatever the ratio");
        let _entries = tile::decode_bundle(&bundle).map(|entries| entries.len());
    }
    if let Ok(entries) = tile::decode_bundle(bytes) {
        assert_eq!(tile::encode_bundle(&entries).expect("256 entries"), bytes);
    }
}

/// The small files of a worktree and a repository.
/// The small files of one worktree, beside head and stage.
pub fn local(bytes: &[u8]) {
    if let Ok(bisection) = Bisection::decode(bytes) {
        assert_eq!(bisection.encode(), bytes);
    }
    if let Ok(state) = RunState::decode(bytes) {
        assert_eq!(state.encode().expect("what was read can be written"), bytes);
    }
    if let Ok(record) = RunRecord::decode(bytes) {
        assert_eq!(record.encode().as_bytes(), bytes);
    }
    if let Ok(lease) = Lease::decode(bytes) {
        assert_eq!(lease.encode().expect("what was read can be written"), bytes);
    }
}

/// What is kept beside a record.
pub fn attachments(bytes: &[u8]) {
    if let Ok(series) = SeriesValues::decode(bytes) {
        assert_eq!(series.encode(), bytes);
    }
    if let Ok(files) = TraceFiles::decode(bytes) {
        assert_eq!(files.encode().expect("what was read can be written"), bytes);
    }
}

pub fn stage(bytes: &[u8]) {
    if let Ok(stage) = Stage::decode(bytes) {
        assert_eq!(stage.encode(), bytes);
    }
    if let Ok(head) = Head::decode(bytes) {
        assert_eq!(head.encode().as_bytes(), bytes);
    }
    let _version = layout::decode_format(bytes);
}

pub fn stamps(bytes: &[u8]) {
    for view in [View::open(bytes), View::split(bytes)].into_iter().flatten() {
        for number in 0..64 {
            let Ok(part) = view.part(number) else { break };
            let _ids = part.check_ids();
            for index in 0..part.len().min(64) {
                let _row = (part.name(index).ok(), part.stamp(index).ok(), part.id(index).ok());
            }
            let _place = part.lower_bound(b"m");
        }
    }
}

pub fn commit_graph(bytes: &[u8]) {
    let Ok(graph) = CommitGraph::open(bytes) else { return };
    let mut parents = Vec::new();
    for position in graph.positions().rev().take(256) {
        parents.clear();
        let is_believed = graph.read(position, &mut parents).is_ok();
        assert!(!is_believed || parents.iter().all(|parent| *parent < position), "no circle");
    }
    let _found = graph.find(&ObjectId::of(b""));
}

pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _settings = config::decode(text, Path::new("config"), Origin::Repository).map(|s| s.len());
}

pub fn settings(bytes: &[u8]) {
    let _settings = black_box(settings::parse(bytes));
}

/// The header of a file of weights, in a file of any length.
pub fn tensor(bytes: &[u8]) {
    let limits = TensorLimits::DEFAULT;
    let long = bytes.first_chunk().map_or(0, |first| u64::from_le_bytes(*first));
    for file_bytes in [bytes.len() as u64, 1 << 20, 1 << 45, u64::MAX, long] {
        let Some(needed) = header_bytes(bytes, file_bytes) else { continue };
        let Some(header) = usize::try_from(needed).ok().and_then(|end| bytes.get(..end)) else {
            continue;
        };
        let Ok(cuts) = cut_points(header, file_bytes, limits) else { continue };
        assert!(cuts.is_sorted_by(|a, b| a < b) && cuts.last() == Some(&file_bytes));
    }
}

thread_local! {
    /// A worktree with a few files, for rules to be tried on.
    static FOLDER: OnceCell<tempfile::TempDir> = const { OnceCell::new() };
}

/// Ignore rules, in the file where a scan looks for them.
pub fn ignore(bytes: &[u8]) {
    FOLDER.with(|folder| {
        let folder = folder.get_or_init(|| {
            let memory = Path::new("/dev/shm");
            let folder = tempfile::Builder::new();
            let folder = if memory.is_dir() { folder.tempdir_in(memory) } else { folder.tempdir() };
            let folder = folder.expect("a folder");
            std::fs::create_dir_all(folder.path().join("a/b")).expect("made");
            for name in ["a/b/c.txt", "a/x.csv", "file", "a/[1].tmp"] {
                std::fs::File::create(folder.path().join(name)).expect("made");
            }
            folder
        });
        let mut file = std::fs::File::create(folder.path().join(IGNORE_FILE)).expect("made");
        file.write_all(bytes).expect("written");
        let root = Directory::open(folder.path()).expect("opened");
        let request = ScanRequest {
            root: &root,
            stamps: None,
            paths: &[],
            takes_ignored: false,
            collapses_new: false,
            thread_count: 1,
            progress: &Progress::default(),
        };
        let mut found = 0;
        let taken = scan(&request, |batch: Batch| {
            found += batch.found.len();
            Ok::<_, provenance::worktree::scan::ScanError>(())
        });
        taken.expect("rules stop no scan");
        assert!(found <= 5);
    });
}

thread_local! {
    /// A worktree in which two tables are staged.
    static TABLES: OnceCell<tempfile::TempDir> = const { OnceCell::new() };
}

const CSV: &str = "id,name,x\n1,\"a,\nb\",0.5\n2,c,\n3,d,7\n";
const JSON_LINES: &str = "{\"id\":1,\"x\":[1,2]}\n{\"id\":2,\"x\":null}\n";

/// New versions of two tables: rows are read, paired, shown.
pub fn table(bytes: &[u8]) {
    let clock = provenance::clock::Clock::Fixed(provenance::clock::Timestamp(0));
    TABLES.with(|folder| {
        let folder = folder.get_or_init(|| {
            let memory = Path::new("/dev/shm");
            let folder = tempfile::Builder::new();
            let folder = if memory.is_dir() { folder.tempdir_in(memory) } else { folder.tempdir() };
            let folder = folder.expect("a folder");
            init(&InitRequest { directory: folder.path().to_owned() }, clock).expect("made");
            for (name, text) in [("x.csv", CSV), ("x.jsonl", JSON_LINES)] {
                let mut file = std::fs::File::create(folder.path().join(name)).expect("made");
                file.write_all(text.as_bytes()).expect("written");
            }
            let repository = Repository::open(folder.path(), clock).expect("opened");
            add(&repository, &AddRequest::default(), &Progress::default()).expect("staged");
            folder
        });
        for name in ["x.csv", "x.jsonl"] {
            let mut file = std::fs::File::create(folder.path().join(name)).expect("made");
            file.write_all(bytes).expect("written");
        }
        let repository = Repository::open(folder.path(), clock).expect("opened");
        let request = DiffRequest {
            sides: DiffSides::Worktree { old: None },
            paths: Vec::<TreePath>::new(),
            reads_contents: true,
            row_samples: Some(3),
        };
        let report = diff(&repository, &request, &Progress::default(), |file| {
            black_box(file.content);
            Ok::<_, Error>(())
        });
        assert!(report.expect("no content stops a comparison").failures.is_empty());
    });
}

pub fn revision(bytes: &[u8]) {
    let _revision = black_box(Revision::parse(bytes));
    let _part = black_box(Part::parse(bytes));
    if let Ok(text) = std::str::from_utf8(bytes) {
        let now = provenance::clock::Timestamp(1_700_000_000_000);
        let now = provenance::repo::date::local(now).expect("in range");
        let _date = black_box(provenance::repo::date::parse(text, &now));
    }
}
