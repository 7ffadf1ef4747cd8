//! `bisect` finds the commit that broke it, and says so, whatever gets in its way.

use std::process::Stdio;

use super::project::{Answer, Project};

/// A line of commits from 1 to `count`; from `broken` on the file `state` says bad.
pub(super) fn line(count: u32, broken: u32) -> Project {
    let project = Project::new();
    for number in 1..=count {
        let state = if number < broken { "good" } else { "bad" };
        project.write(b"state", format!("{state}\n").as_bytes());
        project.write(b"number", format!("{number}\n").as_bytes());
        project.commit(&number.to_string());
        project.text(&["tag", &format!("c{number}")]);
    }
    project
}

#[track_caller]
pub(super) fn id(project: &Project, name: &str) -> String {
    project.text(&["rev-parse", name]).trim().to_owned()
}

pub(super) fn out(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.out).into_owned()
}

#[track_caller]
pub(super) fn finds(answer: &Answer, id: &str) {
    assert_eq!(answer.code, Some(0), "{}{}", out(answer), answer.err);
    let found = format!("{id} is the first bad commit\n");
    assert!(out(answer).contains(&found), "{}{}", out(answer), answer.err);
}

#[test]
fn a_person_finds_it_and_goes_back() {
    let project = line(16, 11);
    let first = project.text(&["bisect", "start", "main", "c1"]);
    let expected = format!(
        "15 commits may be the first bad one; about 3 tests left after this one\n\
         Test this one, then say good, bad or skip: {} 9\n",
        &id(&project, "c9")[..12]
    );
    assert_eq!(first, expected);
    assert!(project.text(&["status"]).contains("A bisection is under way"));
    let mut tests = 0;
    let end = loop {
        let state = std::fs::read_to_string(project.path(b"state")).expect("checked out");
        let answer = project.run(&["bisect", state.trim()]);
        tests += 1;
        if out(&answer).contains("is the first bad commit") {
            break answer;
        }
        assert!(tests < 5, "{}", out(&answer));
    };
    finds(&end, &id(&project, "c11"));
    assert!(out(&end).contains("\nM\tnumber\nM\tstate\n"), "{}", out(&end));
    assert!(project.text(&["bisect", "reset"]).starts_with("On branch main\n"));
    assert_eq!(project.text(&["status", "-s"]), "");
    assert_eq!(project.text(&["bisect", "reset"]), "no bisection is under way\n");
}

#[test]
fn a_command_finds_it_and_what_it_breaks_is_mended() {
    let project = line(12, 4);
    project.text(&["bisect", "start", "--bad", "main", "--good", "c1"]);
    // The test spoils a tracked file; the next commit must not be tested with that.
    let test = "grep -q good state; code=$?; echo bad > state; exit $code";
    let answer = project.run(&["bisect", "run", "sh", "-c", test]);
    finds(&answer, &id(&project, "c4"));
    assert!(answer.err.contains("the test changed 1 tracked file"), "{}", answer.err);
    // Paint is no part of what is to be escaped.
    project.text(&["bisect", "reset"]);
    project.text(&["bisect", "start", "main", "c1"]);
    let answer =
        project.run(&["--color", "always", "bisect", "run", "grep", "-q", "good", "state"]);
    assert!(answer.err.contains("testing \u{1b}["), "{:?}", answer.err);
    assert!(project.text(&["bisect", "log"]).contains("; exit 0 after "));
}

#[test]
fn the_codes_of_a_command_mean_what_they_mean_in_git() {
    let project = line(9, 7);
    let start = ["bisect", "start", "main", "c1"];
    project.text(&start);
    let skips = "grep -q 5 number && exit 125; grep -q good state || exit 124";
    let answer = project.run(&["bisect", "run", "sh", "-c", skips]);
    finds(&answer, &id(&project, "c7"));
    for code in ["126", "127", "130", "255"] {
        project.run(&["bisect", "reset"]);
        project.text(&start);
        let log = project.text(&["bisect", "log"]);
        let answer = project.run(&["bisect", "run", "sh", "-c", &format!("exit {code}")]);
        assert_eq!(answer.code, Some(2), "{code}");
        assert!(answer.err.contains(&format!("exit {code} after")), "{}", answer.err);
        assert_eq!(project.text(&["bisect", "log"]), log, "{code} decided something");
    }
    let answer = project.run(&["bisect", "run", "./no-such-test"]);
    assert_eq!(answer.code, Some(127), "{}", answer.err);
    let answer = project.run(&["bisect", "run", "./state"]);
    assert_eq!(answer.code, Some(126), "{}", answer.err);
}

#[test]
fn changes_that_would_be_tested_too_are_in_the_way() {
    let project = line(3, 2);
    project.text(&["bisect", "start", "main", "c1"]);
    project.write(b"state", b"something else\n");
    let answer = project.run(&["bisect", "run", "true"]);
    assert_eq!(answer.code, Some(11), "{}", answer.err);
    assert!(answer.err.contains("commit or restore them first"), "{}", answer.err);
}

#[test]
fn what_is_waited_for_is_named_and_not_tested() {
    let project = line(2, 2);
    let waiting = |words: &[&str]| project.text(&[&["bisect"], words].concat());
    assert!(waiting(&["start"]).ends_with("a good commit: `provenance bisect bad COMMIT`\n"));
    assert!(
        waiting(&["bad", "main"]).ends_with("a good commit: `provenance bisect good COMMIT`\n")
    );
    let answer = project.run(&["bisect", "run", "true"]);
    assert_eq!(answer.code, Some(2), "nothing was tested");
    assert!(answer.err.contains("before a bad and a good commit are named"), "{}", answer.err);
    project.text(&["bisect", "reset"]);
    waiting(&["start"]);
    assert!(waiting(&["good", "c1"]).ends_with("a bad commit: `provenance bisect bad COMMIT`\n"));
}

#[test]
fn what_contradicts_itself_is_refused_and_changes_nothing() {
    let project = line(4, 3);
    let answer = project.run(&["bisect", "start", "c1", "main"]);
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains("are they mistaken for one another?"), "{}", answer.err);
    for words in [&["bisect", "good"][..], &["bisect", "run", "true"], &["bisect", "log"]] {
        let answer = project.run(words);
        assert_eq!(answer.code, Some(2), "{words:?}");
        assert!(answer.err.contains("no bisection is under way"), "{}", answer.err);
    }
    project.text(&["bisect", "start", "main", "c1"]);
    assert_eq!(project.run(&["bisect", "start", "main", "c1"]).code, Some(11));
    let log = project.text(&["bisect", "log"]);
    let answer = project.run(&["bisect", "good", "main"]);
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.ends_with(" is called both bad and good\n"), "{}", answer.err);
    assert_eq!(project.run(&["bisect", "slow"]).code, Some(2));
    assert_eq!(project.run(&["bisect", "good", "nothing"]).code, Some(2));
    assert_eq!(project.text(&["bisect", "log"]), log);
}

#[test]
fn own_words_a_log_and_its_replay() {
    let project = line(10, 6);
    let words = ["--term-new", "slow", "--term-old", "fast"];
    project.text(&[&["bisect", "start"][..], &words, &["main", "c1"]].concat());
    project.text(&["bisect", "fast"]);
    assert_eq!(project.text(&["bisect", "terms"]), "slow has it, fast does not\n");
    let log = project.text(&["bisect", "log"]);
    let next = project.text(&["bisect", "next"]);
    assert!(next.contains("then say fast, slow or skip"), "{next}");
    project.text(&["bisect", "slow"]);
    project.write(b"bisect.log", log.as_bytes());
    assert_eq!(project.text(&["bisect", "replay", "bisect.log"]), next);
    let view = project.text(&["bisect", "view"]);
    assert_eq!(view.lines().count(), 4, "{view}");
    project.text(&["bisect", "reset", "c3"]);
    assert_eq!(id(&project, "HEAD"), id(&project, "c3"));
    project.write(b"bisect.log", b"provenance bisect good 'c1\n");
    let answer = project.run(&["bisect", "replay", "bisect.log"]);
    assert!(answer.err.contains("line 1 of the log is no step"), "{}", answer.err);
    for words in [["a b", "c"], ["same", "same"], ["good", "bad"], ["reset", "x"]] {
        let [new, old] = words;
        let words = ["bisect", "start", "--term-new", new, "--term-old", old, "main", "c1"];
        assert_eq!(project.run(&words).code, Some(2), "{words:?}");
    }
}

#[test]
fn answers_in_json() {
    let project = line(5, 3);
    let read = |text: String| -> serde_json::Value { serde_json::from_str(&text).expect("JSON") };
    let waiting = read(project.text(&["bisect", "start", "main", "--json"]));
    assert_eq!((&waiting["state"], &waiting["has_good"]), (&"waiting".into(), &false.into()));
    let test = read(project.text(&["bisect", "good", "c1", "--json"]));
    assert_eq!((&test["state"], &test["suspects"]), (&"test".into(), &4.into()));
    assert_eq!(test["id"], format!("blake3:{}", id(&project, "HEAD")));
    let words = ["bisect", "run", "--json", "sh", "-c", "echo loud; grep -q good state"];
    let answer = project.run(&["--json", "bisect", "run", "sh", "-c", words[5]]);
    let found = read(out(&answer));
    assert_eq!((&found["state"], &found["record"]["message"]), (&"found".into(), &"3".into()));
    assert!(answer.err.contains("loud"), "what the command prints is not the answer");
}

/// What was said in one terminal was written over by what was said in another.
#[test]
fn what_several_say_at_once_all_counts() {
    let project = line(12, 9);
    project.text(&["bisect", "start", "main", "c1"]);
    let says: Vec<_> = (3..9)
        .map(|number| {
            let mut say = project.command(&["-q", "bisect", "skip", &format!("c{number}")]);
            say.stdout(Stdio::null()).spawn().expect("started")
        })
        .collect();
    for mut say in says {
        assert!(say.wait().expect("ended").success());
    }
    let log = project.text(&["bisect", "log"]);
    assert_eq!(log.matches("provenance bisect skip").count(), 6, "{log}");
}

/// Whoever ended the search in another terminal lost what they wrote next.
#[test]
fn work_after_the_end_of_the_search_is_not_taken_for_what_a_test_wrote() {
    for end in ["bisect reset", "checkout -q main"] {
        let project = line(6, 4);
        project.text(&["bisect", "start", "main", "c1"]);
        let program = env!("CARGO_BIN_EXE_provenance");
        let meanwhile = format!("{program} {end} >&2 && echo work of today > state; exit 1");
        let answer = project.run(&["bisect", "run", "sh", "-c", &meanwhile]);
        assert_eq!(answer.code, Some(11), "{}", answer.err);
        assert!(answer.err.contains("what the test says does not count"), "{}", answer.err);
        let state = std::fs::read(project.path(b"state")).expect("read");
        assert_eq!(state, b"work of today\n");
        assert!(project.text(&["status"]).contains("On branch main\n"));
    }
}

/// After the last test its changes were in the way of `bisect reset`.
#[test]
fn what_the_last_test_wrote_is_put_back_as_well() {
    let project = line(6, 4);
    project.text(&["bisect", "start", "main", "c1"]);
    let test = "echo spoiled > number; grep -q good state";
    let answer = project.run(&["bisect", "run", "sh", "-c", test]);
    assert!(answer.err.contains("changed 1 tracked file"), "{}", answer.err);
    finds(&answer, &id(&project, "c4"));
    project.text(&["bisect", "reset"]);
    assert_eq!(std::fs::read(project.path(b"number")).expect("read"), b"6\n");
}

/// What was written could not be read again, so that not even `bisect reset` was possible.
#[test]
fn a_search_that_is_too_long_to_be_kept_is_refused() {
    let project = line(3, 2);
    let mut start = "provenance bisect start main c1 --".to_owned();
    (0..1100).for_each(|number| start.push_str(&format!(" {number}{}", "/longer".repeat(550))));
    project.write(b"bisect.log", format!("{start}\n").as_bytes());
    let answer = project.run(&["bisect", "replay", "bisect.log"]);
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.err.contains("too much was said"), "{}", answer.err);
    assert!(project.text(&["status"]).contains("On branch main\n"));
    let answer = project.run(&["bisect", "reset"]);
    assert_eq!(out(&answer), "no bisection is under way\n", "{}", answer.err);
}

/// What the search stands on must be there however long it takes.
#[test]
fn a_collection_keeps_what_a_search_speaks_of() {
    let project = line(3, 2);
    let bad = project.text(&["commit-tree", "main^{tree}", "-p", "main", "-m", "no ref has it"]);
    project.text(&["bisect", "start", bad.trim(), "c1"]);
    project.text(&["gc", "--prune-now"]);
    let answer = project.run(&["bisect", "run", "grep", "-q", "good", "state"]);
    finds(&answer, &id(&project, "c2"));
    project.text(&["bisect", "reset"]);
}

/// The end of the search had no branch to go back to.
#[test]
fn the_branch_on_which_a_search_began_stays() {
    let project = line(4, 3);
    project.text(&["bisect", "start", "main", "c1"]);
    for words in [&["branch", "-D", "main"][..], &["branch", "-m", "main", "other"]] {
        let answer = project.run(words);
        assert_eq!(answer.code, Some(11), "{words:?}");
        assert!(answer.err.contains("a bisection began on the branch"), "{}", answer.err);
    }
    project.text(&["branch", "beside"]);
    project.text(&["branch", "-D", "beside"]);
    project.text(&["bisect", "reset"]);
    project.text(&["branch", "-m", "main", "other"]);
}

/// A search that began before the first commit had no end; where its branch was gone, whatever had
/// the same name was checked out.
#[test]
fn a_search_ends_where_its_branch_is_not() {
    let project = Project::new();
    project.text(&["bisect", "start"]);
    project.text(&["bisect", "reset"]);
    assert_eq!(project.text(&["bisect", "reset"]), "no bisection is under way\n");
    let project = line(4, 3);
    project.text(&["checkout", "-b", "work"]);
    project.text(&["bisect", "start", "main", "c1"]);
    project.text(&["undo"]);
    project.text(&["tag", "work", "c2"]);
    let answer = project.run(&["bisect", "reset"]);
    assert_eq!(answer.code, Some(11), "{}", out(&answer));
    assert!(
        answer.err.contains("`provenance bisect reset COMMIT` goes elsewhere"),
        "{}",
        answer.err
    );
    project.text(&["bisect", "reset", "main"]);
}
