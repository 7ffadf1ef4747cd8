//! The files that were seen: which were read, which were written, and how they looked before.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::place::{Look, LookKind, Place, look_at};

/// Most files that are told one by one. What more there are is counted.
const FILES_MAX: usize = 200_000;

/// Where a system keeps what is no file of anybody.
const SYSTEM: &[&[u8]] = &[b"/proc/", b"/sys/", b"/dev/"];

/// Folders of version control, and the cache of compiled Python.
const STORES: &[&[u8]] = &[b".provenance", b".git"];
const COMPILED: &[u8] = b"__pycache__";

/// Folders that installers of packages fill.
const PACKAGES: &[&[u8]] = &[b"site-packages", b"dist-packages", b"node_modules"];

/// A file that a command opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedFile {
    /// Its path without links: below the worktree's root where `is_inside`, else absolute.
    pub path: Vec<u8>,
    /// Whether it lies in the worktree.
    pub is_inside: bool,
    /// Whether it belongs to an installed package, or to a virtual environment.
    pub is_package: bool,
    /// How it looked when it was first opened to be read.
    pub read: Option<Look>,
    /// Whether the command had written it before it read it: then it is no input.
    pub is_own: bool,
    /// Whether it was opened to be written, or given its name.
    pub is_written: bool,
    /// How it looked before that; nothing where it was not there.
    pub before: Option<Look>,
    /// How it looked in the end; nothing where it was gone.
    pub now: Option<Look>,
}

/// What is known of one file.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    read: Option<Look>,
    is_own: bool,
    is_written: bool,
    before: Option<Look>,
}

/// All files that were seen, by path.
#[derive(Debug)]
pub(super) struct Table {
    /// The worktree's root, with a `/` at its end.
    root: Vec<u8>,
    files: HashMap<Vec<u8>, Seen>,
    /// Openings of files that no longer fitted.
    pub left_out: u64,
}

impl Table {
    pub(super) fn new(mut root: Vec<u8>) -> Self {
        if root.last() != Some(&b'/') {
            root.push(b'/');
        }
        Self { root, files: HashMap::new(), left_out: 0 }
    }

    /// Tells whether a path leads into the worktree.
    pub(super) fn is_inside(&self, path: &[u8]) -> bool {
        path.starts_with(&self.root)
    }

    /// Notes that a file is read.
    pub(super) fn read(&mut self, place: Place) {
        let Some(look) = place.look.filter(|look| look.kind == LookKind::File) else { return };
        let Some(path) = self.kept(place.path) else { return };
        // Of a module that Python has compiled the source is not opened, if it did not change.
        let source = self.is_inside(&path).then(|| source_of(&path)).flatten();
        let (path, look) = match source.map(|source| (look_at(&source), source)) {
            Some((Some(look), source)) => (source, look),
            Some((None, _)) => return,
            None => (path, look),
        };
        if let Some(seen) = self.seen(path)
            && seen.read.is_none()
        {
            (seen.read, seen.is_own) = (Some(look), seen.is_written);
        }
    }

    /// Notes that a file is written, or that a name is made.
    pub(super) fn write(&mut self, place: Place) {
        let is_special = place.look.is_some_and(|look| look.kind == LookKind::Special);
        let Some(path) = self.kept(place.path).filter(|_| !is_special) else { return };
        if self.is_inside(&path) && is_compiled(&path) {
            return;
        }
        if let Some(seen) = self.seen(path)
            && !seen.is_written
        {
            (seen.is_written, seen.before) = (true, place.look);
        }
    }

    /// Looks at all files once more and tells what was seen, ascending by path.
    pub(super) fn finish(self) -> Vec<OpenedFile> {
        let root = self.root;
        let mut packages = Packages { root: root.clone(), known: HashMap::new() };
        let files = self.files.into_iter().map(|(path, seen)| {
            let now = look_at(&path);
            let is_package = packages.hold(&path);
            let inside = path.strip_prefix(root.as_slice()).map(<[u8]>::to_vec);
            let is_inside = inside.is_some();
            let Seen { read, is_own, is_written, before } = seen;
            let path = inside.unwrap_or(path);
            OpenedFile { path, is_inside, is_package, read, is_own, is_written, before, now }
        });
        let mut files: Vec<OpenedFile> = files.filter(|file| !file.path.is_empty()).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files
    }

    /// Gives a path back unless it is none of anybody's files.
    fn kept(&self, path: Vec<u8>) -> Option<Vec<u8>> {
        if SYSTEM.iter().any(|system| path.starts_with(system)) {
            return None;
        }
        let is_of_store = |name: &[u8]| STORES.iter().any(|store| name.eq_ignore_ascii_case(store));
        let inside = path.strip_prefix(self.root.as_slice());
        let is_stored =
            inside.is_some_and(|path| path.split(|byte| *byte == b'/').any(is_of_store));
        (!is_stored).then_some(path)
    }

    fn seen(&mut self, path: Vec<u8>) -> Option<&mut Seen> {
        let is_full = self.files.len() >= FILES_MAX;
        match self.files.entry(path) {
            Entry::Occupied(seen) => Some(seen.into_mut()),
            Entry::Vacant(_) if is_full => {
                self.left_out += 1;
                None
            }
            Entry::Vacant(place) => Some(place.insert(Seen::default())),
        }
    }
}

/// Tells which files of the worktree are those of packages: the environment of a run lists them.
struct Packages {
    root: Vec<u8>,
    /// Folders that were looked at.
    known: HashMap<Vec<u8>, bool>,
}

impl Packages {
    fn hold(&mut self, path: &[u8]) -> bool {
        let Some(slash) = path.iter().rposition(|byte| *byte == b'/') else { return false };
        let folder = path.get(..slash).unwrap_or_default();
        // The worktree itself may be a virtual environment, and its files are meant all the same.
        if folder.len() < self.root.len() || !path.starts_with(&self.root) {
            return false;
        }
        if let Some(known) = self.known.get(folder) {
            return *known;
        }
        let name = folder.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let has = |name: &str| look_at(&[folder, name.as_bytes()].concat()).is_some();
        let is_one = PACKAGES.contains(&name)
            || has("/pyvenv.cfg")
            || has("/conda-meta")
            || self.hold(folder);
        self.known.insert(folder.to_vec(), is_one);
        is_one
    }
}

fn is_compiled(path: &[u8]) -> bool {
    path.split(|byte| *byte == b'/').any(|name| name == COMPILED)
}

/// Names the source of a module that Python has compiled (PEP 3147): of
/// `pack/__pycache__/part.cpython-311.pyc` it is `pack/part.py`. Of anything else beside it there
/// is none, and it counts for nothing: an empty path.
fn source_of(path: &[u8]) -> Option<Vec<u8>> {
    if !is_compiled(path) {
        return None;
    }
    let cut = |at: &[u8]| at.iter().rposition(|byte| *byte == b'/');
    let parts = cut(path).and_then(|slash| {
        let (folder, name) = (path.get(..slash)?, path.get(slash + 1..)?);
        let above = folder.strip_suffix(COMPILED)?;
        let end = name.iter().position(|byte| *byte == b'.')?;
        Some([above, name.get(..end)?, b".py"].concat())
    });
    Some(parts.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiled_module_stands_for_its_source() {
        let source = |path: &str| source_of(path.as_bytes()).map(|s| String::from_utf8(s).unwrap());
        assert_eq!(source("/w/a/__pycache__/part.cpython-311.pyc").unwrap(), "/w/a/part.py");
        assert_eq!(source("/w/__pycache__/more/x").unwrap(), "");
        assert_eq!(source("/w/a/part.py"), None);
    }

    #[test]
    fn what_belongs_to_nobody_is_not_told() {
        let look =
            Look { identity: (1, 2), kind: LookKind::File, bytes: 3, mtime_ns: 4, ctime_ns: 5 };
        let mut table = Table::new(b"/w".to_vec());
        for path in
            ["/w/.provenance/stage", "/w/a/.git/HEAD", "/w/.GIT/x", "/proc/1/maps", "/dev/null"]
        {
            let place = |look| Place { path: path.into(), look, is_elsewhere: false };
            table.read(place(Some(look)));
            table.write(place(None));
        }
        let directory = Look { kind: LookKind::Directory, ..look };
        let place = |path: &str, look| Place { path: path.into(), look, is_elsewhere: false };
        table.read(place("/w/data", Some(directory)));
        assert!(table.files.is_empty(), "{table:?}");
        table.write(place("/w/out", None));
        table.read(place("/w/out", Some(look)));
        table.read(place("/elsewhere/.git/config", Some(look)));
        let files = table.finish();
        assert_eq!(files.len(), 2);
        assert!(files[1].is_inside && files[1].is_own && files[1].before.is_none());
        assert!(!files[0].is_inside && files[0].path == b"/elsewhere/.git/config");
    }
}
