//! What a trace has seen, sorted: which files are inputs and outputs of the run, and which are not.
//!
//! An input is recorded only if what was read is known: what was staged when the run began, or
//! what still lies there unchanged.

use std::collections::{BTreeSet, HashMap};

use super::begin::tree_paths;
use super::lookup::find_all;
use super::text;
use crate::capture::trace::{Look, LookKind, Opened, OpenedFile};
use crate::object::tree::Target;
use crate::object::{LeftOut, ObjectId, Timestamp, Trace, TraceFile, TraceFiles, TreePath};
use crate::repo::Error;
use crate::store::Reader;
use crate::worktree::run_folder::RunState;

const MILLISECOND_NS: i64 = 1_000_000;

/// What a run was seen to open.
#[derive(Debug, Default)]
pub(super) struct Observed {
    /// Inputs that were not declared, whose content is what was staged when the run began.
    pub staged: BTreeSet<TreePath>,
    /// Inputs that were not declared, whose content is what lies there in the end.
    pub late: BTreeSet<TreePath>,
    /// Outputs that were not declared.
    pub outputs: BTreeSet<TreePath>,
    /// Inputs that were declared and not read.
    pub unread: Vec<TreePath>,
    /// Outputs that were declared and not written, though they are there.
    pub unwritten: Vec<TreePath>,
    /// All files.
    pub list: TraceFiles,
    /// What was counted; the files are no longer in it.
    pub opened: Opened,
}

impl Observed {
    /// Sorts what was seen.
    ///
    /// Units: `moment` is when the command was about to start, in nanoseconds by the clock of the
    /// worktree's file system.
    pub(super) fn sort(
        reader: &mut Reader<'_>,
        state: &RunState,
        mut opened: Opened,
        moment: i64,
    ) -> Result<Self, Error> {
        let files = std::mem::take(&mut opened.files);
        let mut observed = Self { opened, ..Self::default() };
        let declared = Declared::of(state)?;
        let (mut is_read, mut is_written) = (BTreeSet::new(), BTreeSet::new());
        let staged = staged(reader, state, &files)?;
        let before = Before { staged, moment };
        for file in files {
            if is_passing(&file) {
                continue;
            }
            let mut told = told_of(&file);
            if file.is_inside {
                let path = TreePath::new(file.path.as_slice()).ok();
                told.left_out = match path {
                    None => Some(LeftOut::Unrecordable),
                    Some(path) => {
                        is_read.extend(declared.inputs_of(&file, &path));
                        is_written.extend(declared.outputs_of(&file, &path));
                        observed.take(&declared, &file, &path, &before)
                    }
                };
            }
            observed.list.files.push(told);
        }
        let not_in = |all: &[TreePath], seen: &BTreeSet<TreePath>| {
            all.iter().filter(|path| !seen.contains(*path)).cloned().collect()
        };
        observed.unread = not_in(&declared.inputs, &is_read);
        observed.unwritten = not_in(&declared.outputs, &is_written);
        Ok(observed)
    }

    /// Gives what is to be taken in: what was written, and inputs that were not staged.
    pub(super) fn to_take_in(&self) -> Vec<TreePath> {
        self.outputs.union(&self.late).cloned().collect()
    }

    /// Leaves a file out that could not be taken in.
    pub(super) fn leave_out(&mut self, path: &TreePath, why: LeftOut) {
        self.late.remove(path);
        self.outputs.remove(path);
        let files = &mut self.list.files;
        let found = files.binary_search_by(|file| file.path.as_slice().cmp(path.as_bytes()));
        if let Some(file) = found.ok().and_then(|at| files.get_mut(at)) {
            file.left_out = Some(why);
        }
    }

    /// Gives the list to be attached, and what the record says of it.
    ///
    /// Errors: a count that no number of JSON holds.
    pub(super) fn record(&self) -> Result<(Vec<u8>, Trace), Error> {
        let bytes = self.list.encode();
        let bytes = bytes.map_err(|error| Error::Internal(error.to_string()))?;
        let trace = Trace {
            files: ObjectId::of(&bytes),
            read: self.count(|file| !is_outside(file) && file.is_read),
            written: self.count(|file| !is_outside(file) && file.is_written),
            outside: self.count(is_outside),
            calls: self.opened.calls,
            cost_ms: u64::try_from(self.opened.cost.as_millis()).unwrap_or(0),
            missed: self.opened.missed.min((1 << 53) - 1),
        };
        Ok((bytes, trace))
    }

    pub(super) fn count(&self, is_meant: impl Fn(&TraceFile) -> bool) -> u64 {
        self.list.files.iter().filter(|file| is_meant(file)).count() as u64
    }

    /// Takes a file of the worktree as an input or an output, or tells why it is neither.
    fn take(
        &mut self,
        declared: &Declared,
        file: &OpenedFile,
        path: &TreePath,
        before: &Before,
    ) -> Option<LeftOut> {
        let is_declared_input = declared.reads(path);
        let is_declared_output = declared.writes(path);
        let is_output = is_changed(file) && file.now.is_some();
        if file.is_package {
            return Some(LeftOut::Package);
        }
        // Names that are no text stand in the tree, and in no record.
        let is_text = std::str::from_utf8(path.as_bytes()).is_ok();
        if is_output && !is_declared_output {
            self.outputs.insert(path.clone());
        }
        let is_gone = is_changed(file) && file.now.is_none();
        let mut left_out = is_gone.then_some(LeftOut::Gone);
        if let Some(read) = file.read.filter(|_| !file.is_own && !is_declared_input) {
            if before.was_staged(path, &read) {
                self.staged.insert(path.clone());
            } else if file.now == Some(read) {
                self.late.insert(path.clone());
            } else if file.now.is_none() {
                left_out = Some(LeftOut::Gone);
            } else {
                left_out = Some(LeftOut::Changed);
            }
        }
        if is_text { left_out } else { Some(LeftOut::Unrecordable) }
    }
}

/// What was staged when the run began, of what it read, and when that was.
struct Before {
    staged: HashMap<TreePath, Target>,
    moment: i64,
}

impl Before {
    /// Tells whether a file was, when it was read, what had been staged for it.
    fn was_staged(&self, path: &TreePath, read: &Look) -> bool {
        let is_like = |staged: &Target| match staged {
            Target::File { size, .. } => read.kind == LookKind::File && *size == read.bytes,
            _ => false,
        };
        self.staged.get(path).is_some_and(is_like) && read.ctime_ns <= self.moment
    }
}

/// Finds what was staged of the files that were read.
fn staged(
    reader: &mut Reader<'_>,
    state: &RunState,
    files: &[OpenedFile],
) -> Result<HashMap<TreePath, Target>, Error> {
    let is_meant = |file: &&OpenedFile| {
        file.is_inside && file.read.is_some() && !file.is_own && !file.is_package
    };
    let paths = files.iter().filter(is_meant);
    let mut paths: Vec<TreePath> =
        paths.filter_map(|file| TreePath::new(file.path.as_slice()).ok()).collect();
    paths.sort();
    find_all(reader, &state.tree, &paths)
}

/// What was declared, and so is not to be found out.
struct Declared {
    inputs: Vec<TreePath>,
    outputs: Vec<TreePath>,
    params: Vec<TreePath>,
    metrics: Vec<TreePath>,
}

impl Declared {
    fn of(state: &RunState) -> Result<Self, Error> {
        Ok(Self {
            inputs: tree_paths(&state.inputs)?,
            outputs: tree_paths(&state.outputs)?,
            params: tree_paths(&state.params_files)?,
            metrics: tree_paths(&state.metrics_files)?,
        })
    }

    fn reads(&self, path: &TreePath) -> bool {
        self.inputs.iter().chain(&self.params).any(|declared| path.starts_with(declared))
    }

    fn writes(&self, path: &TreePath) -> bool {
        self.outputs.iter().chain(&self.metrics).any(|declared| path.starts_with(declared))
    }

    /// Gives the declared inputs of which a file that was read is a part.
    fn inputs_of(&self, file: &OpenedFile, path: &TreePath) -> Vec<TreePath> {
        let of = |declared: &&TreePath| file.read.is_some() && path.starts_with(declared);
        self.inputs.iter().filter(of).cloned().collect()
    }

    /// Gives the declared outputs of which a file that was written is a part, or which lie in a
    /// directory that was moved there.
    fn outputs_of(&self, file: &OpenedFile, path: &TreePath) -> Vec<TreePath> {
        let of = |declared: &&TreePath| {
            is_changed(file) && (path.starts_with(declared) || declared.starts_with(path))
        };
        self.outputs.iter().filter(of).cloned().collect()
    }
}

/// Tells whether a file was written, and is not as it was before.
pub(super) fn is_changed(file: &OpenedFile) -> bool {
    file.is_written && file.now != file.before
}

/// Tells whether a file was made and is gone again, or was opened to be written and is as it was.
fn is_passing(file: &OpenedFile) -> bool {
    let was_made = file.is_written && file.before.is_none() && file.now.is_none();
    let is_only_read_by_itself = file.read.is_none() || file.is_own;
    is_only_read_by_itself && (was_made || !is_changed(file))
}

fn told_of(file: &OpenedFile) -> TraceFile {
    let look: Option<Look> = file.read.or(file.now);
    let is_link = look.is_some_and(|look| look.kind != LookKind::File);
    let look = look.filter(|_| !is_link);
    TraceFile {
        path: file.path.clone(),
        is_read: file.read.is_some() && !file.is_own,
        is_written: is_changed(file),
        bytes: look.map(|look| look.bytes),
        modified: look.map(|look| Timestamp(look.mtime_ns.div_euclid(MILLISECOND_NS))),
        left_out: None,
    }
}

fn is_outside(file: &TraceFile) -> bool {
    file.path.first() == Some(&b'/')
}

/// Words what is worth a word.
///
/// Shape: `missing` are outputs that were declared and are not there, which is said already.
pub(super) fn notes(observed: &Observed, trace: &Trace, missing: &[String]) -> Vec<String> {
    let mut notes = Vec::new();
    let mut name = |what: &str, paths: Vec<String>| {
        if !paths.is_empty() {
            notes.push(format!("{what}: {}", some_of(&paths)));
        }
    };
    let paths = |paths: &mut dyn Iterator<Item = &TreePath>| paths.map(text).collect();
    name("read, not declared", paths(&mut observed.staged.union(&observed.late)));
    name("written, not declared", paths(&mut observed.outputs.iter()));
    name("declared and never read", paths(&mut observed.unread.iter()));
    let unwritten = observed.unwritten.iter().filter(|path| !missing.contains(&text(path)));
    name("declared and never written", unwritten.map(text).collect());
    for (why, insists_on_read, what) in [
        (LeftOut::Ignored, false, "opened, but ignored by a rule and not recorded"),
        (LeftOut::Changed, true, "read and changed afterwards, so that what was read is not known"),
        (LeftOut::Gone, true, "read and gone afterwards, so that what was read is not known"),
        (LeftOut::Unrecordable, false, "opened, and cannot stand in a record"),
    ] {
        let is_meant =
            |file: &&TraceFile| file.left_out == Some(why) && (file.is_read || !insists_on_read);
        let meant = observed.list.files.iter().filter(is_meant);
        name(what, meant.map(|file| String::from_utf8_lossy(&file.path).into_owned()).collect());
    }
    if trace.outside > 0 {
        let written = observed.count(|file| is_outside(file) && file.is_written);
        let (outside, id) = (trace.outside, trace.files.short());
        notes.push(format!(
            "{outside} files outside of the worktree were opened, {written} of them written: `cat \
             {id}` lists them"
        ));
    }
    let Opened { missed, elsewhere, rings, is_cut_off, calls, cost, .. } = &observed.opened;
    for (count, what) in [
        (*missed, "calls that were not followed, so that what they opened is not known"),
        (*elsewhere, "files opened through other mounts, told as they are named there"),
        (*rings, "io_uring was refused, since what is opened through it cannot be seen; times"),
    ] {
        if count > 0 {
            notes.push(format!("{what}: {count}"));
        }
    }
    if *is_cut_off {
        let text = "something that the command started goes on: what it opens now is not seen";
        notes.push(text.to_owned());
    }
    notes.push(format!("trace: {calls} calls seen, which cost {:.3} s", cost.as_secs_f64()));
    notes
}

/// Names the first of some paths, and how many more there are.
fn some_of(paths: &[String]) -> String {
    const NAMED: usize = 5;
    let named = paths.get(..NAMED.min(paths.len())).unwrap_or_default().join(", ");
    match paths.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
