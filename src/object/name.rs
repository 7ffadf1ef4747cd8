//! The name of one entry in a directory, and which names are refused wherever they could enter.
//!
//! Specified in `docs/format/tree.md`. The rules against disguises are git's: `is_hfs_dotgit` in
//! its `utf8.c` and `is_ntfs_dot_generic` in its `path.c`, widened to every code point that some
//! file system ignores or folds (ext4 and f2fs with `casefold`, APFS, ZFS with `formKC`).

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

/// Holds a valid name.
///
/// Shape: 1 to [`Name::BYTES_MAX`] bytes of any encoding, without `/` and NUL; not `.`, `..`, nor
/// anything that some file system takes for `.git` or `.provenance`. Ordered by bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<[u8]>);

/// Tells why bytes are not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There are no bytes.
    #[error("a name is empty")]
    Empty,
    /// There are more bytes than [`Name::BYTES_MAX`].
    #[error("a name is longer than {} bytes", Name::BYTES_MAX)]
    Long,
    /// The name is `.` or `..`.
    #[error("a name is . or ..")]
    Dots,
    /// The name holds a `/` or a NUL.
    #[error("a name holds a / or a NUL")]
    Separator,
    /// Some file system takes the name for `.git` or `.provenance`.
    #[error("a name is taken for .git or .provenance by some file system")]
    Reserved,
}

impl Name {
    /// Most bytes of a name: file systems stop at 255 units, which are up to 1,020 bytes, and a
    /// full node of such names stays below the 16 MiB that a block of a pack may hold.
    pub const BYTES_MAX: usize = 1_024;

    /// Takes a name that is valid.
    pub fn new(bytes: &[u8]) -> Result<Self, NameError> {
        Self::check(bytes).map(|()| Self(bytes.into()))
    }

    /// Tells whether bytes are a valid name, without a copy.
    pub fn check(bytes: &[u8]) -> Result<(), NameError> {
        match bytes {
            b"" => Err(NameError::Empty),
            b"." | b".." => Err(NameError::Dots),
            _ if bytes.len() > Self::BYTES_MAX => Err(NameError::Long),
            _ if bytes.iter().any(|byte| matches!(byte, b'/' | 0)) => Err(NameError::Separator),
            _ if is_reserved(bytes) => Err(NameError::Reserved),
            _ => Ok(()),
        }
    }

    /// Gives the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_escaped(&self.0, f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

/// Shows text as it is, and what a terminal might obey or cannot show in escapes.
pub(super) fn fmt_escaped(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(|c| c.is_control() || is_ignorable(c)) => f.write_str(text),
        _ => write!(f, "{}", bytes.escape_ascii()),
    }
}

fn is_reserved(name: &[u8]) -> bool {
    // What every spelling of the reserved names begins with, so that most names cost one look.
    if !matches!(name, [b'.' | b'g' | b'G' | b'p' | b'P' | 0x80.., ..]) {
        return false;
    }
    is_reserved_plain(name) || (!name.is_ascii() && is_reserved_folded(name))
}

/// Undoes what file systems do to names: ignores, composes and folds.
fn is_reserved_folded(name: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(name) else { return false };
    let kept = text.chars().filter(|c| !is_ignorable(*c));
    let mut folded =
        kept.nfkc().filter(|c| !is_ignorable(*c)).flat_map(char::to_lowercase).peekable();
    if !matches!(folded.peek(), Some('.' | 'g' | 'p')) {
        return false;
    }
    is_reserved_plain(folded.collect::<String>().as_bytes())
}

/// Compares without regard to ASCII case, with the short names and the tails of NTFS.
fn is_reserved_plain(name: &[u8]) -> bool {
    let stems: [&[u8]; 7] =
        [b".git", b"git~1", b".provenance", b"proven~1", b"proven~2", b"proven~3", b"proven~4"];
    let is_stem = |stem: &&[u8]| {
        name.split_at_checked(stem.len())
            .is_some_and(|(head, tail)| head.eq_ignore_ascii_case(stem) && is_dropped(tail))
    };
    stems.iter().any(is_stem) || is_hashed_short_name(name)
}

/// Tells whether NTFS opens the same file without this tail: dots, spaces, a stream, a path.
fn is_dropped(tail: &[u8]) -> bool {
    let rest = tail.iter().find(|byte| !matches!(byte, b'.' | b' '));
    matches!(rest, None | Some(b':' | b'\\'))
}

/// Tells whether NTFS may have given `.provenance` this short name after `PROVEN~4`.
///
/// From the fifth name on it takes two letters, four digits of a checksum of the long name and a
/// number, eight characters in all; the same checksum gives `gi7eba` for `.gitmodules`.
fn is_hashed_short_name(name: &[u8]) -> bool {
    const PREFIX: &[u8] = b"pr5b44";
    let Some((head, tail)) = name.split_at_checked(8) else { return false };
    let Some(tilde) = head.iter().position(|byte| *byte == b'~') else { return false };
    let (prefix, number) = head.split_at(tilde);
    let is_number = matches!(number, [_, b'1'..=b'9', rest @ ..]
        if rest.iter().all(u8::is_ascii_digit));
    let is_prefix = (2..=PREFIX.len()).contains(&tilde)
        && PREFIX.split_at_checked(tilde).is_some_and(|(own, _)| own.eq_ignore_ascii_case(prefix));
    is_prefix && is_number && is_dropped(tail)
}

/// Tells whether a code point is default-ignorable: Unicode's `DerivedCoreProperties.txt`.
///
/// HFS+ ignores some of them in names, and Linux all of them in folders with `casefold`.
fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_taken_whatever_their_encoding() {
        for name in [
            "a",
            "...",
            " ",
            ".gitignore",
            ".github",
            "git",
            "git~",
            "git~2",
            "git~10",
            ".gitx",
            ".provenanceignore",
            "provenance.toml",
            "provenance",
            "prov~1",
            "pr5b44",
            "größe",
            "pr5b44~a",
            "~1234567",
            "日本語",
            "g\u{200d}",
            "a\nb",
            "gi\\t",
            ".git-",
            "\u{200b}",
        ] {
            assert_eq!(Name::check(name.as_bytes()), Ok(()), "{name:?}");
        }
        assert_eq!(Name::check(b"\xff\xfe"), Ok(()));
        assert_eq!(Name::check(&[b'x'; Name::BYTES_MAX]), Ok(()));
    }

    #[test]
    fn names_without_a_place_in_a_directory_are_refused() {
        assert_eq!(Name::check(b""), Err(NameError::Empty));
        assert_eq!(Name::check(b"."), Err(NameError::Dots));
        assert_eq!(Name::check(b".."), Err(NameError::Dots));
        assert_eq!(Name::check(b"a/b"), Err(NameError::Separator));
        assert_eq!(Name::check(b"a\0"), Err(NameError::Separator));
        assert_eq!(Name::check(&[b'x'; Name::BYTES_MAX + 1]), Err(NameError::Long));
    }

    #[test]
    fn every_disguise_that_git_knows_is_refused_for_both_names() {
        for name in [
            ".git",
            ".GIT",
            ".Git",
            "git~1",
            "GIT~1",
            ".git.",
            ".git ",
            ".git . .",
            "git~1 .",
            ".git::$INDEX_ALLOCATION",
            ".git:stream",
            ".git\\config",
            "git~1\\x",
            ".git . :x",
            ".g\u{200c}it",
            "\u{feff}.git",
            ".git\u{200d}",
            ".\u{206f}GI\u{202e}T",
            ".provenance",
            ".PROVENANCE",
            ".Provenance. ",
            ".provenance::$DATA",
            "PROVEN~1",
            "proven~4.",
            "pr5b44~1",
            "PR5B44~9",
            "pr5b4~10",
            "pr~12345",
            ".prov\u{200b}enance",
        ] {
            assert_eq!(Name::check(name.as_bytes()), Err(NameError::Reserved), "{name:?}");
        }
    }

    #[test]
    fn code_points_that_other_file_systems_fold_are_refused_too() {
        for name in [".g\u{ad}it", ".ｇｉｔ", "．git", ".\u{e0001}git", "Ｇit~1", ".ＰＲＯvenance"]
        {
            assert_eq!(Name::check(name.as_bytes()), Err(NameError::Reserved), "{name:?}");
        }
    }

    #[test]
    fn what_a_terminal_might_obey_is_shown_escaped() {
        assert_eq!(Name::new("größe".as_bytes()).unwrap().to_string(), "größe");
        assert_eq!(Name::new(b"a\x1b[31m\n").unwrap().to_string(), "a\\x1b[31m\\n");
        assert_eq!(Name::new(b"\xff").unwrap().to_string(), "\\xff");
    }
}
