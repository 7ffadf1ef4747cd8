//! `bisect`: finds the commit that broke it, by halves.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;

use super::bisect_text::{self, json, words};
use super::metric_rule::MetricRuleArgs;
use super::place::Place;
use super::{Context, Exit, Failure, Outcome, bisect_inputs, bisect_log, escape};
use crate::repo::{
    self, BisectReport, BisectRunRequest, BisectStartRequest, Decision, Error, Repository, Verdict,
};

/// Find the commit that broke it
///
/// Name a commit that has the fault and one that does not; test what is checked out then, and say
/// what it is, until the first bad commit is found. With --metric the recorded values decide, and
/// nothing is executed; `bisect run` lets a command decide: it exits with 0 for good, 1 to 124 for
/// bad, 125 if it cannot tell. Where one step changed many things, `bisect inputs` says which of
/// them did it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance bisect start --metric metrics.accuracy --below 0.9 main v1
  provenance bisect start main v1        # main is bad, v1 is good
  provenance bisect run ./test.sh        # let a command decide
  provenance bisect inputs --run --metric metrics.accuracy --below 0.9 runs/a runs/b
  provenance bisect good                 # ... or say it yourself: good, bad, skip
  provenance bisect reset                # go back to where you were")]
#[command(disable_help_subcommand = true)]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

/// What a tolerance means where values are recorded.
const NOISE: &str = "Values are noisy: what is not farther from the bound decides nothing, and \
    where several runs had the same inputs, parameters and code, their mean counts";

/// A step of the search.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Step {
    Start(StartArgs),
    /// The commit has it: HEAD, or the one named
    #[command(visible_alias = "new")]
    Bad {
        /// The commit
        commit: Option<OsString>,
    },
    /// The commit does not have it: HEAD, or those named
    #[command(visible_alias = "old")]
    Good {
        /// The commits
        commits: Vec<OsString>,
    },
    /// The commit cannot be tested: HEAD, or those named; A..B names all between
    Skip {
        /// The commits
        commits: Vec<OsString>,
    },
    /// Check out what is to be tested next, again
    Next,
    Run(RunArgs),
    Inputs(bisect_inputs::InputsArgs),
    /// Print what was said so far, so that `replay` can do it again
    Log,
    /// Do again what `bisect log` printed
    Replay {
        /// The file; - is standard input
        file: PathBuf,
    },
    /// List the commits that may still be the first bad one
    #[command(visible_alias = "visualize")]
    View,
    /// Print the words for both sides
    Terms,
    /// End the search and go back to where it began, or to a commit
    Reset {
        /// Where to go
        commit: Option<OsString>,
        /// Lose changes that no commit holds
        #[arg(short, long)]
        force: bool,
    },
    /// Words of the user for both sides.
    #[command(external_subcommand)]
    Own(Vec<OsString>),
}

/// Begin a search
#[derive(Debug, clap::Args)]
#[command(mut_arg("tolerance", |arg| arg.help(NOISE)))]
pub(super) struct StartArgs {
    /// A commit that has it
    #[arg(long, value_name = "COMMIT", visible_alias = "new")]
    bad: Option<OsString>,
    /// A commit that does not have it
    #[arg(long, value_name = "COMMIT", visible_alias = "old")]
    good: Vec<OsString>,
    /// Follow only the first parent of a merge
    #[arg(long)]
    first_parent: bool,
    #[command(flatten)]
    metric: MetricRuleArgs,
    /// The word for a commit that has it, in place of bad
    #[arg(long, value_name = "WORD", visible_alias = "term-bad")]
    term_new: Option<String>,
    /// The word for a commit that does not have it, in place of good
    #[arg(long, value_name = "WORD", visible_alias = "term-good")]
    term_old: Option<String>,
    /// A bad commit, then good ones
    #[arg(value_name = "BAD [GOOD]...", num_args = 0..)]
    commits: Vec<OsString>,
    /// Only commits that change one of these can be it
    #[arg(last = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// Let a command test commit after commit
#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    /// Skip a commit whose test takes longer than so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// Test each commit so often; what most tests say counts
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,
    /// The command
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    #[arg(value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(super) fn seconds(word: &str) -> Result<Duration, String> {
    let seconds: f64 = word.parse().map_err(|_| "is a number of seconds".to_owned())?;
    let duration = Duration::try_from_secs_f64(seconds).ok();
    duration.filter(|duration| !duration.is_zero()).ok_or_else(|| "is more than 0".to_owned())
}

impl Args {
    /// Gives the step.
    pub(super) fn into_step(self) -> Step {
        self.step
    }
}

/// Takes a step.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let command = context.command();
    let say = |verdict, commits: &[OsString]| {
        let commits: Vec<Vec<u8>> = commits.iter().cloned().map(OsStringExt::into_vec).collect();
        let report = context.watch(|progress| {
            repo::bisect_say(&repository, verdict, &commits, &command, progress)
        })?;
        answer(context, &repository, &report)
    };
    match &args.step {
        Step::Start(args) => {
            let request = request(args, context, &repository, &context.place(&repository)?)?;
            let start = |progress: &_| repo::bisect_start(&repository, &request, progress);
            answer(context, &repository, &context.watch(start)?)
        }
        Step::Bad { commit } => say(Verdict::Bad, commit.as_slice()),
        Step::Good { commits } => say(Verdict::Good, commits),
        Step::Skip { commits } => say(Verdict::Skip, commits),
        Step::Own(typed) => {
            let state = repo::bisect_state(&repository)?;
            let (word, commits) = typed.split_first().ok_or_else(|| unknown(""))?;
            let word = word.to_string_lossy();
            match word {
                word if word == state.bad_word => say(Verdict::Bad, commits),
                word if word == state.good_word => say(Verdict::Good, commits),
                word => Err(unknown(&word)),
            }
        }
        Step::Next => {
            let next = |progress: &_| repo::bisect_next(&repository, &command, progress);
            answer(context, &repository, &context.watch(next)?)
        }
        Step::Run(args) => run_command(args, context, &repository),
        Step::Inputs(args) => bisect_inputs::run(args, context, &repository),
        Step::Log => bisect_log::print(context, &repository),
        Step::Replay { file } => {
            let log = bisect_log::read(file)?;
            let mut request = BisectStartRequest::default();
            if let Some(start) = &log.start {
                // A log has its paths as they are seen from the root, wherever it is read.
                let root = Place::of(&repository, repository.location.root.clone())?;
                request = self::request(start, context, &repository, &root)?;
            }
            request.command = command;
            let replay =
                |progress: &_| repo::bisect_replay(&repository, &request, &log.says, progress);
            answer(context, &repository, &context.watch(replay)?)
        }
        Step::View => view(context, &repository),
        Step::Terms => {
            let state = repo::bisect_state(&repository)?;
            context.print(|out| {
                if context.global.json {
                    let words = serde_json::json!({"bad": state.bad_word, "good": state.good_word});
                    return Ok(out.json(&words)?);
                }
                let [bad, good] =
                    [&state.bad_word, &state.good_word].map(|word| escape::line(word));
                Ok(writeln!(out, "{bad} has it, {good} does not")?)
            })
        }
        Step::Reset { commit, force } => reset(commit.as_ref(), *force, context, &repository),
    }
}

fn unknown(word: &str) -> Failure {
    let text = format!("unknown step {word:?}: `provenance bisect -h` lists them");
    Failure::Operation(Error::Usage(text))
}

fn request(
    args: &StartArgs,
    context: &Context,
    repository: &Repository,
    place: &Place,
) -> Result<BisectStartRequest, Failure> {
    let bytes = |word: &OsString| word.clone().into_vec();
    let mut commits = args.commits.iter();
    let bad = args.bad.as_ref().or_else(|| commits.next());
    let good = args.good.iter().chain(commits).map(bytes).collect();
    let words = match (&args.term_new, &args.term_old) {
        (None, None) => None,
        (bad, good) => {
            let word = |word: &Option<String>, usual: &str| word.clone().unwrap_or(usual.into());
            Some(own_words(word(bad, "bad"), word(good, "good"))?)
        }
    };
    Ok(BisectStartRequest {
        bad: bad.map(bytes),
        good,
        paths: place.resolve(repository, &args.paths)?,
        first_parent: args.first_parent,
        words,
        metric: args.metric.rule()?,
        command: context.command(),
    })
}

/// Refuses words that mean something else.
fn own_words(bad: String, good: String) -> Result<(String, String), Failure> {
    const TAKEN: [&str; 11] = [
        "start", "skip", "next", "run", "inputs", "log", "replay", "view", "terms", "reset", "help",
    ];
    let is_word = |word: &str| {
        let is_plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        !word.is_empty() && word.chars().all(is_plain) && !word.starts_with('-')
    };
    for word in [&bad, &good] {
        if !is_word(word) || TAKEN.contains(&word.as_str()) {
            let text = format!("{word:?} cannot be the word for a side: choose another");
            return Err(Error::Usage(text).into());
        }
    }
    let is_crossed =
        ["good", "old"].contains(&bad.as_str()) || ["bad", "new"].contains(&good.as_str());
    if bad == good || is_crossed {
        let text = format!("{bad} and {good} would be mistaken for one another: choose others");
        return Err(Error::Usage(text).into());
    }
    Ok((bad, good))
}

fn run_command(args: &RunArgs, context: &Context, repository: &Repository) -> Outcome {
    let (out, error) = (std::io::stdout(), std::io::stderr());
    let request = BisectRunRequest {
        command: args.command.clone(),
        directory: context.directory()?,
        timeout: args.timeout,
        repeats: args.repeat,
        // An answer in JSON has standard output for itself.
        output: if context.global.json { error.as_fd() } else { out.as_fd() },
        journal: context.command(),
    };
    let state = repo::bisect_state(repository)?;
    // No bar: the command has the terminal.
    let report = repo::bisect_run(repository, &request, &context.progress, |event| {
        if !context.global.quiet && !context.global.json {
            bisect_text::tell(event, &state, context.stderr_paint());
        }
    })?;
    answer_end(context, repository, &report)
}

/// Prints how the search stands.
fn answer(context: &Context, repository: &Repository, report: &BisectReport) -> Outcome {
    context.print(|out| {
        if context.global.json {
            return Ok(out.json(&json(report)?)?);
        }
        if !context.global.quiet {
            for said in &report.decided {
                let line = bisect_text::said(said, &report.state, out.paint);
                writeln!(out, "{line}")?;
            }
        }
        words(out, repository, report)
    })?;
    Ok(exit_of(report))
}

/// Prints how a search ended of which all steps were told.
fn answer_end(context: &Context, repository: &Repository, report: &BisectReport) -> Outcome {
    context.print(|out| match context.global.json {
        true => Ok(out.json(&json(report)?)?),
        false => words(out, repository, report),
    })?;
    Ok(exit_of(report))
}

const fn exit_of(report: &BisectReport) -> Exit {
    match report.decision {
        Decision::OnlySkipped(_) => Exit::Partial,
        Decision::Mended { .. } => Exit::No,
        _ => Exit::Ok,
    }
}

fn view(context: &Context, repository: &Repository) -> Outcome {
    let suspects = context.watch(|progress| repo::bisect_view(repository, progress))?;
    context.page(repository, |out| {
        for (id, commit) in &suspects {
            if context.global.json {
                let subject = super::commit_text::first_line(&commit.message);
                out.json(&serde_json::json!({"id": id.to_record(), "subject": subject}))?;
            } else {
                let line = super::commit_text::one_line(id, commit, &[], out.paint);
                writeln!(out, "{line}")?;
            }
        }
        Ok(())
    })
}

fn reset(
    commit: Option<&OsString>,
    is_forced: bool,
    context: &Context,
    repository: &Repository,
) -> Outcome {
    let target = commit.map(|word| word.clone().into_vec());
    let command = context.command();
    let report = context
        .watch(|progress| repo::bisect_reset(repository, target, is_forced, &command, progress))?;
    context.print(|out| match (report, context.global.json) {
        (Some(report), _) => super::checkout::print(out, &context.global, &report),
        (None, true) => Ok(out.json(&serde_json::json!({}))?),
        (None, false) if context.global.quiet => Ok(()),
        (None, false) => Ok(writeln!(out, "no bisection is under way")?),
    })
}
