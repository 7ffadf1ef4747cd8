//! Every byte of every file of a small repository flipped, every file cut short or gone: a check
//! finds it, and nothing panics.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use provenance::clock::{Clock, Timestamp};
use provenance::progress::Progress;
use provenance::repo::{
    AddRequest, CommitRequest, FsckRequest, InitRequest, Repository, add, commit, fsck, init,
};

const CLOCK: Clock = Clock::Fixed(Timestamp(1_700_000_000_000));

/// A repository with two commits, gone with the test.
fn sample() -> tempfile::TempDir {
    // In memory: it is checked some thousand times.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.expect("a folder");
    init(&InitRequest { directory: folder.path().to_owned() }, CLOCK).expect("made");
    for text in ["one,1\n", "one,1\ntwo,2\n"] {
        write(&folder.path().join("table.csv"), text.as_bytes());
        let repository = Repository::open(folder.path(), CLOCK).expect("opened");
        add(&repository, &AddRequest::default(), &Progress::default()).expect("added");
        let request = CommitRequest { message: "a change".to_owned(), ..CommitRequest::default() };
        commit(&repository, &request, &Progress::default()).expect("committed");
    }
    folder
}

fn write(path: &Path, bytes: &[u8]) {
    // Files of a repository are read-only: another one takes their place.
    let _was_there = fs::remove_file(path);
    let mut file = fs::File::create(path).expect("made");
    file.write_all(bytes).expect("written");
}

/// Tells whether a full check finds anything wrong.
fn is_found(folder: &Path) -> bool {
    let Ok(repository) = Repository::open(folder, CLOCK) else { return true };
    match fsck(&repository, FsckRequest { full: true, repairs: false }, &Progress::default()) {
        Ok(report) => {
            let is_worded = |problem: &provenance::store::check::Finding| {
                !problem.what.is_empty() && !problem.place.is_empty() && !problem.mend.is_empty()
            };
            assert!(report.problems.iter().all(is_worded), "{:?}", report.problems);
            !report.problems.is_empty()
        }
        Err(_) => true,
    }
}

/// The files whose damage must show.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = vec![folder.join(".provenance/format")];
    for below in ["pack", "journal/entry"] {
        let entries = fs::read_dir(folder.join(".provenance").join(below)).expect("listed");
        files.extend(entries.map(|entry| entry.expect("listed").path()));
    }
    files.sort();
    assert!(files.len() >= 8, "two packs a commit, three entries, the format");
    files
}

#[test]
fn a_whole_repository_has_no_problem() {
    let folder = sample();
    assert!(!is_found(folder.path()));
}

#[test]
fn every_flipped_byte_is_found() {
    let folder = sample();
    for path in files(folder.path()) {
        let good = fs::read(&path).expect("read");
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            write(&path, &bad);
            assert!(is_found(folder.path()), "byte {at} of {}", path.display());
        }
        write(&path, &good);
    }
    assert!(!is_found(folder.path()), "all is put back");
}

#[test]
fn every_truncated_emptied_grown_or_missing_file_is_found() {
    let folder = sample();
    for path in files(folder.path()) {
        let good = fs::read(&path).expect("read");
        for length in (0..good.len()).step_by(7) {
            write(&path, &good[..length]);
            assert!(is_found(folder.path()), "{length} bytes of {}", path.display());
        }
        write(&path, &[good.as_slice(), b"x"].concat());
        assert!(is_found(folder.path()), "one byte more in {}", path.display());
        write(&path, &vec![0; good.len()]);
        assert!(is_found(folder.path()), "zeros in {}", path.display());
        fs::remove_file(&path).expect("removed");
        assert!(is_found(folder.path()), "no {}", path.display());
        write(&path, &good);
    }
    assert!(!is_found(folder.path()), "all is put back");
}
