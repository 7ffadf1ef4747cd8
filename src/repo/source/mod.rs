//! Sources: what lies outside of the repository, and some of its files come from.
//!
//! `check` asks them and records what it found, `stale` tells what is older than that, `list` shows
//! both. What is recorded is in `docs/format/source.md`, what it means in `docs/sources.md`.

mod check;
mod contents;
mod forget;
mod list;
mod stale;

pub use check::{
    SourceCheckReport, SourceCheckRequest, SourceChecked, SourceOutcome, source_check,
};
pub(super) use contents::contents;
pub use forget::{SourceForgetRequest, source_forget};
pub use list::{SourceRow, SourceState, source_list};
pub use stale::StaleSource;
pub(super) use stale::{Staleness, stale_in};

use super::ref_name::RefKind;
use super::{Error, Repository};
use crate::object::tree::{self, Target};
use crate::object::{DecodeError, ObjectId, SOURCE_BYTES_MAX, SourceCheck, TreePath};
use crate::store::Reader;
use crate::worktree::settings::{self, SourceDeclaration};

/// Where the tree of a check says what it found.
const CHECK: &str = "check.json";
/// Where it says which content belongs to which fingerprint.
const VERSIONS: &str = "versions";

/// The newest check of a source.
#[derive(Debug, Clone)]
pub(super) struct Recorded {
    /// The commit of the check.
    pub commit: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
    /// What it found.
    pub check: SourceCheck,
}

/// Whether content is as new as its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It was recorded while the source had the fingerprint that it has now.
    Current,
    /// It was recorded before.
    Outdated,
    /// No check has seen it.
    Unseen,
}

/// Reads the newest check of every source that was ever checked, by name.
///
/// Cost: a few small reads for each.
pub(super) fn recorded(repository: &Repository) -> Result<Vec<Recorded>, Error> {
    let mut reader = repository.store.reader();
    let refs = repository.refs()?.list(&mut reader, Some(RefKind::Source.folder()))?;
    refs.into_values().map(|id| Recorded::load(&mut reader, id)).collect()
}

/// Reads what the worktree's `provenance.toml` declares.
fn declared(repository: &Repository) -> Result<Vec<SourceDeclaration>, Error> {
    let root = &repository.location.root;
    let bytes = settings::load(root)
        .map_err(|error| Error::io("read the file", root.join(settings::FILE), error))?;
    Ok(settings::parse(&bytes)?.sources)
}

impl Recorded {
    fn load(reader: &mut Reader<'_>, commit: ObjectId) -> Result<Self, Error> {
        let tree = reader.commit(&commit)?.tree;
        let refuse = |reason: &str| DecodeError::new("check of a source", 0, reason.to_owned());
        let bytes = small_file(reader, &tree, CHECK, SOURCE_BYTES_MAX as u64)?;
        let bytes = bytes.ok_or_else(|| refuse("it has no check.json"))?;
        Ok(Self { commit, tree, check: SourceCheck::decode(&bytes)? })
    }

    /// Gives the fingerprint that the source had when some content was recorded, if a check saw it.
    fn version(
        &self,
        reader: &mut Reader<'_>,
        content: &ObjectId,
    ) -> Result<Option<ObjectId>, Error> {
        let path = format!("{VERSIONS}/{content}");
        let Some(bytes) = small_file(reader, &self.tree, &path, 71)? else { return Ok(None) };
        let id =
            std::str::from_utf8(&bytes).ok().and_then(|text| ObjectId::parse_record(text).ok());
        let refuse = || DecodeError::new("version of a source", 0, "it is not an id");
        Ok(Some(id.ok_or_else(refuse)?))
    }

    fn standing(&self, reader: &mut Reader<'_>, content: &ObjectId) -> Result<Standing, Error> {
        let Some(found) = &self.check.found else { return Ok(Standing::Unseen) };
        // A file that was copied as it is says itself that it is the newest.
        if found.id == *content {
            return Ok(Standing::Current);
        }
        Ok(match self.version(reader, content)? {
            Some(version) if version == found.id => Standing::Current,
            Some(_) => Standing::Outdated,
            None => Standing::Unseen,
        })
    }

    /// Gives what comes from the source, as paths of a tree.
    fn paths(&self) -> impl Iterator<Item = TreePath> {
        // A path that no tree can hold matches nothing.
        self.check.paths.iter().filter_map(|path| TreePath::new(path.as_bytes()).ok())
    }

    /// Lists all content that a check saw.
    pub(super) fn seen(&self, reader: &mut Reader<'_>) -> Result<Vec<ObjectId>, Error> {
        let folder = TreePath::from(name(VERSIONS)?);
        let mut seen = Vec::new();
        for entry in tree::walk(&self.tree, Some(&folder), |id| reader.node(id))? {
            let entry = entry?;
            let name = std::str::from_utf8(entry.path.last_name()).ok();
            seen.extend(name.and_then(|name| ObjectId::parse(name).ok()));
        }
        Ok(seen)
    }
}

fn name(text: &str) -> Result<crate::object::Name, Error> {
    crate::object::Name::new(text.as_bytes()).map_err(|error| Error::Internal(error.to_string()))
}

/// Reads a file of a tree that is at most so long; nothing if there is none.
fn small_file(
    reader: &mut Reader<'_>,
    tree: &ObjectId,
    path: &str,
    bytes_max: u64,
) -> Result<Option<Vec<u8>>, Error> {
    let path = TreePath::new(path).map_err(|error| Error::Internal(error.to_string()))?;
    if *tree == tree::EMPTY_TREE {
        return Ok(None);
    }
    let (id, size) = match tree::find(tree, &path, |id| reader.node(id))? {
        None => return Ok(None),
        Some(Target::File { id, size, .. }) => (id, size),
        Some(_) => (tree::EMPTY_TREE, u64::MAX),
    };
    if size > bytes_max {
        let reason = format!("{path} is no file of at most {bytes_max} bytes");
        return Err(DecodeError::new("check of a source", 0, reason).into());
    }
    let mut bytes = Vec::new();
    reader.stream(&id, |piece| {
        bytes.extend_from_slice(piece);
        Ok::<(), Error>(())
    })?;
    Ok(Some(bytes))
}

/// Finds what stands at a path of a tree.
fn content_of(
    reader: &mut Reader<'_>,
    tree: &ObjectId,
    path: &TreePath,
) -> Result<Option<ObjectId>, Error> {
    if *tree == tree::EMPTY_TREE {
        return Ok(None);
    }
    Ok(tree::find(tree, path, |id| reader.node(id))?.map(|target| target.id()))
}
