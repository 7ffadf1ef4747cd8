//! Processes that record, go elsewhere, merge, collect and read in one repository at once, and are
//! killed at random: every commit that was acknowledged is in the journal, once.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use provenance::clock::{Clock, Timestamp};
use provenance::progress::Progress;
use provenance::repo::{FsckRequest, Repository, fsck};

use crate::support::chance::Chance;
use crate::support::effort;
use crate::support::tally::Tally;

/// Rounds of each worker, however little time there is.
const ROUNDS_MIN: u64 = 8;

/// Rounds of each worker over NFS, where each takes ten times as long, if there is time.
const NFS_ROUNDS: u64 = 40;

/// Exit code of a conflict.
const CONFLICT: i32 = 11;

/// How a process ended.
enum Ended {
    Done(String),
    Conflict,
    Killed,
}

/// Runs the program, and perhaps kills it after a while.
fn run(directory: &Path, words: &[&str], killer: Option<&mut Chance>) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provenance"));
    command.current_dir(directory).args(words).env_clear().stdin(Stdio::null());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    if let Some(chance) = killer
        && chance.below(5) == 0
    {
        thread::sleep(Duration::from_micros(chance.below(60_000)));
        child.kill().expect("killed, or over already");
    }
    let output = child.wait_with_output().expect("it ends");
    match output.status.code() {
        Some(0) => Ended::Done(String::from_utf8(output.stdout).expect("text")),
        Some(CONFLICT) => Ended::Conflict,
        None => Ended::Killed,
        Some(_) => panic!("{words:?}: {output:?}"),
    }
}

/// What one worker does again and again; gives the commits that were acknowledged.
fn work(place: &Path, worker: u64, rounds: u64, seed: u64, tally: &Tally) -> Vec<String> {
    let mut chance = Chance(seed.wrapping_add(worker << 32));
    let mut acknowledged = Vec::new();
    let count = |ended: &Ended| {
        tally.count(match ended {
            Ended::Done(_) => "done",
            Ended::Conflict => "a documented conflict",
            Ended::Killed => "killed",
        });
    };
    for round in (0..rounds).take_while(|round| *round < ROUNDS_MIN || effort::goes_on()) {
        let name = format!("file-{worker}-{round}");
        let mut file = fs::File::create(place.join(&name)).expect("made");
        write!(file, "{name}").expect("written");
        drop(file);
        count(&run(place, &["add", &name], Some(&mut chance)));
        let words = ["--json", "commit", "--allow-empty", "-m", &name];
        let committed = run(place, &words, Some(&mut chance));
        count(&committed);
        if let Ended::Done(answer) = committed {
            let answer: serde_json::Value = serde_json::from_str(&answer).expect("a document");
            acknowledged.push(answer["commit"].as_str().expect("an id").to_owned());
        }
        let branch = format!("side-{worker}-{round}");
        let other: &[&str] = match chance.below(8) {
            0 => &["checkout", "-b", &branch],
            1 => &["checkout", "main"],
            2 => &["gc"],
            3 => &["fsck"],
            4 => &["tag", &branch],
            5 => &["undo"],
            6 => &["log"],
            _ => &["status"],
        };
        count(&run(place, other, Some(&mut chance)));
    }
    acknowledged
}

/// Lets workers loose on one repository, each through its own place of those.
fn race(places: &[PathBuf], workers: u64, rounds: u64, fault: &'static str) {
    let tally = Tally::new(fault, "commands at once");
    let seed = effort::seed();
    let acknowledged = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for worker in 0..workers {
            let (tally, acknowledged) = (&tally, &acknowledged);
            let place = &places[worker as usize % places.len()];
            scope.spawn(move || {
                let own = work(place, worker, rounds, seed, tally);
                acknowledged.lock().expect("no panic").extend(own);
            });
        }
    });
    let again = effort::again("crash::processes", seed);
    let clock = Clock::Fixed(Timestamp(1_700_000_000_000));
    let repository = Repository::open(&places[0], clock).expect("opened");
    let report =
        fsck(&repository, FsckRequest { full: true, repairs: false }, &Progress::default());
    assert_eq!(report.expect("checked").problems, [], "{again}");
    let newest = repository.journal.head().expect("read").newest.expect("entry 0").number();
    let mut found = BTreeMap::<String, usize>::new();
    for entry in repository.journal.entries(newest) {
        let transaction = entry.expect("read").transaction;
        if transaction.command.split(' ').any(|word| word == "commit") {
            for new in transaction.updates.iter().filter_map(|update| update.new) {
                *found.entry(new.to_record()).or_default() += 1;
            }
        }
    }
    let acknowledged = acknowledged.into_inner().expect("no panic");
    assert!(
        acknowledged.len() as u64 > workers * rounds.min(ROUNDS_MIN) / 4,
        "most of it is done\n{again}"
    );
    for id in acknowledged {
        let id = if id.starts_with("blake3:") { id } else { format!("blake3:{id}") };
        assert_eq!(found.get(&id), Some(&1), "{id}\n{again}");
    }
}

#[test]
fn what_was_acknowledged_is_there_once_whoever_is_killed_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().to_owned();
    assert!(matches!(run(&place, &["init"], None), Ended::Done(_)));
    race(&[place], 8, effort::cases(40, 400), "processes at once, killed at random");
}

/// Where `tests/torture/nfs` has mounted one folder twice.
const PLACES: &str = "PROVENANCE_PLACES";

#[test]
fn through_two_nfs_clients_it_is_the_same() {
    if let Some(places) = std::env::var_os(PLACES) {
        let places: Vec<PathBuf> =
            std::env::split_paths(&places).map(|place| place.join("shared")).collect();
        fs::create_dir(&places[0]).expect("made");
        assert!(matches!(run(&places[0], &["init"], None), Ended::Done(_)));
        race(&places, 4, NFS_ROUNDS, "processes at once over two NFS clients, killed at random");
        return;
    }
    if !effort::is_torture() {
        eprintln!("skipped: NFS clients are for make torture");
        return;
    }
    let own = std::env::current_exe().expect("the tests");
    let mut machine = Command::new("tests/torture/nfs");
    machine.arg(own).args(["--exact", "--nocapture"]);
    let test = "crash::processes::through_two_nfs_clients_it_is_the_same";
    let output = machine.arg(test).output().expect("a shell starts");
    let [out, err] =
        [output.stdout, output.stderr].map(|t| String::from_utf8_lossy(&t).into_owned());
    match output.status.code() {
        Some(0) => {}
        Some(77) => eprintln!("skipped: {err}"),
        code => panic!("{code:?} {out} {err}\n{}", effort::again(test, effort::seed())),
    }
}

#[test]
fn through_two_mounts_of_one_folder_it_is_the_same() {
    let is_root = rustix::process::getuid().is_root();
    if !effort::is_torture() || !is_root {
        eprintln!("skipped: mounts are for root, and for make torture");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("one");
    let mirror = folder.path().join("two");
    fs::create_dir(&place).expect("made");
    fs::create_dir(&mirror).expect("made");
    assert!(matches!(run(&place, &["init"], None), Ended::Done(_)));
    let mount = |words: &[&str]| Command::new(words[0]).args(&words[1..]).status();
    let (from, to) = (place.to_string_lossy(), mirror.to_string_lossy());
    if !mount(&["mount", "--bind", &from, &to]).is_ok_and(|status| status.success()) {
        eprintln!("skipped: no mounts here");
        return;
    }
    let outcome = std::panic::catch_unwind(|| {
        let places = [place.clone(), mirror.clone()];
        race(&places, 8, 200, "processes at once over two mounts, killed at random");
    });
    let _unmounted = mount(&["umount", &to]);
    outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}
