//! Runs in words: for `show` and `diff`.

use std::io::Write as _;

use super::print::Output;
use super::{Failure, escape, shell_word, units};
use crate::object::canonical::{Object, Value};
use crate::object::{Code, Content, Metric, Metrics, Params, Reading, Run};
use crate::repo::{RunDiff, ValueDiff};

/// Most parameters, metrics, inputs or outputs that are shown one by one.
const LINES_MAX: usize = 40;

/// Gives the lines that describe a run.
pub fn lines(run: &Run) -> Vec<String> {
    let words: Vec<String> = run.command.iter().map(|word| shell_word(word)).collect();
    let mut lines = vec![format!("Command: {}", escape::line(&words.join(" ")))];
    if run.directory != "." {
        lines.push(format!("In:      {}", escape::line(&run.directory)));
    }
    lines.push(format!("Began:   {}", units::time(run.started.0)));
    lines.push(format!("Ended:   {}", ended(run)));
    section(&mut lines, "Params:", params(&run.params));
    section(&mut lines, "Metrics:", metrics(&run.metrics));
    // Where nothing was declared, to say so of each would say nothing.
    let is_any_declared = run.inputs.iter().any(|input| !input.is_observed)
        || run.outputs.iter().any(|output| !output.is_observed);
    let declared =
        |is_observed: bool| (is_observed && is_any_declared).then(|| "not declared".to_owned());
    let inputs = run.inputs.iter().map(|input| {
        let made = input.commit.map(|commit| format!("made by {}", commit.short()));
        content(&input.path, Some(&input.content), [made, declared(input.is_observed)])
    });
    section(&mut lines, "Inputs:", inputs.collect());
    let outputs = run.outputs.iter();
    let outputs = outputs.map(|output| {
        content(&output.path, output.content.as_ref(), [declared(output.is_observed), None])
    });
    section(&mut lines, "Outputs:", outputs.collect());
    if let Some(trace) = &run.trace {
        let here = format!("{} read and {} written here", trace.read, trace.written);
        let outside = units::count(trace.outside, "file");
        lines.extend([String::new(), "Opened:".to_owned()]);
        lines.push(format!("  {here}, {outside} outside: cat {}", trace.files.short()));
        if trace.missed > 0 {
            lines.push(format!("  calls that were not followed: {}", trace.missed));
        }
    }
    lines
}

/// Prints what differs between two runs, and a blank line if anything does.
pub fn put_diff(out: &mut Output, diff: &RunDiff) -> Result<(), Failure> {
    let parts: Vec<(&str, &[ValueDiff])> = diff.parts().collect();
    put_values(out, &parts)?;
    if !parts.is_empty() {
        writeln!(out)?;
    }
    Ok(())
}

/// Prints values that differ, under a title for each part.
pub fn put_values(out: &mut Output, parts: &[(&str, &[ValueDiff])]) -> Result<(), Failure> {
    for (title, values) in parts {
        writeln!(out, "{}", out.paint.heading(format_args!("{title}:")))?;
        let dash = || "-".to_owned();
        let rows: Vec<Vec<String>> = values
            .iter()
            .map(|value| {
                let text = |side: &Option<String>| side.as_deref().map_or_else(dash, escape::line);
                let grown = value.delta.map(|delta| format!("({})", signed(delta)));
                vec![
                    escape::line(&value.name),
                    text(&value.old),
                    "→".to_owned(),
                    text(&value.new),
                    grown.unwrap_or_default(),
                ]
            })
            .collect();
        for line in units::columns(&rows, &[false, true, false, false, false]) {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}

/// Spells a difference with its sign, in at most six digits.
pub fn signed(delta: f64) -> String {
    let rounded: f64 = format!("{delta:.5e}").parse().unwrap_or(delta);
    format!("{rounded:+}")
}

/// Words a git checkout: `0f3a9c2b11de of trunk, https://…, with changes in 4be1…`.
pub fn code(code: &Code) -> String {
    let commit = code.git_commit.as_deref().and_then(|id| id.get(..12));
    let mut words = commit.unwrap_or("no git commit yet").to_owned();
    if let Some(branch) = &code.branch {
        words.push_str(&format!(" of {}", escape::line(branch)));
    }
    if let Some(repository) = &code.repository {
        words.push_str(&format!(", {}", escape::line(repository)));
    }
    match (&code.changes, code.dirty) {
        (Some(changes), _) => words.push_str(&format!(", changed: ls {}", changes.short())),
        (None, true) => words.push_str(", changed"),
        (None, false) => {}
    }
    words
}

/// Says how a run ended and what it used up.
fn ended(run: &Run) -> String {
    let mut parts = vec![match run.exit_code {
        Some(code) => format!("exit {code}"),
        None => "nobody saw it".to_owned(),
    }];
    let resources = &run.resources;
    parts.extend(resources.elapsed_ms.map(|ms| format!("after {}", span(ms))));
    let cpu = resources.user_ms.zip(resources.system_ms).map(|(user, system)| user + system);
    parts.extend(cpu.map(|ms| format!("{} of processor time", span(ms))));
    parts
        .extend(resources.memory_bytes_max.map(|bytes| format!("{} at most", units::bytes(bytes))));
    parts.join(", ")
}

/// Spells a span of time: `0.4 s`, `3 min 20 s`.
pub fn span(ms: u64) -> String {
    match ms {
        0..10_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => units::seconds(ms / 1000),
    }
}

fn section(lines: &mut Vec<String>, title: &str, rows: Vec<Vec<String>>) {
    if rows.is_empty() {
        return;
    }
    let count = rows.len();
    lines.extend([String::new(), title.to_owned()]);
    let columns = rows.first().map_or(0, Vec::len);
    let shown =
        units::columns(rows.get(..count.min(LINES_MAX)).unwrap_or_default(), &vec![false; columns]);
    lines.extend(shown.into_iter().map(|line| format!("  {line}")));
    if count > LINES_MAX {
        lines.push(format!("  and {} more (show -s --json)", count - LINES_MAX));
    }
}

/// Most values of a run that are said in a line.
const FEW: usize = 3;

/// Says some parameters and metrics in a line: `lr=0.1 accuracy=0.95`.
pub fn few_values(run: &Run) -> String {
    let mut words = Vec::new();
    if let Params::Here(params) = &run.params {
        put_leaves(params, "", &mut words);
    }
    words.truncate(FEW);
    let metrics = self::metrics(&run.metrics);
    words.extend(metrics.iter().take(FEW).filter_map(|pair| match pair.as_slice() {
        [name, value] => Some(format!("{name}={}", value.split("  ").next()?)),
        _ => None,
    }));
    words.join(" ")
}

/// Gives parameters, those inside of others too, as `name=value`.
fn put_leaves(params: &Object, prefix: &str, into: &mut Vec<String>) {
    for (name, value) in params.iter() {
        let name = format!("{prefix}{name}");
        match value {
            Value::Object(inner) => put_leaves(inner, &format!("{name}."), into),
            Value::Text(text) => into.push(format!("{name}={text}")),
            value => into.push(format!("{name}={}", String::from_utf8_lossy(&value.encode()))),
        }
    }
}

fn params(params: &Params) -> Vec<Vec<String>> {
    match params {
        Params::Attached(id) => vec![vec![format!("attached as {}", id.short())]],
        Params::Here(params) => params
            .iter()
            .map(|(name, value)| {
                let text = match value {
                    Value::Text(text) => text.clone(),
                    value => String::from_utf8_lossy(&value.encode()).into_owned(),
                };
                vec![escape::line(name), escape::line(&text)]
            })
            .collect(),
    }
}

fn metrics(metrics: &Metrics) -> Vec<Vec<String>> {
    match metrics {
        Metrics::Attached(id) => vec![vec![format!("attached as {}", id.short())]],
        Metrics::Here(metrics) => metrics
            .iter()
            .map(|(name, metric)| {
                let text = match metric {
                    Metric::Single(value) => reading(value),
                    Metric::Series(series) => {
                        let (first, last) = (reading(&series.first), reading(&series.last));
                        format!("{last}  (from {first}, {})", units::count(series.count, "value"))
                    }
                };
                vec![escape::line(name), text]
            })
            .collect(),
    }
}

fn reading(reading: &Reading) -> String {
    match reading {
        Reading::Text(text) => escape::line(text),
        Reading::Number(number) => {
            String::from_utf8_lossy(&Value::from(*number).encode()).into_owned()
        }
    }
}

fn content(path: &str, content: Option<&Content>, more: [Option<String>; 2]) -> Vec<String> {
    let path = escape::path(path.as_bytes());
    let Some(content) = content else {
        return vec!["missing".into(), String::new(), String::new(), String::new(), path];
    };
    let more: Vec<String> = more.into_iter().flatten().collect();
    let more = if more.is_empty() { String::new() } else { format!("  ({})", more.join(", ")) };
    vec![
        content.kind.to_string(),
        units::count(content.files, "file"),
        units::bytes(content.bytes),
        content.id.short(),
        format!("{path}{more}"),
    ]
}
