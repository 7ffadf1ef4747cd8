//! Tree nodes in memory, for tests of everything that reads and writes trees.
#![expect(clippy::unwrap_used, reason = "whoever calls this is a test")]

use std::cell::RefCell;
use std::collections::BTreeMap;

use provenance::object::tree::{NewNode, Summary, Target, TreeBuilder};
use provenance::object::{DecodeError, Name, ObjectId, Sha256};

/// Nodes by id.
#[derive(Default)]
pub struct Nodes(RefCell<BTreeMap<ObjectId, Vec<u8>>>);

impl Nodes {
    /// Gives the closure that operations read nodes through.
    pub fn load(&self) -> impl FnMut(&ObjectId) -> Result<Vec<u8>, DecodeError> {
        |id| {
            let missing = || DecodeError::new("node", 0, format!("{id} is missing"));
            self.0.borrow().get(id).cloned().ok_or_else(missing)
        }
    }

    /// Gives the closure that operations write nodes through.
    pub fn emit(&self) -> impl FnMut(ObjectId, &[u8]) -> Result<(), DecodeError> {
        |id, bytes| {
            assert_eq!(ObjectId::of(bytes), id);
            self.0.borrow_mut().insert(id, bytes.to_vec());
            Ok(())
        }
    }

    /// Gives the closure that an edit writes nodes through.
    pub fn emit_new(&self) -> impl for<'a> FnMut(NewNode<'a>) -> Result<(), DecodeError> {
        let mut emit = self.emit();
        move |node| emit(node.id, node.bytes)
    }

    /// Puts bytes that may be no node at all.
    pub fn put(&self, bytes: Vec<u8>) -> ObjectId {
        let id = ObjectId::of(&bytes);
        self.0.borrow_mut().insert(id, bytes);
        id
    }

    /// Gives the bytes of a node that was put.
    pub fn get(&self, id: &ObjectId) -> Vec<u8> {
        self.0.borrow().get(id).cloned().unwrap()
    }

    /// Builds one directory from sorted names and targets.
    pub fn build<'a>(&self, entries: impl IntoIterator<Item = (&'a [u8], Target)>) -> Summary {
        let mut builder = TreeBuilder::new(self.emit());
        for (name, target) in entries {
            builder.push(&Name::new(name).unwrap(), &target).unwrap();
        }
        builder.finish().unwrap()
    }
}

/// A file that holds the decimal digits of a number.
pub fn file(number: u64) -> Target {
    let content = number.to_string();
    let (id, sha256) = (ObjectId::of(content.as_bytes()), Sha256::of(content.as_bytes()));
    Target::File { id, size: content.len() as u64, sha256, executable: false }
}
