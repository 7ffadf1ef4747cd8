//! Lock files at the worktree's root, with the content that is attached.

use std::path::Path;

use super::search;
use crate::capture::redact;
use crate::object::ObjectId;
use crate::object::canonical::{Object, Value};

/// Most bytes of a lock file that is attached.
const BYTES_MAX: u64 = 16 << 20;

/// Names that are looked for, ascending.
const NAMES: &[&str] = &[
    "Cargo.lock",
    "Manifest.toml",
    "Pipfile.lock",
    "conda-lock.yml",
    "environment.yaml",
    "environment.yml",
    "go.sum",
    "package-lock.json",
    "pdm.lock",
    "pixi.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "pylock.toml",
    "renv.lock",
    "requirements.txt",
    "uv.lock",
    "yarn.lock",
];

/// A file that pins packages, as it is attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockFile {
    /// Its name at the worktree's root.
    pub path: String,
    /// The id of `content`.
    pub id: ObjectId,
    /// Its bytes, without secrets.
    pub content: Vec<u8>,
    /// Whether secrets were replaced, so that `content` is not the file's.
    pub is_redacted: bool,
}

impl LockFile {
    /// Gives its entry in the document.
    pub(super) fn to_object(&self) -> Object {
        let mut object = Object::new();
        object.set("path", self.path.as_str());
        object.set("id", self.id);
        object.set_some("bytes", Value::count(self.content.len() as u64).ok());
        object.set_some("redacted", self.is_redacted.then_some(true));
        object
    }
}

/// Finds and reads the lock files in `root`.
pub(super) fn find(root: &Path, notes: &mut Vec<String>) -> Vec<LockFile> {
    let mut found = Vec::new();
    for name in NAMES {
        let path = root.join(name);
        if !path.is_file() {
            continue;
        }
        let Some(content) = search::read_bytes(&path, BYTES_MAX + 1) else {
            notes.push(format!("cannot read, so it is not recorded, path={}", path.display()));
            continue;
        };
        if content.len() as u64 > BYTES_MAX {
            notes.push(format!("longer than 16 MiB, so it is not attached, path={name}"));
            continue;
        }
        let mut clean = Vec::with_capacity(content.len());
        let mut redactor = redact::LogRedactor::new();
        redactor.push(&content, &mut clean);
        redactor.finish(&mut clean);
        let is_redacted = clean != content;
        let id = ObjectId::of(&clean);
        found.push(LockFile { path: (*name).to_owned(), id, content: clean, is_redacted });
    }
    found
}
