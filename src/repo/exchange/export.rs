//! History out of the repository: what a stream needs to be imported elsewhere, in its order.

use std::collections::{HashMap, HashSet};

use crate::object::tree::{EMPTY_TREE, Node, Target};
use crate::object::{Commit, ObjectId};
use crate::progress::{Phase, Progress};
use crate::repo::selection::{self, Selection};
use crate::repo::{Error, Repository, cat};
use crate::store::{Position, Reader, Stored, attachments};

use super::export_lines::{self, Pieces};

/// Commits that are read in the order of packs, and bytes of them.
const WINDOW: usize = 8192;

/// Says what to export.
#[derive(Debug, Clone, Default)]
pub struct ExportRequest {
    /// Words of a set as typed: `main`, `^old`, `old..new`.
    pub revisions: Vec<Vec<u8>>,
    /// Whether every ref is exported.
    pub all: bool,
    /// Whether the content of files is left out.
    pub is_without_content: bool,
}

/// Tells what was exported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExportReport {
    /// Lines, all of them.
    pub lines: u64,
    /// Commits among them.
    pub commits: u64,
    /// Refs among them.
    pub refs: u64,
    /// Contents of files among them.
    pub contents: u64,
}

/// Writes a set of commits, what they lead to, and the refs that name them.
///
/// Shape: `write` gets pieces of the stream; everything comes before what leads to it. Errors:
/// those of `write`, of resolving and of reading. Cost: some 40 bytes of memory for each node,
/// attachment and content.
pub fn export<E: From<Error>>(
    repository: &Repository,
    request: &ExportRequest,
    progress: &Progress,
    mut write: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<ExportReport, E> {
    progress.begin(Phase { name: "exporting", ..Phase::default() });
    let selection = Selection::resolve(repository, &request.revisions, request.all, progress)?;
    let mut exporter = Exporter {
        reader: repository.store.reader(),
        line: Vec::new(),
        write: &mut write,
        seen: HashSet::new(),
        takes_content: !request.is_without_content,
        report: ExportReport::default(),
    };
    exporter.put(export_lines::begin)?;
    let exported = listed(repository, &selection, progress)?;
    drop(selection);
    for window in exported.chunks(WINDOW) {
        let mut records = exporter.records(window)?;
        for id in window {
            progress.check().map_err(Error::from)?;
            progress.add_files(1);
            let bytes = records.remove(id).unwrap_or_default();
            exporter.commit(id, &bytes)?;
        }
    }
    let mut exported = exported;
    exported.sort_unstable();
    let kinds = ["heads/", "tags/", "runs/"];
    repository.refs()?.each(&mut repository.store.reader(), |name, id| {
        let is_exported = exported.binary_search(&id).is_ok();
        if is_exported && kinds.iter().any(|kind| name.starts_with(kind)) {
            exporter.put(|line| export_lines::name(name, &id, line))?;
            exporter.report.refs += 1;
        }
        Ok::<_, E>(())
    })?;
    let before = exporter.report.lines;
    exporter.put(|line| export_lines::end(before, line))?;
    Ok(exporter.report)
}

/// Lists the commits of a set, parents before children.
fn listed(
    repository: &Repository,
    selection: &Selection,
    progress: &Progress,
) -> Result<Vec<ObjectId>, Error> {
    repository.with_history(&selection.all(), progress, |commits, positions| {
        let is_shown = selection::shown(selection, commits, positions)?;
        let read = |position, parents: &mut Vec<Position>| {
            progress.check()?;
            let vertex = commits.read(position, parents)?;
            parents.retain(&is_shown);
            Ok::<_, Error>(vertex)
        };
        let tips = selection.tips_of(positions).iter().copied().filter(&is_shown);
        let mut found = Vec::new();
        for position in selection::walk(tips, false, read)? {
            found.push(position?);
        }
        // Parents have smaller positions than children.
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|position| Ok(commits.id(position)?)).collect()
    })
}

struct Exporter<'s, 'w, W> {
    reader: Reader<'s>,
    line: Vec<u8>,
    write: &'w mut W,
    /// What was written, in the role in which it was.
    seen: HashSet<(u8, [u8; 16])>,
    takes_content: bool,
    report: ExportReport,
}

impl<E: From<Error>, W: FnMut(&[u8]) -> Result<(), E>> Exporter<'_, '_, W> {
    fn put(&mut self, line: impl FnOnce(&mut Vec<u8>)) -> Result<(), E> {
        self.line.clear();
        line(&mut self.line);
        self.line.push(b'\n');
        self.report.lines += 1;
        (self.write)(&self.line)
    }

    /// Reads the records of some commits, in the order in which they lie in packs.
    fn records(&mut self, ids: &[ObjectId]) -> Result<HashMap<ObjectId, Vec<u8>>, Error> {
        let mut placed = Vec::with_capacity(ids.len());
        for id in ids {
            placed.push((self.reader.record_place(id)?, *id));
        }
        placed.sort_unstable();
        let read = placed.into_iter().map(|(_, id)| Ok((id, self.reader.record(&id)?)));
        read.collect()
    }

    fn is_new(&mut self, what: Stored, id: &ObjectId) -> bool {
        let half = id.as_bytes().first_chunk().copied().unwrap_or_default();
        self.seen.insert((what as u8, half))
    }

    fn commit(&mut self, id: &ObjectId, bytes: &[u8]) -> Result<(), E> {
        let commit = Commit::decode(bytes).map_err(Error::from)?;
        self.tree(commit.tree)?;
        if let Some(changes) = commit.code.as_ref().and_then(|code| code.changes) {
            self.tree(changes)?;
        }
        for attachment in attachments(&commit) {
            self.attachment(&attachment)?;
        }
        self.report.commits += 1;
        self.put(|line| export_lines::commit(id, bytes, line))
    }

    fn tree(&mut self, id: ObjectId) -> Result<(), E> {
        if id == EMPTY_TREE || !self.is_new(Stored::Tree, &id) {
            return Ok(());
        }
        let bytes = self.reader.node(&id).map_err(Error::from)?;
        match Node::decode(&bytes).map_err(Error::from)? {
            Node::Inner { children, .. } => {
                for child in children {
                    self.tree(child.id)?;
                }
            }
            Node::Leaf(entries) => {
                for entry in entries {
                    match entry.target {
                        Target::Directory { id, .. } => self.tree(id)?,
                        Target::File { id, .. } | Target::Symlink { id, .. } => {
                            self.content(&id)?;
                        }
                        Target::Commit { .. } => {}
                    }
                }
            }
        }
        self.put(|line| export_lines::node(&id, &bytes, line))
    }

    fn attachment(&mut self, id: &ObjectId) -> Result<(), E> {
        if !self.is_new(Stored::Attachment, id) {
            return Ok(());
        }
        match self.reader.small_attachment(id).map_err(Error::from)? {
            Some(bytes) => self.put(|line| export_lines::attachment(id, &bytes, line)),
            // What is too large for a block is kept as a file is.
            None => self.content_of(id),
        }
    }

    fn content(&mut self, id: &ObjectId) -> Result<(), E> {
        match self.takes_content {
            true => self.content_of(id),
            false => Ok(()),
        }
    }

    fn content_of(&mut self, id: &ObjectId) -> Result<(), E> {
        if !self.is_new(Stored::Blob, id) {
            return Ok(());
        }
        let Self { reader, line, write, report, .. } = self;
        report.contents += 1;
        let mut pieces = Pieces::new(*id);
        cat::stream(reader, id, |piece| {
            pieces.push(piece);
            while pieces.take(false, line) {
                report.lines += 1;
                write(line)?;
            }
            Ok::<(), E>(())
        })?;
        while pieces.take(true, line) {
            report.lines += 1;
            write(line)?;
        }
        Ok(())
    }
}
