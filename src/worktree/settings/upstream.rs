//! `[source.NAME]`: what lies outside of the repository and some of its files come from.

use std::borrow::Cow;

use toml::Spanned;

use super::{SettingsError, Source, Value, in_order};
use crate::object::TreePath;

pub(super) const KEYS: &[&str] = &["uri", "check", "paths"];

/// Declares a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceDeclaration {
    /// Its name; not empty, one line.
    pub name: String,
    /// Where it is: a file, or an address; there unless a command asks.
    pub uri: Option<String>,
    /// Program and arguments of a command whose output is its fingerprint; one that was written as
    /// one text goes to `sh -c`.
    pub check: Option<Vec<String>>,
    /// What comes from it, each path once, ascending by its bytes; not empty.
    pub paths: Vec<TreePath>,
}

impl Source<'_> {
    pub(super) fn upstream(
        self,
        name: &Spanned<Cow<'_, str>>,
        value: &Value<'_>,
    ) -> Result<SourceDeclaration, SettingsError> {
        let what = format!("source {:?}", name.get_ref());
        let start = name.span().start;
        self.check_line(name.get_ref(), start, "the name of a source")?;
        let table = self.table(value, &what, "is not a table: give it a uri and paths")?;
        let (mut uri, mut check, mut paths) = (None, None, Vec::new());
        for (key, value) in in_order(table) {
            match key.get_ref().as_ref() {
                "uri" => uri = Some(self.line(value, "uri")?),
                "check" => check = Some(self.command(value, "check")?),
                "paths" => paths = self.tree_paths(value)?,
                other => return Err(self.unknown("key", other, key.span().start, KEYS)),
            }
        }
        if check.as_ref().is_some_and(Vec::is_empty) {
            return Err(self.error_at(start, format!("{what} has a check without a command")));
        }
        if uri.is_none() && check.is_none() {
            return Err(self.error_at(start, format!("{what} has neither uri nor check")));
        }
        if paths.is_empty() {
            let reason = format!("{what} has no paths: name the files that come from it");
            return Err(self.error_at(start, reason));
        }
        Ok(SourceDeclaration { name: name.get_ref().to_string(), uri, check, paths })
    }

    fn tree_paths(self, value: &Value<'_>) -> Result<Vec<TreePath>, SettingsError> {
        let mut paths = Vec::new();
        for text in self.lines(value, "paths")? {
            let refuse = |reason: String| {
                self.error_at(value.span().start, format!("path {text:?} is not usable: {reason}"))
            };
            if text.contains(['*', '?', '[', '{']) {
                return Err(refuse("name a file or a directory, without wildcards".to_owned()));
            }
            // `data/` is how many write that `data` is a directory.
            let path = TreePath::new(text.strip_suffix('/').unwrap_or(&text));
            paths.push(path.map_err(|error| refuse(error.to_string()))?);
        }
        paths.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
        paths.dedup();
        Ok(paths)
    }
}
