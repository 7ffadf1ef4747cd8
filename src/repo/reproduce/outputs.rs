//! What a run wrote, against what lies there now: by content, file by file, and nothing stored.

use std::collections::BTreeSet;

use super::{Match, metrics};
use crate::capture::metrics::MetricsReader;
use crate::capture::values::ValuesFormat;
use crate::object::tree;
use crate::object::{ObjectId, Run, TreePath};
use crate::progress::Progress;
use crate::repo::diff::{Tensors, tensors};
use crate::repo::fresh::Fresh;
use crate::repo::restamp::unknown;
use crate::repo::{Error, Repository};
use crate::threads;
use crate::worktree::compare::{Now, hash_files};
use crate::worktree::local;
use crate::worktree::scan::{Batch, Change, Found, ScanRequest, scan};
use crate::worktree::stamps::{Record, Stamps, StampsWriter};

/// Most files of an output that are named one by one.
const FILES_MAX: usize = 20;
/// Largest file whose values are compared, bytes.
const VALUES_BYTES_MAX: u64 = 16 << 20;

/// One output, then and now.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputMatch {
    /// Where it is.
    pub path: TreePath,
    /// What was recorded; none if it was missing.
    pub recorded: Option<ObjectId>,
    /// How many files were recorded.
    pub files: u64,
    /// The first files that differ.
    pub differing: Vec<OutputFile>,
    /// How many differ.
    pub differing_count: u64,
    /// Whether that is the same.
    pub verdict: Match,
}

/// One file of an output that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputFile {
    /// Where it is.
    pub path: TreePath,
    /// In which way.
    pub change: FileChange,
    /// How its tensors differ, if it holds weights.
    pub tensors: Option<Tensors>,
}

/// How a file differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileChange {
    /// Its content, mode or kind is another.
    Changed,
    /// It holds values, and all are within the tolerance.
    Within,
    /// It is not there now.
    Missing,
    /// It was not there then.
    New,
}

/// What to compare.
pub(super) struct Comparing<'a> {
    pub repository: &'a Repository,
    pub fresh: &'a Fresh,
    pub run: &'a Run,
    /// What is recorded of the end.
    pub tree: ObjectId,
    pub tolerance: f64,
    pub progress: &'a Progress,
}

impl Comparing<'_> {
    /// Compares every output.
    pub fn outputs(&self) -> Result<Vec<OutputMatch>, Error> {
        let mut outputs = Vec::new();
        for output in &self.run.outputs {
            let Ok(path) = TreePath::new(output.path.as_str()) else { continue };
            let content = output.content.as_ref();
            outputs.push(OutputMatch {
                path,
                recorded: content.map(|content| content.id),
                files: content.map_or(0, |content| content.files),
                differing: Vec::new(),
                differing_count: 0,
                verdict: Match::Identical,
            });
        }
        if outputs.is_empty() {
            return Ok(outputs);
        }
        let paths: BTreeSet<TreePath> = outputs.iter().map(|one| one.path.clone()).collect();
        let paths: Vec<TreePath> = paths.into_iter().collect();
        let stamps = self.stamps(&paths)?;
        let root = self.fresh.view.open_root()?;
        let request = ScanRequest {
            root: &root,
            stamps: Some(&stamps),
            paths: &paths,
            takes_ignored: true,
            collapses_new: false,
            thread_count: threads::count(),
            progress: self.progress,
        };
        scan(&request, |batch| {
            for file in self.differing(&root, batch)? {
                for output in outputs.iter_mut().filter(|one| file.path.starts_with(&one.path)) {
                    output.take(&file);
                }
            }
            Ok::<_, Error>(())
        })?;
        Ok(outputs)
    }

    /// Makes stamps that know what was recorded of these paths, and nothing of how files look.
    fn stamps(&self, paths: &[TreePath]) -> Result<Stamps, Error> {
        let temporaries = local::temporaries(&self.fresh.view.location.folder);
        // The command may have taken its repository away.
        local::make_directory(&temporaries)
            .map_err(|error| Error::io("make the folder", &temporaries, error))?;
        let mut reader = self.repository.store.reader();
        let mut writer = StampsWriter::new(None, &temporaries, i64::MAX)?;
        for path in crate::repo::restore::outermost(paths) {
            for entry in tree::walk(&self.tree, Some(&path), |id| reader.node(id))? {
                let entry = entry.map_err(Error::from)?;
                if let Some(record) = unknown(&entry.target) {
                    writer.put(&entry.path, record)?;
                }
            }
        }
        let path = self.fresh.temporary("outputs");
        writer.finish(&path, &self.tree)?;
        Stamps::reopen(&path).map_err(|error| Error::io("read the stamps back", &path, error))
    }

    /// Finds out which files of a batch really differ.
    fn differing(
        &self,
        root: &crate::worktree::directory::Directory,
        batch: Batch,
    ) -> Result<Vec<OutputFile>, Error> {
        let is_doubtful = |found: &Found| {
            let alike = |staged: &Record| staged.stamp.size == found.stamp.size;
            found.change == Change::Modified && found.tracked.as_ref().is_some_and(alike)
        };
        let doubtful = batch.found.iter().filter(|found| is_doubtful(found));
        let doubtful: Vec<_> = doubtful.map(|found| (&found.path, found.stamp.kind())).collect();
        let mut answers = hash_files(root, &doubtful, threads::count(), self.progress).into_iter();
        self.progress.check()?;
        let mut differing = Vec::new();
        for found in &batch.found {
            let answer = if is_doubtful(found) { answers.next() } else { None };
            if let (Some(Now::Content(id, stamp)), Some(staged)) = (&answer, &found.tracked)
                && (*id, stamp.kind()) == (staged.id, staged.stamp.kind())
            {
                continue;
            }
            if let Some(Now::Unreadable(error)) = answer {
                let place = self.fresh.place_of(&found.path);
                return Err(Error::io("read the output", place, error));
            }
            differing.push(self.file(found)?);
        }
        Ok(differing)
    }

    fn file(&self, found: &Found) -> Result<OutputFile, Error> {
        let path = found.path.clone();
        let (mut change, mut weights) = match found.change {
            Change::New | Change::NewDirectory => (FileChange::New, None),
            Change::Missing => (FileChange::Missing, None),
            Change::Modified | Change::KindChanged => (FileChange::Changed, None),
        };
        if let (Change::Modified, Some(staged)) = (found.change, &found.tracked) {
            if self.is_within(found, staged)? {
                change = FileChange::Within;
            } else if path.last_name().ends_with(b".safetensors") {
                let recorded = (staged.id, staged.stamp.size);
                let (view, now) = (&self.fresh.view, found.stamp.size);
                weights = tensors(view, &path, recorded, now, self.progress)?;
            }
        }
        Ok(OutputFile { path, change, tensors: weights })
    }

    /// Tells whether a file holds nothing but values, and all are near enough.
    fn is_within(&self, found: &Found, staged: &Record) -> Result<bool, Error> {
        let place = self.fresh.place_of(&found.path);
        let is_alike = ValuesFormat::of_name(&place).is_some()
            && staged.stamp.kind() == found.stamp.kind()
            && staged.stamp.size.max(found.stamp.size) <= VALUES_BYTES_MAX;
        if self.tolerance <= 0.0 || !is_alike {
            return Ok(false);
        }
        let mut content = Vec::new();
        self.repository.store.reader().stream::<Error>(&staged.id, |piece| {
            content.extend_from_slice(piece);
            Ok(())
        })?;
        let (mut then, mut now) = (MetricsReader::new(), MetricsReader::new());
        if then.read_content(&place, &content).is_err() || now.read_file(&place).is_err() {
            return Ok(false);
        }
        let (then, now) = (then.finish(), now.finish());
        // What is no number was left out, and may differ.
        let are_numbers = then.notes.is_empty() && now.notes.is_empty();
        let (then, now) = ((then.metrics, then.series), (now.metrics, now.series));
        Ok(are_numbers && metrics::all_within(&then, &now, self.tolerance))
    }
}

impl OutputMatch {
    fn take(&mut self, file: &OutputFile) {
        self.differing_count += 1;
        if self.differing.len() < FILES_MAX {
            self.differing.push(file.clone());
        }
        let verdict = match file.change {
            FileChange::Within => Match::Within,
            FileChange::Missing => Match::Missing,
            FileChange::Changed | FileChange::New => Match::Different,
        };
        let is_first = self.differing_count == 1;
        self.verdict = match (self.verdict, verdict) {
            (Match::Identical, Match::Missing) if self.files > 1 => Match::Different,
            (Match::Identical, verdict) if is_first => verdict,
            (Match::Within, Match::Within) => Match::Within,
            _ => Match::Different,
        };
    }

    /// Says that nothing of it is there, where that is so.
    pub(super) fn settle(&mut self) {
        let is_gone = |file: &OutputFile| file.change == FileChange::Missing;
        if self.files > 0
            && self.differing_count == self.files
            && self.differing.iter().all(is_gone)
        {
            self.verdict = Match::Missing;
        }
    }
}
