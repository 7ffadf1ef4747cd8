//! Algorithms over ids: pure; neighbours come in as a closure.
//!
//! No IO, clock, randomness or threads here. A node is whatever the caller counts with, an id or
//! a position; what is known about it is read through a closure, which may fail.

#![deny(clippy::indexing_slicing)]

mod ancestry;
mod reach;
mod topology;
mod walk;

#[cfg(test)]
mod drawing;

pub use ancestry::{is_ancestor, merge_bases};
pub use reach::reach;
pub use topology::Topological;
pub use walk::{ByTime, between};

/// What the algorithms know about a commit.
///
/// Shape: `generation` is larger than that of every parent; 1 more than the largest is best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vertex {
    /// When its author says it was made, in milliseconds since 1970; any value is fine.
    pub time: i64,
    /// 1 for a commit without parents, else more than the largest of its parents'.
    pub generation: u32,
}
