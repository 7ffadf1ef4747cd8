//! What a record says about its data beside ids: profiles of tables, and what splits share.

use super::artifacts::Found;
use super::diff::FileSide;
use super::diff::read::{Files, Refusal};
use super::splits::{OverlapReport, overlaps};
use super::table::parquet::is_overcome;
use super::table::profile::Profiler;
use super::table::{TableFault, can_be, probe};
use super::{Error, Repository};
use crate::object::tree::{self, Target};
use crate::object::{Artifact, ArtifactKind, Commit, ObjectId, Profile, TreePath};
use crate::progress::Progress;
use crate::store::{Reader, Transaction};
use crate::worktree::settings::{Declaration, Settings};

/// Most tables of one artifact that are counted.
const TABLES_MAX: usize = 10_000;

/// What is to be kept with the record.
#[derive(Debug, Default)]
pub(super) struct Described {
    /// What the splits share, if there are two.
    pub overlaps: Option<OverlapReport>,
    /// The id of that.
    pub overlaps_id: Option<ObjectId>,
    attachments: Vec<Vec<u8>>,
}

impl Described {
    /// Stores what the record names.
    pub fn put(&self, transaction: &Transaction<'_>) -> Result<(), Error> {
        for bytes in &self.attachments {
            transaction.put_attachment(bytes)?;
        }
        Ok(())
    }
}

/// Describes the data of a tree; profiles are named by the artifacts from then on.
///
/// Shape: artifacts that are declared as `dataset`, or with a `split` or a `label`, are counted.
/// Errors: those of the store. Cost: reads what is another than in the commit `before`.
pub(super) fn describe(
    repository: &Repository,
    root: &ObjectId,
    found: &mut Found,
    before: Option<ObjectId>,
    progress: &Progress,
) -> Result<Described, Error> {
    let mut described = Described::default();
    let mut reader = repository.store.reader();
    let mut files = Files::new(repository, progress);
    let before_commit = match before {
        Some(id) => Some(reader.commit(&id)?),
        None => None,
    };
    let Found { artifacts, settings, .. } = found;
    for artifact in artifacts.iter_mut() {
        let Some(declared) = declaration_of(settings, artifact) else { continue };
        let label = declared.label.as_deref();
        let known = known(&mut reader, before_commit.as_ref(), artifact, label)?;
        artifact.profile = match known {
            Some(id) => Some(id),
            None => match profile(&mut reader, &mut files, root, artifact, label)? {
                Some(profile) => {
                    let bytes = profile.encode()?;
                    let id = ObjectId::of(&bytes);
                    described.attachments.push(bytes);
                    Some(id)
                }
                None => None,
            },
        };
    }
    let of = (root, found.artifacts.as_slice(), &found.settings);
    if let Some(report) = overlaps(repository, of, before, progress)? {
        let bytes = report.overlaps.encode()?;
        described.overlaps_id = Some(ObjectId::of(&bytes));
        described.attachments.push(bytes);
        described.overlaps = Some(report);
    }
    Ok(described)
}

/// Finds the declaration that asks for a profile of an artifact.
fn declaration_of<'s>(settings: &'s Settings, artifact: &Artifact) -> Option<&'s Declaration> {
    let path = TreePath::new(artifact.path.as_str()).ok()?;
    let mut named = settings.artifacts.iter().filter(|declared| declared.name == artifact.name);
    named.find(|declared| {
        let is_data = declared.kind == Some(ArtifactKind::Dataset)
            || declared.split.is_some()
            || declared.label.is_some();
        is_data && declared.patterns.iter().any(|pattern| pattern.matches(&path))
    })
}

/// Finds the profile of the same content and label in the commit before.
fn known(
    reader: &mut Reader<'_>,
    before: Option<&Commit>,
    artifact: &Artifact,
    label: Option<&str>,
) -> Result<Option<ObjectId>, Error> {
    let Some(before) = before else { return Ok(None) };
    let same = before.artifacts.iter().filter(|old| old.content.id == artifact.content.id);
    for id in same.filter_map(|old| old.profile) {
        let profile = Profile::decode(&reader.attachment(&id)?)?;
        let is_of_label = profile.label.as_ref().map(|label| label.column.as_str()) == label;
        if is_of_label && !profile.notes.iter().any(|note| is_overcome(note)) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Counts the tables of an artifact; `None` if it has none.
fn profile(
    reader: &mut Reader<'_>,
    files: &mut Files<'_>,
    root: &ObjectId,
    artifact: &Artifact,
    label: Option<&str>,
) -> Result<Option<Profile>, Error> {
    let path = TreePath::new(artifact.path.as_str());
    let path = path.map_err(|error| Error::Internal(error.to_string()))?;
    let mut tables = Vec::new();
    let mut take = |path: &TreePath, target: &Target| {
        if matches!(target, Target::File { .. }) && can_be(path) {
            tables.push((path.clone(), FileSide::stored(target)));
        }
        tables.len() < TABLES_MAX
    };
    match tree::find(root, &path, |id| reader.node(id))? {
        Some(Target::Directory { .. }) => {
            for entry in tree::walk(root, Some(&path), |id| reader.node(id))? {
                let entry = entry?;
                if !take(&entry.path, &entry.target) {
                    break;
                }
            }
        }
        Some(target) => drop(take(&path, &target)),
        None => {}
    }
    if tables.is_empty() {
        return Ok(None);
    }
    let mut profiler = Profiler::new(label);
    if tables.len() == TABLES_MAX {
        profiler.note(format!("only the first {TABLES_MAX} tables are counted"));
    }
    for (path, side) in &tables {
        let name = String::from_utf8_lossy(path.as_bytes());
        let shape = match probe(files, (path, side)).map_err(error_of)? {
            Ok(shape) => shape,
            Err(why) => {
                profiler.note(format!("{name}: no table: {why}"));
                continue;
            }
        };
        match profiler.add(files, (path, side), shape) {
            Ok(()) => {}
            Err(TableFault::Refused(refusal)) => return Err(error_of(refusal)),
            Err(TableFault::Broken(broken)) => {
                profiler.note(format!("{name}: {broken}; not counted from there"));
            }
        }
    }
    Ok(Some(profiler.finish()))
}

/// Gives the error of what was read from the store.
pub(super) fn error_of(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Store(error) => error,
        Refusal::Unreadable(error) => Error::Internal(error.to_string()),
    }
}

/// Half of an id tells contents apart well enough.
pub(super) fn half_of(id: &ObjectId) -> [u64; 2] {
    let hex = id.to_string();
    let part = |at: usize| {
        hex.get(at..at + 16).and_then(|part| u64::from_str_radix(part, 16).ok()).unwrap_or(0)
    };
    [part(0), part(16)]
}

/// Gives a path as a line of a record.
pub(super) fn line_of(path: &TreePath) -> String {
    let text = String::from_utf8_lossy(path.as_bytes());
    text.replace(|c: char| c.is_control(), "\u{fffd}")
}
