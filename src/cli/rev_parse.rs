//! `rev-parse REVISION…`: what names stand for, for scripts.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt;

use super::{Context, Outcome};
use crate::object::tree::Target;
use crate::repo::revision::Named;
use crate::repo::{self, RevParseRequest, RevParseRow};

/// Print the ids that names stand for
///
/// With --json, one line each: id, kind, and whether a range leaves it out.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance rev-parse HEAD
  provenance rev-parse --short main~2 v1^{tree}
  provenance rev-parse main:data/train.csv     # the id of a file, as b3sum prints it
  provenance rev-parse \"main@{yesterday}\"
  provenance rev-parse v1..main                # a range: its end, then ^ and its beginning

NAME is a branch, a tag, HEAD or @, an id or its first digits (4 and more), then any of
~N (N times the first parent), ^N (the N-th parent), ^{tree}, @{N} and @{DATE} (what a branch
was), :PATH (what stands there; alone, in the stage).")]
pub struct Args {
    /// What to resolve
    #[arg(required = true, value_name = "NAME")]
    revisions: Vec<OsString>,
    /// Print the first 12 digits only
    #[arg(long)]
    short: bool,
}

/// Prints one id per line.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let revisions = args.revisions.iter().cloned().map(OsStringExt::into_vec).collect();
    let rows = repo::rev_parse(&repository, &RevParseRequest { revisions })?;
    context.print(|out| {
        for row in &rows {
            if context.global.json {
                out.json(&json(row))?;
                continue;
            }
            let sign = if row.is_excluded { "^" } else { "" };
            let id = row.named.id();
            let id = if args.short { id.short() } else { id.to_string() };
            writeln!(out, "{sign}{id}")?;
        }
        Ok(())
    })
}

fn json(row: &RevParseRow) -> serde_json::Value {
    serde_json::json!({
        "id": row.named.id().to_record(),
        "kind": kind(&row.named),
        "excluded": row.is_excluded,
    })
}

const fn kind(named: &Named) -> &'static str {
    match named {
        Named::Commit(_) => "commit",
        Named::Tree(_) => "tree",
        Named::Entry(Target::Symlink { .. }) => "symlink",
        Named::Entry(_) => "file",
        Named::Object(_, stored) => stored.word(),
    }
}
