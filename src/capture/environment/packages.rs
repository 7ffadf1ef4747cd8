//! Installed packages, from the names of what their installers left behind.
//!
//! `numpy-1.26.4.dist-info` says name and version already; its files are opened only where more
//! can be known: `direct_url.json` for where a package came from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::search;
use crate::listing;
use crate::object::canonical::{Object, Value, capture};

/// Most packages of one directory.
const PACKAGES_MAX: usize = 20_000;
/// Most bytes of a file about one package.
const ABOUT_BYTES_MAX: u64 = 64 << 10;

/// A package that was installed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Its name, in lower case, with `-` for every run of `-`, `_` and `.` (PEP 503).
    pub name: String,
    /// `python` or `conda`.
    pub manager: &'static str,
    /// Its version, as its installer writes it.
    pub version: String,
    /// The build of a conda package.
    pub build: Option<String>,
    /// Where it came from, if not from a package index; without credentials.
    pub origin: Option<String>,
    /// Whether its files are those of a source tree, which can change.
    pub is_editable: bool,
}

impl Package {
    /// Gives its entry in the document.
    pub(super) fn to_object(&self) -> Object {
        let mut object = Object::new();
        object.set("name", self.name.as_str());
        object.set("version", self.version.as_str());
        object.set("manager", self.manager);
        object.set_some("build", self.build.as_deref());
        object.set_some("origin", self.origin.as_deref());
        object.set_some("editable", self.is_editable.then_some(true));
        object
    }
}

/// Collects packages, those of the first directory before those of later ones of the same name.
#[derive(Debug, Default)]
pub(super) struct Packages(BTreeMap<(String, &'static str), Package>);

impl Packages {
    /// Gives all, ascending by name, then manager.
    pub(super) fn finish(self) -> Vec<Package> {
        self.0.into_values().collect()
    }

    fn add(&mut self, package: Package) {
        let is_line = |text: &str| super::line(text).is_some_and(|line| line == text);
        if is_line(&package.name) && is_line(&package.version) {
            self.0.entry((package.name.clone(), package.manager)).or_insert(package);
        }
    }

    /// Adds what is installed in a directory of Python's path.
    pub(super) fn add_python(&mut self, folder: &Path, notes: &mut Vec<String>) {
        for (count, entry) in listing::entries(folder).into_iter().flatten().flatten().enumerate() {
            if count >= PACKAGES_MAX * 4 || self.0.len() >= PACKAGES_MAX {
                notes.push(format!(
                    "too many packages, so not all are listed: {}",
                    folder.display()
                ));
                return;
            }
            let Ok(name) = entry.name.into_string() else { continue };
            let path = folder.join(&name);
            let package = if let Some(stem) = name.strip_suffix(".dist-info") {
                python_package(stem, &path, &["METADATA"])
            } else if let Some(stem) = name.strip_suffix(".egg-info") {
                python_package(stem, &path, &["PKG-INFO", ""])
            } else if name.ends_with(".egg-link") {
                linked_package(&path)
            } else {
                continue;
            };
            match package {
                Some(package) => self.add(package),
                None => {
                    notes.push(format!("a package says no name or version: {}", path.display()))
                }
            }
        }
    }

    /// Adds what conda installed below a prefix.
    pub(super) fn add_conda(&mut self, prefix: &Path) {
        let folder = prefix.join("conda-meta");
        for entry in listing::entries(&folder).into_iter().flatten().flatten().take(PACKAGES_MAX) {
            let Ok(name) = entry.name.into_string() else { continue };
            let mut parts = name.strip_suffix(".json").unwrap_or_default().rsplitn(3, '-');
            let (Some(build), Some(version), Some(name)) =
                (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            self.add(Package {
                name: normal_name(name),
                manager: "conda",
                version: version.to_owned(),
                build: super::line(build),
                origin: None,
                is_editable: false,
            });
        }
    }
}

fn python_package(stem: &str, path: &Path, metadata: &[&str]) -> Option<Package> {
    let mut parts = stem.splitn(3, '-');
    let (name, version) = match (parts.next(), parts.next()) {
        (Some(name), Some(version)) if !name.is_empty() && !version.is_empty() => {
            (name.to_owned(), version.to_owned())
        }
        _ => metadata.iter().find_map(|file| described(&path.join(file)))?,
    };
    let (origin, is_editable) = origin(&path.join("direct_url.json"));
    let (name, manager) = (normal_name(&name), "python");
    Some(Package { name, manager, version, build: None, origin, is_editable })
}

/// Reads name and version from the head of METADATA or PKG-INFO.
fn described(path: &Path) -> Option<(String, String)> {
    let content = search::read(path.as_os_str().to_str().map_or(path, |text| {
        // Joining an empty name leaves a slash, which no file has at its end.
        Path::new(text.trim_end_matches('/'))
    }))?;
    let head = content.lines().take_while(|line| !line.is_empty());
    let fields: Vec<(&str, &str)> = head.filter_map(|line| line.split_once(": ")).collect();
    let find = |name: &str| {
        fields.iter().find(|(key, _)| *key == name).map(|(_, value)| value.trim().to_owned())
    };
    Some((find("Name")?, find("Version")?))
}

/// Reads `name.egg-link`, whose first line is the source tree.
fn linked_package(link: &Path) -> Option<Package> {
    let tree = PathBuf::from(search::read(link)?.lines().next()?.trim());
    let name = link.file_stem()?.to_str()?;
    let about = tree.join(format!("{}.egg-info", name.replace('-', "_"))).join("PKG-INFO");
    let (name, version) = described(&about)?;
    let origin = super::line(&format!("file://{}", tree.display()));
    let (name, manager) = (normal_name(&name), "python");
    Some(Package { name, manager, version, build: None, origin, is_editable: true })
}

/// Reads where a package came from (PEP 610): its address, and the commit of a repository.
fn origin(path: &Path) -> (Option<String>, bool) {
    let Some(bytes) = search::read_bytes(path, ABOUT_BYTES_MAX) else { return (None, false) };
    let Ok(Value::Object(document)) = capture(&bytes, "direct_url.json", bytes.len()) else {
        return (None, false);
    };
    let inner = |object: &Object, name: &str| match object.find(name) {
        Some(Value::Object(inner)) => inner.clone(),
        _ => Object::new(),
    };
    let text = |object: &Object, name: &str| match object.find(name) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let repository = inner(&document, "vcs_info");
    let vcs = text(&repository, "vcs").map(|vcs| vcs + "+").unwrap_or_default();
    let commit = text(&repository, "commit_id").map(|id| format!("@{id}")).unwrap_or_default();
    let is_editable = inner(&document, "dir_info").find("editable") == Some(&Value::Bool(true));
    let address =
        text(&document, "url").and_then(|url| super::line(&format!("{vcs}{url}{commit}")));
    (address, is_editable)
}

/// Spells a name as package indexes do (PEP 503).
fn normal_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            _ => normal.extend(c.to_lowercase()),
        }
    }
    normal
}
