//! Trees that somebody made to escape: checked out, they write nothing outside of the worktree.
//!
//! The names are those of git's and gitoxide's advisories (CVE-2014-9390, CVE-2018-11235,
//! CVE-2019-1352, CVE-2019-1353, CVE-2021-21300, CVE-2024-32002, GHSA-7w47-3wg8-547c).

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use provenance::clock::{Clock, Timestamp};
use provenance::format::pack::ObjectKind;
use provenance::object::tree::{Entry, Node, Target};
use provenance::object::{Commit, Name, ObjectId, Sha256};
use provenance::progress::Progress;
use provenance::repo::checkout::{CheckoutRequest, checkout};
use provenance::repo::{Error, FsckRequest, InitRequest, Repository, fsck, init};

use super::bench::Bench;
use crate::support::effort;
use crate::support::sample::minimal_commit;
use crate::support::tally::Tally;

const CLOCK: Clock = Clock::Fixed(Timestamp(1_700_000_000_000));
const CONTENT: &[u8] = b"payload\n";

/// A worktree, and beside it what must never change.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["outside", "work"] {
            fs::create_dir(folder.path().join(name)).expect("made");
        }
        let place = Self { folder };
        write(&place.path("outside/canary"), b"untouched");
        init(&InitRequest { directory: place.path("work") }, CLOCK).expect("made");
        place
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self) -> Repository {
        Repository::open(&self.path("work"), CLOCK).expect("opened")
    }

    /// Stores a tree of whatever bytes and a commit of it.
    fn commit(&self, root: &[u8], others: &[&[u8]]) -> ObjectId {
        let repository = self.open();
        let transaction = repository.store.transaction().expect("begun");
        let link = self.path("outside");
        for blob in [CONTENT, link.to_str().expect("text").as_bytes(), b"other\n"] {
            transaction.put(ObjectKind::Blob, blob).expect("stored");
        }
        for node in others.iter().chain(&[root]) {
            transaction.put(ObjectKind::Tree, node).expect("stored");
        }
        let commit = Commit { tree: ObjectId::of(root), ..minimal_commit() };
        let id = transaction.put_commit(&commit.encode().expect("valid")).expect("stored");
        transaction.finish().expect("finished");
        id
    }

    fn go(&self, commit: ObjectId) -> Result<(), Error> {
        let target = Some(commit.to_string().into_bytes());
        let request = CheckoutRequest { target, is_forced: true, ..CheckoutRequest::default() };
        checkout(&self.open(), &request, &Progress::default()).map(drop)
    }

    /// Insists that nothing beside the worktree has changed.
    fn assert_untouched(&self, case: &str) {
        let list = |folder: &Path| {
            let mut names: Vec<_> = fs::read_dir(folder)
                .expect("listed")
                .map(|e| e.expect("listed").file_name())
                .collect();
            names.sort();
            names
        };
        assert_eq!(list(self.folder.path()), ["outside", "work"], "{case}");
        assert_eq!(list(&self.path("outside")), ["canary"], "{case}");
        assert_eq!(fs::read(self.path("outside/canary")).expect("read"), b"untouched", "{case}");
    }

    fn link(&self) -> Target {
        let target = self.path("outside");
        let target = target.to_str().expect("text").as_bytes();
        Target::Symlink { id: ObjectId::of(target), size: target.len() as u64 }
    }
}

fn write(path: &Path, bytes: &[u8]) {
    fs::File::create(path).expect("made").write_all(bytes).expect("written");
}

fn file(content: &[u8], executable: bool) -> Target {
    let (size, sha256) = (content.len() as u64, Sha256::of(content));
    Target::File { id: ObjectId::of(content), size, sha256, executable }
}

fn leaf(entries: &[(&str, Target)]) -> Vec<u8> {
    let entry = |(name, target): &(&str, Target)| Entry {
        name: Name::new(name.as_bytes()).expect("a name"),
        target: *target,
    };
    Node::Leaf(entries.iter().map(entry).collect()).encode()
}

fn directory(node: &[u8]) -> Target {
    let totals = Node::decode(node).expect("a node").totals().unwrap_or_default();
    Target::Directory { id: ObjectId::of(node), files: totals.files, bytes: totals.bytes }
}

/// Spells a node whose one name is what no encoder writes.
fn with_name(name: &[u8], target: Target) -> Vec<u8> {
    let stand_in = "q".repeat(name.len());
    let node = leaf(&[(&stand_in, target)]);
    let at = node.windows(name.len()).position(|w| w == stand_in.as_bytes()).expect("there");
    [&node[..at], name, &node[at + name.len()..]].concat()
}

#[test]
fn every_name_that_leads_elsewhere_is_refused_before_anything_is_written() {
    let names: &[&[u8]] = &[
        b"..",
        b".",
        b"../x",
        b"a/../../x",
        b"/tmp/x",
        b"a/b",
        b"a\0b",
        b".git",
        b".GIT",
        b".Git",
        b"git~1",
        b"GIT~1",
        b".git ",
        b".git.",
        b".git. . ",
        b".git::$INDEX_ALLOCATION",
        b".git:x",
        b".git\\hooks",
        b".g\xE2\x80\x8Cit",
        b".gi\xE2\x80\xAEt",
        b"\xEF\xBC\x8Egit",
        b".\xEF\xBD\x87it",
        b".git\xEF\xBB\xBF",
        b".provenance",
        b".PROVENANCE",
        b"PROVEN~1",
        b"proven~4",
        b"pr5b44~1",
        b".provenance ",
        b".provenance:x",
        b".pro\xE2\x81\xACvenance",
    ];
    let tally = Tally::new("a name that leads elsewhere", "checkout");
    for name in names {
        let case = name.escape_ascii().to_string();
        let place = Place::new();
        let inner = leaf(&[("hooks", file(CONTENT, true))]);
        for target in [file(CONTENT, false), place.link(), directory(&inner)] {
            let node = with_name(name, target);
            let below = Node::Leaf(Vec::new()).encode();
            let commit = place.commit(&node, &[&inner, &below]);
            assert!(place.go(commit).is_err(), "{case}");
            place.assert_untouched(&case);
            let left = fs::read_dir(place.path("work")).expect("listed").count();
            assert_eq!(left, 1, "nothing but the repository: {case}");
            assert!(!place.path("work/.provenance/hooks").exists(), "{case}");
            tally.count("refused, nothing written");
        }
    }
}

#[test]
fn a_link_and_a_directory_of_one_name_are_refused() {
    let place = Place::new();
    let inner = leaf(&[("canary", file(CONTENT, false))]);
    // The second of two names is made the same as the first, in both orders.
    for pair in [[place.link(), directory(&inner)], [directory(&inner), place.link()]] {
        let node = leaf(&[("aa", pair[0]), ("ab", pair[1])]);
        let at = node.windows(2).position(|w| w == b"ab").expect("there");
        let node = [&node[..at], b"aa", &node[at + 2..]].concat();
        let commit = place.commit(&node, &[&inner]);
        assert!(place.go(commit).is_err());
        place.assert_untouched("one name twice");
    }
}

#[test]
fn a_directory_in_the_place_of_a_link_is_never_written_through_it() {
    let place = Place::new();
    let inner = leaf(&[("canary", file(CONTENT, false)), ("new", file(CONTENT, true))]);
    let linked = place.commit(&leaf(&[("d", place.link())]), &[]);
    let filled = place.commit(&leaf(&[("d", directory(&inner))]), &[&inner]);
    for commit in [linked, filled, linked, filled, linked] {
        place.go(commit).expect("checked out");
        place.assert_untouched("a link, then a directory");
    }
    // One that no commit knows of.
    place.go(filled).expect("checked out");
    fs::remove_dir_all(place.path("work/d")).expect("removed");
    symlink(place.path("outside"), place.path("work/d")).expect("linked");
    place.go(filled).expect("checked out, by force");
    place.assert_untouched("a link in the place of a directory");
    assert_eq!(fs::read(place.path("work/d/canary")).expect("read"), CONTENT);
}

#[test]
fn device_names_and_collisions_are_files_without_rights_of_others() {
    let place = Place::new();
    let names = ["AUX", "COM1", "CON", "LPT1.txt", "Link", "NUL", "link", "nul.csv"];
    let mut entries: Vec<(&str, Target)> = names.map(|name| (name, file(CONTENT, true))).to_vec();
    let composed = [("\u{e9}", file(CONTENT, false)), ("e\u{301}", file(b"other\n", false))];
    entries.extend(composed);
    entries.sort_by_key(|(name, _)| name.as_bytes());
    let commit = place.commit(&leaf(&entries), &[]);
    // A file system that folds names refuses; here they are files like any other.
    if place.go(commit).is_ok() {
        for (name, _) in &entries {
            let found = fs::symlink_metadata(place.path("work").join(name)).expect("there");
            assert!(found.is_file(), "{name}");
            assert_eq!(found.mode() & 0o7000, 0, "{name} lends nobody's rights");
        }
    }
    place.assert_untouched("device names");
    let report = fsck(&place.open(), FsckRequest::default(), &Progress::default());
    assert!(report.expect("checked").problems.is_empty());
}

/// Ends the attack, also when the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "somebody swaps directories for links")]
fn nothing_leaves_the_worktree_while_directories_are_swapped_for_links() {
    let place = Place::new();
    let names: Vec<String> = (0..24).map(|number| format!("f{number:02}")).collect();
    let node = |content: &[u8]| {
        let target = file(content, false);
        leaf(&names.iter().map(|name| (name.as_str(), target)).collect::<Vec<_>>())
    };
    let commits = [CONTENT, b"other\n"].map(|content| {
        let inner = node(content);
        let middle = leaf(&[("e", directory(&inner))]);
        let root = leaf(&[("a", directory(&middle)), ("b", directory(&inner))]);
        place.commit(&root, &[&middle, &inner])
    });
    place.go(commits[0]).expect("checked out");
    let is_over = AtomicBool::new(false);
    let over = Over(&is_over);
    let tally = Tally::new("directories swapped for links meanwhile", "checkout");
    thread::scope(|scope| {
        let over = over;
        scope.spawn(|| {
            let work = place.path("work");
            while !is_over.load(Ordering::Relaxed) {
                for victim in ["a", "a/e", "b"] {
                    let (real, aside) = (work.join(victim), work.join("aside"));
                    let _swapped = fs::rename(&real, &aside);
                    let _linked = symlink(place.path("outside"), &real);
                    thread::yield_now();
                    let _unlinked = fs::remove_file(&real);
                    let _back = fs::rename(&aside, &real);
                    let _rest = fs::remove_dir_all(&aside);
                }
            }
        });
        let rounds = 0..effort::cases(60, 100_000);
        for round in rounds.take_while(|_| effort::goes_on()) {
            let outcome = place.go(commits[usize::from(round % 2 == 1)]);
            place.assert_untouched(&format!("round {round}"));
            tally.count(match outcome {
                Ok(()) => "checked out, nothing outside touched",
                Err(_) => "refused, nothing outside touched",
            });
        }
        drop(over);
    });
    place.go(commits[0]).expect("checked out once nobody interferes");
    assert_eq!(fs::read(place.path("work/a/e/f07")).expect("read"), CONTENT);
}

/// The file and the node have one id; the file is met first, and both must be stored.
#[test]
fn a_file_with_the_bytes_of_its_neighbour_directory_takes_nothing_from_it() {
    let bench = Bench::new();
    bench.write("d/x", CONTENT);
    bench.write("a", &leaf(&[("x", file(CONTENT, false))]));
    bench.write("z", &leaf(&[("x", file(CONTENT, false))]));
    bench.add();
    bench.commit("one");
    let request = FsckRequest { full: true, repairs: false };
    let report = fsck(&bench.repository, request, &Progress::default()).expect("checked");
    assert_eq!(report.problems, []);
}
