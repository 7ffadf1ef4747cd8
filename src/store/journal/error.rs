//! What can go wrong with a journal, by what to do next.

use crate::object::DecodeError;
use crate::storage::{Key, StorageError};

/// Tells why the journal could not be read or appended to.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk or bucket did not do what was asked.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A file of the journal is there and cannot be believed.
    #[error("damaged file of the journal, key={key}")]
    Damaged {
        /// The file.
        key: Key,
        /// What is wrong in it.
        source: DecodeError,
    },
    /// An entry is gone that must be there.
    #[error("journal entry missing, number={number}")]
    Missing {
        /// Its number.
        number: u64,
    },
    /// An entry names another past than the one that is there.
    #[error("journal entry does not continue the entries before it, number={number}")]
    Broken {
        /// Its number.
        number: u64,
    },
    /// What a new entry would say breaks a rule of its format, or is too long.
    #[error("journal entry refused")]
    Refused(#[source] DecodeError),
    /// It is not known whether the new entry is there: the same command may simply be run again.
    #[error("outcome unknown, run the same command again, journal entry={number}")]
    OutcomeUnknown {
        /// Its number.
        number: u64,
        /// What went wrong at the decisive moment.
        source: StorageError,
    },
    /// The system gave no random numbers.
    #[error("the system gives no random numbers")]
    NoRandomness,
}
