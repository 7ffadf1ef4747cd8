//! Words: one file per command, with its arguments, one call into `repo`, and the printed report.
//!
//! The only place that writes to standard output and standard error, and that ends the process.

mod add;
mod args;
mod bisect;
mod bisect_inputs;
mod bisect_log;
mod bisect_text;
mod branch;
mod cat;
mod checkout;
mod commit;
mod commit_text;
mod commit_tree;
mod completion;
mod config;
mod diff;
mod du;
mod escape;
mod exit;
mod export;
mod file_diff;
mod fsck;
mod gc;
mod graph;
mod hash;
mod impact;
mod import;
mod init;
mod keep_calls;
mod lineage;
mod log;
mod ls;
mod man;
mod manifest;
mod merge_base;
mod metric_rule;
mod pager;
mod patch;
mod place;
mod plot;
mod print;
mod profile_text;
mod progress;
mod reproduce;
mod reproduce_text;
mod restore;
mod rev_list;
mod rev_parse;
mod rm;
mod rollback;
mod row_text;
mod run;
mod run_text;
mod runs;
mod show;
mod signals;
mod source;
mod split_text;
mod status;
mod tag;
mod undo;
mod units;
mod worktree_words;

use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::clock::{Clock, Timestamp};
use crate::progress::Progress;
use crate::repo::{Error, ErrorKind, Mend, Repository};
use args::{Command, Global};
use exit::{Failure, hint_of};
use place::Place;
use print::Output;
use progress::Bar;
use signals::Signals;

pub use args::Typed;
pub use exit::Exit;

/// What a command answers: how it ended, or why it could not.
type Outcome = Result<Exit, Failure>;

/// Holds what every command needs besides its own arguments.
#[derive(Debug)]
struct Context {
    global: Global,
    progress: Progress,
}

impl Context {
    /// Runs `work` and draws a bar on standard error if it takes long.
    fn watch<T>(&self, work: impl FnOnce(&Progress) -> T) -> T {
        let _bar = Bar::watch(&self.progress, self.global.quiet);
        work(&self.progress)
    }

    /// Prints an answer to standard output.
    fn print(&self, answer: impl FnOnce(&mut Output) -> Result<(), Failure>) -> Outcome {
        let mut out = Output::standard(self.global.color, &self.progress);
        answer(&mut out)?;
        out.finish()?;
        Ok(Exit::Ok)
    }

    /// Prints an answer that may be long: through a pager on a terminal.
    fn page(
        &self,
        repository: &Repository,
        answer: impl FnOnce(&mut Output) -> Result<(), Failure>,
    ) -> Outcome {
        let pager = repository.setting("core.pager");
        let mut out = Output::paged(self.global.color, &self.progress, pager);
        answer(&mut out)?;
        out.finish()?;
        Ok(Exit::Ok)
    }

    /// Opens the repository that the command works in.
    fn repository(&self) -> Result<Repository, Error> {
        Repository::open(&self.directory()?, self.clock()?)
    }

    /// Opens the repository that the command works in, for who mends it.
    fn repository_to_mend(&self) -> Result<(Repository, Vec<Mend>), Error> {
        Repository::open_to_mend(&self.directory()?, self.clock()?)
    }

    /// Finds where in its worktree the command works.
    fn place(&self, repository: &Repository) -> Result<Place, Error> {
        Place::of(repository, self.directory()?)
    }

    /// How to paint what goes to standard error.
    fn stderr_paint(&self) -> print::Paint {
        self.global.color.decide(std::io::stderr().is_terminal())
    }

    /// The command as a shell would take it, for the journal.
    fn command(&self) -> String {
        let words = std::env::args_os().skip(1);
        words.map(|word| shell_word(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
    }

    /// Names what was left out, on standard error, without hints; ends with 3 if it was anything.
    fn name_skipped(&self, failures: impl Iterator<Item = Error>) -> Exit {
        let mut exit = Exit::Ok;
        for error in failures {
            exit = Exit::Partial;
            let quiet = Global { quiet: true, ..self.global.clone() };
            complain(&Failure::Operation(error), exit, &quiet, "");
        }
        exit
    }

    /// Gives the clock: the system's, unless `PROVENANCE_CLOCK` fixes it, as tests do.
    fn clock(&self) -> Result<Clock, Error> {
        let Some(set) = std::env::var_os("PROVENANCE_CLOCK") else { return Ok(Clock::System) };
        let at = set.to_str().and_then(|text| text.parse().ok()).map(Timestamp);
        // A time that no record can spell would only fail later, as if something were damaged.
        at.filter(|at| at.to_record().is_some()).map(Clock::Fixed).ok_or_else(|| {
            Error::Usage(format!(
                "PROVENANCE_CLOCK={set:?} is not a number of milliseconds since 1970 in the years \
                 0000 to 9999; unset it to use the clock of this machine"
            ))
        })
    }

    /// Gives the directory that the command works in, absolute.
    fn directory(&self) -> Result<PathBuf, Error> {
        let here = std::env::current_dir();
        here.map_err(|source| Error::io("find the current directory", ".", source))
    }
}

/// Parses the words of a command line, the program's name first.
///
/// Errors: the exit code, once help or the usage error was printed.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Typed, ExitCode> {
    let words: Vec<OsString> = words.into_iter().collect();
    args::parse(words.iter().cloned()).map_err(|error| answer_of_parser(&error, &words))
}

/// Prints help or a usage error; with colours only if no word could act as one.
fn answer_of_parser(error: &clap::Error, words: &[OsString]) -> ExitCode {
    let is_plain = |word: &OsString| word.to_str().is_some_and(|word| escape::line(word) == word);
    let _nobody_listens = if words.iter().all(is_plain) {
        error.print()
    } else {
        let text = escape::text(&error.render().to_string());
        std::io::stderr().lock().write_all(text.as_bytes())
    };
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Ok.into() }
}

/// Runs the command and words its failure.
pub fn run(typed: Typed) -> ExitCode {
    // Ctrl-C in a run is meant for its command, as often as it is pressed.
    let signals = match typed.command {
        Command::Run(_) => Signals::default(),
        _ => Signals::catch().unwrap_or_default(),
    };
    let progress = Progress::with_stop(signals.stop());
    let context = Context { global: typed.global, progress };
    let failure = match dispatch(&typed.command, &context) {
        Ok(exit) => return exit,
        Err(failure) if failure.is_broken_pipe() => return Exit::Ok.into(),
        Err(failure) => failure,
    };
    let exit = match failure.kind() {
        ErrorKind::Interrupted => signals.exit(),
        _ => failure.exit(),
    };
    let standing = match failure.kind() {
        ErrorKind::Interrupted => progress::standing(&context.progress.snapshot()),
        _ => String::new(),
    };
    complain(&failure, exit, &context.global, &standing);
    exit.into()
}

fn dispatch(command: &Command, context: &Context) -> Result<ExitCode, Failure> {
    if let Some(dir) = &context.global.dir {
        std::env::set_current_dir(dir)
            .map_err(|source| Error::io("work in the directory of -C", dir, source))?;
    }
    let exit = match command {
        Command::Run(args) => return run::run(args, context),
        Command::Add(args) => add::run(args, context),
        Command::Bisect(args) => bisect::run(args, context),
        Command::Branch(args) => branch::run(args, context),
        Command::Cat(args) => cat::run(args, context),
        Command::Checkout(args) => checkout::run(args, context),
        Command::Commit(args) => commit::run(args, context),
        Command::CommitTree(args) => commit_tree::run(args, context),
        Command::Completion(args) => completion::run(args, context),
        Command::Config(args) => config::run(args, context),
        Command::Diff(args) => diff::run(args, context),
        Command::Du(args) => du::run(args, context),
        Command::Export(args) => export::run(args, context),
        Command::Fsck(args) => fsck::run(args, context),
        Command::Gc(args) => gc::run(args, context),
        Command::Hash(args) => hash::run(args, context),
        Command::Impact(args) => impact::run(args, context),
        Command::Import(args) => import::run(args, context),
        Command::Init(args) => init::run(args, context),
        Command::KeepCalls(args) => keep_calls::run(args, context),
        Command::Lineage(args) => lineage::run(args, context),
        Command::Log(args) => log::run(args, context),
        Command::Ls(args) => ls::run(args, context),
        Command::Man(args) => man::run(args, context),
        Command::MergeBase(args) => merge_base::run(args, context),
        Command::Reproduce(args) => reproduce::run(args, context),
        Command::Restore(args) => restore::run(args, context),
        Command::RevList(args) => rev_list::run(args, context),
        Command::RevParse(args) => rev_parse::run(args, context),
        Command::Rm(args) => rm::run(args, context),
        Command::Rollback(args) => rollback::run(args, context),
        Command::Runs(args) => runs::run(args, context),
        Command::Show(args) => show::run(args, context),
        Command::Source(args) => source::run(args, context),
        Command::Status(args) => status::run(args, context),
        Command::Tag(args) => tag::run(args, context),
        Command::Undo(args) => undo::run(args, context),
    }?;
    Ok(exit.into())
}

/// Gives a word so that a shell takes it for one: in quotes if anything in it means something.
fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,^~".contains(c);
    match !word.is_empty() && !word.starts_with('~') && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// Words an error and what it comes from, outermost first.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        message = format!("{message}: {source}");
        cause = source.source();
    }
    message
}

/// Says on standard error what failed, why, and what to do next.
fn complain(failure: &Failure, exit: Exit, global: &Global, standing: &str) {
    let kind = failure.kind();
    let message = match kind {
        ErrorKind::Interrupted => format!("interrupted{standing}"),
        _ => with_causes(failure),
    };
    if global.json {
        let error = serde_json::json!({"error": {
            "kind": kind.word(), "exit_code": exit as u8, "message": message,
            "hint": hint_of(failure),
        }});
        let _nobody_listens = writeln!(std::io::stderr().lock(), "{error}");
        return;
    }
    let paint = global.color.decide(std::io::stderr().is_terminal());
    print::note(paint, "error: ", &message);
    if let Some(hint) = hint_of(failure).filter(|_| !global.quiet) {
        print::note(print::Paint::PLAIN, "hint: ", hint);
    }
}

#[cfg(test)]
mod tests {
    use super::shell_word;

    #[test]
    fn a_command_in_the_journal_can_be_typed_again() {
        let words = ["commit", "-am", "lr 0.01", "HEAD~1", "it's", "", "~", "Zürich", "a{b}"];
        let shown: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
        let expected = r"commit -am 'lr 0.01' HEAD~1 'it'\''s' '' '~' Zürich 'a{b}'";
        assert_eq!(shown.join(" "), expected);
    }
}
