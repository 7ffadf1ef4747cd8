//! `[run.NAME]`: what `provenance run NAME` runs, reads and writes.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::DeValue;

use super::{SettingsError, Source, Value, in_order};

pub(super) const KEYS: &[&str] = &["command", "inputs", "outputs", "params", "metrics", "trace"];

/// Declares a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunDeclaration {
    /// Its name; not empty, one line.
    pub name: String,
    /// Program and arguments; a command that was written as one text goes to `sh -c`.
    pub command: Vec<String>,
    /// What it reads, from the top of the worktree.
    pub inputs: Vec<String>,
    /// What it writes.
    pub outputs: Vec<String>,
    /// Parameters, each `NAME=VALUE`.
    pub params: Vec<String>,
    /// Files of parameters.
    pub params_files: Vec<String>,
    /// Files of metrics.
    pub metrics_files: Vec<String>,
    /// Whether the files that it opens are to be seen.
    pub traces: bool,
}

impl Source<'_> {
    pub(super) fn run(
        self,
        name: &Spanned<Cow<'_, str>>,
        value: &Value<'_>,
    ) -> Result<RunDeclaration, SettingsError> {
        let what = format!("run {:?}", name.get_ref());
        self.check_line(name.get_ref(), name.span().start, "the name of a run")?;
        let table = self.table(value, &what, "is not a table: give it a command")?;
        let mut run = RunDeclaration { name: name.get_ref().to_string(), ..Default::default() };
        for (key, value) in in_order(table) {
            match key.get_ref().as_ref() {
                "command" => run.command = self.command(value, "command")?,
                "inputs" => run.inputs = self.lines(value, "inputs")?,
                "outputs" => run.outputs = self.lines(value, "outputs")?,
                "metrics" => run.metrics_files = self.lines(value, "metrics")?,
                "trace" => run.traces = self.switch(value, "trace")?,
                "params" if value.get_ref().is_table() => run.params = self.params(value)?,
                "params" => run.params_files = self.lines(value, "params")?,
                other => return Err(self.unknown("key", other, key.span().start, KEYS)),
            }
        }
        if run.command.is_empty() {
            return Err(self.error_at(name.span().start, format!("{what} has no command")));
        }
        Ok(run)
    }

    /// Reads a command: words, or one text for the shell.
    pub(super) fn command(
        self,
        value: &Value<'_>,
        what: &str,
    ) -> Result<Vec<String>, SettingsError> {
        match value.get_ref().as_array() {
            Some(_) => self.lines(value, what),
            None => Ok(vec!["sh".to_owned(), "-c".to_owned(), self.line(value, what)?]),
        }
    }

    /// Reads `true` or `false`.
    fn switch(self, value: &Value<'_>, what: &str) -> Result<bool, SettingsError> {
        value.get_ref().as_bool().ok_or_else(|| {
            let found = value.get_ref().type_str();
            self.error_at(value.span().start, format!("{what} is not true or false but: {found}"))
        })
    }

    /// Reads a text or a list of them.
    pub(super) fn lines(self, value: &Value<'_>, what: &str) -> Result<Vec<String>, SettingsError> {
        let Some(list) = value.get_ref().as_array() else {
            return Ok(vec![self.line(value, what)?]);
        };
        list.iter().map(|item| self.line(item, what)).collect()
    }

    /// Reads a table of parameters.
    fn params(self, value: &Value<'_>) -> Result<Vec<String>, SettingsError> {
        let table = self.table(value, "params", "is no table")?;
        let mut params = Vec::new();
        for (key, value) in in_order(table) {
            let text = match value.get_ref() {
                DeValue::String(text) => text.to_string(),
                DeValue::Integer(number) => number.as_str().to_owned(),
                DeValue::Float(number) => number.as_str().to_owned(),
                DeValue::Boolean(value) => value.to_string(),
                other => {
                    let what = key.get_ref();
                    let reason = format!(
                        "params.{what} is neither text nor number but: {}; a file may hold it",
                        other.type_str()
                    );
                    return Err(self.error_at(value.span().start, reason));
                }
            };
            params.push(format!("{}={text}", key.get_ref()));
        }
        Ok(params)
    }
}
