//! Decisions: one file per operation, a request in and a report out; nothing here prints.

mod error;

pub use error::{Error, ErrorKind};
