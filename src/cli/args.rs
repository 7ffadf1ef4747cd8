//! What was typed: the global options and the commands, with their help in groups.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args as _, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use super::print::ColorChoice;
use super::{
    add, bisect, branch, cat, checkout, commit, commit_tree, completion, config, diff, du, export,
    fsck, gc, hash, impact, import, init, keep_calls, lineage, log, ls, man, merge_base, reproduce,
    restore, rev_list, rev_parse, rm, rollback, run, runs, show, source, status, tag, undo,
};

/// Version control for AI runs: data, weights, code and results, provably unchanged.
#[derive(Debug, Parser)]
#[command(name = "provenance", version, propagate_version = false, max_term_width = 100)]
#[command(subcommand_help_heading = "Commands")]
pub struct Typed {
    /// The options that hold for every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Holds the options that every command takes.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Answer in JSON: one document, or one line per item of a list
    #[arg(long, global = true)]
    pub json: bool,
    /// Run as if started in DIR
    #[arg(short = 'C', id = "start", value_name = "DIR", global = true)]
    pub dir: Option<PathBuf>,
    /// Say only what was asked for: no progress, no advice
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Use colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, global = true)]
    #[arg(hide_possible_values = true, hide_default_value = true)]
    #[arg(help = "Use colours: auto (on a terminal), always or never")]
    pub color: ColorChoice,
}

/// Lists the commands; each has a file of its name.
#[derive(Debug, Subcommand)]
pub enum Command {
    Add(add::Args),
    Bisect(bisect::Args),
    Branch(branch::Args),
    Cat(cat::Args),
    Checkout(checkout::Args),
    Commit(commit::Args),
    CommitTree(commit_tree::Args),
    Completion(completion::Args),
    Config(config::Args),
    Diff(diff::Args),
    Du(du::Args),
    Export(export::Args),
    Fsck(fsck::Args),
    Gc(gc::Args),
    Hash(hash::Args),
    Impact(impact::Args),
    Import(import::Args),
    Init(init::Args),
    #[command(hide = true)]
    KeepCalls(keep_calls::Args),
    Lineage(lineage::Args),
    Log(log::Args),
    Ls(ls::Args),
    #[command(hide = true)]
    Man(man::Args),
    MergeBase(merge_base::Args),
    Reproduce(reproduce::Args),
    Restore(restore::Args),
    RevList(rev_list::Args),
    RevParse(rev_parse::Args),
    Rm(rm::Args),
    Rollback(rollback::Args),
    Run(run::Args),
    Runs(runs::Args),
    Show(show::Args),
    Source(source::Args),
    Status(status::Args),
    Tag(tag::Args),
    Undo(undo::Args),
}

/// Describes the words of a command.
type Describe = fn(clap::Command) -> clap::Command;

/// How each command's words are described, by its name.
const COMMANDS: &[(&str, Describe)] = &[
    ("add", add::Args::augment_args),
    ("bisect", bisect::Args::augment_args),
    ("branch", branch::Args::augment_args),
    ("cat", cat::Args::augment_args),
    ("checkout", checkout::Args::augment_args),
    ("commit", commit::Args::augment_args),
    ("commit-tree", commit_tree::Args::augment_args),
    ("completion", completion::Args::augment_args),
    ("config", config::Args::augment_args),
    ("diff", diff::Args::augment_args),
    ("du", du::Args::augment_args),
    ("export", export::Args::augment_args),
    ("fsck", fsck::Args::augment_args),
    ("gc", gc::Args::augment_args),
    ("hash", hash::Args::augment_args),
    ("impact", impact::Args::augment_args),
    ("import", import::Args::augment_args),
    ("init", init::Args::augment_args),
    ("keep-calls", keep_calls::Args::augment_args),
    ("lineage", lineage::Args::augment_args),
    ("log", log::Args::augment_args),
    ("ls", ls::Args::augment_args),
    ("man", man::Args::augment_args),
    ("merge-base", merge_base::Args::augment_args),
    ("reproduce", reproduce::Args::augment_args),
    ("restore", restore::Args::augment_args),
    ("rev-list", rev_list::Args::augment_args),
    ("rev-parse", rev_parse::Args::augment_args),
    ("rm", rm::Args::augment_args),
    ("rollback", rollback::Args::augment_args),
    ("run", run::Args::augment_args),
    ("runs", runs::Args::augment_args),
    ("show", show::Args::augment_args),
    ("source", source::Args::augment_args),
    ("status", status::Args::augment_args),
    ("tag", tag::Args::augment_args),
    ("undo", undo::Args::augment_args),
];

/// Groups the commands for `provenance --help`.
const GROUPS: &[(&str, &[&str])] = &[
    ("Set up", &["init", "config", "completion"]),
    ("Record", &["add", "rm", "status", "commit", "run"]),
    ("Look", &["log", "runs", "show", "diff", "ls", "cat"]),
    ("Explain", &["lineage", "impact", "source", "bisect", "reproduce"]),
    ("Go back", &["checkout", "restore", "rollback", "undo"]),
    ("Name", &["branch", "tag"]),
    ("Exchange", &["export", "import"]),
    ("Keep in order", &["fsck", "gc", "du"]),
    ("For scripts", &["rev-parse", "rev-list", "merge-base", "commit-tree", "hash"]),
];

const TEMPLATE: &str = "\
{about}

{usage-heading} {usage}{after-help}

Options:
{options}";

/// Builds the definition that parsing, help, completions and man pages share.
pub fn definition() -> clap::Command {
    let command = Typed::command();
    let groups = groups(&command);
    command
        .help_template(TEMPLATE)
        .override_usage("provenance [OPTIONS] COMMAND [ARGUMENTS]")
        .after_help(groups)
        .mut_subcommand("config", |config| config.disable_help_subcommand(true))
        .mut_args(|arg| if arg.get_id() == "help" { arg.help("Print help") } else { arg })
}

fn groups(command: &clap::Command) -> String {
    let mut text = String::new();
    for (heading, names) in GROUPS {
        text.push_str(&format!("{heading}:\n"));
        for name in *names {
            let about = command.find_subcommand(name).and_then(clap::Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            text.push_str(&format!("  {name:<12}  {about}\n"));
        }
        text.push('\n');
    }
    text.push_str("`provenance COMMAND -h` shows a command's options and examples.");
    text
}

/// Parses the words of a command line, the program's name first.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Typed, clap::Error> {
    let words: Vec<OsString> = with_counts(words).collect();
    if let Some(typed) = parse_one(&words) {
        return Ok(typed);
    }
    let mut command = definition();
    let matches = command.try_get_matches_from_mut(words)?;
    Typed::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// Parses what is one command and has no mistake: to describe all of them takes as long as the
/// rest of the start.
fn parse_one(words: &[OsString]) -> Option<Typed> {
    let of = |word: &OsString| COMMANDS.iter().find(|(name, _)| word == name);
    let (name, describe) = words.iter().skip(1).find_map(of)?;
    let command = Global::augment_args(clap::Command::new("provenance"));
    let command = command.subcommand(describe(clap::Command::new(*name)));
    let matches = command.try_get_matches_from(words).ok()?;
    Typed::from_arg_matches(&matches).ok()
}

/// Takes `log -5` for `log -n5`, as git does.
///
/// Shape: what other commands are given stays as it is: it may be a command line of its own.
fn with_counts(words: impl IntoIterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    let (mut is_list, mut is_other, mut is_over, mut is_value) = (false, false, false, true);
    words.into_iter().map(move |word| {
        is_over |= word == "--";
        let digits = word.to_str().and_then(|word| word.strip_prefix('-'));
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        match digits.filter(|digits| !digits.is_empty() && is_list && !is_over) {
            Some(digits) => format!("-n{digits}").into(),
            None => {
                // The program's name, and what follows an option, is no command.
                let is_word = !is_value && !word.as_encoded_bytes().starts_with(b"-");
                is_list |= is_word && !is_other && (word == "log" || word == "rev-list");
                is_other |= is_word;
                is_value = word == "--color" || ends_with_dir(word.as_encoded_bytes());
                word
            }
        }
    })
}

/// Tells whether short options end with `-C`, whose value is the next word.
fn ends_with_dir(word: &[u8]) -> bool {
    let is_short = word.starts_with(b"-") && !word.starts_with(b"--");
    is_short && word.iter().position(|byte| *byte == b'C') == word.len().checked_sub(1)
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
