//! Going back: checkout and restore write what was recorded, and lose nothing else.

use std::fs;
use std::os::unix::fs::symlink;

use provenance::progress::Progress;
use provenance::repo::checkout::{CheckoutReport, CheckoutRequest, checkout};
use provenance::repo::restore::{RestoreRequest, restore};
use provenance::repo::{Error, FsckRequest, GcRequest, Head, fsck, gc};

use super::bench::{Bench, path};

fn go(bench: &Bench, target: &str, is_forced: bool) -> Result<CheckoutReport, Error> {
    let target = Some(target.as_bytes().to_vec());
    let request = CheckoutRequest { target, is_forced, ..CheckoutRequest::default() };
    checkout(&bench.repository, &request, &Progress::default())
}

fn branch(bench: &Bench, name: &str) {
    let new_branch = Some(name.to_owned());
    let request = CheckoutRequest { new_branch, ..CheckoutRequest::default() };
    checkout(&bench.repository, &request, &Progress::default()).expect("made");
}

/// Two commits that differ in every way that two trees can.
fn two_commits() -> Bench {
    let bench = Bench::new();
    bench.write("same", b"same");
    bench.write("content", b"one");
    bench.write("gone", b"gone");
    bench.write("file-to-directory", b"file");
    bench.write("directory-to-file/inside/deep", b"x");
    symlink("same", bench.path().join("link")).expect("linked");
    bench.write("large", &vec![7; 9 << 20]);
    bench.add();
    bench.commit("first");
    bench.write("content", b"two");
    fs::remove_file(bench.path().join("gone")).expect("removed");
    fs::remove_file(bench.path().join("file-to-directory")).expect("removed");
    bench.write("file-to-directory/inside", b"y");
    fs::remove_dir_all(bench.path().join("directory-to-file")).expect("removed");
    bench.write("directory-to-file", b"file");
    fs::remove_file(bench.path().join("link")).expect("removed");
    symlink("elsewhere", bench.path().join("link")).expect("linked");
    bench.write("large", &vec![8; 9 << 20]);
    bench.add();
    bench.commit("second");
    bench
}

#[test]
fn there_and_back_every_byte_is_the_same() {
    let bench = two_commits();
    let second = bench.snapshot();
    go(&bench, "HEAD~1", false).expect("gone back");
    assert!(bench.status().is_clean());
    assert_eq!(fs::read(bench.path().join("content")).expect("read"), b"one");
    assert_eq!(fs::read(bench.path().join("large")).expect("read"), vec![7; 9 << 20]);
    assert!(bench.path().join("directory-to-file/inside/deep").is_file());
    assert_eq!(fs::read_link(bench.path().join("link")).expect("link").to_str(), Some("same"));
    let report = go(&bench, "main", false).expect("back again");
    assert_eq!(report.head, Head::Branch("heads/main".to_owned()));
    assert!(bench.status().is_clean());
    assert_eq!(bench.snapshot(), second);
}

#[test]
fn what_would_be_lost_is_named_and_nothing_changes() {
    let bench = two_commits();
    bench.write("content", b"precious");
    bench.write("gone", b"precious, too");
    let before = bench.snapshot();
    let error = go(&bench, "HEAD~1", false).expect_err("refused");
    let text = error.to_string();
    assert!(text.contains("content") && text.contains("gone"), "{text}");
    assert_eq!(bench.snapshot(), before);
    go(&bench, "HEAD~1", true).expect("forced");
    assert_eq!(fs::read(bench.path().join("content")).expect("read"), b"one");
    assert!(bench.status().is_clean());
}

#[test]
fn changes_elsewhere_are_carried_along() {
    let bench = two_commits();
    bench.write("same", b"changed, not staged");
    bench.write("staged", b"new, staged");
    bench.write("untracked", b"new");
    bench.add_path("staged");
    let words = bench.words();
    go(&bench, "HEAD~1", false).expect("gone back");
    assert_eq!(bench.words(), words);
    go(&bench, "main", false).expect("back again");
    assert_eq!(bench.words(), words);
}

#[test]
fn a_branch_is_made_where_the_worktree_stands() {
    let bench = two_commits();
    bench.write("same", b"changed");
    branch(&bench, "side");
    assert_eq!(bench.words(), ["unstaged Modified same"]);
    bench.add();
    bench.commit("on the side");
    go(&bench, "main", false).expect("gone");
    assert_eq!(fs::read(bench.path().join("same")).expect("read"), b"same");
    go(&bench, "side", false).expect("gone");
    assert_eq!(fs::read(bench.path().join("same")).expect("read"), b"changed");
    assert!(go(&bench, "nowhere", false).is_err());
}

#[test]
fn a_link_in_the_place_of_a_directory_is_not_followed() {
    let bench = two_commits();
    let outside = tempfile::tempdir().expect("a folder");
    fs::remove_dir_all(bench.path().join("file-to-directory")).expect("removed");
    symlink(outside.path(), bench.path().join("file-to-directory")).expect("linked");
    let request = RestoreRequest {
        paths: vec![path("file-to-directory")],
        in_worktree: true,
        ..RestoreRequest::default()
    };
    restore(&bench.repository, &request, &Progress::default()).expect("restored");
    assert_eq!(fs::read_dir(outside.path()).expect("read").count(), 0);
    let inside = bench.path().join("file-to-directory/inside");
    assert_eq!(fs::read(inside).expect("read"), b"y");
    assert!(bench.status().is_clean());
}

#[test]
fn restore_takes_from_the_stage_or_a_commit_and_leaves_the_rest() {
    let bench = two_commits();
    bench.write("content", b"mistake");
    bench.write("same", b"wanted");
    fs::remove_file(bench.path().join("large")).expect("removed");
    bench.write("untracked", b"mine");
    let mut request = RestoreRequest {
        paths: vec![path("content"), path("large")],
        in_worktree: true,
        ..RestoreRequest::default()
    };
    restore(&bench.repository, &request, &Progress::default()).expect("restored");
    assert_eq!(bench.words(), ["unstaged Modified same", "new Untracked untracked"]);
    request.paths = vec![path("content")];
    request.source = Some(b"HEAD~1".to_vec());
    restore(&bench.repository, &request, &Progress::default()).expect("restored");
    assert_eq!(fs::read(bench.path().join("content")).expect("read"), b"one");
    let expected =
        ["unstaged Modified content", "unstaged Modified same", "new Untracked untracked"];
    assert_eq!(bench.words(), expected);
    request.paths = vec![path("not/there")];
    let refused = restore(&bench.repository, &request, &Progress::default());
    assert!(matches!(refused, Err(Error::NotFound { .. })));
}

#[test]
fn restore_can_take_files_off_the_stage() {
    let bench = two_commits();
    bench.write("content", b"three");
    bench.write("new", b"new");
    bench.add();
    let request = RestoreRequest { in_stage: true, ..RestoreRequest::default() };
    restore(&bench.repository, &request, &Progress::default()).expect("restored");
    assert_eq!(bench.words(), ["unstaged Modified content", "new Untracked new"]);
}

/// What would be lost: a version that nothing reaches, of which a recorded one is stored as the
/// difference.
#[test]
fn a_collection_keeps_what_recorded_versions_are_differences_to() {
    let bench = Bench::new();
    let mut content: Vec<u8> = (0..30_000_u32).flat_map(|n| n.to_string().into_bytes()).collect();
    for version in 0..4 {
        content[version * 5_000..version * 5_000 + 10].fill(b'x');
        bench.write("a", &content);
        bench.add();
    }
    bench.commit("only the last one");
    let request = GcRequest { is_dry: false, prunes_now: true };
    let collected = gc(&bench.repository, request, &Progress::default()).expect("collected");
    assert!(collected.collected.dropped > 0, "versions that are no bases are gone");
    let request = FsckRequest { full: true, repairs: false };
    let checked = fsck(&bench.repository, request, &Progress::default()).expect("checked");
    assert!(checked.problems.is_empty(), "{:?}", checked.problems);
    fs::remove_file(bench.path().join("a")).expect("removed");
    let request =
        RestoreRequest { paths: vec![path("a")], in_worktree: true, ..RestoreRequest::default() };
    restore(&bench.repository, &request, &Progress::default()).expect("restored");
    assert!(fs::read(bench.path().join("a")).expect("there") == content);
}
