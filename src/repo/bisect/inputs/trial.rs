//! One combination: the files of the good run, with some units of the bad one, in a directory of
//! its own; the recorded command there, and what it measured.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::units::{Change, CutFile, Side};
use super::{InputsRequest, InputsTest, Unit};
use crate::capture::trial::{self, Trial};
use crate::object::tree::Change as TreeChange;
use crate::object::{Commit, Metrics, Run, TreePath};
use crate::progress::Progress;
use crate::repo::bisect::{Verdict, votes};
use crate::repo::fresh::{Execution, Fresh};
use crate::repo::reproduce::{
    LEFT_RUNNING, command_of, find_program, lay_out, measured, turn_links,
};
use crate::repo::runs::field;
use crate::repo::{Error, Repository};
use crate::threads;

/// What came of a combination.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// How many units of the bad run it had.
    pub units: usize,
    /// Of how many.
    pub of: usize,
    /// Good, bad, or skip where nobody can tell.
    pub verdict: Verdict,
    /// What decided, in a line.
    pub reason: String,
    /// How long it took.
    pub elapsed: Duration,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// What every combination needs.
pub(super) struct Trials<'a> {
    pub repository: &'a Repository,
    pub request: &'a InputsRequest<'a>,
    /// The good run, and the bad one.
    pub sides: [Side<'a>; 2],
    pub metrics_files: Vec<TreePath>,
    pub progress: &'a Progress,
    pub cut: Vec<CutFile>,
}

/// What one execution says.
enum Answer {
    /// What it measured.
    Value(f64),
    /// What its test says, and why; skip where there is nothing to go by.
    Said(Verdict, String),
}

impl Trials<'_> {
    /// Runs combinations at once; gives what came of them in their order.
    pub fn run(&self, chosen: &[Vec<Unit>], of: usize) -> Result<Vec<Tried>, Error> {
        let next = AtomicUsize::new(0);
        let results: Mutex<Vec<Option<Result<Tried, Error>>>> =
            Mutex::new(chosen.iter().map(|_| None).collect());
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(units) = chosen.get(at) else { break };
                let tried = self.one(units, of);
                let mut results = results.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if let Some(place) = results.get_mut(at) {
                    *place = Some(tried);
                }
            }
        };
        threads::share(chosen.len(), work);
        let results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        results.into_iter().flatten().collect()
    }

    fn one(&self, units: &[Unit], of: usize) -> Result<Tried, Error> {
        let (start, mut notes) = (Instant::now(), Vec::new());
        let (verdict, reason) = self.decide(units, &mut notes)?;
        Ok(Tried { units: units.len(), of, verdict, reason, elapsed: start.elapsed(), notes })
    }

    /// Runs a combination as often as it is to be run; says what that says together, and why.
    fn decide(&self, units: &[Unit], notes: &mut Vec<String>) -> Result<(Verdict, String), Error> {
        let (mut values, mut good, mut bad) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.request.repeats.max(1) {
            match self.execute(units, notes)? {
                Answer::Value(value) => values.push(value),
                Answer::Said(Verdict::Good, reason) => good.push(reason),
                Answer::Said(Verdict::Bad, reason) => bad.push(reason),
                Answer::Said(Verdict::Skip, reason) => return Ok((Verdict::Skip, reason)),
            }
        }
        if let InputsTest::Metric(rule) = &self.request.test {
            let has = |side| values.iter().any(|value| rule.decide(*value) == Some(side));
            if has(Verdict::Good) && has(Verdict::Bad) {
                notes.push(format!("values of one combination contradict: {values:?}"));
            }
            return Ok(votes::of_mean(rule, &values));
        }
        let verdict = votes::of_most(bad.len(), good.len());
        if !good.is_empty() && !bad.is_empty() {
            let (bad, good) = (bad.len(), good.len());
            notes.push(format!("tests of one combination contradict: {bad} bad, {good} good"));
        }
        Ok((verdict, bad.into_iter().chain(good).next().unwrap_or_default()))
    }

    fn execute(&self, units: &[Unit], notes: &mut Vec<String>) -> Result<Answer, Error> {
        self.progress.check()?;
        let [good, bad] = self.sides;
        let is_other_code = units.iter().any(|unit| unit.change == Change::Code);
        let code = if is_other_code { bad.commit.code.as_ref() } else { good.commit.code.as_ref() };
        let (repository, progress) = (self.repository, self.progress);
        let (fresh, _) = lay_out(repository, code, good.before, None, notes, progress)?;
        self.write(units, &fresh)?;
        turn_links(repository, code, &fresh, notes)?;
        let words = self.words(units);
        let run = Run { command: words, ..good.run.clone() };
        let mut command = command_of(&run, &[])?;
        find_program(repository, &fresh, good.before, &mut command, notes);
        let output = self.request.output;
        let directory = good.before.directory.as_ref();
        let execution = Execution { command: &command, directory, output, error: output };
        let ended = fresh.execute(&execution)?;
        progress.check()?;
        if ended.left_running {
            notes.push(LEFT_RUNNING.to_owned());
        }
        let answer = match ended.exit_code {
            0 => self.answer(&fresh, good.commit, &run, notes)?,
            code => Answer::Said(Verdict::Skip, format!("the command ended with {code}")),
        };
        fresh.finish()?;
        Ok(answer)
    }

    /// Writes what is taken from the bad run.
    fn write(&self, units: &[Unit], fresh: &Fresh) -> Result<(), Error> {
        let mut files: BTreeMap<&TreePath, &TreeChange> = BTreeMap::new();
        let mut pieces: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for unit in units {
            match &unit.change {
                Change::Files(changes) => {
                    files.extend(changes.iter().map(|change| (&change.path, change)));
                }
                Change::Piece { file, piece } => pieces.entry(*file).or_default().push(*piece),
                Change::Words { .. } | Change::Code => {}
            }
        }
        if !files.is_empty() {
            let changes = |visit: &mut dyn FnMut(TreeChange) -> Result<(), Error>| {
                files.values().try_for_each(|change| visit((*change).clone()))
            };
            fresh.write(&changes, self.progress)?;
        }
        for (file, mut chosen) in pieces {
            chosen.sort_unstable();
            if let Some(CutFile { path, executable, pieces }) = self.cut.get(file) {
                fresh.write_content(path, &pieces.with(&chosen), *executable)?;
            }
        }
        Ok(())
    }

    /// Gives the good command with the words that are taken from the bad one.
    fn words(&self, units: &[Unit]) -> Vec<String> {
        let [good, bad] = self.sides.map(|side| &side.run.command);
        let mut changes: Vec<_> = units
            .iter()
            .filter_map(|unit| match &unit.change {
                Change::Words { old, new } => Some((old.clone(), new.clone())),
                _ => None,
            })
            .collect();
        changes.sort_by_key(|(old, new)| (old.start, new.start));
        let (mut words, mut at) = (Vec::new(), 0);
        for (old, new) in changes {
            words.extend_from_slice(good.get(at..old.start).unwrap_or_default());
            words.extend_from_slice(bad.get(new).unwrap_or_default());
            at = old.end;
        }
        words.extend_from_slice(good.get(at..).unwrap_or_default());
        words
    }

    /// Gives the bad command without the words that are to blame.
    pub fn mended_command(&self, all: &[Unit], found: &[Unit]) -> Vec<String> {
        let rest: Vec<Unit> = all.iter().filter(|unit| !found.contains(unit)).cloned().collect();
        self.words(&rest)
    }

    fn answer(
        &self,
        fresh: &Fresh,
        commit: &Commit,
        run: &Run,
        notes: &mut Vec<String>,
    ) -> Result<Answer, Error> {
        match &self.request.test {
            InputsTest::Metric(rule) => {
                let metrics = Metrics::Here(measured(fresh, &self.metrics_files, notes));
                let run = Run { metrics, ..run.clone() };
                let value = field(commit, &run, &rule.name).and_then(|field| field.number());
                Ok(match value {
                    Some(value) => Answer::Value(value),
                    None => Answer::Said(Verdict::Skip, format!("{} was not measured", rule.name)),
                })
            }
            InputsTest::Command(command) => self.test(fresh, command),
        }
    }

    fn test(&self, fresh: &Fresh, command: &[OsString]) -> Result<Answer, Error> {
        let directory = fresh.directory_of(self.sides[0].before.directory.as_ref());
        let output = self.request.output;
        let test = Trial {
            command,
            directory: &directory,
            variables: &fresh.surroundings(&directory),
            timeout: None,
            is_alone: false,
            input: None,
            output,
        };
        let ended = trial::run(&test, &|| self.progress.check().is_err())?;
        self.progress.check()?;
        match votes::of_exit_code(ended.exit_code) {
            Some(verdict) => Ok(Answer::Said(verdict, format!("test: {ended}"))),
            None => Err(Error::Usage(format!(
                "the test ended with {ended}, which says nothing: it must end with 0 for good, 1 \
                 to 124 for bad, 125 to skip"
            ))),
        }
    }
}
