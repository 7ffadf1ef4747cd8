//! However much there is of something, a command takes no more memory than is published.
//!
//! In `make torture` in full size: 20 GB, a million files, a million commits.

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::time::Instant;

use provenance::clock::{Clock, Timestamp};
use provenance::format::pack::ObjectKind;
use provenance::object::tree::{self, Edit, NewNode, Target};
use provenance::object::{Commit, ObjectId, Sha256, TreePath, Update};
use provenance::repo::Repository;
use provenance::store::StoreError;

use super::memory::{PEAK_KIB_MAX, has_time, peak_kib};
use super::project::Project;
use crate::support::effort;
use crate::support::sample::minimal_commit;

const CONTENT: &[u8] = b"the same everywhere\n";

#[track_caller]
fn assert_bounded(project: &Project, words: &[&str]) {
    let (began, peak) = (Instant::now(), peak_kib(project, words));
    if effort::is_torture() {
        let seconds = began.elapsed().as_secs();
        let _nobody_reads = writeln!(std::io::stderr(), "{peak} KiB, {seconds} s: {words:?}");
    }
    assert!(peak < PEAK_KIB_MAX, "{words:?}: {peak} KiB");
}

/// A fifth of it is noise, the rest was never written.
#[test]
fn a_file_of_any_length_is_recorded_and_restored_in_little_memory() {
    if !has_time() {
        return;
    }
    let project = Project::new();
    let fifth = effort::cases(80 << 20, 4 << 30);
    let mut file = fs::File::create(project.path(b"weights")).expect("made");
    let mut noise = blake3::Hasher::new().finalize_xof().take(fifth);
    std::io::copy(&mut noise, &mut file).expect("written");
    file.set_len(5 * fifth).expect("lengthened");
    assert_bounded(&project, &["add", "-q", "weights"]);
    assert_bounded(&project, &["commit", "-q", "-m", "large"]);
    file.seek(SeekFrom::Start(2 * fifth)).expect("there");
    file.write_all(b"changed").expect("written");
    drop(file);
    assert_bounded(&project, &["status", "-s"]);
    assert_bounded(&project, &["restore", "-q", "weights"]);
    assert_eq!(project.text(&["status", "-s"]), "");
}

fn open(project: &Project) -> Repository {
    Repository::open(project.root(), Clock::Fixed(Timestamp(1_700_000_000_000))).expect("opened")
}

fn commit(tree: ObjectId, parent: Option<ObjectId>, number: u64) -> Vec<u8> {
    let commit = Commit {
        tree,
        parents: parent.into_iter().collect(),
        time: Timestamp(1_700_000_000_000 + i64::try_from(number).expect("small")),
        message: format!("number {number}"),
        ..minimal_commit()
    };
    commit.encode().expect("valid")
}

/// Records a commit of many files with the same content; no file of them is ever written.
fn record(project: &Project, paths: impl Iterator<Item = String>) {
    let repository = open(project);
    let transaction = repository.store.transaction().expect("begun");
    let id = transaction.put(ObjectKind::Blob, CONTENT).expect("stored");
    let (size, sha256) = (CONTENT.len() as u64, Sha256::of(CONTENT));
    let target = Target::File { id, size, sha256, executable: false };
    let edits =
        paths.map(|path| (TreePath::new(path.as_bytes()).expect("a path"), Edit::Put(target)));
    let load = |_: &ObjectId| -> Result<Vec<u8>, StoreError> { unreachable!("nothing is there") };
    let emit = |node: NewNode<'_>| transaction.put_node(node);
    let tree = tree::edit(None, edits, load, emit).expect("made");
    let id = transaction.put_commit(&commit(tree.id, None, 0)).expect("stored");
    move_main(&repository, transaction, id);
}

fn move_main(
    repository: &Repository,
    transaction: provenance::store::Transaction<'_>,
    id: ObjectId,
) {
    let name = "heads/main".to_owned();
    let update = Update { name, old: None, new: Some(id) };
    transaction.finish().expect("finished");
    repository.move_refs(&[update], "commit", None).expect("moved");
}

#[test]
fn a_directory_of_any_number_of_entries_is_read_in_little_memory() {
    if !has_time() {
        return;
    }
    let project = Project::new();
    let count = effort::cases(60_000, 1_000_000);
    record(&project, (0..count).map(|number| format!("data/sample-{number:09}.bin")));
    let name = format!("main:data/sample-{:09}.bin", count - 1);
    assert_bounded(&project, &["cat", &name]);
    for words in [["ls", "-r", "main"].as_slice(), &["fsck", "-q"], &["status", "-s"]] {
        assert_bounded(&project, words);
    }
}

#[test]
fn any_number_of_files_is_recorded_and_checked_out_in_little_memory() {
    if !has_time() {
        return;
    }
    let project = Project::new();
    let count = effort::cases(3_000, 1_000_000);
    let path = |number: u64| format!("d{:04}/f{number:07}", number / 1000);
    record(&project, (0..count).map(path));
    assert_bounded(&project, &["restore", "-q", "."]);
    for number in (0..count).step_by(7) {
        project.write(path(number).as_bytes(), format!("changed {number}").as_bytes());
    }
    for words in [["add", "-q", "-A"].as_slice(), &["commit", "-q", "-m", "x"], &["status", "-s"]] {
        assert_bounded(&project, words);
    }
}

#[test]
fn a_history_of_any_length_is_walked_in_little_memory() {
    if !has_time() {
        return;
    }
    let project = Project::new();
    let count = effort::cases(20_000, 1_000_000);
    let repository = open(&project);
    let transaction = repository.store.transaction().expect("begun");
    let mut parent = None;
    for number in 0..count {
        let record = commit(tree::EMPTY_TREE, parent, number);
        parent = Some(transaction.put_commit(&record).expect("stored"));
    }
    move_main(&repository, transaction, parent.expect("one"));
    assert_eq!(project.text(&["rev-list", "--count", "main"]), format!("{count}\n"));
    for words in [
        ["rev-list", "--count", "main"].as_slice(),
        &["log", "--oneline", "-n", "3"],
        &["merge-base", "main", "main~9"],
        &["fsck", "-q"],
        &["gc", "-q"],
    ] {
        assert_bounded(&project, words);
    }
}

#[test]
fn a_declaration_of_100_mb_is_refused_unread() {
    if !has_time() {
        return;
    }
    let project = Project::new();
    let line = b"# nothing but a remark that goes on and on and on and on and on and on and on\n";
    project.write(b"provenance.toml", &line.repeat(100_000_000 / line.len()));
    assert_bounded(&project, &["add", "-q", "-A"]);
    let mut command = std::process::Command::new("/usr/bin/time");
    command.args(["-f", "%M", &effort::program(), "commit", "-m", "x"]);
    let output = command.current_dir(project.root()).env_clear().output().expect("time runs");
    let said = String::from_utf8(output.stderr).expect("a text");
    assert_ne!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("provenance.toml") || said.contains("more than"), "{said}");
    let peak: u64 = said.lines().last().expect("a figure").parse().expect("KiB");
    assert!(peak < PEAK_KIB_MAX, "{peak} KiB");
}
