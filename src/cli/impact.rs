//! `impact WHAT`: which runs and models are affected when something is wrong with it.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt;

use super::lineage::document::{journal_json, within_json};
use super::lineage::{note_if_changed, path_of};
use super::print::Output;
use super::{Context, Exit, Failure, Outcome, escape, units};
use crate::object::{ObjectId, Run};
use crate::repo::{self, AffectedArtifact, ImpactReport, ImpactRequest, LineageNode, LinkRole};

/// Most runs that are named one by one.
const LINES_MAX: usize = 20;

/// Most contents in doubt that are named.
const DOUBTS_MAX: usize = 8;

/// Show what is affected when something is not what it should be
///
/// WHAT is a source, a path, COMMIT:PATH, the name of an artifact, an id, a SHA-256, or a run.
/// Every run that has read it, or what came of it, and everything that they made is listed, each
/// with the chain that proves it. The answer says up to which state of the journal it is complete.
/// Exit code 1 if anything is affected, 0 if nothing is.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance impact data/train.csv                 # what the file is in HEAD
  provenance impact --all-versions data/train.csv  # whatever it ever was
  provenance impact main~3:data/train.csv          # what it was then
  provenance impact survey                         # whatever came from a source of that name
  provenance impact --since yesterday data")]
pub struct Args {
    /// What is in doubt
    #[arg(value_name = "WHAT")]
    what: OsString,
    /// All content that the path ever had, not just what HEAD has
    #[arg(long)]
    all_versions: bool,
    /// Only runs that began at DATE or later
    #[arg(long, value_name = "DATE", visible_alias = "after")]
    since: Option<String>,
}

/// Follows it and prints what was found.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let request = ImpactRequest {
        path: path_of(&args.what, context, &repository)?,
        start: args.what.clone().into_vec(),
        all_versions: args.all_versions,
        since: args.since.clone(),
    };
    let report = context.watch(|progress| repo::impact(&repository, &request, progress))?;
    context.page(&repository, |out| match context.global.json {
        true => Ok(out.json(&json(&report))?),
        false => words(out, &report),
    })?;
    note_if_changed(&report.known, context);
    Ok(if report.runs.is_empty() { Exit::Ok } else { Exit::No })
}

fn words(out: &mut Output, report: &ImpactReport) -> Result<(), Failure> {
    let doubt: Vec<String> = report
        .starts
        .iter()
        .take(DOUBTS_MAX)
        .map(|(name, node)| format!("{} {}", escape::line(name), out.paint.id(node.id().short())))
        .collect();
    let mut doubt = doubt.join(", ");
    let more = report.starts.len().saturating_sub(DOUBTS_MAX);
    if more > 0 {
        doubt.push_str(&format!(" and {more} more"));
    }
    if report.runs.is_empty() && report.earlier > 0 {
        let earlier = units::count(report.earlier as u64, "earlier run");
        writeln!(out, "Nothing since then is affected by {doubt}; {earlier} had to do with it")?;
        return complete(out, report);
    }
    if report.runs.is_empty() {
        writeln!(out, "Nothing is affected: no run says that it has read {doubt}")?;
        if !report.beside.is_empty() {
            let runs = units::count(report.beside.len() as u64, "run");
            writeln!(out, "{runs} had it in the worktree, and may have read it all the same:")?;
        }
        for id in report.beside.iter().take(LINES_MAX) {
            writeln!(out, "  {}", out.paint.id(id.short()))?;
        }
        return complete(out, report);
    }
    let runs = units::count(report.runs.len() as u64, "run");
    writeln!(out, "{runs} and what they made are affected by {doubt}")?;
    let mut kind = None;
    for affected in &report.affected {
        if kind != Some(affected.content.kind) {
            kind = Some(affected.content.kind);
            let title = title(affected.content.kind.as_str());
            writeln!(out, "\n{}", out.paint.heading(title))?;
        }
        let id = out.paint.id(affected.content.id.short());
        let path = escape::path(affected.path.as_bytes());
        writeln!(out, "  {path}  {id}  {}", run_of(report, affected))?;
        writeln!(out, "    {}", chain(report, affected))?;
    }
    let made: HashSet<_> = report.affected.iter().map(|affected| affected.run).collect();
    let bare: Vec<_> = report.runs.iter().filter(|run| !made.contains(run)).collect();
    if !bare.is_empty() {
        writeln!(out, "\n{}", out.paint.heading("Runs that made nothing that is recorded:"))?;
        for id in bare {
            let name = of(report, id).map(|run| escape::line(&run.name)).unwrap_or_default();
            writeln!(out, "  {name}  {}", out.paint.id(id.short()))?;
        }
    }
    complete(out, report)
}

fn complete(out: &mut Output, report: &ImpactReport) -> Result<(), Failure> {
    let point = &report.journal;
    let entries = match point.size {
        1 => "1 entry".to_owned(),
        size => format!("{} entries", units::grouped(size)),
    };
    writeln!(out, "\nComplete for the journal of {entries}, root {}", point.root)?;
    Ok(())
}

fn title(kind: &str) -> String {
    let mut letters = kind.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    let rest = letters.as_str();
    match kind {
        "other" => "Other files:".to_owned(),
        "metrics" => "Metrics:".to_owned(),
        _ => format!("{}{rest}s:", first.unwrap_or_default()),
    }
}

fn of<'r>(report: &'r ImpactReport, id: &ObjectId) -> Option<&'r Run> {
    report.known.commits.get(id).and_then(|commit| commit.run.as_ref())
}

fn run_of(report: &ImpactReport, affected: &AffectedArtifact) -> String {
    match of(report, &affected.run) {
        Some(run) => format!("run {}, {}", escape::line(&run.name), units::time(run.started.0)),
        None => String::new(),
    }
}

/// Says by which way something is affected: `raw.csv → run clean → data → run train → model`.
fn chain(report: &ImpactReport, affected: &AffectedArtifact) -> String {
    let start = report.starts.iter().find(|(_, node)| *node == affected.start);
    let mut steps = vec![start.map(|(name, _)| escape::line(name)).unwrap_or_default()];
    for (link, node) in &affected.chain {
        let path = escape::path(link.path.as_bytes());
        // The run has read the directory in which it is.
        steps.extend(link.within.as_ref().map(|_| path.clone()));
        steps.push(match (node, link.role) {
            (LineageNode::Commit(id), _) => {
                let name = of(report, id).map(|run| escape::line(&run.name));
                format!("run {}", name.unwrap_or_else(|| id.short()))
            }
            (LineageNode::Artifact(_), LinkRole::Holds) => {
                format!("{}/{path}", steps.last().map(String::as_str).unwrap_or_default())
            }
            (LineageNode::Artifact(_), _) => path,
        });
    }
    steps.join(" → ")
}

fn json(report: &ImpactReport) -> serde_json::Value {
    let starts: Vec<_> = report
        .starts
        .iter()
        .map(|(name, node)| serde_json::json!({"name": name, "id": node.id().to_record()}))
        .collect();
    let affected: Vec<_> = report
        .affected
        .iter()
        .map(|affected| {
            let chain = affected.chain.iter().map(|(link, node)| {
                serde_json::json!({
                    "id": node.id().to_record(), "role": link.role.word(), "path": link.path,
                    "within": within_json(link),
                })
            });
            serde_json::json!({
                "kind": affected.content.kind.as_str(),
                "id": affected.content.id.to_record(),
                "path": affected.path,
                "run": affected.run.to_record(),
                "start": affected.start.id().to_record(),
                "chain": chain.collect::<Vec<_>>(),
            })
        })
        .collect();
    let runs: Vec<_> = report
        .runs
        .iter()
        .map(|id| {
            let run = of(report, id);
            serde_json::json!({
                "id": id.to_record(), "name": run.map(|run| run.name.as_str()),
                "started": run.and_then(|run| run.started.to_record()),
            })
        })
        .collect();
    serde_json::json!({
        "starts": starts,
        "changed": report.known.has_changed,
        "affected": affected,
        "runs": runs,
        "earlier": report.earlier,
        "beside": report.beside.iter().map(ObjectId::to_record).collect::<Vec<_>>(),
        "journal": journal_json(&report.journal),
    })
}
