//! Removing a directory that a file shall replace.

use std::ffi::{CStr, CString};
use std::io;

use rustix::fs::AtFlags;

use crate::object::{Name, NameError};
use crate::worktree::directory::{Directory, EntryKind, Listing};

struct Level {
    name: CString,
    directory: Directory,
    listing: Listing,
    next: usize,
}

/// Removes a directory with the directories in it, and with the files too if `takes_files`.
///
/// Shape: a folder of a repository is never removed. Errors: `ENOTEMPTY` for what must stay; what
/// was empty before may be gone then.
pub fn clear(outer: &Directory, name: &CStr, takes_files: bool) -> io::Result<()> {
    let mut open = vec![enter(outer, name)?];
    while let Some(level) = open.last_mut() {
        let Some((name, kind)) = level.listing.get(level.next) else {
            let Some(Level { name, directory, .. }) = open.pop() else { break };
            drop(directory);
            let parent = open.last().map_or(outer, |level| &level.directory);
            rustix::fs::unlinkat(parent, &name, AtFlags::REMOVEDIR)?;
            continue;
        };
        level.next += 1;
        match kind {
            _ if Name::check(name.to_bytes()) == Err(NameError::Reserved) => return Err(stays()),
            EntryKind::Directory => {
                let inner = enter(&level.directory, name)?;
                open.push(inner);
            }
            _ if takes_files => {
                rustix::fs::unlinkat(&level.directory, name, AtFlags::empty())?;
            }
            _ => return Err(stays()),
        }
    }
    Ok(())
}

fn enter(outer: &Directory, name: &CStr) -> io::Result<Level> {
    let directory = outer.open_directory(name)?;
    let listing = directory.list()?;
    Ok(Level { name: name.to_owned(), directory, listing, next: 0 })
}

fn stays() -> io::Error {
    rustix::io::Errno::NOTEMPTY.into()
}
