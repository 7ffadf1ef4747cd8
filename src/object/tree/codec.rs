//! Nodes ⇄ bytes.
//!
//! Specified in `docs/format/tree.md`. Whatever one node shows of itself is checked here; what
//! takes its parent to see is checked in `cursor.rs`.

use super::cut::{LEVEL_MAX, NODE_ITEMS_MAX, NameHash};
use super::{Child, EMPTY_TREE, Entry, Node, Target, Totals};
use crate::object::name::Name;
use crate::object::wire::{Reader, put};
use crate::object::{DecodeError, ObjectId, Sha256};

/// What errors call a node.
pub(super) const WHAT: &str = "tree node";

const VERSION: u8 = 1;
const FILE: u8 = 1;
const EXECUTABLE: u8 = 2;
const SYMLINK: u8 = 3;
const DIRECTORY: u8 = 4;
const COMMIT: u8 = 5;

/// Length and one byte of a name, kind, id.
const ENTRY_BYTES_MIN: usize = 8 + 1 + 1 + 32;
/// Length and one byte of a name, id, three totals.
const CHILD_BYTES_MIN: usize = 8 + 1 + 32 + 3 * 8;
/// Version, level, and the count that [`set_count`] fills in.
const COUNT_OFFSET: usize = 2;

/// Begins the bytes of a node whose count is not known yet.
pub(super) fn put_header(into: &mut Vec<u8>, level: u8) {
    put(into, VERSION);
    put(into, level);
    put(into, 0_u64);
}

/// Fills in the count of a node that [`put_header`] began at the front of `bytes`.
pub(super) fn set_count(bytes: &mut [u8], count: usize) {
    let field = bytes.get_mut(COUNT_OFFSET..).and_then(|rest| rest.first_chunk_mut());
    if let Some(field) = field {
        *field = (count as u64).to_le_bytes();
    }
}

pub(super) fn put_entry(into: &mut Vec<u8>, name: &[u8], target: &Target) {
    put(into, name);
    match target {
        Target::File { id, size, sha256, executable } => {
            put(into, if *executable { EXECUTABLE } else { FILE });
            put(into, id.as_bytes());
            put(into, size);
            put(into, sha256.as_bytes());
        }
        Target::Symlink { id, size } => {
            put(into, SYMLINK);
            put(into, id.as_bytes());
            put(into, size);
        }
        Target::Directory { id, files, bytes } => {
            put(into, DIRECTORY);
            put(into, id.as_bytes());
            put(into, files);
            put(into, bytes);
        }
        Target::Commit { id } => {
            put(into, COMMIT);
            put(into, id.as_bytes());
        }
    }
}

pub(super) fn put_child(into: &mut Vec<u8>, last: &[u8], id: &ObjectId, totals: &Totals) {
    put(into, last);
    put(into, id.as_bytes());
    put(into, totals.entries);
    put(into, totals.files);
    put(into, totals.bytes);
}

impl Node {
    /// Gives the bytes of the node, whose BLAKE3 is its id.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_header(&mut bytes, self.level());
        set_count(&mut bytes, self.len());
        match self {
            Self::Leaf(entries) => {
                entries.iter().for_each(|e| put_entry(&mut bytes, e.name.as_bytes(), &e.target));
            }
            Self::Inner { children, .. } => children
                .iter()
                .for_each(|c| put_child(&mut bytes, c.last.as_bytes(), &c.id, &c.totals)),
        }
        bytes
    }

    /// Takes the bytes of one node, which `encode` gives back unchanged.
    ///
    /// Errors: everything that is decidable without the nodes around it: another version, names
    /// that are refused or out of order, a cut point before the end, totals that overflow, bytes
    /// that are missing or left over.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(WHAT, bytes);
        let version: u8 = reader.take()?;
        if version != VERSION {
            return Err(reader.refuse(0, format!("version {version} is not known")));
        }
        let level: u8 = reader.take()?;
        if level > LEVEL_MAX {
            return Err(reader.refuse(1, format!("level {level} is above {LEVEL_MAX}")));
        }
        let item_bytes_min = if level == 0 { ENTRY_BYTES_MIN } else { CHILD_BYTES_MIN };
        let count = reader.take_count(item_bytes_min)?;
        if count > NODE_ITEMS_MAX || (level > 0 && count == 0) {
            return Err(reader.refuse(COUNT_OFFSET as u64, format!("{count} items in a node")));
        }
        let mut sequence = Sequence { level, before: None, totals: Totals::default() };
        let node = if level == 0 {
            let mut entries = Vec::with_capacity(count);
            for _ in 0..count {
                entries.push(sequence.take_entry(&mut reader)?);
            }
            Self::Leaf(entries)
        } else {
            let mut children = Vec::with_capacity(count);
            for _ in 0..count {
                children.push(sequence.take_child(&mut reader)?);
            }
            Self::Inner { level, children }
        };
        reader.finish()?;
        Ok(node)
    }
}

/// What the items so far say about the next one.
struct Sequence<'a> {
    level: u8,
    before: Option<Before<'a>>,
    totals: Totals,
}

struct Before<'a> {
    name: &'a [u8],
    hash: NameHash,
    entries: u64,
}

impl<'a> Sequence<'a> {
    fn take_entry(&mut self, reader: &mut Reader<'a>) -> Result<Entry, DecodeError> {
        let offset = reader.offset();
        let (name, bytes) = self.take_name(reader)?;
        let target = take_target(reader)?;
        self.admit(reader, offset, bytes, target.totals())?;
        Ok(Entry { name, target })
    }

    fn take_child(&mut self, reader: &mut Reader<'a>) -> Result<Child, DecodeError> {
        let offset = reader.offset();
        let (last, bytes) = self.take_name(reader)?;
        let id = ObjectId::from_bytes(reader.take()?);
        let (entries, files, sizes) = (reader.take()?, reader.take()?, reader.take()?);
        let totals = Totals { entries, files, bytes: sizes };
        if entries == 0 || (self.level == 1 && entries > NODE_ITEMS_MAX as u64) {
            return Err(reader.refuse(offset, format!("a child of {entries} entries")));
        }
        if files == 0 && sizes > 0 {
            return Err(reader.refuse(offset, "a child with bytes but without files"));
        }
        self.admit(reader, offset, bytes, totals)?;
        Ok(Child { last, id, totals })
    }

    fn take_name(&self, reader: &mut Reader<'a>) -> Result<(Name, &'a [u8]), DecodeError> {
        let offset = reader.offset();
        let bytes: &[u8] = reader.take()?;
        let name = Name::new(bytes).map_err(|e| reader.refuse(offset, e.to_string()))?;
        let Some(before) = &self.before else { return Ok((name, bytes)) };
        if before.name >= bytes {
            return Err(reader.refuse(offset, "a name does not come after the one before it"));
        }
        if before.hash.ends_node(self.level) {
            return Err(reader.refuse(offset, "the node goes on after a cut point"));
        }
        let is_child_ended = match self.level.checked_sub(1) {
            None => true,
            Some(0) => before.hash.ends_node(0) || before.entries == NODE_ITEMS_MAX as u64,
            Some(below) => before.hash.ends_node(below) || before.entries >= NODE_ITEMS_MAX as u64,
        };
        if !is_child_ended {
            return Err(reader.refuse(offset, "the child before ends without a cut point"));
        }
        Ok((name, bytes))
    }

    fn admit(
        &mut self,
        reader: &Reader<'a>,
        offset: u64,
        name: &'a [u8],
        totals: Totals,
    ) -> Result<(), DecodeError> {
        let sum = self.totals.checked_add(totals);
        self.totals = sum.ok_or_else(|| reader.refuse(offset, "the totals overflow"))?;
        let hash = NameHash::of(name);
        self.before = Some(Before { name, hash, entries: totals.entries });
        Ok(())
    }
}

fn take_target(reader: &mut Reader<'_>) -> Result<Target, DecodeError> {
    let offset = reader.offset();
    let kind: u8 = reader.take()?;
    let id = ObjectId::from_bytes(reader.take()?);
    match kind {
        FILE | EXECUTABLE => {
            let size = reader.take()?;
            let sha256 = Sha256::from_bytes(reader.take()?);
            Ok(Target::File { id, size, sha256, executable: kind == EXECUTABLE })
        }
        SYMLINK => Ok(Target::Symlink { id, size: reader.take()? }),
        DIRECTORY => {
            let (files, bytes) = (reader.take()?, reader.take()?);
            if id == EMPTY_TREE || (files == 0 && bytes > 0) {
                return Err(
                    reader.refuse(offset, "a directory that is empty, or has bytes but no files")
                );
            }
            Ok(Target::Directory { id, files, bytes })
        }
        COMMIT => Ok(Target::Commit { id }),
        _ => Err(reader.refuse(offset, format!("kind {kind} is not known"))),
    }
}
