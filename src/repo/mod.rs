//! Decisions: one file per operation, a request in and a report out; nothing here prints.

pub mod date;
mod error;
mod init;
mod keyed_diff;
mod keyed_documents;
pub mod ref_name;
mod refs;
mod repository;
pub mod revision;
mod text_diff;

pub use error::{Error, ErrorKind};
pub use init::{InitReport, InitRequest, init};
pub use keyed_diff::{DocumentLanguage, KeyChange, keyed_diff};
pub use refs::{RefMove, Refs};
pub use repository::Repository;
pub use text_diff::{Hunk, Line, Side, TextDiff, is_binary, text_diff};
