//! Nodes of trees as they come in: children first, each as the node above says it is.

use std::collections::HashMap;

use crate::object::tree::{Child, EMPTY_TREE, NewNode, Node, Target, Totals};
use crate::object::{Name, ObjectId};
use crate::repo::Error;
use crate::store::{Reader, Stored, Transaction};

/// What the node above says of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    level: u8,
    totals: Totals,
    last: Option<Name>,
}

impl Told {
    fn of(node: &Node) -> Self {
        let last = match node {
            Node::Leaf(entries) => entries.last().map(|entry| entry.name.clone()),
            Node::Inner { children, .. } => children.last().map(|child| child.last.clone()),
        };
        Self { level: node.level(), totals: node.totals().unwrap_or_default(), last }
    }
}

/// The nodes that a transaction is about to store, which no reader finds yet.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    fresh: HashMap<ObjectId, Told>,
}

impl Nodes {
    /// Forgets all of them: they can be read now.
    pub fn settle(&mut self) {
        self.fresh.clear();
    }

    /// Stores a node; tells whether it is new.
    ///
    /// Errors: inside, in words: what it leads to is not there, or not as it says.
    pub fn put(
        &mut self,
        (id, bytes): (ObjectId, &[u8]),
        transaction: &Transaction<'_>,
        reader: &mut Reader<'_>,
    ) -> Result<Result<bool, String>, Error> {
        if transaction.holds(&id, Stored::Tree)? {
            return Ok(Ok(false));
        }
        let node = match Node::decode(bytes) {
            Ok(node) => node,
            Err(error) => return Ok(Err(format!("node: {}", error.reason))),
        };
        if let Some(reason) = self.fault(&node, transaction, reader)? {
            return Ok(Err(reason));
        }
        transaction.put_node(NewNode { id, bytes, before: None })?;
        self.fresh.insert(id, Told::of(&node));
        Ok(Ok(true))
    }

    fn fault(
        &self,
        node: &Node,
        transaction: &Transaction<'_>,
        reader: &mut Reader<'_>,
    ) -> Result<Option<String>, Error> {
        let entries = match node {
            Node::Leaf(entries) => entries,
            Node::Inner { level, children } => {
                for child in children {
                    if let Some(reason) = self.child_fault(*level, child, transaction, reader)? {
                        return Ok(Some(reason));
                    }
                }
                return Ok(None);
            }
        };
        for entry in entries {
            let name = String::from_utf8_lossy(entry.name.as_bytes()).into_owned();
            match entry.target {
                Target::File { id, .. } | Target::Symlink { id, .. } => {
                    if !transaction.holds(&id, Stored::Blob)? {
                        return Ok(Some(format!(
                            "node: the content of {name:?} is neither here nor in the stream \
                             before it, id={id}: export it with its content"
                        )));
                    }
                }
                Target::Directory { id, files, bytes } => {
                    let Some(told) = self.told(&id, transaction, reader)? else {
                        return Ok(Some(missing(&id)));
                    };
                    if (told.totals.files, told.totals.bytes) != (files, bytes) {
                        return Ok(Some(format!("node: {name:?} is not what it says")));
                    }
                }
                Target::Commit { .. } => {
                    return Ok(Some(format!("node: {name:?} is a commit, and no file")));
                }
            }
        }
        Ok(None)
    }

    fn child_fault(
        &self,
        level: u8,
        child: &Child,
        transaction: &Transaction<'_>,
        reader: &mut Reader<'_>,
    ) -> Result<Option<String>, Error> {
        let Some(told) = self.told(&child.id, transaction, reader)? else {
            return Ok(Some(missing(&child.id)));
        };
        let (totals, last) = (child.totals, Some(child.last.clone()));
        let agrees =
            level.checked_sub(1) == Some(told.level) && (totals, last) == (told.totals, told.last);
        Ok((!agrees).then(|| format!("node: the node below is not what it says, id={}", child.id)))
    }

    fn told(
        &self,
        id: &ObjectId,
        transaction: &Transaction<'_>,
        reader: &mut Reader<'_>,
    ) -> Result<Option<Told>, Error> {
        if let Some(told) = self.fresh.get(id) {
            return Ok(Some(told.clone()));
        }
        if *id == EMPTY_TREE || !transaction.holds(id, Stored::Tree)? {
            return Ok(None);
        }
        Ok(Some(Told::of(&Node::decode(&reader.node(id)?)?)))
    }
}

fn missing(id: &ObjectId) -> String {
    format!("node: the node below it is neither here nor in the stream before it, id={id}")
}
