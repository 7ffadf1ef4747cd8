//! Going into a directory, or deciding not to.

use std::ffi::CStr;
use std::sync::Arc;

use super::files::name_problem;
use super::rules::Rules;
use super::selection::Selection;
use super::visit::{Here, Piece, Row, Visit, Walk, is_gone};
use super::{Change, Found, ProblemKind};
use crate::format::stamps::Stamp;
use crate::object::{Name, TreePath};
use crate::worktree::directory::{Directory, EntryKind};

impl Walk<'_> {
    /// Adds the work on a directory inside, which is there or tracked, or both.
    pub fn enter(
        &self,
        here: &Here,
        name: &CStr,
        is_there: bool,
        row: Option<u32>,
        selection: Option<Selection>,
        out: &mut Row<'_>,
    ) {
        let bytes = name.to_bytes();
        if let Err(source) = Name::check(bytes) {
            out.problem(here.raw_path_of(bytes), name_problem(source));
            return;
        }
        let path = match here.path_of(bytes) {
            Ok(path) => path,
            Err(error) => {
                out.problem(here.raw_path_of(bytes), ProblemKind::Path(error));
                return;
            }
        };
        let is_ignored = here.is_ignored || (is_there && self.ignores(here, bytes, true));
        if row.is_none() && selection.is_none() {
            if is_ignored {
                out.batch.ignored_count += 1;
                return;
            }
            if self.request.collapses_new {
                self.collapse(here, name, path, out);
                return;
            }
        }
        let parent = here.directory.clone().filter(|_| is_there);
        out.push(Piece::Directory(Visit {
            parent,
            name: name.to_owned(),
            path: Some(path),
            row,
            rules: here.rules.clone(),
            is_ignored,
            selection,
        }));
    }

    /// Reports a directory without tracked files as one, if it holds anything to record.
    fn collapse(&self, here: &Here, name: &CStr, path: TreePath, out: &mut Row<'_>) {
        let Some(directory) = &here.directory else { return };
        let opened = directory.open_directory(name);
        match opened.map_err(ProblemKind::Unreadable).and_then(|opened| {
            let stamp = opened.stat_self().map_err(ProblemKind::Unreadable)?.0;
            Ok(self.holds_files(opened, &path, here.rules.clone(), out)?.then_some(stamp))
        }) {
            Ok(None) => {}
            Ok(Some(stamp)) => out.batch.found.push(new_directory(path, stamp)),
            Err(ProblemKind::Unreadable(error)) if is_gone(&error) => {}
            Err(problem) => out.problem(here.raw_path_of(name.to_bytes()), problem),
        }
    }

    /// Looks for the first file that could be recorded.
    fn holds_files(
        &self,
        top: Directory,
        path: &TreePath,
        rules: Option<Arc<Rules>>,
        out: &mut Row<'_>,
    ) -> Result<bool, ProblemKind> {
        let mut open = vec![(Arc::new(top), path.clone(), rules)];
        while let Some((directory, path, rules)) = open.pop() {
            let mut here = Here {
                directory: Some(Arc::clone(&directory)),
                path: Some(path.clone()),
                row: None,
                rules,
                is_ignored: false,
            };
            self.load_rules(&mut here, out);
            let listing = directory.list().map_err(ProblemKind::Unreadable)?;
            if listing.find(b".provenance") == Some(EntryKind::Directory) {
                out.problem(here.raw_path_of(b""), ProblemKind::NestedRepository);
                continue;
            }
            for (name, kind) in (0..listing.len()).filter_map(|entry| listing.get(entry)) {
                let bytes = name.to_bytes();
                let is_directory = kind == EntryKind::Directory;
                let is_valid = Name::check(bytes).is_ok();
                if !is_valid || self.ignores(&here, bytes, is_directory) {
                    continue;
                }
                match (kind, here.path_of(bytes)) {
                    (EntryKind::File, Ok(_)) => return Ok(true),
                    (EntryKind::Directory, Ok(path)) => match directory.open_directory(name) {
                        Ok(inner) => open.push((Arc::new(inner), path, here.rules.clone())),
                        Err(error) if is_gone(&error) => {}
                        Err(error) => {
                            let path = here.raw_path_of(bytes);
                            out.problem(path, ProblemKind::Unreadable(error));
                        }
                    },
                    _ => {}
                }
            }
        }
        Ok(false)
    }
}

fn new_directory(path: TreePath, stamp: Stamp) -> Found {
    Found { path, change: Change::NewDirectory, stamp, tracked: None }
}
