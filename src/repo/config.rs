//! Reads and changes settings; they are described in `docs/settings.md`.

use std::path::{Path, PathBuf};

use super::Error;
use crate::progress::Progress;
use crate::worktree::config::{self, ConfigError, Key};
use crate::worktree::local;
use crate::worktree::locate;
use crate::worktree::lock::WorktreeLock;

pub use crate::worktree::config::{Origin, Setting};

/// Says which setting to change, where, and to what.
#[derive(Debug, Clone)]
pub struct ConfigRequest {
    /// Where to look for the repository.
    pub start: PathBuf,
    /// The key: `user.name`.
    pub name: String,
    /// What it shall be; nothing to forget it.
    pub value: Option<String>,
    /// Whether for all repositories of this user.
    pub is_for_user: bool,
}

/// Tells what was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigReport {
    /// The file that holds, or held, the setting.
    pub path: PathBuf,
    /// Whether anything changed: false if the key to forget was not set there.
    pub is_changed: bool,
}

/// Lists every setting that is set, with its origin; without a repository, those of the user.
///
/// Shape: sorted by name; of several with one name the last holds.
pub fn config_list(start: &Path) -> Result<Vec<Setting>, Error> {
    let folder = folder_of(start)?;
    Ok(config::load(folder.as_deref(), |name| std::env::var_os(name))?)
}

/// Gives the setting that holds for a key; none if it is not set.
///
/// Errors: usage, if nothing reads such a key.
pub fn config_get(start: &Path, name: &str) -> Result<Option<Setting>, Error> {
    let name = config::key(name)?.name;
    Ok(config_list(start)?.into_iter().rfind(|setting| setting.name == name))
}

/// Changes one setting in one file.
///
/// Errors: usage, for an unknown key, a value that it does not take, or one that only the user may
/// set; the file stays as it was.
pub fn config_change(request: &ConfigRequest, progress: &Progress) -> Result<ConfigReport, Error> {
    let key = config::key(&request.name)?;
    let value = request.value.as_deref();
    value.map_or(Ok(()), |value| config::check(key, value))?;
    if request.is_for_user {
        let path = config::user_file(|name| std::env::var_os(name)).ok_or(ConfigError::NoHome)?;
        return change(path, key, value);
    }
    if key.is_of_user_only && value.is_some() {
        return Err(ConfigError::UserOnly { name: key.name }.into());
    }
    let folder = folder_of(&request.start)?
        .ok_or_else(|| Error::NoRepository { path: request.start.clone() })?;
    let _only_one_at_a_time = WorktreeLock::wait(&local::lock_file(&folder), progress)?;
    change(config::repository_file(&folder), key, value)
}

fn change(path: PathBuf, key: &Key, value: Option<&str>) -> Result<ConfigReport, Error> {
    let is_changed = config::change(&path, key, value)?;
    Ok(ConfigReport { path, is_changed })
}

fn folder_of(start: &Path) -> Result<Option<PathBuf>, Error> {
    let found = locate::locate(start);
    let found = found.map_err(|source| Error::io("look for a repository", start, source))?;
    Ok(found.map(|location| location.folder))
}
