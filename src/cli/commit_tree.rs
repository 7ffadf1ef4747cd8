//! `commit-tree TREE`: a commit of any tree and parents, for tools that build on it.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt;

use super::{Context, Outcome};
use crate::repo::{self, CommitTreeRequest};

/// Record a commit of any tree and parents, and move no branch
///
/// Prints its id; with --json, one document: commit. Name it soon with `branch` or `tag`: what
/// nothing names is collected one day.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance commit-tree main^{tree} -p main -p experiment -m \"take main, and say so\"
  provenance branch squashed $(provenance commit-tree main -m \"all in one\")")]
pub struct Args {
    /// A tree: its id, a commit, COMMIT:DIRECTORY
    tree: OsString,
    /// A parent; repeat for a merge
    #[arg(short, long = "parent", value_name = "COMMIT")]
    parents: Vec<OsString>,
    /// Why; given several times, each is a paragraph
    #[arg(short, long = "message", value_name = "MSG", required = true)]
    messages: Vec<String>,
}

/// Records it.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let request = CommitTreeRequest {
        tree: args.tree.clone().into_vec(),
        parents: args.parents.iter().cloned().map(OsStringExt::into_vec).collect(),
        message: args.messages.join("\n\n"),
    };
    let report = repo::commit_tree(&repository, &request)?;
    context.print(|out| {
        if context.global.json {
            return Ok(out.json(&serde_json::json!({"commit": report.id.to_record()}))?);
        }
        Ok(writeln!(out, "{}", report.id)?)
    })
}
