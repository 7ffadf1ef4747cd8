//! What can keep a thing from being captured; a run goes on without it.

use std::path::PathBuf;

/// Tells what could not be captured, in words for the person who started the run.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// There is a checkout, but no git to ask.
    #[error("git is not installed, so its state is not recorded, path={}", root.display())]
    GitMissing {
        /// The checkout.
        root: PathBuf,
    },
    /// Git refuses a checkout of another account.
    #[error(
        "the git checkout belongs to another account, so git refuses to read it; if you trust it: \
         git config --global --add safe.directory '{}'",
        root.display()
    )]
    GitOwner {
        /// The checkout.
        root: PathBuf,
    },
    /// The repository says that its files are somewhere else.
    #[error(
        "the git repository has its files elsewhere (core.worktree), so its state is not \
         recorded, path={}, elsewhere={}",
        root.display(),
        elsewhere.display()
    )]
    GitWorktree {
        /// The checkout that was found.
        root: PathBuf,
        /// Where the files should be.
        elsewhere: PathBuf,
    },
    /// Git failed otherwise.
    #[error("git could not describe the checkout: {reason}, path={}", root.display())]
    Git {
        /// The checkout.
        root: PathBuf,
        /// What git said.
        reason: String,
    },
    /// A file could not be read.
    #[error("cannot read, path={}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds no parameters or metrics.
    #[error("{reason}, path={}", path.display())]
    Values {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}
