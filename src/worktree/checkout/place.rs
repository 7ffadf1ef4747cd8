//! Where a path leads on the disk, for one path after another in the order of the tree.

use std::ffi::CString;
use std::io;

use crate::object::TreePath;
use crate::worktree::directory::Directory;
use crate::worktree::scan::is_gone;

/// The directory that a path is in.
#[derive(Debug)]
pub enum Place<'p> {
    /// It is there.
    Directory(&'p Directory),
    /// It is not there, nor is anything else in its place.
    Gone,
    /// This, which leads to it, is no directory.
    Blocked(TreePath),
}

/// Keeps the directories open that lead to the last path.
#[derive(Debug)]
pub struct Places<'a> {
    root: &'a Directory,
    /// From the root down: name, and the directory if there is one.
    open: Vec<(Vec<u8>, Inside)>,
}

#[derive(Debug)]
enum Inside {
    Directory(Directory),
    Gone,
    Blocked,
}

impl<'a> Places<'a> {
    pub fn new(root: &'a Directory) -> Self {
        Self { root, open: Vec::new() }
    }

    /// Finds the directory that `path` is in.
    pub fn find(&mut self, path: &TreePath) -> io::Result<Place<'_>> {
        let mut names = path.names();
        names.next_back();
        let is_open = |((open, _), name): &(&(Vec<u8>, Inside), &[u8])| open == name;
        let same = self.open.iter().zip(names).take_while(is_open).count();
        self.open.truncate(same);
        let mut names = path.names();
        names.next_back();
        for name in names.skip(same) {
            let inside = match self.open.last() {
                None => enter(self.root, name)?,
                Some((_, Inside::Directory(outer))) => enter(outer, name)?,
                Some(_) => break,
            };
            self.open.push((name.to_vec(), inside));
        }
        Ok(match self.open.last() {
            None => Place::Directory(self.root),
            Some((_, Inside::Directory(directory))) => Place::Directory(directory),
            Some((_, Inside::Gone)) => Place::Gone,
            Some((_, Inside::Blocked)) => {
                let names: Vec<&[u8]> = self.open.iter().map(|(name, _)| &**name).collect();
                TreePath::new(names.join(&b'/')).map_or(Place::Gone, Place::Blocked)
            }
        })
    }
}

fn enter(outer: &Directory, name: &[u8]) -> io::Result<Inside> {
    let name = CString::new(name)?;
    match outer.open_directory(&name) {
        Ok(directory) => Ok(Inside::Directory(directory)),
        Err(error) if is_gone(&error) => match outer.stat(&name) {
            Ok(_) => Ok(Inside::Blocked),
            Err(error) if is_gone(&error) => Ok(Inside::Gone),
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    }
}
