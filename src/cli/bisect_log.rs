//! What was said in a search, as commands that say it again, and back.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use super::args::{self, Command};
use super::bisect::{StartArgs, Step};
use super::{Context, Failure, Outcome, bisect_text, commit_text, escape, shell_word};
use crate::repo::{self, Bisection, BoundSide, Error, Repository, Verdict};

/// Longest file that is read, in bytes.
const LOG_BYTES_MAX: u64 = 64 << 20;

/// What a log says.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub start: Option<StartArgs>,
    /// What was said of commits, in order.
    pub says: Vec<(Verdict, Vec<u8>)>,
}

/// Prints the search under way.
pub fn print(context: &Context, repository: &Repository) -> Outcome {
    let state = repo::bisect_state(repository)?;
    context.print(|out| {
        if context.global.json {
            for said in &state.log {
                out.json(&bisect_text::said_json(said))?;
            }
            return Ok(());
        }
        writeln!(out, "# begun at {}", escape::line(&state.head))?;
        writeln!(out, "provenance bisect {}", start_words(&state))?;
        for said in &state.log {
            let (word, step) = match said.verdict {
                Verdict::Bad => (state.bad_word.as_str(), "bad"),
                Verdict::Good => (state.good_word.as_str(), "good"),
                Verdict::Skip => ("skip", "skip"),
            };
            let subject = repo::message(repository, &said.commit)?;
            let subject = commit_text::subject(&subject);
            let reason = said.reason.as_deref().map(|reason| format!("; {}", escape::line(reason)));
            let reason = reason.unwrap_or_default();
            writeln!(out, "# {}: {} {subject}{reason}", escape::line(word), said.commit.short())?;
            writeln!(out, "provenance bisect {step} {}", said.commit)?;
        }
        Ok(())
    })
}

fn start_words(state: &Bisection) -> String {
    let mut words = vec!["start".to_owned()];
    if state.first_parent {
        words.push("--first-parent".to_owned());
    }
    for (option, word, usual) in
        [("--term-new", &state.bad_word, "bad"), ("--term-old", &state.good_word, "good")]
    {
        if word != usual {
            words.extend([option.to_owned(), shell_word(word)]);
        }
    }
    if let Some(rule) = &state.metric {
        let side = match rule.bad_side {
            BoundSide::Above => "--above",
            BoundSide::Below => "--below",
        };
        let number = |number: f64| ryu_js::Buffer::new().format(number).to_owned();
        words.extend(["--metric".to_owned(), shell_word(&rule.name)]);
        words.extend([side.to_owned(), number(rule.bound.as_f64())]);
        words.extend(["--tolerance".to_owned(), number(rule.tolerance.as_f64())]);
    }
    if !state.paths.is_empty() {
        words.push("--".to_owned());
        words.extend(state.paths.iter().map(|path| shell_word(path)));
    }
    words.join(" ")
}

/// Reads a log; `-` is standard input.
pub(super) fn read(path: &Path) -> Result<Log, Failure> {
    let mut text = String::new();
    let read = |from: &mut dyn io::Read, text: &mut String| {
        from.take(LOG_BYTES_MAX).read_to_string(text).map(drop)
    };
    let outcome = match path.as_os_str() == "-" {
        true => read(&mut io::stdin().lock(), &mut text),
        false => File::open(path).and_then(|mut file| read(&mut file, &mut text)),
    };
    outcome.map_err(|source| Error::io("read the log of a bisection", path, source))?;
    let mut log = Log::default();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = || Error::Usage(format!("line {} of the log is no step: {line:?}", number + 1));
        let mut words = split(line).ok_or_else(wrong)?;
        words.insert(0, "provenance".to_owned());
        if words.get(1).is_some_and(|word| word == "provenance" || word == "git") {
            words.remove(0);
        }
        let typed = args::parse(words.into_iter().map(OsString::from)).map_err(|_| wrong())?;
        let Command::Bisect(args) = typed.command else { return Err(wrong().into()) };
        match args.into_step() {
            Step::Start(start) => log = Log { start: Some(start), says: Vec::new() },
            Step::Bad { commit } => log.say(Verdict::Bad, commit),
            Step::Good { commits } => log.say(Verdict::Good, commits),
            Step::Skip { commits } => log.say(Verdict::Skip, commits),
            _ => return Err(wrong().into()),
        }
    }
    Ok(log)
}

impl Log {
    fn say(&mut self, verdict: Verdict, commits: impl IntoIterator<Item = OsString>) {
        self.says.extend(commits.into_iter().map(|commit| (verdict, commit.into_vec())));
    }
}

/// Takes a line apart as a shell does, as far as [`shell_word`] goes; `None` for an open quote.
fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' => loop {
                match chars.next()? {
                    end if end == c => {
                        word.get_or_insert_default();
                        break;
                    }
                    inner => word.get_or_insert_default().push(inner),
                }
            },
            '\\' => word.get_or_insert_default().push(chars.next()?),
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart_as_it_was_put_together() {
        let words = ["bisect", "start", "--", "it's", "", "a b", "Zürich", r"back\slash"];
        let line: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
        assert_eq!(split(&line.join(" ")).expect("whole"), words);
        assert_eq!(split("bisect 'start"), None);
    }
}
