//! Lists what a commit, the stage or one of their directories holds, entry by entry.

use super::revision::{Resolver, Revision, Start};
use super::{Error, Repository};
use crate::object::tree::{self, EMPTY_TREE, Walked};
use crate::object::{ObjectId, TreePath};
use crate::progress::Progress;

/// Says what to list.
#[derive(Debug, Clone, Default)]
pub struct LsRequest {
    /// A commit, `COMMIT:PATH`, `:PATH` or the id of a tree, as typed; none means `HEAD`.
    pub typed: Option<Vec<u8>>,
    /// Whether to list what is inside of directories too.
    pub is_recursive: bool,
}

/// Lists entries, each handed to `take`, in the order of their paths.
///
/// Shape: paths are from the root of the commit's tree; those below the id of a tree, from there.
/// A file or link is listed as itself, a directory as what is in it, directories included. Before
/// the first commit `HEAD` has no entries.
/// Errors: those of `take`, of the name and of the store.
/// Cost: reads each node once; memory for the nodes on the way to one entry.
pub fn ls<E: From<Error>>(
    repository: &Repository,
    request: &LsRequest,
    progress: &Progress,
    mut take: impl FnMut(Walked) -> Result<(), E>,
) -> Result<(), E> {
    let mut resolver = Resolver::new(repository)?;
    let Some((root, prefix)) = place(repository, &mut resolver, request)? else { return Ok(()) };
    let reader = resolver.reader();
    let mut load = |id: &_| reader.node(id).map_err(Error::from);
    let mut walk = tree::walk(&root, prefix.as_ref(), &mut load)?;
    while let Some(walked) = walk.next() {
        progress.check().map_err(Error::from)?;
        let walked = walked?;
        if walked.target.is_directory() && !request.is_recursive {
            walk.skip_directory();
        }
        take(walked)?;
    }
    Ok(())
}

/// Finds the root of the tree to list, and the path in it; none if there is nothing.
fn place(
    repository: &Repository,
    resolver: &mut Resolver<'_>,
    request: &LsRequest,
) -> Result<Option<(ObjectId, Option<TreePath>)>, Error> {
    let Some(typed) = &request.typed else {
        let head = repository.head_commit()?;
        let tree = repository.tree_of(resolver.reader(), head)?;
        return Ok((tree != EMPTY_TREE).then_some((tree, None)));
    };
    let revision = Revision::parse(typed)?;
    let typed_path = revision.path.unwrap_or_default();
    let path = typed_path.strip_suffix(b"/").unwrap_or(&typed_path);
    if path.is_empty() {
        return Ok(Some((resolver.tree(typed)?, None)));
    }
    // Whatever is not there is refused here; what is there is listed by its path from the root.
    resolver.object(typed)?;
    let path = TreePath::new(path).map_err(|error| Error::Usage(error.to_string()))?;
    let root = match revision.start {
        Start::Stage => repository.staged_tree(resolver.reader())?,
        _ => {
            let end = typed.len().saturating_sub(typed_path.len() + 1);
            resolver.tree(typed.get(..end).unwrap_or_default())?
        }
    };
    Ok(Some((root, Some(path))))
}
