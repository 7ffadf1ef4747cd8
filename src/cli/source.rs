//! `source`: what lies outside of the repository, and whether it has changed.

use std::io::Write as _;
use std::time::Duration;

use super::bisect::seconds;
use super::branch::told;
use super::print::Output;
use super::{Context, Exit, Failure, Outcome, escape, units};
use crate::object::SourceCheck;
use crate::repo::{
    self, SourceCheckRequest, SourceChecked, SourceForgetRequest, SourceOutcome, SourceRow,
    SourceState,
};

/// Ask whether what data came from has changed since
///
/// A source is declared in provenance.toml: [source.NAME] with uri (a file, a directory, or an
/// address of http or https), or check (a command whose output is its fingerprint), and paths, the
/// files that come from it. From the check that finds a change on, status, runs and lineage mark
/// what is older. With --json, one line per source.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance source check                    # ask all, and record what they answer
  provenance source check survey --timeout 5
  provenance source check --fetched survey   # what is staged was fetched just now
  provenance source list")]
#[command(disable_help_subcommand = true)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

/// What to do with sources.
#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Ask sources, and record what they answer
    ///
    /// Exit code 0 if nothing has changed, 1 if something has, 14 if a source does not answer; what
    /// was known of it stays then.
    Check(CheckArgs),
    /// List the sources, and how they stood when they were asked last
    List,
    /// Mark nothing as older than these sources any more; `provenance undo` takes it back
    Forget {
        /// Their names
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
}

/// Ask sources, and record what they answer
#[derive(Debug, clap::Args)]
struct CheckArgs {
    /// Only these; else all that provenance.toml declares
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// How long one may take to answer; of a file, as long as it takes to read
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "60")]
    timeout: Duration,
    /// What is staged was fetched since the source changed: it is as new as the source is now
    #[arg(long)]
    fetched: bool,
    /// Ask, and record nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Does what was asked.
pub fn run(args: &Args, context: &Context) -> Outcome {
    match &args.action {
        Action::Check(args) => check(args, context),
        Action::List => list(context),
        Action::Forget { names } => {
            let request = SourceForgetRequest { names: names.clone(), command: context.command() };
            let moved = repo::source_forget(&context.repository()?, &request)?;
            context.print(|out| told(out, context, "source", &moved))
        }
    }
}

fn check(args: &CheckArgs, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let request = SourceCheckRequest {
        names: args.names.clone(),
        timeout: args.timeout,
        is_fetched: args.fetched,
        is_dry_run: args.dry_run,
        command: context.command(),
    };
    let report = context.watch(|progress| repo::source_check(&repository, &request, progress))?;
    context.print(|out| {
        for checked in &report.checked {
            match context.global.json {
                true => out.json(&checked_json(checked, report.number))?,
                false => checked_words(out, checked)?,
            }
        }
        if report.checked.is_empty() && !context.global.json && !context.global.quiet {
            writeln!(out, "No sources ([source.NAME] in provenance.toml declares one)")?;
        } else if args.dry_run && !context.global.json && !context.global.quiet {
            writeln!(out, "Nothing was recorded")?;
        }
        Ok(())
    })?;
    let is_any = |outcome| report.checked.iter().any(|checked| checked.outcome == outcome);
    Ok(match () {
        () if is_any(SourceOutcome::Unreachable) => Exit::Unavailable,
        () if is_any(SourceOutcome::Changed) => Exit::No,
        () => Exit::Ok,
    })
}

fn checked_words(out: &mut Output, checked: &SourceChecked) -> Result<(), Failure> {
    let check = &checked.check;
    let name = out.paint.heading(escape::line(&check.name));
    let evidence = check.found.as_ref().and_then(|found| found.evidence.as_deref());
    let evidence = evidence.map(|text| format!("  {}", escape::line(text))).unwrap_or_default();
    let id = check.found.as_ref().map(|found| out.paint.id(found.id.short())).unwrap_or_default();
    let paths: Vec<String> = check.paths.iter().map(|path| escape::path(path.as_bytes())).collect();
    match checked.outcome {
        SourceOutcome::First => writeln!(out, "{name}: first check, {id}{evidence}")?,
        SourceOutcome::Unchanged => writeln!(out, "{name}: unchanged, {id}{evidence}")?,
        SourceOutcome::Changed => {
            let word = out.paint.removed("changed");
            writeln!(out, "{name}: {word}, {id}{evidence}")?;
            writeln!(out, "  What came from it before is stale: {}", paths.join(", "))?;
        }
        SourceOutcome::Unreachable => {
            let failure = check.failure.as_deref().unwrap_or_default();
            let word = out.paint.removed("unreachable");
            writeln!(out, "{name}: {word}, {}", escape::line(failure))?;
        }
    }
    Ok(())
}

fn list(context: &Context) -> Outcome {
    let repository = context.repository()?;
    let rows = repo::source_list(&repository)?;
    context.page(&repository, |out| {
        if context.global.json {
            for row in &rows {
                out.json(&row_json(row))?;
            }
            return Ok(());
        }
        if rows.is_empty() && !context.global.quiet {
            writeln!(out, "No sources ([source.NAME] in provenance.toml declares one)")?;
        }
        for row in &rows {
            row_words(out, row)?;
        }
        Ok(())
    })
}

fn row_words(out: &mut Output, row: &SourceRow) -> Result<(), Failure> {
    let name = out.paint.heading(escape::line(&row.name));
    let state = match row.state {
        SourceState::NeverChecked => "never checked".to_owned(),
        SourceState::Fresh => out.paint.added("fresh"),
        SourceState::Changed(since) => {
            out.paint.removed(format!("changed since {}", units::time(since.0)))
        }
        SourceState::Unreachable => out.paint.removed("unreachable at the last check"),
    };
    let foreign = match row.is_declared {
        true => "",
        false => " (no longer declared; source forget takes it off)",
    };
    writeln!(out, "{name}  {state}{foreign}")?;
    writeln!(out, "  {}", escape::line(&row.place))?;
    let paths: Vec<String> = row.paths.iter().map(|path| escape::path(path.as_bytes())).collect();
    writeln!(out, "  into {}", paths.join(", "))?;
    let Some((_, check)) = &row.last else { return Ok(()) };
    let mut line = format!("  checked {}", units::time(check.checked.0));
    if let Some(found) = &check.found {
        line.push_str(&format!("  {}", out.paint.id(found.id.short())));
        if let Some(evidence) = &found.evidence {
            line.push_str(&format!("  {}", escape::line(evidence)));
        }
    }
    writeln!(out, "{line}")?;
    if let Some(failure) = &check.failure {
        writeln!(out, "  {}", escape::line(failure))?;
    }
    Ok(())
}

/// Gives what a check found, for JSON.
fn check_json(check: &SourceCheck) -> serde_json::Value {
    let found = check.found.as_ref();
    serde_json::json!({
        "name": check.name,
        "uri": check.uri,
        "method": check.method.word(),
        "paths": check.paths,
        "checked": check.checked.to_record(),
        "fingerprint": found.map(|found| found.id.to_record()),
        "evidence": found.and_then(|found| found.evidence.as_deref()),
        "changed": found.and_then(|found| found.changed?.to_record()),
        "failure": check.failure,
    })
}

fn checked_json(checked: &SourceChecked, number: Option<u64>) -> serde_json::Value {
    let outcome = match checked.outcome {
        SourceOutcome::First => "first",
        SourceOutcome::Unchanged => "unchanged",
        SourceOutcome::Changed => "changed",
        SourceOutcome::Unreachable => "unreachable",
    };
    let mut json = check_json(&checked.check);
    json["outcome"] = outcome.into();
    json["old"] = checked.old.map(|id| id.to_record()).into();
    json["commit"] = checked.commit.map(|id| id.to_record()).into();
    json["transaction"] = number.into();
    json
}

fn row_json(row: &SourceRow) -> serde_json::Value {
    let state = match row.state {
        SourceState::NeverChecked => "never-checked",
        SourceState::Fresh => "fresh",
        SourceState::Changed(_) => "changed",
        SourceState::Unreachable => "unreachable",
    };
    let found = row.last.as_ref().and_then(|(_, check)| check.found.as_ref());
    let check = row.last.as_ref().map(|(_, check)| check);
    serde_json::json!({
        "name": row.name,
        "place": row.place,
        "paths": row.paths,
        "declared": row.is_declared,
        "state": state,
        "stale": row.stale,
        "checked": check.and_then(|check| check.checked.to_record()),
        "fingerprint": found.map(|found| found.id.to_record()),
        "evidence": found.and_then(|found| found.evidence.as_deref()),
        "changed": found.and_then(|found| found.changed?.to_record()),
        "failure": check.and_then(|check| check.failure.as_deref()),
        "commit": row.last.as_ref().map(|(id, _)| id.to_record()),
    })
}
