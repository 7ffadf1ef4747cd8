//! The names of stored files, which can never lead out of the storage.

use std::fmt;

use super::StorageError;

/// Names a stored file: `pack/records-….pack`.
///
/// Shape: one or more parts joined by `/`; a part is made of ASCII letters, digits, `.`, `-` and
/// `_`, and does not begin with a dot; the first is not `tmp`, where files are that have no name
/// yet. So no key is absolute, climbs, hides or needs escaping.
/// Units: 1 to 512 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// Longest key in bytes.
    pub const BYTES_MAX: usize = 512;

    /// Takes a text that has the form of a key.
    ///
    /// Errors: [`StorageError::Key`] with what is wrong.
    pub fn new(text: impl Into<String>) -> Result<Self, StorageError> {
        let text = text.into();
        match fault(&text) {
            None => Ok(Self(text)),
            Some(reason) => Err(StorageError::Key { key: text, reason }),
        }
    }

    /// Gives the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Gives all but the last part; empty for a key of one part.
    pub fn folder(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Gives the last part.
    pub fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }
}

/// Splits what keys may begin with into a whole folder and the begin of a part, both perhaps empty.
///
/// Errors: [`StorageError::Key`] if no key can begin so.
pub(super) fn split_prefix(prefix: &str) -> Result<(&str, &str), StorageError> {
    let Some((folder, begin)) = prefix.rsplit_once('/') else {
        if !prefix.is_empty() {
            Key::new(prefix)?;
        }
        return Ok(("", prefix));
    };
    Key::new(folder)?;
    if !begin.is_empty() {
        Key::new(begin)?;
    }
    Ok((folder, begin))
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn fault(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it is empty");
    }
    if text.len() > Key::BYTES_MAX {
        return Some("it is longer than 512 bytes");
    }
    if text == "tmp" || text.starts_with("tmp/") {
        return Some("tmp is for files without a name");
    }
    text.split('/').find_map(|part| {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        match part {
            "" => Some("it has an empty part"),
            _ if part.starts_with('.') => Some("a part begins with a dot"),
            _ if part.len() > 255 => Some("a part is longer than 255 bytes"),
            _ if !part.bytes().all(is_plain) => {
                Some("only ASCII letters, digits, dot, hyphen and underscore are allowed")
            }
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_cannot_lead_out_of_the_storage() {
        let long = "a/".repeat(300) + "a";
        for text in [
            "",
            "/",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a/./b",
            "a//b",
            "a/",
            ".git",
            "a\\b",
            "é",
            "tmp",
            "tmp/a",
        ] {
            assert!(matches!(Key::new(text), Err(StorageError::Key { .. })), "{text:?}");
        }
        assert!(Key::new(long).is_err());
        assert!(Key::new("a\0b").is_err());
        assert!(Key::new("a".repeat(256)).is_err());
    }

    #[test]
    fn a_key_has_a_folder_and_a_name() {
        let key = Key::new("journal/tile/0/x001/067").expect("plain parts");
        assert_eq!((key.folder(), key.name()), ("journal/tile/0/x001", "067"));
        let key = Key::new("format").expect("plain part");
        assert_eq!((key.folder(), key.name()), ("", "format"));
    }
}
