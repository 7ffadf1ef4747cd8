//! User files: walk and compare them, ignore rules, stamps, settings, and write them back.
//!
//! Nothing here knows packs or refs. Everything is reached through the descriptor of the
//! worktree's root, name by name, so that no symbolic link is ever followed.

pub mod atomic;
pub mod bisect;
pub mod checkout;
pub mod compare;
pub mod config;
pub mod detect;
pub mod directory;
pub mod fresh;
pub mod fresh_links;
pub mod git_exclude;
pub mod hash;
pub mod head;
pub mod leftovers;
pub mod local;
pub mod locate;
pub mod lock;
pub mod open;
pub mod remove;
pub mod run_folder;
pub mod scan;
#[cfg(feature = "parquet")]
pub mod scratch;
pub mod settings;
pub mod stamps;
