//! A directory of which everything counts: split at the directories in it, and into pieces.

use std::ffi::CString;
use std::ops::Range;
use std::sync::Arc;

use super::files::{FilesPiece, Merge};
use super::visit::{Here, Piece, Row, Unfolded, Walk};
use super::{ProblemKind, ScanError};
use crate::object::{DecodeError, Name};
use crate::worktree::directory::{Directory, EntryKind, Listing};
use crate::worktree::stamps::known::Position;
use crate::worktree::stamps::seen::{DirectorySeen, NameSet};

/// Names that one piece of work compares; a larger directory becomes several pieces.
const PIECE_FILES: usize = 4096;

/// A directory inside, at its place among the files.
struct Inner {
    name: CString,
    is_there: bool,
    row: Option<u32>,
    /// Where the listed files before it end, and where those after it begin.
    entry_end: usize,
    entry_next: usize,
}

/// Part of a directory's files: those listed, if names were read, and those tracked.
type Cut = (Option<Range<usize>>, Range<Position>);

impl Walk<'_> {
    /// Looks at everything in a directory.
    pub fn visit_whole(&self, here: Here, mut row: Row<'_>) -> Result<Unfolded, ScanError> {
        let listing = match self.list(&here, &mut row) {
            Ok(listing) => listing.map(Arc::new),
            Err(problem) => {
                row.problem(here.raw_path_of(b""), problem);
                return Ok(row.finish());
            }
        };
        let inner = self.directories_in(&here, listing.as_deref());
        let here = Arc::new(here);
        let mut merge = Merge::new(self, &here);
        let (mut entry, mut known) = (0, merge.begin());
        for inner in inner {
            let until = merge.upper_bound(inner.name.to_bytes())?;
            let names = listing.as_ref().map(|_| entry..inner.entry_end);
            self.segment(&here, listing.as_ref(), (names, known..until), &mut merge, &mut row)?;
            (entry, known) = (inner.entry_next, until);
            self.enter(&here, &inner.name, inner.is_there, inner.row, None, &mut row);
        }
        let names = listing.as_ref().map(|listing| entry..listing.len());
        let rest = known..merge.end();
        self.segment(&here, listing.as_ref(), (names, rest), &mut merge, &mut row)?;
        Ok(row.finish())
    }

    /// Reads the names, unless the stamps know them all.
    fn list(&self, here: &Here, row: &mut Row<'_>) -> Result<Option<Listing>, ProblemKind> {
        let Some(directory) = &here.directory else { return Ok(None) };
        if here.is_ignored || self.knows_all_names(here, directory) {
            return Ok(None);
        }
        let (stamp, _) = directory.stat_self().map_err(ProblemKind::Unreadable)?;
        let listing = directory.list().map_err(ProblemKind::Unreadable)?;
        let is_nested = here.path.is_some()
            && here.row.is_none()
            && listing.find(b".provenance") == Some(EntryKind::Directory);
        if is_nested {
            return Err(ProblemKind::NestedRepository);
        }
        let mut names = NameSet::default();
        for (name, kind) in listing.names() {
            if !here.is_own_folder(name) {
                names.add(name, kind == EntryKind::Directory);
            }
        }
        row.batch.seen = Some(DirectorySeen { stamp, names });
        Ok(Some(listing))
    }

    /// Tells whether the directory still holds exactly the names that are tracked.
    fn knows_all_names(&self, here: &Here, directory: &Directory) -> bool {
        let Some((_, row)) = &here.row else { return false };
        let Some(device) = self.reliable_device.filter(|_| row.is_complete) else { return false };
        let Ok((stamp, found_device)) = directory.stat_self() else { return false };
        let now = (stamp.mtime_ns, stamp.ctime_ns, stamp.ino);
        found_device == device && now == (row.mtime_ns, row.ctime_ns, row.ino)
    }

    /// Lists the directories inside, those on the disk and those tracked, by name.
    fn directories_in(&self, here: &Here, listing: Option<&Listing>) -> Vec<Inner> {
        let mut rows = Vec::new();
        if let Some(((number, _), view)) = here.row.as_ref().zip(self.view) {
            rows.extend(view.tables().children(*number));
        }
        let mut rows = rows.into_iter().peekable();
        let mut inner = Vec::new();
        let Some(listing) = listing else {
            let is_there = here.directory.is_some();
            inner.extend(rows.filter_map(|(row, name)| tracked(name, row, is_there, 0)));
            return inner;
        };
        for (entry, (name, kind)) in listing.names().enumerate() {
            while let Some((row, gone)) = rows.next_if(|(_, row)| *row < name) {
                inner.extend(tracked(gone, row, false, entry));
            }
            let row = rows.next_if(|(_, row)| *row == name).map(|(row, _)| row);
            let is_there = kind == EntryKind::Directory;
            let is_entered = is_there && Name::check(name).is_ok();
            let is_inner = is_entered || row.is_some();
            if is_inner && let Ok(name) = CString::new(name) {
                let entry_end = if is_there { entry } else { entry + 1 };
                inner.push(Inner { name, is_there, row, entry_end, entry_next: entry + 1 });
            }
        }
        inner.extend(rows.filter_map(|(row, name)| tracked(name, row, false, listing.len())));
        inner
    }

    /// Compares files between two directories: at once if they are few, else as pieces of work.
    fn segment(
        &self,
        here: &Arc<Here>,
        listing: Option<&Arc<Listing>>,
        whole: Cut,
        merge: &mut Merge<'_, '_>,
        row: &mut Row<'_>,
    ) -> Result<(), DecodeError> {
        if whole.0.as_ref().is_none_or(Range::is_empty) && whole.1.is_empty() {
            return Ok(());
        }
        let mut cuts = Vec::new();
        for cut in cut_by_names(listing.map(|listing| &**listing), whole, merge)? {
            cut_by_parts(listing.map(|listing| &**listing), cut, merge, &mut cuts)?;
        }
        let is_small = cuts.len() == 1;
        for (names, known) in cuts {
            match is_small {
                true => {
                    let names = listing.map(|listing| &**listing).zip(names);
                    merge.run(names, known, &mut row.batch)?;
                }
                false => {
                    let names = listing.map(Arc::clone).zip(names);
                    let here = Arc::clone(here);
                    row.push(Piece::Files(FilesPiece { here, names, known }));
                }
            }
        }
        Ok(())
    }
}

fn tracked(name: &[u8], row: u32, is_there: bool, entry: usize) -> Option<Inner> {
    let name = CString::new(name).ok()?;
    Some(Inner { name, is_there, row: Some(row), entry_end: entry, entry_next: entry })
}

fn cut_by_names(
    listing: Option<&Listing>,
    (names, known): Cut,
    merge: &mut Merge<'_, '_>,
) -> Result<Vec<Cut>, DecodeError> {
    let (Some(listing), Some(names)) = (listing, &names) else { return Ok(vec![(names, known)]) };
    let (mut cuts, mut entry, mut at) = (Vec::new(), names.start, known.start);
    while names.end - entry > PIECE_FILES {
        let next = entry + PIECE_FILES;
        let name = listing.name(next).unwrap_or_default();
        let until = merge.lower_bound(name)?.clamp(at, known.end);
        cuts.push((Some(entry..next), at..until));
        (entry, at) = (next, until);
    }
    cuts.push((Some(entry..names.end), at..known.end));
    Ok(cuts)
}

/// Cuts where a part begins, so that tracked files are looked at in pieces, too.
fn cut_by_parts(
    listing: Option<&Listing>,
    (names, known): Cut,
    merge: &mut Merge<'_, '_>,
    cuts: &mut Vec<Cut>,
) -> Result<(), DecodeError> {
    let mut at = known.start;
    let mut names = names;
    // A piece takes up to two parts, one of them perhaps not whole.
    while known.end.part.saturating_sub(at.part) > 2 {
        let until = Position { part: at.part + 2, file: 0 };
        let first = merge.name_at(until)?;
        let before = match (listing, &mut names) {
            (Some(listing), Some(names)) => {
                let next = names.start + partition(listing, names.clone(), first);
                let before = names.start..next;
                names.start = next;
                Some(before)
            }
            _ => None,
        };
        cuts.push((before, at..until));
        at = until;
    }
    cuts.push((names, at..known.end));
    Ok(())
}

/// Counts the listed names below `name`.
fn partition(listing: &Listing, range: Range<usize>, name: &[u8]) -> usize {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low.midpoint(high);
        match listing.name(middle).is_some_and(|listed| listed < name) {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    low - range.start
}
