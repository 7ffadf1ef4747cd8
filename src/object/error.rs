//! The one error of everything that turns bytes into values.

/// Tells why bytes were refused: what they should have been, where, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is malformed at byte {offset}: {reason}")]
pub struct DecodeError {
    /// The value that was expected, in the words of its format page ("tree node", "pack footer").
    pub what: &'static str,
    /// Offset of the first offending byte, from the start of the value.
    pub offset: u64,
    /// What is wrong, as a sentence part.
    pub reason: String,
}

impl DecodeError {
    /// Builds the error from its parts.
    pub fn new(what: &'static str, offset: u64, reason: impl Into<String>) -> Self {
        Self { what, offset, reason: reason.into() }
    }
}
