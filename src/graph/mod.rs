//! Algorithms over ids: pure; neighbours come in as a closure.
//!
//! No IO, clock, randomness or threads here. A node is whatever the caller counts with, an id or
//! a position; what is known about it is read through a closure, which may fail.

#![deny(clippy::indexing_slicing)]

mod ancestry;
mod bisect;
mod ddmin;
mod reach;
mod topology;
mod walk;

#[cfg(test)]
mod drawing;
pub mod lineage;

pub use ancestry::{is_ancestor, merge_bases};
pub use bisect::{Next, Suspects, steps};
pub use ddmin::ddmin;
pub use reach::reach;
pub use topology::Topological;
pub use walk::{ByTime, between};

/// What the algorithms know about a commit.
///
/// Shape: `generation` is larger than that of every parent; the closer to the time it is, the less
/// is read.
/// Source: git's corrected commit date, "generation number v2" of its `gitformat-commit-graph`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vertex {
    /// When its author says it was made, in milliseconds since 1970; any value is fine.
    pub time: i64,
    /// The time, or 1 more than the largest generation of the parents where that is later.
    pub generation: i64,
}
