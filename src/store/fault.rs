//! Errors of the store, sorted by what the caller can do about them.

use super::{JournalError, StoreError};
use crate::storage::{Reason, StorageError};

/// What kind of trouble an error means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Something stored is missing or damaged: run fsck.
    Corrupt,
    /// The system does not let us: mend the permissions.
    Denied,
    /// The disk did not do it: mend that and try again.
    Unavailable,
    /// The folder is no repository.
    NotRepository,
    /// The repository needs a newer program, or the content is beyond what the format holds.
    Unsupported,
    /// Somebody asked to stop.
    Interrupted,
    /// A fault in this program.
    Internal,
}

impl StoreError {
    /// Tells whether there is no room for what was to be written.
    pub fn is_no_room(&self) -> bool {
        match self {
            Self::Storage(error) => is_no_room(error),
            Self::Journal(error) => error.is_no_room(),
            _ => false,
        }
    }

    /// Sorts the error.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Storage(error) => of_storage(error),
            Self::NotRepository { .. } => Fault::NotRepository,
            Self::Newer { .. } | Self::TooLarge(_) => Fault::Unsupported,
            Self::Damaged { .. }
            | Self::Format { .. }
            | Self::Mismatch { .. }
            | Self::Missing { .. }
            | Self::StaleGraph(_)
            | Self::Tree(_)
            | Self::Malformed { .. } => Fault::Corrupt,
            Self::OutOfMemory | Self::EncodeMismatch | Self::Overdue => Fault::Unavailable,
            Self::Journal(error) => error.fault(),
            Self::Build(_) => Fault::Internal,
            Self::Interrupted(_) => Fault::Interrupted,
        }
    }
}

impl JournalError {
    /// As [`StoreError::is_no_room`].
    pub fn is_no_room(&self) -> bool {
        matches!(self, Self::Storage(error) if is_no_room(error))
    }

    /// Sorts the error.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Storage(error) => of_storage(error),
            Self::Damaged { .. } | Self::Missing { .. } | Self::Broken { .. } => Fault::Corrupt,
            Self::Refused(_) => Fault::Unsupported,
            Self::OutcomeUnknown { .. } | Self::NoRandomness => Fault::Unavailable,
        }
    }
}

fn is_no_room(error: &StorageError) -> bool {
    matches!(error.reason(), Some(Reason::NoSpace | Reason::Quota))
}

fn of_storage(error: &StorageError) -> Fault {
    match error {
        StorageError::Bounds { .. } | StorageError::TooLong { .. } => Fault::Corrupt,
        StorageError::Key { .. } => Fault::Internal,
        _ => match error.reason() {
            Some(Reason::Denied | Reason::ReadOnly) => Fault::Denied,
            Some(Reason::Missing) => Fault::NotRepository,
            _ => Fault::Unavailable,
        },
    }
}
