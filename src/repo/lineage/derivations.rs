//! Which runs have read and made which content.

use std::collections::{BTreeMap, HashMap};

use super::live;
use crate::object::{Commit, Content, ObjectId};
use crate::progress::{Phase, Progress};
use crate::repo::{Error, Repository};

/// A run, and the path under which it had some content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The commit of the run.
    pub commit: ObjectId,
    /// The path.
    pub path: String,
}

/// Who read and who made what, over some runs or all that count.
#[derive(Debug, Default)]
pub struct Derivations {
    makers: HashMap<ObjectId, Vec<Use>>,
    users: HashMap<ObjectId, Vec<Use>>,
    contents: HashMap<ObjectId, Content>,
    runs: Vec<ObjectId>,
}

impl Derivations {
    /// Reads the record of every run that counts.
    pub fn load(repository: &Repository, progress: &Progress) -> Result<Self, Error> {
        let refs = repository.refs()?;
        let commits = live::commits(repository, &refs, repository.detached()?, progress)?;
        progress.begin(Phase {
            name: "reading runs",
            files_total: Some(commits.len() as u64),
            ..Phase::default()
        });
        let mut derivations = Self::default();
        let mut reader = repository.store.reader();
        for id in commits {
            progress.check()?;
            progress.add_files(1);
            derivations.take(id, &reader.commit(&id)?);
        }
        Ok(derivations)
    }

    /// Takes some runs.
    pub fn of(runs: &BTreeMap<ObjectId, Commit>) -> Self {
        let mut derivations = Self::default();
        runs.iter().for_each(|(id, commit)| derivations.take(*id, commit));
        derivations
    }

    fn take(&mut self, id: ObjectId, commit: &Commit) {
        let Some(run) = &commit.run else { return };
        self.runs.push(id);
        for input in &run.inputs {
            self.put(id, false, &input.path, &input.content);
        }
        for output in &run.outputs {
            if let Some(content) = &output.content {
                self.put(id, true, &output.path, content);
            }
        }
    }

    fn put(&mut self, commit: ObjectId, is_output: bool, path: &str, content: &Content) {
        let side = if is_output { &mut self.makers } else { &mut self.users };
        side.entry(content.id).or_default().push(Use { commit, path: path.to_owned() });
        self.contents.entry(content.id).or_insert_with(|| content.clone());
    }

    /// Gives the runs that made this very content.
    pub fn makers(&self, id: &ObjectId) -> &[Use] {
        self.makers.get(id).map_or(&[], Vec::as_slice)
    }

    /// Gives the runs that read this very content.
    pub fn users(&self, id: &ObjectId) -> &[Use] {
        self.users.get(id).map_or(&[], Vec::as_slice)
    }

    /// Gives what is known of content that a run has read or made.
    pub fn content(&self, id: &ObjectId) -> Option<&Content> {
        self.contents.get(id)
    }

    /// Gives a path under which content was made, or else read.
    pub fn path(&self, id: &ObjectId) -> Option<&str> {
        let used = self.makers(id).first().or(self.users(id).first());
        used.map(|used| used.path.as_str())
    }

    /// Gives the runs, ascending by id.
    pub fn runs(&self) -> &[ObjectId] {
        &self.runs
    }

    /// Lists all content that a run has read or made, in no order.
    pub fn all(&self) -> impl Iterator<Item = &Content> {
        self.contents.values()
    }
}
