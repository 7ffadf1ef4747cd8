//! Version control for AI runs: a content-addressed store with a tamper-evident journal.
//!
//! A folder is a layer and a file is a noun; who may import whom is checked by `tests/tidy.rs`
//! and explained in `docs/architecture.md`.

pub mod capture;
pub mod cli;
pub mod clock;
pub mod format;
pub mod graph;
pub mod listing;
pub mod object;
pub mod progress;
pub mod repo;
pub mod storage;
pub mod store;
pub mod threads;
pub mod worktree;
