//! A git repository that DVC uses, commit by commit: what it tracks, and where its cache has it.
//!
//! Only git's plumbing is asked, so that neither the checkout nor anything that its configuration
//! names is touched. docs/runs.md says what becomes of what.

mod cache;
mod history;
mod objects;
mod stages;
mod tracked;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::CaptureError;
use super::values::{self, ValuesFormat};
use crate::object::canonical::{Object, Value};

pub use cache::{CachedDirectory, DvcCache, Lookup};
pub use history::GitCommit;
pub use stages::Stage;
pub use tracked::{Md5, Tracked, md5_of};

use objects::Objects;

/// Most bytes of one file that is read from git.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// A repository that is read from the first commit to the last.
#[derive(Debug)]
pub struct DvcRepository {
    root: PathBuf,
    objects: Objects,
    /// Where the repository is published, without credentials.
    pub address: Option<String>,
    /// What the branch is called, or the commit.
    pub name: String,
}

/// What DVC tracks in one git commit.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Files that git has, by path: DVC's own, and those of parameters and metrics.
    pub files: BTreeMap<String, GitFile>,
    /// What `.dvc` files and stages name as their outputs, by path.
    pub tracked: BTreeMap<String, Tracked>,
    /// What `dvc.lock` holds, in the order of their names.
    pub stages: Vec<Stage>,
    /// What could not be understood, and why.
    pub notes: Vec<String>,
}

/// A file in a git commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitFile {
    /// Its object in git, hexadecimal.
    pub object: String,
    /// Whether its owner may execute it.
    pub is_executable: bool,
}

impl DvcRepository {
    /// Opens the repository that `root` is, or lies in; the commits are those of `revision`.
    ///
    /// Shape: commits after their parents; a parent that was left out is not among the parents.
    /// Errors: no git repository, one of another account, a revision that git does not know.
    pub fn open(root: &Path, revision: &str) -> Result<(Self, Vec<GitCommit>), CaptureError> {
        let (commits, name, address) = history::read(root, revision)?;
        let objects = Objects::start(root)?;
        Ok((Self { root: root.to_owned(), objects, address, name }, commits))
    }

    /// Finds the cache of the repository, which may be elsewhere.
    pub fn cache(&self) -> DvcCache {
        DvcCache::of(&self.root)
    }

    /// Reads what DVC tracks in a commit.
    ///
    /// Errors: git fails. What is malformed is noted.
    pub fn snapshot(&mut self, commit: &GitCommit) -> Result<Snapshot, CaptureError> {
        let mut all = history::files(&self.root, &commit.id)?;
        let mut snapshot = Snapshot::default();
        let mut documents = BTreeMap::new();
        for (path, file) in &all {
            let name = path.rsplit('/').next().unwrap_or(path);
            let is_pointer = name.len() > 4 && name.ends_with(".dvc");
            if !is_pointer && !matches!(name, "dvc.yaml" | "dvc.lock") {
                continue;
            }
            match self.document(&file.object)? {
                Ok(document) => drop(documents.insert(path.clone(), document)),
                Err(reason) => snapshot.notes.push(format!("{path}: {reason}")),
            }
            snapshot.files.insert(path.clone(), file.clone());
        }
        for (path, document) in &documents {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            if name == "dvc.lock" {
                let pipeline =
                    documents.get(&tracked::join(folder, "dvc.yaml").unwrap_or_default());
                stages::read(folder, document, pipeline, &mut snapshot);
            } else if name != "dvc.yaml" {
                tracked::read_pointer(folder, path, document, &mut snapshot);
            }
        }
        let mut named: Vec<String> = vec!["params.yaml".to_owned()];
        for stage in &snapshot.stages {
            named.extend(stage.metrics.iter().chain(&stage.param_files).cloned());
            named.extend(stage.inputs.iter().chain(&stage.outputs).map(|one| one.path.clone()));
        }
        for path in named {
            if let Some(file) = all.remove(&path) {
                snapshot.files.insert(path, file);
            }
        }
        Ok(snapshot)
    }

    /// Reads a file of git; none if it is longer than 16 MiB.
    pub fn read(&mut self, object: &str) -> Result<Option<Vec<u8>>, CaptureError> {
        self.objects.read(object, FILE_BYTES_MAX)
    }

    fn document(&mut self, object: &str) -> Result<Result<Object, String>, CaptureError> {
        let Some(bytes) = self.read(object)? else {
            return Ok(Err(format!("longer than {} MiB", FILE_BYTES_MAX >> 20)));
        };
        Ok(values::parse_params(&bytes, ValuesFormat::Yaml))
    }
}

/// Reads the metrics in a file, those of objects by their names with a dot between.
///
/// Errors: in words, for a file that holds none.
pub fn metrics_of(path: &str, bytes: &[u8]) -> Result<Object, String> {
    let format = ValuesFormat::of_name(Path::new(path)).unwrap_or(ValuesFormat::Json);
    let mut members = Vec::new();
    flatten("", &values::parse_params(bytes, format)?, &mut members);
    Object::from_members(members).map_err(|name| format!("the metric {name:?} is there twice"))
}

fn flatten(above: &str, object: &Object, members: &mut Vec<(String, Value)>) {
    for (name, value) in object.iter() {
        let full = if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") };
        match value {
            Value::Object(inner) => flatten(&full, inner, members),
            Value::Number(_) => members.push((full, value.clone())),
            Value::Text(text) if matches!(text.as_str(), "NaN" | "Infinity" | "-Infinity") => {
                members.push((full, value.clone()));
            }
            _ => {}
        }
    }
}
