//! Worktrees of every shape, walked by one thread and by several.

use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;

/// A worktree to look at, and how.
pub struct Look<'a> {
    pub root: &'a Path,
    pub stamps: Option<&'a Stamps>,
    pub paths: &'a [&'a str],
    pub takes_ignored: bool,
    pub collapses_new: bool,
}

impl<'a> Look<'a> {
    pub fn at(root: &'a Path) -> Self {
        Look { root, stamps: None, paths: &[], takes_ignored: false, collapses_new: false }
    }

    /// Gives a line for each file and problem, the same for one thread and for several.
    pub fn lines(&self) -> Vec<String> {
        let alone = self.lines_with(1);
        assert_eq!(alone, self.lines_with(3), "the order depends on the threads");
        alone
    }

    fn lines_with(&self, thread_count: usize) -> Vec<String> {
        let mut lines = Vec::new();
        let unchanged = self.batches(thread_count, |batch| {
            let mut found: Vec<String> = batch.found.iter().map(line).collect();
            found.extend(batch.problems.iter().map(|problem| {
                let path = problem.path.as_bytes().escape_ascii();
                format!("! {path} {}", problem.kind)
            }));
            lines.extend(found);
        });
        if unchanged > 0 {
            lines.push(format!("= {unchanged}"));
        }
        lines
    }

    pub fn batches(&self, thread_count: usize, mut each: impl FnMut(Batch)) -> u64 {
        let root = Directory::open(self.root).unwrap();
        let paths: Vec<TreePath> =
            self.paths.iter().map(|path| TreePath::new(*path).unwrap()).collect();
        let progress = Progress::default();
        let request = ScanRequest {
            root: &root,
            stamps: self.stamps,
            paths: &paths,
            takes_ignored: self.takes_ignored,
            collapses_new: self.collapses_new,
            thread_count,
            progress: &progress,
        };
        let mut unchanged = 0;
        let scanned: Result<(), ScanError> = scan(&request, |batch| {
            unchanged += batch.unchanged_count;
            each(batch);
            Ok(())
        });
        scanned.unwrap();
        // Once, an interrupted `add` told of twice as many files as there were.
        assert_eq!(progress.snapshot().files, unchanged, "others are counted by who reads them");
        unchanged
    }
}

fn line(found: &Found) -> String {
    let word = match found.change {
        Change::New => "+",
        Change::NewDirectory => "+/",
        Change::Modified => "M",
        Change::KindChanged => "T",
        Change::Missing => "-",
    };
    format!("{word} {}", found.path)
}

#[expect(clippy::disallowed_methods, reason = "user files in a test")]
pub fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

#[test]
fn files_come_in_the_order_of_the_tree() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    for path in ["b", "a.txt", "a/z", "a/b/c", "a/b!", "a/b.d/x", "zz/y/x", "a!"] {
        write(root, path, path);
    }
    fs::create_dir(root.join("empty")).unwrap();
    let lines = Look::at(root).lines();
    let mut paths: Vec<_> =
        lines.iter().map(|line| TreePath::new(line.trim_start_matches("+ ")).unwrap()).collect();
    assert_eq!(paths.len(), 8);
    assert!(paths.is_sorted(), "{paths:?}");
    paths.dedup();
    assert_eq!(paths.len(), 8);
    let collapsed = Look { collapses_new: true, ..Look::at(root) };
    assert_eq!(collapsed.lines(), ["+/ a", "+ a!", "+ a.txt", "+ b", "+/ zz"]);
}

#[test]
fn only_what_was_asked_for_is_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    for path in ["a/b/c", "a/b/d", "a/e", "f", "g/h"] {
        write(root, path, path);
    }
    let look = |paths| Look { paths, ..Look::at(root) }.lines();
    assert_eq!(look(&["a/b", "f"]), ["+ a/b/c", "+ a/b/d", "+ f"]);
    assert_eq!(look(&["a/b/d", "a", "g/h"]), ["+ a/b/c", "+ a/b/d", "+ a/e", "+ g/h"]);
    assert_eq!(look(&["a/x", "f", "y"]), ["! a/x does not exist", "+ f", "! y does not exist"]);
    assert_eq!(look(&["f/x", "z/x/y"]), ["! f/x does not exist", "! z/x/y does not exist"]);
}

#[test]
fn rules_hold_below_their_directory_and_the_innermost_decides() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    write(root, ".provenanceignore", "\u{feff}*.tmp\n/out/\n!keep.tmp\n\\!x\n**/deep/*.log\r\n");
    write(root, "sub/.provenanceignore", "!*.tmp\nout\n");
    for path in [
        "a.tmp",
        "keep.tmp",
        "!x",
        "out/a",
        "sub/a.tmp",
        "sub/out/a",
        "sub/o/out",
        "sub/deep/x.log",
    ] {
        write(root, path, path);
    }
    let kept = ["+ .provenanceignore", "+ keep.tmp", "+ sub/.provenanceignore", "+ sub/a.tmp"];
    assert_eq!(Look::at(root).lines(), kept);
    let all = Look { takes_ignored: true, ..Look::at(root) };
    assert_eq!(all.lines().len(), 10);
    let asked = Look { paths: &["out", "out/a", "sub/out/a", "a.tmp"], ..Look::at(root) };
    let told = [
        "! a.tmp is ignored by a rule",
        "! out is ignored by a rule",
        "! sub/out/a is ignored by a rule",
    ];
    assert_eq!(asked.lines(), told);
    let forced = Look { takes_ignored: true, ..asked };
    assert_eq!(forced.lines(), ["+ a.tmp", "+ out/a", "+ sub/out/a"]);
}

#[test]
fn a_bad_rule_is_told_and_the_others_hold() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), ".provenanceignore", "a\n{b\nc\n");
    for path in ["a", "b", "c"] {
        write(dir.path(), path, path);
    }
    let lines = Look::at(dir.path()).lines();
    assert!(lines[0].starts_with("+ .prov") && lines[1] == "+ b", "{lines:?}");
    assert!(lines[2].starts_with("! .provenanceignore line 2 is not a rule"), "{lines:?}");
}

#[test]
fn repositories_inside_are_left_alone_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    for path in [".git/config", ".provenance/HEAD", "x/.GIT/c", "y/.git", "z/.provenance/HEAD"] {
        write(root, path, "");
    }
    write(root, "x/a", "");
    write(root, "y/a", "");
    write(root, "z/a", "");
    let lines = Look::at(root).lines();
    let expected = [
        "+ x/a",
        "! x/.GIT is a repository's own folder",
        "+ y/a",
        "! y/.git is a repository's own folder",
        "! z is the worktree of another repository",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn links_are_never_followed() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "secret", "");
    symlink(outside.path(), root.join("outside")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    symlink(".", root.join("self")).unwrap();
    let all = ["+ dangling", "+ loop", "+ outside", "+ self"];
    assert_eq!(Look::at(root).lines(), all);
    let look = Look { paths: &["outside/secret", "self/loop"], ..Look::at(root) };
    let told = ["! outside/secret does not exist", "! self/loop does not exist"];
    assert_eq!(look.lines(), told);
}

#[test]
fn what_no_tree_can_hold_is_a_problem_and_blocks_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, root.join("fifo"), mode).unwrap();
    write(root, "closed/new", "");
    rustix::fs::mkfifoat(rustix::fs::CWD, root.join("closed/.provenanceignore"), mode).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    write(root, "file", "");
    let expected = [
        "! closed/.provenanceignore cannot be read, so nothing new in this directory is recorded",
        "+ file",
        "! fifo is a FIFO, which cannot be recorded",
        "! socket is a socket, which cannot be recorded",
    ];
    assert_eq!(Look::at(root).lines(), expected);
}

#[test]
fn any_bytes_make_a_name() {
    let dir = tempfile::tempdir().unwrap();
    for name in [&b"a\nb"[..], b"\xff\xfe", b"\x1b[31m", b"-rf", b" ", b"*"] {
        File::create(dir.path().join(std::ffi::OsStr::from_bytes(name))).unwrap();
    }
    let expected = ["+ \\x1b[31m", "+  ", "+ *", "+ -rf", "+ a\\nb", "+ \\xff\\xfe"];
    assert_eq!(Look::at(dir.path()).lines(), expected);
}

/// Paths beyond what one system call takes: each level goes through its parent's descriptor.
#[test]
fn depth_is_no_limit_of_the_system() {
    let dir = tempfile::tempdir().unwrap();
    let name = "d".repeat(100);
    let mut directory = Directory::open(dir.path()).unwrap();
    for _ in 0..200 {
        rustix::fs::mkdirat(&directory, &*name, rustix::fs::Mode::RWXU).unwrap();
        directory = directory.open_directory(&std::ffi::CString::new(&*name).unwrap()).unwrap();
    }
    let flags = rustix::fs::OFlags::CREATE | rustix::fs::OFlags::WRONLY;
    rustix::fs::openat(&directory, "leaf", flags, rustix::fs::Mode::RUSR).unwrap();
    let lines = Look::at(dir.path()).lines();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].len(), 2 + 200 * 101 + 4);
    let collapsed = Look { collapses_new: true, ..Look::at(dir.path()) };
    assert_eq!(collapsed.lines(), [format!("+/ {name}")]);
}

#[test]
fn a_sparse_file_is_only_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    File::create(dir.path().join("huge")).unwrap().set_len(1 << 40).unwrap();
    Look::at(dir.path()).batches(1, |batch| assert_eq!(batch.found[0].stamp.size, 1 << 40));
}

#[test]
fn an_unreadable_directory_is_a_problem() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "closed/a", "");
    let closed = dir.path().join("closed");
    fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o0)).unwrap();
    let is_root = fs::read_dir(&closed).is_ok();
    let expected = if is_root { "+ closed/a" } else { "! closed cannot be read" };
    assert_eq!(Look::at(dir.path()).lines(), [expected]);
    fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
}

#[test]
fn a_wish_to_stop_ends_the_walk() {
    let dir = tempfile::tempdir().unwrap();
    let root = Directory::open(dir.path()).unwrap();
    let progress = Progress::with_stop(std::sync::Arc::new(true.into()));
    let request = ScanRequest {
        root: &root,
        stamps: None,
        paths: &[],
        takes_ignored: false,
        collapses_new: false,
        thread_count: 2,
        progress: &progress,
    };
    let ended = scan(&request, |_| Ok::<(), ScanError>(()));
    assert!(matches!(ended, Err(ScanError::Stopped(_))));
}
