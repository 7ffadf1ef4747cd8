//! What a change would do to the disk, decided before anything is written.

use std::ffi::CString;
use std::io::{self, Read as _};

use super::fold::{Folded, folds_names};
use super::place::{Place, Places};
use super::{CheckoutError, Conflict, ConflictKind, Verdict, fails};
use crate::object::tree::{Change, Target};
use crate::object::{Name, ObjectId, TreePath};
use crate::progress::Progress;
use crate::worktree::directory::{Directory, EntryKind, kind_of_stamp};
use crate::worktree::hash::hash;
use crate::worktree::scan::is_gone;
use crate::worktree::stamps::{FileKind, Finder, Stamp, Stamps};

/// Examines one change after another, in the order of the tree.
#[derive(Debug)]
pub struct Examiner<'a> {
    places: Places<'a>,
    stamps: Option<Finder<'a>>,
    overwrites: bool,
    folded: Option<Folded>,
    progress: &'a Progress,
}

impl<'a> Examiner<'a> {
    /// Begins; `stamps` say what is tracked, and `overwrites` that nothing is a conflict but
    /// names that fold.
    pub fn new(
        root: &'a Directory,
        stamps: Option<&'a Stamps>,
        overwrites: bool,
        progress: &'a Progress,
    ) -> Result<Self, CheckoutError> {
        let folded = folds_names(root).then(Folded::default);
        let stamps = stamps.map(Stamps::finder).transpose()?;
        Ok(Self { places: Places::new(root), stamps, overwrites, folded, progress })
    }

    /// Says what is to be done for a change.
    ///
    /// Shape: the file may hold its old content, its new one, or be gone; anything else would be
    /// lost. An old target is what is recorded, so it is no loss.
    /// Errors: what keeps us from looking; nothing was written.
    /// Cost: a look at the file; reads it only if its stamp does not prove its content and its
    /// size is the right one.
    pub fn examine(&mut self, change: &Change) -> Result<Verdict, CheckoutError> {
        let path = &change.path;
        if let (Some(folded), Some(_)) = (&mut self.folded, &change.new)
            && let Some(with) = folded.add(path)
        {
            return Ok(conflict(path.clone(), ConflictKind::Folds { with }));
        }
        let is_wanted = change.new.is_some();
        let directory = match self.places.find(path).map_err(fails("look at the file", path))? {
            Place::Directory(directory) => directory,
            Place::Blocked(at) if is_wanted && !self.overwrites => {
                return Ok(match is_tracked(&mut self.stamps, &at)? {
                    true => Verdict::Write { over: None },
                    false => conflict(at, ConflictKind::Untracked),
                });
            }
            Place::Gone | Place::Blocked(_) => return Ok(nothing_there(change)),
        };
        let name = CString::new(path.last_name()).map_err(io::Error::from);
        let name = name.map_err(fails("name the file", path))?;
        let now = match directory.stat(&name) {
            Ok(now) => now,
            Err(error) if is_gone(&error) => return Ok(nothing_there(change)),
            Err(error) => return Err(fails("look at the file", path)(error)),
        };
        match kind_of_stamp(&now) {
            EntryKind::Special(_) | EntryKind::Directory if !is_wanted => Ok(Verdict::Nothing),
            EntryKind::Special(_) => Ok(match self.overwrites {
                true => Verdict::Write { over: Some(now) },
                false => conflict(path.clone(), ConflictKind::Untracked),
            }),
            EntryKind::Directory if self.overwrites => Ok(Verdict::Write { over: None }),
            EntryKind::Directory => {
                let inside = directory.open_directory(&name);
                let inside = inside.map_err(fails("open the directory", path))?;
                let lost = first_untracked(inside, path, &mut self.stamps)?;
                Ok(lost.map_or(Verdict::Write { over: None }, |at| {
                    conflict(at, ConflictKind::Untracked)
                }))
            }
            EntryKind::File => {
                let found = Looked { directory, name, now };
                match found.id(change, &mut self.stamps, self.progress) {
                    Ok(id) => Ok(verdict(change, &now, id, self.overwrites)),
                    Err(CheckoutError::Io { .. }) if self.overwrites => {
                        Ok(verdict(change, &now, None, true))
                    }
                    Err(CheckoutError::Io { path, source, .. }) => {
                        Ok(conflict(path, ConflictKind::Unreadable(source)))
                    }
                    Err(error) => Err(error),
                }
            }
        }
    }
}

/// A file or link that is there.
struct Looked<'d> {
    directory: &'d Directory,
    name: CString,
    now: Stamp,
}

impl Looked<'_> {
    /// Finds out the content; `None` if it can be neither the old nor the new one.
    fn id(
        &self,
        change: &Change,
        stamps: &mut Option<Finder<'_>>,
        progress: &Progress,
    ) -> Result<Option<ObjectId>, CheckoutError> {
        let path = &change.path;
        if let Some(finder) = stamps
            && let Some(record) = finder.find(path)?
            && record.stamp == self.now
        {
            return Ok(Some(record.id));
        }
        let is_possible = |target: &Option<Target>| {
            target.as_ref().and_then(content).is_some_and(|content| {
                content.size == self.now.size && self.has_kind_of(content.kind)
            })
        };
        if !is_possible(&change.old) && !is_possible(&change.new) {
            return Ok(None);
        }
        let read = if self.now.kind() == Some(FileKind::Symlink) {
            self.directory.read_link(&self.name).map(|target| ObjectId::of(&target))
        } else {
            let file = self.directory.open_file(&self.name);
            // One that grows is none of the two, however much there is to come.
            let content = file.map(|file| file.take(self.now.size.saturating_add(1)));
            content.and_then(|content| hash(content, progress)).map(|(id, _)| id)
        };
        read.map(Some).map_err(fails("read the file", path))
    }

    fn has_kind_of(&self, kind: FileKind) -> bool {
        let is_link = |kind| kind == FileKind::Symlink;
        self.now.kind().map(is_link) == Some(is_link(kind))
    }
}

/// What a target is in a worktree.
struct Content {
    kind: FileKind,
    id: ObjectId,
    size: u64,
}

fn content(target: &Target) -> Option<Content> {
    match *target {
        Target::File { id, size, executable, .. } => {
            let kind = if executable { FileKind::Executable } else { FileKind::File };
            Some(Content { kind, id, size })
        }
        Target::Symlink { id, size } => Some(Content { kind: FileKind::Symlink, id, size }),
        Target::Directory { .. } | Target::Commit { .. } => None,
    }
}

fn verdict(change: &Change, now: &Stamp, id: Option<ObjectId>, overwrites: bool) -> Verdict {
    let is_link = |kind: FileKind| kind == FileKind::Symlink;
    let holds = |target: &Option<Target>| {
        target.as_ref().and_then(content).filter(|content| {
            Some(content.id) == id && now.kind().map(is_link) == Some(is_link(content.kind))
        })
    };
    let over = *now;
    if let Some(content) = holds(&change.new) {
        return match now.kind() == Some(content.kind) {
            true => Verdict::Keep(over),
            false => Verdict::SetMode { over },
        };
    }
    if !overwrites && holds(&change.old).is_none() {
        let is_tracked = change.old.is_some();
        let kind = if is_tracked { ConflictKind::Modified } else { ConflictKind::Untracked };
        return conflict(change.path.clone(), kind);
    }
    match change.new {
        Some(_) => Verdict::Write { over: Some(over) },
        None => Verdict::Remove { over },
    }
}

fn nothing_there(change: &Change) -> Verdict {
    match change.new {
        Some(_) => Verdict::Write { over: None },
        None => Verdict::Nothing,
    }
}

fn conflict(path: TreePath, kind: ConflictKind) -> Verdict {
    Verdict::Conflict(Conflict { path, kind })
}

fn is_tracked(stamps: &mut Option<Finder<'_>>, path: &TreePath) -> Result<bool, CheckoutError> {
    match stamps {
        Some(finder) => Ok(finder.find(path)?.is_some()),
        None => Ok(false),
    }
}

/// Looks through a directory that a file shall replace, for the first file nobody recorded.
fn first_untracked(
    top: Directory,
    path: &TreePath,
    stamps: &mut Option<Finder<'_>>,
) -> Result<Option<TreePath>, CheckoutError> {
    let mut open = vec![(top, path.clone())];
    while let Some((directory, path)) = open.pop() {
        let listing = directory.list().map_err(fails("read the directory", &path))?;
        for (name, kind) in (0..listing.len()).filter_map(|entry| listing.get(entry)) {
            let inner = Name::new(name.to_bytes()).ok().and_then(|name| path.join(&name).ok());
            // What has no place in a tree is not tracked either.
            let Some(inner) = inner else { return Ok(Some(path)) };
            match kind {
                EntryKind::Directory => {
                    let opened = directory.open_directory(name);
                    open.push((opened.map_err(fails("open the directory", &inner))?, inner));
                }
                _ if is_tracked(stamps, &inner)? => {}
                _ => return Ok(Some(inner)),
            }
        }
    }
    Ok(None)
}
