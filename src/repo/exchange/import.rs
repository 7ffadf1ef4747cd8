//! A stream of JSON Lines into the repository: stored as it comes, named at its end.
//!
//! Nothing is visible before every line was read and understood: objects that no ref leads to are
//! nothing to anybody. Whoever is stopped half-way runs the same command again, and what is
//! stored already is passed over.

use std::collections::BTreeSet;
use std::io::BufRead;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use super::content::Spool;
use super::describe::{self, Described};
use super::files::{self, Found};
use super::labels::Labels;
use super::line::{ExactCommit, Line, Named};
use super::lines::{Batch, Lines, Numbered, refused};
use super::naming::Names;
use super::nodes::Nodes;
use super::order::Order;
use crate::object::canonical::Value;
use crate::object::{Commit, ObjectId};
use crate::progress::{Phase, Progress};
use crate::repo::{Error, Repository};
use crate::store::{Reader, Reliance, Stored, Transaction, attachments, merge};
use crate::threads::{self, Once};
use crate::worktree::directory::Directory;
use crate::worktree::open;

/// Objects of one transaction: what is known of each is held in memory until it ends.
const OBJECTS_MAX: u64 = 100_000;

/// Says what to import.
pub struct ImportRequest<'f> {
    /// The stream.
    pub from: &'f mut (dyn BufRead + Send),
    /// Where the files lie that it names by their paths.
    pub files: Option<PathBuf>,
    /// What to put before each name of a ref.
    pub prefix: Option<String>,
    /// Whether a run that is here with other values is left alone, and no conflict.
    pub leaves_moved: bool,
    /// The command as typed, for the journal.
    pub command: String,
}

/// Tells what was imported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Lines that say something.
    pub lines: u64,
    /// Commits that are new.
    pub commits: u64,
    /// Commits that were here already.
    pub commits_known: u64,
    /// Nodes of trees, attachments and contents that are new.
    pub objects: u64,
    /// Refs that are new.
    pub refs: u64,
    /// Refs that stood there already.
    pub refs_known: u64,
    /// Full names of runs that are here with other values, and were left alone.
    pub moved: Vec<String>,
    /// Number of the last journal entry; none if no ref is new.
    pub number: Option<u64>,
}

/// Imports a stream.
///
/// Errors: `Usage` with the number of the line and its field; `Conflict` for a ref that stands
/// elsewhere. No ref has moved then. Cost: bounded memory, some 150 bytes a commit beside it.
pub fn import(
    repository: &Repository,
    request: ImportRequest<'_>,
    progress: &Progress,
) -> Result<ImportReport, Error> {
    progress.begin(Phase { name: "importing", ..Phase::default() });
    let root = request.files.as_deref().map(|path| {
        open::root(path).map_err(|error| Error::io("open the directory of --files", path, error))
    });
    let transaction = repository.store.transaction()?;
    let reliance = transaction.reliance()?;
    let mut importer = Importer {
        repository,
        progress,
        root: root.transpose()?,
        transaction,
        reliance,
        reader: repository.store.reader(),
        pending: 0,
        names: Names::new(request.prefix, request.leaves_moved)?,
        labels: Labels::default(),
        nodes: Nodes::default(),
        spool: None,
        order: Order::default(),
        report: ImportReport::default(),
    };
    let mut lines = Lines::new(request.from);
    let mut batch = lines.next()?.map(Batch::parse);
    while let Some(parsed) = batch {
        // The next lines are read and understood while these are stored.
        let next = Once::new(|| Ok::<_, Error>(lines.next()?.map(Batch::parse)));
        batch = thread::scope(|scope| {
            let begun = threads::begin(scope, || next.take()());
            let stored = importer.take(parsed);
            let next = begun.map_or_else(|| next.take()(), threads::end);
            stored.and(next)
        })?;
    }
    let report = importer.finish(&request.command)?;
    let _tidied_or_not = merge::tidy(&repository.store, &Progress::default());
    Ok(report)
}

struct Importer<'r> {
    repository: &'r Repository,
    progress: &'r Progress,
    root: Option<Directory>,
    transaction: Transaction<'r>,
    reliance: Arc<Reliance>,
    reader: Reader<'r>,
    /// Objects in the transaction.
    pending: u64,
    names: Names,
    labels: Labels,
    nodes: Nodes,
    spool: Option<Spool>,
    order: Order,
    report: ImportReport,
}

impl Importer<'_> {
    fn take(&mut self, lines: Vec<Numbered>) -> Result<(), Error> {
        let found = self.found(&lines)?;
        for (number, line) in lines {
            self.progress.check()?;
            self.progress.add_files(1);
            let line = line.map_err(|reason| refused(number, &reason))?;
            self.report.lines += 1;
            self.line(number, line, found.as_ref())?.map_err(|reason| refused(number, &reason))?;
            if self.pending >= OBJECTS_MAX {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Takes in the files that some lines name.
    fn found(&mut self, lines: &[Numbered]) -> Result<Option<Found>, Error> {
        let Some(root) = &self.root else { return Ok(None) };
        let paths: BTreeSet<_> = lines
            .iter()
            .filter_map(|(_, line)| match line {
                Ok(Line::Described(described)) => Some(described.files.iter().cloned()),
                _ => None,
            })
            .flatten()
            .collect();
        self.pending += paths.len() as u64;
        files::take(root, paths, &self.transaction, self.progress).map(Some)
    }

    fn line(
        &mut self,
        number: u64,
        line: Line,
        found: Option<&Found>,
    ) -> Result<Result<(), String>, Error> {
        if let Err(reason) = self.order.check(&line, self.report.lines - 1, self.spool.as_ref()) {
            return Ok(Err(reason));
        }
        let is_new = match line {
            Line::Begin { .. } | Line::End { .. } => return Ok(Ok(())),
            Line::Commit(exact) => return self.exact(number, *exact),
            Line::Described(described) => return self.described(number, *described, found),
            Line::Ref { name, commit } => {
                let id = match self.resolve(&commit)? {
                    Ok(id) => id,
                    Err(reason) => return Ok(Err(format!("commit: {reason}"))),
                };
                return Ok(self.names.push(&name, id, number).map(drop));
            }
            Line::Node { id, bytes } => {
                let (transaction, reader) = (&self.transaction, &mut self.reader);
                self.nodes.put((id, &bytes), transaction, reader)?
            }
            Line::Attachment { id, bytes } => {
                let is_new = !self.transaction.holds(&id, Stored::Attachment)?;
                self.transaction.put_attachment(&bytes)?;
                Ok(is_new)
            }
            Line::Content { id, bytes, is_last } => self.content(id, &bytes, is_last)?,
        };
        Ok(is_new.map(|is_new| {
            self.report.objects += u64::from(is_new);
            self.pending += 1;
        }))
    }

    fn content(
        &mut self,
        id: ObjectId,
        bytes: &[u8],
        is_last: bool,
    ) -> Result<Result<bool, String>, Error> {
        let repository = self.repository;
        let mut spool = self.spool.take().unwrap_or_else(|| Spool::new(repository, id));
        spool.push(bytes)?;
        if is_last {
            return spool.finish(&self.transaction, self.progress);
        }
        self.spool = Some(spool);
        Ok(Ok(false))
    }

    fn exact(&mut self, number: u64, exact: ExactCommit) -> Result<Result<(), String>, Error> {
        let ExactCommit { id, bytes, commit, ref_name } = exact;
        if let Some(reason) = self.fault(&commit)? {
            return Ok(Err(reason));
        }
        self.put(&id, &bytes)?;
        Ok(ref_name.map_or(Ok(()), |name| self.names.push(&name, id, number).map(drop)))
    }

    fn described(
        &mut self,
        number: u64,
        mut described: Described,
        found: Option<&Found>,
    ) -> Result<Result<(), String>, Error> {
        for attachment in &described.attachments {
            self.transaction.put_attachment(attachment)?;
            self.pending += 1;
        }
        let (bytes, commit) = match described.commit.take() {
            Some(ready) => ready,
            None => match self.complete(&mut described, found)? {
                Ok(ready) => ready,
                Err(reason) => return Ok(Err(reason)),
            },
        };
        if let Some(reason) = self.fault(&commit)? {
            return Ok(Err(reason));
        }
        let id = ObjectId::of(&bytes);
        self.put(&id, &bytes)?;
        let place = match described.ref_name.map(|name| self.names.push(&name, id, number)) {
            Some(Err(reason)) => return Ok(Err(reason)),
            Some(Ok(place)) => place,
            None => None,
        };
        if let Some(label) = &described.label
            && !self.labels.add(label, id, place, self.names.runs())
        {
            return Ok(Err(format!("label: {label:?} stands for another commit already")));
        }
        Ok(Ok(()))
    }

    /// Looks up the parents of a described commit, and takes its files.
    fn complete(
        &self,
        described: &mut Described,
        found: Option<&Found>,
    ) -> Result<Result<(Vec<u8>, Commit), String>, Error> {
        let mut parents = Vec::with_capacity(described.parents.len());
        for (at, parent) in described.parents.iter().enumerate() {
            match self.resolve(parent)? {
                Ok(id) => parents.push(id),
                Err(reason) => return Ok(Err(format!("record.parents[{at}]: {reason}"))),
            }
        }
        described.record.set("parents", Value::list(parents));
        if !described.files.is_empty()
            && let Err(reason) = files::fill(described, found, &self.transaction)?
        {
            return Ok(Err(format!("record.{reason}")));
        }
        let bytes = Value::from(std::mem::take(&mut described.record)).encode();
        let commit = describe::checked(&bytes).map_err(|error| error.to_string());
        Ok(commit.map(|commit| (bytes, commit)))
    }

    fn resolve(&self, named: &Named) -> Result<Result<ObjectId, String>, Error> {
        Ok(match named {
            Named::Label(label) => self
                .labels
                .find(label, self.names.runs())
                .ok_or_else(|| format!("no line before it has the label {label:?}")),
            Named::Id(id) if self.transaction.holds(id, Stored::Commit)? => Ok(*id),
            Named::Id(id) => Err(format!("no such commit here or in a line before it, id={id}")),
        })
    }

    /// Tells what a commit needs and is not there.
    fn fault(&self, commit: &Commit) -> Result<Option<String>, Error> {
        let is_there = |id: &ObjectId, what| self.transaction.holds(id, what);
        for (at, parent) in commit.parents.iter().enumerate() {
            if !is_there(parent, Stored::Commit)? {
                return Ok(Some(format!(
                    "record.parents[{at}]: no such commit here or in a line before it, id={parent}"
                )));
            }
        }
        let changes = commit.code.as_ref().and_then(|code| code.changes);
        for (field, tree) in [("tree", Some(commit.tree)), ("code.changes", changes)] {
            let Some(tree) = tree.filter(|tree| *tree != crate::object::tree::EMPTY_TREE) else {
                continue;
            };
            if !is_there(&tree, Stored::Tree)? {
                return Ok(Some(format!(
                    "record.{field}: no such tree here or in a line before it, id={tree}"
                )));
            }
        }
        for id in attachments(commit) {
            if !is_there(&id, Stored::Attachment)? {
                return Ok(Some(format!(
                    "record: an attachment is neither here nor in a line before it, id={id}"
                )));
            }
        }
        Ok(None)
    }

    fn put(&mut self, id: &ObjectId, bytes: &[u8]) -> Result<(), Error> {
        if self.transaction.holds(id, Stored::Commit)? {
            self.report.commits_known += 1;
            return Ok(());
        }
        self.transaction.put_commit(bytes)?;
        self.report.commits += 1;
        self.pending += 1;
        Ok(())
    }

    /// Makes what came so far durable; no ref leads to it yet.
    fn flush(&mut self) -> Result<(), Error> {
        let next = self.repository.store.transaction()?.relying(Arc::clone(&self.reliance));
        std::mem::replace(&mut self.transaction, next).finish()?;
        self.nodes.settle();
        self.pending = 0;
        Ok(())
    }

    fn finish(mut self, command: &str) -> Result<ImportReport, Error> {
        self.order.check_end(self.spool.as_ref()).map_err(Error::Usage)?;
        self.flush()?;
        let Self { repository, transaction, mut names, labels, mut report, progress, .. } = self;
        drop(labels);
        progress.begin(Phase { name: "naming", ..Phase::default() });
        let named = names.publish(repository, transaction, command, progress)?;
        (report.refs, report.refs_known) = (named.fresh, named.standing);
        (report.number, report.moved) = (named.number, named.moved);
        Ok(report)
    }
}
