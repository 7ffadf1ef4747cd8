//! The paths somebody asked for, seen from one directory above them.

use std::ops::Range;
use std::sync::Arc;

use crate::object::TreePath;

/// Paths below one directory.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Sorted; none lies below another.
    paths: Arc<[TreePath]>,
    range: Range<usize>,
    /// Where the rest of each path begins, after the directory and its `/`.
    offset: usize,
}

impl Selection {
    /// Takes paths in any order; none means everything, which is no selection.
    pub fn new(paths: &[TreePath]) -> Option<Self> {
        let mut paths = paths.to_vec();
        paths.sort();
        // What lies below a path follows it without a gap.
        paths.dedup_by(|later, earlier| later.starts_with(earlier));
        let range = 0..paths.len();
        (!paths.is_empty()).then(|| Self { paths: paths.into(), range, offset: 0 })
    }

    /// Lists the names in this directory that lead on, in order; with `None` the whole entry was
    /// asked for.
    pub fn names(&self) -> Vec<(Vec<u8>, Option<Self>)> {
        let mut names: Vec<(Vec<u8>, Option<Self>)> = Vec::new();
        for at in self.range.clone() {
            let rest = self.paths.get(at).and_then(|path| path.as_bytes().get(self.offset..));
            let rest = rest.unwrap_or_default();
            let end = rest.iter().position(|byte| *byte == b'/');
            let name = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            match names.last_mut() {
                Some((last, Some(inner))) if last == name => inner.range.end = at + 1,
                _ => {
                    let inner = end.map(|end| Self {
                        paths: Arc::clone(&self.paths),
                        range: at..at + 1,
                        offset: self.offset + end + 1,
                    });
                    names.push((name.to_vec(), inner));
                }
            }
        }
        names
    }

    /// Lists the paths.
    pub fn paths(&self) -> &[TreePath] {
        self.paths.get(self.range.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_group_what_lies_below_them() {
        let paths = ["b/x", "a/p/q", "a/p", "a/c/d", "a!"].map(|path| TreePath::new(path).unwrap());
        let selection = Selection::new(&paths).unwrap();
        let names = selection.names();
        let outer: Vec<_> =
            names.iter().map(|(name, inner)| (&name[..], inner.is_some())).collect();
        assert_eq!(outer, [(&b"a"[..], true), (b"a!", false), (b"b", true)]);
        let inner = names[0].1.as_ref().unwrap().names();
        let inner: Vec<_> =
            inner.iter().map(|(name, inner)| (&name[..], inner.is_some())).collect();
        assert_eq!(inner, [(&b"c"[..], true), (b"p", false)]);
        assert!(Selection::new(&[]).is_none());
    }
}
