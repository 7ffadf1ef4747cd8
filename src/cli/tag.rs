//! `tag`: lists, makes and deletes tags.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt;

use super::branch::{name_of, told};
use super::{Context, Failure, Outcome, commit_text, escape};
use crate::repo::{self, Error, TagCreateRequest, TagDeleteRequest};

/// List, make or delete tags
///
/// With --json, one line per tag: name, id, subject; or what moved: name, old, new.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance tag                 # which there are
  provenance tag v1              # name HEAD
  provenance tag paper main~3    # name another commit
  provenance tag -f paper main   # move it
  provenance tag -d paper        # delete it; `provenance undo` brings it back")]
pub struct Args {
    /// The tag to make, and what it shall name; with -d, the tags to delete
    #[arg(value_name = "NAME")]
    words: Vec<OsString>,
    /// Move the tag if there is one of that name
    #[arg(short, long)]
    force: bool,
    /// Delete tags
    #[arg(short, long, conflicts_with = "force")]
    delete: bool,
}

/// Does what was asked.
pub fn run(args: &Args, context: &Context) -> Outcome {
    if args.delete {
        return delete(args, context);
    }
    match args.words.as_slice() {
        [] => list(context),
        [name] => create(args, name, None, context),
        [name, commit] => create(args, name, Some(commit), context),
        _ => Err(usage("tag takes a name and a commit")),
    }
}

fn usage(message: &str) -> Failure {
    Failure::Operation(Error::Usage(message.to_owned()))
}

fn list(context: &Context) -> Outcome {
    let repository = context.repository()?;
    let tags = repo::tag_list(&repository)?;
    context.page(&repository, |out| {
        let width = tags.iter().map(|tag| tag.name.chars().count()).max().unwrap_or_default();
        for tag in &tags {
            if context.global.json {
                out.json(&serde_json::json!({
                    "name": tag.name, "id": tag.id.to_record(),
                    "subject": commit_text::first_line(&tag.commit.message),
                }))?;
                continue;
            }
            let (name, id) = (escape::line(&tag.name), out.paint.id(tag.id.short()));
            let subject = commit_text::subject(&tag.commit.message);
            writeln!(out, "{name:<width$}  {id} {subject}")?;
        }
        Ok(())
    })
}

fn create(args: &Args, name: &OsString, commit: Option<&OsString>, context: &Context) -> Outcome {
    let request = TagCreateRequest {
        name: name_of(name),
        commit: commit.cloned().map(OsStringExt::into_vec),
        is_forced: args.force,
        command: context.command(),
    };
    let moved = repo::tag_create(&context.repository()?, &request)?;
    context.print(|out| told(out, context, "tag", &[moved]))
}

fn delete(args: &Args, context: &Context) -> Outcome {
    if args.words.is_empty() {
        return Err(usage("name the tags to delete"));
    }
    let request = TagDeleteRequest {
        names: args.words.iter().map(name_of).collect(),
        command: context.command(),
    };
    let moved = repo::tag_delete(&context.repository()?, &request)?;
    context.print(|out| told(out, context, "tag", &moved))
}
