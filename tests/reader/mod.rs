//! Somebody else's program reads our repositories: `independent_reader.py`, written from the pages.
//!
//! It needs Python with two packages; `make test` makes an environment for it and names its
//! interpreter in `PROVENANCE_TEST_PYTHON`. Without that, these tests say so and pass.

#![expect(clippy::print_stderr, reason = "a test that could not run must say so")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use provenance::clock::Clock;
use provenance::object::tree::EMPTY_TREE;
use provenance::object::{ContentHasher, ObjectId, Timestamp};
use provenance::progress::Progress;
use provenance::repo::{AddRequest, CommitRequest, InitRequest, Repository, add, commit, init};
use provenance::store::{Appended, Draft};

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reader").join(name)
}

/// Runs one of the scripts beside this file; `None` where there is no Python for it.
fn run(name: &str, arguments: &[&OsStr]) -> Option<Output> {
    let Some(python) = std::env::var_os("PROVENANCE_TEST_PYTHON") else {
        eprintln!("not run, because PROVENANCE_TEST_PYTHON is not set: {name}");
        return None;
    };
    let output = Command::new(python).arg("-B").arg(script(name)).args(arguments).output();
    Some(output.expect("an interpreter"))
}

#[track_caller]
fn assert_proved(output: &Output) -> String {
    let (words, complaint) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}{complaint}", String::from_utf8_lossy(words));
    String::from_utf8_lossy(words).into_owned()
}

/// Content that is chunked: rows of a table, so that it compresses too.
fn table(rows: u32, edited: u32) -> Vec<u8> {
    let row = |row: u32| {
        let noise = ObjectId::of(&row.to_le_bytes());
        format!("{row},{},{}\n", if row == edited { "edited" } else { "as is" }, noise.short())
    };
    (0..rows).map(row).collect::<String>().into_bytes()
}

/// A worktree with small and large files, and every kind of entry, in two versions.
fn record(folder: &Path) -> Repository {
    init(&InitRequest { directory: folder.to_owned() }, Clock::System).expect("made");
    let repository = Repository::open(folder, Clock::System).expect("opened");
    let write = |name: &str, content: &[u8]| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        let mut file = fs::File::create(path).expect("made");
        std::io::Write::write_all(&mut file, content).expect("written");
    };
    for number in 0..3000 {
        write(&format!("many/{number:04}.json"), format!("{{\"n\":{number}}}").as_bytes());
    }
    write("data/empty", b"");
    write("data/table.csv", &table(150_000, u32::MAX));
    write("run.sh", b"#!/bin/sh\n");
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder.join("run.sh"), executable).expect("set");
    symlink("data/table.csv", folder.join("latest")).expect("linked");
    record_version(&repository, "first");
    write("data/table.csv", &table(150_000, 77_777));
    write("many/0042.json", b"{\"n\":\"forty-two\"}");
    record_version(&repository, "second, with \"quotes\" and \u{1f427}");
    repository
}

fn record_version(repository: &Repository, message: &str) {
    add(repository, &AddRequest::default(), &Progress::default()).expect("added");
    let request = CommitRequest { message: message.to_owned(), ..CommitRequest::default() };
    commit(repository, &request, &Progress::default()).expect("committed");
}

/// Appends entries that change nothing, so that bundles and tiles are made.
fn grow(repository: &Repository, count: u32) {
    for _ in 0..count {
        let head = repository.journal.head().expect("a journal");
        let newest = head.newest.as_ref().expect("an entry").transaction.clone();
        let draft = Draft {
            time: Timestamp(1_700_000_000_000),
            actor: newest.actor,
            command: "grow".to_owned(),
            updates: Vec::new(),
            unlisted: 0,
            refs: newest.refs,
            attestations: EMPTY_TREE,
        };
        let appended = repository.journal.append(&head, draft).expect("appended");
        assert!(matches!(appended, Appended::Won(_)));
    }
}

#[test]
fn the_pages_suffice_to_read_a_repository() {
    let folder = tempfile::tempdir().expect("a folder");
    let repository = record(folder.path());
    let Some(output) = run("independent_reader.py", &[folder.path().as_os_str()]) else { return };
    let proved = assert_proved(&output);
    assert!(proved.contains("\"commits\": 2"), "{proved}");
    assert!(proved.contains("\"files\": 6008"), "{proved}");
    grow(&repository, 600);
    let output = run("independent_reader.py", &[folder.path().as_os_str()]).expect("ran before");
    let proved = assert_proved(&output);
    assert!(proved.contains("\"entries\": 603"), "{proved}");
    let tile = folder.path().join(".provenance/journal/tile/0/000");
    assert!(tile.exists(), "no hash tile was made, so none was checked");
}

/// Right after `init` there is one entry, and neither a pack nor a folder for packs.
#[test]
fn the_pages_suffice_to_read_an_empty_repository() {
    let folder = tempfile::tempdir().expect("a folder");
    init(&InitRequest { directory: folder.path().to_owned() }, Clock::System).expect("made");
    let Some(output) = run("independent_reader.py", &[folder.path().as_os_str()]) else { return };
    let proved = assert_proved(&output);
    for words in ["\"entries\": 1", "\"packs\": 0", "\"commits\": 0", "\"refs\": {}"] {
        assert!(proved.contains(words), "{words}: {proved}");
    }
    let arguments = [folder.path().as_os_str(), OsStr::new("heads/main"), OsStr::new("-")];
    let output = run("independent_reader.py", &arguments).expect("ran before");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("there is no ref heads/main"), "{said}");
}

#[test]
fn the_pages_suffice_to_extract_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    record(folder.path());
    let root = folder.path().as_os_str();
    for (name, expected) in [
        ("data/table.csv", table(150_000, 77_777)),
        ("many/0042.json", b"{\"n\":\"forty-two\"}".to_vec()),
        ("data/empty", Vec::new()),
        ("latest", b"data/table.csv".to_vec()),
    ] {
        let arguments = [root, OsStr::new("heads/main"), OsStr::new(name)];
        let Some(output) = run("independent_reader.py", &arguments) else { return };
        assert_proved(&output);
        let mut hashers = (ContentHasher::new(), ContentHasher::new());
        hashers.0.update(&output.stdout);
        hashers.1.update(&expected);
        assert_eq!(hashers.0.finish(), hashers.1.finish(), "{name}");
    }
}

/// The reader is no judge if it accepts anything.
#[test]
fn the_reader_notices_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    record(folder.path());
    let Some(output) = run("independent_reader.py", &[folder.path().as_os_str()]) else { return };
    assert_proved(&output);
    let packs = fs::read_dir(folder.path().join(".provenance/pack")).expect("a folder");
    let path = packs.map(|pack| pack.expect("a name").path()).min().expect("a pack");
    let good = fs::read(&path).expect("a pack");
    for at in [20, good.len() / 2, good.len() - 40] {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        let mut file = fs::File::create(&path).expect("made");
        std::io::Write::write_all(&mut file, &bytes).expect("written");
        let output =
            run("independent_reader.py", &[folder.path().as_os_str()]).expect("ran before");
        assert!(!output.status.success(), "byte {at} of {} was not noticed", path.display());
    }
}

#[test]
fn the_reader_tells_a_torn_entry_from_a_damaged_one() {
    let folder = tempfile::tempdir().expect("a folder");
    init(&InitRequest { directory: folder.path().to_owned() }, Clock::System).expect("made");
    let repository = Repository::open(folder.path(), Clock::System).expect("opened");
    symlink("nowhere", folder.path().join("link")).expect("linked");
    record_version(&repository, "a link");
    grow(&repository, 1);
    let path = folder.path().join(".provenance/journal/entry/00000000000000000002.json");
    let whole = fs::read(&path).expect("an entry");
    let line_end = whole.len() - 66;
    for at in [0, line_end - 1, line_end, line_end + 1, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        for (bytes, is_torn) in [(&damaged[..], false), (&whole[..at], true)] {
            fs::remove_file(&path).expect("removed");
            let mut file = fs::File::create(&path).expect("made");
            std::io::Write::write_all(&mut file, bytes).expect("written");
            assert_eq!(repository.journal.head().is_ok(), is_torn, "byte {at}");
            let Some(output) = run("independent_reader.py", &[folder.path().as_os_str()]) else {
                return;
            };
            assert_eq!(output.status.success(), is_torn, "byte {at}");
        }
    }
}

#[test]
fn the_pages_suffice_to_tell_good_bytes_from_malformed_ones() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let Some(output) = run("prove_fixtures.py", &[fixtures.as_os_str()]) else { return };
    assert_proved(&output);
}
