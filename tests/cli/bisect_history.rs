//! `bisect` in histories that are no line, or of which only a part is meant.

use super::bisect::{finds, id, line, out};

#[test]
fn a_merge_is_searched_on_all_its_sides() {
    let project = line(3, 4);
    project.text(&["checkout", "-b", "side", "c1"]);
    for number in 11..14 {
        project.write(b"number", format!("{number}\n").as_bytes());
        if number >= 12 {
            project.write(b"state", b"bad\n");
        }
        project.commit(&number.to_string());
        project.text(&["tag", &format!("c{number}")]);
    }
    let words = ["commit-tree", "side^{tree}", "-p", "main", "-p", "side", "-m", "merge"];
    let merge = project.text(&words);
    project.text(&["checkout", "main"]);
    project.text(&["branch", "merged", merge.trim()]);
    let test = ["bisect", "run", "grep", "-q", "good", "state"];
    project.text(&["bisect", "start", "merged", "c1"]);
    finds(&project.run(&test), &id(&project, "c12"));
    project.text(&["bisect", "reset"]);
    project.text(&["bisect", "start", "--first-parent", "merged", "c1"]);
    finds(&project.run(&test), merge.trim());
    project.text(&["bisect", "reset"]);
    project.text(&["bisect", "start", "merged", "c1", "--", "number"]);
    finds(&project.run(&test), &id(&project, "c12"));
    project.text(&["bisect", "reset"]);
    // Along first parents it is the merge that brings what it has from its other parent.
    let words = ["commit-tree", "c12^{tree}", "-p", merge.trim(), "-m", "after"];
    let after = project.text(&words);
    project.text(&["bisect", "start", "--first-parent", after.trim(), "c1", "--", "state"]);
    finds(&project.run(&test), merge.trim());
}

#[test]
fn where_the_sides_parted_comes_first() {
    let project = line(2, 9);
    project.text(&["checkout", "-b", "side", "c1"]);
    project.write(b"state", b"bad\n");
    project.commit("broken");
    project.text(&["checkout", "main"]);
    let first = project.text(&["bisect", "start", "side", "main"]);
    assert!(first.starts_with("First comes where a commit"), "{first}");
    finds(&project.run(&["bisect", "good"]), &id(&project, "side"));
    project.text(&["bisect", "reset"]);
    project.text(&["bisect", "start", "side", "main"]);
    let answer = project.run(&["bisect", "bad"]);
    assert_eq!(answer.code, Some(1));
    assert!(out(&answer).contains("it was mended between"), "{}", out(&answer));
}

/// The place where a bad commit and a good one on another side of a merge parted was tested in the
/// middle of the search, though it could tell nothing new.
#[test]
fn where_the_sides_of_a_merge_parted_is_not_tested_for_itself() {
    // c1 - c2 -- a1 - a2 - a3 - a4 -- merge
    //         `- b1 - b2 - b3 - b4 -'
    let project = line(2, 9);
    let folder = tempfile::tempdir().expect("a folder");
    let git = |words: &[&str]| {
        let mut git = std::process::Command::new("git");
        git.args(["-c", "user.name=n", "-c", "user.email=e"])
            .args(words)
            .current_dir(folder.path());
        let output = git.output().expect("git runs");
        assert!(output.status.success(), "{words:?}");
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    };
    git(&["init", "-q"]);
    let empty = git(&["mktree"]);
    // Each commit is made here and in git.
    let make = |name: &str, parents: &[&str]| {
        let [mut ours, mut theirs] =
            [vec!["commit-tree", "c1^{tree}"], vec!["commit-tree", &empty]];
        parents.iter().for_each(|parent| ours.extend(["-p", parent]));
        parents.iter().for_each(|parent| theirs.extend(["-p", parent]));
        let made = project.text(&[&ours[..], &["-m", name]].concat());
        project.text(&["tag", name, made.trim()]);
        git(&["tag", name, &git(&[&theirs[..], &["-m", name]].concat())]);
    };
    make("d1", &[]);
    make("d2", &["d1"]);
    for side in ["a", "b"] {
        make(&format!("{side}1"), &["d2"]);
        for number in 2..=4 {
            make(&format!("{side}{number}"), &[&format!("{side}{}", number - 1)]);
        }
    }
    make("merge", &["a4", "b4"]);
    git(&["update-ref", "HEAD", "merge"]);
    let steps = |log: String| log.lines().filter(|line| line.contains(" bisect ")).count();
    let (mut ours, mut theirs) = (0, 0);
    for culprit in ["d2", "a1", "a2", "a3", "a4", "b1", "b2", "b3", "b4", "merge"] {
        let test = "merge-base --is-ancestor";
        git(&["bisect", "start", "--no-checkout", "merge", "d1"]);
        let script = format!("git {test} {culprit} BISECT_HEAD && exit 1; exit 0");
        let told = git(&["bisect", "run", "sh", "-c", &script]);
        assert!(told.contains("is the first"), "{told}");
        theirs += steps(git(&["bisect", "log"])) - 1;
        git(&["bisect", "reset"]);
        project.text(&["bisect", "start", "merge", "d1"]);
        let program = crate::support::effort::program();
        let script = format!("{program} {test} {culprit} HEAD && exit 1; exit 0");
        finds(&project.run(&["bisect", "run", "sh", "-c", &script]), &id(&project, culprit));
        // Our log has the ends each on a line of its own.
        ours += steps(project.text(&["bisect", "log"])) - 3;
        project.text(&["bisect", "reset"]);
    }
    assert!(ours <= theirs, "{ours} tests, git {theirs}");
}

/// Whatever was called bad was the culprit, "beside the paths", where a path was misspelt.
#[test]
fn paths_that_nothing_changes_are_refused() {
    let project = line(6, 4);
    let answer = project.run(&["bisect", "start", "main", "c1", "--", "sttae"]);
    assert_eq!(answer.code, Some(2), "{}", out(&answer));
    assert!(answer.err.contains("changes the path: misspelt? path=\"sttae\""), "{}", answer.err);
    assert_eq!(project.run(&["bisect", "log"]).code, Some(2), "it is not under way");
    project.text(&["bisect", "start", "main", "c1", "--", "state"]);
    let answer = project.run(&["bisect", "run", "sh", "-c", "test $(cat number) -lt 6"]);
    assert!(out(&answer).contains("It changes none of the paths"), "{}", out(&answer));
    finds(&answer, &id(&project, "main"));
}

#[test]
fn unrelated_histories_and_skipped_ranges() {
    let project = line(8, 5);
    let alone = project.text(&["commit-tree", "c1^{tree}", "-m", "alone"]);
    project.text(&["bisect", "start", "main", alone.trim()]);
    finds(&project.run(&["bisect", "run", "grep", "-q", "good", "state"]), &id(&project, "c5"));
    project.text(&["bisect", "reset"]);
    project.text(&["bisect", "start", "main", "c1"]);
    let answer = project.run(&["bisect", "skip", "c1..c7"]);
    assert_eq!(answer.code, Some(3), "{}", answer.err);
    let left = out(&answer).lines().filter(|line| line.starts_with("  ")).count();
    assert_eq!(left, 7);
}

/// Paths of a log were taken for paths of the directory in which it was read.
#[test]
fn a_log_is_done_again_in_any_directory() {
    let project = line(6, 4);
    project.text(&["bisect", "start", "main", "c1", "--", "state"]);
    let answer = project.run(&["bisect", "run", "grep", "-q", "good", "state"]);
    finds(&answer, &id(&project, "c4"));
    project.write(b".provenance/cache/log", project.text(&["bisect", "log"]).as_bytes());
    project.text(&["bisect", "reset"]);
    std::fs::create_dir(project.path(b"inner")).expect("made");
    let mut replay = project.command(&["bisect", "replay", "../.provenance/cache/log"]);
    let output = replay.current_dir(project.path(b"inner")).output().expect("started");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains(&format!("{} is the first bad commit", id(&project, "c4"))), "{told}");
}
