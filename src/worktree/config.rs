//! Settings: the environment over the repository's file over the user's file. `docs/settings.md`.
//!
//! A key that nothing reads is refused wherever it stands, because a misspelt one would be a
//! setting that silently does not hold.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table};

use super::atomic::{self, ReplaceError};
use crate::format::layout;

/// A larger file of settings is refused, bytes.
const CONFIG_BYTES_MAX: u64 = 1 << 20;

/// Describes one key.
#[derive(Debug)]
pub struct Key {
    /// Its name: `user.name`.
    pub name: &'static str,
    /// The variable of the environment that is over the files.
    pub variable: &'static str,
    /// Whether a repository may not set it, because it names a program to run: a folder that
    /// somebody else wrote must not decide that.
    pub is_of_user_only: bool,
}

/// Lists every key there is.
pub const KEYS: &[Key] = &[
    Key { name: "core.pager", variable: "PROVENANCE_PAGER", is_of_user_only: true },
    Key { name: GRACE_DAYS, variable: "PROVENANCE_GC_GRACE_DAYS", is_of_user_only: false },
    Key { name: "user.email", variable: "PROVENANCE_USER_EMAIL", is_of_user_only: false },
    Key { name: "user.name", variable: "PROVENANCE_USER_NAME", is_of_user_only: false },
];

/// Says where a setting comes from; later ones are over earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The user's file, for all repositories.
    User,
    /// The repository's file.
    Repository,
    /// The environment of this process.
    Environment,
}

/// Holds one key that is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The key's name.
    pub name: &'static str,
    /// What it is set to.
    pub value: String,
    /// Where.
    pub origin: Origin,
}

/// Tells why settings could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Nothing reads this key.
    #[error("unknown setting, name={name:?}, known={}", known())]
    UnknownKey {
        /// What was asked for.
        name: String,
    },
    /// A repository may not say which program to run.
    #[error("{name} names a program, so only the user's settings may: use --user")]
    UserOnly {
        /// The key.
        name: &'static str,
    },
    /// The key does not take this value.
    #[error("{name} is not {wanted}, value={value:?}")]
    Value {
        /// The key.
        name: &'static str,
        /// What it takes.
        wanted: &'static str,
        /// What it was given.
        value: String,
    },
    /// The file is not what it should be.
    #[error("settings are malformed, path={path:?}: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        reason: String,
    },
    /// The file cannot be read.
    #[error("cannot read the settings, path={path:?}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write the settings")]
    Write(#[from] ReplaceError),
    /// There is no place for the user's settings.
    #[error("no place for the user's settings: neither XDG_CONFIG_HOME nor HOME is set")]
    NoHome,
}

fn known() -> String {
    KEYS.iter().map(|key| key.name).collect::<Vec<_>>().join(" ")
}

/// Finds the description of a key by its name.
pub fn key(name: &str) -> Result<&'static Key, ConfigError> {
    let found = KEYS.iter().find(|key| key.name == name);
    found.ok_or_else(|| ConfigError::UnknownKey { name: name.to_owned() })
}

/// Key of the time for which what nothing reaches is kept.
pub const GRACE_DAYS: &str = "gc.grace-days";

/// Reads the value of [`GRACE_DAYS`].
pub fn grace_days(value: &str) -> Result<i64, ConfigError> {
    let days = value.parse().ok().filter(|days| (1..=36_500).contains(days));
    days.ok_or_else(|| ConfigError::Value {
        name: GRACE_DAYS,
        wanted: "a number of days from 1 on",
        value: value.to_owned(),
    })
}

/// Refuses a value that whoever reads the key would refuse.
pub fn check(key: &Key, value: &str) -> Result<(), ConfigError> {
    if key.name == GRACE_DAYS { grace_days(value).map(|_| ()) } else { Ok(()) }
}

/// Gives the user's file: below `$XDG_CONFIG_HOME`, else below `$HOME/.config`.
///
/// Shape: `None` if neither is an absolute path, as the XDG specification wants them.
pub fn user_file(environment: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name| environment(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(base.join("provenance").join("config.toml"))
}

/// Gives the repository's file in its folder, `.provenance`.
pub fn repository_file(folder: &Path) -> PathBuf {
    folder.join(layout::CONFIG)
}

/// Reads every setting there is, those that hold and those under them.
///
/// Shape: sorted by name, and for one name by origin, the last of which holds. Errors: of the
/// first file that cannot be read or has a key that nothing reads.
pub fn load(
    folder: Option<&Path>,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<Vec<Setting>, ConfigError> {
    let mut settings = Vec::new();
    if let Some(file) = user_file(&environment) {
        match load_file(&file, Origin::User) {
            // A service runs with the home of nobody, or with another user's: no settings there.
            Err(ConfigError::Read { source, .. }) if is_closed(&source) => {}
            loaded => settings.extend(loaded?),
        }
    }
    if let Some(folder) = folder {
        settings.extend(load_file(&repository_file(folder), Origin::Repository)?);
    }
    for Key { name, variable, .. } in KEYS {
        if let Some(value) = environment(variable) {
            let value = value.to_string_lossy().into_owned();
            settings.push(Setting { name, value, origin: Origin::Environment });
        }
    }
    settings.sort_by_key(|setting| (setting.name, setting.origin));
    Ok(settings)
}

/// Gives the value that holds for a key.
pub fn value<'a>(settings: &'a [Setting], name: &str) -> Option<&'a str> {
    settings.iter().rfind(|setting| setting.name == name).map(|setting| setting.value.as_str())
}

/// Tells whether a file is where this user may not look, or where no file can be.
fn is_closed(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::NotADirectory)
}

fn load_file(path: &Path, origin: Origin) -> Result<Vec<Setting>, ConfigError> {
    decode(&read(path)?, path, origin)
}

/// Reads the settings in the text of a file.
///
/// Shape: in the order of the file; `path` is for the error. Errors: it is no TOML, or has a key
/// that nothing reads.
pub fn decode(text: &str, path: &Path, origin: Origin) -> Result<Vec<Setting>, ConfigError> {
    let document = parse(text, path)?;
    let malformed =
        |reason: String| ConfigError::Malformed { path: path.to_owned(), reason: reason.clone() };
    let mut settings = Vec::new();
    for (section, item) in document.as_table() {
        let table = item.as_table_like().ok_or_else(|| malformed(format!("{section:?} alone")))?;
        for (last, item) in table.iter() {
            let key =
                key(&format!("{section}.{last}")).map_err(|error| malformed(error.to_string()))?;
            let Some(value) = item.as_str() else {
                return Err(malformed(format!("{} is not a string", key.name)));
            };
            if key.is_of_user_only && origin == Origin::Repository {
                return Err(malformed(ConfigError::UserOnly { name: key.name }.to_string()));
            }
            settings.push(Setting { name: key.name, value: value.to_owned(), origin });
        }
    }
    Ok(settings)
}

/// Reads a file; empty if there is none. A pipe, which could keep us waiting, is an error.
fn read(path: &Path) -> Result<String, ConfigError> {
    let failed = |source| ConfigError::Read { path: path.to_owned(), source };
    let bytes = match super::open::small_file(path, CONFIG_BYTES_MAX + 1) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read.map_err(failed)?,
    };
    String::from_utf8(bytes).map_err(|_| failed(io::ErrorKind::InvalidData.into()))
}

fn parse(text: &str, path: &Path) -> Result<DocumentMut, ConfigError> {
    let malformed = |reason| ConfigError::Malformed { path: path.to_owned(), reason };
    if text.len() as u64 > CONFIG_BYTES_MAX {
        return Err(malformed(format!("it has more than {CONFIG_BYTES_MAX} bytes")));
    }
    text.parse().map_err(|error: toml_edit::TomlError| {
        // One line: where, and what; the excerpt between them would not fit a one-line error.
        let text = error.to_string();
        let place = text.lines().next().unwrap_or_default();
        malformed(format!("{place}: {}", error.message().lines().next().unwrap_or_default()))
    })
}

/// Sets a key in a file, or forgets it, and keeps everything else in there, comments too.
///
/// Shape: `false` if it was forgotten already. Errors: the file stays as it was.
pub fn change(path: &Path, key: &Key, value: Option<&str>) -> Result<bool, ConfigError> {
    // A link to a file elsewhere, as dotfiles are kept, stays a link.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut document = parse(&read(&path)?, &path)?;
    let (section, last) = key.name.split_once('.').unwrap_or((key.name, ""));
    let table = document.entry(section).or_insert_with(|| Item::Table(Table::new()));
    let malformed = || ConfigError::Malformed {
        path: path.clone(),
        reason: format!("{section} is not a table"),
    };
    let table = table.as_table_like_mut().ok_or_else(malformed)?;
    let was_set = match value {
        Some(value) => {
            table.insert(last, toml_edit::value(value));
            true
        }
        None => table.remove(last).is_some(),
    };
    if table.is_empty() {
        document.remove(section);
    }
    if was_set {
        let parent = path.parent().unwrap_or(Path::new("."));
        let failed = |source| ConfigError::Read { path: parent.to_owned(), source };
        fs::create_dir_all(parent).map_err(failed)?;
        atomic::replace(&path, document.to_string().as_bytes(), parent)?;
    }
    Ok(was_set)
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
