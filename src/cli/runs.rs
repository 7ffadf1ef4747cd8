//! `runs`: the recorded runs as a table.

use std::collections::BTreeSet;
use std::io::Write as _;

use super::print::Output;
use super::{Context, Failure, Outcome, commit_text, escape, run_text, units};
use crate::object::canonical::{Object, Value};
use crate::object::{Metrics, Params};
use crate::repo::{self, FoundRun, LogCommit, RunsRequest, UnfinishedRun};

/// Columns of parameters and metrics that are shown unless others are asked for.
const COLUMNS_MAX: usize = 8;

/// List runs as a table
///
/// FIELD is name, started, exit, elapsed, cpu, memory, author, host, command, message, stale (the
/// sources that have changed since), params.NAME or metrics.NAME (of a series the last value, or
/// metrics.NAME.first, .min, .max, .count). With --json, one line per run: its record with id.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance runs
  provenance runs --where 'metrics.accuracy > 0.9 and params.lr <= 1e-4' --sort -metrics.accuracy
  provenance runs --where 'not exit = 0 or has params.seed' --since yesterday
  provenance runs --where 'has stale'       # what has read data that is older than its source
  provenance runs --columns name,params.lr,metrics.loss.min -n 20
  provenance runs --csv > runs.csv
  provenance runs --unfinished              # under way, or died before they were recorded

EXPRESSION compares fields with numbers, words or \"texts\" by = != < <= > >=, ~ (holds) and !~,
joined by and, or, not and parentheses; `has FIELD` asks whether it is there.")]
pub struct Args {
    /// Only runs for which this holds
    #[arg(long = "where", value_name = "EXPRESSION")]
    filter: Option<String>,
    /// Sort by fields; -FIELD puts the largest first; else the latest first
    #[arg(long, value_name = "FIELD", value_delimiter = ',', allow_hyphen_values = true)]
    sort: Vec<String>,
    /// Show these fields
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    columns: Vec<String>,
    /// Show what began at DATE or later
    #[arg(long, value_name = "DATE", visible_alias = "after")]
    since: Option<String>,
    /// Show what began at DATE or earlier
    #[arg(long, value_name = "DATE", visible_alias = "before")]
    until: Option<String>,
    /// Show at most N
    #[arg(short = 'n', long = "max-count", value_name = "N")]
    count_max: Option<usize>,
    /// Print comma-separated values, with every parameter and metric unless --columns says which
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// List runs that are not recorded: under way, or died before they could be
    #[arg(long)]
    #[arg(conflicts_with_all = ["filter", "sort", "columns", "since", "until", "count_max", "csv"])]
    unfinished: bool,
}

/// Prints them.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    if args.unfinished {
        let runs = repo::runs_unfinished(&repository)?;
        return context.print(|out| unfinished(out, context, &runs));
    }
    let request = RunsRequest {
        filter: args.filter.clone(),
        sort: args.sort.clone(),
        since: args.since.clone(),
        until: args.until.clone(),
        count_max: args.count_max,
    };
    let runs = context.watch(|progress| repo::runs(&repository, &request, progress))?;
    context.page(&repository, |out| {
        if context.global.json {
            for run in runs {
                let FoundRun { id, commit, stale } = run;
                let parents = commit.parents.clone();
                let shown = LogCommit { id, commit, parents, labels: Vec::new() };
                let mut record = commit_text::json(&shown)?;
                if let Some(record) = record.as_object_mut() {
                    record.insert("stale".into(), stale.into());
                }
                out.json(&record)?;
            }
            return Ok(());
        }
        if args.csv {
            return csv(out, &runs, &args.columns);
        }
        if runs.is_empty() && !context.global.quiet {
            let is_chosen = args.filter.is_some() || args.since.is_some() || args.until.is_some();
            let words = match is_chosen || args.count_max == Some(0) {
                true => "No run is like that",
                false => "No runs (provenance run -- COMMAND records one)",
            };
            writeln!(out, "{words}")?;
            return Ok(());
        }
        table(out, &runs, &args.columns)
    })
}

fn table(out: &mut Output, runs: &[FoundRun], columns: &[String]) -> Result<(), Failure> {
    let mut columns = columns.to_vec();
    if columns.is_empty() {
        columns = ["name", "started", "exit", "elapsed"].map(str::to_owned).into();
        columns.extend(runs.iter().any(|run| !run.stale.is_empty()).then(|| "stale".to_owned()));
        columns.extend(values(runs).into_iter().take(COLUMNS_MAX));
    }
    let short = |name: &String| name.rsplit_once("params.").map_or(name.clone(), |(_, n)| n.into());
    let title =
        |name: &String| escape::line(&short(name)).trim_start_matches("metrics.").to_owned();
    let mut rows = vec![columns.iter().map(title).collect::<Vec<_>>()];
    rows.extend(
        runs.iter().map(|run| columns.iter().map(|name| cell(run, name)).collect::<Vec<_>>()),
    );
    let is_number = |at: usize| {
        runs.iter().any(|run| run.field(&columns[at]).is_some_and(|f| f.number().is_some()))
    };
    let right: Vec<bool> = (0..columns.len()).map(is_number).collect();
    let mut lines = units::columns(&rows, &right).into_iter();
    if let Some(head) = lines.next() {
        writeln!(out, "{}", out.paint.heading(head))?;
    }
    for line in lines {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// Words one field for the table; a dash where there is none.
fn cell(run: &FoundRun, name: &str) -> String {
    let Some(found) = run.field(name) else { return "-".to_owned() };
    let ms = |seconds: f64| (seconds * 1000.0) as u64;
    match (name, found.number()) {
        ("elapsed" | "cpu", Some(seconds)) => run_text::span(ms(seconds)),
        ("memory", Some(bytes)) => units::bytes(bytes as u64),
        ("started", _) => run.run().map(|run| units::time(run.started.0)).unwrap_or_default(),
        _ => escape::line(&found.text()),
    }
}

/// Gives the names of the metrics and parameters of any of these runs, metrics first.
fn values(runs: &[FoundRun]) -> Vec<String> {
    let (mut metrics, mut params) = (BTreeSet::new(), BTreeSet::new());
    for run in runs.iter().filter_map(FoundRun::run) {
        if let Metrics::Here(found) = &run.metrics {
            metrics.extend(found.iter().map(|(name, _)| format!("metrics.{name}")));
        }
        if let Params::Here(found) = &run.params {
            put_leaves(found, "params.", &mut params);
        }
    }
    metrics.into_iter().chain(params).collect()
}

/// Names parameters; of one that holds others, those.
fn put_leaves(params: &Object, prefix: &str, into: &mut BTreeSet<String>) {
    for (name, value) in params.iter() {
        let name = format!("{prefix}{name}");
        match value {
            Value::Object(inner) => put_leaves(inner, &format!("{name}."), into),
            _ => drop(into.insert(name)),
        }
    }
}

fn csv(out: &mut Output, runs: &[FoundRun], columns: &[String]) -> Result<(), Failure> {
    let mut columns = columns.to_vec();
    if columns.is_empty() {
        columns = ["name", "started", "exit", "elapsed"].map(str::to_owned).into();
        columns.extend(values(runs));
    }
    let quoted = |text: &str| match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    };
    let head: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
    writeln!(out, "commit,{}", head.join(","))?;
    for run in runs {
        let cell = |name: &String| run.field(name).map(|f| quoted(&f.text())).unwrap_or_default();
        let cells: Vec<String> = columns.iter().map(cell).collect();
        writeln!(out, "{},{}", run.id, cells.join(","))?;
    }
    Ok(())
}

fn unfinished(out: &mut Output, context: &Context, runs: &[UnfinishedRun]) -> Result<(), Failure> {
    if context.global.json {
        for run in runs {
            out.json(&serde_json::json!({
                "id": run.id, "name": run.name, "command": run.command,
                "started": run.started.to_record(), "alive": run.is_alive,
            }))?;
        }
        return Ok(());
    }
    for run in runs {
        let state = if run.is_alive { "under way" } else { "died" };
        let command = escape::line(&run.command.join(" "));
        writeln!(out, "{state:<9}  {}  {}  {command}", run.id, units::time(run.started.0))?;
    }
    if runs.iter().any(|run| !run.is_alive) && !context.global.quiet {
        writeln!(out, "\n`provenance run --recover` records what died.")?;
    }
    Ok(())
}
