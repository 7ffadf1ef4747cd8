//! `branch`: lists, makes, moves, renames and deletes branches.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt;

use super::print::Output;
use super::{Context, Exit, Failure, Outcome, commit_text, escape};
use crate::object::ObjectId;
use crate::repo::{
    self, BranchCreateRequest, BranchDeleteRequest, BranchListReport, BranchRenameRequest, Error,
    Head, RefMoved,
};

/// List, make, rename or delete branches
///
/// With --json, one line per branch: name, id, head, subject; or what moved: name, old, new.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance branch                       # which there are; * is checked out
  provenance branch experiment            # a new one at HEAD
  provenance branch fix v1~2              # ... somewhere else
  provenance branch -f experiment main    # move it
  provenance branch -m experiment trial   # rename
  provenance branch -d trial              # delete, if HEAD has all of its commits
  provenance branch -D trial              # delete in any case; `provenance undo` brings it back")]
pub struct Args {
    /// The branch to make; with -d, the branches to delete
    #[arg(value_name = "NAME")]
    words: Vec<OsString>,
    /// Move the branch if there is one of that name
    #[arg(short, long)]
    force: bool,
    /// Delete branches whose commits are all in HEAD
    #[arg(short, long, conflicts_with = "force")]
    delete: bool,
    /// Delete branches in any case
    #[arg(short = 'D', conflicts_with_all = ["force", "delete"])]
    delete_forced: bool,
    /// Rename a branch: [OLD] NEW, OLD is the one checked out if not given
    #[arg(short = 'm', long = "move", conflicts_with_all = ["force", "delete", "delete_forced"])]
    rename: bool,
    /// Rename even if there is a branch of the new name
    #[arg(short = 'M', conflicts_with_all = ["force", "delete", "delete_forced", "rename"])]
    rename_forced: bool,
    /// Print the name of the branch that is checked out
    #[arg(long, conflicts_with_all = ["words", "force"])]
    show_current: bool,
}

/// Does what was asked.
pub fn run(args: &Args, context: &Context) -> Outcome {
    if args.delete || args.delete_forced {
        return delete(args, context);
    }
    if args.rename || args.rename_forced {
        return rename(args, context);
    }
    match args.words.as_slice() {
        [] if args.show_current => show_current(context),
        [] => list(context),
        [name] => create(args, name, None, context),
        [name, start] => create(args, name, Some(start), context),
        _ => Err(usage("branch takes a name and where it shall stand")),
    }
}

fn usage(message: &str) -> Failure {
    Failure::Operation(Error::Usage(message.to_owned()))
}

/// Takes a name; what is not text is shown in the error that it leads to.
pub fn name_of(word: &OsString) -> String {
    word.to_string_lossy().into_owned()
}

fn list(context: &Context) -> Outcome {
    let repository = context.repository()?;
    let report = repo::branch_list(&repository)?;
    context.page(&repository, |out| {
        let width = report.branches.iter().map(|branch| branch.name.chars().count()).max();
        if let (Head::Detached(id), false) = (&report.head, context.global.json) {
            let mark = out.paint.added(format_args!("(no branch, at {})", id.short()));
            writeln!(out, "* {mark}")?;
        }
        for branch in &report.branches {
            let is_head = is_head(&report, &branch.name);
            let subject = commit_text::subject(&branch.commit.message);
            if context.global.json {
                out.json(&serde_json::json!({
                    "name": branch.name, "id": branch.id.to_record(), "head": is_head,
                    "subject": commit_text::first_line(&branch.commit.message),
                }))?;
                continue;
            }
            let mark = if is_head { '*' } else { ' ' };
            let name = escape::line(&branch.name);
            let padded = format!("{name:<width$}", width = width.unwrap_or_default());
            let padded = if is_head { out.paint.added(padded) } else { padded };
            let id = out.paint.id(branch.id.short());
            writeln!(out, "{mark} {padded}  {id} {subject}")?;
        }
        Ok(())
    })
}

fn is_head(report: &BranchListReport, name: &str) -> bool {
    match &report.head {
        Head::Branch(full) => full.strip_prefix("heads/") == Some(name),
        Head::Detached(_) => false,
    }
}

fn show_current(context: &Context) -> Outcome {
    let head = context.repository()?.head()?;
    let name = match &head {
        Head::Branch(full) => full.strip_prefix("heads/"),
        Head::Detached(_) => None,
    };
    context.print(|out| {
        if context.global.json {
            return Ok(out.json(&serde_json::json!({"name": name}))?);
        }
        match name {
            Some(name) => Ok(writeln!(out, "{}", escape::line(name))?),
            None => Ok(()),
        }
    })?;
    Ok(if name.is_some() { Exit::Ok } else { Exit::No })
}

fn create(args: &Args, name: &OsString, start: Option<&OsString>, context: &Context) -> Outcome {
    let request = BranchCreateRequest {
        name: name_of(name),
        start: start.cloned().map(OsStringExt::into_vec),
        is_forced: args.force,
        command: context.command(),
    };
    let moved = repo::branch_create(&context.repository()?, &request)?;
    context.print(|out| told(out, context, "branch", &[moved]))
}

fn delete(args: &Args, context: &Context) -> Outcome {
    if args.words.is_empty() {
        return Err(usage("name the branches to delete"));
    }
    let request = BranchDeleteRequest {
        names: args.words.iter().map(name_of).collect(),
        is_forced: args.delete_forced,
        command: context.command(),
    };
    let repository = context.repository()?;
    let moved = context.watch(|progress| repo::branch_delete(&repository, &request, progress))?;
    context.print(|out| told(out, context, "branch", &moved))
}

fn rename(args: &Args, context: &Context) -> Outcome {
    let (old, new) = match args.words.as_slice() {
        [new] => (None, new),
        [old, new] => (Some(name_of(old)), new),
        _ => return Err(usage("-m takes a new name, or an old and a new one")),
    };
    let request = BranchRenameRequest {
        old,
        new: name_of(new),
        is_forced: args.rename_forced,
        command: context.command(),
    };
    let repository = context.repository()?;
    let moved = context.watch(|progress| repo::branch_rename(&repository, &request, progress))?;
    context.print(|out| {
        if context.global.json {
            return told(out, context, "branch", &[moved]);
        }
        if context.global.quiet {
            return Ok(());
        }
        Ok(writeln!(out, "The branch is {} now", escape::line(&moved.name))?)
    })
}

/// Says where refs of one kind came to stand.
pub fn told(
    out: &mut Output,
    context: &Context,
    kind: &str,
    moved: &[RefMoved],
) -> Result<(), Failure> {
    for one in moved {
        if context.global.json {
            out.json(&serde_json::json!({
                "name": one.name,
                "old": one.old.as_ref().map(ObjectId::to_record),
                "new": one.new.as_ref().map(ObjectId::to_record),
            }))?;
            continue;
        }
        if context.global.quiet {
            continue;
        }
        let name = escape::line(&one.name);
        let [old, new] = [one.old, one.new].map(|id| id.map(|id| out.paint.id(id.short())));
        match (old, new) {
            (Some(old), None) => writeln!(out, "Deleted the {kind} {name} (it was {old})")?,
            (Some(old), Some(new)) if one.old != one.new => {
                writeln!(out, "Moved the {kind} {name}: {old} → {new}")?;
            }
            (Some(_), Some(new)) => writeln!(out, "The {kind} {name} is at {new} already")?,
            (None, Some(new)) => writeln!(out, "Made the {kind} {name} at {new}")?,
            (None, None) => {}
        }
    }
    Ok(())
}
