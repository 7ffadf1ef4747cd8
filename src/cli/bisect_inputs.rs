//! `bisect inputs`: which of the things that one step changed did it.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStringExt;

use super::print::{Output, Paint};
use super::{Context, Exit, Failure, Outcome, escape, run_text, shell_word, units};
use crate::repo::{
    self, BoundSide, Error, Granularity, InputsOutcome, InputsReport, InputsRequest, InputsTest,
    MetricRule, Repository, Tried, Unit, Verdict,
};

/// Most units that are named one by one.
const LINES_MAX: usize = 40;

/// Find which of the things that one step changed did it
///
/// Between two runs several things differ: arguments, settings, files, rows. The recorded command
/// is run again, each time with some of them as in BAD and the others as in GOOD, until the
/// smallest set is known that flips the verdict. Each combination runs in a fresh directory, and
/// nothing is recorded. Without --run it only says what differs.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance bisect inputs --metric metrics.accuracy --below 0.9 runs/a runs/b    # what differs?
  provenance bisect inputs --run --metric metrics.accuracy --below 0.9 runs/a runs/b
  provenance bisect inputs --run --granularity row -j 2 runs/a runs/b -- sh -c 'grep -q 1 out/w'")]
pub struct InputsArgs {
    /// The commit of a run without the fault
    #[arg(value_name = "GOOD")]
    good: OsString,
    /// The commit of a run that has it
    #[arg(value_name = "BAD")]
    bad: OsString,
    /// Run combinations
    #[arg(long)]
    run: bool,
    /// A metric that decides: metrics.accuracy
    #[arg(long, value_name = "FIELD", requires = "bound")]
    #[arg(required_unless_present = "command", conflicts_with = "command")]
    metric: Option<String>,
    /// Bad is what has less
    #[arg(long, value_name = "NUMBER", group = "bound", requires = "metric")]
    #[arg(allow_negative_numbers = true)]
    below: Option<f64>,
    /// Bad is what has more
    #[arg(long, value_name = "NUMBER", group = "bound", requires = "metric")]
    #[arg(allow_negative_numbers = true)]
    above: Option<f64>,
    /// A value that is not farther from the bound decides nothing
    #[arg(long, value_name = "NUMBER", requires = "metric", default_value_t = 0.0)]
    #[arg(hide_default_value = true)]
    tolerance: f64,
    /// How finely files are cut: not at all, settings by their keys, or tables by their rows too
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Cut::File)]
    granularity: Cut,
    /// How many combinations run at once
    #[arg(short, long, value_name = "COUNT", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
    /// Run each combination so often; of a metric the mean counts, of a command what most say
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,
    /// A test, executed where the command ran: 0 is good, 1 to 124 bad, 125 cannot tell
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// How finely files are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Cut {
    Artifact,
    File,
    Row,
}

/// Searches.
pub(super) fn run(args: &InputsArgs, context: &Context, repository: &Repository) -> Outcome {
    let error = std::io::stderr();
    let nothing = File::options().write(true).open("/dev/null");
    let nothing = nothing.map_err(|source| Error::io("open", "/dev/null", source))?;
    let request = InputsRequest {
        good: args.good.clone().into_vec(),
        bad: args.bad.clone().into_vec(),
        test: test(args)?,
        granularity: match args.granularity {
            Cut::Artifact => Granularity::Artifact,
            Cut::File => Granularity::File,
            Cut::Row => Granularity::Row,
        },
        runs: args.run,
        jobs: usize::from(args.jobs),
        repeats: args.repeat,
        // What many executions print would hide what is found.
        output: if context.global.verbose > 0 { error.as_fd() } else { nothing.as_fd() },
    };
    let is_said = !context.global.quiet && !context.global.json;
    let paint = context.stderr_paint();
    let each = |tried: &Tried| {
        if is_said {
            tell(tried, paint);
        }
    };
    let report = repo::bisect_inputs(repository, &request, &context.progress, each)?;
    context.print(|out| match context.global.json {
        true => Ok(out.json(&json(&report))?),
        false => words(out, &report, args),
    })?;
    Ok(match report.outcome {
        InputsOutcome::Contradiction { .. } => Exit::No,
        _ => Exit::Ok,
    })
}

fn test(args: &InputsArgs) -> Result<InputsTest, Failure> {
    let bound = args.above.map(|bound| (BoundSide::Above, bound));
    let bound = bound.or(args.below.map(|bound| (BoundSide::Below, bound)));
    match (&args.metric, bound) {
        (Some(_), _) if args.tolerance < 0.0 => {
            Err(Error::Usage("a tolerance is 0 or more".to_owned()).into())
        }
        (Some(name), Some((side, bound))) => {
            let rule = MetricRule::new(name.clone(), side, bound, args.tolerance);
            let rule = rule.map_err(|error| Error::Usage(error.to_string()))?;
            Ok(InputsTest::Metric(rule))
        }
        _ => Ok(InputsTest::Command(args.command.clone())),
    }
}

/// Tells of a combination that ran: on standard error.
fn tell(tried: &Tried, paint: Paint) {
    let Tried { units, of, reason, elapsed, .. } = tried;
    let what = match units {
        0 => "the good run".to_owned(),
        units if units == of => "the bad run".to_owned(),
        units => format!("{units} of {of} from the bad run"),
    };
    let word = verdict(tried.verdict, paint);
    let reason = escape::line(reason);
    let line = format!("{word}: {what}: {reason} ({:.1} s)\n", elapsed.as_secs_f64());
    let _nobody_listens = std::io::stderr().lock().write_all(line.as_bytes());
}

fn verdict(verdict: Verdict, paint: Paint) -> String {
    match verdict {
        Verdict::Good => paint.added("good"),
        Verdict::Bad => paint.removed("bad"),
        Verdict::Skip => "undecided".to_owned(),
    }
}

fn words(out: &mut Output, report: &InputsReport, args: &InputsArgs) -> Result<(), Failure> {
    for note in &report.notes {
        writeln!(out, "note: {}", escape::line(note))?;
    }
    let count = report.units.len() as u64;
    match &report.outcome {
        InputsOutcome::Planned => {
            writeln!(out, "{} between the runs:", units::count(count, "difference"))?;
            put_units(out, &report.units)?;
            let took = match report.elapsed_ms {
                Some(ms) => format!(", each of which took {}", run_text::span(ms)),
                None => String::new(),
            };
            // 2 for the ends, then about two for each halving.
            let least = 2 + 2 * u64::from(count.max(1).ilog2());
            writeln!(out, "--run executes about {least} combinations or more{took}")?;
        }
        InputsOutcome::Contradiction { good, bad } => {
            let tried = bad.as_ref().unwrap_or(good);
            let side = if bad.is_some() { "bad" } else { "good" };
            let word = verdict(tried.verdict, Paint::PLAIN);
            let reason = escape::line(&tried.reason);
            writeln!(out, "The {side} run is {word} when it is run now: {reason}")?;
            writeln!(
                out,
                "`provenance reproduce` says what is different from when it was recorded"
            )?;
        }
        InputsOutcome::Found { units: found, good, bad } => {
            let what = match found.len() {
                1 => "This alone flips the verdict:".to_owned(),
                count => {
                    format!("These {count} together flip the verdict, and none can be left out:")
                }
            };
            writeln!(out, "{}", out.paint.heading(what))?;
            put_units(out, found)?;
            let [good, bad] = [good, bad].map(|tried| escape::line(&tried.reason));
            writeln!(out, "Without: {good}; with: {bad}")?;
            let undecided = match report.undecided {
                0 => String::new(),
                count => format!(", {count} of them decided nothing"),
            };
            let tried = units::count(report.tried as u64, "combination");
            let all = units::count(count, "difference");
            writeln!(out, "Ran {tried} of {all}{undecided}")?;
            put_mend(out, report, found, args)?;
        }
    }
    Ok(())
}

/// Says how to take back what was found.
fn put_mend(
    out: &mut Output,
    report: &InputsReport,
    found: &[Unit],
    args: &InputsArgs,
) -> Result<(), Failure> {
    let mut paths: Vec<String> = found
        .iter()
        .filter_map(|unit| unit.path.as_ref())
        .map(|path| shell_word(&String::from_utf8_lossy(path.as_bytes())))
        .collect();
    paths.dedup();
    if !paths.is_empty() {
        let good = shell_word(&args.good.to_string_lossy());
        writeln!(
            out,
            "To take it back: provenance rollback {good} {}",
            escape::line(&paths.join(" "))
        )?;
    }
    let rest = found.iter().filter(|unit| unit.path.is_none());
    let (code, words): (Vec<&Unit>, Vec<&Unit>) = rest.partition(|unit| unit.is_code());
    if let Some(commit) = code.first().and_then(|unit| unit.old.as_deref()) {
        writeln!(out, "To take it back: git checkout {}", escape::line(commit))?;
    }
    if !words.is_empty() {
        let words: Vec<String> =
            report.mended_command.iter().map(|word| shell_word(word)).collect();
        writeln!(out, "To run without it: provenance run -- {}", escape::line(&words.join(" ")))?;
    }
    Ok(())
}

fn put_units(out: &mut Output, units: &[Unit]) -> Result<(), Failure> {
    for unit in units.iter().take(LINES_MAX) {
        let name = escape::line(&unit.name);
        let old = unit.old.as_deref().map(|old| out.paint.removed(escape::line(old)));
        let new = unit.new.as_deref().map(|new| out.paint.added(escape::line(new)));
        let values = match (old, new) {
            (Some(old), Some(new)) => format!("{old} → {new}"),
            (Some(old), None) => format!("{old} → (gone)"),
            (None, new) => format!("(new) → {}", new.unwrap_or_default()),
        };
        writeln!(out, "  {name}  {values}")?;
    }
    let more = units.len().saturating_sub(LINES_MAX) as u64;
    if more > 0 {
        writeln!(out, "  … and {}", units::count(more, "more"))?;
    }
    Ok(())
}

fn json(report: &InputsReport) -> serde_json::Value {
    let units = |units: &[Unit]| -> Vec<serde_json::Value> {
        let path = |unit: &Unit| {
            unit.path.as_ref().map(|path| String::from_utf8_lossy(path.as_bytes()).into_owned())
        };
        let one = |unit: &Unit| {
            serde_json::json!({
                "name": unit.name, "path": path(unit), "old": unit.old, "new": unit.new,
            })
        };
        units.iter().map(one).collect()
    };
    let tried = |tried: &Tried| {
        let (verdict, reason) = (tried.verdict.word(), &tried.reason);
        serde_json::json!({"verdict": verdict, "reason": reason})
    };
    let (state, found, good, bad) = match &report.outcome {
        InputsOutcome::Planned => ("planned", None, None, None),
        InputsOutcome::Contradiction { good, bad } => {
            ("contradiction", None, Some(tried(good)), bad.as_ref().map(tried))
        }
        InputsOutcome::Found { units: found, good, bad } => {
            ("found", Some(units(found)), Some(tried(good)), Some(tried(bad)))
        }
    };
    serde_json::json!({
        "good": report.good.to_record(),
        "bad": report.bad.to_record(),
        "state": state,
        "units": units(&report.units),
        "found": found,
        "good_run": good,
        "bad_run": bad,
        "tried": report.tried,
        "undecided": report.undecided,
        "mended_command": report.mended_command,
        "notes": report.notes,
    })
}
