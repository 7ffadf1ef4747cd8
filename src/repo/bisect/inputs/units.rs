//! What differs between the beginnings of two runs, cut into units that can be mixed.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use similar::{Algorithm, DiffTag, capture_diff_slices};

use super::pieces::{BYTES_MAX, Pieces};
use crate::object::tree::{self, Change as TreeChange, EMPTY_TREE, Target};
use crate::object::{Code, Commit, ObjectId, Run, TreePath};
use crate::repo::Error;
use crate::repo::reproduce::Before;
use crate::store::Reader;

/// How finely files are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Granularity {
    /// Not at all: an artifact with all its files is one.
    Artifact,
    /// Each file is one; settings are cut by their keys.
    #[default]
    File,
    /// As files first; those that are found are cut by rows then, texts by runs of lines.
    Row,
}

/// Something that differs, and can be taken from one run or the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// What it is: an argument, `code`, a path, a key of a file.
    pub name: String,
    /// The file that it is in, if it is in one.
    pub path: Option<TreePath>,
    /// What it is in the good run, in short; none if it is not there.
    pub old: Option<String>,
    /// What it is in the bad one.
    pub new: Option<String>,
    /// In how many places the file differs, if it is one of those; none if it is the whole.
    pub places: Option<usize>,
    pub(super) change: Change,
}

impl Unit {
    /// Tells whether it is the git checkout.
    pub fn is_code(&self) -> bool {
        self.change == Change::Code
    }
}

/// How to take a unit from the bad run.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    /// Words of the command replace others.
    Words { old: Range<usize>, new: Range<usize> },
    /// The git checkout is the other one.
    Code,
    /// Files are those of the bad run.
    Files(Vec<TreeChange>),
    /// A place in a file is that of the bad run.
    Piece { file: usize, piece: usize },
}

/// A file that is cut.
#[derive(Debug)]
pub(super) struct CutFile {
    pub path: TreePath,
    pub executable: bool,
    pub pieces: Pieces,
}

/// One side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side<'a> {
    pub commit: &'a Commit,
    pub run: &'a Run,
    pub before: &'a Before,
}

/// Lists what differs: arguments, code, then files in the order of paths.
pub(super) fn units(
    reader: &mut Reader<'_>,
    good: Side<'_>,
    bad: Side<'_>,
    granularity: Granularity,
    cut: &mut Vec<CutFile>,
) -> Result<Vec<Unit>, Error> {
    let mut units = arguments(&good.run.command, &bad.run.command);
    let (old, new) = (good.commit.code.as_ref(), bad.commit.code.as_ref());
    if is_other_code(reader, good, bad)? {
        let (old, new) = code_words(old, new);
        units.push(Unit {
            name: "git checkout".to_owned(),
            path: None,
            old,
            new,
            places: None,
            change: Change::Code,
        });
    }
    let mut artifacts: BTreeMap<TreePath, Vec<TreeChange>> = BTreeMap::new();
    for change in good.before.differing(bad.before, reader)? {
        if granularity == Granularity::Artifact {
            artifacts.entry(artifact_of(good, bad, &change.path)).or_default().push(change);
            continue;
        }
        match settings(reader, &change)? {
            Some(file) => {
                units.extend(pieces(cut.len(), &file));
                cut.push(file);
            }
            None => units.push(whole(change.path.clone(), vec![change])),
        }
    }
    units.extend(artifacts.into_iter().map(|(path, changes)| whole(path, changes)));
    Ok(units)
}

/// Says what both checkouts are: the commit, and whether there was more than that.
fn code_words(old: Option<&Code>, new: Option<&Code>) -> (Option<String>, Option<String>) {
    let changes = |code: Option<&Code>| code?.changes.filter(|tree| *tree != EMPTY_TREE);
    let words = |code: Option<&Code>| {
        let commit =
            code?.git_commit.as_deref().map_or("no commit", |id| id.get(..12).unwrap_or(id));
        Some(match changes(code) {
            Some(_) => format!("{commit} + changes"),
            None => commit.to_owned(),
        })
    };
    let (mut of_old, mut of_new) = (words(old), words(new));
    if of_old == of_new {
        for (words, code) in [(&mut of_old, old), (&mut of_new, new)] {
            if let (Some(words), Some(tree)) = (words, changes(code)) {
                words.push_str(&format!(" {}", tree.short()));
            }
        }
    }
    (of_old, of_new)
}

fn whole(path: TreePath, changes: Vec<TreeChange>) -> Unit {
    let text = |side: fn(&TreeChange) -> Option<Target>| {
        let targets: Vec<Target> = changes.iter().filter_map(side).collect();
        match targets.as_slice() {
            [] => None,
            [one] => Some(one.id().short()),
            many => Some(format!("{} files", many.len())),
        }
    };
    Unit {
        name: path.to_string(),
        old: text(|change| change.old),
        new: text(|change| change.new),
        path: Some(path),
        places: None,
        change: Change::Files(changes),
    }
}

/// Cuts the units that are whole files into rows or runs of lines, where they can be.
pub(super) fn finer(
    reader: &mut Reader<'_>,
    found: Vec<Unit>,
    cut: &mut Vec<CutFile>,
) -> Result<Vec<Unit>, Error> {
    let mut units = Vec::new();
    for unit in found {
        let change = match &unit.change {
            Change::Files(changes) if changes.len() == 1 => changes.first().cloned(),
            _ => None,
        };
        let file = match change {
            Some(change) => rows(reader, &change)?,
            None => None,
        };
        match file {
            Some(file) => {
                units.extend(pieces(cut.len(), &file));
                cut.push(file);
            }
            None => units.push(unit),
        }
    }
    Ok(units)
}

fn pieces(file: usize, cut: &CutFile) -> Vec<Unit> {
    let places = Some(cut.pieces.count());
    let unit = |piece| {
        let (place, old, new) = cut.pieces.words(piece);
        let name = place.map_or_else(|| cut.path.to_string(), |at| format!("{}: {at}", cut.path));
        let path = Some(cut.path.clone());
        Unit { name, path, old, new, places, change: Change::Piece { file, piece } }
    };
    (0..cut.pieces.count()).map(unit).collect()
}

fn settings(reader: &mut Reader<'_>, change: &TreeChange) -> Result<Option<CutFile>, Error> {
    let name = String::from_utf8_lossy(change.path.last_name()).to_ascii_lowercase();
    let is_settings =
        [".json", ".yaml", ".yml", ".toml"].iter().any(|ending| name.ends_with(ending));
    let cut = |old, new| Pieces::of_settings(Path::new(&name), old, new);
    if is_settings { apart(reader, change, cut) } else { Ok(None) }
}

fn rows(reader: &mut Reader<'_>, change: &TreeChange) -> Result<Option<CutFile>, Error> {
    let name = String::from_utf8_lossy(change.path.last_name()).to_ascii_lowercase();
    let is_table =
        [".csv", ".tsv", ".jsonl", ".ndjson", ".txt"].iter().any(|ending| name.ends_with(ending));
    apart(reader, change, |old, new| Pieces::of_lines(old, new, is_table))
}

/// Cuts a file of which both versions are small enough.
fn apart(
    reader: &mut Reader<'_>,
    change: &TreeChange,
    cut: impl FnOnce(Vec<u8>, Vec<u8>) -> Option<Pieces>,
) -> Result<Option<CutFile>, Error> {
    let (Some(Target::File { id: old, size: before, executable, .. }), Some(new)) =
        (change.old, change.new)
    else {
        return Ok(None);
    };
    let Target::File { id: new, size: after, executable: is_now, .. } = new else {
        return Ok(None);
    };
    if before.max(after) > BYTES_MAX || executable != is_now {
        return Ok(None);
    }
    let mut content = |id: &ObjectId| -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        reader.stream::<Error>(id, |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(bytes)
    };
    let pieces = cut(content(&old)?, content(&new)?);
    Ok(pieces.map(|pieces| CutFile { path: change.path.clone(), executable, pieces }))
}

/// Finds the words of a command that differ; an option is named by its flag.
fn arguments(old: &[String], new: &[String]) -> Vec<Unit> {
    let mut units = Vec::new();
    let text = |words: &[String]| Some(words.join(" ")).filter(|text| !text.is_empty());
    let mut add = |from: Range<usize>, to: Range<usize>| {
        let flag = from.start.checked_sub(1).and_then(|at| old.get(at));
        let flag = flag.filter(|word| word.starts_with('-') && !word.contains('='));
        let name = flag.filter(|_| from.len() == 1 && to.len() == 1);
        units.push(Unit {
            name: name.cloned().unwrap_or_else(|| "argument".to_owned()),
            path: None,
            places: None,
            old: text(old.get(from.clone()).unwrap_or_default()),
            new: text(new.get(to.clone()).unwrap_or_default()),
            change: Change::Words { old: from, new: to },
        });
    };
    for op in capture_diff_slices(Algorithm::Myers, old, new) {
        let (from, to) = (op.old_range(), op.new_range());
        match op.tag() {
            DiffTag::Equal => {}
            // Words that are each another are apart from one another.
            DiffTag::Replace if from.len() == to.len() => {
                from.zip(to).for_each(|(old, new)| add(old..old + 1, new..new + 1));
            }
            _ => add(from, to),
        }
    }
    units
}

/// Tells whether the checkouts of git differ in what counts: files that are recorded beside are
/// written over.
fn is_other_code(reader: &mut Reader<'_>, good: Side<'_>, bad: Side<'_>) -> Result<bool, Error> {
    let of = |side: Side<'_>| {
        let code = side.commit.code.as_ref();
        let commit = code.and_then(|code| code.git_commit.clone());
        (commit, code.and_then(|code| code.changes).unwrap_or(EMPTY_TREE))
    };
    let ((old_commit, old), (new_commit, new)) = (of(good), of(bad));
    if old_commit != new_commit {
        return Ok(true);
    }
    let mut paths = Vec::new();
    let load = |id: &ObjectId| reader.node(id).map_err(Error::from);
    tree::diff(Some(old), Some(new), None, load, |change| {
        paths.push(change.path);
        Ok::<_, Error>(())
    })?;
    for path in paths {
        let is_recorded = good.before.has(reader, &path)? && bad.before.has(reader, &path)?;
        let is_result = good.before.is_absent(&path) || bad.before.is_absent(&path);
        if !is_recorded && !is_result {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Finds what a file belongs to: the innermost input or artifact around it, else what lies at the
/// top.
fn artifact_of(good: Side<'_>, bad: Side<'_>, path: &TreePath) -> TreePath {
    let named = |side: Side<'_>| -> Vec<TreePath> {
        let inputs = side.run.inputs.iter().map(|input| input.path.as_str());
        let artifacts = side.commit.artifacts.iter().map(|artifact| artifact.path.as_str());
        inputs.chain(artifacts).filter_map(|path| TreePath::new(path).ok()).collect()
    };
    let around = named(good).into_iter().chain(named(bad)).filter(|at| path.starts_with(at));
    let innermost = around.max_by_key(|at| at.as_bytes().len());
    innermost.unwrap_or_else(|| {
        std::iter::successors(Some(path.clone()), TreePath::parent).last().unwrap_or(path.clone())
    })
}
