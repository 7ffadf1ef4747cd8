//! The artifacts of a tree: what `provenance.toml` declares, then what is left at the top.
//!
//! Specified in `docs/settings.md`.

use std::collections::{BTreeMap, BTreeSet};

use super::Error;
use crate::object::tree::{self, Target, Walked};
use crate::object::{Artifact, ArtifactKind, Content, ObjectId, TreePath};
use crate::store::Reader;
use crate::worktree::detect;
use crate::worktree::settings::{self, Declaration, Pattern, Settings, SettingsError};

/// Most paths that one declaration may match.
const MATCHES_MAX: usize = 256;
/// Most paths that all declarations may match, so that a record stays small.
const DECLARED_MAX: usize = 1024;
/// Most artifacts that are recorded without being declared.
const UNDECLARED_MAX: usize = 64;
/// Most entries at the top that are looked at for those.
const TOP_MAX: usize = 1024;
/// Most entries of a directory that are looked at to guess its kind.
const CHILDREN_MAX: usize = 256;

/// The artifacts of a tree.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Strictly ascending by path, then name, as a commit wants them.
    pub(super) artifacts: Vec<Artifact>,
    /// Names of the declarations that match nothing.
    pub(super) unmatched: Vec<String>,
    /// What `provenance.toml` says.
    pub(super) settings: Settings,
}

/// Finds the artifacts of a tree by the `provenance.toml` that is recorded in it.
///
/// Shape: `before` is the commit before it: a directory that it has too is of its kind there.
/// Errors: a `provenance.toml` that is malformed, or matches too much; what cannot be read.
/// Cost: reads the directories that can hold a match, and the first entries of those at the top
/// that are others than before.
pub(super) fn artifacts_of(
    reader: &mut Reader<'_>,
    root: &ObjectId,
    before: Option<&ObjectId>,
) -> Result<Found, Error> {
    let settings = load_settings(reader, root)?;
    let known = before.map_or_else(|| Ok(Vec::new()), |before| known(reader, root, before))?;
    let mut tree = Tree { reader, root, known };
    let mut found = Found::default();
    let mut declared = BTreeSet::new();
    for declaration in &settings.artifacts {
        let matches = tree.matches(declaration)?;
        if matches.is_empty() {
            found.unmatched.push(declaration.name.clone());
        }
        for (path, target) in matches {
            let path = TreePath::new(path).map_err(|error| Error::Internal(error.to_string()))?;
            let guess = || tree.kind(&declaration.name, &path, &target);
            let kind = declaration.kind.map_or_else(guess, Ok)?;
            let Some(mut artifact) = artifact_at(&path, &target, kind) else { continue };
            artifact.name.clone_from(&declaration.name);
            artifact.split.clone_from(&declaration.split);
            artifact.base.clone_from(&declaration.base);
            found.artifacts.push(artifact);
            declared.insert(path);
        }
        if found.artifacts.len() > DECLARED_MAX {
            return Err(too_many("the artifacts match", DECLARED_MAX));
        }
    }
    found.artifacts.extend(tree.undeclared(&declared)?);
    found.settings = settings;
    found.artifacts.sort_by(|a, b| (&a.path, &a.name).cmp(&(&b.path, &b.name)));
    Ok(found)
}

/// Describes what stands at a path of a tree, whose kind is guessed; `None` if nothing does.
pub(super) fn content_at(
    reader: &mut Reader<'_>,
    root: &ObjectId,
    path: &TreePath,
) -> Result<Option<Content>, Error> {
    let Some(target) = tree::find(root, path, |id| reader.node(id))? else { return Ok(None) };
    let kind = Tree { reader, root, known: Vec::new() }.guess(path, &target)?;
    Ok(artifact_at(path, &target, kind).map(|artifact| artifact.content))
}

/// Reads the settings that are recorded in a tree; nothing is declared where there are none.
pub(super) fn load_settings(reader: &mut Reader<'_>, root: &ObjectId) -> Result<Settings, Error> {
    let refuse = |reason: &str| SettingsError { line: 1, reason: reason.to_owned() };
    let (id, size) = match settings_entry(reader, root)? {
        None => return Ok(Settings::default()),
        Some(Target::File { id, size, .. }) => (id, size),
        Some(_) => return Err(refuse("it must be a file").into()),
    };
    if size > settings::BYTES_MAX {
        let reason = format!("the file has more than {} bytes", settings::BYTES_MAX);
        return Err(refuse(&reason).into());
    }
    let mut bytes = Vec::new();
    reader.stream(&id, |piece| {
        bytes.extend_from_slice(piece);
        Ok::<(), Error>(())
    })?;
    Ok(settings::parse(&bytes)?)
}

fn settings_entry(reader: &mut Reader<'_>, root: &ObjectId) -> Result<Option<Target>, Error> {
    let path = TreePath::new(settings::FILE).map_err(|error| Error::Internal(error.to_string()))?;
    tree::find(root, &path, |id| reader.node(id).map_err(Error::from))
}

/// Lists the artifacts of the commit before; none where other settings declared them.
fn known(
    reader: &mut Reader<'_>,
    root: &ObjectId,
    before: &ObjectId,
) -> Result<Vec<Artifact>, Error> {
    let commit = reader.commit(before)?;
    let is_declared_alike = settings_entry(reader, root)? == settings_entry(reader, &commit.tree)?;
    Ok(if is_declared_alike { commit.artifacts } else { Vec::new() })
}

/// A tree that is looked through.
struct Tree<'r, 's> {
    reader: &'r mut Reader<'s>,
    root: &'r ObjectId,
    /// Artifacts of the commit before, ascending by path, then name.
    known: Vec<Artifact>,
}

impl Tree<'_, '_> {
    /// Finds what a declaration matches, in the order of the bytes of the paths.
    fn matches(&mut self, of: &Declaration) -> Result<BTreeMap<Vec<u8>, Target>, Error> {
        let mut matches = BTreeMap::new();
        for pattern in &of.patterns {
            self.matches_of(pattern, &of.name, &mut matches)?;
        }
        Ok(matches)
    }

    fn matches_of(
        &mut self,
        pattern: &Pattern,
        name: &str,
        matches: &mut BTreeMap<Vec<u8>, Target>,
    ) -> Result<(), Error> {
        let Self { reader, root, .. } = self;
        let base = pattern.base();
        if let Some(path) = base.as_ref().filter(|_| pattern.is_literal()) {
            let target = tree::find(root, path, |id| reader.node(id))?;
            matches.extend(target.map(|target| (path.as_bytes().to_vec(), target)));
            return Ok(());
        }
        let mut walk = tree::walk(root, base.as_ref(), |id| reader.node(id))?;
        while let Some(entry) = walk.next() {
            let Walked { path, target } = entry?;
            let is_match = pattern.matches(&path);
            if is_match || !pattern.may_match_below(&path) {
                walk.skip_directory();
            }
            if is_match {
                matches.insert(path.as_bytes().to_vec(), target);
            }
            if matches.len() > MATCHES_MAX {
                return Err(too_many(&format!("artifact {name:?} matches"), MATCHES_MAX));
            }
        }
        Ok(())
    }

    /// Describes what lies at the top and is not declared.
    fn undeclared(&mut self, declared: &BTreeSet<TreePath>) -> Result<Vec<Artifact>, Error> {
        let mut found = Vec::new();
        for Walked { path, target } in self.entries(None, TOP_MAX)? {
            // Its path is its name too, and a name in a commit is one line.
            let is_line = !path.as_bytes().iter().any(u8::is_ascii_control);
            if declared.contains(&path) || !is_line {
                continue;
            }
            let name = String::from_utf8_lossy(path.as_bytes());
            let kind = self.kind(&name, &path, &target)?;
            found.extend(artifact_at(&path, &target, kind));
        }
        // What is of a known kind comes first; the order is that of the tree otherwise.
        found.sort_by_key(|artifact| artifact.content.kind == ArtifactKind::Other);
        found.truncate(UNDECLARED_MAX);
        Ok(found)
    }

    /// Tells what an entry under a name is: a directory what it was before, or else a guess.
    ///
    /// Shape: what is no directory costs nothing to guess, and a link may have the id of a file.
    fn kind(
        &mut self,
        name: &str,
        path: &TreePath,
        target: &Target,
    ) -> Result<ArtifactKind, Error> {
        let Target::Directory { id, files, bytes } = *target else {
            return self.guess(path, target);
        };
        let sought = (path.as_bytes(), name);
        let place = |known: &Artifact| (known.path.as_bytes(), known.name.as_str()).cmp(&sought);
        let found = self.known.binary_search_by(place).ok().and_then(|at| self.known.get(at));
        let found = found.map(|known| &known.content);
        match found.filter(|known| (known.id, known.files, known.bytes) == (id, files, bytes)) {
            Some(known) => Ok(known.kind),
            None => self.guess(path, target),
        }
    }

    /// Guesses what an entry is.
    fn guess(&mut self, path: &TreePath, target: &Target) -> Result<ArtifactKind, Error> {
        match target {
            Target::File { .. } => Ok(detect::file_kind(path.last_name())),
            Target::Symlink { .. } | Target::Commit { .. } => Ok(ArtifactKind::Other),
            Target::Directory { .. } => {
                let children = self.entries(Some(path), CHILDREN_MAX)?;
                let files = children.iter().filter(|child| !child.target.is_directory());
                let names = files.map(|file| file.path.last_name());
                Ok(detect::directory_kind(path.last_name(), names))
            }
        }
    }

    /// Lists the first entries that are immediately in a directory.
    fn entries(&mut self, of: Option<&TreePath>, most: usize) -> Result<Vec<Walked>, Error> {
        let Self { reader, root, .. } = self;
        let mut walk = tree::walk(root, of, |id| reader.node(id))?;
        let mut entries = Vec::new();
        while entries.len() < most
            && let Some(entry) = walk.next()
        {
            walk.skip_directory();
            entries.push(entry?);
        }
        Ok(entries)
    }
}

fn too_many(who: &str, most: usize) -> Error {
    let file = settings::FILE;
    Error::Usage(format!("{file}: {who} more than {most} paths: name directories instead"))
}

/// Describes an entry under its path; a path that is not UTF-8 cannot stand in a commit.
fn artifact_at(path: &TreePath, target: &Target, kind: ArtifactKind) -> Option<Artifact> {
    let path = std::str::from_utf8(path.as_bytes()).ok()?;
    let (files, bytes) = match *target {
        Target::File { size, .. } | Target::Symlink { size, .. } => (1, size),
        Target::Directory { files, bytes, .. } => (files, bytes),
        Target::Commit { .. } => return None,
    };
    Some(Artifact {
        name: path.to_owned(),
        path: path.to_owned(),
        content: Content { kind, id: target.id(), files, bytes },
        split: None,
        base: None,
        profile: None,
    })
}
