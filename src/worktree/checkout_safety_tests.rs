//! Whatever others do to the worktree meanwhile, nothing leaves it and nothing of theirs is lost.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;

use super::tests::{Place, UNTRACKED, at, tree};
use super::*;
use crate::worktree::directory::Directory;

#[test]
fn nothing_is_written_through_a_link() {
    let outside = tempfile::tempdir().unwrap();
    std::io::Write::write_all(
        &mut fs::File::create(outside.path().join("victim")).unwrap(),
        b"secret",
    )
    .unwrap();
    let mut place = Place::new(&[("d/victim", "old")]);
    // In place of a tracked directory: its file is gone, and the link is nobody's.
    fs::remove_dir_all(place.root().join("d")).unwrap();
    symlink(outside.path(), place.root().join("d")).unwrap();
    symlink(outside.path().join("victim"), place.root().join("f")).unwrap();
    let new = tree(&[("d/victim", "new"), ("f", "new")]);
    let conflicts = [format!("d {UNTRACKED}"), format!("f {UNTRACKED}")];
    assert_eq!(place.checkout(&new, false), Err(conflicts.to_vec()));
    place.checkout(&new, true).unwrap();
    assert_eq!(place.list(), ["d/", "d/victim", "f"]);
    let secret = fs::read_to_string(outside.path().join("victim")).unwrap();
    assert_eq!(secret, "secret");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[test]
fn a_link_swapped_in_after_the_examination_leads_nowhere() {
    let outside = tempfile::tempdir().unwrap();
    let place = Place::new(&[("d/a", "1")]);
    let new = tree(&[("d/a", "changed"), ("d/b", "new")]);
    let verdicts = place.examine(&new, false).unwrap();
    rename(&place.root().join("d"), &outside.path().join("d"));
    symlink(outside.path().join("d"), place.root().join("d")).unwrap();
    let before = walk(outside.path());
    let error = place.apply(&verdicts, &new, false).unwrap_err();
    assert!(matches!(error, CheckoutError::InTheWay { .. }), "{error:?}");
    assert_eq!(walk(outside.path()), before);
}

#[expect(clippy::disallowed_methods, reason = "somebody swaps a directory for a link")]
fn rename(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap();
}

fn walk(dir: &Path) -> Vec<(std::path::PathBuf, i64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let metadata = path.symlink_metadata().unwrap();
        if metadata.is_dir() {
            found.extend(walk(&path));
        }
        found.push((path, metadata.ctime_nsec()));
    }
    found.sort();
    found
}

#[test]
fn what_changes_after_the_examination_stays() {
    let place = Place::new(&[("changed", "1"), ("removed", "2")]);
    let new = tree(&[("appears", "3"), ("changed", "4")]);
    let verdicts = place.examine(&new, false).unwrap();
    let only = |path: &str| {
        let kept = verdicts.iter().position(|(found, _)| *found == at(path)).unwrap();
        &verdicts[kept..=kept]
    };
    place.write("appears", "mine");
    place.write("changed", "mine, too");
    place.write("removed", "and mine");
    let error = |path| place.apply(only(path), &new, false).unwrap_err();
    assert!(matches!(error("appears"), CheckoutError::InTheWay { .. }));
    assert!(matches!(error("changed"), CheckoutError::Changed { .. }));
    assert!(matches!(error("removed"), CheckoutError::Changed { .. }));
    assert_eq!(place.list(), ["appears", "changed", "removed"], "and nothing temporary");
    assert_eq!(place.read("changed"), "mine, too");
}

#[test]
fn content_that_fails_or_ends_early_leaves_nothing() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("damaged"))
        }
    }
    let place = Place::new(&[("a", "kept")]);
    let root = Directory::open(place.root()).unwrap();
    let mut hand = Hand::new(&root, true).unwrap();
    let failed = hand.write_file(&at("a"), false, 5, None, &mut Broken);
    assert!(matches!(failed, Err(CheckoutError::Content { .. })));
    let short = hand.write_file(&at("a"), false, 5, None, &mut &b"four"[..]);
    assert!(matches!(short, Err(CheckoutError::Length { expected: 5, found: 4, .. })));
    assert_eq!((place.list(), place.read("a")), (vec!["a".to_owned()], "kept".to_owned()));
}

#[test]
fn a_hard_link_keeps_its_content() {
    let mut place = Place::new(&[("a", "shared")]);
    let other = place.beside.path().join("other");
    fs::hard_link(place.root().join("a"), &other).unwrap();
    place.checkout(&tree(&[("a", "new one")]), false).unwrap();
    assert_eq!(fs::read_to_string(other).unwrap(), "shared");
}

#[test]
fn special_files_are_conflicts_and_nobody_waits_for_them() {
    let mut place = Place::new(&[("old", "1")]);
    fs::remove_file(place.root().join("old")).unwrap();
    for name in ["old", "new"] {
        let path = place.root().join(name);
        rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::RUSR).unwrap();
    }
    let new = tree(&[("new", "2")]);
    assert_eq!(place.checkout(&new, false), Err(vec![format!("new {UNTRACKED}")]));
    place.checkout(&new, true).unwrap();
    assert_eq!(place.read("new"), "2");
}

#[test]
fn repositories_in_the_way_are_never_removed() {
    let mut place = Place::new(&[]);
    place.write("a/.git/HEAD", "");
    let new = tree(&[("a", "file")]);
    assert_eq!(place.checkout(&new, false), Err(vec![format!("a {UNTRACKED}")]));
    let verdicts = place.examine(&new, true).unwrap();
    let error = place.apply(&verdicts, &new, true).unwrap_err();
    assert!(matches!(error, CheckoutError::InTheWay { .. }));
    assert_eq!(place.list(), ["a/", "a/.git/", "a/.git/HEAD"]);
}

/// Its new content was recorded as the old one, and nothing showed it from then on.
#[test]
fn a_file_that_is_changed_before_it_gets_its_mode_is_not_known() {
    for overwrites in [false, true] {
        let place = Place::new(&[("a", "1")]);
        let new = tree(&[("a", "*1")]);
        let verdicts = place.examine(&new, overwrites).unwrap();
        assert!(matches!(verdicts[0].1, Verdict::SetMode { .. }));
        let path = place.root().join("a");
        std::io::Write::write_all(&mut fs::File::create(&path).unwrap(), b"22").unwrap();
        match place.apply(&verdicts, &new, overwrites) {
            Ok(stamps) => {
                assert!(overwrites);
                assert_eq!(stamps[&at("a")].mtime_ns, 0);
                assert_ne!(path.metadata().unwrap().mode() & 0o100, 0);
            }
            Err(error) => assert!(matches!(error, CheckoutError::Changed { .. }) && !overwrites),
        }
        assert_eq!(fs::read(&path).unwrap(), b"22");
    }
}

/// It was told like a revision that is not found.
#[test]
fn a_directory_that_is_removed_meanwhile_is_a_change() {
    let place = Place::new(&[("d/a", "1")]);
    let root = Directory::open(place.root()).unwrap();
    let mut hand = Hand::new(&root, true).unwrap();
    let pending = hand.begin_file(&at("d/b"), false, None).unwrap();
    fs::remove_dir_all(place.root().join("d")).unwrap();
    assert!(matches!(pending.finish(0), Err(CheckoutError::Changed { .. })));
}
