//! Compares two trees and reads only what differs.
//!
//! Both sides are walked like the two inputs of a merge. Where both stand before the same node,
//! or before directories with the same id, neither is opened.

use super::cursor::{Cursor, Item};
use super::place::Place;
use super::walk::find;
use super::{EMPTY_TREE, Entry, Target};
use crate::object::name::Name;
use crate::object::path::TreePath;
use crate::object::{DecodeError, ObjectId};

/// Tells what stood at a path and what stands there now; at least one, and never the same.
///
/// Shape: files, symlinks and commits. A directory is its contents, so `old` and `new` are never
/// one; where a file became a directory, the file goes and the files below the path come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub path: TreePath,
    /// What stood there before.
    pub old: Option<Target>,
    /// What stands there now.
    pub new: Option<Target>,
}

/// Visits the changes from tree `old` to tree `new`.
///
/// Shape: in the order of [`TreePath`], each path once; with a `prefix`, only what is there or
/// below it. Equal trees give none, different ones at least one. `None` is [`EMPTY_TREE`], which
/// is never loaded.
/// Errors: those of `load` and `visit`, and malformed nodes; changes were visited until then.
/// Cost: reads the nodes that one tree has and the other has not, and a node or two beside each.
pub fn diff<L, B, V, E>(
    old: Option<ObjectId>,
    new: Option<ObjectId>,
    prefix: Option<&TreePath>,
    mut load: L,
    visit: V,
) -> Result<(), E>
where
    L: FnMut(&ObjectId) -> Result<B, E>,
    B: AsRef<[u8]>,
    V: FnMut(Change) -> Result<(), E>,
    E: From<DecodeError>,
{
    let [old, new] = [old, new].map(|root| root.filter(|root| *root != EMPTY_TREE));
    if old == new {
        return Ok(());
    }
    let Some(path) = prefix else {
        let pair = Pair { old: open(old, &mut load)?, new: open(new, &mut load)? };
        return Differ { load, visit, pairs: vec![pair], place: Place::default() }.run();
    };
    let (old, new) = (find_in(old, path, &mut load)?, find_in(new, path, &mut load)?);
    let parent = path.parent();
    let mut differ = Differ { load, visit, pairs: Vec::new(), place: Place::of(parent.as_ref()) };
    if old != new {
        differ.change(path.clone(), old, new)?;
    }
    differ.run()
}

fn open<L, B, E>(root: Option<ObjectId>, load: &mut L) -> Result<Cursor, E>
where
    L: FnMut(&ObjectId) -> Result<B, E>,
    B: AsRef<[u8]>,
    E: From<DecodeError>,
{
    root.map_or_else(|| Ok(Cursor::default()), |root| Cursor::open(&root, load))
}

fn find_in<L, B, E>(
    root: Option<ObjectId>,
    path: &TreePath,
    load: &mut L,
) -> Result<Option<Target>, E>
where
    L: FnMut(&ObjectId) -> Result<B, E>,
    B: AsRef<[u8]>,
    E: From<DecodeError>,
{
    root.map_or_else(|| Ok(None), |root| find(&root, path, load))
}

struct Differ<L, V> {
    load: L,
    visit: V,
    /// The directories that are open, outermost first.
    pairs: Vec<Pair>,
    /// The path of the innermost.
    place: Place,
}

/// One directory in both trees; on a side where there is none, it has no entries.
struct Pair {
    old: Cursor,
    new: Cursor,
}

/// What a merge of two directories finds next.
enum Found {
    /// Entries of one name that differ; at least one.
    Entries { name: Name, old: Option<Target>, new: Option<Target> },
    /// Nothing more.
    End,
}

impl<L, V> Differ<L, V> {
    fn run<B, E>(&mut self) -> Result<(), E>
    where
        L: FnMut(&ObjectId) -> Result<B, E>,
        B: AsRef<[u8]>,
        V: FnMut(Change) -> Result<(), E>,
        E: From<DecodeError>,
    {
        while let Some(pair) = self.pairs.last_mut() {
            match pair.next(&mut self.load)? {
                Found::Entries { name, old, new } => {
                    self.change(self.place.path_of(&name)?, old, new)?;
                }
                Found::End => {
                    self.pairs.pop();
                    self.place.leave();
                }
            }
        }
        Ok(())
    }

    /// Visits the change of one entry and opens its directories.
    fn change<B, E>(
        &mut self,
        path: TreePath,
        old: Option<Target>,
        new: Option<Target>,
    ) -> Result<(), E>
    where
        L: FnMut(&ObjectId) -> Result<B, E>,
        B: AsRef<[u8]>,
        V: FnMut(Change) -> Result<(), E>,
        E: From<DecodeError>,
    {
        let is_directory = |target: &Option<Target>| target.is_some_and(|t| t.is_directory());
        if is_directory(&old) || is_directory(&new) {
            self.place.enter(path.last_name());
            let old = Cursor::open_target(old.as_ref(), &mut self.load)?;
            let new = Cursor::open_target(new.as_ref(), &mut self.load)?;
            self.pairs.push(Pair { old, new });
        }
        let [old, new] = [old, new].map(|target| target.filter(|t| !t.is_directory()));
        if old.is_none() && new.is_none() {
            return Ok(());
        }
        (self.visit)(Change { path, old, new })
    }
}

impl Pair {
    fn next<L, B, E>(&mut self, load: &mut L) -> Result<Found, E>
    where
        L: FnMut(&ObjectId) -> Result<B, E>,
        B: AsRef<[u8]>,
        E: From<DecodeError>,
    {
        loop {
            let (opens_old, opens_new) = match (self.old.peek(), self.new.peek()) {
                (None, None) => return Ok(Found::End),
                (Some(Item::Node(old)), Some(Item::Node(new))) => {
                    if old.child.id == new.child.id {
                        self.old.skip();
                        self.new.skip();
                        continue;
                    }
                    // The higher one first: the other may be inside it.
                    (old.level >= new.level, new.level >= old.level)
                }
                (Some(Item::Node(_)), _) => (true, false),
                (_, Some(Item::Node(_))) => (false, true),
                (Some(Item::Entry(old)), Some(Item::Entry(new))) => {
                    let order = old.name.cmp(&new.name);
                    let is_same = old == new;
                    let old = if order.is_le() { self.old.take_entry() } else { None };
                    let new = if order.is_ge() { self.new.take_entry() } else { None };
                    match found(old, new) {
                        Some(found) if !is_same => return Ok(found),
                        _ => continue,
                    }
                }
                (Some(Item::Entry(_)), None) => match found(self.old.take_entry(), None) {
                    Some(found) => return Ok(found),
                    None => continue,
                },
                (None, Some(Item::Entry(_))) => match found(None, self.new.take_entry()) {
                    Some(found) => return Ok(found),
                    None => continue,
                },
            };
            if opens_old {
                self.old.open_next(load)?;
            }
            if opens_new {
                self.new.open_next(load)?;
            }
        }
    }
}

fn found(old: Option<Entry>, new: Option<Entry>) -> Option<Found> {
    let (old_target, new_target) = (old.as_ref().map(|e| e.target), new.as_ref().map(|e| e.target));
    let name = old.or(new)?.name;
    Some(Found::Entries { name, old: old_target, new: new_target })
}
