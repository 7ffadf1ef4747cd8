//! What goes wrong with an index: its files, which are built anew then, or anything else.

use super::Error;
use crate::store::Stale;

/// What went wrong with an index.
pub(super) enum Trouble {
    /// Its files are not what they should be.
    Stale,
    /// Anything else.
    Other(Error),
}

impl From<Stale> for Trouble {
    fn from(_: Stale) -> Self {
        Self::Stale
    }
}

impl<E: Into<Error>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}
