//! The files of one directory, compared with what is tracked by one merge of two sorted lists.

use std::cmp::Ordering;
use std::ffi::CStr;
use std::ops::Range;
use std::sync::Arc;

use super::ordered::Step;
use super::visit::{Here, Unfolded, Walk, is_gone};
use super::{Batch, Change, Found, Problem, ProblemKind};
use crate::format::stamps::{FileKind, Record, Stamp};
use crate::object::{DecodeError, Name, NameError, PathError};
use crate::worktree::checkout::is_temporary;
use crate::worktree::directory::{EntryKind, Listing, kind_of_stamp};
use crate::worktree::stamps::known::{KnownFiles, Position};

/// Files of a directory whose names are known: those listed, else those tracked.
#[derive(Debug)]
pub struct FilesPiece {
    pub here: Arc<Here>,
    pub names: Option<(Arc<Listing>, Range<usize>)>,
    pub known: Range<Position>,
}

impl Walk<'_> {
    /// Compares one piece.
    pub fn files(&self, piece: FilesPiece) -> Result<Unfolded, DecodeError> {
        let mut batch = Batch { directory: piece.here.path.clone(), ..Batch::default() };
        let names = piece.names.as_ref().map(|(listing, range)| (&**listing, range.clone()));
        Merge::new(self, &piece.here).run(names, piece.known, &mut batch)?;
        Ok(vec![self.output(batch)])
    }

    /// Counts what needs no further look, and makes a batch an output.
    ///
    /// What was found is counted by whoever reads it.
    pub fn output<W>(&self, batch: Batch) -> Step<W, Result<Batch, super::ScanError>> {
        self.request.progress.add_files(batch.unchanged_count);
        let count = batch.found.len().saturating_add(batch.problems.len());
        Step::Output(Ok(batch), count.saturating_add(1))
    }
}

/// Compares files of one directory.
#[derive(Debug)]
pub struct Merge<'w, 'a> {
    walk: &'w Walk<'a>,
    here: &'w Here,
    known: Option<KnownFiles<'a>>,
}

impl<'w, 'a> Merge<'w, 'a> {
    pub fn new(walk: &'w Walk<'a>, here: &'w Here) -> Self {
        let row = here.row.as_ref().map(|(_, row)| row);
        let known = walk.view.zip(row).map(|(view, row)| KnownFiles::new(view, row));
        Self { walk, here, known }
    }

    /// Points to the first tracked file.
    pub fn begin(&self) -> Position {
        self.known.as_ref().map_or_else(Position::default, KnownFiles::begin)
    }

    /// Points behind the last tracked file.
    pub fn end(&self) -> Position {
        self.known.as_ref().map_or_else(Position::default, KnownFiles::end)
    }

    /// Points to the first tracked file whose name is not below `name`.
    pub fn lower_bound(&mut self, name: &[u8]) -> Result<Position, DecodeError> {
        self.known.as_mut().map_or(Ok(Position::default()), |known| known.lower_bound(name))
    }

    /// Points to the first tracked file whose name is above `name`.
    pub fn upper_bound(&mut self, name: &[u8]) -> Result<Position, DecodeError> {
        self.known.as_mut().map_or(Ok(Position::default()), |known| known.upper_bound(name))
    }

    /// Gives the name of the tracked file at a position before the end.
    pub fn name_at(&mut self, at: Position) -> Result<&'a [u8], DecodeError> {
        self.known()?.name(at)
    }

    /// Compares the listed names with tracked ones; without a list, each tracked file is asked for.
    pub fn run(
        &mut self,
        names: Option<(&Listing, Range<usize>)>,
        known: Range<Position>,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let mut at = known.start;
        let Some((listing, range)) = names else {
            while at < known.end {
                match &self.here.directory {
                    Some(_) => {
                        let (name, stamp) = self.known()?.get(at)?;
                        self.compare(name, stamp, at, batch)?;
                    }
                    None => self.missing(at, batch)?,
                }
                at = self.known()?.next(at)?;
            }
            return Ok(());
        };
        for (name, kind) in range.filter_map(|entry| listing.get(entry)) {
            let mut is_tracked = false;
            while at < known.end && !is_tracked {
                match self.known()?.name(at)?.cmp(name.to_bytes()) {
                    Ordering::Less => self.missing(at, batch)?,
                    Ordering::Equal => {
                        let stamp = self.known()?.stamp(at)?;
                        self.compare(name, stamp, at, batch)?;
                        is_tracked = true;
                    }
                    Ordering::Greater => break,
                }
                at = self.known()?.next(at)?;
            }
            if !is_tracked {
                self.untracked(name, kind, batch);
            }
        }
        while at < known.end {
            self.missing(at, batch)?;
            at = self.known()?.next(at)?;
        }
        Ok(())
    }

    fn compare(
        &mut self,
        name: &CStr,
        known: Stamp,
        at: Position,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let Some(directory) = &self.here.directory else { return Ok(()) };
        let stamp = match directory.stat(name) {
            Ok(stamp) => stamp,
            Err(error) if is_gone(&error) => return self.missing(at, batch),
            Err(error) => {
                self.problem(name, ProblemKind::Unreadable(error), batch);
                return Ok(());
            }
        };
        if stamp == known {
            batch.unchanged_count += 1;
            return Ok(());
        }
        let change = match (stamp.kind(), known.kind()) {
            (None, _) => {
                if let EntryKind::Special(special) = kind_of_stamp(&stamp) {
                    self.problem(name, ProblemKind::Special(special), batch);
                }
                return self.missing(at, batch);
            }
            (Some(now), Some(then)) if is_link(now) != is_link(then) => Change::KindChanged,
            _ => Change::Modified,
        };
        let tracked = self.known()?.record(at)?;
        self.found(name.to_bytes(), change, stamp, Some(tracked), batch);
        Ok(())
    }

    fn missing(&mut self, at: Position, batch: &mut Batch) -> Result<(), DecodeError> {
        let (name, tracked) = (self.known()?.name(at)?, self.known()?.record(at)?);
        self.found(name, Change::Missing, Stamp::default(), Some(tracked), batch);
        Ok(())
    }

    fn untracked(&self, name: &CStr, kind: EntryKind, batch: &mut Batch) {
        let bytes = name.to_bytes();
        if self.here.is_own_folder(bytes) || self.here.is_ignored {
            return;
        }
        if let Err(source) = Name::check(bytes) {
            self.problem(name, name_problem(source), batch);
            return;
        }
        if self.walk.ignores(self.here, bytes, kind == EntryKind::Directory) {
            batch.ignored_count += 1;
            return;
        }
        if is_temporary(bytes) {
            self.problem(name, ProblemKind::Leftover, batch);
            return;
        }
        let Some(directory) = &self.here.directory else { return };
        match kind {
            EntryKind::Special(special) => {
                self.problem(name, ProblemKind::Special(special), batch);
            }
            EntryKind::Directory => {}
            EntryKind::File => match directory.stat(name) {
                Ok(stamp) if stamp.kind().is_some() => {
                    self.found(bytes, Change::New, stamp, None, batch);
                }
                // Replaced since the names were read; the next walk sees what it is now.
                Ok(_) => {}
                Err(error) if is_gone(&error) => {}
                Err(error) => self.problem(name, ProblemKind::Unreadable(error), batch),
            },
        }
    }

    fn found(
        &self,
        name: &[u8],
        change: Change,
        stamp: Stamp,
        tracked: Option<Record>,
        batch: &mut Batch,
    ) {
        match self.here.path_of(name) {
            Ok(path) => batch.found.push(Found { path, change, stamp, tracked }),
            Err(error) => {
                let path = self.here.raw_path_of(name);
                batch.problems.push(Problem { path, kind: ProblemKind::Path(error) });
            }
        }
    }

    fn problem(&self, name: &CStr, kind: ProblemKind, batch: &mut Batch) {
        let path = self.here.raw_path_of(name.to_bytes());
        batch.problems.push(Problem { path, kind });
    }

    fn known(&mut self) -> Result<&mut KnownFiles<'a>, DecodeError> {
        self.known.as_mut().ok_or_else(nothing_tracked)
    }
}

fn is_link(kind: FileKind) -> bool {
    kind == FileKind::Symlink
}

/// Sorts what is wrong with a name.
pub fn name_problem(source: NameError) -> ProblemKind {
    match source {
        NameError::Reserved => ProblemKind::RepositoryFolder,
        source => ProblemKind::Path(PathError::Name { offset: 0, source }),
    }
}

fn nothing_tracked() -> DecodeError {
    DecodeError::new("file stamps", 0, "a directory without a row has files")
}
