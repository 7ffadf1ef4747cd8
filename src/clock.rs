//! The only source of time: the system's clock, or a fixed one.

use std::time::{Duration, UNIX_EPOCH};

pub use crate::object::Timestamp;

/// Tells the time: the system's, or one that stands still so that ids are stable.
///
/// Shape: a fixed clock comes from `PROVENANCE_CLOCK`, milliseconds since 1970, or from a test.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// The clock of this machine, in UTC.
    System,
    /// Always this instant.
    Fixed(Timestamp),
}

impl Clock {
    /// Tells the time now.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Fixed(at) => *at,
            Self::System => match std::time::SystemTime::now().duration_since(UNIX_EPOCH) {
                Ok(since) => Timestamp(millis(since)),
                Err(before) => Timestamp(-millis(before.duration())),
            },
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
