//! Files that described commits name by their paths, taken in from a directory.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::describe::{Described, kind_of};
use crate::object::canonical::{Object, Value};
use crate::object::tree::{self, Edit, Target};
use crate::object::{ObjectId, TreePath};
use crate::progress::Progress;
use crate::repo::Error;
use crate::store::{IngestFailure, IngestRequest, Look, StoreError, Transaction, ingest};
use crate::worktree::directory::Directory;
use crate::worktree::open;
use crate::worktree::stamps::{FileKind, Stamp};

/// What was found at paths; nothing where there is no file.
pub(super) type Found = BTreeMap<TreePath, Target>;

/// Takes files in.
///
/// Shape: one that is not there is not in the answer. Errors: one that is there and cannot be
/// read, or is no regular file.
pub(super) fn take(
    root: &Directory,
    paths: BTreeSet<TreePath>,
    transaction: &Transaction<'_>,
    progress: &Progress,
) -> Result<Found, Error> {
    let found = Mutex::new((Found::new(), None));
    let request = IngestRequest {
        open: &|path: &TreePath| open::open_file(root, path),
        look: &|file: &_| {
            let look = |stamp: Stamp| Look { bytes: stamp.size, stamp };
            Ok(open::look(file)?.map(look))
        },
        before: &|_: &TreePath| None,
        done: &|path, result| {
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            match result {
                Ok(ingested) => {
                    let executable = ingested.stamp.kind() == Some(FileKind::Executable);
                    let (id, size, sha256) = (ingested.id, ingested.bytes, ingested.sha256);
                    found.0.insert(path, Target::File { id, size, sha256, executable });
                }
                Err(IngestFailure::Io(error)) if is_absent(&error) => {}
                Err(failure) => drop(found.1.get_or_insert((path, failure))),
            }
        },
        progress,
    };
    let sized = paths.into_iter().map(|path| {
        let bytes = open::open_file(root, &path).and_then(|file| open::look(&file));
        let bytes = bytes.ok().flatten().map_or(0, |stamp| stamp.size);
        (path, bytes)
    });
    ingest(transaction, &request, sized)?;
    let (found, failed) = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    match failed {
        None => Ok(found),
        Some((path, IngestFailure::Io(error))) => {
            let path = PathBuf::from(OsStr::from_bytes(path.as_bytes()));
            Err(Error::io("read the file of the stream", path, error))
        }
        Some((path, failure)) => {
            Err(Error::Usage(format!("a file of the stream {failure}, path={path}")))
        }
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Puts the files of a described commit into its record.
///
/// Errors: inside, in words: a file that must be there and is not.
pub(super) fn fill(
    described: &mut Described,
    found: Option<&Found>,
    transaction: &Transaction<'_>,
) -> Result<Result<(), String>, Error> {
    let target = |path: &TreePath| found.and_then(|found| found.get(path)).copied();
    let is_looked_for = found.is_some();
    let run = described.record.find("run").and_then(|run| run.object().ok());
    let mut run = run.cloned();
    let mut here: BTreeMap<TreePath, Target> = BTreeMap::new();
    for (role, is_input) in [("inputs", true), ("outputs", false)] {
        let Some(run) = &mut run else { continue };
        let Some(Value::List(items)) = run.find(role) else { continue };
        let mut filled = Vec::with_capacity(items.len());
        for item in items {
            let Value::Object(item) = item else { continue };
            let text = |name| item.find(name).and_then(|path| path.text().ok());
            let path = text("path").unwrap_or_default();
            let place = TreePath::new(path).ok().filter(|_| item.find("id").is_none());
            let Some(place) = place else {
                filled.push(Value::from(item.clone()));
                continue;
            };
            let from = text("from").and_then(|from| TreePath::new(from).ok());
            match target(from.as_ref().unwrap_or(&place)) {
                Some(target) => {
                    filled.push(with_content(item, path, &target)?.into());
                    if here.insert(place, target).is_some_and(|other| other != target) {
                        return Ok(Err(format!("{role}: {path:?} is two files")));
                    }
                }
                None if is_input => return Ok(Err(absent(role, path, is_looked_for))),
                None => {
                    // It should have been written: nothing is known of it.
                    let mut missing = Object::new();
                    missing.set("path", path);
                    filled.push(missing.into());
                }
            }
        }
        run.set(role, Value::List(filled));
    }
    for path in &described.listed {
        match target(path) {
            Some(target) => drop(here.insert(path.clone(), target)),
            None => return Ok(Err(absent("files", &path.to_string(), is_looked_for))),
        }
    }
    described.record.set_some("run", run);
    let mut artifacts = Vec::with_capacity(here.len());
    for (path, target) in &here {
        let path = String::from_utf8_lossy(path.as_bytes());
        let mut artifact = with_content(&Object::new(), &path, target)?;
        artifact.set("name", path.as_ref());
        artifacts.push(artifact.into());
    }
    // By bytes here, by names in a tree.
    artifacts.sort_by_cached_key(|artifact| path_of(artifact).unwrap_or_default());
    described.record.set("artifacts", Value::List(artifacts));
    if let Some(reason) = clash(&here) {
        return Ok(Err(reason));
    }
    let edits = here.into_iter().map(|(path, target)| (path, Edit::Put(target)));
    let load = |id: &ObjectId| Err::<Vec<u8>, _>(StoreError::Missing { id: *id });
    let tree = tree::edit(None, edits, load, |node| transaction.put_node(node))?;
    described.record.set("tree", tree.id);
    Ok(Ok(()))
}

fn path_of(artifact: &Value) -> Option<String> {
    Some(artifact.object().ok()?.find("path")?.text().ok()?.to_owned())
}

/// Tells which file would have to be a directory as well.
fn clash(here: &BTreeMap<TreePath, Target>) -> Option<String> {
    let mut before: Option<&TreePath> = None;
    for path in here.keys() {
        if let Some(above) = before.filter(|before| path.starts_with(before)) {
            return Some(format!("{path} lies below a file, {above}"));
        }
        before = Some(path);
    }
    None
}

fn with_content(item: &Object, path: &str, target: &Target) -> Result<Object, Error> {
    let bytes = match target {
        Target::File { size, .. } => *size,
        _ => 0,
    };
    let count = |count| Value::count(count).map_err(|error| Error::Usage(error.to_string()));
    let mut full = Object::new();
    for (name, value) in item.iter().filter(|(name, _)| *name != "from") {
        full.set(name, value.clone());
    }
    full.set("path", path);
    if full.find("kind").is_none() {
        full.set("kind", kind_of(path).as_str());
    }
    full.set("id", target.id());
    full.set("files", count(1)?);
    full.set("bytes", count(bytes)?);
    Ok(full)
}

fn absent(role: &str, path: &str, is_looked_for: bool) -> String {
    let why = match is_looked_for {
        true => "there is no such file in the directory of --files",
        false => "name its id, or the directory that it lies in with --files",
    };
    format!("{role}: {path:?} has no id: {why}")
}
