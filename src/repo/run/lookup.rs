//! Looks many paths up in a tree at once: a directory of which many are wanted is read once.

use std::collections::HashMap;

use crate::object::tree::{self, Target};
use crate::object::{ObjectId, TreePath};
use crate::repo::Error;
use crate::store::Reader;

/// A directory is read whole where at most so many files are in it for each that is wanted.
const FILES_FOR_EACH: u64 = 64;

/// Finds what lies at `paths`; what is not there is left out.
///
/// Shape: `paths` ascend.
pub(super) fn find_all(
    reader: &mut Reader<'_>,
    root: &ObjectId,
    paths: &[TreePath],
) -> Result<HashMap<TreePath, Target>, Error> {
    let mut found = HashMap::new();
    let mut paths: Vec<&TreePath> = paths.iter().collect();
    // Those of one directory follow each other, and still ascend.
    paths.sort_by_cached_key(|path| path.parent());
    for wanted in paths.chunk_by(|a, b| a.parent() == b.parent()) {
        let parent = wanted.first().and_then(|path| path.parent());
        if is_read_whole(reader, root, parent.as_ref(), wanted.len() as u64)? {
            let mut walk = tree::walk(root, parent.as_ref(), |id| reader.node(id))?;
            while let Some(entry) = walk.next() {
                let entry = entry.map_err(Error::from)?;
                walk.skip_directory();
                if wanted.binary_search(&&entry.path).is_ok() {
                    found.insert(entry.path, entry.target);
                }
            }
        } else {
            for path in wanted {
                if let Some(target) = tree::find(root, path, |id| reader.node(id))? {
                    found.insert((*path).clone(), target);
                }
            }
        }
    }
    Ok(found)
}

fn is_read_whole(
    reader: &mut Reader<'_>,
    root: &ObjectId,
    parent: Option<&TreePath>,
    wanted: u64,
) -> Result<bool, Error> {
    let Some(parent) = parent else { return Ok(wanted > FILES_FOR_EACH) };
    let found = tree::find(root, parent, |id| reader.node(id))?;
    Ok(match found {
        Some(Target::Directory { files, .. }) => files / FILES_FOR_EACH < wanted,
        _ => false,
    })
}
