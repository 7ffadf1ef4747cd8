//! Repositories that are missing, closed, damaged or of tomorrow: one clear error, and no panic.

use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::project::Project;

fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).expect("removed");
    File::create(path).expect("made").write_all(bytes).expect("written");
}

/// Two commits, a change that is staged, and every kind of file that a repository has.
fn used() -> Project {
    let project = Project::new();
    project.write(b"data/a", &b"table\n".repeat(5000));
    project.commit("one");
    project.text(&["status"]);
    project.text(&["log"]);
    project.write(b"b", b"2\n");
    project.commit("two");
    project.write(b"c", b"3\n");
    project.add();
    project
}

fn files_below(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files_below(&path, into) } else { into.push(path) }
    }
}

#[test]
fn what_is_no_repository_is_said_in_one_word() {
    let empty = tempfile::tempdir().expect("a folder");
    let project = used();
    let folder = project.path(b".provenance");
    let format = folder.join("format");
    let cases: [(&[u8], i32, &str); 4] = [
        (br#"{"provenance":2}"#, 2, "format 2, this program knows up to 1: use a newer provenance"),
        (b"", 13, "the file `format` is damaged; it must hold {\"provenance\":1}"),
        (b"{\"provenance\":1}x", 13, "the file `format` is damaged"),
        (b"\xff", 13, "the file `format` is damaged"),
    ];
    for (bytes, code, words) in cases {
        replace(&format, bytes);
        for command in [["status"].as_slice(), &["add", "-A"], &["log"], &["fsck"], &["init"]] {
            let answer = project.run(command);
            assert_eq!((answer.code, &answer.out), (Some(code), &Vec::new()), "{command:?}");
            assert!(answer.err.contains(words), "{}", answer.err);
        }
    }
    fs::remove_file(&format).expect("removed");
    let answer = project.run(&["status"]);
    assert_eq!(answer.code, Some(10));
    assert!(answer.err.contains("provenance init"), "{}", answer.err);
    project.text(&["init"]);
    project.text(&["fsck", "--full"]);
    let nowhere = empty.path().to_str().expect("a text");
    let answer = project.run(&["-C", nowhere, "status"]);
    assert_eq!(answer.code, Some(10));
    File::create(empty.path().join(".provenance")).expect("made");
    let answer = project.run(&["-C", nowhere, "init"]);
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains("a file is in the way: move it away"), "{}", answer.err);
}

#[test]
fn a_folder_kept_elsewhere_may_be_linked_to() {
    let project = used();
    let elsewhere = tempfile::tempdir().expect("a folder");
    let kept = elsewhere.path().join("kept");
    let moved = Command::new("mv").arg(project.path(b".provenance")).arg(&kept).status();
    assert!(moved.expect("mv runs").success());
    symlink(&kept, project.path(b".provenance")).expect("linked");
    assert!(project.text(&["status"]).contains("Staged for the next commit"));
    project.text(&["commit", "-q", "-m", "three", "--allow-empty"]);
    project.text(&["fsck", "--full"]);
}

#[test]
fn every_damaged_file_is_found_by_some_word_and_by_no_panic() {
    let project = used();
    let mut files = Vec::new();
    files_below(&project.path(b".provenance"), &mut files);
    files.retain(|file| !file.ends_with("lock"));
    let (clean, log) = (project.text(&["status"]), project.text(&["log"]));
    for file in files {
        let good = fs::read(&file).expect("read");
        let mut flipped = good.clone();
        *flipped.last_mut().expect("no file is empty") ^= 0x20;
        for bad in [&good[..good.len() / 2], &[], &flipped] {
            replace(&file, bad);
            let is_derived = file.components().any(|part| part.as_os_str() == "cache");
            let fsck = project.run(&["fsck", "--full"]);
            let expected: &[_] = if is_derived { &[0] } else { &[10, 13] };
            let code = fsck.code.expect("it ends");
            assert!(expected.contains(&code), "{} {code} {}", file.display(), fsck.err);
            for command in [["status"], ["log"], ["add"], ["diff"], ["du"]] {
                let answer = project.run(&command);
                let code = answer.code.expect("it ends");
                assert!([0, 2, 10, 13].contains(&code), "{} {answer:?}", file.display());
                assert!(!answer.err.contains("panicked"), "{}", answer.err);
            }
            if is_derived {
                assert_eq!(project.text(&["status"]), clean, "{}", file.display());
                assert_eq!(project.text(&["log"]), log, "{}", file.display());
            }
            replace(&file, &good);
        }
    }
    project.text(&["fsck", "--full"]);
}

#[test]
fn a_repository_that_may_only_be_read_answers_questions() {
    let project = used();
    let closed = |mode| {
        let mut folders = vec![project.path(b".provenance")];
        while let Some(folder) = folders.pop() {
            let entries = fs::read_dir(&folder).expect("listed");
            folders.extend(entries.map(|e| e.expect("an entry").path()).filter(|p| p.is_dir()));
            fs::set_permissions(&folder, Permissions::from_mode(mode)).expect("set");
        }
        let lock = project.path(b".provenance/lock");
        fs::set_permissions(lock, Permissions::from_mode(0o444)).expect("set");
    };
    // The first call gives the worktree away, and would not with closed folders.
    if project.run_without_rights(&["status"]).is_none() {
        return;
    }
    project.write(b"b", b"another\n");
    closed(0o555);
    let run = |words: &[&str]| project.run_without_rights(words).expect("it ran before");
    for words in [["status"].as_slice(), &["log"], &["ls"], &["fsck"], &["diff"], &["du"]] {
        let answer = run(words);
        assert_eq!(answer.code, Some(0), "{words:?} {answer:?}");
    }
    for words in [["add", "-A"].as_slice(), &["commit", "-m", "x"], &["undo"], &["gc"]] {
        let answer = run(words);
        assert_eq!(answer.code, Some(14), "{words:?} {answer:?}");
        let path = ".provenance/";
        assert!(answer.err.contains(path) && answer.err.contains("Permission"), "{}", answer.err);
    }
    fs::set_permissions(project.path(b".provenance"), Permissions::from_mode(0o000)).expect("set");
    let answer = run(&["status"]);
    assert_eq!(answer.code, Some(14), "{answer:?}");
    closed(0o755);
}

#[test]
fn no_home_and_the_home_of_nobody_are_homes_without_settings() {
    let project = used();
    let homes: [&[(&str, &str)]; 4] = [
        &[],
        &[("HOME", "/dev/null")],
        &[("HOME", "/nonexistent")],
        &[("HOME", ""), ("XDG_CONFIG_HOME", "not/absolute")],
    ];
    for variables in homes {
        let mut command = project.provenance();
        let output = command.args(["config", "list"]).envs(variables.iter().copied()).output();
        let output = output.expect("the program starts");
        assert_eq!((output.status.code(), output.stdout), (Some(0), Vec::new()), "{variables:?}");
    }
    let answer = project.run(&["config", "set", "--user", "user.name", "x"]);
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains("neither XDG_CONFIG_HOME nor HOME is set"), "{}", answer.err);
}

#[test]
fn a_clock_that_tells_no_time_is_refused() {
    let project = used();
    for clock in ["", "x", "1.5", "2024-01-01", "99999999999999999999", "253402300800000"] {
        let mut command = project.provenance();
        command.args(["commit", "--allow-empty", "-m", "x"]).env("PROVENANCE_CLOCK", clock);
        let output = command.output().expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{clock:?} {said}");
        assert!(said.contains(&format!("PROVENANCE_CLOCK={clock:?} is not")), "{said}");
    }
    assert_eq!(project.text(&["rev-list", "--count", "HEAD"]), "2\n");
}

#[test]
fn declarations_that_say_nothing_stop_a_commit_with_their_line() {
    let project = used();
    let cases: [(&[u8], &str); 4] = [
        (b"\n[artifact.m\n", "provenance.toml:2: "),
        (b"[artifact.m]\npaht = 'a'\n", "provenance.toml:2: unknown key \"paht\""),
        (b"[artifact.m]\npath = '../x'\n", "provenance.toml:2: path \"../x\" is not usable"),
        (b"\xff\xfe", "provenance.toml:1: not UTF-8"),
    ];
    for (text, words) in cases {
        project.write(b"provenance.toml", text);
        project.add();
        let answer = project.run(&["commit", "-m", "x"]);
        assert_eq!(answer.code, Some(2));
        assert!(answer.err.contains(words), "{}", answer.err);
    }
}

/// It told to check out or to add, and neither works while these files are damaged.
#[test]
fn what_fsck_says_of_head_and_stage_mends_them() {
    let project = used();
    project.write(b"b", b"not recorded\n");
    for name in ["HEAD", "stage"] {
        let path = project.path(b".provenance").join(name);
        replace(&path, b"garbage");
        let answer = project.run(&["fsck"]);
        assert_eq!(answer.code, Some(13));
        let said = String::from_utf8(answer.out).expect("a text");
        let mend = "mend:  move `HEAD` or `stage` in .provenance away and run `provenance init`";
        assert!(said.contains(mend), "{said}");
        fs::remove_file(&path).expect("moved away");
        project.text(&["init"]);
        project.text(&["fsck", "--full"]);
    }
    assert_eq!(project.text(&["status", "-s"]), " M b\n?? c\n");
    assert_eq!(project.text(&["rev-list", "--count", "main"]), "2\n");
}

/// Some programs copy no empty folders.
#[test]
fn a_copy_without_empty_folders_is_whole() {
    let project = used();
    for words in [["status", "-s"].as_slice(), &["add", "-A"], &["fsck", "--full"], &["gc"]] {
        for folder in [".provenance/tmp", ".provenance/cache"] {
            // Not every command makes them anew.
            let _gone = fs::remove_dir_all(project.path(folder.as_bytes()));
            project.text(words);
        }
    }
}
