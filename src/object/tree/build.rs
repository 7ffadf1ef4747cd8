//! Builds a directory from its entries in order, holding one unfinished node per level.

use super::codec::{WHAT, put_child, put_entry, put_header, set_count};
use super::cut::{LEVEL_MAX, NODE_ITEMS_MAX, NameHash};
use super::{Child, EMPTY_TREE, Summary, Target, Totals};
use crate::object::name::Name;
use crate::object::{DecodeError, ObjectId};

/// Builds one directory from its entries in ascending order.
///
/// Shape: `emit` gets each new node once finished, children before parents.
/// Cost: no allocation per entry; the bytes of one unfinished node per level, about 100 KiB each.
#[derive(Debug)]
pub struct TreeBuilder<F> {
    levels: Levels,
    emit: F,
}

impl<F, E> TreeBuilder<F>
where
    F: FnMut(ObjectId, &[u8]) -> Result<(), E>,
    E: From<DecodeError>,
{
    /// Starts a directory without entries, whose nodes go to `emit`.
    pub fn new(emit: F) -> Self {
        Self { levels: Levels::default(), emit }
    }

    /// Adds an entry.
    ///
    /// Errors: a name that does not come after the one before it, an empty directory, totals
    /// beyond `u64`; and those of `emit`.
    pub fn push(&mut self, name: &Name, target: &Target) -> Result<(), E> {
        let Self { levels, emit } = self;
        levels.push_entry(name.as_bytes(), target, &mut |_, id, node: &[u8]| emit(id, node))
    }

    /// Emits what is left and gives the directory.
    pub fn finish(mut self) -> Result<Summary, E> {
        let Self { levels, emit } = &mut self;
        let root = levels.finish(&mut |_, id, node: &[u8]| emit(id, node))?;
        let Root { id, totals, .. } = root;
        Ok(Summary { id, files: totals.files, bytes: totals.bytes })
    }
}

/// The unfinished nodes of a directory, leaf first.
#[derive(Debug, Default)]
pub(super) struct Levels {
    levels: Vec<Level>,
    /// The name that was pushed last, which is also the last name of every unfinished node.
    last: Vec<u8>,
}

#[derive(Debug, Default)]
struct Level {
    /// The unfinished node; nothing while it has no items.
    bytes: Vec<u8>,
    count: usize,
    totals: Totals,
    /// Nodes of this level that are finished; any number from 2 on means several.
    finished: u64,
    /// The node that was finished last.
    newest: Option<Root>,
}

/// A node that may turn out to be the root.
#[derive(Debug, Clone, Copy)]
pub(super) struct Root {
    pub(super) id: ObjectId,
    pub(super) level: u8,
    pub(super) totals: Totals,
    /// Whether it was taken over whole, so that it may have a single child.
    pub(super) is_reused: bool,
}

impl Levels {
    /// Tells whether nothing was pushed.
    pub(super) fn is_empty(&self) -> bool {
        self.last.is_empty()
    }

    /// Tells whether the next item begins a new node on this level and all below.
    pub(super) fn is_aligned(&self, level: u8) -> bool {
        self.levels.iter().take(usize::from(level) + 1).all(|level| level.count == 0)
    }

    pub(super) fn push_entry<F, E>(
        &mut self,
        name: &[u8],
        target: &Target,
        emit: &mut F,
    ) -> Result<(), E>
    where
        F: FnMut(u8, ObjectId, &[u8]) -> Result<(), E>,
        E: From<DecodeError>,
    {
        if target.id() == EMPTY_TREE && target.is_directory() {
            return Err(refuse("an empty directory is not recorded").into());
        }
        self.advance(name)?;
        self.add(0, target.totals(), |bytes| put_entry(bytes, name, target))?;
        self.cut(0, NameHash::of(name), emit)
    }

    /// Adds an entry whose name is known to end no leaf, as it stood inside one before.
    ///
    /// Cost: that of [`Self::push_entry`] without the hash of the name.
    pub(super) fn push_inside<F, E>(
        &mut self,
        name: &[u8],
        target: &Target,
        emit: &mut F,
    ) -> Result<(), E>
    where
        F: FnMut(u8, ObjectId, &[u8]) -> Result<(), E>,
        E: From<DecodeError>,
    {
        self.advance(name)?;
        self.add(0, target.totals(), |bytes| put_entry(bytes, name, target))?;
        match self.level(0).count < NODE_ITEMS_MAX {
            true => Ok(()),
            false => self.cut(0, NameHash::of(name), emit),
        }
    }

    /// Takes over a whole node of an older version; needs [`Self::is_aligned`] at its level.
    pub(super) fn push_node<F, E>(&mut self, level: u8, node: &Child, emit: &mut F) -> Result<(), E>
    where
        F: FnMut(u8, ObjectId, &[u8]) -> Result<(), E>,
        E: From<DecodeError>,
    {
        self.advance(node.last.as_bytes())?;
        for below in 0..level {
            // How many nodes it has on the levels below is not known, and matters only to
            // `finish`, where this node itself is looked at if it is all there is.
            let below = self.level(below);
            below.finished = below.finished.saturating_add(2);
        }
        let root = Root { id: node.id, level, totals: node.totals, is_reused: true };
        self.add_node(root)?;
        self.cut(level + 1, NameHash::of(node.last.as_bytes()), emit)
    }

    /// Finishes every level and gives the root: the only node of the first level that has one.
    pub(super) fn finish<F, E>(&mut self, emit: &mut F) -> Result<Root, E>
    where
        F: FnMut(u8, ObjectId, &[u8]) -> Result<(), E>,
        E: From<DecodeError>,
    {
        for level in 0..=LEVEL_MAX {
            let own = self.level(level);
            if own.count > 0 || own.finished == 0 {
                let node = self.close(level, emit)?;
                if self.level(level).finished == 0 {
                    return Ok(node);
                }
                self.add_node(node)?;
            } else if let (1, Some(node)) = (own.finished, own.newest) {
                return Ok(node);
            }
        }
        Err(refuse("more entries than a directory can hold").into())
    }

    fn advance(&mut self, name: &[u8]) -> Result<(), DecodeError> {
        if self.last.as_slice() >= name {
            return Err(refuse("a name does not come after the one before it"));
        }
        self.last.clear();
        self.last.extend_from_slice(name);
        Ok(())
    }

    /// Finishes the nodes that end after the item that was just added to `level`.
    fn cut<F, E>(&mut self, mut level: u8, hash: NameHash, emit: &mut F) -> Result<(), E>
    where
        F: FnMut(u8, ObjectId, &[u8]) -> Result<(), E>,
        E: From<DecodeError>,
    {
        while hash.ends_node(level) || self.level(level).count >= NODE_ITEMS_MAX {
            let node = self.close(level, emit)?;
            self.add_node(node)?;
            level += 1;
        }
        Ok(())
    }

    /// Emits the unfinished node of a level, which may have no items at the very end only, and says
    /// which level that is.
    fn close<F, E>(&mut self, level: u8, emit: &mut F) -> Result<Root, E>
    where
        F: FnMut(u8, ObjectId, &[u8]) -> Result<(), E>,
        E: From<DecodeError>,
    {
        let own = self.level(level);
        if own.bytes.is_empty() {
            put_header(&mut own.bytes, level);
        }
        set_count(&mut own.bytes, own.count);
        let id = ObjectId::of(&own.bytes);
        emit(level, id, &own.bytes)?;
        let root = Root { id, level, totals: own.totals, is_reused: false };
        own.bytes.clear();
        own.count = 0;
        own.totals = Totals::default();
        Ok(root)
    }

    /// Adds a finished node to the level above its own.
    fn add_node(&mut self, node: Root) -> Result<(), DecodeError> {
        if node.level >= LEVEL_MAX {
            return Err(refuse("more entries than a directory can hold"));
        }
        let own = self.level(node.level);
        own.finished = own.finished.saturating_add(1);
        own.newest = Some(node);
        let last = std::mem::take(&mut self.last);
        let added = self.add(node.level + 1, node.totals, |bytes| {
            put_child(bytes, &last, &node.id, &node.totals);
        });
        self.last = last;
        added
    }

    fn add(
        &mut self,
        level: u8,
        totals: Totals,
        put_item: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), DecodeError> {
        let own = self.level(level);
        if own.bytes.is_empty() {
            put_header(&mut own.bytes, level);
        }
        put_item(&mut own.bytes);
        own.count += 1;
        let sum = own.totals.checked_add(totals);
        own.totals = sum.ok_or_else(|| refuse("the totals of a directory overflow"))?;
        Ok(())
    }

    fn level(&mut self, level: u8) -> &mut Level {
        let at = usize::from(level);
        if self.levels.len() <= at {
            self.levels.resize_with(at + 1, Level::default);
        }
        self.levels.get_mut(at).expect("it was made just now")
    }
}

fn refuse(reason: &str) -> DecodeError {
    DecodeError::new(WHAT, 0, reason)
}
