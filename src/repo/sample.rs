//! A repository in a folder of its own, with histories drawn in letters; for tests.

use std::collections::BTreeMap;

use super::{Error, InitRequest, Repository, init};
use crate::clock::{Clock, Timestamp};
use crate::object::tree::{EMPTY_TREE, NewNode, Target, TreeBuilder};
use crate::object::{Author, Commit, Name, ObjectId, Sha256, System, Update};
use crate::progress::Progress;

/// The time of the clock, and of the latest commit: 2026-07-15T10:00:00Z.
pub(super) const NOW_MS: i64 = 1_784_109_600_000;

/// A repository and the commits that a test has drawn.
pub(super) struct Sample {
    pub repository: Repository,
    pub ids: BTreeMap<char, ObjectId>,
    pub progress: Progress,
    _folder: tempfile::TempDir,
}

impl Sample {
    /// Makes a repository whose `HEAD` is the branch `main`, without a commit.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Clock::Fixed(Timestamp(NOW_MS));
        init(&InitRequest { directory: folder.path().to_owned() }, clock).expect("a repository");
        let repository = Repository::open(folder.path(), clock).expect("it opens");
        let (ids, progress) = (BTreeMap::new(), Progress::default());
        Self { repository, ids, progress, _folder: folder }
    }

    /// Makes a repository of a history such as `a b:a c:a d:bc`, with `main` at the last.
    pub fn drawn(history: &str) -> Self {
        let mut sample = Self::new();
        for word in history.split(' ') {
            sample.commit(word, EMPTY_TREE);
        }
        let last = history.chars().rev().collect::<String>();
        let last = last.split(' ').next().and_then(|word| word.chars().next_back());
        let last = last.expect("a commit");
        sample.move_ref("heads/main", None, Some(last));
        sample
    }

    /// Stores `b:a`: a commit of that tree, and its parents; the n-th letter a minute after the
    /// one before.
    pub fn commit(&mut self, drawn: &str, tree: ObjectId) -> ObjectId {
        let mut letters = drawn.chars().filter(|c| c.is_alphabetic());
        let letter = letters.next().expect("a letter");
        let minutes = i64::from(u32::from('z') - u32::from(letter));
        let commit = Commit {
            tree,
            parents: letters.map(|parent| self.ids[&parent]).collect(),
            author: Author { name: "Ada Lovelace".into(), email: "ada@example.org".into() },
            time: Timestamp(NOW_MS - minutes * 60_000),
            message: format!("commit {letter}\n\nwhy {letter}\n"),
            system: System::default(),
            artifacts: vec![],
            run: None,
            code: None,
            environment: None,
            fine_tune: None,
            overlaps: None,
        };
        let transaction = self.repository.store.transaction().expect("a transaction");
        let record = commit.encode().expect("a good commit");
        let id = transaction.put_commit(&record).expect("stored");
        transaction.finish().expect("durable");
        self.ids.insert(letter, id);
        id
    }

    /// Stores a tree of one level, from names and contents.
    pub fn tree(&self, files: &[(&str, &str)]) -> ObjectId {
        let transaction = self.repository.store.transaction().expect("a transaction");
        let mut builder = TreeBuilder::new(|id: ObjectId, bytes: &[u8]| {
            transaction.put_node(NewNode { id, bytes, before: None }).map_err(Error::from)
        });
        for (name, content) in files {
            let name = Name::new(name.as_bytes()).expect("a good name");
            let target = Target::File {
                id: ObjectId::of(content.as_bytes()),
                size: u64::try_from(content.len()).expect("short"),
                sha256: Sha256::of(content.as_bytes()),
                executable: false,
            };
            builder.push(&name, &target).expect("in order");
        }
        let id = builder.finish().expect("a tree").id;
        transaction.finish().expect("durable");
        id
    }

    /// Moves a ref in a transaction of its own.
    pub fn move_ref(&self, name: &str, old: Option<char>, new: Option<char>) {
        let id = |letter: Option<char>| letter.map(|letter| self.ids[&letter]);
        let update = Update { name: name.to_owned(), old: id(old), new: id(new) };
        let command = format!("move {name}");
        self.repository.move_refs(&[update], &command, None).expect("the ref moves");
    }

    /// Gives the letter of a commit.
    pub fn letter(&self, id: &ObjectId) -> char {
        *self.ids.iter().find(|(_, known)| *known == id).expect("a commit that was drawn").0
    }

    /// Gives the letters of commits.
    pub fn letters<'a>(&self, ids: impl IntoIterator<Item = &'a ObjectId>) -> String {
        ids.into_iter().map(|id| self.letter(id)).collect()
    }
}
