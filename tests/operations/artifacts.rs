//! What a commit says its files are: declared in `provenance.toml`, or guessed.

use std::fs;

use provenance::object::{Artifact, ArtifactKind};
use provenance::progress::Progress;
use provenance::repo::{CommitReport, CommitRequest, Committed, Error, ErrorKind, commit};

use super::bench::Bench;

/// Commits these files and gives the report.
fn committed(files: &[(&str, &str)]) -> Result<CommitReport, Error> {
    let bench = Bench::new();
    for (name, content) in files {
        bench.write(name, content.as_bytes());
    }
    commit_all(&bench)
}

fn commit_all(bench: &Bench) -> Result<CommitReport, Error> {
    bench.add();
    let request = CommitRequest { message: "first".to_owned(), ..CommitRequest::default() };
    match commit(&bench.repository, &request, &Progress::default())? {
        Committed::Made(report) => {
            let stored = bench.repository.store.reader().commit(&report.id).expect("stored");
            assert_eq!(stored, report.commit);
            Ok(*report)
        }
        Committed::NothingChanged => panic!("there were files"),
    }
}

/// Spells each artifact as `name path kind files bytes`.
fn words(report: &CommitReport) -> Vec<String> {
    let word = |artifact: &Artifact| {
        let Artifact { name, path, content, .. } = artifact;
        format!("{name} {path} {} {} {}", content.kind, content.files, content.bytes)
    };
    report.commit.artifacts.iter().map(word).collect()
}

#[test]
fn what_is_not_declared_is_guessed_at_the_top() {
    let report = committed(&[
        ("README.md", "x"),
        ("data/a.csv", "1"),
        ("data/more/b.csv", "22"),
        ("model/config.json", "{}"),
        ("model/model.safetensors", "weights"),
        ("train.py", "print()"),
        ("two\nlines\u{1b}.csv", "x"),
    ]);
    let report = report.expect("committed");
    let expected = [
        "README.md README.md other 1 1",
        "data data dataset 2 3",
        "model model model 2 9",
        "train.py train.py script 1 7",
    ];
    assert_eq!(words(&report), expected);
    assert!(report.commit.system.kernel.is_some());
}

#[test]
fn declarations_name_files_and_directories_and_keep_what_they_say() {
    let settings = "[artifact.train]\npath = 'data/train*.csv'\nsplit = 'train'\n\
                    [artifact.all]\npath = ['data', 'dat?']\nkind = 'other'\n\
                    [artifact.weights]\npath = '**/*.pt'\nbase = 'bert'\n\
                    [artifact.runs]\npath = 'runs/**'\nkind = 'log'\n\
                    [artifact.later]\npath = 'model.safetensors'\n";
    let report = committed(&[
        ("provenance.toml", settings),
        ("data/train-1.csv", "1"),
        ("data/train-2.csv", "22"),
        ("data/test.csv", "333"),
        ("out/a/x.pt", "4444"),
        ("runs/1/deep/log", "5"),
    ]);
    let report = report.expect("committed");
    let bytes = settings.len();
    let expected = [
        "all data other 3 6".to_owned(),
        "train data/train-1.csv dataset 1 1".to_owned(),
        "train data/train-2.csv dataset 1 2".to_owned(),
        "out out other 1 4".to_owned(),
        "weights out/a/x.pt model 1 4".to_owned(),
        format!("provenance.toml provenance.toml config 1 {bytes}"),
        "runs runs other 1 1".to_owned(),
        "runs runs/1 log 1 1".to_owned(),
    ];
    assert_eq!(words(&report), expected);
    assert_eq!(report.unmatched, ["later"]);
    let find = |path: &str| {
        report.commit.artifacts.iter().find(|artifact| artifact.path == path).expect("there")
    };
    assert_eq!(find("data/train-1.csv").split.as_deref(), Some("train"));
    assert_eq!(find("out/a/x.pt").base.as_deref(), Some("bert"));
}

#[test]
fn a_bad_declaration_refuses_the_commit_and_names_its_line() {
    let refused = |text: &str| match committed(&[("provenance.toml", text), ("a", "1")]) {
        Err(error) => error,
        Ok(_) => panic!("must be refused"),
    };
    let error = refused("[artifact.a]\npaht = 'x'\n");
    assert_eq!(error.kind(), ErrorKind::Usage);
    let cause = std::error::Error::source(&error).expect("a cause").to_string();
    assert_eq!(cause, "provenance.toml:2: unknown key \"paht\"; did you mean `path`?");
    assert_eq!(refused(&"#".repeat((1 << 20) + 1)).kind(), ErrorKind::Usage);
    match committed(&[("provenance.toml/x", "1")]) {
        Err(Error::Artifacts(error)) => assert_eq!(error.line, 1),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_record_stays_small_however_many_files_there_are() {
    let names: Vec<String> = (0..300).map(|number| format!("note-{number:03}")).collect();
    let mut files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    files.push(("zebra.csv", "1"));
    let report = committed(&files).expect("committed");
    assert_eq!(report.commit.artifacts.len(), 64);
    let last = report.commit.artifacts.last().expect("some");
    assert_eq!((last.path.as_str(), last.content.kind), ("zebra.csv", ArtifactKind::Dataset));
    files.push(("provenance.toml", "[artifact.a]\npath = '*'"));
    let error = committed(&files).expect_err("must be refused");
    assert!(error.to_string().contains("more than 256 paths"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8_are_recorded_and_are_no_artifacts() {
    use std::os::unix::ffi::OsStrExt as _;
    let bench = Bench::new();
    let name = std::ffi::OsStr::from_bytes(b"\xff.csv");
    drop(fs::File::create(bench.path().join(name)).expect("made"));
    let report = commit_all(&bench).expect("committed");
    assert!(report.commit.artifacts.is_empty());
    assert_eq!(report.tree.files, 1);
}
