//! How a search for the first bad commit stands, in words and as JSON.

use std::io::Write as _;

use super::file_diff::{Form, Printer};
use super::print::{Output, Paint};
use super::{Failure, commit_text, escape, run_text, units};
use crate::object::{Commit, ObjectId};
use crate::progress::Progress;
use crate::repo::diff::{DiffRequest, diff, diff_sides};
use crate::repo::{
    self, BisectReport, Bisection, Decision, Error, Repository, Said, TrialEvent, Verdict,
};

/// Most commits that are named one by one.
const LINES_MAX: usize = 20;

/// Says what follows.
pub fn words(
    out: &mut Output,
    repository: &Repository,
    report: &BisectReport,
) -> Result<(), Failure> {
    let state = &report.state;
    let [bad, good] = [&state.bad_word, &state.good_word].map(|word| escape::line(word));
    match &report.decision {
        Decision::Waiting { has_bad, has_good } => {
            let missing = match (has_bad, has_good) {
                (false, false) => format!("a {bad} and a {good} commit"),
                (false, true) => format!("a {bad} commit"),
                (true, _) => format!("a {good} commit"),
            };
            let word = if *has_bad { &good } else { &bad };
            writeln!(out, "Waiting for {missing}: `provenance bisect {word} COMMIT`")?;
        }
        Decision::Test { suspects, steps, is_base, .. } => {
            if *is_base {
                let side = "where a commit that is not in this history parted from it";
                writeln!(out, "First comes {side}: it has to be {good} as well")?;
            }
            let count = units::count(*suspects as u64, "commit");
            let tests = match steps {
                0 => "this test may be the last".to_owned(),
                steps => {
                    format!("about {} left after this one", units::count(u64::from(*steps), "test"))
                }
            };
            writeln!(out, "{count} may be the first {bad} one; {tests}")?;
            if let Some((id, commit)) = &report.commit {
                let line = commit_text::one_line(id, commit, &[], out.paint);
                writeln!(out, "Test this one, then say {good}, {bad} or skip: {line}")?;
            }
        }
        Decision::Found { id, is_beside_paths, unmeasured } => {
            let measured = if unmeasured.is_empty() { "" } else { " of those that were measured" };
            writeln!(out, "{} is the first {bad} commit{measured}", out.paint.id(id))?;
            if !unmeasured.is_empty() {
                writeln!(out, "Right before it nothing was measured, and it may have been here:")?;
            }
            put_commits(out, repository, unmeasured)?;
            if *is_beside_paths {
                writeln!(out, "It changes none of the paths, and no commit that does is {bad}")?;
            }
            if let Some((id, commit)) = &report.commit {
                culprit(out, repository, (id, commit), unmeasured)?;
            }
            writeln!(out, "`provenance bisect reset` goes back to where you were")?;
        }
        Decision::OnlySkipped(left) => {
            only_skipped(out, repository, state, left)?;
        }
        Decision::Mended { base, good: after } => {
            let base = out.paint.id(base.short());
            writeln!(out, "{base} is {bad} already, and later commits are {good}:")?;
            let after: Vec<String> = after.iter().map(ObjectId::short).collect();
            writeln!(out, "it was mended between {base} and {}", after.join(" "))?;
        }
    }
    Ok(())
}

/// Says that nobody told anything of the commits that are left.
fn only_skipped(
    out: &mut Output,
    repository: &Repository,
    state: &Bisection,
    left: &[ObjectId],
) -> Result<(), Failure> {
    let is_skipped = |id: &ObjectId| {
        state.log.iter().any(|said| said.verdict == Verdict::Skip && said.commit == *id)
    };
    // The last one is the bad one.
    let (_, inner) = left.split_last().unzip();
    let are_skipped = inner.unwrap_or_default().iter().all(is_skipped);
    let kind = if are_skipped { "skipped commits" } else { "commits without a value" };
    let bad = escape::line(&state.bad_word);
    writeln!(out, "Only {kind} are left; the first {bad} one is one of these:")?;
    put_commits(out, repository, left)?;
    if !are_skipped {
        writeln!(out, "`provenance bisect run COMMAND` tests those without a value")?;
    }
    Ok(())
}

/// Names commits, the first of many.
fn put_commits(out: &mut Output, repository: &Repository, ids: &[ObjectId]) -> Result<(), Failure> {
    for id in ids.iter().take(LINES_MAX) {
        let subject = commit_text::subject(&repo::message(repository, id)?);
        writeln!(out, "  {} {subject}", out.paint.id(id.short()))?;
    }
    let more = ids.len().saturating_sub(LINES_MAX) as u64;
    if more > 0 {
        writeln!(out, "  … and {}", units::count(more, "more commit"))?;
    }
    Ok(())
}

/// Shows a commit, and what it changed since the one that was good: parameters and metrics first,
/// then which files.
fn culprit(
    out: &mut Output,
    repository: &Repository,
    (id, commit): (&ObjectId, &Commit),
    unmeasured: &[ObjectId],
) -> Result<(), Failure> {
    writeln!(out)?;
    for line in commit_text::full(id, commit, &[], out.paint) {
        writeln!(out, "{line}")?;
    }
    writeln!(out)?;
    let Some(before) = repo::first_ancestor(repository, commit, unmeasured)? else { return Ok(()) };
    let pair = [before.to_string().into_bytes(), id.to_string().into_bytes()];
    if let Some(diff) = repo::run_diff(repository, &pair)? {
        run_text::put_diff(out, &diff)?;
    }
    let [old, new] = [&before, id].map(ObjectId::short);
    let request = DiffRequest {
        sides: diff_sides(repository, &pair, false)?,
        paths: Vec::new(),
        reads_contents: false,
        row_samples: None,
    };
    let mut printer = Printer::new(Form::NameStatus);
    let report = diff(repository, &request, &Progress::default(), |file| {
        Ok::<_, Failure>(printer.print(out, &file)?)
    })?;
    if report.total() > 0 {
        writeln!(out)?;
    }
    writeln!(out, "`provenance diff {old} {new}` shows what it changed, line by line")?;
    writeln!(out, "`provenance rollback {old}` takes all back to before it, as a new commit")?;
    Ok(())
}

/// Says what was said of a commit, in a line.
pub fn said(said: &Said, state: &Bisection, paint: Paint) -> String {
    let word = match said.verdict {
        Verdict::Bad => paint.removed(escape::line(&state.bad_word)),
        Verdict::Good => paint.added(escape::line(&state.good_word)),
        Verdict::Skip => "skipped".to_owned(),
    };
    let reason = said.reason.as_deref().map(|reason| format!(": {}", escape::line(reason)));
    format!("{} {word}{}", paint.id(said.commit.short()), reason.unwrap_or_default())
}

/// Tells of a test, on standard error: the command has standard output.
pub fn tell(event: &TrialEvent<'_>, state: &Bisection, paint: Paint) {
    let [bad, good] = [&state.bad_word, &state.good_word].map(|word| escape::line(word));
    let line = match event {
        TrialEvent::Testing { id, commit, suspects } => {
            let count = units::count(*suspects as u64, "suspect");
            format!("testing {} ({count})", commit_text::one_line(id, commit, &[], paint))
        }
        TrialEvent::Said(said) => self::said(said, state, paint),
        TrialEvent::Contradiction { id, bad: bad_count, good: good_count } => {
            let id = id.short();
            format!("tests of {id} contradict one another: {bad_count} {bad}, {good_count} {good}")
        }
        TrialEvent::Changed { files } => {
            let files = units::count(*files as u64, "tracked file");
            format!("the test changed {files}, put back now")
        }
    };
    // What is not ours in it is escaped already, and the rest may be painted.
    let line = format!("provenance: {line}\n");
    let _nobody_listens = std::io::stderr().lock().write_all(line.as_bytes());
}

/// Gives how the search stands for JSON.
pub fn json(report: &BisectReport) -> Result<serde_json::Value, Error> {
    let commit = match &report.commit {
        Some((_, commit)) => serde_json::from_slice(&commit.encode()?).ok(),
        None => None,
    };
    let ids = |ids: &[ObjectId]| ids.iter().map(ObjectId::to_record).collect::<Vec<_>>();
    let mut answer = match &report.decision {
        Decision::Waiting { has_bad, has_good } => serde_json::json!({
            "state": "waiting", "has_bad": has_bad, "has_good": has_good,
        }),
        Decision::Test { id, suspects, steps, is_base } => serde_json::json!({
            "state": "test", "id": id.to_record(), "suspects": suspects, "steps": steps,
            "merge_base": is_base,
        }),
        Decision::Found { id, is_beside_paths, unmeasured } => serde_json::json!({
            "state": "found", "id": id.to_record(), "beside_paths": is_beside_paths,
            "unmeasured": ids(unmeasured),
        }),
        Decision::OnlySkipped(left) => serde_json::json!({
            "state": "only-skipped", "suspects": ids(left),
        }),
        Decision::Mended { base, good } => serde_json::json!({
            "state": "mended", "base": base.to_record(), "good": ids(good),
        }),
    };
    let decided: Vec<_> = report.decided.iter().map(said_json).collect();
    if let Some(answer) = answer.as_object_mut() {
        answer.insert("record".to_owned(), commit.unwrap_or_default());
        answer.insert("decided".to_owned(), decided.into());
    }
    Ok(answer)
}

/// Gives what was said of a commit for JSON.
pub fn said_json(said: &Said) -> serde_json::Value {
    serde_json::json!({
        "commit": said.commit.to_record(), "verdict": said.verdict.word(), "reason": said.reason,
    })
}
