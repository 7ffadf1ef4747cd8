//! Which runs have read and made which content.

use std::collections::{HashMap, HashSet};

use super::JournalPoint;
use crate::object::{Content, ObjectId};
use crate::progress::{Phase, Progress};
use crate::repo::ref_name::RefKind;
use crate::repo::{Error, Repository};

/// A run, and the path under which it had some content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The commit of the run.
    pub commit: ObjectId,
    /// The path.
    pub path: String,
}

/// Who read and who made what, over all runs that a ref names.
#[derive(Debug)]
pub struct Derivations {
    makers: HashMap<ObjectId, Vec<Use>>,
    users: HashMap<ObjectId, Vec<Use>>,
    contents: HashMap<ObjectId, Content>,
    runs: Vec<ObjectId>,
    /// The state of the journal whose refs were looked at.
    pub journal: JournalPoint,
}

impl Derivations {
    /// Reads the record of every run.
    pub fn load(repository: &Repository, progress: &Progress) -> Result<Self, Error> {
        let refs = repository.refs()?;
        let (size, root) = repository.journal.root(&refs.head)?;
        let mut derivations = Self {
            makers: HashMap::new(),
            users: HashMap::new(),
            contents: HashMap::new(),
            runs: Vec::new(),
            journal: JournalPoint { size, root },
        };
        let mut reader = repository.store.reader();
        let folder = RefKind::Run.prefix().trim_end_matches('/');
        let runs = refs.list(&mut reader, Some(folder))?;
        progress.begin(Phase {
            name: "reading runs",
            files_total: Some(runs.len() as u64),
            ..Phase::default()
        });
        let mut seen = HashSet::new();
        for id in runs.into_values().filter(|id| seen.insert(*id)) {
            progress.check()?;
            progress.add_files(1);
            let Some(run) = reader.commit(&id)?.run else { continue };
            derivations.runs.push(id);
            for input in run.inputs {
                derivations.put(id, false, input.path, input.content);
            }
            for output in run.outputs {
                if let Some(content) = output.content {
                    derivations.put(id, true, output.path, content);
                }
            }
        }
        Ok(derivations)
    }

    fn put(&mut self, commit: ObjectId, is_output: bool, path: String, content: Content) {
        let side = if is_output { &mut self.makers } else { &mut self.users };
        side.entry(content.id).or_default().push(Use { commit, path });
        self.contents.entry(content.id).or_insert(content);
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

    /// Gives all runs, the commits of which are looked at for what they did not declare.
    pub fn runs(&self) -> &[ObjectId] {
        &self.runs
    }

    /// Lists all content that a run has read or made, in no order.
    pub fn all(&self) -> impl Iterator<Item = &Content> {
        self.contents.values()
    }
}
