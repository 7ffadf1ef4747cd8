//! One suite for every implementation of a seam.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests may panic, plant files behind a storage's back, and say what they skip"
)]

mod faults;
mod folder;
mod journal;
mod storage;
