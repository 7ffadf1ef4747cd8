//! Names → commits, as of one transaction: the tree of all refs, read and changed.
//!
//! A ref is an entry of kind commit: `heads/main` is `main` in the directory `heads`. Nodes come
//! in and leave through closures. Which names are good for people is decided in `repo/`; the
//! rules across entries are in `docs/format/journal.md`.

use std::collections::HashSet;

use crate::object::tree::{self, Change, EMPTY_TREE, Edit, NewNode, Target};
use crate::object::{DecodeError, ObjectId, TreePath, UNLISTED_PREFIX, Update};

/// Tells why refs cannot be read or moved as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefError {
    /// The text cannot be the name of a ref.
    #[error("no ref can have this name, ref={name:?}")]
    Name {
        /// What was given.
        name: String,
    },
    /// Somebody else moved the ref meanwhile.
    #[error(
        "the ref does not stand where it was expected, ref={name:?}, expected={}, found={}",
        place(expected),
        place(found)
    )]
    Moved {
        /// The ref.
        name: String,
        /// Where it was expected; `None`: it should not exist.
        expected: Option<ObjectId>,
        /// Where it stands; `None`: it does not exist.
        found: Option<ObjectId>,
    },
    /// One name cannot be a ref and the beginning of another one.
    #[error("a ref of that name cannot be beside another one, ref={name:?}, other={other:?}")]
    Clash {
        /// The ref that was to be made.
        name: String,
        /// The ref, or the beginning of refs, that is there.
        other: String,
    },
}

fn place(id: &Option<ObjectId>) -> String {
    id.map_or_else(|| "nowhere".to_owned(), |id| id.short())
}

/// All refs as of one transaction.
///
/// Shape: `load` is asked for the bytes of nodes, and never for the empty tree; `E` carries its
/// errors, malformed nodes and [`RefError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefTree(pub ObjectId);

impl RefTree {
    /// Finds where a ref stands; `None` if it does not exist.
    ///
    /// Cost: a node or two for each part of the name.
    pub fn find<B, E>(
        &self,
        name: &str,
        load: impl FnMut(&ObjectId) -> Result<B, E>,
    ) -> Result<Option<ObjectId>, E>
    where
        B: AsRef<[u8]>,
        E: From<DecodeError> + From<RefError>,
    {
        Ok(match self.look(&path_of(name)?, load)? {
            Some(Target::Commit { id }) => Some(id),
            // `heads` is the beginning of refs, and none itself.
            _ => None,
        })
    }

    /// Passes over all refs, in the order of their names' parts, and holds none of them.
    pub fn each<B, E>(
        &self,
        load: impl FnMut(&ObjectId) -> Result<B, E>,
    ) -> Result<impl Iterator<Item = Result<(String, ObjectId), E>>, E>
    where
        B: AsRef<[u8]>,
        E: From<DecodeError> + From<RefError>,
    {
        let walk = match self.0 == EMPTY_TREE {
            true => None,
            false => Some(tree::walk(&self.0, None, load)?),
        };
        Ok(walk.into_iter().flatten().filter_map(|entry| match entry {
            Ok(tree::Walked { path, target: Target::Commit { id } }) => {
                Some(text_of(&path).map(|name| (name, id)).map_err(E::from))
            }
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        }))
    }

    /// Lists the refs below `prefix` (`heads`), or all, in the order of their names' parts.
    pub fn list<B, E>(
        &self,
        prefix: Option<&str>,
        load: impl FnMut(&ObjectId) -> Result<B, E>,
    ) -> Result<Vec<(String, ObjectId)>, E>
    where
        B: AsRef<[u8]>,
        E: From<DecodeError> + From<RefError>,
    {
        let prefix = prefix.map(path_of).transpose()?;
        let mut refs = Vec::new();
        if self.0 == EMPTY_TREE {
            return Ok(refs);
        }
        for entry in tree::walk(&self.0, prefix.as_ref(), load)? {
            let entry = entry?;
            if let Target::Commit { id } = entry.target {
                refs.push((text_of(&entry.path)?, id));
            }
        }
        Ok(refs)
    }

    /// Makes the tree of refs after `updates`.
    ///
    /// Shape: every ref must stand where its update says; `emit` gets the new nodes.
    /// Errors: [`RefError::Moved`] and [`RefError::Clash`], before anything is emitted. A ref that
    /// is removed makes room for one below its name, and the other way round.
    pub fn after<B, E>(
        &self,
        updates: &[Update],
        mut load: impl FnMut(&ObjectId) -> Result<B, E>,
        emit: impl FnMut(NewNode<'_>) -> Result<(), E>,
    ) -> Result<Self, E>
    where
        B: AsRef<[u8]>,
        E: From<DecodeError> + From<RefError>,
    {
        let mut edits = Vec::with_capacity(updates.len());
        for update in updates {
            let found = self.find(&update.name, &mut load)?;
            if found != update.old {
                let (name, expected) = (update.name.clone(), update.old);
                return Err(RefError::Moved { name, expected, found }.into());
            }
            let edit = update.new.map_or(Edit::Remove, |id| Edit::Put(Target::Commit { id }));
            edits.push((path_of(&update.name)?, edit));
        }
        edits.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (path, edit) in &edits {
            if matches!(edit, Edit::Put(_)) {
                self.check_room(path, &edits, &mut load)?;
            }
        }
        Ok(Self(tree::edit(Some(self.0), edits, load, emit)?.id))
    }

    /// Checks that no ref is the beginning of another one after the edits.
    fn check_room<B, E>(
        &self,
        path: &TreePath,
        edits: &[(TreePath, Edit)],
        load: &mut impl FnMut(&ObjectId) -> Result<B, E>,
    ) -> Result<(), E>
    where
        B: AsRef<[u8]>,
        E: From<DecodeError> + From<RefError>,
    {
        let edit_of = |path: &TreePath| edits.iter().find(|(edited, _)| edited == path);
        let clash = |other: &TreePath| -> E {
            match (text_of(path), text_of(other)) {
                (Ok(name), Ok(other)) => RefError::Clash { name, other }.into(),
                (Err(error), _) | (_, Err(error)) => error.into(),
            }
        };
        let mut above = path.parent();
        while let Some(ancestor) = above {
            let stays = match edit_of(&ancestor) {
                Some((_, edit)) => matches!(edit, Edit::Put(_)),
                None => {
                    let there = self.look(&ancestor, &mut *load)?;
                    there.is_some_and(|target| !target.is_directory())
                }
            };
            if stays {
                return Err(clash(&ancestor));
            }
            above = ancestor.parent();
        }
        let there = self.look(path, &mut *load)?;
        if !there.is_some_and(|target| target.is_directory()) {
            return Ok(());
        }
        for entry in tree::walk(&self.0, Some(path), &mut *load)? {
            let entry = entry?;
            // What is put below the path is found when its own room is checked.
            let stays = edit_of(&entry.path).is_none();
            if stays && !entry.target.is_directory() {
                return Err(clash(&entry.path));
            }
        }
        Ok(())
    }

    /// Tells what the step from this tree to the next one breaks of the rules across entries.
    ///
    /// Shape: as sentence parts, empty if every update moved its ref as it says, and of other
    /// refs only those of `unlisted` runs moved. Cost: reads what differs between the two trees.
    pub fn check_step<B, E>(
        &self,
        updates: &[Update],
        unlisted: u64,
        next: Self,
        load: impl FnMut(&ObjectId) -> Result<B, E>,
    ) -> Result<Vec<String>, E>
    where
        B: AsRef<[u8]>,
        E: From<DecodeError> + From<RefError>,
    {
        let mut moved = HashSet::new();
        let (mut faults, mut found) = (Vec::new(), 0);
        tree::diff(Some(self.0), Some(next.0), None, load, |change| {
            let Change { path, old, new } = change;
            let name = text_of(&path)?;
            let is_commit = |target: &Target| matches!(target, Target::Commit { .. });
            if !old.iter().chain(&new).all(is_commit) {
                faults.push(format!("{name:?} is in the tree of refs and is no commit"));
            }
            let (old, new) = (old.map(|old| old.id()), new.map(|new| new.id()));
            let listed = updates.binary_search_by(|update| update.name.as_str().cmp(&name));
            match listed.ok().and_then(|at| updates.get(at)) {
                None if unlisted > 0 && name.starts_with(UNLISTED_PREFIX) => found += 1,
                None => {
                    faults.push(format!("the ref {name:?} moved and the entry does not say so"))
                }
                Some(update) => {
                    if (update.old, update.new) != (old, new) {
                        faults.push(format!("the ref {name:?} did not move as the entry says"));
                    }
                    moved.insert(&update.name);
                }
            }
            Ok::<(), E>(())
        })?;
        for update in updates.iter().filter(|update| !moved.contains(&update.name)) {
            faults.push(format!("the ref {:?} did not move", update.name));
        }
        if found != unlisted {
            faults.push(format!("{found} runs moved unlisted, and the entry says {unlisted}"));
        }
        Ok(faults)
    }

    fn look<B, E>(
        &self,
        path: &TreePath,
        load: impl FnMut(&ObjectId) -> Result<B, E>,
    ) -> Result<Option<Target>, E>
    where
        B: AsRef<[u8]>,
        E: From<DecodeError>,
    {
        if self.0 == EMPTY_TREE { Ok(None) } else { tree::find(&self.0, path, load) }
    }
}

/// Gives the place of a ref in the tree of refs.
fn path_of(name: &str) -> Result<TreePath, RefError> {
    TreePath::new(name).map_err(|_| RefError::Name { name: name.to_owned() })
}

fn text_of(path: &TreePath) -> Result<String, RefError> {
    String::from_utf8(path.as_bytes().to_vec()).map_err(|error| RefError::Name {
        name: String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

#[cfg(test)]
#[path = "refs_tests.rs"]
mod tests;
