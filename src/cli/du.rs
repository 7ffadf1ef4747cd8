//! `du [PATH…]`: how much room everything takes, by path and by kind.

use std::io::Write as _;
use std::path::PathBuf;

use super::print::put_path;
use super::{Context, Outcome, escape, units};
use crate::repo::{self, DuReport, DuRequest};

/// Show how much room everything takes
///
/// For each path that the next commit holds: the length of its files, their length when equal
/// contents count once, and what is stored for them. A version that is stored as the difference to
/// an older one takes what the difference takes. Then each kind of object, over all of history.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance du                  # what lies at the top of the worktree, each
  provenance du data models      # two directories
  provenance du --json           # for scripts: bytes, not rounded")]
pub struct Args {
    /// Files and directories; those at the top of the worktree if none is given
    paths: Vec<PathBuf>,
}

/// Answers.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let directory = context.directory()?;
    let repository = context.repository()?;
    let request = DuRequest { paths: repository.tree_paths(&directory, &args.paths)? };
    let report = context.watch(|progress| repo::du(&repository, &request, progress))?;
    context.print(|out| {
        if context.global.json {
            return Ok(out.json(&json(&report))?);
        }
        let right = [true, true, true, true, false];
        for line in units::columns(&path_rows(&report), &right) {
            writeln!(out, "{line}")?;
        }
        writeln!(out)?;
        for line in units::columns(&kind_rows(&report), &[false, true, true, true]) {
            writeln!(out, "{line}")?;
        }
        let (packs, journal) =
            (units::bytes(report.pack_bytes), units::bytes(report.journal_bytes));
        Ok(writeln!(out, "\n{packs} in packs, {journal} in the journal")?)
    })
}

fn path_rows(report: &DuReport) -> Vec<Vec<String>> {
    let header = ["files", "logical", "unique", "stored", "path"].map(str::to_owned);
    let mut rows = vec![header.to_vec()];
    let row = |files, logical, unique: &repo::Usage, path: String| {
        let [logical, raw, stored] =
            [logical, unique.raw_bytes, unique.stored_bytes].map(units::bytes);
        vec![units::grouped(files), logical, raw, stored, path]
    };
    for usage in &report.paths {
        let path = escape::path(usage.path.as_bytes()).to_string();
        rows.push(row(usage.files, usage.logical_bytes, &usage.unique, path));
    }
    let total = &report.total;
    rows.push(row(total.files, total.logical_bytes, &total.unique, "total".to_owned()));
    rows
}

fn kind_rows(report: &DuReport) -> Vec<Vec<String>> {
    let header = ["kind", "objects", "length", "stored"].map(str::to_owned);
    let mut rows = vec![header.to_vec()];
    for (kind, usage) in report.kinds.iter().filter(|(_, usage)| usage.objects > 0) {
        let [raw, stored] = [usage.raw_bytes, usage.stored_bytes].map(units::bytes);
        rows.push(vec![(*kind).to_owned(), units::grouped(usage.objects), raw, stored]);
    }
    rows
}

fn json(report: &DuReport) -> serde_json::Value {
    let paths = report.paths.iter().map(|usage| {
        let mut object = serde_json::Map::new();
        put_path(&mut object, "path", usage.path.as_bytes());
        object.extend(numbers(usage.files, usage.logical_bytes, &usage.unique));
        serde_json::Value::Object(object)
    });
    let kinds = report.kinds.iter().map(|(kind, usage)| {
        serde_json::json!({
            "kind": kind, "objects": usage.objects, "bytes": usage.raw_bytes,
            "stored_bytes": usage.stored_bytes,
        })
    });
    let total = &report.total;
    serde_json::json!({
        "paths": paths.collect::<Vec<_>>(),
        "total": serde_json::Value::Object(
            numbers(total.files, total.logical_bytes, &total.unique).collect(),
        ),
        "kinds": kinds.collect::<Vec<_>>(),
        "pack_bytes": report.pack_bytes,
        "journal_bytes": report.journal_bytes,
    })
}

fn numbers(
    files: u64,
    logical_bytes: u64,
    unique: &repo::Usage,
) -> impl Iterator<Item = (String, serde_json::Value)> {
    [
        ("files", files),
        ("logical_bytes", logical_bytes),
        ("unique_contents", unique.objects),
        ("unique_bytes", unique.raw_bytes),
        ("stored_bytes", unique.stored_bytes),
    ]
    .map(|(name, number)| (name.to_owned(), number.into()))
    .into_iter()
}
