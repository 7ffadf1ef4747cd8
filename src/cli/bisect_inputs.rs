//! `bisect inputs`: which of the things that one step changed did it.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use super::metric_rule::MetricRuleArgs;
use super::place::Place;
use super::print::{Output, Paint};
use super::{Context, Exit, Failure, Outcome, escape, run_text, shell_word, units};
use crate::object::{Commit, Params, TreePath};
use crate::repo::{
    self, Error, Granularity, InputsOutcome, InputsReport, InputsRequest, InputsTest, Repository,
    Tried, Unit, Verdict,
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
  provenance bisect inputs runs/a runs/b    # what differs?
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
    #[command(flatten)]
    metric: MetricRuleArgs,
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
    #[arg(conflicts_with = "metric")]
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
        test: match args.metric.rule()? {
            Some(rule) => InputsTest::Metric(rule),
            None if args.run && args.command.is_empty() => {
                let text =
                    "what is bad? Name a --metric with --below or --above, or a test after --";
                return Err(Error::Usage(text.to_owned()).into());
            }
            None => InputsTest::Command(args.command.clone()),
        },
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
    let place = context.place(repository)?;
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
        false => words(out, &report, args, &place),
    })?;
    Ok(match report.outcome {
        InputsOutcome::Contradiction { .. } => Exit::No,
        _ => Exit::Ok,
    })
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

fn words(
    out: &mut Output,
    report: &InputsReport,
    args: &InputsArgs,
    place: &Place,
) -> Result<(), Failure> {
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
            put_mend(out, report, found, args, place)?;
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
    place: &Place,
) -> Result<(), Failure> {
    let good = escape::line(&shell_word(&args.good.to_string_lossy()));
    let path_of = |path: &TreePath| shell_word(&place.show(path.as_bytes()));
    let mut paths: Vec<&TreePath> = found.iter().filter_map(|unit| unit.path.as_ref()).collect();
    paths.dedup();
    if !paths.is_empty() {
        let words: Vec<String> = paths.iter().map(|path| path_of(path)).collect();
        let words = escape::line(&words.join(" "));
        writeln!(out, "To take it back: provenance rollback {good} {words}")?;
    }
    for path in paths {
        let parts = found.iter().filter(|unit| unit.path.as_ref() == Some(path));
        let of = parts.clone().find_map(|unit| unit.places).unwrap_or(0);
        let more = of.saturating_sub(parts.count());
        if more > 0 {
            let places = units::count(more as u64, "other place");
            let path = escape::line(&path_of(path));
            writeln!(out, "  (all of {path}: it differs in {places} as well)")?;
        }
    }
    let rest = found.iter().filter(|unit| unit.path.is_none());
    let (code, words): (Vec<&Unit>, Vec<&Unit>) = rest.partition(|unit| unit.is_code());
    if !code.is_empty() {
        put_code(out, &report.commits, &good)?;
    }
    if !words.is_empty() {
        let words: Vec<String> =
            run_words(report, place).iter().map(|word| shell_word(word)).collect();
        writeln!(out, "To run without it: provenance {}", escape::line(&words.join(" ")))?;
        let run = report.commits[1].run.as_ref();
        if run.is_some_and(|run| !matches!(&run.params, Params::Here(some) if some.is_empty())) {
            writeln!(out, "  (with -p and --params as then, if they were given)")?;
        }
    }
    Ok(())
}

/// Says how to have the git checkout of the good run.
fn put_code(out: &mut Output, [good, bad]: &[Commit; 2], typed: &str) -> Result<(), Failure> {
    let Some(code) = &good.code else { return Ok(()) };
    let commit = code.git_commit.as_deref();
    let short = escape::line(commit.and_then(|commit| commit.get(..12)).unwrap_or_default());
    let is_same = bad.code.as_ref().is_some_and(|code| code.git_commit.as_deref() == commit);
    let lays_out = format!("provenance reproduce --keep DIR {typed}");
    match (is_same, code.dirty) {
        (true, true) => writeln!(out, "To have it back, with what git did not have: {lays_out}")?,
        (true, false) => {
            writeln!(
                out,
                "To take it back: have nothing in the checkout that git {short} has not"
            )?;
        }
        (false, _) if commit.is_none() => {}
        (false, is_dirty) => {
            writeln!(out, "To take it back: git checkout {short}")?;
            if is_dirty {
                writeln!(out, "  (with what git did not have: {lays_out})")?;
            }
        }
    }
    Ok(())
}

/// Gives the words of a command that runs what was found to be good, as the bad run was run.
fn run_words(report: &InputsReport, place: &Place) -> Vec<String> {
    let mut words = Vec::new();
    let Some(run) = &report.commits[1].run else { return words };
    let there = match run.directory.as_str() {
        "." => place.show(b""),
        directory => place.show(directory.as_bytes()),
    };
    if there != "." {
        words.extend(["-C".to_owned(), there]);
    }
    // Paths are typed as they are seen from where it runs.
    let seen = Place::below(Path::new(&run.directory));
    words.push("run".to_owned());
    let inputs = run.inputs.iter().filter(|input| !input.is_observed);
    let outputs = run.outputs.iter().filter(|output| !output.is_observed);
    for (option, path) in inputs
        .map(|input| ("-i", input.path.clone()))
        .chain(outputs.map(|output| ("-o", output.path.clone())))
        .chain(report.metrics_files.iter().map(|path| ("--metrics", path.to_string())))
    {
        let path = if path.starts_with('/') { path } else { seen.show(path.as_bytes()) };
        words.extend([option.to_owned(), path]);
    }
    words.push("--".to_owned());
    words.extend(report.mended_command.iter().cloned());
    words
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
