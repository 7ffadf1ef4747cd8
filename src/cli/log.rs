//! `log`: the history, the latest commit first; or the journal, the latest transaction first.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;

use super::graph::{Drawing, Graph};
use super::print::Output;
use super::undo::{moved, moved_json, unlisted};
use super::{Context, Failure, Outcome, commit_text, escape, units};
use crate::object::{ObjectId, Transaction};
use crate::repo::{self, LogCommit, LogFilter, LogRequest, LogRow};

/// Show the history
///
/// With --json, one line per commit: its record with id and refs; of --journal, per transaction:
/// number, time, actor, command, updates.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance log                             # from HEAD back
  provenance log -n 5 --oneline
  provenance log --graph --all --oneline
  provenance log --since \"2 weeks ago\" --author ada
  provenance log data/train.csv              # what changed a file
  provenance log v1..main -- data/gone.csv   # ... that is gone, since v1
  provenance log --journal                   # every change of a branch or tag, undone ones too
  provenance log --json

DATE is 2026-01-31, 2026-01-31 12:00, yesterday, 2 days ago, last monday or @1700000000; a day
alone means its first moment. PATTERN is a regular expression.")]
pub struct Args {
    /// Commits to start from, `^OLD` or `OLD..NEW` to leave out what OLD has; else HEAD;
    /// what is none of them is a PATH
    #[arg(value_name = "REVISION")]
    revisions: Vec<OsString>,
    /// Show only commits that changed one of these files or directories
    #[arg(last = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Show at most N
    #[arg(short = 'n', long = "max-count", value_name = "N")]
    count_max: Option<u64>,
    /// Show each as one line
    #[arg(long)]
    oneline: bool,
    /// Draw the history at the left
    #[arg(long, conflicts_with = "json")]
    graph: bool,
    /// Start from every branch and tag too
    #[arg(long)]
    all: bool,
    /// Show what was made at DATE or later
    #[arg(long, value_name = "DATE", visible_alias = "after")]
    since: Option<String>,
    /// Show what was made at DATE or earlier
    #[arg(long, value_name = "DATE", visible_alias = "before")]
    until: Option<String>,
    /// Show what was made by somebody whose `NAME <EMAIL>` matches; repeat for "or"
    #[arg(long, value_name = "PATTERN")]
    author: Vec<String>,
    /// Show what has a matching line in its message; repeat for "or"
    #[arg(long, value_name = "PATTERN")]
    grep: Vec<String>,
    /// Let patterns match in upper and lower case
    #[arg(short = 'i', long)]
    ignore_case: bool,
    /// Show the transactions of this repository instead of commits
    #[arg(long, conflicts_with_all = ["revisions", "paths", "graph", "all"])]
    journal: bool,
}

/// Prints row by row, while history is read.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let filter = LogFilter {
        since: args.since.clone(),
        until: args.until.clone(),
        authors: args.author.clone(),
        messages: args.grep.clone(),
        ignores_case: args.ignore_case,
        count_max: args.count_max,
    };
    if args.journal {
        return context.page(&repository, |out| {
            repo::log_journal(&repository, &filter, &context.progress, |transaction| {
                print_transaction(out, args, context, &transaction)
            })
        });
    }
    let place = context.place(&repository)?;
    let (revisions, paths) = place.names_and_paths(&repository, &args.revisions, &args.paths)?;
    let request = LogRequest { revisions, all: args.all, paths, filter, is_graph: args.graph };
    context.page(&repository, |out| {
        let mut printer = Printer {
            is_oneline: args.oneline,
            graph: args.graph.then(Graph::default),
            below: Vec::new(),
            beside: None,
        };
        repo::log(&repository, &request, &context.progress, |row| match row {
            LogRow::Shown(shown) if context.global.json => {
                Ok(out.json(&commit_text::json(&shown)?)?)
            }
            LogRow::Shown(shown) => printer.print(out, &shown),
            LogRow::Passed { id, parents } => printer.pass(out, id, &parents),
        })?;
        printer.finish(out)
    })
}

/// Prints commits, with a drawing at their left or none.
struct Printer {
    is_oneline: bool,
    graph: Option<Graph<ObjectId>>,
    /// Lines of the drawing that no text stands beside yet.
    below: Vec<String>,
    /// What stands left of the blank line before the next commit; none before the first.
    beside: Option<String>,
}

impl Printer {
    fn print(&mut self, out: &mut Output, shown: &LogCommit) -> Result<(), Failure> {
        let text = match self.is_oneline {
            true => vec![commit_text::one_line(&shown.id, &shown.commit, &shown.labels, out.paint)],
            false => commit_text::full(&shown.id, &shown.commit, &shown.labels, out.paint),
        };
        self.separate(out)?;
        let drawing = match &mut self.graph {
            Some(graph) => graph.draw(shown.id, &shown.parents),
            None => Drawing::default(),
        };
        for row in &drawing.above {
            line(out, row, "")?;
        }
        let mut prefixes = vec![drawing.commit];
        prefixes.extend(drawing.below);
        let unused = prefixes.split_off(text.len().min(prefixes.len()));
        let prefixes = prefixes.iter().chain(std::iter::repeat(&drawing.beside));
        for (prefix, text) in prefixes.zip(&text) {
            line(out, prefix, text)?;
        }
        self.below = unused;
        self.beside = Some(drawing.beside);
        match (self.is_oneline, &mut self.graph) {
            (true, _) => self.finish(out),
            (false, Some(graph)) => {
                graph.straighten();
                Ok(())
            }
            (false, None) => Ok(()),
        }
    }

    /// Prints the blank line between two commits, and what is left of the drawing.
    fn separate(&mut self, out: &mut Output) -> Result<(), Failure> {
        if let (false, Some(beside)) = (self.is_oneline, self.beside.take()) {
            let first = if self.below.is_empty() { beside } else { self.below.remove(0) };
            line(out, &first, "")?;
        }
        self.finish(out)
    }

    fn pass(
        &mut self,
        out: &mut Output,
        id: ObjectId,
        parents: &[ObjectId],
    ) -> Result<(), Failure> {
        let Some(graph) = &mut self.graph else { return Ok(()) };
        let rows = graph.pass(id, parents);
        self.below.extend(rows);
        match self.is_oneline {
            true => self.finish(out),
            false => Ok(()),
        }
    }

    fn finish(&mut self, out: &mut Output) -> Result<(), Failure> {
        self.below.drain(..).try_for_each(|row| line(out, &row, ""))
    }
}

fn line(out: &mut Output, prefix: &str, text: &str) -> Result<(), Failure> {
    Ok(writeln!(out, "{}", format!("{prefix}{text}").trim_end())?)
}

fn print_transaction(
    out: &mut Output,
    args: &Args,
    context: &Context,
    transaction: &Transaction,
) -> Result<(), Failure> {
    if context.global.json {
        return Ok(out.json(&transaction_json(transaction))?);
    }
    let paint = out.paint;
    let number = paint.id(transaction.number);
    let command = commit_text::subject(&transaction.command);
    if args.oneline {
        let mut moves: Vec<String> =
            transaction.updates.iter().map(|update| moved(update, paint)).collect();
        moves.extend(unlisted(transaction));
        let moves =
            if moves.is_empty() { String::new() } else { format!("  {}", moves.join(", ")) };
        return Ok(writeln!(out, "{number} {command}{moves}")?);
    }
    let actor = &transaction.actor;
    writeln!(out, "{number} {command}")?;
    let (name, email) = (escape::line(&actor.name), escape::line(&actor.email));
    writeln!(out, "    {name} <{email}>, {}", units::time(transaction.time.0))?;
    for update in &transaction.updates {
        writeln!(out, "    {}", moved(update, paint))?;
    }
    if let Some(words) = unlisted(transaction) {
        writeln!(out, "    {words}")?;
    }
    Ok(())
}

fn transaction_json(transaction: &Transaction) -> serde_json::Value {
    let actor = &transaction.actor;
    serde_json::json!({
        "number": transaction.number,
        "transaction": transaction.transaction.to_string(),
        "time": transaction.time.to_record(),
        "actor": {
            "name": actor.name, "email": actor.email, "host": actor.host, "user": actor.user,
        },
        "command": transaction.command,
        "updates": transaction.updates.iter().map(moved_json).collect::<Vec<_>>(),
        "unlisted": transaction.unlisted,
        "refs": transaction.refs.to_record(),
    })
}
