//! Values with an id ⇄ bytes: pure, and usable everywhere.
//!
//! No IO, clock, randomness or threads here. Bytes come in and values go out; a decoder accepts
//! exactly the bytes its encoder writes. The bytes are specified in `docs/format/`.

#![deny(clippy::indexing_slicing)]

mod artifact;
pub mod canonical;
mod code;
mod commit;
mod error;
mod fine_tune;
mod id;
pub mod merkle;
mod name;
mod overlaps;
mod path;
mod profile;
mod run;
mod series;
mod source;
mod timestamp;
mod trace;
mod transaction;
pub mod tree;
pub mod wire;

pub use artifact::{Artifact, ArtifactKind, Content};
pub use code::Code;
pub use commit::{
    Author, COMMIT_BYTES_MAX, Commit, Gpu, LINE_BYTES_MAX, PARENTS_MAX, PATH_BYTES_MAX, System,
};
pub use error::DecodeError;
pub use fine_tune::FineTune;
pub use id::{ContentHasher, IdError, IdHasher, ObjectId, Prefix, Sha256, Sha256Hasher};
pub use name::{Name, NameError};
pub use overlaps::{OVERLAPS_BYTES_MAX, Overlap, OverlapSample, Overlaps, SplitSize};
pub use path::{PathError, TreePath};
pub use profile::{ColumnKind, ColumnProfile, LabelProfile, PROFILE_BYTES_MAX, Profile};
pub use run::{Input, Metric, Metrics, Output, Params, Reading, Resources, Run, Series};
pub use series::{SERIES_BYTES_MAX, SeriesValues};
pub use source::{Fingerprint, SOURCE_BYTES_MAX, SourceCheck, SourceMethod};
pub use timestamp::Timestamp;
pub use trace::{LeftOut, TRACE_BYTES_MAX, Trace, TraceFile, TraceFiles};
pub use transaction::{
    Actor, COMMAND_BYTES_MAX, TRANSACTION_BYTES_MAX, Transaction, TransactionId, UNLISTED_PREFIX,
    Update, shorten_command,
};
