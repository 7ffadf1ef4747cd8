//! Where answers go: standard output, a pager, text with colours or JSON.

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal as _, Write};

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::escape;
use super::pager::Pager;
use crate::progress::Progress;

/// Says when to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set or the terminal is dumb.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColorChoice {
    /// Decides for output that goes to a terminal or not.
    pub fn decide(self, is_terminal: bool) -> Paint {
        let on = match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
                is_terminal && !refused && !dumb
            }
        };
        Paint { on }
    }
}

/// Paints pieces of text, or leaves them as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint {
    on: bool,
}

impl Paint {
    /// Leaves every text as it is.
    pub const PLAIN: Self = Self { on: false };

    fn with(self, style: Style, text: impl Display) -> String {
        if self.on {
            format!("{}{text}{}", style.render(), style.render_reset())
        } else {
            text.to_string()
        }
    }

    /// Paints an id.
    pub fn id(self, text: impl Display) -> String {
        self.with(AnsiColor::Yellow.on_default(), text)
    }

    /// Paints what is new, or good.
    pub fn added(self, text: impl Display) -> String {
        self.with(AnsiColor::Green.on_default(), text)
    }

    /// Paints what is gone, or bad.
    pub fn removed(self, text: impl Display) -> String {
        self.with(AnsiColor::Red.on_default(), text)
    }

    /// Paints a place: the head of a hunk, a ref.
    pub fn place(self, text: impl Display) -> String {
        self.with(AnsiColor::Cyan.on_default(), text)
    }

    /// Paints a heading.
    pub fn heading(self, text: impl Display) -> String {
        self.with(Style::new().bold(), text)
    }

    /// Paints what matters less.
    pub fn faint(self, text: impl Display) -> String {
        self.with(Style::new().dimmed(), text)
    }

    /// Paints the word before an error.
    pub fn error(self, text: impl Display) -> String {
        self.with(AnsiColor::Red.on_default().bold(), text)
    }
}

/// Takes one answer, whole, and hands it to standard output or a pager.
///
/// Shape: refuses to go on once a stop was asked for, so that Ctrl-C ends a long list too.
#[derive(Debug)]
pub struct Output {
    sink: Sink,
    progress: Progress,
    is_terminal: bool,
    /// How to paint what goes there.
    pub paint: Paint,
}

#[derive(Debug)]
enum Sink {
    Standard(BufWriter<io::StdoutLock<'static>>),
    Pager(Pager),
}

impl Output {
    /// Writes to standard output.
    pub fn standard(color: ColorChoice, progress: &Progress) -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        let sink = Sink::Standard(BufWriter::with_capacity(1 << 16, stdout.lock()));
        Self { sink, progress: progress.clone(), is_terminal, paint: color.decide(is_terminal) }
    }

    /// Writes to a pager when standard output is a terminal, else like [`Self::standard`].
    ///
    /// Shape: `configured` is the value of `core.pager`; the environment is over it.
    pub fn paged(color: ColorChoice, progress: &Progress, configured: Option<&str>) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let Some(pager) = is_terminal.then(|| Pager::start(configured)).flatten() else {
            return Self::standard(color, progress);
        };
        let paint = color.decide(true);
        Self { sink: Sink::Pager(pager), progress: progress.clone(), is_terminal, paint }
    }

    /// Writes one JSON document on one line.
    pub fn json(&mut self, value: &Value) -> io::Result<()> {
        serde_json::to_writer(&mut *self, value)?;
        self.write_all(b"\n")
    }

    /// Writes a line whose exact bytes matter to the program that reads it; escaped on a terminal.
    pub fn exact_line(&mut self, line: &[u8]) -> io::Result<()> {
        if self.is_terminal {
            return writeln!(self, "{}", escape::content(line));
        }
        self.write_all(line)?;
        self.write_all(b"\n")
    }

    /// Hands over what is buffered and waits for the pager, if there is one.
    pub fn finish(self) -> io::Result<()> {
        match self.sink {
            Sink::Standard(mut out) => out.flush(),
            Sink::Pager(pager) => pager.finish(),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.progress.check().map_err(io::Error::other)?;
        match &mut self.sink {
            Sink::Standard(out) => out.write(bytes),
            Sink::Pager(pager) => pager.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Sink::Standard(out) => out.flush(),
            Sink::Pager(pager) => pager.flush(),
        }
    }
}

/// Puts a path into a JSON object, exactly: `path`, and `path_hex` where it is not UTF-8.
pub fn put_path(object: &mut serde_json::Map<String, Value>, key: &str, path: &[u8]) {
    object.insert(key.to_owned(), String::from_utf8_lossy(path).into());
    if std::str::from_utf8(path).is_err() {
        let hex: String = path.iter().map(|byte| format!("{byte:02x}")).collect();
        object.insert(format!("{key}_hex"), hex.into());
    }
}

/// Writes one line to standard error, escaped; a closed standard error is nobody's loss.
pub fn note(paint: Paint, word: &str, message: &str) {
    let mut line = paint.error(word);
    line.push_str(&escape::line(message));
    line.push('\n');
    let _nobody_listens = io::stderr().lock().write_all(line.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paint_is_off_for_pipes_and_on_when_told() {
        assert_eq!(ColorChoice::Auto.decide(false).id("ab"), "ab");
        assert_eq!(ColorChoice::Never.decide(true).id("ab"), "ab");
        assert_eq!(ColorChoice::Always.decide(false).id("ab"), "\u{1b}[33mab\u{1b}[0m");
    }

    #[test]
    fn a_path_in_json_is_exact_even_when_it_is_not_text() {
        let mut object = serde_json::Map::new();
        put_path(&mut object, "path", b"caf\xe9");
        assert_eq!(Value::Object(object).to_string(), r#"{"path":"caf�","path_hex":"636166e9"}"#);
    }
}
