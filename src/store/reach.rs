//! Walks everything that some roots reach, each object once: what a check must find, and what a
//! collection must keep.
//!
//! The same bytes may be a file here and a tree there: objects are marked in the role in which
//! they are referred to.

use super::id_set::{IdMap, IdSet, Role, half};
use super::reader::{BLOBS, CHUNKS};
use super::{Reader, Store, StoreError, links};
use crate::format::chunk::map::{ChunkMap, MapLevel, Part, decode_list};
use crate::format::pack::{KindSet, ObjectKind};
use crate::object::tree::{Child, EMPTY_TREE, Entry, Node, Target, Totals};
use crate::object::{DecodeError, ObjectId, Sha256};
use crate::progress::Progress;
use crate::store::packs::Found;

/// Where a walk begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Root {
    /// A commit and its history.
    Commit(ObjectId),
    /// A tree: of files, or of refs.
    Tree(ObjectId),
}

/// What trees say of files, for who reads all content.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// The SHA-256 that trees name for a blob, in part.
    pub sha256: IdMap<[u8; 16]>,
    /// Blobs that are stored as chunks.
    pub chunked: Vec<ObjectId>,
}

/// What to do about something that cannot be walked: stop, or note it and go on.
pub(super) type Failed<'f> = dyn FnMut(String, StoreError) -> Result<(), StoreError> + 'f;

/// Marks what is reachable.
pub(super) struct Marker<'s, 'f> {
    store: &'s Store,
    reader: Reader<'s>,
    progress: &'f Progress,
    failed: &'f mut Failed<'f>,
    /// What was reached so far.
    pub seen: IdSet,
    /// What trees say of files, if it is to be kept.
    pub files: Option<Files>,
    stack: Vec<Item>,
    trail: Trail,
}

/// What is to be looked at.
enum Item {
    Commit(ObjectId),
    Node {
        id: ObjectId,
        name: Option<Vec<u8>>,
        expected: Expected,
    },
    /// Ends a directory.
    Leave,
}

impl Item {
    /// The root of a tree of which nothing is said elsewhere.
    const fn root(id: ObjectId) -> Self {
        Self::Node { id, name: None, expected: Expected::Anything }
    }
}

/// What the node above says of a node.
enum Expected {
    Anything,
    Directory { files: u64, bytes: u64 },
    Child { level: u8, child: Box<Child> },
}

/// Where the walk is, for people.
#[derive(Default)]
struct Trail {
    commit: Option<ObjectId>,
    names: Vec<Vec<u8>>,
}

impl Trail {
    fn at(&self, name: Option<&[u8]>) -> String {
        let names: Vec<String> = self
            .names
            .iter()
            .map(Vec::as_slice)
            .chain(name)
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect();
        let path = names.join("/");
        match (&self.commit, path.is_empty()) {
            (Some(commit), true) => format!("commit {}", commit.short()),
            (Some(commit), false) => format!("commit {}, path {path}", commit.short()),
            (None, true) => "a tree of refs, or the stage".to_owned(),
            (None, false) => format!("a tree of refs, or the stage, path {path}"),
        }
    }
}

impl<'s, 'f> Marker<'s, 'f> {
    /// Starts with nothing marked.
    pub fn new(store: &'s Store, progress: &'f Progress, failed: &'f mut Failed<'f>) -> Self {
        Self {
            store,
            reader: store.reader(),
            progress,
            failed,
            seen: IdSet::default(),
            files: None,
            stack: Vec::new(),
            trail: Trail::default(),
        }
    }

    /// Marks everything that a root reaches.
    ///
    /// Errors: those that `failed` hands on. Cost: reads each commit and each node of a tree
    /// once, and looks up each blob and chunk once.
    pub fn mark(&mut self, root: Root) -> Result<(), StoreError> {
        self.stack.push(match root {
            Root::Commit(id) => Item::Commit(id),
            Root::Tree(id) => Item::root(id),
        });
        self.walk()
    }

    /// Marks an object in every kind in which it is stored, with everything that it reaches.
    ///
    /// Errors, cost: as [`Self::mark`].
    pub fn mark_stored(&mut self, id: &ObjectId) -> Result<(), StoreError> {
        self.mention(*id)?;
        self.walk()
    }

    fn walk(&mut self) -> Result<(), StoreError> {
        self.trail = Trail::default();
        while let Some(item) = self.stack.pop() {
            self.progress.check()?;
            match item {
                Item::Leave => drop(self.trail.names.pop()),
                Item::Commit(id) => self.commit(id)?,
                Item::Node { id, name, expected } => self.node(id, name, &expected)?,
            }
        }
        Ok(())
    }

    fn commit(&mut self, id: ObjectId) -> Result<(), StoreError> {
        if !self.seen.insert(Role::Commit, &id) {
            return Ok(());
        }
        self.progress.add_files(1);
        self.trail = Trail { commit: Some(id), names: Vec::new() };
        let commit = match self.reader.commit(&id) {
            Ok(commit) => commit,
            Err(error) => return (self.failed)(self.trail.at(None), error),
        };
        self.stack.extend(commit.parents.iter().map(|parent| Item::Commit(*parent)));
        for id in links::attachments(&commit) {
            self.attachment(&id)?;
        }
        for id in links::mentions(&commit) {
            self.mention(id)?;
        }
        let changes = commit.code.as_ref().and_then(|code| code.changes);
        self.stack.extend(changes.map(Item::root));
        // The tree comes before the parents, so that the trail names this commit.
        self.stack.push(Item::root(commit.tree));
        Ok(())
    }

    /// Marks what is kept with a record, or, where it is too large for a block, with the data.
    fn attachment(&mut self, id: &ObjectId) -> Result<(), StoreError> {
        let kinds = KindSet::only(ObjectKind::Attachment);
        let packs = self.store.packs();
        let is_large = packs.find(id, kinds)?.is_none() && packs.find(id, BLOBS)?.is_some();
        match is_large {
            true => self.blob(id, None, None, None),
            false => self.object(id, Role::Attachment, kinds, None),
        }
    }

    /// Marks what a record names without promising that it is here.
    fn mention(&mut self, id: ObjectId) -> Result<(), StoreError> {
        for found in self.store.packs().listing()?.find_all(&id, KindSet::ALL) {
            match found.row.kind {
                ObjectKind::Commit => self.stack.push(Item::Commit(id)),
                ObjectKind::Tree => self.stack.push(Item::root(id)),
                ObjectKind::Blob | ObjectKind::Chunk | ObjectKind::ChunkMap => {
                    self.blob(&id, None, None, None)?;
                }
                ObjectKind::Attachment | ObjectKind::Signature => {
                    self.seen.insert(Role::Attachment, &id);
                }
            }
        }
        Ok(())
    }

    fn node(
        &mut self,
        id: ObjectId,
        name: Option<Vec<u8>>,
        expected: &Expected,
    ) -> Result<(), StoreError> {
        if id == EMPTY_TREE || !self.seen.insert(Role::Tree, &id) {
            return Ok(());
        }
        self.progress.add_files(1);
        let node = self.reader.node(&id).and_then(|bytes| {
            let node = Node::decode(&bytes);
            let node = node.and_then(|node| expected.check(node));
            node.map_err(|source| StoreError::Malformed { id, source })
        });
        let node = match node {
            Ok(node) => node,
            Err(error) => return (self.failed)(self.trail.at(name.as_deref()), error),
        };
        if let Some(name) = name {
            self.trail.names.push(name);
            self.stack.push(Item::Leave);
        }
        match node {
            Node::Leaf(entries) => entries.into_iter().try_for_each(|entry| self.entry(entry)),
            Node::Inner { level, children } => {
                self.stack.extend(children.into_iter().rev().map(|child| Item::Node {
                    id: child.id,
                    name: None,
                    expected: Expected::Child { level: level - 1, child: Box::new(child) },
                }));
                Ok(())
            }
        }
    }

    fn entry(&mut self, entry: Entry) -> Result<(), StoreError> {
        let name = entry.name.as_bytes();
        match entry.target {
            Target::File { id, size, sha256, .. } => {
                self.blob(&id, Some(size), Some(sha256), Some(name))
            }
            Target::Symlink { id, size } => self.blob(&id, Some(size), None, Some(name)),
            Target::Directory { id, files, bytes } => {
                let expected = Expected::Directory { files, bytes };
                self.stack.push(Item::Node { id, name: Some(name.to_vec()), expected });
                Ok(())
            }
            Target::Commit { id } => {
                self.stack.push(Item::Commit(id));
                Ok(())
            }
        }
    }

    fn blob(
        &mut self,
        id: &ObjectId,
        size: Option<u64>,
        sha256: Option<Sha256>,
        name: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        if let (Some(files), Some(sha256)) = (&mut self.files, sha256) {
            let part = sha256.as_bytes().first_chunk().copied().unwrap_or_default();
            if *files.sha256.entry(half(id)).or_insert(part) != part {
                let reason = "two trees name different SHA-256 for the same content";
                let source = DecodeError::new("tree", 0, reason);
                (self.failed)(self.trail.at(name), StoreError::Malformed { id: *id, source })?;
            }
        }
        if !self.seen.insert(Role::Blob, id) {
            return Ok(());
        }
        self.progress.add_files(1);
        let outcome = self.find_blob(id, size);
        outcome.or_else(|error| (self.failed)(self.trail.at(name), error))
    }

    fn find_blob(&mut self, id: &ObjectId, size: Option<u64>) -> Result<(), StoreError> {
        let mut copies = self.store.packs().listing()?.find_all(id, BLOBS);
        if copies.is_empty() {
            let missing = StoreError::Missing { id: *id };
            copies.push(self.store.packs().find(id, BLOBS)?.ok_or(missing)?);
        }
        for found in &copies {
            let bytes = match found.row.kind {
                ObjectKind::ChunkMap => self.chunks(id, found)?,
                _ => u64::from(found.row.bytes),
            };
            if size.is_some_and(|size| size != bytes) {
                let reason = "a tree names another size than the content has";
                let source = DecodeError::new("tree", 0, reason);
                return Err(StoreError::Malformed { id: *id, source });
            }
        }
        Ok(())
    }

    /// Marks the chunks of a blob, and gives how long it is.
    fn chunks(&mut self, id: &ObjectId, found: &Found) -> Result<u64, StoreError> {
        if let Some(files) = &mut self.files {
            files.chunked.push(*id);
        }
        let bytes = self.reader.blocks().checked(id, found)?;
        let map = ChunkMap::decode(bytes, id).map_err(|error| found.pack.damaged(error))?;
        for part in map.parts {
            let bytes = (map.level == MapLevel::Chunks).then_some(part.bytes);
            self.object(&part.id, Role::Chunk, CHUNKS, bytes)?;
            if map.level == MapLevel::Lists {
                self.list(&part)?;
            }
        }
        Ok(map.blob_bytes)
    }

    fn list(&mut self, list: &Part) -> Result<(), StoreError> {
        let bytes = match self.reader.get(&list.id, CHUNKS) {
            // It was named when it was looked up.
            Err(StoreError::Missing { .. }) => return Ok(()),
            bytes => bytes?,
        };
        let parts =
            decode_list(&bytes).map_err(|source| StoreError::Malformed { id: list.id, source })?;
        parts
            .iter()
            .try_for_each(|part| self.object(&part.id, Role::Chunk, CHUNKS, Some(part.bytes)))
    }

    /// Marks an object that refers to no other, and looks whether it is there.
    fn object(
        &mut self,
        id: &ObjectId,
        role: Role,
        kinds: KindSet,
        bytes: Option<u32>,
    ) -> Result<(), StoreError> {
        if !self.seen.insert(role, id) {
            return Ok(());
        }
        let error = match self.store.packs().find(id, kinds) {
            Ok(Some(found)) if bytes.is_none_or(|bytes| bytes == found.row.bytes) => return Ok(()),
            Ok(Some(_)) => {
                let reason = "a chunk has another length than its map says";
                let source = DecodeError::new("chunk map", 0, reason);
                StoreError::Malformed { id: *id, source }
            }
            Ok(None) => StoreError::Missing { id: *id },
            Err(error) => error,
        };
        (self.failed)(self.trail.at(None), error)
    }
}

impl Expected {
    /// Hands a node on if it is what the node above says.
    fn check(&self, node: Node) -> Result<Node, DecodeError> {
        let Totals { files, bytes, .. } = node.totals().unwrap_or_default();
        let agrees = match self {
            Self::Anything => true,
            Self::Directory { files: told, bytes: told_bytes } => {
                (files, bytes) == (*told, *told_bytes)
            }
            Self::Child { level, child } => {
                let last = match &node {
                    Node::Leaf(entries) => entries.last().map(|entry| &entry.name),
                    Node::Inner { children, .. } => children.last().map(|child| &child.last),
                };
                node.level() == *level
                    && node.totals() == Some(child.totals)
                    && last == Some(&child.last)
            }
        };
        match agrees {
            true => Ok(node),
            false => Err(DecodeError::new("tree", 0, "it is not what the node above says")),
        }
    }
}
