//! Decisions: one file per operation, a request in and a report out; nothing here prints.

mod config;
pub mod date;
mod error;
mod hash;
mod init;
mod keyed_diff;
mod keyed_documents;
pub mod ref_name;
mod refs;
mod repository;
pub mod revision;
mod text_diff;

pub use config::{
    ConfigReport, ConfigRequest, Origin, Setting, config_change, config_get, config_list,
};
pub use error::{Error, ErrorKind};
pub use hash::{HashReport, HashRequest, hash_files};
pub use init::{InitReport, InitRequest, init};
pub use keyed_diff::{DocumentLanguage, KeyChange, keyed_diff};
pub use refs::{RefMove, Refs};
pub use repository::Repository;
pub use text_diff::{Hunk, Line, Side, TextDiff, is_binary, text_diff};
