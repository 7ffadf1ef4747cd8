//! `provenance.toml`: what the files of a project are. Specified in `docs/settings.md`.
//!
//! Pure: the text comes from the tree that is recorded, so that a commit and its settings fit.

mod pattern;
mod run;
mod upstream;

use std::io::{self, Read as _};
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub use pattern::Pattern;
pub use run::RunDeclaration;
pub use upstream::SourceDeclaration;

use super::open::own_file;
use crate::object::{ArtifactKind, TreePath};

/// Name of the file, at the top of the worktree.
pub const FILE: &str = "provenance.toml";
/// Largest file, bytes.
pub const BYTES_MAX: u64 = 1 << 20;
/// Most patterns in a file.
const PATTERNS_MAX: usize = 1024;
/// Longest name or other text, bytes.
const LINE_BYTES_MAX: usize = 1024;

const TABLES: &[&str] = &["artifact", "run", "source"];
const KEYS: &[&str] = &["path", "kind", "split", "base", "key", "label"];

/// Holds what the file says.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// What is declared, ascending by name, each name once.
    pub artifacts: Vec<Declaration>,
    /// Runs that have a name, ascending by it, each name once.
    pub runs: Vec<RunDeclaration>,
    /// What lies outside, ascending by name, each name once.
    pub sources: Vec<SourceDeclaration>,
}

/// Declares what the files at some paths are.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// Its name; not empty, one line.
    pub name: String,
    /// Where it is: whatever one of these matches; at least one.
    pub patterns: Vec<Pattern>,
    /// What it is; to be detected where it is absent.
    pub kind: Option<ArtifactKind>,
    /// What part of a larger whole it is.
    pub split: Option<String>,
    /// What it was made from.
    pub base: Option<String>,
    /// The column that tells the rows of a table apart.
    pub key: Option<String>,
    /// The column of a table that holds what is to be learnt.
    pub label: Option<String>,
}

impl Settings {
    /// Finds what is declared for a path, or for a directory above it.
    pub fn declaration_of(&self, path: &TreePath) -> Option<&Declaration> {
        let mut at = Some(path.clone());
        while let Some(path) = at {
            let matches = |of: &&Declaration| of.patterns.iter().any(|one| one.matches(&path));
            if let Some(found) = self.artifacts.iter().find(matches) {
                return Some(found);
            }
            at = path.parent();
        }
        None
    }
}

/// Tells where and why `provenance.toml` is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{FILE}:{line}: {reason}")]
pub struct SettingsError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub reason: String,
}

/// Reads the file.
///
/// Errors: the first thing that is wrong in it.
pub fn parse(bytes: &[u8]) -> Result<Settings, SettingsError> {
    if bytes.len() as u64 > BYTES_MAX {
        let reason = format!("the file has more than {BYTES_MAX} bytes");
        return Err(SettingsError { line: 1, reason });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        SettingsError { line: line_after(valid), reason: "not UTF-8".to_owned() }
    })?;
    // Editors of other systems put a mark of the byte order first.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let source = Source { text };
    let document = DeTable::parse(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        source.error_at(start, error.message().lines().next().unwrap_or_default().to_owned())
    })?;
    source.settings(document.get_ref())
}

/// Reads the file of a worktree; nothing is declared where there is none.
///
/// Errors: what keeps it from being read; what is wrong in it comes out of [`parse`].
pub fn load(root: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match own_file(&root.join(FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        file => drop(file?.take(BYTES_MAX + 1).read_to_end(&mut bytes)?),
    }
    Ok(bytes)
}

/// Gives the number of the line that comes after these bytes.
fn line_after(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// The text, for the numbers of lines.
#[derive(Debug, Clone, Copy)]
struct Source<'t> {
    text: &'t str,
}

type Value<'t> = Spanned<DeValue<'t>>;

impl Source<'_> {
    fn settings(self, document: &DeTable<'_>) -> Result<Settings, SettingsError> {
        let mut settings = Settings::default();
        for (key, value) in in_order(document) {
            match key.get_ref().as_ref() {
                "artifact" => {
                    let declared = self.table(value, "artifact", "is written [artifact.NAME]")?;
                    for (name, value) in in_order(declared) {
                        settings.artifacts.push(self.declaration(name, value)?);
                    }
                }
                "run" => {
                    let declared = self.table(value, "run", "is written [run.NAME]")?;
                    for (name, value) in in_order(declared) {
                        settings.runs.push(self.run(name, value)?);
                    }
                }
                "source" => {
                    let declared = self.table(value, "source", "is written [source.NAME]")?;
                    for (name, value) in in_order(declared) {
                        settings.sources.push(self.upstream(name, value)?);
                    }
                }
                other => return Err(self.unknown("table", other, key.span().start, TABLES)),
            }
        }
        let Settings { artifacts, runs, sources } = &mut settings;
        let patterns: usize = artifacts.iter().map(|artifact| artifact.patterns.len()).sum();
        let paths: usize = sources.iter().map(|source| source.paths.len()).sum();
        if patterns > PATTERNS_MAX || paths > PATTERNS_MAX {
            let of = if paths > PATTERNS_MAX { "paths of sources" } else { "patterns" };
            return Err(self.error_at(0, format!("more than {PATTERNS_MAX} {of}")));
        }
        artifacts.sort_by(|a, b| a.name.cmp(&b.name));
        runs.sort_by(|a, b| a.name.cmp(&b.name));
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(settings)
    }

    fn declaration(
        self,
        name: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Value<'_>,
    ) -> Result<Declaration, SettingsError> {
        let what = format!("artifact {:?}", name.get_ref());
        self.check_line(name.get_ref(), name.span().start, "the name of an artifact")?;
        let table = self.table(value, &what, "is not a table: give it a path")?;
        let mut declaration = Declaration {
            name: name.get_ref().to_string(),
            patterns: Vec::new(),
            kind: None,
            split: None,
            base: None,
            key: None,
            label: None,
        };
        for (key, value) in in_order(table) {
            match key.get_ref().as_ref() {
                "path" => declaration.patterns = self.patterns(value)?,
                "kind" => declaration.kind = Some(self.kind(value)?),
                "split" => declaration.split = Some(self.line(value, "split")?),
                "base" => declaration.base = Some(self.line(value, "base")?),
                "key" => declaration.key = Some(self.line(value, "key")?),
                "label" => declaration.label = Some(self.line(value, "label")?),
                other => return Err(self.unknown("key", other, key.span().start, KEYS)),
            }
        }
        if declaration.patterns.is_empty() {
            return Err(self.error_at(name.span().start, format!("{what} has no path")));
        }
        Ok(declaration)
    }

    /// Reads a pattern or a list of them.
    fn patterns(self, value: &Value<'_>) -> Result<Vec<Pattern>, SettingsError> {
        let Some(list) = value.get_ref().as_array() else { return Ok(vec![self.pattern(value)?]) };
        list.iter().map(|item| self.pattern(item)).collect()
    }

    fn pattern(self, value: &Value<'_>) -> Result<Pattern, SettingsError> {
        let text = self.line(value, "path")?;
        let refuse = |reason| self.error_at(value.span().start, format!("path {text:?} {reason}"));
        Pattern::parse(&text).map_err(|reason| refuse(format!("is not usable: {reason}")))
    }

    fn kind(self, value: &Value<'_>) -> Result<ArtifactKind, SettingsError> {
        let word = self.line(value, "kind")?;
        let words = ArtifactKind::ALL.map(ArtifactKind::as_str);
        let unknown = || self.unknown("kind", &word, value.span().start, &words);
        ArtifactKind::parse(&word).ok_or_else(unknown)
    }

    /// Reads a text that may stand in a record.
    fn line(self, value: &Value<'_>, what: &str) -> Result<String, SettingsError> {
        let start = value.span().start;
        let Some(text) = value.get_ref().as_str() else {
            let reason = format!("{what} is not a text but: {}", value.get_ref().type_str());
            return Err(self.error_at(start, reason));
        };
        self.check_line(text, start, what)?;
        Ok(text.to_owned())
    }

    fn check_line(self, text: &str, start: usize, what: &str) -> Result<(), SettingsError> {
        let reason = match text {
            "" => "is empty",
            _ if text.len() > LINE_BYTES_MAX => "is too long",
            _ if text.chars().any(char::is_control) => "has control characters",
            _ => return Ok(()),
        };
        Err(self.error_at(start, format!("{what} {reason}")))
    }

    fn table<'v, 't>(
        self,
        value: &'v Value<'t>,
        what: &str,
        otherwise: &str,
    ) -> Result<&'v DeTable<'t>, SettingsError> {
        let refused = || self.error_at(value.span().start, format!("{what} {otherwise}"));
        value.get_ref().as_table().ok_or_else(refused)
    }

    fn unknown(self, what: &str, word: &str, start: usize, known: &[&str]) -> SettingsError {
        let hint = match similar::get_close_matches(word, known, 1, 0.6).first() {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("known: {}", known.join(" ")),
        };
        self.error_at(start, format!("unknown {what} {word:?}; {hint}"))
    }

    fn error_at(self, start: usize, reason: String) -> SettingsError {
        let before = self.text.as_bytes().get(..start).unwrap_or_default();
        SettingsError { line: line_after(before), reason }
    }
}

/// Lists a table in the order of the file, so that the first mistake is named first.
fn in_order<'v, 't>(
    table: &'v DeTable<'t>,
) -> Vec<(&'v Spanned<std::borrow::Cow<'t, str>>, &'v Value<'t>)> {
    let mut pairs: Vec<_> = table.iter().collect();
    pairs.sort_by_key(|(key, _)| key.span().start);
    pairs
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
