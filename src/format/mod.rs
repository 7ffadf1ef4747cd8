//! Files that hold objects ⇄ bytes: pure; seen only by `store` and `worktree`.
//!
//! No IO, clock, randomness or threads here. Bytes come in and values go out; every length is
//! checked before it is believed. The bytes are specified in `docs/format/`.

#![deny(clippy::indexing_slicing)]

pub mod bisect;
pub mod block;
pub mod chunk;
pub mod commit_graph;
pub mod entry_file;
mod field;
pub mod layout;
pub mod lease;
pub mod lineage_index;
pub mod pack;
pub mod run_record;
pub mod run_state;
pub mod runs_index;
pub mod stage;
pub mod stamps;
pub mod tensor;
pub mod tile;
