//! Which runs have read and made which content.

use std::collections::{HashMap, HashSet};

use super::JournalPoint;
use crate::graph;
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

/// Who read and who made what, over all runs that a ref names or leads to.
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
    /// Reads the record of every run, and of every commit that a branch or a tag leads to.
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
        let mut commits: HashSet<ObjectId> = HashSet::new();
        let mut tips = Vec::new();
        refs.each(&mut repository.store.reader(), |name, id| {
            commits.insert(id);
            // A run is named by itself; of its history the branches know.
            if RefKind::Run.short_name(name).is_none() {
                tips.push(id);
            }
            Ok::<_, Error>(())
        })?;
        tips.extend(repository.head_commit()?);
        commits.extend(history(repository, &tips, progress)?);
        progress.begin(Phase {
            name: "reading runs",
            files_total: Some(commits.len() as u64),
            ..Phase::default()
        });
        // In this order answers are the same each time.
        let mut commits: Vec<ObjectId> = commits.into_iter().collect();
        commits.sort_unstable();
        for id in commits {
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

/// Lists all commits that some lead to: a run that came in with a branch may have no ref of its own.
fn history(
    repository: &Repository,
    tips: &[ObjectId],
    progress: &Progress,
) -> Result<Vec<ObjectId>, Error> {
    let mut tips = tips.to_vec();
    tips.sort_unstable();
    tips.dedup();
    repository.with_history(&tips, progress, |commits, positions| {
        let mut found = HashSet::new();
        let read = |position, parents: &mut Vec<_>| {
            progress.check()?;
            commits.read(position, parents).map(drop).map_err(Error::from)
        };
        graph::reach(positions.iter().copied(), |position| found.insert(*position), read)?;
        found.into_iter().map(|position| Ok(commits.id(position)?)).collect()
    })
}
