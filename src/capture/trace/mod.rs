//! Which files a command opens, it and all that it starts: seen by the kernel's leave, without
//! privileges, whatever language they are written in.
//!
//! A seccomp filter stops the few calls that open or name files; this process looks up which file
//! is meant, notes it, and lets the call go on (seccomp_unotify(2)). All other calls run at full
//! speed, and debuggers work inside. What cannot be seen is in `docs/runs.md`. What is recorded of
//! it is decided in `repo/run`.

mod call;
mod filter;
mod keeper;
mod listener;
mod place;
mod seen;
mod start;
mod watcher;

use std::time::Duration;

pub use keeper::keep_calls_going;
pub use place::{Look, LookKind};
pub use seen::OpenedFile;
pub(super) use start::Trace;

/// What a command opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opened {
    /// The files, ascending by path.
    pub files: Vec<OpenedFile>,
    /// Calls that were seen.
    pub calls: u64,
    /// What it cost: how long these calls were held, with the way to us and back.
    pub cost: Duration,
    /// Calls that could not be followed, and files beyond what is told one by one.
    pub missed: u64,
    /// Openings of files that the command saw under another root, or through other mounts.
    pub elsewhere: u64,
    /// Rings of io_uring(7) that it was refused.
    pub rings: u64,
    /// Whether something goes on that is not watched any more.
    pub is_cut_off: bool,
}
