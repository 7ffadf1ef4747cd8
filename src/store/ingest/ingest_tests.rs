//! Ingest over real files: what is stored is what was there, or nothing.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::format::pack::PackClass;
use crate::storage::FolderStorage;
use crate::store::Store;

pub type Stamp = (i64, i64, i64, i64);
pub type Outcomes = Vec<(PathBuf, Result<Ingested<Stamp>, IngestFailure>)>;

fn look(file: &File) -> io::Result<Option<Look<Stamp>>> {
    let found = file.metadata()?;
    let stamp = (found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec());
    Ok(found.is_file().then_some(Look { bytes: found.len(), stamp }))
}

/// A store in a folder that is gone with the test.
pub fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = FolderStorage::open(folder.path()).expect("the folder");
    (folder, Store::open(Arc::new(storage), 1))
}

/// Bytes that neither compress nor repeat.
pub fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut noise);
    noise
}

fn open(path: &PathBuf) -> io::Result<File> {
    File::open(path)
}

pub fn run(
    store: &Store,
    files: &[PathBuf],
    opener: &(dyn Fn(&PathBuf) -> io::Result<File> + Sync),
    progress: &Progress,
) -> Result<(Outcomes, crate::store::Added), StoreError> {
    run_after(store, files, None, opener, progress)
}

/// Stores files that all had the content `old` before.
fn run_after(
    store: &Store,
    files: &[PathBuf],
    old: Option<ObjectId>,
    opener: &(dyn Fn(&PathBuf) -> io::Result<File> + Sync),
    progress: &Progress,
) -> Result<(Outcomes, crate::store::Added), StoreError> {
    let outcomes = Mutex::new(Outcomes::new());
    let done = |path, outcome| outcomes.lock().expect("no panic").push((path, outcome));
    let before = |_: &PathBuf| old;
    let request =
        IngestRequest { open: opener, look: &look, before: &before, done: &done, progress };
    let transaction = store.transaction()?;
    let sized = files.iter().map(|path| (path.clone(), path.metadata().map_or(0, |m| m.len())));
    ingest(&transaction, &request, sized)?;
    let added = transaction.finish()?;
    let mut outcomes = outcomes.into_inner().expect("no panic");
    outcomes.sort_by(|a, b| a.0.cmp(&b.0));
    Ok((outcomes, added))
}

pub fn write(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    File::create(&path).and_then(|mut file| file.write_all(content)).expect("a test file");
    path
}

pub fn read_back(store: &Store, id: &ObjectId) -> Vec<u8> {
    let mut content = Vec::new();
    let take = |piece: &[u8]| {
        content.extend_from_slice(piece);
        Ok::<_, StoreError>(())
    };
    store.reader().stream(id, take).expect("what was stored");
    content
}

#[test]
fn every_size_reads_back_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let sizes = [0, 1, 1000, 128 << 10, (1 << 20) - 1, 1 << 20, 3 << 20, 8 << 20, (21 << 20) + 7];
    let contents: Vec<Vec<u8>> = (0u64..).zip(sizes).map(|(n, size)| noise(n, size)).collect();
    let names = (0..).map(|n: u32| format!("{n:02}"));
    let files: Vec<PathBuf> =
        names.zip(&contents).map(|(n, c)| write(folder.path(), &n, c)).collect();
    let (_kept, store) = store();
    let progress = Progress::default();
    let (outcomes, _) = run(&store, &files, &open, &progress).expect("stored");
    assert_eq!(outcomes.len(), files.len());
    assert_eq!(progress.snapshot().files, files.len() as u64, "each is counted once");
    for ((_, outcome), content) in outcomes.iter().zip(&contents) {
        let ingested = outcome.as_ref().expect("readable");
        assert_eq!(ingested.id, ObjectId::of(content));
        assert_eq!(ingested.sha256, Sha256::of(content));
        assert_eq!(ingested.bytes, content.len() as u64);
        assert!(read_back(&store, &ingested.id) == *content, "{} bytes", content.len());
    }
}

#[test]
fn the_same_content_is_stored_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let large = noise(1, 9 << 20);
    let files = [write(folder.path(), "a", &large), write(folder.path(), "b", &large)];
    let (_kept, store) = store();
    let (_, added) = run(&store, &files, &open, &Progress::default()).expect("stored");
    assert!(added.bytes < (9 << 20) + (64 << 10), "{added:?}");
    let (_, again) = run(&store, &files, &open, &Progress::default()).expect("stored");
    assert_eq!(again, crate::store::Added::default());
}

#[test]
fn an_insertion_near_the_start_of_a_large_file_adds_little() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut content = noise(2, 16 << 20);
    let (_kept, store) = store();
    let files = [write(folder.path(), "a", &content)];
    run(&store, &files, &open, &Progress::default()).expect("stored");
    content.splice(1000..1000, *b"inserted");
    let files = [write(folder.path(), "a", &content)];
    let (outcomes, added) = run(&store, &files, &open, &Progress::default()).expect("stored");
    assert!(added.bytes < 2 << 20, "{added:?}");
    let ingested = outcomes[0].1.as_ref().expect("readable");
    assert!(read_back(&store, &ingested.id) == content);
}

/// What broke: nothing yet; it would record a file that never existed, half old and half new.
#[test]
fn one_unreadable_file_leaves_the_others_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = [
        write(folder.path(), "a", b"one"),
        folder.path().join("missing"),
        write(folder.path(), "z", b"two"),
    ];
    let (_kept, store) = store();
    let (outcomes, _) = run(&store, &files, &open, &Progress::default()).expect("ran");
    assert!(outcomes[0].1.is_ok());
    assert!(matches!(&outcomes[1].1, Err(IngestFailure::Io(_))));
    assert!(outcomes[2].1.is_ok());
}

#[test]
fn a_directory_or_a_pipe_is_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_kept, store) = store();
    let files = [folder.path().to_owned()];
    let (outcomes, _) = run(&store, &files, &open, &Progress::default()).expect("ran");
    assert!(matches!(&outcomes[0].1, Err(IngestFailure::NotRegular)));
}

#[test]
fn asked_to_stop_it_stores_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = [write(folder.path(), "a", b"one")];
    let stop = Arc::new(AtomicBool::new(true));
    let (_kept, store) = store();
    let outcome = run(&store, &files, &open, &Progress::with_stop(stop));
    assert!(matches!(outcome, Err(StoreError::Interrupted(_))));
    assert!(store.storage().list("").expect("a list").is_empty());
}

/// A safetensors file of bf16 tensors, each of noise of its own.
fn weights(tensors: &[(u64, usize)]) -> Vec<u8> {
    let mut header = String::from("{\"__metadata__\":{\"format\":\"pt\"}");
    let mut data = Vec::new();
    for (number, &(seed, bytes)) in tensors.iter().enumerate() {
        let (start, end) = (data.len(), data.len() + bytes);
        let shape = bytes / 2;
        header += &format!(
            ",\"t{number}\":{{\"dtype\":\"BF16\",\"shape\":[{shape}],\
             \"data_offsets\":[{start},{end}]}}"
        );
        data.extend(noise(seed, bytes));
    }
    header.push('}');
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.into_bytes());
    file.extend(data);
    file
}

#[test]
fn of_weights_only_the_changed_tensor_is_stored_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let sizes = [3 << 20, 5 << 20, 2 << 20, (1 << 20) + 2];
    let tensors: Vec<_> = (10..).zip(sizes).collect();
    let (_kept, store) = store();
    let files = [write(folder.path(), "a", &weights(&tensors))];
    run(&store, &files, &open, &Progress::default()).expect("stored");
    let mut changed = tensors.clone();
    changed[2].0 = 99;
    let content = weights(&changed);
    let files = [write(folder.path(), "a", &content)];
    let (outcomes, added) = run(&store, &files, &open, &Progress::default()).expect("stored");
    assert!(added.bytes < (2 << 20) + (64 << 10), "{added:?}");
    assert!(read_back(&store, &outcomes[0].1.as_ref().expect("readable").id) == content);
}

/// Text that compresses but does not repeat.
fn table(bytes: usize) -> Vec<u8> {
    let digits =
        noise(11, bytes).into_iter().map(|byte| b"0123456789abcdef,\n"[byte as usize % 18]);
    digits.collect()
}

/// Stores `content` as the next version of `old`; gives its id and what the repository grew by.
fn next_version(store: &Store, content: &[u8], old: Option<ObjectId>) -> (ObjectId, u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let files = [write(folder.path(), "a", content)];
    let progress = Progress::default();
    let (outcomes, added) = run_after(store, &files, old, &open, &progress).expect("stored");
    (outcomes[0].1.as_ref().expect("readable").id, added.bytes)
}

#[test]
fn scattered_edits_of_a_file_of_any_size_add_little() {
    for bytes in [20_000, 3 << 20, 12 << 20] {
        let (_kept, store) = store();
        let mut content = table(bytes);
        let (old, _) = next_version(&store, &content, None);
        for at in (1..9).map(|part| part * bytes / 10) {
            content.splice(at..at + 9, *b"edited, and longer");
        }
        let (new, added) = next_version(&store, &content, Some(old));
        assert!(added < 12 * 1024, "{bytes} bytes: {added} added");
        assert!(read_back(&store, &new) == content, "{bytes} bytes");
    }
}

/// However long a history is, what has to be decoded to read one version of it stays bounded.
#[test]
fn a_long_history_of_one_file_is_read_back_whole() {
    let (_kept, store) = store();
    let mut content = table(30_000);
    let (mut old, mut taken) = (None, 0);
    let mut versions = Vec::new();
    for version in 0..200 {
        let at = version * 149;
        content[at..at + 40].copy_from_slice(&noise(version as u64, 40));
        let (id, added) = next_version(&store, &content, old);
        (old, taken) = (Some(id), taken + added);
        versions.push((id, content.clone()));
    }
    assert!(taken < 200 * 2_500, "{taken}");
    let mut depth_max = 0;
    for pack in store.packs().listing().expect("listed").of(PackClass::Data) {
        for block in pack.index().expect("sound").blocks() {
            depth_max = depth_max.max(block.expect("sound").depth);
        }
    }
    assert!((2..=8).contains(&depth_max), "{depth_max}");
    for (id, content) in versions {
        assert!(read_back(&store, &id) == content);
    }
}

#[test]
fn a_damaged_version_before_is_no_obstacle() {
    let (kept, store) = store();
    let mut content = table(30_000);
    let (old, _) = next_version(&store, &content, None);
    let pack = std::fs::read_dir(kept.path().join("pack")).expect("packs").next().expect("one");
    let path = pack.expect("readable").path();
    let mut bytes = std::fs::read(&path).expect("readable");
    bytes[100] ^= 1;
    std::fs::remove_file(&path).expect("removed");
    write(
        &kept.path().join("pack"),
        path.file_name().and_then(|name| name.to_str()).expect("a name"),
        &bytes,
    );
    content[7] = b'!';
    let store = Store::open(Arc::clone(store.storage()), 1);
    let (new, _) = next_version(&store, &content, Some(old));
    assert!(read_back(&store, &new) == content);
}

/// What would be lost: two writers at once, each of which stores what the other one had as the
/// difference to its own. Kept together, neither could ever be read again.
#[test]
fn two_versions_that_are_differences_to_each_other_stay_readable() {
    let contents = [table(30_000), {
        let mut content = table(30_000);
        content[5] = b'!';
        content
    }];
    let (kept, one) = store();
    let (other_kept, other) = store();
    let (first, _) = next_version(&one, &contents[0], None);
    let (second, _) = next_version(&one, &contents[1], Some(first));
    next_version(&other, &contents[1], None);
    next_version(&other, &contents[0], Some(second));
    for pack in std::fs::read_dir(other_kept.path().join("pack")).expect("packs") {
        let pack = pack.expect("readable");
        let to = kept.path().join("pack").join(pack.file_name());
        std::fs::copy(pack.path(), to).expect("copied");
    }
    let both = Store::open(Arc::clone(one.storage()), 1);
    let is_readable = |store: &Store| {
        assert!(read_back(store, &first) == contents[0]);
        assert!(read_back(store, &second) == contents[1]);
    };
    is_readable(&both);
    let packs = both.packs().listing().expect("listed").of(PackClass::Data).to_vec();
    assert_eq!(packs.len(), 4);
    let dispose = crate::store::merge::Dispose::Delete;
    let progress = Progress::default();
    crate::store::merge::merge(&both, PackClass::Data, &packs, &|_| true, dispose, &progress)
        .expect("merged");
    is_readable(&Store::open(Arc::clone(one.storage()), 1));
}

/// A base is reached by no ref: without a look of its own, a quick check would miss its loss.
#[test]
fn a_quick_check_finds_a_base_that_is_gone() {
    let (kept, store) = store();
    let mut content = table(30_000);
    let (old, _) = next_version(&store, &content, None);
    let pack = std::fs::read_dir(kept.path().join("pack")).expect("packs").next().expect("one");
    content[7] = b'!';
    next_version(&store, &content, Some(old));
    let check = |store: &Store| {
        crate::store::check::check(store, &[], false, &Progress::default()).expect("checked")
    };
    let open = || Store::open(Arc::clone(store.storage()), 1);
    assert!(check(&open()).findings.is_empty());
    std::fs::remove_file(pack.expect("readable").path()).expect("removed");
    let found = check(&open()).findings;
    assert_eq!(found.len(), 1, "{found:?}");
}
