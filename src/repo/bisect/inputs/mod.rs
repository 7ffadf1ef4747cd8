//! `bisect inputs`: which of many things that one step changed flips the verdict, by running the
//! recorded command with some of them taken from one run and the others from the other.
//!
//! `units` cuts what differs, `pieces` and `keys` mix two versions of a file, `trial` runs one
//! combination; which combinations to run is `graph/ddmin.rs`.

mod keys;
mod pieces;
mod trial;
mod units;

use std::ffi::OsString;
use std::os::fd::BorrowedFd;

use super::{MetricRule, Verdict, metric};
use crate::graph::ddmin;
use crate::object::{Commit, ObjectId, Run, TreePath};
use crate::progress::Progress;
use crate::repo::reproduce::{Begun, no_run};
use crate::repo::revision::Resolver;
use crate::repo::runs::insist_on_field;
use crate::repo::{Error, Repository};
use crate::store::Reader;

pub use trial::Tried;
pub use units::{Granularity, Unit};

use trial::Trials;
use units::{Side, finer, units};

/// Says what to search for, and how.
#[derive(Debug)]
pub struct InputsRequest<'a> {
    /// The commit of a run that does not have it, as typed.
    pub good: Vec<u8>,
    /// The commit of one that has it.
    pub bad: Vec<u8>,
    /// What decides.
    pub test: InputsTest,
    /// How finely files are cut.
    pub granularity: Granularity,
    /// Whether to run anything, or only to tell what differs.
    pub runs: bool,
    /// How many combinations run at once.
    pub jobs: usize,
    /// How often each runs; of metrics the mean counts, of tests what most say.
    pub repeats: u32,
    /// Where the output of the commands goes.
    pub output: BorrowedFd<'a>,
}

/// What decides whether a combination is bad.
#[derive(Debug, Clone)]
pub enum InputsTest {
    /// A value that it measures.
    Metric(MetricRule),
    /// A command that is executed afterwards where it ran: 0 is good, 1 to 124 bad.
    Command(Vec<OsString>),
}

/// Tells what was found.
#[derive(Debug)]
pub struct InputsReport {
    /// The good run.
    pub good: ObjectId,
    /// The bad one.
    pub bad: ObjectId,
    /// Everything that differs.
    pub units: Vec<Unit>,
    /// What came of it.
    pub outcome: InputsOutcome,
    /// Combinations that ran.
    pub tried: usize,
    /// Those of them that decided nothing.
    pub undecided: usize,
    /// How long the recorded runs took, in milliseconds, the longer of both; where it is known.
    pub elapsed_ms: Option<u64>,
    /// The command of the bad run with what was found taken from the good one.
    pub mended_command: Vec<String>,
    /// The records of both.
    pub commits: [Commit; 2],
    /// The files from which the metrics of the bad run were read.
    pub metrics_files: Vec<TreePath>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// What came of a search.
#[derive(Debug)]
pub enum InputsOutcome {
    /// Nothing was to be run.
    Planned,
    /// The runs are not now what they are called: there is nothing to search between them.
    Contradiction {
        /// What came of the good one.
        good: Tried,
        /// What came of the bad one, if that was run.
        bad: Option<Tried>,
    },
    /// These together flip the verdict, and none of them can be left out.
    Found {
        /// Those.
        units: Vec<Unit>,
        /// What came of the good run.
        good: Tried,
        /// What came of the good run with those.
        bad: Tried,
    },
}

/// Searches.
///
/// Shape: both runs are run first as they are recorded. `each` gets every combination that ran, in
/// an order that does not depend on how many run at once. Errors: `Usage` for commits without
/// runs, for runs that began alike, or whose recorded values contradict what they are called;
/// `NotFound` if the program is not there. Nothing is recorded.
pub fn bisect_inputs(
    repository: &Repository,
    request: &InputsRequest<'_>,
    progress: &Progress,
    mut each: impl FnMut(&Tried),
) -> Result<InputsReport, Error> {
    let mut resolver = Resolver::new(repository)?;
    let ids = [resolver.commit(&request.good)?, resolver.commit(&request.bad)?];
    let mut reader = repository.store.reader();
    let [good, bad] = [reader.commit(&ids[0])?, reader.commit(&ids[1])?];
    let good_run = good.run.clone().ok_or_else(|| no_run(&request.good))?;
    let bad_run = bad.run.clone().ok_or_else(|| no_run(&request.bad))?;
    if good_run.directory != bad_run.directory {
        let text = "the two runs were started in different directories, so they cannot be mixed";
        return Err(Error::Usage(text.to_owned()));
    }
    let (mut of_good, mut of_bad) = (
        Begun::of(&mut reader, &good, &good_run, progress)?,
        Begun::of(&mut reader, &bad, &bad_run, progress)?,
    );
    insist(&mut reader, &request.test, [&good, &bad])?;
    of_good.before.leave_out(&of_bad.before, &good_run.inputs);
    of_bad.before.leave_out(&of_good.before, &bad_run.inputs);
    let mut cut = Vec::new();
    let sides = [
        Side { commit: &good, run: &good_run, before: &of_good.before },
        Side { commit: &bad, run: &bad_run, before: &of_bad.before },
    ];
    let all = units(&mut reader, sides[0], sides[1], request.granularity, &mut cut)?;
    if all.is_empty() {
        return Err(Error::Usage(
            "the two runs began alike: neither command, code nor files differ".to_owned(),
        ));
    }
    let mut metrics_files = of_good.metrics_files.clone();
    metrics_files.extend(of_bad.metrics_files.iter().cloned());
    metrics_files.sort();
    metrics_files.dedup();
    let elapsed = |run: &Run| run.resources.elapsed_ms;
    let mut report = InputsReport {
        good: ids[0],
        bad: ids[1],
        units: all.clone(),
        outcome: InputsOutcome::Planned,
        tried: 0,
        undecided: 0,
        elapsed_ms: elapsed(&good_run).max(elapsed(&bad_run)),
        mended_command: bad_run.command.clone(),
        commits: [good.clone(), bad.clone()],
        metrics_files: of_bad.metrics_files.clone(),
        notes: Vec::new(),
    };
    if !request.runs {
        return Ok(report);
    }
    let mut search = Search {
        trials: Trials { repository, request, sides, metrics_files, progress, cut },
        report: &mut report,
    };
    let outcome = search.outcome(all, &mut reader, &mut each)?;
    let trials = search.trials;
    if let InputsOutcome::Found { units, .. } = &outcome {
        report.mended_command = trials.mended_command(&report.units, units);
    }
    report.outcome = outcome;
    Ok(report)
}

/// A search under way.
struct Search<'a, 'r> {
    trials: Trials<'a>,
    report: &'r mut InputsReport,
}

impl Search<'_, '_> {
    fn outcome(
        &mut self,
        all: Vec<Unit>,
        reader: &mut Reader<'_>,
        each: &mut impl FnMut(&Tried),
    ) -> Result<InputsOutcome, Error> {
        let good = self.one(&[], all.len(), each)?;
        if good.verdict != Verdict::Good {
            return Ok(InputsOutcome::Contradiction { good, bad: None });
        }
        let whole: Vec<Unit> = all.clone();
        let mut bad = self.one(&whole, all.len(), each)?;
        if bad.verdict != Verdict::Bad {
            return Ok(InputsOutcome::Contradiction { good, bad: Some(bad) });
        }
        let mut found = self.minimal(all, &mut bad, each)?;
        if self.trials.request.granularity == Granularity::Row {
            let finer = finer(reader, found.clone(), &mut self.trials.cut)?;
            if finer.len() > found.len() {
                found = self.minimal(finer, &mut bad, each)?;
            }
        }
        Ok(InputsOutcome::Found { units: found, good, bad })
    }

    /// Finds some of these units, which together are bad, none of which can be left out.
    fn minimal(
        &mut self,
        units: Vec<Unit>,
        bad: &mut Tried,
        each: &mut impl FnMut(&Tried),
    ) -> Result<Vec<Unit>, Error> {
        let pick = |set: &[usize]| -> Vec<Unit> {
            set.iter().filter_map(|at| units.get(*at)).cloned().collect()
        };
        let found = ddmin(units.len(), |sets| {
            let mut passed = 0;
            for chunk in sets.chunks(self.trials.request.jobs.max(1)) {
                let chosen: Vec<Vec<Unit>> = chunk.iter().map(|set| pick(set)).collect();
                for (at, tried) in self.trials.run(&chosen, units.len())?.into_iter().enumerate() {
                    self.count(&tried);
                    each(&tried);
                    if tried.verdict == Verdict::Bad {
                        *bad = tried;
                        return Ok::<_, Error>(Some(passed + at));
                    }
                }
                passed += chunk.len();
            }
            Ok(None)
        })?;
        Ok(pick(&found))
    }

    fn one(
        &mut self,
        units: &[Unit],
        of: usize,
        each: &mut impl FnMut(&Tried),
    ) -> Result<Tried, Error> {
        let mut tried = self.trials.run(&[units.to_vec()], of)?;
        let tried = tried.pop().ok_or_else(|| Error::Internal("nothing ran".to_owned()))?;
        self.count(&tried);
        each(&tried);
        Ok(tried)
    }

    fn count(&mut self, tried: &Tried) {
        self.report.tried += 1;
        self.report.undecided += usize::from(tried.verdict == Verdict::Skip);
        for note in &tried.notes {
            if !self.report.notes.contains(note) {
                self.report.notes.push(note.clone());
            }
        }
    }
}

/// Refuses runs of which the record says otherwise than the user, and a metric that neither has: it
/// is likely to be misspelt, and whatever runs would decide nothing.
fn insist(reader: &mut Reader<'_>, test: &InputsTest, commits: [&Commit; 2]) -> Result<(), Error> {
    let InputsTest::Metric(rule) = test else { return Ok(()) };
    insist_on_field(&rule.name)?;
    if !rule.name.starts_with("metrics.") {
        return Err(Error::Usage(format!("only metrics are measured again, not {:?}", rule.name)));
    }
    let mut has_any = false;
    for (commit, verdict) in commits.into_iter().zip([Verdict::Good, Verdict::Bad]) {
        let Some(value) = metric::value_of(reader, commit, &rule.name)? else { continue };
        has_any = true;
        if rule.decide(value).is_some_and(|decided| decided != verdict) {
            let run = commit.run.as_ref().map_or("", |run| &run.name);
            let (word, name) = (verdict.word(), &rule.name);
            return Err(Error::Usage(format!(
                "run {run} is called {word}, but its {name} is {value}"
            )));
        }
    }
    match has_any {
        true => Ok(()),
        false => Err(Error::Usage(format!(
            "neither run has measured {}: `provenance show COMMIT` lists what a run measured",
            rule.name
        ))),
    }
}
