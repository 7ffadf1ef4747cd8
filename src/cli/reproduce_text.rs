//! What came of a run that was executed again, in words and as JSON.

use std::io::Write as _;

use super::print::{Output, put_path};
use super::{Failure, escape, run_text, units};
use crate::object::ObjectId;
use crate::repo::{
    FileChange, Match, MetricMatch, OutputFile, OutputMatch, ReproduceReport, ValueDiff,
};

/// Says it: outputs, metrics, what is different now, and the answer.
pub fn words(out: &mut Output, report: &ReproduceReport) -> Result<(), Failure> {
    if !report.outputs.is_empty() {
        writeln!(out, "{}", out.paint.heading("Outputs:"))?;
        for output in &report.outputs {
            put_output(out, output)?;
        }
    }
    if !report.metrics.is_empty() {
        writeln!(out, "{}", out.paint.heading("Metrics:"))?;
        let rows: Vec<Vec<String>> = report.metrics.iter().map(metric_row).collect();
        let lines = units::columns(&rows, &[false; 4]);
        for (line, metric) in lines.iter().zip(&report.metrics) {
            writeln!(out, "  {}", painted(out, metric.verdict, line))?;
        }
    }
    let parts: Vec<(&str, &[ValueDiff])> =
        report.parts.iter().map(|part| (title(part.name), part.diffs.as_slice())).collect();
    if !parts.is_empty() {
        writeln!(out, "Different from when it was recorded:")?;
        run_text::put_values(out, &parts)?;
    }
    if let Some(path) = &report.kept {
        writeln!(out, "Kept in {}", escape::line(&path.display().to_string()))?;
    }
    answer(out, report)
}

fn answer(out: &mut Output, report: &ReproduceReport) -> Result<(), Failure> {
    let name = escape::line(&report.name);
    if let Some(recorded) = report.recorded_exit_code.filter(|_| !report.ends_alike()) {
        let now = report.exit_code;
        writeln!(out, "The command ended with exit code {now}, and with {recorded} when recorded")?;
    }
    let total = report.outputs.len() + report.metrics.len();
    let verdicts = report.outputs.iter().map(|output| output.verdict);
    let verdicts: Vec<Match> =
        verdicts.chain(report.metrics.iter().map(|metric| metric.verdict)).collect();
    let good = verdicts.iter().filter(|verdict| verdict.is_match()).count();
    let ignored = verdicts.iter().filter(|verdict| **verdict == Match::Ignored).count();
    let ignored = if ignored == 0 { String::new() } else { format!(", {ignored} ignored") };
    let counts = [(report.outputs.len(), "output"), (report.metrics.len(), "metric")];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> =
        counts.map(|(count, noun)| units::count(count as u64, noun)).collect();
    let line = match report.is_reproduced() {
        true if total == 0 => {
            format!("{name} recorded no output and no metric: only the exit code was compared")
        }
        true => {
            let counts = counts.join(", ");
            out.paint.added(format_args!("{name} is reproduced: {counts}{ignored}"))
        }
        false => out.paint.removed(format_args!(
            "{name} is not reproduced: {good} of {total} outputs and metrics match{ignored}"
        )),
    };
    writeln!(out, "{line}")?;
    Ok(())
}

fn put_output(out: &mut Output, output: &OutputMatch) -> Result<(), Failure> {
    let path = escape::path(output.path.as_bytes());
    let mut line = format!("{:<9}  {path}", word(output.verdict));
    let is_one_file =
        output.files == 1 && output.differing.iter().all(|one| one.path == output.path);
    match output.differing.as_slice() {
        [only] if is_one_file => {
            line.push_str(&tensors(only).map(|words| format!("  {words}")).unwrap_or_default());
        }
        [] if output.recorded.is_none() => line.push_str("  (missing then and now)"),
        [] => {}
        _ => {
            let (differing, files) = (output.differing_count, units::count(output.files, "file"));
            line.push_str(&format!("  {differing} of {files}"));
        }
    }
    writeln!(out, "  {}", painted(out, output.verdict, &line))?;
    if is_one_file {
        return Ok(());
    }
    for file in &output.differing {
        let words = tensors(file).map(|words| format!("  {words}")).unwrap_or_default();
        let path = escape::path(file.path.as_bytes());
        writeln!(out, "    {}  {path}{words}", letter(file.change))?;
    }
    let more = output.differing_count.saturating_sub(output.differing.len() as u64);
    if more > 0 {
        writeln!(out, "    … and {}", units::count(more, "more file"))?;
    }
    Ok(())
}

fn tensors(file: &OutputFile) -> Option<String> {
    let tensors = file.tensors?;
    let moved = tensors.added + tensors.removed + tensors.reshaped;
    let changed = tensors.changed.map(|changed| changed + moved);
    changed.map(|changed| format!("{changed} of {}", units::count(tensors.total, "tensor")))
}

fn metric_row(metric: &MetricMatch) -> Vec<String> {
    let dash = || "-".to_owned();
    let side = |text: &Option<String>| text.as_deref().map_or_else(dash, escape::line);
    let value = match metric.verdict == Match::Identical {
        true => side(&metric.now),
        false => format!("{} → {}", side(&metric.recorded), side(&metric.now)),
    };
    let mut more = metric.delta.filter(|delta| *delta != 0.0).map(run_text::signed);
    if metric.verdict != Match::Identical
        && let Some((then, now)) = metric.counts
    {
        more = Some(match (then == now, metric.delta) {
            (false, _) => format!("{now} values, {then} recorded"),
            (true, Some(0.0)) => "the last value is the same, others are not".to_owned(),
            (true, _) => more.unwrap_or_default(),
        });
    }
    let more = more.map(|more| format!("({more})")).unwrap_or_default();
    vec![word(metric.verdict).to_owned(), escape::line(&metric.name), value, more]
}

fn painted(out: &Output, verdict: Match, line: &str) -> String {
    match verdict {
        Match::Identical | Match::Within => out.paint.added(line),
        Match::Different | Match::Missing => out.paint.removed(line),
        Match::Ignored => out.paint.faint(line),
    }
}

const fn word(verdict: Match) -> &'static str {
    match verdict {
        Match::Identical => "identical",
        Match::Within => "within",
        Match::Different => "different",
        Match::Missing => "missing",
        Match::Ignored => "ignored",
    }
}

const fn letter(change: FileChange) -> char {
    match change {
        FileChange::Changed => 'M',
        FileChange::Within => '~',
        FileChange::Missing => 'D',
        FileChange::New => 'A',
    }
}

fn title(part: &str) -> &str {
    match part {
        "machine" => "Machine",
        "packages" => "Packages",
        "variables" => "Variables",
        "container" => "Container",
        "params" => "Params",
        "code" => "Code",
        "data" => "Files outside of the worktree",
        other => other,
    }
}

/// Gives it as JSON; `before` is what was to be known before the command ran.
pub fn json(report: &ReproduceReport, before: &[String]) -> serde_json::Value {
    let parts = report.parts.iter().map(|part| {
        let diffs: Vec<_> = part
            .diffs
            .iter()
            .map(|diff| serde_json::json!({"name": diff.name, "old": diff.old, "new": diff.new}))
            .collect();
        (part.name.to_owned(), serde_json::Value::from(diffs))
    });
    let metrics = report.metrics.iter().map(|metric| {
        serde_json::json!({
            "name": metric.name,
            "verdict": word(metric.verdict),
            "recorded": metric.recorded,
            "now": metric.now,
            "delta": metric.delta,
        })
    });
    serde_json::json!({
        "commit": report.id.to_record(),
        "run": report.name,
        "reproduced": report.is_reproduced(),
        "recorded_exit_code": report.recorded_exit_code,
        "exit_code": report.exit_code,
        "outputs": report.outputs.iter().map(output_json).collect::<Vec<_>>(),
        "metrics": metrics.collect::<Vec<_>>(),
        "differs": parts.collect::<serde_json::Map<_, _>>(),
        "kept": report.kept.as_ref().map(|path| path.display().to_string()),
        "notes": before.iter().chain(&report.notes).collect::<Vec<_>>(),
    })
}

fn output_json(output: &OutputMatch) -> serde_json::Value {
    let files = output.differing.iter().map(|file| {
        let mut object = serde_json::Map::new();
        put_path(&mut object, "path", file.path.as_bytes());
        let change = match file.change {
            FileChange::Changed => "changed",
            FileChange::Within => "within",
            FileChange::Missing => "removed",
            FileChange::New => "added",
        };
        object.insert("change".to_owned(), change.into());
        if let Some(tensors) = file.tensors {
            let tensors = serde_json::json!({
                "total": tensors.total,
                "added": tensors.added,
                "removed": tensors.removed,
                "reshaped": tensors.reshaped,
                "changed": tensors.changed,
            });
            object.insert("tensors".to_owned(), tensors);
        }
        serde_json::Value::Object(object)
    });
    let mut object = serde_json::Map::new();
    put_path(&mut object, "path", output.path.as_bytes());
    object.insert("verdict".to_owned(), word(output.verdict).into());
    object.insert("recorded".to_owned(), output.recorded.map(|id: ObjectId| id.to_record()).into());
    object.insert("files".to_owned(), output.files.into());
    object.insert("differing".to_owned(), output.differing_count.into());
    object.insert("differing_files".to_owned(), files.collect::<Vec<_>>().into());
    object.into()
}
