//! Fixtures: bytes that were written once and must never change.
#![expect(clippy::unwrap_used, reason = "whoever calls this is a test")]

use std::fs;
use std::path::{Path, PathBuf};

/// Gives the place of a fixture, from its name below `fixtures/`.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// Insists that the fixture `name` holds exactly `bytes`.
///
/// A fixture that is missing is written when `PROVENANCE_BLESS=1`, else it fails the test; one
/// that differs always fails it.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "a blessed fixture is not repository content")]
pub fn check(name: &str, bytes: &[u8]) {
    let path = path(name);
    if !path.exists() && std::env::var_os("PROVENANCE_BLESS").is_some_and(|value| value == "1") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
    }
    let kept = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(kept == bytes, "{} differs from what is made today", path.display());
}

/// Lists the names of the fixtures directly inside a folder, sorted; the folder must have some.
pub fn names(folder: &str) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(path(folder))
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(!names.is_empty(), "{folder} holds no fixture");
    names
}

/// Reads the fixture `name`.
pub fn read(name: &str) -> Vec<u8> {
    let path = path(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
