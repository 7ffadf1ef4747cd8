//! `ls` and `cat`: what is stored comes out, and the programs that check manifests agree.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Command, Stdio};

use super::project::Project;

const HOSTILE: [&[u8]; 6] =
    [b"caf\xe9", b"two\nlines", b"back\\slash", b"cr\rhere", b" blank ", b"-d/\x1b[2J"];

fn hostile() -> Project {
    let project = Project::new();
    for name in HOSTILE {
        project.write(name, &[name, b" content\0"].concat());
    }
    symlink("/etc/passwd", project.root().join("link")).expect("linked");
    project.commit("hostile names");
    project
}

/// Feeds a manifest to the program that checks it; `None` if it is not installed here.
fn check(project: &Project, program: &str, manifest: &[u8]) -> Option<bool> {
    let child = Command::new(program)
        .args(["-c", "-"])
        .current_dir(project.root())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut child = child.ok()?;
    child.stdin.take().expect("piped").write_all(manifest).expect("taken");
    Some(child.wait().expect("it ends").success())
}

#[test]
fn sha256sum_accepts_the_manifest_whatever_the_names() {
    let project = hostile();
    let manifest = project.run(&["ls", "--format", "sha256sum"]);
    assert_eq!((manifest.code, manifest.err.as_str()), (Some(0), ""));
    let lines = manifest.out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    assert_eq!(lines.count(), HOSTILE.len(), "links have no place in it");
    assert_eq!(check(&project, "sha256sum", &manifest.out), Some(true));
    project.write(b"two\nlines", b"another");
    assert_eq!(check(&project, "sha256sum", &manifest.out), Some(false));
}

#[test]
fn b3sum_accepts_the_manifest_of_names_that_are_text() {
    let project = Project::new();
    project.write("a/β\nγ".as_bytes(), b"one");
    project.write(b"b", b"two");
    project.commit("names");
    let manifest = project.run(&["ls", "--format", "b3sum", "HEAD"]);
    let expected = [
        format!("\\{}  a/β\\nγ\n", blake3::hash(b"one").to_hex()),
        format!("{}  b\n", blake3::hash(b"two").to_hex()),
    ];
    assert_eq!(manifest.out, expected.concat().as_bytes());
    assert_ne!(check(&project, "b3sum", &manifest.out), Some(false));
}

#[test]
fn a_directory_is_listed_from_the_root_and_only_as_deep_as_asked() {
    let project = Project::new();
    project.write(b"data/deep/x.csv", b"1\n");
    project.write(b"data/y.csv", b"22\n");
    project.write(b"run.sh", b"#!/bin/sh\n");
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(project.root().join("run.sh"), executable).expect("set");
    project.commit("files");
    assert_eq!(project.text(&["ls"]), "data\nrun.sh\n");
    assert_eq!(project.text(&["ls", "HEAD:data/"]), "data/deep\ndata/y.csv\n");
    assert_eq!(project.text(&["ls", "-r", ":data"]), "data/deep\ndata/deep/x.csv\ndata/y.csv\n");
    assert_eq!(project.text(&["ls", "main:run.sh"]), "run.sh\n");
    assert_eq!(project.text(&["ls", "HEAD^{tree}"]), "data\nrun.sh\n");
    let long = project.text(&["ls", "-l"]);
    assert!(long.starts_with("directory        5 B  "), "{long}");
    assert!(long.contains("  data/\nexecutable      10 B  "), "{long}");
    let lines = project.text(&["ls", "--json", "-r", "HEAD:data"]);
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("one document")).collect();
    assert_eq!((&lines[0]["kind"], &lines[0]["files"]), (&"directory".into(), &1.into()));
    assert_eq!((&lines[2]["path"], &lines[2]["bytes"]), (&"data/y.csv".into(), &3.into()));
    for missing in ["HEAD:nothing", "HEAD:run.sh/x", "nobody"] {
        let answer = project.run(&["ls", missing]);
        assert_eq!((answer.code, answer.out.as_slice()), (Some(2), &b""[..]), "{missing}");
    }
}

#[test]
fn before_the_first_commit_there_is_nothing_to_list() {
    let project = Project::new();
    assert_eq!(project.text(&["ls"]), "");
    assert_eq!(project.text(&["ls", "--format", "sha256sum"]), "");
    assert_eq!(project.run(&["ls", "HEAD"]).code, Some(2));
    assert_eq!(project.run(&["cat", "HEAD"]).code, Some(2));
}

#[test]
fn names_that_drive_a_terminal_are_shown_and_json_is_exact() {
    let project = hostile();
    let list = project.text(&["ls", "-r"]);
    assert!(!list.contains('\u{1b}') && list.contains(r#""two\nlines""#), "{list}");
    let lines = project.text(&["ls", "--json"]);
    assert!(lines.contains(r#""path_hex":"636166e9""#), "{lines}");
}

#[test]
fn whatever_is_printed_hashes_to_the_id_of_the_object() {
    let project = Project::new();
    let large: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    project.write(b"large.bin", &large);
    project.write(b"dir/small", b"small");
    project.write(b"empty", b"");
    project.commit("files");
    assert!(project.run(&["cat", "HEAD:large.bin"]).out == large);
    assert_eq!(project.run(&["cat", ":empty"]).out, b"");
    let listed = project.text(&["ls", "-r", "--json"]);
    let ids = listed.lines().map(|line| {
        let entry: serde_json::Value = serde_json::from_str(line).expect("one document");
        entry["id"].as_str().expect("an id").to_owned()
    });
    for id in ids {
        let bytes = project.run(&["cat", &id]).out;
        assert_eq!(format!("blake3:{}", blake3::hash(&bytes).to_hex()), id);
    }
    let commit = project.run(&["cat", "HEAD"]).out;
    let id = blake3::hash(&commit).to_hex();
    assert_eq!(project.run(&["cat", &id[..12]]).out, commit);
    let record: serde_json::Value = serde_json::from_slice(&commit).expect("canonical JSON");
    assert_eq!(record["message"], "files");
    let answer = project.run(&["cat", "HEAD:dir"]);
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains("is a directory"), "{}", answer.err);
}

#[test]
fn cat_takes_names_of_any_bytes_and_survives_a_closed_pipe() {
    let project = hostile();
    let name = OsString::from_vec(b"HEAD:caf\xe9".to_vec());
    assert_eq!(project.run(&["cat".into(), name]).out, b"caf\xe9 content\0");
    assert_eq!(project.run(&["cat", "HEAD:link"]).out, b"/etc/passwd");
    project.write(b"large", &vec![7; 4 << 20]);
    project.commit("large");
    let mut child = project
        .provenance()
        .args(["cat", "HEAD:large"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), Vec::new()));
}
