//! Why a stream of answers ended early: an error of ours, or one of whoever takes them.

use super::Error;
use crate::object::DecodeError;
use crate::store::StoreError;

/// Either error; only inside of an operation.
#[derive(Debug)]
pub(super) enum Halt<E> {
    /// The taker wants no more.
    Taker(E),
    /// The operation cannot go on.
    Own(Error),
}

impl<E: From<Error>> Halt<E> {
    /// Gives the error in the taker's type.
    pub fn into_error(self) -> E {
        match self {
            Self::Taker(error) => error,
            Self::Own(error) => error.into(),
        }
    }
}

impl<E> From<Error> for Halt<E> {
    fn from(error: Error) -> Self {
        Self::Own(error)
    }
}

impl<E> From<StoreError> for Halt<E> {
    fn from(error: StoreError) -> Self {
        Self::Own(error.into())
    }
}

impl<E> From<DecodeError> for Halt<E> {
    fn from(error: DecodeError) -> Self {
        Self::Own(error.into())
    }
}
