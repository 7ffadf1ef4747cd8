//! `log`, `branch`, `tag`, `undo` and the plumbing of history, as a user types them.

use serde_json::Value;

use super::project::Project;

/// Four commits, the last a merge; `main` and `side`, a tag at the first.
fn forked() -> Project {
    let project = Project::new();
    project.write(b"data.csv", b"1\n");
    project.commit("first\n\nwhy it began");
    project.text(&["tag", "v1"]);
    project.write(b"data.csv", b"2\n");
    project.commit("second");
    let tree = "HEAD^{tree}";
    let side = project.text(&["commit-tree", tree, "-p", "v1", "-m", "aside"]);
    project.text(&["branch", "side", side.trim()]);
    let merge = project.text(&["commit-tree", tree, "-p", "main", "-p", "side", "-m", "merge"]);
    project.text(&["branch", "merged", merge.trim()]);
    project
}

fn id(project: &Project, name: &str) -> String {
    project.text(&["rev-parse", name]).trim().to_owned()
}

fn short(project: &Project, name: &str) -> String {
    project.text(&["rev-parse", "--short", name]).trim().to_owned()
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("one document a line")).collect()
}

#[test]
fn log_shows_commits_in_words() {
    let project = forked();
    let text = project.text(&["log"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], format!("commit {} (HEAD -> main)", id(&project, "main")));
    assert!(lines[1].starts_with("Author: "), "{text}");
    assert!(lines[2].starts_with("Date:   Tue Nov 14 "), "{text}");
    assert_eq!(lines[3..5], ["", "    second"]);
    assert_eq!(lines[5..7], ["", format!("commit {} (tag: v1)", id(&project, "v1")).as_str()]);
    assert_eq!(lines[10..], ["    first", "", "    why it began"]);
}

#[test]
fn log_draws_history() {
    let project = forked();
    let [first, second, merged] = ["v1", "main", "merged"].map(|name| short(&project, name));
    let side = short(&project, "side");
    let text = project.text(&["log", "--graph", "--oneline", "merged"]);
    let expected = [
        format!("*   {merged} (merged) merge"),
        "|\\".to_owned(),
        format!("| * {side} (side) aside"),
        format!("* | {second} (HEAD -> main) second"),
        "|/".to_owned(),
        format!("* {first} (tag: v1) first"),
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    let text = project.text(&["log", "--graph", "-n", "2", "merged"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], format!("*   commit {} (merged)", id(&project, "merged")));
    assert_eq!(lines[1], format!("|\\  Merge: {second} {side}"));
    assert_eq!(lines[4..7], ["| |", "| |     merge", "| |"]);
    assert_eq!(lines[7], format!("| * commit {} (side)", id(&project, "side")));
}

#[test]
fn log_takes_ranges_filters_and_paths() {
    let project = forked();
    let subjects = |words: &[&str]| -> Vec<String> {
        let words = [&["log", "--json"], words].concat();
        let rows = json_lines(&project.text(&words));
        rows.iter().map(|row| row["message"].as_str().expect("a text").to_owned()).collect()
    };
    assert_eq!(subjects(&["v1..main"]), ["second"]);
    assert_eq!(subjects(&["--grep", "^why"]), ["first\n\nwhy it began"]);
    assert_eq!(subjects(&["-n", "1"]), ["second"]);
    assert_eq!(subjects(&["--until", "2001-01-01"]), [""; 0]);
    assert_eq!(subjects(&["main", "--", "data.csv"]).len(), 2);
    assert_eq!(subjects(&["data.csv"]).len(), 2);
    assert_eq!(subjects(&["v1..main", "data.csv"]), ["second"]);
    assert_eq!(subjects(&["main", "--", "other.csv"]).len(), 0);
    let row = &json_lines(&project.text(&["log", "--json", "-n1"]))[0];
    assert_eq!(row["id"], format!("blake3:{}", id(&project, "main")));
    assert_eq!(row["refs"], serde_json::json!(["HEAD", "heads/main"]));
    assert_eq!(row["schema"], "provenance/commit/v1");
    let answer = project.run(&["log", "--since", "soon"]);
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.starts_with("error: date not understood, date=\"soon\"; write 2026-01-31"));
}

#[test]
fn the_journal_tells_who_did_what() {
    let project = forked();
    project.text(&["branch", "-D", "side"]);
    let rows = json_lines(&project.text(&["log", "--journal", "--json"]));
    assert_eq!(rows.len(), 7);
    assert_eq!(rows[0]["command"], "branch -D side");
    assert_eq!(rows[0]["updates"][0]["ref"], "heads/side");
    assert_eq!(rows[0]["updates"][0]["new"], Value::Null);
    assert_eq!(rows[6]["command"], "init");
    let text = project.text(&["log", "--journal", "--oneline", "-n", "1"]);
    assert!(text.starts_with("6 branch -D side  side: "), "{text}");
    let gone = id(&project, "side@{1}");
    assert_eq!(rows[0]["updates"][0]["old"], format!("blake3:{gone}"));
}

#[test]
fn branches_and_tags() {
    let project = forked();
    let [main, side] = ["main", "side"].map(|name| short(&project, name));
    let text = project.text(&["branch"]);
    let merged = short(&project, "merged");
    let expected =
        format!("* main    {main} second\n  merged  {merged} merge\n  side    {side} aside\n");
    assert_eq!(text, expected);
    assert_eq!(project.text(&["branch", "--show-current"]), "main\n");
    let answer = project.run(&["branch", "-d", "side"]);
    assert_eq!(answer.code, Some(11));
    assert!(answer.err.contains("-D deletes it all the same"), "{}", answer.err);
    let text = project.text(&["branch", "-D", "side"]);
    assert_eq!(text, format!("Deleted the branch side (it was {side})\n"));
    assert_eq!(project.run(&["branch", "a..b"]).code, Some(2));
    assert_eq!(project.run(&["branch", "main"]).code, Some(11));
    assert_eq!(project.run(&["branch", "main/deeper"]).code, Some(11));
    let text = project.text(&["branch", "-m", "trunk"]);
    assert_eq!(text, "The branch is trunk now\n");
    assert_eq!(project.text(&["branch", "--show-current"]), "trunk\n");
    let rows = json_lines(&project.text(&["tag", "--json"]));
    assert_eq!((rows.len(), &rows[0]["name"]), (1, &Value::from("v1")));
    assert_eq!(project.run(&["tag", "v1"]).code, Some(11));
    assert!(project.text(&["tag", "-f", "v1"]).starts_with("Moved the tag v1: "));
    assert!(project.text(&["tag", "-d", "v1"]).starts_with("Deleted the tag v1 (it was "));
    assert_eq!(project.run(&["tag", "-d", "v1"]).code, Some(2));
}

#[test]
fn undo_brings_a_branch_back_and_takes_a_commit_back() {
    let project = forked();
    let side = id(&project, "side");
    project.text(&["branch", "-D", "side"]);
    let text = project.text(&["undo", "-n"]);
    assert!(text.starts_with("Would undo number 6: branch -D side\n"), "{text}");
    assert_eq!(project.run(&["rev-parse", "side"]).code, Some(2));
    project.text(&["undo"]);
    assert_eq!(id(&project, "side"), side);
    let before = id(&project, "main");
    project.write(b"data.csv", b"3\n");
    project.commit("third");
    let text = project.text(&["undo"]);
    assert!(text.contains("What is staged differs from HEAD"), "{text}");
    assert_eq!(id(&project, "main"), before);
    let status = json_lines(&project.text(&["status", "--json"]));
    assert!(status[0].to_string().contains("data.csv"), "{status:?}");
    let report = json_lines(&project.text(&["undo", "--json"]));
    assert_eq!(report[0]["staged"], false);
    assert_ne!(id(&project, "main"), before);
    let answer = Project::new().run(&["undo"]);
    assert_eq!(answer.code, Some(2));
}

#[test]
fn plumbing_answers_scripts() {
    let project = forked();
    let [first, second, side] = ["v1", "main", "side"].map(|name| id(&project, name));
    assert_eq!(project.text(&["rev-parse", "v1..side"]), format!("{side}\n^{first}\n"));
    let file = project.text(&["rev-parse", "main:data.csv"]);
    assert_eq!(file.trim(), blake3::hash(b"2\n").to_hex().as_str());
    assert_eq!(project.text(&["rev-list", "main"]), format!("{second}\n{first}\n"));
    assert_eq!(project.text(&["rev-list", "--count", "--all"]), "4\n");
    assert_eq!(project.text(&["rev-list", "--count", "--json", "main"]), "{\"count\":2}\n");
    assert_eq!(project.text(&["merge-base", "main", "side"]), format!("{first}\n"));
    assert_eq!(project.run(&["merge-base", "--is-ancestor", "v1", "main"]).code, Some(0));
    assert_eq!(project.run(&["merge-base", "--is-ancestor", "main", "v1"]).code, Some(1));
    let alone = project.text(&["commit-tree", "main", "-m", "alone"]);
    assert_eq!(project.run(&["merge-base", "main", alone.trim()]).code, Some(1));
    let answer = project.run(&["rev-parse", "nowhere"]);
    assert!(answer.err.starts_with("error: commit not found, name=\"nowhere\"\nhint: `log"));
    assert_eq!(answer.code, Some(2));
}

#[test]
fn words_that_could_drive_a_terminal_stay_words() {
    let project = Project::new();
    project.write(b"x", b"x");
    project.commit("\u{1b}[2Jsubject\n\nbody \u{202e}");
    for words in [vec!["log"], vec!["log", "--oneline"], vec!["branch"], vec!["log", "--journal"]] {
        let text = project.text(&words);
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text:?}");
    }
    let answer = project.run(&["rev-parse", "\u{1b}[2J"]);
    assert!(!answer.err.contains('\u{1b}'), "{:?}", answer.err);
}

#[test]
fn show_tells_what_a_commit_changed() {
    let project = forked();
    let text = project.text(&["show"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], format!("commit {} (HEAD -> main)", id(&project, "main")));
    assert!(text.contains("\n    second\n"), "{text}");
    assert!(text.contains("\nArtifacts:\n"), "{text}");
    assert_eq!(lines[lines.len() - 2..], ["-1", "+2"]);
    let text = project.text(&["show", "--name-status", "v1"]);
    assert!(text.ends_with("\n\nA\tdata.csv\n"), "{text}");
    let text = project.text(&["show", "-s", "merged"]);
    let parents = ["main", "side"].map(|name| short(&project, name)).join(" ");
    assert_eq!(text.lines().nth(1), Some(format!("Merge: {parents}").as_str()));
    assert!(!text.contains("data.csv\n---"), "{text}");
    let rows = json_lines(&project.text(&["show", "--json", "v1", "main"]));
    assert_eq!(rows.len(), 4);
    assert_eq!((&rows[1]["change"], &rows[3]["change"]), (&"added".into(), &"changed".into()));
    assert_eq!(rows[2]["id"], format!("blake3:{}", id(&project, "main")));
    let answer = project.run(&["show", "main:data.csv"]);
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains("is a file"), "{}", answer.err);
}
