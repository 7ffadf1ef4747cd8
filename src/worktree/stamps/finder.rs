//! Looks up what is recorded of one path after another, quickest in the order of the tree.

use super::known::KnownFiles;
use crate::format::stamps::{Record, View};
use crate::object::{DecodeError, TreePath};

/// Finds records by path.
///
/// Cost: paths in the order of the tree cost one pass over the directories; any order is right.
#[derive(Debug)]
pub struct Finder<'a> {
    view: View<'a>,
    /// From the root down: the row, and the row of the child that was found last.
    open: Vec<(u32, Option<u32>)>,
    files: Option<(u32, KnownFiles<'a>)>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(view: View<'a>) -> Self {
        Self { view, open: Vec::new(), files: None }
    }

    /// Finds what is recorded of a file; `None` for directories and for what is not tracked.
    pub fn find(&mut self, path: &TreePath) -> Result<Option<Record>, DecodeError> {
        let mut number = 0;
        let mut names = path.names();
        let last = names.next_back().unwrap_or_default();
        for (depth, name) in names.enumerate() {
            let Some(child) = self.child(depth, number, name) else { return Ok(None) };
            number = child;
        }
        let Some(row) = self.view.tables().row(number) else { return Ok(None) };
        let is_open = self.files.as_ref().is_some_and(|(open, _)| *open == number);
        if !is_open {
            self.files = Some((number, KnownFiles::new(self.view, &row)));
        }
        let Some((_, files)) = &mut self.files else { return Ok(None) };
        let at = files.lower_bound(last)?;
        let is_found = at < files.end() && files.name(at)? == last;
        if is_found { files.record(at).map(Some) } else { Ok(None) }
    }

    fn child(&mut self, depth: usize, parent: u32, name: &[u8]) -> Option<u32> {
        let tables = self.view.tables();
        let last = match self.open.get(depth) {
            Some((open, last)) if *open == parent => *last,
            _ => None,
        };
        self.open.truncate(depth);
        let last = last.filter(|last| tables.name(*last).is_some_and(|found| found <= name));
        let mut children = match last {
            Some(last) => tables.siblings(last, tables.row(parent)?.subtree_end),
            None => tables.siblings(parent.checked_add(1)?, tables.row(parent)?.subtree_end),
        };
        let found = children.find(|(_, child)| *child >= name);
        let found = found.filter(|(_, child)| *child == name).map(|(number, _)| number);
        self.open.push((parent, found.or(last)));
        found
    }
}
