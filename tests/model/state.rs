//! Version control as a few maps: what a repository must look like after each command.

use std::collections::BTreeMap;

use provenance::object::ObjectId;
use provenance::repo::Head;

/// Files by path.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A ref, where it stood and where it stands.
pub type Move = (String, Option<ObjectId>, Option<ObjectId>);

/// What is known of a repository.
#[derive(Debug, Clone)]
pub struct State {
    pub commits: BTreeMap<ObjectId, Files>,
    pub refs: BTreeMap<String, ObjectId>,
    pub head: Head,
    pub stage: Files,
    pub work: Files,
    /// What each entry of the journal moved.
    pub journal: Vec<Vec<Move>>,
}

impl State {
    pub fn new() -> Self {
        Self {
            commits: BTreeMap::new(),
            refs: BTreeMap::new(),
            head: Head::Branch("heads/main".into()),
            stage: Files::new(),
            work: Files::new(),
            journal: Vec::new(),
        }
    }

    /// The commit that the worktree stands on.
    pub fn at(&self) -> Option<ObjectId> {
        match &self.head {
            Head::Branch(name) => self.refs.get(name).copied(),
            Head::Detached(id) => Some(*id),
        }
    }

    /// The files of a commit; none before the first.
    pub fn files(&self, commit: Option<ObjectId>) -> Files {
        commit.map_or_else(Files::new, |id| self.commits[&id].clone())
    }

    /// Moves refs in one entry of the journal.
    pub fn moves(&mut self, moves: Vec<Move>) {
        for (name, _, new) in &moves {
            match new {
                Some(id) => self.refs.insert(name.clone(), *id),
                None => self.refs.remove(name),
            };
        }
        self.journal.push(moves);
    }

    pub fn move_one(&mut self, name: &str, new: Option<ObjectId>) {
        let old = self.refs.get(name).copied();
        if old != new {
            self.moves(vec![(name.to_owned(), old, new)]);
        }
    }

    /// Takes the newest entry back with another one; false if it moved nothing.
    pub fn undo(&mut self) -> bool {
        let Some(newest) = self.journal.last().cloned() else { return false };
        self.moves(newest.into_iter().map(|(name, old, new)| (name, new, old)).collect());
        true
    }

    /// Tells whether something of a path is in no commit that is checked out.
    pub fn is_changed(&self, path: &str, before: &Files) -> bool {
        self.stage.get(path) != before.get(path) || self.work.get(path) != self.stage.get(path)
    }
}
