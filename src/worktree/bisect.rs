//! The search for a bad commit that is under way in this worktree: loaded, replaced whole, removed.
//!
//! What stands in the file is `docs/format/bisect.md`.

use std::fs;
use std::io;
use std::path::Path;

use super::atomic;
use super::local::{LocalError, load_up_to, temporaries};
use crate::format::bisect::BISECT_BYTES_MAX;
use crate::format::layout;

pub use crate::format::bisect::{Bisection, MetricRule, Said, Side, Verdict};

/// Reads it; `None` where no search is under way.
pub fn load(folder: &Path) -> Result<Option<Bisection>, LocalError> {
    let path = folder.join(layout::BISECT);
    match load_up_to(&path, BISECT_BYTES_MAX as u64) {
        Ok(bytes) => Bisection::decode(&bytes)
            .map(Some)
            .map_err(|source| LocalError::Damaged { path, source }),
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Tells whether a search is under way.
pub fn is_under_way(folder: &Path) -> bool {
    folder.join(layout::BISECT).symlink_metadata().is_ok()
}

/// Tells whether what was said is short enough to be kept.
pub fn fits(bisection: &Bisection) -> bool {
    bisection.encode().len() <= BISECT_BYTES_MAX
}

/// Replaces it, durably.
pub fn save(folder: &Path, bisection: &Bisection) -> Result<(), LocalError> {
    let path = folder.join(layout::BISECT);
    Ok(atomic::replace(&path, &bisection.encode(), &temporaries(folder))?)
}

/// Ends the search.
pub fn remove(folder: &Path) -> Result<(), LocalError> {
    let path = folder.join(layout::BISECT);
    match fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(LocalError::Remove { path, source })
        }
        _ => Ok(()),
    }
}
