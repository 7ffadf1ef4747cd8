//! Every file of a repository in a folder replaced by what is no file, or by another; the small
//! files of the worktree and the caches damaged byte by byte.
//!
//! After each: nothing waits for ever, nothing panics, what is read or checked out is right, and
//! without a cache every answer is the same.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use provenance::clock::{Clock, Timestamp};
use provenance::progress::Progress;
use provenance::repo::checkout::{CheckoutRequest, checkout};
use provenance::repo::status::{StatusRequest, status};
use provenance::repo::{
    AddRequest, CommitRequest, Error, ErrorKind, FsckRequest, InitRequest, Repository, add, cat,
    commit, fsck, init,
};

use crate::support::effort;
use crate::support::tally::Tally;

const CLOCK: Clock = Clock::Fixed(Timestamp(1_700_000_000_000));

/// Longer than any answer takes, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(120);

/// The newest journal entry, which no later one names.
const NEWEST: &str = "journal/entry/00000000000000000002.json";

/// What the two commits hold under `data/table.csv`.
const TABLES: [&str; 2] = ["one,1\n", "one,1\ntwo,2\n"];

fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a folder")
}

/// A worktree with two commits and a change that is only staged.
fn sample() -> tempfile::TempDir {
    let folder = folder();
    init(&InitRequest { directory: folder.path().to_owned() }, CLOCK).expect("made");
    fs::create_dir(folder.path().join("data")).expect("made");
    write(&folder.path().join(".provenance/config"), b"[user]\nname = \"Ada\"\n");
    for text in TABLES {
        write(&folder.path().join("data/table.csv"), text.as_bytes());
        write(&folder.path().join("weights"), &text.repeat(9000).into_bytes());
        let repository = open(folder.path()).expect("opened");
        add(&repository, &AddRequest::default(), &Progress::default()).expect("added");
        let request = CommitRequest { message: "a change".to_owned(), ..CommitRequest::default() };
        commit(&repository, &request, &Progress::default()).expect("committed");
    }
    let _log = history(folder.path()).expect("the commit graph is kept");
    folder
}

fn open(folder: &Path) -> Result<Repository, Error> {
    Repository::open(folder, CLOCK)
}

fn write(path: &Path, bytes: &[u8]) {
    let _was_there = fs::remove_file(path);
    let mut file = fs::File::create(path).expect("made");
    file.write_all(bytes).expect("written");
}

fn history(folder: &Path) -> Result<Vec<String>, Error> {
    use provenance::repo::{LogRequest, LogRow, log};
    let mut ids = Vec::new();
    let repository = open(folder)?;
    log(&repository, &LogRequest::default(), &Progress::default(), |row| {
        if let LogRow::Shown(commit) = row {
            ids.push(commit.id.to_string());
        }
        Ok::<_, Error>(())
    })?;
    Ok(ids)
}

fn table(folder: &Path, revision: &str) -> Result<Vec<u8>, Error> {
    let mut content = Vec::new();
    cat(&open(folder)?, format!("{revision}:data/table.csv").as_bytes(), |piece| {
        content.extend_from_slice(piece);
        Ok::<_, Error>(())
    })?;
    Ok(content)
}

fn go(folder: &Path, revision: &str) -> Result<(), Error> {
    let target = Some(revision.as_bytes().to_vec());
    let request = CheckoutRequest { target, is_forced: true, ..CheckoutRequest::default() };
    checkout(&open(folder)?, &request, &Progress::default()).map(drop)
}

/// Every file of the repository but the lock, which holds nothing.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("listed") {
        let path = entry.expect("listed").path();
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
    found.sort();
}

/// Asks everything of a copy with damage, and insists on what is right.
fn ask(folder: &Path, case: &str, commits: &[String], is_derived: bool) -> &'static str {
    let mut refused = 0;
    let mut note = |error: Error| {
        let kind = error.kind();
        assert!(!is_derived, "{case}: no answer changes: {error}");
        assert!(!matches!(kind, ErrorKind::Internal), "{case}: {error}");
        refused += 1;
    };
    match history(folder) {
        // `HEAD` may be another name now. Only a root that was noted elsewhere can tell that the
        // newest entry is gone.
        Ok(ids) => {
            let is_older = case.ends_with(NEWEST) && commits.ends_with(&ids);
            let is_right = ids == commits || is_older || ids.is_empty() && !is_derived;
            assert!(is_right, "{case}: {ids:?}");
        }
        Err(error) => note(error),
    }
    for (commit, truth) in commits.iter().rev().zip(TABLES) {
        match table(folder, commit) {
            Ok(content) => assert_eq!(content, truth.as_bytes(), "{case}"),
            Err(error) => note(error),
        }
    }
    let looked = open(folder).and_then(|repository| {
        status(&repository, &StatusRequest::default(), &Progress::default())
    });
    match looked {
        Ok(report) => assert!(!is_derived || report.is_clean(), "{case}"),
        Err(error) => note(error),
    }
    for (commit, truth) in commits.iter().rev().zip(TABLES) {
        match go(folder, commit) {
            Ok(()) => {
                let there = fs::read(folder.join("data/table.csv")).expect("checked out");
                assert_eq!(there, truth.as_bytes(), "{case}");
            }
            Err(error) => note(error),
        }
    }
    if refused == 0 { "all still right" } else { "refused, all else right" }
}

/// Runs one case on a copy, and gives up loudly if it takes for ever.
fn on_a_copy(
    sample: &Path,
    case: String,
    damage: impl FnOnce(&Path) + Send + 'static,
    run: impl FnOnce(&Path, &str) -> &'static str + Send + 'static,
) -> &'static str {
    let copy = folder();
    let status = Command::new("cp").arg("-a").arg(sample.join(".")).arg(copy.path()).status();
    assert!(status.expect("cp runs").success());
    let (answer, answers) = mpsc::channel();
    let (path, name) = (copy.path().to_owned(), case.clone());
    let worker = thread::spawn(move || {
        damage(&path);
        // Gone only if the test gave up.
        let _ = answer.send(run(&path, &name));
    });
    match answers.recv_timeout(PATIENCE) {
        Ok(outcome) => outcome,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{case}: it waits for ever"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            std::panic::resume_unwind(worker.join().expect_err("it panicked"))
        }
    }
}

type Replace = fn(&Path, &Path);

/// What takes the place of a file; the second path is another file of the repository.
const REPLACEMENTS: &[(&str, Replace)] = &[
    ("nothing", |path, _| fs::remove_file(path).expect("removed")),
    ("a folder", |path, _| {
        fs::remove_file(path).expect("removed");
        fs::create_dir(path).expect("made");
    }),
    ("a folder with a file", |path, _| {
        fs::remove_file(path).expect("removed");
        fs::create_dir(path).expect("made");
        write(&path.join("a"), b"b");
    }),
    ("a link to nothing", |path, _| {
        fs::remove_file(path).expect("removed");
        symlink("nowhere", path).expect("linked");
    }),
    ("a link to itself", |path, _| {
        fs::remove_file(path).expect("removed");
        symlink(path, path).expect("linked");
    }),
    ("a link to another file", |path, other| {
        fs::remove_file(path).expect("removed");
        symlink(other, path).expect("linked");
    }),
    ("a pipe", |path, _| {
        fs::remove_file(path).expect("removed");
        assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo runs").success());
    }),
    ("another file", |path, other| {
        let bytes = fs::read(other).expect("read");
        write(path, &bytes);
    }),
    ("no bytes", |path, _| write(path, b"")),
    ("zeros", |path, _| {
        let bytes = fs::metadata(path).expect("there").len();
        write(path, &vec![0; usize::try_from(bytes).expect("small")]);
    }),
];

#[test]
fn what_is_no_file_in_the_place_of_one_stops_nobody() {
    let sample = sample();
    let commits = history(sample.path()).expect("read");
    let mut all = Vec::new();
    files(&sample.path().join(".provenance"), &mut all);
    assert!(all.len() > 12, "{all:?}");
    let tally = Tally::new("something else in the place of a file", "log, cat, status, checkout");
    let repairs = Tally::new("something else in the place of a file", "fsck --repair");
    for (number, path) in all.iter().enumerate() {
        let relative = path.strip_prefix(sample.path()).expect("below").to_owned();
        let other = all[(number + 3) % all.len()].strip_prefix(sample.path()).expect("below");
        let is_derived = relative.starts_with(".provenance/cache");
        for (what, replace) in REPLACEMENTS {
            let case = format!("{what} in the place of {}", relative.display());
            let (relative, other, commits) = (relative.clone(), other.to_owned(), commits.clone());
            let damage = move |folder: &Path| replace(&folder.join(relative), &folder.join(other));
            let outcome = on_a_copy(sample.path(), case.clone(), damage.clone(), {
                let commits = commits.clone();
                move |folder, case| ask(folder, case, &commits, is_derived)
            });
            tally.count(outcome);
            repairs.count(on_a_copy(sample.path(), case, damage, repaired));
        }
    }
}

/// Repairs twice, and insists that the second time has nothing to do.
fn repaired(folder: &Path, case: &str) -> &'static str {
    let request = FsckRequest { full: true, repairs: true };
    let run = || {
        let (repository, mended) = Repository::open_to_mend(folder, CLOCK)?;
        let report = fsck(&repository, request, &Progress::default())?;
        Ok::<_, Error>((mended.len() + report.mended.len(), report.problems.len()))
    };
    let Ok((_, problems)) = run() else { return "refused" };
    let again = run().unwrap_or_else(|error| panic!("{case}: {error}"));
    assert_eq!(again, (0, problems), "{case}: nothing is left to do");
    if problems == 0 { "whole again" } else { "what is lost is named" }
}

#[test]
fn every_byte_of_the_small_files_and_the_caches_may_be_wrong() {
    let sample = sample();
    let commits = history(sample.path()).expect("read");
    let tally = Tally::new("a byte changed", "HEAD, stage, config, format and caches");
    let mut all = Vec::new();
    files(&sample.path().join(".provenance/cache"), &mut all);
    all.extend(
        ["HEAD", "config", "format"].map(|name| sample.path().join(".provenance").join(name)),
    );
    for path in all {
        let good = fs::read(&path).expect("read");
        let is_derived = path.parent().is_some_and(|parent| parent.ends_with("cache"));
        let places_max = if is_derived { effort::cases(40, 1 << 20) } else { 1 << 20 };
        let step = good.len().div_ceil(usize::try_from(places_max).expect("small")).max(1);
        let places = (0..good.len()).step_by(step);
        for at in places.take_while(|_| effort::goes_on()) {
            let case = format!("byte {at} of {}", path.display());
            let relative = path.strip_prefix(sample.path()).expect("below").to_owned();
            let (mut bad, commits) = (good.clone(), commits.clone());
            bad[at] ^= 1 << (at % 8);
            let damage = move |folder: &Path| write(&folder.join(relative), &bad);
            tally.count(on_a_copy(sample.path(), case, damage, move |folder, case| {
                ask(folder, case, &commits, is_derived)
            }));
        }
    }
}
