//! One execution: who runs it, on what machine, with which surroundings, and what it left.
//!
//! What cannot be found out is left out, with a word where somebody may miss it. Nothing here
//! fails a run, and nothing is started to find out, except git, and who lets calls through after a
//! trace; and, for the fingerprint of a source, curl or the command that is declared for it.

mod accelerator;
mod account;
pub mod document;
pub mod dvc;
pub mod environment;
mod error;
pub mod fine_tune;
pub mod git;
mod hardware;
mod holder;
pub mod metrics;
pub mod mlflow;
mod plain;
pub mod process;
pub mod redact;
mod rows;
pub mod trace;
pub mod trial;
pub mod upstream;
pub mod values;

pub use account::{Account, account};
pub use error::CaptureError;
pub use hardware::system;
pub use holder::{holder, is_alive};
