//! The history of a git repository that uses DVC: a commit for each of git's, a run for each
//! stage that one has run.
//!
//! What a commit becomes depends on what DVC's cache holds at the time, so a commit that is here
//! already is found by its git id and left as it is. All refs are made at the end.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::rc::Rc;

use super::dvc_contents::Contents;
use super::dvc_records::{self, Of};
use super::import::ImportReport;
use super::naming::Names;
use crate::capture::dvc::{DvcRepository, GitCommit, Snapshot, Stage};
use crate::object::{Commit, ObjectId, TreePath};
use crate::progress::{Phase, Progress};
use crate::repo::ref_name::RefKind;
use crate::repo::{Error, Repository};
use crate::store::{Stored, merge};

/// Most words about what was not taken.
const NOTES_MAX: usize = 50;

/// Says what to import.
#[derive(Debug, Clone)]
pub struct DvcRequest {
    /// The repository, where its folder `.dvc` is.
    pub directory: PathBuf,
    /// Which commits: those that a revision of git reaches, or a range of them.
    pub revision: String,
    /// What to put before each name of a ref.
    pub prefix: Option<String>,
    /// The command as typed, for the journal.
    pub command: String,
}

/// Tells what was imported, and what was not.
#[derive(Debug, Clone, Default)]
pub struct DvcReport {
    /// What came in; the runs are among the commits.
    pub imported: ImportReport,
    /// Runs that are new.
    pub runs: u64,
    /// Contents that were taken from DVC's cache.
    pub contents: u64,
    /// Contents that the cache does not have.
    pub contents_absent: u64,
    /// What was left out, and why.
    pub skipped: Vec<String>,
}

/// Which stages a commit has, and what tells one time they ran from another.
type Marks = Rc<BTreeMap<String, ObjectId>>;

/// Imports the commits that touch DVC's files, as the branch `dvc/NAME`, and their runs.
///
/// Errors: `Usage` for what is no such repository; `Conflict` if the branch is here and is not an
/// earlier state of the same history. No ref has moved then. Cost: reads each content of the
/// cache that is new here twice, first to check its MD5.
pub fn import_dvc(
    repository: &Repository,
    request: &DvcRequest,
    progress: &Progress,
) -> Result<DvcReport, Error> {
    progress.begin(Phase { name: "importing", ..Phase::default() });
    let opened = DvcRepository::open(&request.directory, &request.revision);
    let (source, commits) = opened.map_err(|error| Error::Usage(error.to_string()))?;
    let Some(tip) = commits.last() else {
        return Err(Error::Usage(format!(
            "no commit of {:?} touches a file of DVC (*.dvc, dvc.yaml, dvc.lock), path={:?}",
            request.revision, request.directory
        )));
    };
    let tip = tip.id.clone();
    let names = Names::new(request.prefix.clone(), false)?;
    let branch = RefKind::Branch.full_name(&format!("dvc/{}", source.name))?;
    let standing = repository.refs()?.find(&mut repository.store.reader(), &names.full(&branch))?;
    let known = standing.map_or_else(|| Ok(HashMap::new()), |id| known(repository, id))?;
    if let Some(standing) = standing
        && !commits.iter().any(|commit| known.get(&commit.id) == Some(&standing))
    {
        return Err(Error::Conflict(format!(
            "{:?} is here already, and no earlier state of this history: import under other names \
             with --prefix",
            names.full(&branch)
        )));
    }
    let mut importer = Importer {
        progress,
        contents: Contents::new(repository, source.cache(), progress)?,
        source,
        known,
        marks: HashMap::new(),
        names,
        report: DvcReport::default(),
        notes: 0,
    };
    for commit in &commits {
        progress.check()?;
        progress.add_files(1);
        importer.commit(commit)?;
    }
    let tip = importer.known.get(&tip).copied().zip(Some(branch));
    let report = importer.finish(tip, standing, &request.command, repository)?;
    let _tidied_or_not = merge::tidy(&repository.store, &Progress::default());
    Ok(report)
}

/// Finds which commits of git are here, by the id that their records have.
fn known(repository: &Repository, tip: ObjectId) -> Result<HashMap<String, ObjectId>, Error> {
    let mut reader = repository.store.reader();
    let mut known = HashMap::new();
    let (mut open, mut seen) = (vec![tip], std::collections::HashSet::from([tip]));
    while let Some(id) = open.pop() {
        let commit = Commit::decode(&reader.record(&id)?)?;
        let of = commit.code.and_then(|code| code.git_commit);
        if let Some(of) = of.filter(|_| commit.run.is_none()) {
            known.entry(of).or_insert(id);
        }
        open.extend(commit.parents.into_iter().filter(|parent| seen.insert(*parent)));
    }
    Ok(known)
}

struct Importer<'r> {
    progress: &'r Progress,
    contents: Contents<'r>,
    source: DvcRepository,
    /// Commits that are here, by the ids that git gives them.
    known: HashMap<String, ObjectId>,
    marks: HashMap<String, Marks>,
    names: Names,
    report: DvcReport,
    notes: usize,
}

impl<'r> Importer<'r> {
    fn commit(&mut self, of: &GitCommit) -> Result<(), Error> {
        let read = self.source.snapshot(of);
        let mut snapshot = read.map_err(|error| Error::Usage(error.to_string()))?;
        let marks: BTreeMap<String, ObjectId> =
            snapshot.stages.iter().map(|stage| (stage.name.clone(), stage.mark)).collect();
        let before: Vec<Marks> =
            of.parents.iter().filter_map(|parent| self.marks.get(parent).cloned()).collect();
        let same = before.iter().find(|before| ***before == marks).cloned();
        self.marks.insert(of.id.clone(), same.unwrap_or_else(|| Rc::new(marks)));
        if self.known.contains_key(&of.id) {
            self.report.imported.commits_known += 1;
            return Ok(());
        }
        let short = of.id.get(..8).unwrap_or(&of.id).to_owned();
        for note in std::mem::take(&mut snapshot.notes) {
            self.note(format!("{short}: {note}"));
        }
        let taken = self.contents.take(&mut self.source, &snapshot)?;
        for note in &taken.notes {
            self.note(format!("{short}: {note}"));
        }
        let (count, most) = (taken.items.len(), dvc_records::ARTIFACTS_MAX);
        if count > most {
            self.note(format!(
                "{short}: of {count} tracked files and directories only the first {most} are \
                 artifacts; all of them are in the tree"
            ));
        }
        let parents = of.parents.iter().filter_map(|parent| self.known.get(parent).copied());
        let parents: Vec<ObjectId> = parents.collect();
        let address = self.source.address.clone();
        let of = Of { git: of, taken: &taken, address: address.as_deref() };
        let (bytes, attachments) = dvc_records::commit(&of, &parents)
            .map_err(|reason| Error::Usage(format!("git commit {short}: {reason}")))?;
        let id = self.put(&bytes, &attachments)?;
        self.known.insert(of.git.id.clone(), id);
        for stage in &snapshot.stages {
            let is_new = before.iter().all(|marks| marks.get(&stage.name) != Some(&stage.mark));
            if is_new {
                self.run(&of, stage, id, &snapshot)?;
            }
        }
        Ok(())
    }

    /// Records that a stage was run.
    fn run(
        &mut self,
        of: &Of<'_>,
        stage: &Stage,
        parent: ObjectId,
        snapshot: &Snapshot,
    ) -> Result<(), Error> {
        let used = self.contents.of_stage(&mut self.source, stage, snapshot)?;
        let short = of.git.id.get(..8).unwrap_or_default();
        for note in &used.notes {
            self.note(format!("{short}: stage {}: {note}", stage.name));
        }
        let name = dvc_records::run_name(&stage.name, &of.git.id);
        let made = dvc_records::run(of, stage, &used, parent, &name);
        let (bytes, attachments) = match made {
            Ok(made) => made,
            Err(reason) => {
                self.note(format!("{short}: stage {} is left out: {reason}", stage.name));
                return Ok(());
            }
        };
        let id = self.put(&bytes, &attachments)?;
        self.report.runs += 1;
        let pushed = self.names.push(&format!("runs/{name}"), id, 0);
        pushed.map(drop).map_err(Error::Usage)
    }

    fn put(&mut self, bytes: &[u8], attachments: &[Vec<u8>]) -> Result<ObjectId, Error> {
        let id = ObjectId::of(bytes);
        for attachment in attachments {
            self.contents.transaction.put_attachment(attachment)?;
        }
        match self.contents.transaction.holds(&id, Stored::Commit)? {
            true => self.report.imported.commits_known += 1,
            false => {
                self.contents.transaction.put_commit(bytes)?;
                self.report.imported.commits += 1;
            }
        }
        self.contents.settle(1 + attachments.len() as u64)?;
        Ok(id)
    }

    fn note(&mut self, note: String) {
        self.notes += 1;
        if self.notes <= NOTES_MAX {
            self.report.skipped.push(note);
        }
    }

    /// Names what came in, all at once.
    fn finish(
        mut self,
        tip: Option<(ObjectId, String)>,
        standing: Option<ObjectId>,
        command: &str,
        repository: &'r Repository,
    ) -> Result<DvcReport, Error> {
        if let Some((id, branch)) = tip {
            self.names.push(&branch, id, 0).map_err(Error::Usage)?;
            self.names.moves = standing.map(|standing| {
                let full = self.names.full(&branch).into_owned();
                (full, standing)
            });
        }
        let Self { contents, mut names, mut report, progress, notes, .. } = self;
        (report.contents, report.contents_absent) = (contents.taken, contents.absent);
        report.imported.objects = contents.objects;
        if notes > NOTES_MAX {
            report.skipped.push(format!("and {} more like these", notes - NOTES_MAX));
        }
        progress.begin(Phase { name: "naming", ..Phase::default() });
        let named = names.publish(repository, contents.finish()?, command, progress)?;
        (report.imported.refs, report.imported.refs_known) = (named.fresh, named.standing);
        report.imported.number = named.number;
        Ok(report)
    }
}

/// Gives the path of a tree that a text names.
pub(super) fn place(path: &str) -> Option<TreePath> {
    TreePath::new(path).ok()
}
