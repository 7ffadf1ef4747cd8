//! Goes through the entries of one directory in order, and opens only the nodes it is asked to.
//!
//! Here every node is compared with what its parent says of it, so that a tree that could be
//! walked to its end is the one tree its entries can have.

use std::vec::IntoIter;

use super::codec::WHAT;
use super::cut::{LEVEL_MAX, NODE_ITEMS_MAX, NameHash};
use super::{Child, Entry, Node, Summary, Target};
use crate::object::name::Name;
use crate::object::{DecodeError, ObjectId};

/// A place in a directory: before an entry, or before a node that is not opened yet.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    frames: Vec<Frame>,
    opened: Opened,
}

/// The nodes of a directory that were opened last, by their level.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Opened([Option<ObjectId>; LEVEL_MAX as usize + 1]);

impl Opened {
    /// Gives the node that was opened last on a level.
    pub(super) fn on(&self, level: u8) -> Option<ObjectId> {
        self.0.get(usize::from(level)).copied().flatten()
    }

    fn note(&mut self, level: u8, id: ObjectId) {
        if let Some(slot) = self.0.get_mut(usize::from(level)) {
            *slot = Some(id);
        }
    }
}

#[derive(Debug)]
struct Frame {
    items: Items,
    /// The last name before what is left, on this level.
    floor: Option<Name>,
    /// Whether nothing follows the node in its directory.
    is_rightmost: bool,
}

#[derive(Debug)]
enum Items {
    Leaf(IntoIter<Entry>),
    Inner { level: u8, children: IntoIter<Child> },
}

/// What comes next in a directory.
#[derive(Debug, Clone, Copy)]
pub(super) enum Item<'a> {
    Entry(&'a Entry),
    Node(Unopened<'a>),
}

/// A node that is not opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unopened<'a> {
    pub(super) child: &'a Child,
    pub(super) level: u8,
    pub(super) is_rightmost: bool,
}

impl Unopened<'_> {
    /// Tells whether the node would end here whatever followed it.
    ///
    /// A node above the leaves that was filled to the brim is not recognised.
    pub(super) fn is_ended(&self) -> bool {
        let is_full = self.level == 0 && self.child.totals.entries == NODE_ITEMS_MAX as u64;
        is_full || NameHash::of(self.child.last.as_bytes()).ends_node(self.level)
    }
}

impl Cursor {
    /// Starts before the first entry of a directory.
    ///
    /// Errors: those of `load`; a root that is no node, or that a smaller tree could replace.
    pub(super) fn open<L, B, E>(root: &ObjectId, load: &mut L) -> Result<Self, E>
    where
        L: FnMut(&ObjectId) -> Result<B, E>,
        B: AsRef<[u8]>,
        E: From<DecodeError>,
    {
        let node = Node::decode(load(root)?.as_ref())?;
        if node.level() > 0 && node.len() < 2 {
            return Err(refuse(root, "is a root with one child").into());
        }
        let mut opened = Opened::default();
        opened.note(node.level(), *root);
        let frame = Frame { items: node.into(), floor: None, is_rightmost: true };
        Ok(Self { frames: vec![frame], opened })
    }

    /// Starts before the first entry of a directory that another one describes; anything else
    /// than a directory has no entries.
    pub(super) fn open_target<L, B, E>(target: Option<&Target>, load: &mut L) -> Result<Self, E>
    where
        L: FnMut(&ObjectId) -> Result<B, E>,
        B: AsRef<[u8]>,
        E: From<DecodeError>,
    {
        let Some(&Target::Directory { id, files, bytes }) = target else {
            return Ok(Self::default());
        };
        let cursor = Self::open(&id, load)?;
        if cursor.summary(id) != Some(Summary { id, files, bytes }) {
            return Err(refuse(&id, "has other totals than its directory entry").into());
        }
        Ok(cursor)
    }

    fn summary(&self, id: ObjectId) -> Option<Summary> {
        let (mut files, mut bytes) = (0_u64, 0_u64);
        let mut add = |totals: super::Totals| {
            files = files.checked_add(totals.files)?;
            bytes = bytes.checked_add(totals.bytes)?;
            Some(())
        };
        match &self.frames.first()?.items {
            Items::Leaf(entries) => {
                entries.as_slice().iter().try_for_each(|entry| add(entry.target.totals()))?;
            }
            Items::Inner { children, .. } => {
                children.as_slice().iter().try_for_each(|child| add(child.totals))?;
            }
        }
        Some(Summary { id, files, bytes })
    }

    /// Tells which nodes were opened last.
    pub(super) fn opened(&self) -> Opened {
        self.opened
    }

    /// Looks at what comes next, or `None` at the end.
    pub(super) fn peek(&mut self) -> Option<Item<'_>> {
        while self.frames.last().is_some_and(Frame::is_done) {
            self.frames.pop();
        }
        self.frames.last().and_then(Frame::peek)
    }

    /// Tells whether an entry comes next that does not end its leaf, so that its name ends none.
    pub(super) fn is_inside_leaf(&mut self) -> bool {
        let is_entry = matches!(self.peek(), Some(Item::Entry(_)));
        let items = self.frames.last().map(|frame| &frame.items);
        is_entry && matches!(items, Some(Items::Leaf(entries)) if entries.len() > 1)
    }

    /// Takes the next entry; nothing happens before a node.
    pub(super) fn take_entry(&mut self) -> Option<Entry> {
        match &mut self.frames.last_mut()?.items {
            Items::Leaf(entries) => entries.next(),
            Items::Inner { .. } => None,
        }
    }

    /// Passes over what comes next.
    pub(super) fn skip(&mut self) {
        let Some(frame) = self.frames.last_mut() else { return };
        match &mut frame.items {
            Items::Leaf(entries) => drop(entries.next()),
            Items::Inner { children, .. } => {
                frame.floor = children.next().map(|child| child.last);
            }
        }
    }

    /// Passes over what is known to come before `name`, without opening anything.
    pub(super) fn skip_to(&mut self, name: &[u8]) {
        let Some(frame) = self.frames.last_mut() else { return };
        match &mut frame.items {
            Items::Leaf(entries) => {
                let before = entries.as_slice().partition_point(|e| e.name.as_bytes() < name);
                drop(entries.by_ref().take(before).last());
            }
            Items::Inner { children, .. } => {
                let before = children.as_slice().partition_point(|c| c.last.as_bytes() < name);
                if let Some(last) = children.by_ref().take(before).last() {
                    frame.floor = Some(last.last);
                }
            }
        }
    }

    /// Opens the node that comes next; nothing happens before an entry.
    ///
    /// Errors: those of `load`; a node that is malformed or not what its parent says.
    pub(super) fn open_next<L, B, E>(&mut self, load: &mut L) -> Result<(), E>
    where
        L: FnMut(&ObjectId) -> Result<B, E>,
        B: AsRef<[u8]>,
        E: From<DecodeError>,
    {
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        let Items::Inner { level, children } = &mut frame.items else { return Ok(()) };
        let level = *level - 1;
        let Some(child) = children.next() else { return Ok(()) };
        let node = Node::decode(load(&child.id)?.as_ref())?;
        let is_rightmost = frame.is_rightmost && children.as_slice().is_empty();
        check(&node, &child, level, frame.floor.as_ref(), is_rightmost)?;
        self.opened.note(level, child.id);
        let floor = frame.floor.replace(child.last);
        self.frames.push(Frame { items: node.into(), floor, is_rightmost });
        Ok(())
    }
}

/// Compares a node with what its parent says of it, and with its place among its siblings.
fn check(
    node: &Node,
    child: &Child,
    level: u8,
    floor: Option<&Name>,
    is_rightmost: bool,
) -> Result<(), DecodeError> {
    let is_full = node.len() == NODE_ITEMS_MAX;
    let is_ended = || is_full || NameHash::of(child.last.as_bytes()).ends_node(level);
    let reason = if node.level() != level {
        "has another level than its parent says"
    } else if node.totals() != Some(child.totals) {
        "has other totals than its parent says"
    } else if node.last_name() != Some(&child.last) {
        "has another last name than its parent says"
    } else if node.first_name() <= floor {
        "begins before its sibling ends"
    } else if !is_rightmost && !is_ended() {
        "ends without a cut point"
    } else {
        return Ok(());
    };
    Err(refuse(&child.id, reason))
}

fn refuse(id: &ObjectId, reason: &str) -> DecodeError {
    DecodeError::new(WHAT, 0, format!("node {id} {reason}"))
}

impl From<Node> for Items {
    fn from(node: Node) -> Self {
        match node {
            Node::Leaf(entries) => Self::Leaf(entries.into_iter()),
            Node::Inner { level, children } => {
                Self::Inner { level, children: children.into_iter() }
            }
        }
    }
}

impl Frame {
    fn is_done(&self) -> bool {
        match &self.items {
            Items::Leaf(entries) => entries.as_slice().is_empty(),
            Items::Inner { children, .. } => children.as_slice().is_empty(),
        }
    }

    fn peek(&self) -> Option<Item<'_>> {
        match &self.items {
            Items::Leaf(entries) => entries.as_slice().first().map(Item::Entry),
            Items::Inner { level, children } => {
                let child = children.as_slice().first()?;
                let is_rightmost = self.is_rightmost && children.len() == 1;
                Some(Item::Node(Unopened { child, level: *level - 1, is_rightmost }))
            }
        }
    }
}
