//! Values with an id ⇄ bytes: pure, and usable everywhere.
//!
//! No IO, clock, randomness or threads here. Bytes come in and values go out; a decoder accepts
//! exactly the bytes its encoder writes. The bytes are specified in `docs/format/`.

pub mod canonical;
mod error;
mod id;
mod timestamp;

pub use error::DecodeError;
pub use id::{ContentHasher, IdError, IdHasher, ObjectId, Prefix, Sha256, Sha256Hasher};
pub use timestamp::Timestamp;
