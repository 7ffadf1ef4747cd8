//! What a `.dvc` file or a stage says of one file or directory: where it is, and its MD5.

use md5::{Digest as _, Md5 as Hasher};

use super::Snapshot;
use crate::object::canonical::{Object, Value};

/// An MD5, by which DVC names content.
pub type Md5 = [u8; 16];

/// A file or a directory as DVC names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracked {
    /// Where it is, from the root.
    pub path: String,
    /// What it holds: of a directory its list, as DVC spells it.
    pub md5: Md5,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Bytes in all, where DVC says so.
    pub bytes: Option<u64>,
    /// Whether it is named as DVC before 3.0 did: line ends of a text counted as `\n`.
    pub is_older: bool,
    /// Whether its owner may execute it.
    pub is_executable: bool,
}

impl Tracked {
    /// Gives its MD5 as DVC spells it.
    pub fn name(&self) -> String {
        let digits: String = self.md5.iter().map(|byte| format!("{byte:02x}")).collect();
        if self.is_directory { digits + ".dir" } else { digits }
    }
}

/// Hashes bytes as DVC does.
pub fn md5_of(bytes: &[u8]) -> Md5 {
    Hasher::digest(bytes).into()
}

/// Reads 32 hexadecimal digits.
pub(super) fn parse_md5(text: &str) -> Option<Md5> {
    let mut md5 = Md5::default();
    let digits = text.as_bytes();
    if digits.len() != 32 {
        return None;
    }
    for (byte, pair) in md5.iter_mut().zip(digits.chunks(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        let is_hex = pair.bytes().all(|digit| digit.is_ascii_hexdigit());
        *byte = u8::from_str_radix(pair, 16).ok().filter(|_| is_hex)?;
    }
    Some(md5)
}

/// Joins a folder and a path that may lead up; none if it leads out.
pub(super) fn join(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains("://") || path.contains('\\') {
        return None;
    }
    let mut names: Vec<&str> = Vec::new();
    for name in folder.split('/').chain(path.split('/')) {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()?),
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

/// Reads what a `.dvc` file tracks.
pub(super) fn read_pointer(folder: &str, file: &str, document: &Object, into: &mut Snapshot) {
    let wdir = document.find("wdir").and_then(|wdir| wdir.text().ok()).unwrap_or(".");
    let folder = join(folder, wdir);
    let Some(Value::List(outs)) = document.find("outs") else {
        into.notes.push(format!("{file}: it names no outs"));
        return;
    };
    for out in outs {
        let read = folder.as_deref().ok_or_else(|| "it is outside of the repository".to_owned());
        match read.and_then(|folder| read_one(folder, out)) {
            Ok(tracked) => drop(into.tracked.insert(tracked.path.clone(), tracked)),
            Err(reason) => into.notes.push(format!("{file}: {reason}")),
        }
    }
}

/// Reads one of `outs` or `deps`.
///
/// Errors: in words, for what has no MD5, or is outside of the repository.
pub(super) fn read_one(folder: &str, out: &Value) -> Result<Tracked, String> {
    let out = out.object().map_err(|error| error.to_string())?;
    let text = |name| out.find(name).and_then(|value| value.text().ok());
    let path = text("path").ok_or("an entry has no path")?;
    let full = join(folder, path).filter(|full| !full.is_empty());
    let full = full.ok_or_else(|| format!("{path:?} is outside of the repository"))?;
    let md5 = text("md5").ok_or_else(|| format!("{path:?} has no md5"))?;
    let (digits, is_directory) = match md5.strip_suffix(".dir") {
        Some(digits) => (digits, true),
        None => (md5, false),
    };
    let md5 = parse_md5(digits).ok_or_else(|| format!("the md5 of {path:?} is none"))?;
    Ok(Tracked {
        path: full,
        md5,
        is_directory,
        bytes: out.find("size").and_then(|size| size.counted().ok()),
        is_older: text("hash") != Some("md5"),
        is_executable: out.find("isexec").is_some_and(|is| is.boolean() == Ok(true)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        for (folder, path, joined) in [
            ("", "a/b", Some("a/b")),
            ("x/y", "../a", Some("x/a")),
            ("x", "./a", Some("x/a")),
            ("x", "..", Some("")),
            ("x", "../../a", None),
            ("", "/a", None),
            ("", "s3://bucket/a", None),
        ] {
            assert_eq!(join(folder, path).as_deref(), joined, "{folder} {path}");
        }
    }

    #[test]
    fn an_md5_is_32_hexadecimal_digits() {
        assert_eq!(parse_md5("d41d8cd98f00b204e9800998ecf8427e"), Some(md5_of(b"")));
        for text in ["", "d41d", "+41d8cd98f00b204e9800998ecf8427e", &"é".repeat(16)] {
            assert_eq!(parse_md5(text), None, "{text}");
        }
    }
}
