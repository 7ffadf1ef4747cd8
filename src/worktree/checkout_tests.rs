//! Files are written where they belong and nowhere else, and never over what nobody recorded.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::*;
use crate::object::tree::{Change, Target};
use crate::object::{ObjectId, Sha256};
use crate::progress::Progress;
use crate::worktree::directory::Directory;
use crate::worktree::stamps::{Record, Stamps, StampsWriter};

/// A tree in words: `path` → content; `*` before it is an executable, `>` a link.
pub type Tree = BTreeMap<TreePath, String>;

pub fn tree(files: &[(&str, &str)]) -> Tree {
    files.iter().map(|(path, content)| (at(path), (*content).to_owned())).collect()
}

pub fn at(path: &str) -> TreePath {
    TreePath::new(path).unwrap()
}

fn target(content: &str) -> Target {
    let bytes = bytes(content);
    let (id, size) = (ObjectId::of(bytes), bytes.len() as u64);
    match content.as_bytes().first() {
        Some(b'>') => Target::Symlink { id, size },
        first => {
            let executable = first == Some(&b'*');
            Target::File { id, size, sha256: Sha256::of(bytes), executable }
        }
    }
}

fn bytes(content: &str) -> &[u8] {
    content.trim_start_matches(['*', '>']).as_bytes()
}

fn changes(old: &Tree, new: &Tree) -> Vec<Change> {
    let mut paths: Vec<&TreePath> = old.keys().chain(new.keys()).collect();
    paths.sort();
    paths.dedup();
    let of = |tree: &Tree, path: &TreePath| tree.get(path).map(|content| target(content));
    let change =
        |path: &TreePath| Change { path: path.clone(), old: of(old, path), new: of(new, path) };
    paths.into_iter().map(change).filter(|change| change.old != change.new).collect()
}

/// A worktree, and what is tracked in it.
pub struct Place {
    dir: tempfile::TempDir,
    pub beside: tempfile::TempDir,
    tracked: Tree,
}

impl Place {
    pub fn new(files: &[(&str, &str)]) -> Self {
        let mut place = Self {
            dir: tempfile::tempdir().unwrap(),
            beside: tempfile::tempdir().unwrap(),
            tracked: Tree::new(),
        };
        place.checkout(&tree(files), false).unwrap();
        place
    }

    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    pub fn write(&self, path: &str, content: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::io::Write::write_all(&mut fs::File::create(path).unwrap(), content.as_bytes())
            .unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).unwrap()
    }

    /// Examines and carries out; the conflicts in words.
    pub fn checkout(&mut self, new: &Tree, overwrites: bool) -> Result<(), Vec<String>> {
        let verdicts = self.examine(new, overwrites)?;
        let stamps = self.apply(&verdicts, new, overwrites).unwrap();
        let file = self.beside.path().join("stamps");
        let mut writer = StampsWriter::new(None, self.beside.path(), i64::MAX).unwrap();
        for (path, content) in new {
            let stamp = stamps.get(path).copied();
            let stamp = stamp.or_else(|| self.find(path)).unwrap();
            writer.put(path, Record { stamp, id: target(content).id() }).unwrap();
        }
        writer.finish(&file, &ObjectId::of(b"tree")).unwrap();
        self.tracked = new.clone();
        Ok(())
    }

    fn find(&self, path: &TreePath) -> Option<Stamp> {
        let stamps = Stamps::open(&self.beside.path().join("stamps"))?;
        stamps.finder().unwrap().find(path).unwrap().map(|record| record.stamp)
    }

    pub fn examine(
        &self,
        new: &Tree,
        overwrites: bool,
    ) -> Result<Vec<(TreePath, Verdict)>, Vec<String>> {
        let root = Directory::open(self.root()).unwrap();
        let stamps = Stamps::open(&self.beside.path().join("stamps"));
        let progress = Progress::default();
        let mut examiner = Examiner::new(&root, stamps.as_ref(), overwrites, &progress).unwrap();
        let (mut verdicts, mut conflicts) = (Vec::new(), Vec::new());
        for change in changes(&self.tracked, new) {
            match examiner.examine(&change).unwrap() {
                Verdict::Conflict(found) => {
                    conflicts.push(format!("{} {}", found.path, found.kind))
                }
                verdict => verdicts.push((change.path, verdict)),
            }
        }
        if conflicts.is_empty() { Ok(verdicts) } else { Err(conflicts) }
    }

    pub fn apply(
        &self,
        verdicts: &[(TreePath, Verdict)],
        new: &Tree,
        overwrites: bool,
    ) -> Result<BTreeMap<TreePath, Stamp>, CheckoutError> {
        let root = Directory::open(self.root()).unwrap();
        let mut hand = Hand::new(&root, overwrites).unwrap();
        for (path, verdict) in verdicts {
            if let Verdict::Remove { over } = verdict {
                hand.remove(path, over)?;
            }
        }
        hand.remove_empty_directories();
        let mut stamps = BTreeMap::new();
        // Backwards, since any order must do.
        for (path, verdict) in verdicts.iter().rev() {
            let content = new.get(path).map_or("", String::as_str);
            let mut source = bytes(content);
            let (size, executable) = (source.len() as u64, content.starts_with('*'));
            let stamp = match verdict {
                Verdict::Keep(stamp) => *stamp,
                Verdict::SetMode { over } => hand.set_executable(path, executable, over)?,
                Verdict::Write { over } if content.starts_with('>') => {
                    hand.write_link(path, source, over.as_ref())?
                }
                Verdict::Write { over } => {
                    hand.write_file(path, executable, size, over.as_ref(), &mut source)?
                }
                _ => continue,
            };
            stamps.insert(path.clone(), stamp);
        }
        Ok(stamps)
    }

    /// Lists all paths, those of directories with a `/`.
    pub fn list(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = vec![self.root().to_owned()];
        while let Some(dir) = open.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                let is_directory = path.symlink_metadata().unwrap().is_dir();
                let name = path.strip_prefix(self.root()).unwrap().to_str().unwrap().to_owned();
                found.push(if is_directory { name + "/" } else { name });
                if is_directory {
                    open.push(path);
                }
            }
        }
        found.sort();
        found
    }
}

pub const UNTRACKED: &str = "is not recorded and would be overwritten";
const MODIFIED: &str = "has changes that are not recorded and would be lost";

#[test]
fn trees_are_written_and_stamps_are_those_of_the_files() {
    let mut place = Place::new(&[("a", "one"), ("d/e/f", "*two"), ("d/link", ">../a")]);
    assert_eq!(place.list(), ["a", "d/", "d/e/", "d/e/f", "d/link"]);
    assert_eq!(place.read("d/link"), "one");
    assert_eq!(fs::metadata(place.root().join("d/e/f")).unwrap().mode() & 0o100, 0o100);
    assert_eq!(fs::metadata(place.root().join("a")).unwrap().mode() & 0o111, 0);
    let found = place.find(&at("a")).unwrap();
    let metadata = fs::metadata(place.root().join("a")).unwrap();
    assert_eq!((found.ino, found.size), (metadata.ino(), 3));
    assert_eq!(found.ctime_ns, metadata.ctime() * 1_000_000_000 + metadata.ctime_nsec());
    place.checkout(&tree(&[("a", "*one"), ("d/link", "file"), ("g", "")]), false).unwrap();
    assert_eq!(place.list(), ["a", "d/", "d/link", "g"]);
    assert_eq!(fs::metadata(place.root().join("a")).unwrap().mode() & 0o100, 0o100);
    assert_eq!(place.find(&at("a")).unwrap().ino, metadata.ino(), "only its mode was changed");
    place.checkout(&tree(&[]), false).unwrap();
    assert!(place.list().is_empty());
}

#[test]
fn files_and_directories_change_places() {
    let mut place = Place::new(&[("a", "file"), ("b/c/d", "deep"), ("b/e", "too")]);
    fs::create_dir_all(place.root().join("b/empty/of/files")).unwrap();
    place.checkout(&tree(&[("a/x/y", "below"), ("b", "file")]), false).unwrap();
    assert_eq!(place.list(), ["a/", "a/x/", "a/x/y", "b"]);
    place.checkout(&tree(&[("a", ">b"), ("b/c", "back")]), false).unwrap();
    assert_eq!(place.list(), ["a", "b/", "b/c"]);
}

#[test]
fn what_is_not_recorded_is_a_conflict_before_anything_is_written() {
    let mut place = Place::new(&[("kept", "1"), ("mine", "2"), ("dir/x", "3"), ("gone", "4")]);
    place.write("mine", "my own changes");
    place.write("new", "my own file");
    place.write("dir/y", "my own too");
    place.write("in/the/way", "");
    fs::remove_file(place.root().join("gone")).unwrap();
    let before = place.list();
    let new = tree(&[("dir", "4"), ("gone", "5"), ("in/the", "6"), ("mine", "7"), ("new", "8")]);
    let conflicts = [
        format!("dir/y {UNTRACKED}"),
        format!("in/the/way {UNTRACKED}"),
        format!("mine {MODIFIED}"),
        format!("new {UNTRACKED}"),
    ];
    assert_eq!(place.checkout(&new, false), Err(conflicts.to_vec()));
    assert_eq!(place.list(), before);
    place.checkout(&new, true).unwrap();
    assert_eq!(place.list(), ["dir", "gone", "in/", "in/the", "mine", "new"]);
    assert_eq!(place.read("mine"), "7");
}

#[test]
fn a_file_in_place_of_a_directory_is_a_conflict_unless_it_is_recorded() {
    let mut place = Place::new(&[("a", "1")]);
    place.write("b", "mine");
    let new = tree(&[("a/x", "1"), ("b/x", "2"), ("b/y", "3")]);
    let conflicts = vec![format!("b {UNTRACKED}"); 2];
    assert_eq!(place.checkout(&new, false), Err(conflicts));
    place.checkout(&new, true).unwrap();
    assert_eq!(place.list(), ["a/", "a/x", "b/", "b/x", "b/y"]);
}

#[test]
fn what_is_right_already_is_kept() {
    let mut place = Place::new(&[("a", "old"), ("b", "x")]);
    place.write("a", "new");
    place.write("c", "same");
    let ino = fs::metadata(place.root().join("c")).unwrap().ino();
    place.checkout(&tree(&[("a", "new"), ("c", "*same")]), false).unwrap();
    let metadata = fs::metadata(place.root().join("c")).unwrap();
    assert_eq!((metadata.ino(), metadata.mode() & 0o100), (ino, 0o100));
    assert_eq!(place.list(), ["a", "c"]);
}

#[test]
fn removing_keeps_directories_that_hold_something_else() {
    let mut place = Place::new(&[("a/b/c", "1"), ("a/b/d/e", "2"), ("x/y/z", "3")]);
    place.write("a/mine", "4");
    place.checkout(&tree(&[]), false).unwrap();
    assert_eq!(place.list(), ["a/", "a/mine"]);
}

#[test]
fn depth_is_no_limit_of_the_system() {
    let deep = vec!["d".repeat(100); 200].join("/");
    let mut place = Place::new(&[(&format!("{deep}/leaf"), "1"), ("b", "2")]);
    place.checkout(&tree(&[(&format!("{deep}/leaf"), "3"), ("b", "2")]), false).unwrap();
    place.checkout(&tree(&[("b", "2")]), false).unwrap();
    assert_eq!(place.list(), ["b"]);
}

#[test]
fn many_hands_write_at_once() {
    let place = Place::new(&[]);
    let root = Directory::open(place.root()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let root = &root;
            scope.spawn(move || {
                let mut hand = Hand::new(root, false).unwrap();
                for file in 0..500 {
                    let path = at(&format!("d{}/e{}/{thread}-{file}", file % 7, file % 3));
                    hand.write_file(&path, false, 1, None, &mut &b"x"[..]).unwrap();
                }
            });
        }
    });
    let files = place.list().into_iter().filter(|path| !path.ends_with('/'));
    assert_eq!(files.count(), 2000);
}

#[test]
fn a_file_left_over_from_a_kill_is_named_and_not_recorded() {
    assert!(is_temporary(b".provenance-0123456789abcdef.tmp"));
    assert!(!is_temporary(b".provenance-0123456789abcdef"));
    assert!(!is_temporary(b".provenance-.tmp"));
    let place = Place::new(&[]);
    let root = Directory::open(place.root()).unwrap();
    let mut hand = Hand::new(&root, false).unwrap();
    std::mem::forget(hand.begin_file(&at("a"), false, None).unwrap());
    let look = crate::worktree::scan::tests::Look::at(place.root());
    let lines = look.lines();
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0]
            .ends_with("is left over from a checkout that was killed: `provenance gc` removes it")
    );
}
