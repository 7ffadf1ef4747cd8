//! `fsck --repair` in the hands of a user: what is mended, what is lost, and how both are told.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::project::Project;

/// Two commits; the first file is in both.
fn project() -> Project {
    let project = Project::new();
    project.write(b"data/first", &b"first\n".repeat(900));
    project.commit("one");
    project.write(b"data/second", &b"second\n".repeat(900));
    project.commit("two");
    project
}

fn packs(project: &Project, class: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(project.path(b".provenance/pack")).expect("listed");
    let mut packs: Vec<PathBuf> = entries.map(|entry| entry.expect("listed").path()).collect();
    packs.retain(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(class)));
    packs.sort_by_key(|path| fs::metadata(path).expect("there").len());
    packs
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).expect("read");
    bytes[at] ^= 0x10;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("opened");
    let mut file = fs::File::create(path).expect("made");
    std::io::Write::write_all(&mut file, &bytes).expect("written");
}

fn report(project: &Project, words: &[&str]) -> (Option<i32>, Value) {
    let answer = project.run(&[&["--json"], words].concat());
    (answer.code, serde_json::from_slice(&answer.out).expect("a document"))
}

#[test]
fn what_the_worktree_still_has_is_mended_and_a_second_run_has_nothing_to_do() {
    let project = project();
    for pack in packs(&project, "data") {
        flip(&pack, 20);
    }
    let (code, before) = report(&project, &["fsck", "--full"]);
    assert_eq!(code, Some(13));
    let affected: Vec<&Value> =
        before["problems"].as_array().expect("a list").iter().map(|p| &p["affected"]).collect();
    let told = serde_json::to_string(&affected).expect("text");
    assert!(told.contains("data/first") && told.contains("data/second"), "{told}");
    let (code, after) = report(&project, &["fsck", "--repair"]);
    assert_eq!((code, &after["ok"]), (Some(0), &Value::Bool(true)), "{after}");
    assert!(!after["mended"].as_array().expect("a list").is_empty());
    let (code, again) = report(&project, &["fsck", "--repair"]);
    assert_eq!((code, &again["mended"]), (Some(0), &serde_json::json!([])), "{again}");
    fs::remove_dir_all(project.path(b"data")).expect("removed");
    project.text(&["restore", "-q", "."]);
    assert_eq!(fs::read(project.path(b"data/first")).expect("there"), b"first\n".repeat(900));
}

#[test]
fn what_nobody_has_is_named_with_its_commits_and_paths_and_the_rest_is_readable() {
    let project = project();
    fs::remove_file(project.path(b"data/first")).expect("removed");
    for pack in packs(&project, "data") {
        flip(&pack, 20);
    }
    let answer = project.run(&["fsck", "--repair"]);
    let said = String::from_utf8(answer.out).expect("a text");
    assert_eq!(answer.code, Some(13), "{said}");
    assert!(said.contains("lost:  data/first, in 2 commits, one is "), "{said}");
    assert!(!said.contains("data/second, in"), "{said}");
    let second = project.run(&["cat", "main:data/second"]);
    assert_eq!(second.out, b"second\n".repeat(900));
    assert_eq!(project.run(&["cat", "main:data/first"]).code, Some(13));
    // The file turns up again, years later.
    project.write(b"data/first", &b"first\n".repeat(900));
    assert_eq!(project.run(&["fsck", "--repair"]).code, Some(0));
    assert_eq!(project.run(&["cat", "main:data/first"]).out, b"first\n".repeat(900));
}

#[test]
fn a_damaged_pack_hides_no_other_and_files_can_be_added_again() {
    let project = project();
    let data = packs(&project, "data");
    let bytes = fs::metadata(&data[0]).expect("there").len();
    flip(&data[0], usize::try_from(bytes).expect("small") - 1);
    let readable = ["first", "second"].map(|name| {
        let answer = project.run(&["cat", &format!("main:data/{name}")]);
        assert!(matches!(answer.code, Some(0 | 13)), "{answer:?}");
        answer.code == Some(0)
    });
    assert_eq!(readable.iter().filter(|is| **is).count(), 1, "only one is in the damaged pack");
    project.text(&["log"]);
    assert_eq!(project.run(&["gc", "-q"]).code, Some(13), "it might need what is damaged");
}

#[test]
fn directories_are_rebuilt_from_the_worktree() {
    let project = project();
    // The trees of the last commit are in one pack with nothing else, the record in another.
    for pack in packs(&project, "records") {
        let copy = fs::read(&pack).expect("read");
        flip(&pack, 20);
        let answer = project.run(&["fsck", "--repair", "-q"]);
        assert!(matches!(answer.code, Some(0 | 13)), "{answer:?}");
        if answer.code == Some(13) {
            // Records of commits are nowhere else: the good copy comes from a backup.
            let mut file = fs::File::create(&pack).expect("made");
            std::io::Write::write_all(&mut file, &copy).expect("written");
            assert_eq!(project.run(&["fsck", "--repair", "-q"]).code, Some(0));
        }
    }
    project.text(&["fsck", "--full"]);
}

#[test]
fn head_stage_and_format_are_put_right() {
    let project = project();
    project.write(b"data/third", b"third\n");
    project.add();
    for name in ["HEAD", "stage", "format"] {
        let path = project.path(b".provenance").join(name);
        let _was_there = fs::remove_file(&path);
        fs::create_dir(&path).expect("made");
        let (code, after) = report(&project, &["fsck", "--repair"]);
        assert_eq!(code, Some(0), "{name}: {after}");
        assert_eq!(after["mended"][0]["where"], name);
        project.text(&["log", "--oneline"]);
    }
    assert!(project.path(b".provenance/quarantine/HEAD").is_dir(), "nothing is deleted");
    assert_eq!(project.text(&["rev-list", "--count", "HEAD"]), "2\n");
}

#[test]
fn a_newest_entry_that_cannot_be_read_is_put_away_loudly() {
    let project = project();
    flip(&project.path(b".provenance/journal/entry/00000000000000000002.json"), 40);
    assert_eq!(project.run(&["log"]).code, Some(13), "an acknowledged entry is never skipped");
    let answer = project.run(&["fsck", "--repair"]);
    let said = String::from_utf8(answer.out).expect("a text");
    assert_eq!(answer.code, Some(0), "{said}");
    assert!(said.contains("all refs stand where entry 1 left them"), "{said}");
    let (_, after) = said.split_once("it had recorded ").expect("which commit is told");
    let id = after.split(':').next().expect("an id");
    project.text(&["branch", "back", id]);
    assert_eq!(project.text(&["rev-list", "--count", "back"]), "2\n", "it can be brought back");
    assert_eq!(project.text(&["rev-list", "--count", "HEAD"]), "1\n");
}

#[test]
fn repairing_may_be_killed_at_any_moment() {
    for round in 0..8 {
        let project = project();
        for pack in packs(&project, "data") {
            flip(&pack, 20);
        }
        let mut child = project.provenance();
        child.args(["fsck", "--repair", "-q"]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = child.spawn().expect("started");
        thread::sleep(Duration::from_millis(3 * round));
        child.kill().expect("killed, or ended");
        child.wait().expect("it ends");
        assert_eq!(project.run(&["fsck", "--repair", "-q"]).code, Some(0), "round {round}");
        project.text(&["fsck", "--full"]);
    }
}
