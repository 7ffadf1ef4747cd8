//! From recorded content to files: examine everything, then write a window of files at a time.
//!
//! Nothing is written before every change was examined, so a conflict changes nothing. How the
//! files of a window get their content is `write_files.rs`.

use std::thread;
use std::time::Duration;

use super::write_files::Site;
use super::{Error, Repository};
use crate::object::ObjectId;
use crate::object::tree::{Change, Target};
use crate::progress::Progress;
use crate::worktree::checkout::{Conflict, Examiner, Hand, Verdict};
use crate::worktree::directory::Directory;
use crate::worktree::stamps::{Record, Stamp, Stamps, StampsWriter};
use crate::worktree::{local, open};

/// Changes that are examined and written together.
const WINDOW: usize = 1 << 15;

/// Longest step of a file system's clock that tells fractions of seconds.
const CLOCK_TICK: Duration = Duration::from_millis(12);

/// Most conflicts that are named.
const CONFLICTS_MAX: usize = 100;

/// Gives the changes to make, in the order of paths; may be asked more than once.
pub(super) type Changes<'a> =
    &'a dyn Fn(&mut dyn FnMut(Change) -> Result<(), Error>) -> Result<(), Error>;

/// What to write, and how.
pub(super) struct WriteOut<'a> {
    /// The changes.
    pub changes: Changes<'a>,
    /// What is tracked now.
    pub stamps: &'a Stamps,
    /// Whether what is recorded nowhere may be lost.
    pub overwrites: bool,
    /// Tells which content is staged for a path afterwards: only of that a stamp is a proof.
    pub is_staged: &'a dyn Fn(&Change) -> bool,
    /// Counts, and stops.
    pub progress: &'a Progress,
}

/// What became of the files.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Files and links that were written.
    pub written: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that were removed.
    pub removed: u64,
    /// Files that held what they should already.
    pub kept: u64,
}

impl Repository {
    /// Examines everything, then writes it, and makes stamps for `tree`, which is staged next.
    ///
    /// Errors: [`Error::Conflict`] names all that would be lost; nothing was written then.
    pub(super) fn replace_files(
        &self,
        out: &WriteOut<'_>,
        tree: ObjectId,
    ) -> Result<Written, Error> {
        let folder = &self.location.folder;
        let conflicts = self.conflicts(out)?;
        if !conflicts.is_empty() {
            return Err(conflicts_error(&conflicts));
        }
        // What this process has just written is what it was asked to write, however young.
        let mut writer =
            StampsWriter::new(Some(out.stamps), &local::temporaries(folder), i64::MAX)?;
        // Opened before anything is written, so that its sync reports whatever fails from here on.
        let root = self.open_root()?;
        let written = self.write_out(out, &root, &mut writer)?;
        if written.written > 0 {
            // The stage and the head move only to what a power cut leaves in the worktree.
            let path = &self.location.root;
            root.settle().map_err(|error| Error::io("sync the worktree", path, error))?;
            // Whoever changes a file after this command has ended gets another time for it.
            thread::sleep(CLOCK_TICK);
        }
        writer.finish(&local::stamps_file(folder), &tree)?;
        Ok(written)
    }

    /// Names what would be lost; nothing is written.
    fn conflicts(&self, out: &WriteOut<'_>) -> Result<Vec<Conflict>, Error> {
        let root = self.open_root()?;
        let mut examiner = Examiner::new(&root, Some(out.stamps), out.overwrites, out.progress)?;
        let mut conflicts: Vec<Conflict> = Vec::new();
        (out.changes)(&mut |change| {
            out.progress.check()?;
            if let Verdict::Conflict(conflict) = examiner.examine(&change)?
                && conflicts.len() < CONFLICTS_MAX
                && conflicts.last().is_none_or(|last| last.path != conflict.path)
            {
                conflicts.push(conflict);
            }
            Ok(())
        })?;
        Ok(conflicts)
    }

    /// Counts the files that do not hold what they should; nothing is written.
    pub(super) fn differing(&self, out: &WriteOut<'_>) -> Result<u64, Error> {
        let root = self.open_root()?;
        let mut examiner = Examiner::new(&root, Some(out.stamps), out.overwrites, out.progress)?;
        let mut count = 0;
        (out.changes)(&mut |change| {
            out.progress.check()?;
            let is_right =
                matches!(examiner.examine(&change)?, Verdict::Keep(_) | Verdict::Nothing);
            count += u64::from(!is_right);
            Ok(())
        })?;
        Ok(count)
    }

    /// Writes the changes, and notes the stamps of what was written.
    ///
    /// Shape: [`Repository::conflicts`] was empty. Errors: what was written until then is whole,
    /// and the same call again goes on from there.
    fn write_out(
        &self,
        out: &WriteOut<'_>,
        root: &Directory,
        writer: &mut StampsWriter<'_>,
    ) -> Result<Written, Error> {
        let mut examiner = Examiner::new(root, Some(out.stamps), out.overwrites, out.progress)?;
        let mut written = Written::default();
        let mut window: Vec<(Change, Verdict)> = Vec::new();
        let mut flush = |window: &mut Vec<(Change, Verdict)>| {
            let window = std::mem::take(window);
            self.write_window(out, root, window, writer, &mut written)
        };
        (out.changes)(&mut |change| {
            let verdict = examiner.examine(&change)?;
            window.push((change, verdict));
            if window.len() >= WINDOW { flush(&mut window) } else { Ok(()) }
        })?;
        flush(&mut window)?;
        Ok(written)
    }

    pub(super) fn open_root(&self) -> Result<Directory, Error> {
        let path = &self.location.root;
        open::root(path).map_err(|error| Error::io("open the worktree", path, error))
    }

    fn write_window(
        &self,
        out: &WriteOut<'_>,
        root: &Directory,
        window: Vec<(Change, Verdict)>,
        writer: &mut StampsWriter<'_>,
        written: &mut Written,
    ) -> Result<(), Error> {
        let mut hand = Hand::new(root, out.overwrites)
            .map_err(|error| Error::io("draw a random name", &self.location.root, error))?;
        let mut stamps: Vec<Option<Stamp>> = vec![None; window.len()];
        for (position, (change, verdict)) in window.iter().enumerate() {
            match verdict {
                Verdict::Keep(stamp) => {
                    written.kept += 1;
                    stamps[position] = Some(writer.settled(*stamp));
                }
                Verdict::SetMode { over } => {
                    let executable = is_executable(change.new.as_ref());
                    let stamp = hand.set_executable(&change.path, executable, over)?;
                    written.written += 1;
                    let is_known = writer.settled(*over) == *over;
                    stamps[position] = Some(if is_known { stamp } else { stamp.forget() });
                }
                Verdict::Remove { over } => {
                    hand.remove(&change.path, over)?;
                    written.removed += 1;
                }
                Verdict::Conflict(conflict) => return Err(conflict_error(conflict)),
                Verdict::Nothing | Verdict::Write { .. } => {}
            }
        }
        hand.remove_empty_directories();
        let jobs = self.jobs(&window)?;
        let site = Site { root, overwrites: out.overwrites, progress: out.progress };
        for (position, stamp) in self.write_files(&site, &jobs)? {
            stamps[position] = Some(stamp);
            written.written += 1;
            written.bytes += stamp.size;
        }
        for ((change, _), stamp) in window.iter().zip(stamps) {
            note(out, change, stamp, writer)?;
        }
        Ok(())
    }
}

/// Notes how a file looks now, if it holds what is staged for it.
fn note(
    out: &WriteOut<'_>,
    change: &Change,
    stamp: Option<Stamp>,
    writer: &mut StampsWriter<'_>,
) -> Result<(), Error> {
    if !(out.is_staged)(change) {
        return Ok(());
    }
    match (&change.new, stamp) {
        (Some(target), Some(stamp)) => {
            writer.put(&change.path, Record { stamp, id: target.id() })?;
        }
        (Some(_), None) => {}
        (None, _) => writer.remove(&change.path)?,
    }
    Ok(())
}

fn is_executable(target: Option<&Target>) -> bool {
    matches!(target, Some(Target::File { executable: true, .. }))
}

/// Words for what would be lost.
fn conflict_error(conflict: &Conflict) -> Error {
    Error::Conflict(worded(conflict))
}

fn worded(conflict: &Conflict) -> String {
    let Conflict { path, kind } = conflict;
    match std::error::Error::source(kind) {
        Some(source) => format!("{path} {kind}: {source}"),
        None => format!("{path} {kind}"),
    }
}

/// What `checkout` and its like can do all the same.
pub(super) const LOSE_BY_FORCE: &str = "lose it with --force";

/// Words for several things that would be lost.
fn conflicts_error(conflicts: &[Conflict]) -> Error {
    let lines: Vec<String> = conflicts.iter().map(worded).collect();
    let lines = lines.join("; ");
    Error::Conflict(format!("nothing was changed: {lines}; commit that first, or {LOSE_BY_FORCE}"))
}

#[cfg(test)]
#[path = "write_out_tests.rs"]
mod tests;
