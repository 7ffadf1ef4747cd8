//! DVC's cache: where the content lies that an MD5 names, checked before anybody believes it.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use md5::{Digest as _, Md5 as Hasher};

use super::tracked::{Md5, md5_of, parse_md5};
use crate::capture::{plain, values};
use crate::object::TreePath;
use crate::object::canonical::{self, Value};

/// Most bytes of the list of a directory: some two million files.
const LIST_BYTES_MAX: u64 = 256 << 20;
/// Bytes that are read at a time.
const PIECE_BYTES: usize = 256 << 10;

/// A cache, which may be empty or absent.
#[derive(Debug)]
pub struct DvcCache {
    /// The folder of the cache.
    pub root: PathBuf,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// A whole file, by its path below [`DvcCache::root`].
    Here(TreePath),
    /// Nothing.
    Absent,
    /// A file that is not what its name says.
    Damaged,
}

/// The files of a directory: their paths in it, and what they hold.
pub type CachedDirectory = Vec<(TreePath, Md5)>;

impl DvcCache {
    /// Finds the cache of the repository at `root`, as `.dvc/config.local` or `.dvc/config` say.
    pub(super) fn of(root: &Path) -> Self {
        let folder = root.join(".dvc");
        let said = ["config.local", "config"].into_iter().find_map(|name| {
            let bytes = values::read_bounded(&folder.join(name)).ok()?;
            cache_dir(&String::from_utf8_lossy(&bytes))
        });
        let root = folder.join(said.as_deref().unwrap_or("cache"));
        Self { root }
    }

    /// Looks for a file, in the layout of DVC 3 and in the one before.
    ///
    /// Cost: reads it whole, to see that it is what it should be.
    pub fn find(&self, md5: &Md5, is_directory: bool) -> Lookup {
        let mut found = Lookup::Absent;
        for (is_older, path) in places(md5, is_directory) {
            match self.check(&path, md5, is_older) {
                Ok(true) => match TreePath::new(path) {
                    Ok(path) => return Lookup::Here(path),
                    Err(_) => found = Lookup::Damaged,
                },
                Ok(false) => found = Lookup::Damaged,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => found = Lookup::Damaged,
            }
        }
        found
    }

    fn check(&self, path: &str, md5: &Md5, is_older: bool) -> io::Result<bool> {
        let mut file = plain::open(&self.root.join(path))?;
        let (mut whole, mut unix) = (Hasher::new(), Hasher::new());
        let mut piece = vec![0; PIECE_BYTES];
        // A carriage return that the next piece may follow with a line feed.
        let mut held = false;
        loop {
            let read = file.read(&mut piece)?;
            let bytes = piece.get(..read).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            whole.update(bytes);
            if is_older {
                held = update_unix(&mut unix, bytes, held);
            }
        }
        if held {
            unix.update(b"\r");
        }
        let is = |hasher: Hasher| Md5::from(hasher.finalize()) == *md5;
        Ok(is(whole) || is_older && is(unix))
    }

    /// Reads a file that must not be long; none where it is not there.
    pub fn small_file(&self, md5: &Md5) -> Option<Vec<u8>> {
        let read = |(_, path): &(bool, String)| values::read_bounded(&self.root.join(path)).ok();
        places(md5, false).iter().find_map(read)
    }

    /// Reads the list of a directory; nothing where it is not there or not what it should be.
    pub fn directory(&self, md5: &Md5) -> Result<CachedDirectory, String> {
        let mut reason = "its list is not in the cache".to_owned();
        for (_, path) in places(md5, true) {
            let Ok(file) = plain::open(&self.root.join(path)) else { continue };
            let mut bytes = Vec::new();
            let read = file.take(LIST_BYTES_MAX + 1).read_to_end(&mut bytes);
            if read.is_err() || bytes.len() as u64 > LIST_BYTES_MAX || md5_of(&bytes) != *md5 {
                reason = "its list in the cache is damaged".to_owned();
                continue;
            }
            return parse_list(&bytes);
        }
        Err(reason)
    }
}

/// Hashes bytes with `\n` for `\r\n`; tells whether a `\r` at the end is held back.
fn update_unix(hasher: &mut Hasher, mut bytes: &[u8], held: bool) -> bool {
    if held && bytes.first() != Some(&b'\n') {
        hasher.update(b"\r");
    }
    while let Some(at) = memchr::memchr(b'\r', bytes) {
        let (before, rest) = bytes.split_at(at);
        hasher.update(before);
        match rest.get(1) {
            None => return true,
            Some(b'\n') => {}
            Some(_) => hasher.update(b"\r"),
        }
        bytes = rest.get(1..).unwrap_or_default();
    }
    hasher.update(bytes);
    false
}

/// Gives where content may be, and whether that is the layout before DVC 3.
fn places(md5: &Md5, is_directory: bool) -> [(bool, String); 2] {
    let digits: String = md5.iter().map(|byte| format!("{byte:02x}")).collect();
    let (first, rest) = digits.split_at(2);
    let end = if is_directory { ".dir" } else { "" };
    [(false, format!("files/md5/{first}/{rest}{end}")), (true, format!("{first}/{rest}{end}"))]
}

fn parse_list(bytes: &[u8]) -> Result<CachedDirectory, String> {
    let refused = || "its list in the cache is malformed".to_owned();
    let value = canonical::capture(bytes, "list", bytes.len()).map_err(|_| refused())?;
    let Value::List(rows) = value else { return Err(refused()) };
    let mut files = Vec::with_capacity(rows.len());
    for row in &rows {
        let row = row.object().map_err(|_| refused())?;
        let text = |name| row.find(name).and_then(|value: &Value| value.text().ok());
        let md5 = text("md5").and_then(parse_md5).ok_or_else(refused)?;
        let path = text("relpath").ok_or_else(refused)?;
        let path = TreePath::new(path).map_err(|_| format!("{path:?} cannot be recorded"))?;
        files.push((path, md5));
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    match files.windows(2).any(|pair| matches!(pair, [a, b] if b.0.starts_with(&a.0))) {
        true => Err(refused()),
        false => Ok(files),
    }
}

/// Finds `dir` in the section `cache` of a configuration.
fn cache_dir(config: &str) -> Option<String> {
    let mut section = "";
    for line in config.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').trim_matches(['\'', '"', ' ']);
        } else if let Some((name, value)) = line.split_once('=')
            && section == "cache"
            && name.trim() == "dir"
        {
            return Some(value.trim().trim_matches(['\'', '"']).to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_count_as_one_byte_wherever_a_piece_ends() {
        let text = b"a\r\nb\rc\r\r\n\r";
        for cut in 0..text.len() {
            let mut hasher = Hasher::new();
            let (one, two) = text.split_at(cut);
            let held = update_unix(&mut hasher, one, false);
            let held = match two.is_empty() {
                true => held,
                false => update_unix(&mut hasher, two, held),
            };
            if held {
                hasher.update(b"\r");
            }
            assert_eq!(Md5::from(hasher.finalize()), md5_of(b"a\nb\rc\r\n\r"), "{cut}");
        }
    }

    #[test]
    fn the_cache_may_be_elsewhere() {
        let config =
            "[core]\n    remote = a\n['remote \"a\"']\n    dir = x\n[cache]\n    dir = /y\n";
        assert_eq!(cache_dir(config).as_deref(), Some("/y"));
        assert_eq!(cache_dir("[core]\n dir = x\n"), None);
    }
}
