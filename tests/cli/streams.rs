//! Standard streams: closed pipes, full disks, terminals, and arguments that are not text.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::OsStringExt as _;
use std::process::{Command, Output, Stdio};

fn provenance() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provenance"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("answers are UTF-8");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn help_is_an_answer_and_a_wrong_word_is_not() {
    let (code, out, err) = run(provenance().arg("-h"));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("Usage: provenance"));
    let (code, out, err) = run(provenance().arg("frobnicate"));
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("frobnicate"), "{err}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = provenance()
        .args(["completion", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), Vec::new()));
}

#[test]
fn an_answer_that_cannot_be_written_is_a_failure() {
    let full = File::options().write(true).open("/dev/full").expect("Linux has it");
    let (code, _, err) = run(provenance().args(["completion", "bash"]).stdout(full));
    assert_eq!(code, Some(14));
    assert!(err.starts_with("error: cannot write the answer: No space left"), "{err}");
}

#[test]
fn an_error_in_json_is_one_document_with_its_kind() {
    let (code, out, err) = run(provenance().args(["--json", "-C", "/nowhere/at/all", "man", "x"]));
    assert_eq!((code, out.as_str()), (Some(2), ""));
    let document: serde_json::Value = serde_json::from_str(&err).expect("one document");
    assert_eq!(document["error"]["kind"], "not-found");
    assert_eq!(document["error"]["exit_code"], 2);
}

#[test]
fn words_that_could_drive_a_terminal_are_shown() {
    let name = OsString::from_vec(b"caf\xe9\x1b[2J".to_vec());
    for words in [vec!["-C".into(), name.clone(), "man".into(), "x".into()], vec![name]] {
        let (code, _, err) = run(provenance().args(&words));
        assert_eq!(code, Some(2));
        assert!(!err.contains('\u{1b}'), "{err:?}");
    }
}

#[test]
fn no_output_at_all_is_no_failure_of_help() {
    let status = provenance().arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert_eq!(status.expect("the program starts").code(), Some(0));
}
