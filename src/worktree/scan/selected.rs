//! A directory of which only some names were asked for.

use std::ffi::CString;

use super::files::Merge;
use super::selection::Selection;
use super::visit::{Here, Row, Unfolded, Walk, is_gone};
use super::{ProblemKind, ScanError};
use crate::worktree::directory::{EntryKind, Listing, kind_of_stamp};

impl Walk<'_> {
    /// Looks at the names that lead to what was asked for.
    pub fn visit_selected(
        &self,
        here: &Here,
        selection: &Selection,
        mut row: Row<'_>,
    ) -> Result<Unfolded, ScanError> {
        let mut merge = Merge::new(self, here);
        for (name, inner) in selection.names() {
            let Ok(c_name) = CString::new(&*name) else { continue };
            let kind = match here.directory.as_ref().map(|directory| directory.stat(&c_name)) {
                Some(Ok(stamp)) => Some(kind_of_stamp(&stamp)),
                Some(Err(error)) if !is_gone(&error) => {
                    row.problem(here.raw_path_of(&name), ProblemKind::Unreadable(error));
                    continue;
                }
                _ => None,
            };
            let is_there = kind == Some(EntryKind::Directory);
            let known = merge.lower_bound(&name)?..merge.upper_bound(&name)?;
            let child = self.child_row(here, &name);
            if known.is_empty() && child.is_none() {
                let is_lost = match kind {
                    None => Some(ProblemKind::NotFound),
                    Some(_) if inner.is_some() && !is_there => Some(ProblemKind::NotFound),
                    Some(_) if inner.is_some() => None,
                    Some(_) => (here.is_ignored || self.ignores(here, &name, is_there))
                        .then_some(ProblemKind::Ignored),
                };
                if let Some(problem) = is_lost {
                    let asked = inner.as_ref().map_or(&[][..], Selection::paths);
                    if asked.is_empty() {
                        row.problem(here.raw_path_of(&name), problem);
                    } else {
                        let paths =
                            asked.iter().map(|path| super::visit::raw_path(Some(path), b""));
                        paths.for_each(|path| row.problem(path, ProblemKind::NotFound));
                    }
                    continue;
                }
            }
            let mut listing = Listing::default();
            if let Some(kind) = kind.filter(|_| !is_there && inner.is_none()) {
                listing.push(&c_name, kind);
            }
            // A file where a directory was asked for is somebody else's business.
            let known = if inner.is_some() { known.end..known.end } else { known };
            merge.run(Some((&listing, 0..listing.len())), known, &mut row.batch)?;
            if child.is_some() || is_there {
                self.enter(here, &c_name, is_there, child, inner, &mut row);
            }
        }
        Ok(row.finish())
    }
}
