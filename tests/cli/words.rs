//! What a new user reads: nothing that is not so, nothing twice, and what to do next.

use std::fs;

use super::project::{Answer, Project};

fn started() -> Project {
    let project = Project::new();
    project.write(b"config.toml", b"lr = 0.001\n");
    project.write(b"train.py", b"print(1)\n");
    project.commit("first");
    project
}

#[track_caller]
fn ends_with(answer: &Answer, code: i32, out: &str) {
    assert_eq!((answer.code, &*String::from_utf8_lossy(&answer.out)), (Some(code), out));
}

/// It said "Nothing has changed since the last commit", beside files that had changed.
#[test]
fn a_commit_of_nothing_says_only_what_it_looked_at() {
    let project = started();
    project.write(b"train.py", b"print(2)\n");
    project.write(b"new.py", b"print(3)\n");
    let expected =
        "Nothing is staged, so nothing was recorded (provenance add PATH, or commit -a)\n";
    ends_with(&project.run(&["commit", "-m", "x"]), 1, expected);
    project.write(b"train.py", b"print(1)\n");
    let expected =
        "No tracked file has changed, so nothing was recorded (new files: provenance add)\n";
    ends_with(&project.run(&["commit", "-am", "x"]), 1, expected);
}

#[test]
fn a_guessed_author_is_told_how_to_take_the_commit_back() {
    let project = started();
    project.write(b"new.py", b"print(3)\n");
    project.add();
    let answer = project.run(&["commit", "-m", "second"]);
    assert!(answer.err.contains("is a guess; say who you are:"), "{}", answer.err);
    assert!(answer.err.ends_with("so that you can record it again\n"), "{}", answer.err);
    project.run(&["undo"]);
    project.text(&["config", "set", "user.name", "Ada"]);
    project.text(&["config", "set", "user.email", "ada@example.org"]);
    assert!(project.text(&["commit", "-m", "second"]).contains("] second\n"));
    assert!(project.text(&["log", "-n", "1"]).contains("Author: Ada <ada@example.org>\n"));
}

/// It said three times and in three ways that the file is not there.
#[test]
fn a_path_that_is_not_there_is_named_once() {
    let project = started();
    let answer = project.run(&["add", "nope"]);
    ends_with(&answer, 2, "");
    assert_eq!(answer.err, "error: path not found, name=\"nope\"\n");
    let answer = project.run(&["add", "nope", "train.py", "neither"]);
    assert_eq!(
        answer.err,
        "left alone: nope: does not exist\nerror: path not found, name=\"neither\"\n"
    );
}

#[test]
fn a_name_that_names_nothing_comes_with_a_hint() {
    let project = started();
    for words in [["checkout", "mian"], ["checkout", "train.py"], ["ls", "train.py"]] {
        let answer = project.run(&words);
        let expected = format!(
            "error: commit not found, name={:?}\nhint: `log --all`, `branch` and `tag` list \
             commits; COMMIT:PATH is a file in one, `restore PATH` brings a file back\n",
            words[1]
        );
        assert_eq!(answer.err, expected);
    }
    let answer = Project::new().run(&["show"]);
    let hint = "hint: there is no commit yet: `provenance commit -m MSG` makes the first\n";
    assert_eq!(answer.err, format!("error: commit not found, name=\"HEAD\"\n{hint}"));
    let first = project.text(&["rev-parse", "--short", "HEAD"]);
    let answer = project.run(&["show", "HEAD~3"]);
    let place = format!("name=\"{}^1\"", first.trim());
    assert_eq!(answer.err, format!("error: commit before the first one not found, {place}\n"));
}

#[test]
fn a_checkout_that_writes_nothing_is_one_line() {
    let project = started();
    assert_eq!(project.text(&["checkout", "main"]), "On branch main\n");
    assert_eq!(project.text(&["checkout", "-b", "side"]), "On branch side\n");
}

#[test]
fn columns_of_a_summary_line_up_whatever_the_files_are() {
    let project = started();
    let weights = |byte| [&2_u64.to_le_bytes()[..], b"{}", &[byte]].concat();
    project.write(b"model.safetensors", &weights(0));
    project.commit("second");
    project.write(b"model.safetensors", &weights(1));
    project.write(b"config.toml", b"lr = 0.01\n");
    project.write(b"train.py", b"print(2)\n");
    let text = project.text(&["diff", "--stat"]);
    let column = |line: &str| {
        let names = ["config.toml", "model.safetensors", "train.py"];
        names.iter().find_map(|name| line.find(name).map(|at| line[..at].chars().count()))
    };
    let columns: Vec<_> = text.lines().take(3).map(column).collect();
    assert!(columns[0].is_some() && columns.iter().all(|c| *c == columns[0]), "{text}");
}

#[test]
fn the_journal_keeps_commands_as_they_can_be_typed_again() {
    let project = started();
    fs::remove_file(project.path(b"train.py")).expect("removed");
    project.run(&["commit", "-am", "one script less, it's not needed"]);
    let journal = project.text(&["log", "--journal", "-n", "1"]);
    assert!(journal.contains(r"commit -am 'one script less, it'\''s not needed'"), "{journal}");
}

#[test]
fn help_can_be_asked_for_as_a_command() {
    let project = Project::new();
    assert_eq!(project.text(&["help"]), project.text(&["--help"]));
    assert_eq!(project.text(&["help", "commit"]), project.text(&["commit", "--help"]));
    let answer = project.run(&["help", "comit"]);
    assert_eq!(answer.code, Some(2), "{}", answer.err);
}

#[test]
fn what_a_checkout_would_lose_comes_with_the_way_out() {
    let project = started();
    project.write(b"train.py", b"print(2)\n");
    project.commit("second");
    project.write(b"train.py", b"print(3)\n");
    let answer = project.run(&["checkout", "main~1"]);
    assert_eq!(answer.code, Some(11));
    assert!(
        answer.err.ends_with("; commit that first, or lose it with --force\n"),
        "{}",
        answer.err
    );
}

/// It was taken, and every later `gc` failed.
#[test]
fn a_setting_takes_only_what_its_reader_takes() {
    let project = started();
    for value in ["x", "0", "-1", "36501", ""] {
        let answer = project.run(&["config", "set", "--", "gc.grace-days", value]);
        let said =
            format!("error: gc.grace-days is not a number of days from 1 on, value={value:?}\n");
        assert_eq!((answer.code, answer.err), (Some(2), said));
    }
    project.text(&["config", "set", "gc.grace-days", "30"]);
    project.text(&["gc", "-n"]);
    project.write(b".provenance/config", b"bad\n");
    let answer = project.run(&["status"]);
    assert!(
        answer.err.contains("at line 1, column 4: key with no value, expected `=`"),
        "{}",
        answer.err
    );
}

#[test]
fn a_path_that_is_refused_comes_with_the_reason() {
    let project = started();
    let answer = project.run(&["add", ".provenance"]);
    assert!(answer.err.contains("a name is taken for .git or .provenance"), "{}", answer.err);
    let answer = project.run(&["cat", "HEAD:./train.py"]);
    assert_eq!(answer.err, "error: \"./train.py\" is no path: a name is . or ..\n");
}

/// "D?" and " ?" were shown: the tracked file hid behind the untracked one, or the reverse.
#[test]
fn what_is_not_tracked_has_a_line_beside_the_tracked_file_of_that_name() {
    let project = started();
    project.text(&["rm", "-q", "--cached", "config.toml"]);
    fs::remove_file(project.path(b"train.py")).expect("removed");
    project.write(b"train.py/inner", b"1\n");
    let expected = "D  config.toml\n?? config.toml\n D train.py\n?? train.py/\n";
    assert_eq!(project.text(&["status", "-s"]), expected);
}
