//! What add, status, commit and rm do to a worktree, and what they must leave alone.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use provenance::progress::Progress;
use provenance::repo::rm::{RmRequest, rm};
use provenance::repo::{CommitRequest, Committed, Error, commit};

use super::bench::{Bench, path};

#[test]
fn what_is_added_is_staged_and_what_is_committed_is_clean() {
    let bench = Bench::new();
    bench.write("data/a.csv", b"1,2\n");
    bench.write("train.py", b"print()\n");
    assert_eq!(bench.words(), ["new UntrackedDirectory data", "new Untracked train.py"]);
    let report = bench.add();
    assert_eq!((report.added, report.modified, report.removed), (2, 0, 0));
    assert_eq!(bench.words(), ["staged Added data/a.csv", "staged Added train.py"]);
    assert!(matches!(bench.commit("first"), Committed::Made(_)));
    assert!(bench.status().is_clean());
    assert!(matches!(bench.commit("again"), Committed::NothingChanged));
}

#[test]
fn every_way_to_change_shows_and_can_be_staged() {
    let bench = Bench::new();
    for name in ["content", "mode", "gone", "to-link", "to-directory", "dir/file"] {
        bench.write(name, name.as_bytes());
    }
    symlink("content", bench.path().join("link")).expect("linked");
    bench.add();
    bench.commit("first");
    bench.write("content", b"CONTENT");
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(bench.path().join("mode"), executable).expect("set");
    fs::remove_file(bench.path().join("gone")).expect("removed");
    fs::remove_file(bench.path().join("to-link")).expect("removed");
    symlink("nowhere", bench.path().join("to-link")).expect("linked");
    fs::remove_file(bench.path().join("to-directory")).expect("removed");
    bench.write("to-directory/inside", b"x");
    fs::remove_dir_all(bench.path().join("dir")).expect("removed");
    bench.write("dir", b"now a file");
    let expected = [
        "unstaged Modified content",
        "unstaged Deleted dir/file",
        "unstaged Deleted gone",
        "unstaged Modified mode",
        "unstaged Deleted to-directory",
        "unstaged KindChanged to-link",
        "new Untracked dir",
        "new UntrackedDirectory to-directory",
    ];
    assert_eq!(bench.words(), expected);
    bench.add();
    let expected = [
        "staged Modified content",
        "staged Added dir",
        "staged Deleted dir/file",
        "staged Deleted gone",
        "staged Modified mode",
        "staged Deleted to-directory",
        "staged Added to-directory/inside",
        "staged KindChanged to-link",
    ];
    assert_eq!(bench.words(), expected);
    bench.commit("second");
    assert_eq!(bench.words(), [""; 0]);
}

/// A stamp as young as the moment it was noted proves nothing: git's racy timestamps.
#[test]
fn a_change_right_after_add_is_seen() {
    let bench = Bench::new();
    for round in 0..50 {
        bench.write("racy", format!("{round:04}").as_bytes());
        bench.add();
        bench.write("racy", format!("{:04}", round + 1000).as_bytes());
        let words = bench.words();
        assert!(words.contains(&"unstaged Modified racy".to_owned()), "round {round}: {words:?}");
    }
}

#[test]
fn damaged_stamps_change_no_answer() {
    let bench = Bench::new();
    bench.write("a", b"1");
    bench.write("b/c", b"2");
    bench.add();
    bench.commit("first");
    bench.write("a", b"3");
    let stamps = bench.path().join(".provenance/cache/stamps");
    let good = fs::read(&stamps).expect("stamps");
    for position in 0..good.len() {
        let mut bad = good.clone();
        bad[position] ^= 0x41;
        fs::remove_file(&stamps).expect("removed");
        bench.write(".provenance/cache/stamps", &bad);
        assert_eq!(bench.words(), ["unstaged Modified a"], "byte {position}");
    }
    fs::remove_file(&stamps).expect("removed");
    assert_eq!(bench.words(), ["unstaged Modified a"]);
}

#[test]
fn rm_refuses_what_would_be_lost_and_removes_the_rest() {
    let bench = Bench::new();
    bench.write("keep", b"1");
    bench.write("d/x", b"2");
    bench.write("d/y", b"3");
    bench.add();
    bench.commit("first");
    bench.write("d/x", b"changed");
    let progress = Progress::default();
    let mut request = RmRequest { paths: vec![path("d")], ..RmRequest::default() };
    assert!(matches!(rm(&bench.repository, &request, &progress), Err(Error::Usage(_))));
    request.is_recursive = true;
    assert!(matches!(rm(&bench.repository, &request, &progress), Err(Error::Conflict(_))));
    assert!(bench.path().join("d/y").exists());
    request.is_forced = true;
    let report = rm(&bench.repository, &request, &progress).expect("removed");
    assert_eq!(report.removed, [path("d/x"), path("d/y")]);
    assert!(!bench.path().join("d").exists());
    assert_eq!(bench.words(), ["staged Deleted d/x", "staged Deleted d/y"]);
    let cached = RmRequest { paths: vec![path("keep")], keeps_files: true, ..RmRequest::default() };
    rm(&bench.repository, &cached, &progress).expect("untracked");
    assert!(bench.path().join("keep").exists());
    let nowhere = RmRequest { paths: vec![path("nowhere")], ..RmRequest::default() };
    let refused = rm(&bench.repository, &nowhere, &progress);
    assert!(matches!(refused, Err(Error::NotFound { .. })));
}

#[test]
fn tracked_changes_are_committed_without_add() {
    let bench = Bench::new();
    bench.write("a", b"1");
    bench.add();
    bench.commit("first");
    bench.write("a", b"2");
    bench.write("new", b"3");
    let request = CommitRequest {
        message: "all".to_owned(),
        stages_tracked: true,
        ..CommitRequest::default()
    };
    let made = commit(&bench.repository, &request, &Progress::default()).expect("committed");
    assert!(matches!(made, Committed::Made(_)));
    assert_eq!(bench.words(), ["new Untracked new"]);
}

#[test]
fn a_path_outside_of_the_worktree_is_refused() {
    let bench = Bench::new();
    let root = bench.path().canonicalize().expect("a path");
    let refuse = |typed: &str| bench.repository.tree_path(&root, Path::new(typed)).is_err();
    assert!(refuse("../elsewhere") && refuse("/etc/passwd") && refuse("a/../../b"));
    assert!(refuse(".provenance/HEAD") && refuse(".GIT/config"));
    let inside = bench.repository.tree_path(&root, Path::new("a/./b/../c")).expect("inside");
    assert_eq!(inside, Some(path("a/c")));
    assert_eq!(bench.repository.tree_path(&root, Path::new(".")).expect("root"), None);
}
