//! Lists a tree in order, and finds what stands at one path.

use super::Target;
use super::cursor::{Cursor, Item};
use super::place::Place;
use crate::object::path::TreePath;
use crate::object::{DecodeError, ObjectId};

/// Finds what stands at `path` in the tree `root`.
///
/// Errors: those of `load`, and malformed nodes.
/// Cost: reads one node per level and directory on the way.
pub fn find<L, B, E>(root: &ObjectId, path: &TreePath, mut load: L) -> Result<Option<Target>, E>
where
    L: FnMut(&ObjectId) -> Result<B, E>,
    B: AsRef<[u8]>,
    E: From<DecodeError>,
{
    let mut directory = Cursor::open(root, &mut load)?;
    let mut names = path.names().peekable();
    while let Some(name) = names.next() {
        let target = find_name(directory, name, &mut load)?;
        match target {
            Some(Target::Directory { .. }) if names.peek().is_some() => {
                directory = Cursor::open_target(target.as_ref(), &mut load)?;
            }
            _ => return Ok(target.filter(|_| names.peek().is_none())),
        }
    }
    Ok(None)
}

fn find_name<L, B, E>(mut cursor: Cursor, name: &[u8], load: &mut L) -> Result<Option<Target>, E>
where
    L: FnMut(&ObjectId) -> Result<B, E>,
    B: AsRef<[u8]>,
    E: From<DecodeError>,
{
    loop {
        cursor.skip_to(name);
        match cursor.peek() {
            Some(Item::Node(node)) if node.child.last.as_bytes() >= name => {
                cursor.open_next(load)?;
            }
            Some(Item::Entry(entry)) if entry.name.as_bytes() == name => {
                return Ok(Some(entry.target));
            }
            _ => return Ok(None),
        }
    }
}

/// One entry of a tree, with its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    /// Path from the root of the tree.
    pub path: TreePath,
    /// What stands there.
    pub target: Target,
}

/// Lists a tree; see [`walk`].
#[derive(Debug)]
pub struct Walk<L> {
    load: L,
    open: Vec<Cursor>,
    place: Place,
    /// What comes first: the target of the prefix where it is no directory, or a directory that
    /// was given and is not entered yet.
    next: Option<Next>,
}

#[derive(Debug)]
enum Next {
    Only(Walked),
    Enter(Walked),
}

/// Lists the tree `root` in the order of [`TreePath`].
///
/// Shape: each directory comes before what is in it, unless [`Walk::skip_directory`] is called
/// then. With a `prefix`, what lies below it, or that entry alone if it is not a directory, or
/// nothing if it is absent. After an error comes nothing more.
/// Errors: those of `load`, and malformed nodes.
/// Cost: reads each node once; holds one node per level of the directories on the way.
pub fn walk<L, B, E>(root: &ObjectId, prefix: Option<&TreePath>, mut load: L) -> Result<Walk<L>, E>
where
    L: FnMut(&ObjectId) -> Result<B, E>,
    B: AsRef<[u8]>,
    E: From<DecodeError>,
{
    let walk = |load: L, cursor: Cursor, next| Walk {
        load,
        open: vec![cursor],
        place: Place::of(prefix),
        next,
    };
    let Some(path) = prefix else {
        let cursor = Cursor::open(root, &mut load)?;
        return Ok(walk(load, cursor, None));
    };
    let target = find(root, path, &mut load)?;
    let cursor = Cursor::open_target(target.as_ref(), &mut load)?;
    let only = target.filter(|target| !target.is_directory());
    let next = only.map(|target| Next::Only(Walked { path: path.clone(), target }));
    Ok(walk(load, cursor, next))
}

impl<L> Walk<L> {
    /// Leaves out what is inside the directory that was given last.
    pub fn skip_directory(&mut self) {
        self.next = None;
    }

    fn step<B, E>(&mut self) -> Result<Option<Walked>, E>
    where
        L: FnMut(&ObjectId) -> Result<B, E>,
        B: AsRef<[u8]>,
        E: From<DecodeError>,
    {
        match self.next.take() {
            Some(Next::Only(walked)) => return Ok(Some(walked)),
            Some(Next::Enter(Walked { path, target })) => {
                self.open.push(Cursor::open_target(Some(&target), &mut self.load)?);
                self.place.enter(path.last_name());
            }
            None => {}
        }
        while let Some(cursor) = self.open.last_mut() {
            match cursor.peek() {
                Some(Item::Node(_)) => cursor.open_next(&mut self.load)?,
                Some(Item::Entry(_)) => {
                    let Some(entry) = cursor.take_entry() else { continue };
                    let path = self.place.path_of(&entry.name)?;
                    let walked = Walked { path, target: entry.target };
                    if entry.target.is_directory() {
                        self.next = Some(Next::Enter(walked.clone()));
                    }
                    return Ok(Some(walked));
                }
                None => {
                    self.open.pop();
                    self.place.leave();
                }
            }
        }
        Ok(None)
    }
}

impl<L, B, E> Iterator for Walk<L>
where
    L: FnMut(&ObjectId) -> Result<B, E>,
    B: AsRef<[u8]>,
    E: From<DecodeError>,
{
    type Item = Result<Walked, E>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step().transpose();
        if matches!(step, Some(Err(_))) {
            self.open.clear();
            self.next = None;
        }
        step
    }
}
