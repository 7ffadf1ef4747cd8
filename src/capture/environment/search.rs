//! Variables and small files, and which program a word means.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::capture::plain;

/// Most bytes that are read of a small file.
pub(super) const SMALL_BYTES_MAX: u64 = 64 << 10;

/// The variables that a command gets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Takes those of this program; names and values that are not UTF-8 are left out.
    pub fn of_this_program() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// Finds the value of a variable that is set and not empty.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Lists names and values, ascending by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

/// Finds the file that a program's name means, as execvp(3) does.
pub(super) fn program(name: &str, directory: &Path, variables: &Variables) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(directory.join(name)).filter(|path| is_program(path));
    }
    let folders = variables.find("PATH")?.split(':');
    folders.map(|folder| directory.join(folder).join(name)).find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    let is_executable = |meta: std::fs::Metadata| meta.permissions().mode() & 0o111 != 0;
    path.metadata().is_ok_and(|meta| meta.is_file() && is_executable(meta))
}

/// Reads the beginning of a small regular file.
pub(super) fn read(path: &Path) -> Option<String> {
    let bytes = read_bytes(path, SMALL_BYTES_MAX)?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads at most so many bytes of a regular file.
pub(super) fn read_bytes(path: &Path, bytes_max: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    plain::open(path).ok()?.take(bytes_max).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
