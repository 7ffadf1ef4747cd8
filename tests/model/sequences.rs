//! Runs the commands on both sides, and compares.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use provenance::clock::{Clock, Timestamp};
use provenance::object::tree::{self, EMPTY_TREE};
use provenance::object::{ObjectId, TreePath};
use provenance::progress::Progress;
use provenance::repo::checkout::{CheckoutRequest, checkout};
use provenance::repo::restore::{RestoreRequest, restore};
use provenance::repo::rm::{RmRequest, rm};
use provenance::repo::{self, Committed, Error, ErrorKind, Head, Repository};

use super::state::{Files, State};
use super::steps::{BRANCHES, PATHS, Step, content, step};
use crate::support::effort;
use crate::support::tally::Tally;

const CLOCK: Clock = Clock::Fixed(Timestamp(1_700_000_000_000));
fn path(text: &str) -> TreePath {
    TreePath::new(text).expect("a path")
}

/// Both sides.
struct Pair {
    folder: tempfile::TempDir,
    repository: Repository,
    model: State,
    count: u32,
}

impl Pair {
    fn new() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let folder = folder.expect("a folder");
        let request = repo::InitRequest { directory: folder.path().to_owned() };
        repo::init(&request, CLOCK).expect("made");
        let repository = Repository::open(folder.path(), CLOCK).expect("opened");
        Self { folder, repository, model: State::new(), count: 0 }
    }

    fn place(&self, at: usize) -> std::path::PathBuf {
        self.folder.path().join(PATHS[at])
    }

    fn run(&mut self, step: Step) {
        let progress = Progress::default();
        match step {
            Step::Write(at, number) => {
                let (place, bytes) = (self.place(at), content(at, number));
                fs::create_dir_all(place.parent().expect("a folder")).expect("made");
                let _there_or_not = fs::remove_file(&place);
                std::io::Write::write_all(&mut fs::File::create(&place).expect("made"), &bytes)
                    .expect("written");
                self.model.work.insert(PATHS[at].into(), bytes);
            }
            Step::Delete(at) => {
                let _there_or_not = fs::remove_file(self.place(at));
                self.model.work.remove(PATHS[at]);
            }
            Step::Add => self.add(vec![]),
            Step::AddPath(at) => self.add(vec![at]),
            Step::Commit => self.commit(false),
            Step::CommitAll => self.commit(true),
            Step::Checkout(n, is_forced) => {
                let head = format!("heads/{}", BRANCHES[n]);
                let commit = self.model.refs.get(&head).copied();
                self.checkout(BRANCHES[n], Head::Branch(head), commit, is_forced);
            }
            Step::Detach(n, is_forced) => {
                let count = self.model.commits.len().max(1);
                let Some(id) = self.model.commits.keys().nth(n % count).copied() else { return };
                self.checkout(&id.to_string(), Head::Detached(id), Some(id), is_forced);
            }
            Step::Branch(n) => self.branch(BRANCHES[n]),
            Step::BranchDelete(n) => self.branch_delete(BRANCHES[n], &progress),
            Step::Tag(n) => self.tag(&format!("v{n}")),
            Step::TagDelete(n) => self.tag_delete(&format!("v{n}")),
            Step::Undo => self.undo(&progress),
            Step::Rm(at, keeps_files) => self.rm(PATHS[at], keeps_files, &progress),
            Step::Restore(at) => self.restore(PATHS[at], false),
            Step::Unstage(at) => self.restore(PATHS[at], true),
            Step::Gc(prunes_now) => {
                let request = repo::GcRequest { is_dry: false, prunes_now };
                let report = repo::gc(&self.repository, request, &progress).expect("collected");
                assert!(!report.collected.is_overtaken, "nobody else is there");
            }
            Step::Reopen => {
                self.repository = Repository::open(self.folder.path(), CLOCK).expect("opened");
            }
        }
    }

    fn add(&mut self, at: Vec<usize>) {
        let paths: Vec<TreePath> = at.iter().map(|at| path(PATHS[*at])).collect();
        let request = repo::AddRequest { paths, ..repo::AddRequest::default() };
        let added = repo::add(&self.repository, &request, &Progress::default());
        let chosen = |name: &str| at.is_empty() || at.iter().any(|at| PATHS[*at] == name);
        let model = &mut self.model;
        let is_known = PATHS.iter().any(|name| {
            chosen(name) && (model.work.contains_key(*name) || model.stage.contains_key(*name))
        });
        let is_missing = added.expect("added").missing_path().is_some();
        assert_eq!(is_missing, !is_known && !at.is_empty(), "what is nowhere is told");
        for name in PATHS.iter().filter(|name| chosen(name)) {
            match model.work.get(*name).cloned() {
                Some(bytes) => model.stage.insert((*name).into(), bytes),
                None => model.stage.remove(*name),
            };
        }
    }

    fn commit(&mut self, stages_tracked: bool) {
        self.count += 1;
        let request = repo::CommitRequest {
            message: format!("commit {}", self.count),
            stages_tracked,
            ..repo::CommitRequest::default()
        };
        let made = repo::commit(&self.repository, &request, &Progress::default());
        let model = &mut self.model;
        if stages_tracked {
            let tracked: Vec<String> = model.stage.keys().cloned().collect();
            for name in tracked {
                match model.work.get(&name).cloned() {
                    Some(bytes) => model.stage.insert(name, bytes),
                    None => model.stage.remove(&name),
                };
            }
        }
        let is_same = model.stage == model.files(model.at());
        match made.expect("committed") {
            Committed::NothingChanged => assert!(is_same, "something was staged"),
            Committed::Made(report) => {
                assert!(!is_same, "nothing was staged");
                assert_eq!(report.parent, model.at());
                model.commits.insert(report.id, model.stage.clone());
                match model.head.clone() {
                    Head::Branch(name) => model.move_one(&name, Some(report.id)),
                    Head::Detached(_) => {
                        model.move_one(&format!("detached/{}", report.id), Some(report.id));
                        model.head = Head::Detached(report.id);
                    }
                }
            }
        }
    }

    /// Goes to a commit: what is recorded nowhere is never lost unless that is asked for.
    fn checkout(&mut self, to: &str, head: Head, commit: Option<ObjectId>, is_forced: bool) {
        let target = Some(to.as_bytes().to_vec());
        let request = CheckoutRequest { target, is_forced, ..CheckoutRequest::default() };
        let gone = checkout(&self.repository, &request, &Progress::default());
        let model = &mut self.model;
        let (before, after) = (model.files(model.at()), model.files(commit));
        if commit.is_none() {
            assert!(gone.is_err(), "a branch that is not there");
            return;
        }
        let differs = |name: &&&str| before.get(**name) != after.get(**name);
        let mut moved = PATHS.iter().filter(differs);
        let is_dirty = moved.any(|name| model.is_changed(name, &before));
        match gone {
            Ok(_) if is_forced => {
                let is_tracked =
                    |name: &str| model.stage.contains_key(name) || after.contains_key(name);
                model.work.retain(|name, _| !is_tracked(name));
                model.work.extend(after.clone());
                model.stage = after;
                model.head = head;
            }
            Ok(_) => {
                for name in PATHS.iter().filter(differs) {
                    // What is staged already as it will be is left alone, file and all.
                    if model.stage.get(*name) != before.get(*name)
                        && model.stage.get(*name) == after.get(*name)
                    {
                        continue;
                    }
                    let old = model.work.get(*name).cloned();
                    let new = after.get(*name).cloned();
                    set(&mut model.stage, name, new.clone());
                    set(&mut model.work, name, new.clone());
                    let is_safe = old.is_none()
                        || [before.get(*name), after.get(*name)].contains(&old.as_ref());
                    assert!(is_safe, "{name} was recorded nowhere and is lost");
                }
                model.head = head;
            }
            Err(error) => {
                assert!(is_dirty && !is_forced, "refused for no reason: {error:?}");
                assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
            }
        }
    }

    fn branch(&mut self, name: &str) {
        let (name, command) = (name.to_owned(), "branch".to_owned());
        let full = format!("heads/{name}");
        let request = repo::BranchCreateRequest { name, command, ..Default::default() };
        let made = repo::branch_create(&self.repository, &request);
        let at = self.model.at().filter(|_| !self.model.refs.contains_key(&full));
        assert_eq!(made.is_ok(), at.is_some(), "{made:?}");
        if at.is_some() {
            self.model.move_one(&full, at);
        }
    }

    fn branch_delete(&mut self, name: &str, progress: &Progress) {
        let full = format!("heads/{name}");
        let request = repo::BranchDeleteRequest {
            names: vec![name.to_owned()],
            is_forced: true,
            command: "branch -D".to_owned(),
        };
        let gone = repo::branch_delete(&self.repository, &request, progress);
        let can_go =
            self.model.refs.contains_key(&full) && self.model.head != Head::Branch(full.clone());
        assert_eq!(gone.is_ok(), can_go, "{gone:?}");
        if can_go {
            self.model.move_one(&full, None);
        }
    }

    fn tag(&mut self, name: &str) {
        let (name, command) = (name.to_owned(), "tag".to_owned());
        let full = format!("tags/{name}");
        let request = repo::TagCreateRequest { name, commit: None, is_forced: true, command };
        let made = repo::tag_create(&self.repository, &request);
        assert_eq!(made.is_ok(), self.model.at().is_some(), "{made:?}");
        if self.model.at().is_some() {
            self.model.move_one(&full, self.model.at());
        }
    }

    fn tag_delete(&mut self, name: &str) {
        let full = format!("tags/{name}");
        let (names, command) = (vec![name.to_owned()], "tag -d".to_owned());
        let gone = repo::tag_delete(&self.repository, &repo::TagDeleteRequest { names, command });
        assert_eq!(gone.is_ok(), self.model.refs.contains_key(&full), "{gone:?}");
        self.model.move_one(&full, None);
    }

    fn undo(&mut self, progress: &Progress) {
        let request = repo::UndoRequest { command: "undo".to_owned(), ..Default::default() };
        let undone = repo::undo(&self.repository, &request, progress);
        if !self.model.undo() {
            assert!(matches!(undone, Err(Error::Usage(_))), "nothing to undo: {undone:?}");
            return;
        }
        let head = undone.expect("undone").head;
        let is_there = |head: &Head| match head {
            Head::Branch(name) => self.model.refs.contains_key(name),
            Head::Detached(_) => false,
        };
        assert!(!is_there(&self.model.head) || head == self.model.head, "the branch is there");
        self.model.head = head;
    }

    fn rm(&mut self, name: &str, keeps_files: bool, progress: &Progress) {
        let paths = vec![path(name)];
        let request = RmRequest { paths, keeps_files, is_forced: true, ..RmRequest::default() };
        let gone = rm(&self.repository, &request, progress);
        assert_eq!(gone.is_ok(), self.model.stage.remove(name).is_some(), "{gone:?}");
        if gone.is_ok() && !keeps_files {
            self.model.work.remove(name);
        }
    }

    fn restore(&mut self, name: &str, in_stage: bool) {
        let paths = vec![path(name)];
        let in_worktree = !in_stage;
        let request = RestoreRequest { paths, in_stage, in_worktree, source: None };
        let done = restore(&self.repository, &request, &Progress::default());
        let model = &mut self.model;
        let head = model.files(model.at());
        let is_known = model.stage.contains_key(name) || (in_stage && head.contains_key(name));
        assert_eq!(done.is_ok(), is_known, "{done:?}");
        match (is_known, in_stage) {
            (true, true) => set(&mut model.stage, name, head.get(name).cloned()),
            (true, false) => set(&mut model.work, name, model.stage.get(name).cloned()),
            (false, _) => {}
        }
    }

    /// Insists that both sides agree.
    fn compare(&self) {
        let mut reader = self.repository.store.reader();
        assert_eq!(self.repository.head().expect("read"), self.model.head, "HEAD");
        let refs = self.repository.refs().expect("read").list(&mut reader, None).expect("read");
        assert_eq!(refs, self.model.refs, "refs");
        let mut work = Files::new();
        collect(self.folder.path(), "", &mut work);
        let names = |files: &Files| files.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(names(&work), names(&self.model.work), "files in the worktree");
        assert!(work == self.model.work, "bytes in the worktree");
        let stage = self.repository.staged_tree(&mut reader).expect("read");
        assert_eq!(self.listed(stage), ids(&self.model.stage), "the stage");
    }

    fn listed(&self, root: ObjectId) -> BTreeMap<String, ObjectId> {
        let mut reader = self.repository.store.reader();
        let mut files = BTreeMap::new();
        if root == EMPTY_TREE {
            return files;
        }
        for entry in tree::walk(&root, None, |id| reader.node(id)).expect("walked") {
            let entry = entry.expect("walked");
            if !entry.target.is_directory() {
                files.insert(entry.path.to_string(), entry.target.id());
            }
        }
        files
    }

    /// Insists that every commit is as it was recorded, and that every byte is right.
    fn finish(&self) {
        let mut reader = self.repository.store.reader();
        for (id, files) in &self.model.commits {
            let commit = reader.commit(id).expect("recorded");
            assert_eq!(self.listed(commit.tree), ids(files), "commit {id}");
        }
        let request = repo::FsckRequest { full: true, repairs: false };
        let report = repo::fsck(&self.repository, request, &Progress::default());
        assert_eq!(report.expect("checked").problems, []);
    }
}

fn set(files: &mut Files, name: &str, bytes: Option<Vec<u8>>) {
    match bytes {
        Some(bytes) => files.insert(name.to_owned(), bytes),
        None => files.remove(name),
    };
}

fn ids(files: &Files) -> BTreeMap<String, ObjectId> {
    files.iter().map(|(name, bytes)| (name.clone(), ObjectId::of(bytes))).collect()
}

fn collect(folder: &Path, prefix: &str, files: &mut Files) {
    for entry in fs::read_dir(folder).expect("listed") {
        let entry = entry.expect("listed");
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if name == ".provenance" {
            continue;
        }
        match entry.file_type().expect("known").is_dir() {
            true => collect(&entry.path(), &format!("{name}/"), files),
            false => drop(files.insert(name, fs::read(entry.path()).expect("read"))),
        }
    }
}

fn play(steps: &[Step]) {
    let mut pair = Pair::new();
    for step in steps {
        pair.run(*step);
        pair.compare();
    }
    pair.finish();
}

#[test]
fn any_sequence_of_commands_does_what_the_model_does() {
    let tally = Tally::new("sequences of commands against a model", "daily commands");
    let config = ProptestConfig {
        cases: u32::try_from(effort::cases(200, 10_000)).expect("few"),
        rng_seed: RngSeed::Fixed(effort::seed()),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let sequences = prop::collection::vec(step(), 1..24);
    let outcome = runner.run(&sequences, |steps| {
        if effort::goes_on() {
            play(&steps);
            tally.count("the same after every command");
        }
        Ok(())
    });
    let again = effort::again("model::", effort::seed());
    outcome.unwrap_or_else(|error| panic!("{error}\n{again}"));
}
