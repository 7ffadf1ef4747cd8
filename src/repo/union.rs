//! Everything that is in one tree or in another, whether they differ or not.

use super::{Error, Repository};
use crate::object::tree::{self, Change, Target};
use crate::object::{ObjectId, TreePath};
use crate::store::{Reader, StoreError};

/// Visits every file and link of two trees, in the order of paths.
///
/// Shape: with `prefixes`, only what is there or below; they are sorted and none is below another
/// one. Cost: reads all nodes of both trees below the prefixes.
pub(super) fn visit(
    repository: &Repository,
    old: ObjectId,
    new: ObjectId,
    prefixes: &[TreePath],
    visit: &mut dyn FnMut(Change) -> Result<(), Error>,
) -> Result<(), Error> {
    if prefixes.is_empty() {
        return below(repository, old, new, None, visit);
    }
    prefixes.iter().try_for_each(|prefix| below(repository, old, new, Some(prefix), visit))
}

fn below(
    repository: &Repository,
    old: ObjectId,
    new: ObjectId,
    prefix: Option<&TreePath>,
    visit: &mut dyn FnMut(Change) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut one, mut other) = (repository.store.reader(), repository.store.reader());
    let mut olds = Files::new(&mut one, old, prefix)?;
    let mut news = Files::new(&mut other, new, prefix)?;
    let (mut left, mut right) = (olds.next()?, news.next()?);
    loop {
        let order = match (&left, &right) {
            (None, None) => return Ok(()),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((old, _)), Some((new, _))) => old.cmp(new),
        };
        let old = if order.is_le() { std::mem::replace(&mut left, olds.next()?) } else { None };
        let new = if order.is_ge() { std::mem::replace(&mut right, news.next()?) } else { None };
        let path = old.as_ref().or(new.as_ref()).map(|(path, _)| path.clone());
        if let Some(path) = path {
            let (old, new) = (old.map(|(_, target)| target), new.map(|(_, target)| target));
            visit(Change { path, old, new })?;
        }
    }
}

/// The files of one tree.
struct Files<'a> {
    entries: Box<dyn Iterator<Item = Result<tree::Walked, StoreError>> + 'a>,
}

impl<'a> Files<'a> {
    fn new<'s: 'a>(
        reader: &'a mut Reader<'s>,
        tree: ObjectId,
        prefix: Option<&TreePath>,
    ) -> Result<Self, Error> {
        let entries = tree::walk(&tree, prefix, move |id: &ObjectId| reader.node(id))?;
        Ok(Self { entries: Box::new(entries) })
    }

    fn next(&mut self) -> Result<Option<(TreePath, Target)>, Error> {
        for entry in self.entries.by_ref() {
            let entry = entry?;
            if !entry.target.is_directory() {
                return Ok(Some((entry.path, entry.target)));
            }
        }
        Ok(None)
    }
}
