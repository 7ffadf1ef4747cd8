//! Makes the next version of a tree from the one before and a list of edits.
//!
//! Each directory on the way is a merge of its old entries with its edits. Old nodes between the
//! edits are taken over whole as soon as the new cut points fall on the old ones again, which
//! they do after the next name that ends a node.

use super::build::Levels;
use super::cursor::{Cursor, Item, Opened};
use super::{EMPTY_TREE, Node, Summary, Target};
use crate::object::path::TreePath;
use crate::object::{DecodeError, ObjectId};

/// What shall stand at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// This, whatever stood there; an empty directory is not recorded, so it removes.
    Put(Target),
    /// Nothing; that nothing stood there before is no error.
    Remove,
}

/// A node of the new tree.
#[derive(Debug, Clone, Copy)]
pub struct NewNode<'a> {
    /// Its id.
    pub id: ObjectId,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// The node of the old tree whose place it takes, if there was one: mostly, they are alike.
    pub before: Option<ObjectId>,
}

/// Applies edits to the tree `root` and gives the new one.
///
/// Shape: `None` is [`EMPTY_TREE`], which is never loaded.
/// `edits` ascend in the order of [`TreePath`] and have their effect one after the other,
/// so of two edits of one path the later one holds, and an edit below a path comes after the edit
/// of the path itself: `Remove a`, `Put a/b` makes a directory of a file. Directories come into
/// being as needed, replacing what is not a directory, and go when they become empty. The shape
/// of the result depends on its entries only. `emit` gets the nodes on the way to each edit,
/// children first; a node that existed before may be among them.
///
/// Errors: those of `load` and `emit`, malformed nodes, and edits out of order. What was emitted
/// until then names nothing.
/// Cost: reads and emits O(log n) nodes per edit, fewer for neighbours; `edits` are consumed one
/// by one, and the memory is that of a few nodes per open directory.
pub fn edit<L, B, F, E>(
    root: Option<ObjectId>,
    edits: impl IntoIterator<Item = (TreePath, Edit)>,
    load: L,
    emit: F,
) -> Result<Summary, E>
where
    L: FnMut(&ObjectId) -> Result<B, E>,
    B: AsRef<[u8]>,
    F: FnMut(NewNode<'_>) -> Result<(), E>,
    E: From<DecodeError>,
{
    let mut editor = Editor { load, emit, open: Vec::new(), path: Vec::new() };
    let old = match root.filter(|root| *root != EMPTY_TREE) {
        Some(root) => Cursor::open(&root, &mut editor.load)?,
        None => Cursor::default(),
    };
    let mut top = Directory { old, ..Directory::default() };
    let mut before: Option<TreePath> = None;
    for (path, edit) in edits {
        if before.is_some_and(|before| before > path) {
            let reason = format!("{path} does not come after the edit before it");
            return Err(DecodeError::new("list of edits", 0, reason).into());
        }
        editor.enter_parent(&mut top, &path)?;
        editor.set(&mut top, path.last_name(), edit)?;
        before = Some(path);
    }
    editor.leave_to(&mut top, 0)?;
    editor.finish(&mut top)
}

struct Editor<L, F> {
    load: L,
    emit: F,
    /// The directories on the way to the current edit, without the root.
    open: Vec<Directory>,
    /// Their path.
    path: Vec<u8>,
}

/// One directory between its old version and its new one.
#[derive(Default)]
struct Directory {
    old: Cursor,
    new: Levels,
    /// The latest name that was looked at, and what is to stand there; not pushed yet.
    slot: Option<(Vec<u8>, Option<Target>)>,
    /// What stood in the parent's slot before this directory was opened.
    under: Option<Target>,
    /// Whether something was put here or below, so that `under` is gone whatever became of it.
    is_put: bool,
    /// Length of the path of the parent.
    parent_bytes: usize,
}

impl<L, F> Editor<L, F> {
    /// Closes and opens directories until the innermost is the parent of `path`.
    fn enter_parent<B, E>(&mut self, top: &mut Directory, path: &TreePath) -> Result<(), E>
    where
        L: FnMut(&ObjectId) -> Result<B, E>,
        B: AsRef<[u8]>,
        F: FnMut(NewNode<'_>) -> Result<(), E>,
        E: From<DecodeError>,
    {
        let path = path.as_bytes();
        let is_below = |dir: &[u8]| {
            dir.is_empty() || path.strip_prefix(dir).is_some_and(|rest| rest.starts_with(b"/"))
        };
        let mut keep = self.open.len();
        let mut keep_bytes = self.path.len();
        while !self.path.get(..keep_bytes).is_some_and(is_below) {
            keep = keep.saturating_sub(1);
            keep_bytes = self.open.get(keep).map_or(0, |directory| directory.parent_bytes);
        }
        self.leave_to(top, keep)?;
        loop {
            let from = if self.path.is_empty() { 0 } else { self.path.len() + 1 };
            let rest = path.get(from..).unwrap_or_default();
            let Some(end) = rest.iter().position(|byte| *byte == b'/') else { return Ok(()) };
            let (name, _) = rest.split_at(end);
            let Self { load, emit, open, .. } = self;
            let parent = open.last_mut().unwrap_or(top);
            let under = parent.seek(name, load, emit)?.take();
            let old = Cursor::open_target(under.as_ref(), load)?;
            let parent_bytes = self.path.len();
            self.open.push(Directory { old, under, parent_bytes, ..Directory::default() });
            self.path.truncate(0);
            self.path.extend_from_slice(path.get(..from + end).unwrap_or_default());
        }
    }

    /// Closes the innermost directories until `keep` are open.
    fn leave_to<B, E>(&mut self, top: &mut Directory, keep: usize) -> Result<(), E>
    where
        L: FnMut(&ObjectId) -> Result<B, E>,
        B: AsRef<[u8]>,
        F: FnMut(NewNode<'_>) -> Result<(), E>,
        E: From<DecodeError>,
    {
        while self.open.len() > keep {
            let Some(mut inner) = self.open.pop() else { break };
            self.path.truncate(inner.parent_bytes);
            inner.copy_rest(&mut self.load, &mut self.emit)?;
            let target = if !inner.new.is_empty() {
                self.finish(&mut inner)?.target()
            } else {
                // Edits that only removed left alone what was not a directory.
                inner.under.filter(|under| !under.is_directory() && !inner.is_put)
            };
            let parent = self.open.last_mut().unwrap_or(top);
            parent.is_put |= inner.is_put;
            if let Some((_, slot)) = &mut parent.slot {
                *slot = target;
            }
        }
        Ok(())
    }

    fn set<B, E>(&mut self, top: &mut Directory, name: &[u8], edit: Edit) -> Result<(), E>
    where
        L: FnMut(&ObjectId) -> Result<B, E>,
        B: AsRef<[u8]>,
        F: FnMut(NewNode<'_>) -> Result<(), E>,
        E: From<DecodeError>,
    {
        let directory = self.open.last_mut().unwrap_or(top);
        let target = match edit {
            Edit::Put(Target::Directory { id: EMPTY_TREE, .. }) | Edit::Remove => None,
            Edit::Put(target) => Some(target),
        };
        directory.is_put |= target.is_some();
        *directory.seek(name, &mut self.load, &mut self.emit)? = target;
        Ok(())
    }

    fn finish<B, E>(&mut self, directory: &mut Directory) -> Result<Summary, E>
    where
        L: FnMut(&ObjectId) -> Result<B, E>,
        B: AsRef<[u8]>,
        F: FnMut(NewNode<'_>) -> Result<(), E>,
        E: From<DecodeError>,
    {
        directory.copy_rest(&mut self.load, &mut self.emit)?;
        let Directory { old, new, .. } = directory;
        let root = new.finish(&mut in_place_of(old.opened(), &mut self.emit))?;
        let (mut id, mut level) = (root.id, root.level);
        while root.is_reused && level > 0 {
            // All that is left of the directory is one old node: the root is the first node on
            // the way down that has more than one child.
            match Node::decode((self.load)(&id)?.as_ref())? {
                Node::Inner { children, .. } if children.len() == 1 => {
                    id = children.first().map_or(id, |child| child.id);
                    level -= 1;
                }
                _ => break,
            }
        }
        Ok(Summary { id, files: root.totals.files, bytes: root.totals.bytes })
    }
}

impl Directory {
    /// Moves on to `name` and gives what is to stand there, for a change.
    fn seek<L, B, F, E>(
        &mut self,
        name: &[u8],
        load: &mut L,
        emit: &mut F,
    ) -> Result<&mut Option<Target>, E>
    where
        L: FnMut(&ObjectId) -> Result<B, E>,
        B: AsRef<[u8]>,
        F: FnMut(NewNode<'_>) -> Result<(), E>,
        E: From<DecodeError>,
    {
        let mut buffer = Vec::new();
        match self.slot.take() {
            Some((at, target)) if at == name => {
                return Ok(&mut self.slot.insert((at, target)).1);
            }
            Some((at, target)) => {
                self.push(&at, target, emit)?;
                buffer = at;
            }
            None => {}
        }
        self.copy(Some(name), load, emit)?;
        let is_same = |item: Item<'_>| matches!(item, Item::Entry(e) if e.name.as_bytes() == name);
        let target =
            if self.old.peek().is_some_and(is_same) { self.old.take_entry() } else { None };
        buffer.clear();
        buffer.extend_from_slice(name);
        Ok(&mut self.slot.insert((buffer, target.map(|entry| entry.target))).1)
    }

    fn copy_rest<L, B, F, E>(&mut self, load: &mut L, emit: &mut F) -> Result<(), E>
    where
        L: FnMut(&ObjectId) -> Result<B, E>,
        B: AsRef<[u8]>,
        F: FnMut(NewNode<'_>) -> Result<(), E>,
        E: From<DecodeError>,
    {
        if let Some((name, target)) = self.slot.take() {
            self.push(&name, target, emit)?;
        }
        self.copy(None, load, emit)
    }

    fn push<F, E>(&mut self, name: &[u8], target: Option<Target>, emit: &mut F) -> Result<(), E>
    where
        F: FnMut(NewNode<'_>) -> Result<(), E>,
        E: From<DecodeError>,
    {
        let Self { old, new, .. } = self;
        let mut emit = in_place_of(old.opened(), emit);
        target.map_or(Ok(()), |target| new.push_entry(name, &target, &mut emit))
    }

    /// Takes over the old entries before a name (`None`: all that are left), as whole nodes
    /// where old and new cut points agree.
    fn copy<L, B, F, E>(
        &mut self,
        before: Option<&[u8]>,
        load: &mut L,
        emit: &mut F,
    ) -> Result<(), E>
    where
        L: FnMut(&ObjectId) -> Result<B, E>,
        B: AsRef<[u8]>,
        F: FnMut(NewNode<'_>) -> Result<(), E>,
        E: From<DecodeError>,
    {
        loop {
            let is_inside = self.old.is_inside_leaf();
            let mut emit = in_place_of(self.old.opened(), emit);
            let Some(item) = self.old.peek() else { return Ok(()) };
            match item {
                Item::Entry(entry) if before.is_some_and(|name| entry.name.as_bytes() >= name) => {
                    return Ok(());
                }
                Item::Entry(entry) => {
                    let name = entry.name.as_bytes();
                    match is_inside {
                        true => self.new.push_inside(name, &entry.target, &mut emit)?,
                        false => self.new.push_entry(name, &entry.target, &mut emit)?,
                    }
                    self.old.skip();
                }
                Item::Node(node) => {
                    let is_untouched = before.is_none_or(|name| node.child.last.as_bytes() < name);
                    // The last node of the old version ends where the directory ended; it stays
                    // as it is only if its end is a cut point, or the directory ends there again.
                    let is_kept = is_untouched
                        && self.new.is_aligned(node.level)
                        && (before.is_none() || !node.is_rightmost || node.is_ended());
                    if is_kept {
                        self.new.push_node(node.level, node.child, &mut emit)?;
                        self.old.skip();
                    } else {
                        self.old.open_next(load)?;
                    }
                }
            }
        }
    }
}

/// Says of each finished node in whose place it comes: that which was opened last on its level.
fn in_place_of<F, E>(
    opened: Opened,
    emit: &mut F,
) -> impl FnMut(u8, ObjectId, &[u8]) -> Result<(), E>
where
    F: FnMut(NewNode<'_>) -> Result<(), E>,
{
    move |level, id, bytes| emit(NewNode { id, bytes, before: opened.on(level) })
}
