//! Worktrees that are recorded, changed and walked again.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;

use super::tests::{Look, write};
use super::*;
use crate::object::ObjectId;
use crate::worktree::stamps::{Record, StampsWriter, moment};

const SECOND_NS: i64 = 1_000_000_000;

/// A worktree with its stamps beside it.
struct Tracked {
    dir: tempfile::TempDir,
    beside: tempfile::TempDir,
}

impl Tracked {
    fn new(files: &[&str]) -> Self {
        let tracked =
            Self { dir: tempfile::tempdir().unwrap(), beside: tempfile::tempdir().unwrap() };
        files.iter().for_each(|path| write(tracked.root(), path, path));
        tracked.record(&[], SECOND_NS);
        tracked
    }

    fn root(&self) -> &Path {
        self.dir.path()
    }

    fn file(&self) -> PathBuf {
        self.beside.path().join("stamps")
    }

    fn stamps(&self) -> Stamps {
        Stamps::open(&self.file()).unwrap()
    }

    /// Records everything that differs, as of a moment `later_ns` from now.
    fn record(&self, paths: &[&str], later_ns: i64) {
        let old = Stamps::open(&self.file());
        let moment = moment(self.beside.path()).unwrap() + later_ns;
        let mut writer = StampsWriter::new(old.as_ref(), self.beside.path(), moment).unwrap();
        let look = Look { stamps: old.as_ref(), paths, ..Look::at(self.root()) };
        look.batches(2, |batch| {
            if let Some(seen) = batch.seen {
                writer.seen(batch.directory.as_ref(), seen).unwrap();
            }
            for found in batch.found {
                let id = ObjectId::of(found.path.as_bytes());
                match found.change {
                    Change::Missing => writer.remove(&found.path).unwrap(),
                    _ => writer.put(&found.path, Record { stamp: found.stamp, id }).unwrap(),
                }
            }
        });
        writer.finish(&self.file(), &ObjectId::of(b"tree")).unwrap();
    }

    fn lines(&self, paths: &[&str]) -> Vec<String> {
        let stamps = self.stamps();
        Look { stamps: Some(&stamps), paths, ..Look::at(self.root()) }.lines()
    }

    /// Counts the directories whose names had to be read.
    fn read_directories(&self) -> usize {
        let (stamps, mut count) = (self.stamps(), 0);
        let look = Look { stamps: Some(&stamps), ..Look::at(self.root()) };
        look.batches(1, |batch| count += usize::from(batch.seen.is_some()));
        count
    }

    /// Replaces the content but keeps size and time of change, as far as a program can.
    fn disguise(&self, path: &str) {
        let path = self.root().join(path);
        let mtime = fs::metadata(&path).unwrap().modified().unwrap();
        let content = fs::read(&path).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        std::io::Write::write_all(&mut &file, &vec![b'!'; content.len()]).unwrap();
        file.set_modified(mtime).unwrap();
    }
}

#[test]
fn nothing_changed_and_no_name_is_read_twice() {
    let tracked = Tracked::new(&["a", "b/c", "b/d/e", "f/g"]);
    assert_eq!(tracked.lines(&[]), ["= 4"]);
    assert_eq!(tracked.read_directories(), 0);
    assert_eq!(tracked.lines(&["b/d", "a"]), ["= 2"]);
}

#[test]
fn every_way_to_change_is_told() {
    let tracked = Tracked::new(&["gone/a", "kept", "link", "mode", "new", "swap", "to/dir"]);
    let root = tracked.root();
    fs::remove_dir_all(root.join("gone")).unwrap();
    fs::remove_file(root.join("link")).unwrap();
    symlink("kept", root.join("link")).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(root.join("mode"), executable).unwrap();
    write(root, "new", "other content");
    write(root, "added/x", "");
    fs::remove_file(root.join("swap")).unwrap();
    write(root, "swap/inside", "");
    fs::remove_dir_all(root.join("to")).unwrap();
    write(root, "to", "");
    let expected = [
        "+ added/x",
        "- gone/a",
        "T link",
        "M mode",
        "M new",
        "- swap",
        "+ swap/inside",
        "+ to",
        "- to/dir",
        "= 1",
    ];
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    let expected: Vec<String> = expected.iter().map(|line| (*line).to_owned()).collect();
    assert_eq!(sorted(tracked.lines(&[])), sorted(expected));
    assert_eq!(tracked.lines(&["swap"]), ["- swap", "+ swap/inside"]);
    assert_eq!(tracked.lines(&["to/dir"]), ["- to/dir"]);
    assert_eq!(tracked.lines(&["gone"]), ["- gone/a"]);
    tracked.record(&[], SECOND_NS);
    assert_eq!(tracked.lines(&[]), ["= 7"]);
    assert_eq!(tracked.read_directories(), 0);
}

#[test]
fn a_disguised_change_shows_by_the_time_that_no_program_sets() {
    let tracked = Tracked::new(&["a", "b"]);
    tracked.disguise("a");
    assert_eq!(tracked.lines(&[]), ["M a", "= 1"]);
}

/// What broke elsewhere: a file that is written twice within a tick of the clock keeps its
/// times; believing its stamp would lose the second content.
#[test]
fn a_stamp_as_young_as_the_moment_is_not_believed() {
    let tracked = Tracked::new(&[]);
    write(tracked.root(), "young", "1");
    let old = File::create(tracked.root().join("old")).unwrap();
    old.set_modified(UNIX_EPOCH + Duration::from_millis(1_001)).unwrap();
    tracked.record(&[], 0);
    assert_eq!(tracked.lines(&[]), ["M old", "M young"], "their change times are young");
    std::thread::sleep(Duration::from_millis(30));
    tracked.record(&[], 0);
    assert_eq!(tracked.lines(&[]), ["= 2"]);
}

#[test]
fn a_directory_is_read_again_once_it_may_hold_something_else() {
    let tracked = Tracked::new(&["d/a", "d/b", "e/f"]);
    std::thread::sleep(Duration::from_millis(20));
    write(tracked.root(), "d/new", "");
    assert_eq!(tracked.lines(&[]), ["+ d/new", "= 3"]);
    assert_eq!(tracked.read_directories(), 1);
    tracked.record(&["e"], SECOND_NS);
    assert_eq!(tracked.lines(&[]), ["+ d/new", "= 3"], "recording elsewhere proves nothing here");
    tracked.record(&["d/new"], SECOND_NS);
    assert_eq!(tracked.lines(&[]), ["= 4"]);
    assert_eq!(tracked.read_directories(), 1, "d was not seen whole");
    tracked.record(&[], SECOND_NS);
    assert_eq!(tracked.read_directories(), 0);
}

#[test]
fn what_is_tracked_stays_so_though_rules_ignore_it() {
    let tracked = Tracked::new(&["out/a", "out/b", "x.tmp"]);
    write(tracked.root(), ".provenanceignore", "out\n*.tmp\n");
    write(tracked.root(), "out/new", "");
    write(tracked.root(), "out/b", "changed");
    write(tracked.root(), "y.tmp", "");
    assert_eq!(tracked.lines(&[]), ["+ .provenanceignore", "M out/b", "= 2"]);
    assert_eq!(tracked.lines(&["out/new"]), ["! out/new is ignored by a rule"]);
    fs::remove_dir_all(tracked.root().join("out")).unwrap();
    assert_eq!(tracked.lines(&[]), ["+ .provenanceignore", "- out/a", "- out/b", "= 1"]);
}

#[test]
fn a_tracked_file_that_became_a_fifo_is_missing_and_a_problem() {
    let tracked = Tracked::new(&["a", "b"]);
    fs::remove_file(tracked.root().join("a")).unwrap();
    let mode = rustix::fs::Mode::RUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, tracked.root().join("a"), mode).unwrap();
    let told = ["- a", "! a is a FIFO, which cannot be recorded", "= 1"];
    assert_eq!(tracked.lines(&[]), told);
}

#[test]
fn large_directories_are_compared_in_pieces() {
    let tracked = Tracked::new(&[]);
    let names: Vec<String> = (0..15_000).map(|number| format!("d/{number:05}")).collect();
    fs::create_dir(tracked.root().join("d")).unwrap();
    for name in &names {
        File::create(tracked.root().join(name)).unwrap();
    }
    write(tracked.root(), "d/07000.d/inside", "");
    tracked.record(&[], SECOND_NS);
    assert_eq!(tracked.lines(&[]), ["= 15001"]);
    std::thread::sleep(Duration::from_millis(20));
    for name in &names[5_000..] {
        fs::remove_file(tracked.root().join(name)).unwrap();
    }
    write(tracked.root(), "d/00000a", "");
    let lines = tracked.lines(&[]);
    assert_eq!(lines.len(), 10_000 + 2);
    assert_eq!((&*lines[0], &*lines[10_001]), ("+ d/00000a", "= 5001"));
    let missing: Vec<String> = names[5_000..].iter().map(|name| format!("- {name}")).collect();
    assert_eq!(lines[1..10_001], missing);
    tracked.record(&[], SECOND_NS);
    assert_eq!(tracked.lines(&[]), ["= 5002"]);
}

#[test]
fn damage_met_on_the_way_ends_the_walk() {
    let tracked = Tracked::new(&["a", "b"]);
    let mut bytes = fs::read(tracked.file()).unwrap();
    bytes[16 + 8 + 3] ^= 1;
    let damaged = tracked.beside.path().join("damaged");
    std::io::Write::write_all(&mut File::create(&damaged).unwrap(), &bytes).unwrap();
    let stamps = Stamps::open(&damaged).expect("the tables are whole");
    let root = Directory::open(tracked.root()).unwrap();
    let progress = Progress::default();
    let request = ScanRequest {
        root: &root,
        stamps: Some(&stamps),
        paths: &[],
        takes_ignored: false,
        collapses_new: false,
        thread_count: 2,
        progress: &progress,
    };
    let ended = scan(&request, |_| Ok::<(), ScanError>(()));
    assert!(matches!(ended, Err(ScanError::Stamps(_))));
}

/// One thing that somebody does to a worktree.
#[derive(Debug, Clone)]
enum Deed {
    Write(String, u8),
    Link(String),
    Remove(String),
    Directory(String),
    Record,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let path = || proptest::collection::vec("[abc]", 1..4).prop_map(|names| names.join("/"));
    let deed = prop_oneof![
        4 => (path(), 0..4_u8).prop_map(|(path, size)| Deed::Write(path, size)),
        1 => path().prop_map(Deed::Link),
        2 => path().prop_map(Deed::Remove),
        1 => path().prop_map(Deed::Directory),
        2 => Just(Deed::Record),
    ];
    proptest::collection::vec(deed, 1..24)
}

/// Lists files and links, with what they hold.
fn contents(dir: &Path, prefix: &str, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        let metadata = path.symlink_metadata().unwrap();
        if metadata.is_dir() {
            contents(&path, &format!("{name}/"), found);
        } else if metadata.is_symlink() {
            found.insert(name, format!("> {}", fs::read_link(&path).unwrap().display()));
        } else {
            found.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is done, and however soon after recording: no difference is missed.
    #[test]
    fn no_difference_is_missed(deeds in deeds()) {
        let tracked = Tracked::new(&[]);
        let root = tracked.root();
        let mut recorded = BTreeMap::new();
        for deed in deeds {
            match deed {
                Deed::Write(path, size) => {
                    let path = root.join(path);
                    let _taken = fs::create_dir_all(path.parent().unwrap());
                    if let Ok(mut file) = File::create(&path) {
                        std::io::Write::write_all(&mut file, &b"xyz"[..usize::from(size)]).unwrap();
                    }
                }
                Deed::Link(path) => drop(symlink("somewhere", root.join(path))),
                Deed::Remove(path) => {
                    let path = root.join(path);
                    drop(fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path)));
                }
                Deed::Directory(path) => drop(fs::create_dir_all(root.join(path))),
                Deed::Record => {
                    std::thread::sleep(Duration::from_millis(12));
                    tracked.record(&[], 0);
                    recorded.clear();
                    contents(root, "", &mut recorded);
                }
            }
            let mut now = BTreeMap::new();
            contents(root, "", &mut now);
            let mut unsure = BTreeMap::new();
            for line in tracked.lines(&[]) {
                let (word, path) = line.split_once(' ').unwrap();
                if word != "=" {
                    unsure.insert(path.to_owned(), word.to_owned());
                }
            }
            for path in now.keys().chain(recorded.keys()) {
                let word = unsure.get(path).map(String::as_str);
                match (recorded.get(path), now.get(path)) {
                    (None, _) => prop_assert_eq!(word, Some("+"), "{}", path),
                    (_, None) => prop_assert_eq!(word, Some("-"), "{}", path),
                    (then, now) if then != now => prop_assert!(word.is_some(), "{path}"),
                    _ => prop_assert!(matches!(word, None | Some("M")), "{path}"),
                }
            }
            let is_known = |path: &String| now.contains_key(path) || recorded.contains_key(path);
            prop_assert!(unsure.keys().all(is_known));
        }
    }
}
