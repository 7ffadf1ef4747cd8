//! Links of the fresh directory that would lead into the worktree lead to the same place there.

use super::{code, few};
use crate::object::Code;
use crate::repo::fresh::Fresh;
use crate::repo::{Error, Repository};
use crate::worktree::fresh_links;

/// Has links that lead into the worktree, or the git checkout around it, lead to the same place of
/// the directory: the command would write over the user's files. Says which.
pub fn turn_links(
    repository: &Repository,
    code: Option<&Code>,
    fresh: &Fresh,
    notes: &mut Vec<String>,
) -> Result<(), Error> {
    let root = &repository.location.root;
    let below = code::place(repository, code);
    let outer = root.ancestors().nth(below.components().count()).unwrap_or(root);
    let turned = fresh_links::turn(fresh.path(), outer, root)
        .map_err(|error| Error::io("turn the links in the directory", fresh.path(), error))?;
    if !turned.is_empty() {
        let turned: Vec<_> = turned.iter().map(|path| path.to_string_lossy()).collect();
        notes.push(format!(
            "links into the worktree lead to the same place of the fresh directory: {}",
            few(&turned)
        ));
    }
    Ok(())
}
