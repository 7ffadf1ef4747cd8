//! `rev-list`: the ids of a set of commits, or how many there are.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt;

use super::{Context, Outcome};
use crate::repo::{self, RevListRequest};

/// List the ids of commits
///
/// The latest first. With --json, one line each: id; with --count, one document: count.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance rev-list main
  provenance rev-list --count HEAD
  provenance rev-list v1..main          # what main has and v1 does not
  provenance rev-list main ^v1 ^v2
  provenance rev-list a...b             # what only one of the two has
  provenance rev-list --bisect main ^v1 # which one to test, if main is bad and v1 good
  provenance rev-list --all --topo-order -n 10")]
pub struct Args {
    /// Commits to start from, `^OLD` or `OLD..NEW` to leave out what OLD has; else HEAD
    #[arg(value_name = "REVISION")]
    revisions: Vec<OsString>,
    /// Start from every branch and tag too
    #[arg(long)]
    all: bool,
    /// List no commit before all of its children
    #[arg(long)]
    topo_order: bool,
    /// Print only how many there are
    #[arg(long)]
    count: bool,
    /// Print only the commit that halves the set, to be tested in a search for the first bad one
    #[arg(long, conflicts_with_all = ["count", "topo_order", "count_max", "all"])]
    bisect: bool,
    /// List at most N commits
    #[arg(short = 'n', long = "max-count", value_name = "N")]
    count_max: Option<u64>,
}

/// Prints them.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let request = RevListRequest {
        revisions: args.revisions.iter().cloned().map(OsStringExt::into_vec).collect(),
        all: args.all,
        is_topological: args.topo_order,
        count_max: args.count_max,
    };
    if args.count {
        let count =
            context.watch(|progress| repo::rev_list_count(&repository, &request, progress))?;
        return context.print(|out| {
            if context.global.json {
                return Ok(out.json(&serde_json::json!({"count": count}))?);
            }
            Ok(writeln!(out, "{count}")?)
        });
    }
    if args.bisect {
        let next = context.watch(|p| repo::rev_list_bisect(&repository, &request, p))?;
        return context.print(|out| match (next, context.global.json) {
            (None, _) => Ok(()),
            (Some(id), true) => Ok(out.json(&serde_json::json!({"id": id.to_record()}))?),
            (Some(id), false) => Ok(writeln!(out, "{id}")?),
        });
    }
    context.print(|out| {
        repo::rev_list(&repository, &request, &context.progress, |id| {
            if context.global.json {
                return Ok(out.json(&serde_json::json!({"id": id.to_record()}))?);
            }
            Ok(writeln!(out, "{id}")?)
        })
    })
}
