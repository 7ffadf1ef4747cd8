//! Large files that cannot be read whole: the error says why, and no file pretends to be one.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

use provenance::progress::Progress;
use provenance::repo::restore::{RestoreReport, RestoreRequest, restore};
use provenance::repo::{Error, FsckRequest, Repository, fsck};

use super::bench::{Bench, path};

/// More than what one thread writes by itself.
const LARGE_BYTES: usize = 40 << 20;

fn noise(seed: u8) -> Vec<u8> {
    let mut noise = vec![0; LARGE_BYTES];
    blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut noise);
    noise
}

fn bring_back(bench: &Bench) -> Result<RestoreReport, Error> {
    let paths = vec![path("large")];
    let request = RestoreRequest { paths, in_worktree: true, ..RestoreRequest::default() };
    restore(&open(bench), &request, &Progress::default())
}

/// Opens the repository anew: what an open one holds of a pack that is gone stays readable.
fn open(bench: &Bench) -> Repository {
    Repository::open(bench.path(), provenance::clock::Clock::System).expect("opened")
}

/// The pack with the most bytes, of those that were not there before.
fn largest_pack(bench: &Bench, before: &[PathBuf]) -> PathBuf {
    let packs = fs::read_dir(bench.path().join(".provenance/pack")).expect("listed");
    let packs = packs.map(|entry| entry.expect("an entry").path());
    let new = packs.filter(|path| !before.contains(path));
    new.max_by_key(|path| path.metadata().expect("a file").len()).expect("a pack")
}

/// Puts other bytes into a pack, as a worn disk would.
fn damage(pack: &PathBuf, at: u64) {
    let copy = pack.with_extension("copy");
    fs::copy(pack, &copy).expect("copied");
    let mut permissions = copy.metadata().expect("a file").permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a file of this test")]
    permissions.set_readonly(false);
    fs::set_permissions(&copy, permissions).expect("writable");
    let mut file = fs::OpenOptions::new().write(true).open(&copy).expect("opened");
    file.seek(SeekFrom::Start(at)).expect("there");
    file.write_all(b"other bytes").expect("written");
    fs::remove_file(pack).expect("removed");
    fs::hard_link(&copy, pack).expect("in place");
    fs::remove_file(copy).expect("removed");
}

/// Nothing is left in the worktree, under whatever name.
fn assert_empty(bench: &Bench) {
    assert_eq!(bench.snapshot().into_keys().collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn damage_in_the_middle_of_a_large_file_is_named_and_no_file_appears() {
    let bench = Bench::new();
    bench.write("large", &noise(1));
    bench.add();
    bench.commit("first");
    fs::remove_file(bench.path().join("large")).expect("removed");
    let pack = largest_pack(&bench, &[]);
    damage(&pack, LARGE_BYTES as u64 / 2);
    let error = bring_back(&bench).expect_err("damaged");
    let words = provenance::store::check::worded(&error);
    let name = pack.file_name().expect("a name").to_str().expect("a text");
    assert!(words.contains(name), "{words}");
    assert_empty(&bench);

    let report =
        fsck(&open(&bench), FsckRequest { full: true, repairs: false }, &Progress::default());
    let problems = report.expect("checked").problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].place.contains(name), "{problems:?}");
}

#[test]
fn a_large_file_that_lacks_chunks_is_not_written() {
    let bench = Bench::new();
    let mut content = noise(2);
    bench.write("large", &content);
    bench.add();
    bench.commit("first");
    let first = largest_pack(&bench, &[]);
    content[LARGE_BYTES / 2] ^= 1;
    bench.write("large", &content);
    bench.add();
    bench.commit("second");
    fs::remove_file(bench.path().join("large")).expect("removed");
    let aside = bench.path().join(".provenance/aside");
    fs::hard_link(&first, &aside).expect("kept");
    fs::remove_file(&first).expect("removed");
    let error = bring_back(&bench).expect_err("missing");
    let words = provenance::store::check::worded(&error);
    assert!(words.contains("missing") || words.contains("not here"), "{words}");
    assert_empty(&bench);

    fs::hard_link(&aside, &first).expect("back");
    assert_eq!(bring_back(&bench).expect("whole again").written.written, 1);
    assert!(fs::read(bench.path().join("large")).expect("there") == content);
    let report =
        fsck(&open(&bench), FsckRequest { full: true, repairs: false }, &Progress::default());
    let report = report.expect("checked");
    assert_eq!(report.problems, []);
    assert!(report.raw_bytes > 3 * LARGE_BYTES as u64, "every block and both files");
}
