//! Which two states are compared, from the words of the command.

use crate::object::ObjectId;
use crate::repo::revision::{Part, Resolver};
use crate::repo::{Error, Repository};

/// Names the two states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiffSides {
    /// Two trees.
    Trees {
        /// Before.
        old: ObjectId,
        /// After.
        new: ObjectId,
    },
    /// A tree and what is tracked in the worktree.
    Worktree {
        /// Before; none for the stage.
        old: Option<ObjectId>,
    },
}

/// Reads the words of `diff`: none, one or two names of commits or trees, or `A..B`.
///
/// Shape: with `is_staged`, the stage against the one name, or else against `HEAD`.
/// Errors: `Usage` for more words than that makes sense with, and those of the names.
pub fn diff_sides(
    repository: &Repository,
    words: &[Vec<u8>],
    is_staged: bool,
) -> Result<DiffSides, Error> {
    let mut resolver = Resolver::new(repository)?;
    if is_staged {
        let old = match words {
            [] => repository.tree_of(resolver.reader(), repository.head_commit()?)?,
            [word] => resolver.tree(word)?,
            _ => return Err(Error::Usage("the stage is compared with one commit".to_owned())),
        };
        let new = repository.staged_tree(resolver.reader())?;
        return Ok(DiffSides::Trees { old, new });
    }
    match words {
        [] => Ok(DiffSides::Worktree { old: None }),
        [word] => match Part::parse(word) {
            Ok(Part::Since { old, new }) => {
                let mut tree = |revision| {
                    let commit = resolver.commit_of(revision)?;
                    repository.tree_of(resolver.reader(), Some(commit))
                };
                Ok(DiffSides::Trees { old: tree(&old)?, new: tree(&new)? })
            }
            _ => Ok(DiffSides::Worktree { old: Some(resolver.tree(word)?) }),
        },
        [old, new] => Ok(DiffSides::Trees { old: resolver.tree(old)?, new: resolver.tree(new)? }),
        _ => Err(Error::Usage("at most two commits are compared".to_owned())),
    }
}

/// Counts the words that name commits or trees, before the first that is a path and names none.
///
/// Shape: `is_path` tells whether a word is one; a word that is both is a name, as in git.
pub fn leading_names(
    repository: &Repository,
    words: &[Vec<u8>],
    is_path: impl Fn(&[u8]) -> bool,
) -> Result<usize, Error> {
    let mut resolver = None;
    for (word, at) in words.iter().zip(0..) {
        let is_set = matches!(Part::parse(word), Ok(part) if !matches!(part, Part::Reachable(_)));
        if is_set || !is_path(word) {
            continue;
        }
        let resolver = match &mut resolver {
            Some(resolver) => resolver,
            // Most words are no paths, and refs need not be read for them.
            none => none.insert(Resolver::new(repository)?),
        };
        if resolver.tree(word).is_err() {
            return Ok(at);
        }
    }
    Ok(words.len())
}
