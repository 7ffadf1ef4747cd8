//! Processes that record in one repository at once: every commit that was acknowledged is there.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

const PROCESSES: usize = 4;
const COMMITS: usize = 12;

fn provenance(directory: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provenance"));
    command.current_dir(directory).args(words).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.output().expect("the program starts")
}

#[test]
fn commits_at_once_are_all_there_and_the_repository_is_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    assert!(provenance(path, &["init"]).status.success());
    thread::scope(|scope| {
        for process in 0..PROCESSES {
            scope.spawn(move || {
                for number in 0..COMMITS {
                    let name = format!("file-{process}-{number}");
                    let mut file = fs::File::create(path.join(&name)).expect("made");
                    write!(file, "{name}").expect("written");
                    let added = provenance(path, &["add", &name]);
                    assert!(added.status.success(), "{added:?}");
                    let words = ["commit", "--allow-empty", "-m", &name];
                    let committed = provenance(path, &words);
                    assert!(committed.status.success(), "{committed:?}");
                }
            });
        }
        scope.spawn(move || {
            for _ in 0..COMMITS {
                let checked = provenance(path, &["fsck"]);
                assert!(checked.status.success(), "no false alarm: {checked:?}");
                let collected = provenance(path, &["gc"]);
                assert!(collected.status.success(), "{collected:?}");
            }
        });
    });
    let checked = provenance(path, &["--json", "fsck", "--full"]);
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    let report: serde_json::Value = serde_json::from_slice(&checked.stdout).expect("a document");
    assert_eq!(report["transactions"], PROCESSES * COMMITS + 1);
    let listed = provenance(path, &["ls", "-r"]);
    let listed = String::from_utf8(listed.stdout).expect("text");
    for process in 0..PROCESSES {
        for number in 0..COMMITS {
            let name = format!("file-{process}-{number}");
            assert!(listed.contains(&name), "{name} is recorded");
        }
    }
}
