//! What the worktree stands on: a branch, or a commit by itself. `docs/format/layout.md`, "HEAD".

use crate::object::{DecodeError, ObjectId};

/// What the next commit follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A branch, which may have no commit yet; the full name of its ref, `heads/main`.
    Branch(String),
    /// A commit that no branch follows.
    Detached(ObjectId),
}

impl Head {
    /// Writes the file's content: `ref: heads/main` or 64 hexadecimal digits, and a newline.
    pub fn encode(&self) -> String {
        match self {
            Self::Branch(name) => format!("ref: {name}\n"),
            Self::Detached(id) => format!("{id}\n"),
        }
    }

    /// Reads the file's content.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let malformed = |reason: &str| DecodeError::new("HEAD", 0, reason);
        let line = std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| text.strip_suffix('\n'))
            .filter(|line| !line.contains('\n'))
            .ok_or_else(|| malformed("it is not one line of text"))?;
        match line.strip_prefix("ref: ") {
            Some(name) if name.starts_with("heads/") && name.len() > "heads/".len() => {
                Ok(Self::Branch(name.to_owned()))
            }
            Some(_) => Err(malformed("it names a ref that is no branch")),
            None => ObjectId::parse(line)
                .map(Self::Detached)
                .map_err(|_| malformed("it is neither a branch nor an id")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling() {
        let branch = Head::Branch("heads/main".to_owned());
        assert_eq!(Head::decode(branch.encode().as_bytes()), Ok(branch));
        let detached = Head::Detached(ObjectId::of(b"x"));
        assert_eq!(Head::decode(detached.encode().as_bytes()), Ok(detached));
        for wrong in ["", "\n", "ref: heads/main", "ref: tags/v1\n", "ref: heads/\n", "main\n"] {
            assert!(Head::decode(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
        assert!(Head::decode(b"ref: heads/a\nref: heads/b\n").is_err());
        assert!(Head::decode(b"\xff\n").is_err());
    }
}
