//! The files of a git commit, written to another directory: the user's checkout, its index and its
//! history are left as they are.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{CaptureError, command, config, disarming, find_root};

/// Longest time for writing all files of a commit.
const TIME_MAX: Duration = Duration::from_secs(1800);

/// Paths that are named in one call.
const PATHS_MAX: usize = 256;

/// Says what to write, and where.
#[derive(Debug, Clone, Copy)]
pub struct Export<'a> {
    /// A directory in a checkout that may have the commit.
    pub directory: &'a Path,
    /// The commit, in full.
    pub commit: &'a str,
    /// Paths relative to `directory` that are left out, `/` between names.
    pub left_out: &'a [Vec<u8>],
    /// The directory that stands for the root of the checkout; there already.
    pub into: &'a Path,
    /// A file that is not there, for an index while this lasts.
    pub index: &'a Path,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exported {
    /// The files are there.
    Written {
        /// Whether the commit has submodules, which are empty.
        has_submodules: bool,
    },
    /// There is no checkout, or it does not have the commit.
    NotFound,
}

/// Writes the files of a commit.
///
/// Errors: git failed, or does not trust the checkout; a part may be written then.
pub fn export(request: &Export<'_>) -> Result<Exported, CaptureError> {
    let Some(root) = find_root(request.directory) else { return Ok(Exported::NotFound) };
    // A commit that a partial clone has not fetched is not there: nothing is fetched.
    let commit = format!("{}^{{commit}}", request.commit);
    if command::run(&root, &["cat-file", "-e", &commit]).is_err() {
        // It may be that git does not answer at all; then it says why.
        command::run(&root, &["rev-parse", "--git-dir"])?;
        return Ok(Exported::NotFound);
    }
    let listed = command::run(&root, &["config", "--includes", "--show-scope", "--list", "-z"])?;
    let arguments = disarming(&config::Config::parse(&listed), &root)?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let git = |words: &[&str]| {
        let words = [&arguments[..], words].concat();
        command::run_with(&root, &words, Some(request.index), TIME_MAX)
    };
    git(&["read-tree", &commit])?;
    let submodules = git(&["ls-files", "-s", "-z", "--", ":(top,literal).gitmodules"])?;
    let place = place_in(&root, request.directory);
    let left_out = request.left_out.iter().filter_map(|path| std::str::from_utf8(path).ok());
    let left_out = left_out.filter_map(|path| Some(place.join(path).to_str()?.to_owned()));
    let left_out: Vec<String> = left_out.map(|path| format!(":(top,literal){path}")).collect();
    for paths in left_out.chunks(PATHS_MAX) {
        let mut words = vec!["rm", "--cached", "-r", "-f", "-q", "--ignore-unmatch", "--"];
        words.extend(paths.iter().map(String::as_str));
        git(&words)?;
    }
    let into = request.into.to_str().ok_or_else(|| CaptureError::Git {
        reason: format!("a path that is not UTF-8 cannot be written to: {:?}", request.into),
        root: root.clone(),
    })?;
    git(&["checkout-index", "--all", "--force", "--quiet", &format!("--prefix={into}/")])?;
    Ok(Exported::Written { has_submodules: !submodules.is_empty() })
}

/// Tells where a directory is in the checkout around it; empty for its root, and where there is
/// none.
fn place_in(root: &Path, directory: &Path) -> PathBuf {
    let directory = std::path::absolute(directory).unwrap_or_default();
    directory.strip_prefix(root).map(Path::to_path_buf).unwrap_or_default()
}
