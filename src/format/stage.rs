//! The stage: one tree that the next commit would hold.
//!
//! The bytes are specified in `docs/format/stage.md`. What makes a comparison with the worktree
//! quick is in [`super::stamps`].

use crate::object::canonical::{self, Object, Value};
use crate::object::{DecodeError, ObjectId};

/// The value of the field `schema`.
pub const SCHEMA: &str = "provenance/stage/v1";

/// Longest stage that is read, in bytes.
pub const BYTES_MAX: usize = 4096;

/// What the next commit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// The root of the staged tree; its nodes are in packs.
    pub tree: ObjectId,
}

impl Stage {
    /// Spells the stage.
    ///
    /// Source: `docs/format/stage.md`.
    pub fn encode(&self) -> Vec<u8> {
        let mut object = Object::new();
        object.set("schema", SCHEMA);
        object.set("tree", self.tree.to_record());
        Value::from(object).encode()
    }

    /// Reads what [`Stage::encode`] spells, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        canonical::decode_record(bytes, "stage", BYTES_MAX, |fields| {
            fields.schema(SCHEMA)?;
            Ok(Self { tree: fields.required("tree", Value::id)? })
        })
    }
}
