//! A place of its own to execute what was recorded: a directory with a new, empty repository.
//!
//! Files are written there out of our store by the checkout that worktrees get. Whatever the
//! command does to "its" repository (`provenance run` in a script, say) happens to the new one, so
//! nothing of the user's refs, stage or worktree can move.

use std::ffi::OsString;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use super::run::Chance;
use super::write_out::{Changes, WriteOut};
use super::{Error, Repository, init};
use crate::capture::process::{self, Ended, Log, ProcessRequest};
use crate::object::tree::EMPTY_TREE;
use crate::object::{ObjectId, TreePath};
use crate::progress::Progress;
use crate::store::Store;
use crate::worktree::checkout::Hand;
use crate::worktree::fresh::FreshDirectory;
use crate::worktree::local;
use crate::worktree::run_folder::RunFolder;
use crate::worktree::stamps::Stamps;

/// The place. It is gone with this value, unless it is kept.
#[derive(Debug)]
pub(super) struct Fresh {
    /// Our content, and the worktree there.
    pub view: Repository,
    directory: FreshDirectory,
    /// Has its own repository's lock of the run while it is held.
    folder: RunFolder,
    id: String,
}

/// Says what to execute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Execution<'a> {
    /// Program and arguments.
    pub command: &'a [OsString],
    /// Where to start it, below the root of the worktree there; the root itself where none.
    pub directory: Option<&'a TreePath>,
    /// Where its output goes.
    pub output: BorrowedFd<'a>,
    /// Where its errors go.
    pub error: BorrowedFd<'a>,
}

impl Fresh {
    /// Makes it, at `keep` or under the system's directory for temporary files; the root of the
    /// worktree lies at `below` in it.
    pub fn make(repository: &Repository, keep: Option<&Path>, below: &Path) -> Result<Self, Error> {
        let directory = match keep {
            None => {
                let made = FreshDirectory::temporary();
                made.map_err(|error| {
                    Error::io("make a temporary directory", std::env::temp_dir(), error)
                })?
            }
            Some(path) => FreshDirectory::at(path).map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => Error::Usage(format!(
                    "the directory is not empty: name one that is, or that is not there, \
                     path={path:?}"
                )),
                _ => Error::io("make the directory", path, error),
            })?,
        };
        let root = directory.path().join(below);
        let (own, _) = init::make(&root, repository.clock)?;
        let store = Store::open_folder(&repository.location.folder)?;
        let view = Repository::with_store(own.location, store, repository.clock)?;
        let chance =
            Chance::draw().map_err(|_| Error::Internal("the system has no randomness".into()))?;
        let id = chance.id(repository.clock.now());
        let folder = RunFolder::make_unrecorded(&view.location.folder, &id)?;
        Ok(Self { view, directory, folder, id })
    }

    /// The directory that was made; the root of the worktree is it, or lies in it.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A name for a file that nobody else uses.
    pub fn temporary(&self, name: &str) -> PathBuf {
        local::temporaries(&self.view.location.folder).join(name)
    }

    /// Writes files, over whatever is there.
    pub fn write(&self, changes: Changes<'_>, progress: &Progress) -> Result<(), Error> {
        let folder = &self.view.location.folder;
        let stamps = Stamps::none(&local::temporaries(folder))?;
        let out = WriteOut {
            changes,
            stamps: &stamps,
            overwrites: true,
            is_staged: &|_| false,
            progress,
        };
        self.view.replace_files(&out, EMPTY_TREE)?;
        Ok(local::forget_stamps(folder)?)
    }

    /// Writes a file with this content, over whatever is there.
    pub fn write_content(
        &self,
        path: &TreePath,
        content: &[u8],
        executable: bool,
    ) -> Result<(), Error> {
        let root = self.view.open_root()?;
        let mut hand = Hand::new(&root, true)
            .map_err(|error| Error::io("draw a random name", &self.view.location.root, error))?;
        let mut bytes = content;
        hand.write_file(path, executable, content.len() as u64, None, &mut bytes)?;
        Ok(())
    }

    /// Makes directories; what cannot be one, since a file or a link is there, stays.
    pub fn make_directories<'p>(
        &self,
        paths: impl IntoIterator<Item = &'p TreePath>,
    ) -> Result<(), Error> {
        let root = self.view.open_root()?;
        let mut hand = Hand::new(&root, false)
            .map_err(|error| Error::io("draw a random name", &self.view.location.root, error))?;
        for path in paths {
            // The command will say what it misses.
            let _made_or_not = hand.make_directory(path);
        }
        Ok(())
    }

    /// Executes a command there as `run` does; nothing of it is recorded.
    pub fn execute(&self, execution: &Execution<'_>) -> Result<Ended, Error> {
        let path = |path: &Path| path.as_os_str().to_owned();
        let folder = &self.folder;
        let directory = self.directory_of(execution.directory);
        let mut variables = self.surroundings(&directory);
        variables.extend([
            ("PROVENANCE_RUN_ID", OsString::from(&self.id)),
            ("PROVENANCE_RUN_DIR", path(folder.path())),
            ("PROVENANCE_PARAMS", path(&folder.params())),
            ("PROVENANCE_METRICS", path(&folder.metrics())),
        ]);
        let request = ProcessRequest {
            command: execution.command,
            directory: &directory,
            variables: &variables,
            output: execution.output,
            error: execution.error,
            trace: None,
            // The directory goes away: nobody is to write there, or where it was, any more.
            ends_all: true,
        };
        Ok(process::run(&request, &mut NoLog)?)
    }

    /// Gives the variables without which a command there would find the user's directories: where
    /// it is, and that git does not look around the place for a repository (git(1)).
    pub fn surroundings(&self, directory: &Path) -> Vec<(&'static str, OsString)> {
        const CEILING: &str = "GIT_CEILING_DIRECTORIES";
        let around = self.path().parent().unwrap_or(self.path());
        let more = std::env::var_os(CEILING).unwrap_or_default();
        let places = std::iter::once(around.to_owned()).chain(std::env::split_paths(&more));
        let ceiling = std::env::join_paths(places).unwrap_or_else(|_| around.into());
        vec![("PWD", directory.as_os_str().to_owned()), (CEILING, ceiling)]
    }

    /// Gives the path of a directory of the worktree there.
    pub fn directory_of(&self, path: Option<&TreePath>) -> PathBuf {
        path.map_or_else(|| self.view.location.root.clone(), |path| self.place_of(path))
    }

    /// Gives the path of a file of the worktree there.
    pub fn place_of(&self, path: &TreePath) -> PathBuf {
        use std::os::unix::ffi::OsStrExt as _;
        self.view.location.root.join(std::ffi::OsStr::from_bytes(path.as_bytes()))
    }

    /// The file into which the command writes parameters.
    pub fn params(&self) -> PathBuf {
        self.folder.params()
    }

    /// The file into which the command writes metrics.
    pub fn metrics(&self) -> PathBuf {
        self.folder.metrics()
    }

    /// Has everything stay there for good.
    pub fn keep(&mut self) {
        self.directory.keep();
    }

    /// Removes all of it; of what is kept, the folder of the execution.
    ///
    /// Errors: what the system says, with the path that is still there.
    pub fn finish(self) -> Result<(), Error> {
        if self.directory.is_kept() {
            return Ok(self.folder.remove()?);
        }
        let path = self.directory.path().to_owned();
        self.directory
            .remove()
            .map_err(|error| Error::io("remove the temporary directory", path, error))
    }
}

/// Keeps nothing of what a command prints.
struct NoLog;

impl Log for NoLog {
    fn keep(&mut self, _bytes: &[u8]) {}
}

/// Gives every file of a tree as a file to be written, with `at` before its path.
pub(super) fn files_of(
    repository: &Repository,
    tree: &ObjectId,
    at: Option<&TreePath>,
    visit: &mut dyn FnMut(crate::object::tree::Change) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut reader = repository.store.reader();
    for entry in crate::object::tree::walk(tree, None, |id| reader.node(id))? {
        let crate::object::tree::Walked { path, target } = entry.map_err(Error::from)?;
        if target.is_directory() {
            continue;
        }
        let path = match at {
            None => path,
            Some(at) => {
                let joined = [at.as_bytes(), path.as_bytes()].join(&b'/');
                TreePath::new(joined).map_err(|error| Error::Corrupt(error.to_string()))?
            }
        };
        visit(crate::object::tree::Change { path, old: None, new: Some(target) })?;
    }
    Ok(())
}
