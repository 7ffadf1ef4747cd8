//! `bisect run`: a command tests one commit after the other.

use std::ffi::OsString;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::time::Duration;

use super::{BisectReport, Missing, Said, Verdict, bisect_state, check_out, follow, go_to, votes};
use crate::capture::process::StartError;
use crate::capture::trial::{self, Trial};
use crate::object::{Commit, ObjectId};
use crate::progress::{Phase, Progress};
use crate::repo::status::{StatusRequest, status};
use crate::repo::{Error, Head, Repository};
use crate::worktree::bisect;

/// Says which command tests.
#[derive(Debug)]
pub struct BisectRunRequest<'a> {
    /// Program and arguments.
    pub command: Vec<OsString>,
    /// Where to start it.
    pub directory: PathBuf,
    /// How long a test may take; a commit whose test takes longer is skipped.
    pub timeout: Option<Duration>,
    /// How often each commit is tested; what most tests say counts.
    pub repeats: u32,
    /// Where the output of the command goes.
    pub output: BorrowedFd<'a>,
    /// The command as typed, for the journal.
    pub journal: String,
}

/// Tells what happens meanwhile.
#[derive(Debug)]
pub enum TrialEvent<'a> {
    /// A commit is to be tested now.
    Testing {
        /// The commit.
        id: ObjectId,
        /// Its record.
        commit: &'a Commit,
        /// How many commits may be the culprit.
        suspects: usize,
    },
    /// Something was decided.
    Said(&'a Said),
    /// Tests of one commit contradict one another.
    Contradiction {
        /// The commit.
        id: ObjectId,
        /// How many tests said bad.
        bad: usize,
        /// How many said good.
        good: usize,
    },
    /// The command changed tracked files, which are put back.
    Changed {
        /// How many.
        files: usize,
    },
}

/// Tests until the culprit is found.
///
/// Shape: exit code 0 says good, 125 skips, anything else below 126 says bad; a commit that does
/// not have the directory is skipped. Errors: `Usage` if
/// the command ends with 126 or more, or was killed: it says nothing of the commit then, and the
/// search stands where it stood; `Conflict` if tracked files have changes that would be tested too.
pub fn bisect_run(
    repository: &Repository,
    request: &BisectRunRequest<'_>,
    progress: &Progress,
    mut each: impl FnMut(&TrialEvent<'_>),
) -> Result<BisectReport, Error> {
    insist_on_clean(repository, progress)?;
    let mut decided = Vec::new();
    let mut said = None;
    loop {
        let lock = repository.lock(progress)?;
        let mut state = bisect_state(repository)?;
        state.log.extend(said);
        let mut report = follow(repository, state, Missing::Test, progress)?;
        report.decided.iter().for_each(|said| each(&TrialEvent::Said(said)));
        decided.append(&mut report.decided);
        let report = check_out(repository, report, &request.journal, progress)?;
        drop(lock);
        if let super::Decision::Waiting { .. } = report.decision {
            let [bad, good] = [&report.state.bad_word, &report.state.good_word];
            return Err(Error::Usage(format!(
                "there is nothing to test before a {bad} and a {good} commit are named: \
                 `provenance bisect {bad} COMMIT`, `provenance bisect {good} COMMIT`"
            )));
        }
        let super::Decision::Test { id, suspects, .. } = report.decision else {
            return Ok(BisectReport { decided, ..report });
        };
        if let Some((id, commit)) = &report.commit {
            each(&TrialEvent::Testing { id: *id, commit, suspects });
        }
        progress.begin(Phase { name: "testing", ..Phase::default() });
        let tested = test(repository, request, id, progress, &mut each);
        // Whatever came of it: what the test has changed must not be tested with another commit.
        // Whoever stops the test does not stop that: their files are to be what they were.
        let whole = Progress::default();
        let unstopped = if progress.check().is_err() { &whole } else { progress };
        let files = put_back(repository, id, &request.journal, unstopped)?;
        if files > 0 {
            each(&TrialEvent::Changed { files });
        }
        let tested = tested?;
        each(&TrialEvent::Said(&tested));
        decided.push(tested.clone());
        said = Some(tested);
    }
}

/// Makes tracked files what they are in the commit that was tested, and counts those that were not.
///
/// Errors: `Conflict` if something else is checked out, or the search was ended: whatever differs
/// then is somebody's work and not the test's.
fn put_back(
    repository: &Repository,
    tested: ObjectId,
    journal: &str,
    progress: &Progress,
) -> Result<usize, Error> {
    let _lock = repository.lock(progress)?;
    let is_ours = bisect::is_under_way(&repository.location.folder)
        && repository.head()? == Head::Detached(tested);
    if !is_ours {
        return Err(Error::Conflict(format!(
            "the search was ended, or something else was checked out, while {} was tested: what \
             the test says does not count, and your files stay as they are; `provenance bisect` \
             says whether a search is under way",
            tested.short()
        )));
    }
    let files = changed(repository, progress)?;
    if files > 0 {
        go_to(repository, tested, true, journal, progress)?;
    }
    Ok(files)
}

/// Tests the commit that is checked out.
fn test(
    repository: &Repository,
    request: &BisectRunRequest<'_>,
    id: ObjectId,
    progress: &Progress,
    each: &mut impl FnMut(&TrialEvent<'_>),
) -> Result<Said, Error> {
    // Elsewhere the command would test something else, or not be found.
    if !request.directory.is_dir() {
        let directory = request.directory.strip_prefix(&repository.location.root);
        let directory = directory.unwrap_or(&request.directory).display();
        let reason = Some(format!("it has no directory {directory}"));
        return Ok(Said { commit: id, verdict: Verdict::Skip, reason });
    }
    let trial = Trial {
        command: &request.command,
        directory: &request.directory,
        variables: &[],
        timeout: request.timeout,
        is_alone: true,
        input: None,
        output: request.output,
    };
    let (mut bad, mut good, mut reason) = (0, 0, String::new());
    for _ in 0..request.repeats.max(1) {
        let ended = trial::run(&trial, &|| progress.check().is_err())?;
        progress.check()?;
        reason = ended.to_string();
        match votes::of_exit_code(ended.exit_code) {
            Some(Verdict::Skip) => {
                return Ok(Said { commit: id, verdict: Verdict::Skip, reason: Some(reason) });
            }
            Some(Verdict::Good) => good += 1,
            Some(Verdict::Bad) => bad += 1,
            None => {
                let command = request.command.first().map(|word| word.to_string_lossy());
                let command = command.unwrap_or_default();
                return Err(Error::Usage(format!(
                    "the test ended with {reason}, which says nothing of the commit: {command:?} \
                     must end with 0 for good, 1 to 124 for bad, 125 to skip"
                )));
            }
        }
    }
    if bad > 0 && good > 0 {
        each(&TrialEvent::Contradiction { id, bad, good });
        reason = format!("{bad} of {} tests failed", bad + good);
    }
    Ok(Said { commit: id, verdict: votes::of_most(bad, good), reason: Some(reason) })
}

fn insist_on_clean(repository: &Repository, progress: &Progress) -> Result<(), Error> {
    match changed(repository, progress)? {
        0 => Ok(()),
        files => Err(Error::Conflict(format!(
            "tracked files differ from what is checked out and would be tested with every commit, \
             files={files}: commit or restore them first"
        ))),
    }
}

/// Counts tracked files that differ from the commit that is checked out.
fn changed(repository: &Repository, progress: &Progress) -> Result<usize, Error> {
    let report = status(repository, &StatusRequest::default(), progress)?;
    Ok(report.staged.len() + report.unstaged.len())
}

impl From<trial::TrialError> for Error {
    fn from(error: trial::TrialError) -> Self {
        match error {
            trial::TrialError::Start(error) => Self::Start(error),
            trial::TrialError::Wait(source) => Self::Start(StartError::Watch(source)),
        }
    }
}
