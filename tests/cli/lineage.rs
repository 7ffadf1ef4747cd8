//! `lineage` and `impact`: exact answers over runs, directories and branches.

use serde_json::Value;

use super::project::Project;

fn run(project: &Project, name: &str, words: &[&str], script: &str) {
    let begin = ["-q", "run", "--name", name];
    let answer = project.run(&[&begin[..], words, &["--", "sh", "-c", script]].concat());
    assert_eq!(answer.code, Some(0), "{}", answer.err);
}

/// raw/{a,b} → prep → clean/all → train → out/model → eval → report; other → apart.
fn project() -> Project {
    let project = Project::new();
    project.write(b"raw/a.csv", b"1\n");
    project.write(b"raw/b.csv", b"2\n");
    project.write(b"other.csv", b"3\n");
    project.write(b"notes.txt", b"nobody reads this\n");
    project.commit("begin");
    let prep = "mkdir -p clean; cat raw/* > clean/all.csv";
    run(&project, "prep", &["-i", "raw", "-o", "clean"], prep);
    let train = "mkdir -p out; sed s/^/w/ clean/all.csv > out/model.bin";
    run(&project, "train", &["-i", "clean/all.csv", "-p", "lr=0.1", "-o", "out"], train);
    let eval = "wc -c < out/model.bin > report.txt";
    run(&project, "eval", &["-i", "out/model.bin", "-o", "report.txt"], eval);
    run(&project, "apart", &["-i", "other.csv", "-o", "apart.bin"], "cp other.csv apart.bin");
    project
}

fn json(project: &Project, words: &[&str]) -> Value {
    let answer = project.run(&[&["--json"], words].concat());
    assert_eq!(answer.err, "");
    serde_json::from_slice(&answer.out).expect("JSON")
}

/// Gives the names of the runs of an answer, sorted.
fn runs(answer: &Value) -> Vec<&str> {
    let nodes = answer["nodes"].as_array().expect("nodes").iter();
    let mut names: Vec<&str> = nodes.filter_map(|node| node["name"].as_str()).collect();
    names.sort_unstable();
    names
}

#[test]
fn upstream_leads_through_directories_to_the_beginning() {
    let project = project();
    assert_eq!(runs(&json(&project, &["lineage", "report.txt"])), ["eval", "prep", "train"]);
    assert_eq!(
        runs(&json(&project, &["lineage", "--depth", "2", "report.txt"])),
        ["eval", "train"]
    );
    assert_eq!(runs(&json(&project, &["lineage", "out"])), ["prep", "train"]);
    assert_eq!(runs(&json(&project, &["lineage", "eval"])), ["eval", "prep", "train"]);
    assert_eq!(runs(&json(&project, &["lineage"])), ["apart"]);
    let text = project.text(&["lineage", "report.txt"]);
    let shape: Vec<&str> = text.lines().map(|line| line.split("  ").next().unwrap_or("")).collect();
    assert_eq!(shape[0], "report.txt");
    let text = text.replace(|c: char| !c.is_ascii_graphic() && c != '\n' && c != ' ', "");
    for part in ["made by run eval", "out/model.bin", "made in out by run train", "lr=0.1"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.trim_end().lines().last().expect("a line").contains("raw"), "{text}");
}

#[test]
fn downstream_leads_to_everything_that_came_of_it() {
    let project = project();
    let all = ["eval", "prep", "train"];
    assert_eq!(runs(&json(&project, &["lineage", "--down", "raw/b.csv"])), all);
    assert_eq!(runs(&json(&project, &["lineage", "--down", "raw"])), all);
    assert_eq!(runs(&json(&project, &["lineage", "--down", "clean"])), ["eval", "train"]);
    assert!(runs(&json(&project, &["lineage", "--down", "notes.txt"])).is_empty());
    assert!(project.text(&["lineage", "--down", "notes.txt"]).contains("No run has read it."));
    assert!(project.text(&["lineage", "notes.txt"]).contains("No run has made it."));
}

#[test]
fn impact_names_models_first_with_the_chain_that_proves_it() {
    let project = project();
    let answer = project.run(&["impact", "raw/a.csv"]);
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    let text = String::from_utf8(answer.out).expect("text");
    let chain = "raw/a.csv → raw → run prep → clean → clean/all.csv → run train → out\n";
    assert!(text.contains(chain), "{text}");
    let (model, data) = (text.find("Models:").expect("models"), text.find("Datasets:"));
    assert!(data.is_some_and(|data| model < data), "{text}");
    assert!(!text.contains("apart"), "{text}");
    assert!(text.contains("\nComplete for the journal of 6 entries, root "), "{text}");
    let answer = json(&project, &["impact", "raw"]);
    assert_eq!(answer["runs"].as_array().map(Vec::len), Some(3));
    assert_eq!(answer["journal"]["size"], 6);
    let unread = project.run(&["impact", "notes.txt"]);
    assert_eq!(unread.code, Some(0));
    let text = String::from_utf8_lossy(&unread.out).into_owned();
    assert!(text.contains("4 runs had it in the worktree"), "{text}");
    let late = project.run(&["impact", "--since", "2999-01-01", "raw"]);
    let text = String::from_utf8_lossy(&late.out).into_owned();
    assert_eq!(late.code, Some(0), "{text}");
    assert!(text.contains("Nothing since then is affected by raw"), "{text}");
    assert!(text.contains("3 earlier runs had to do with it\n"), "{text}");
    let late = json(&project, &["impact", "--since", "2999-01-01", "notes.txt"]);
    assert_eq!(late["beside"], Value::Array(Vec::new()), "{late}");
}

/// A file led on to what else was in the directories that held it.
#[test]
fn what_lies_beside_it_is_not_affected() {
    let project = project();
    let words = ["-i", "raw/b.csv", "-o", "only-b.bin"];
    run(&project, "beside", &words, "cp raw/b.csv only-b.bin");
    let names = |path| {
        let answer = json(&project, &["impact", path]);
        let runs = answer["runs"].as_array().expect("runs").iter();
        let mut names: Vec<String> =
            runs.filter_map(|run| run["name"].as_str().map(str::to_owned)).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(names("raw/a.csv"), ["eval", "prep", "train"]);
    assert_eq!(names("raw/b.csv"), ["beside", "eval", "prep", "train"]);
    assert_eq!(names("raw"), ["beside", "eval", "prep", "train"]);
    assert_eq!(runs(&json(&project, &["lineage", "--down", "raw/a.csv"])).len(), 3);
    let edges = json(&project, &["lineage", "--down", "raw/a.csv"])["edges"].clone();
    assert_eq!(edges[0]["within"]["path"], "a.csv", "{edges}");
    assert_eq!((&edges[0]["path"], &edges[0]["role"]), (&"raw".into(), &"input".into()));
}

/// Of several contents in doubt the one that was asked about first hid shorter chains.
#[test]
fn the_chain_is_the_shortest_from_any_start() {
    let project = Project::new();
    project.write(b"data.csv", b"first\n");
    project.commit("first");
    project.write(b"old.csv", b"first\n");
    project.write(b"data.csv", b"second\n");
    project.commit("second");
    run(&project, "c", &["-i", "data.csv", "-o", "mid"], "cat data.csv data.csv > mid");
    run(
        &project,
        "b",
        &["-i", "mid", "-i", "old.csv", "-o", "model.bin"],
        "cat mid old.csv > model.bin",
    );
    let answer = json(&project, &["impact", "--all-versions", "data.csv"]);
    let affected = answer["affected"].as_array().expect("a list");
    let model = affected.iter().find(|of| of["path"] == "model.bin").expect("the model");
    assert_eq!(model["chain"].as_array().map(Vec::len), Some(2), "{model}");
    let first = project.text(&["rev-parse", "HEAD~3:data.csv"]);
    assert_eq!(model["start"], format!("blake3:{}", first.trim()));
}

/// An import or a fetch brings runs of which no ref but a branch knows.
#[test]
fn a_run_without_a_ref_of_its_own_counts() {
    let project = project();
    let history = project.text(&["-q", "export", "--jsonl", "main"]);
    let lines = history.lines().filter(|line| !line.contains("\"runs/"));
    let lines: Vec<&str> = lines.filter(|line| !line.starts_with("{\"lines\"")).collect();
    let history = format!("{}\n{{\"lines\":{}}}\n", lines.join("\n"), lines.len());
    let other = Project::new();
    other.write(b"history.jsonl", history.as_bytes());
    other.done(&["import", "--jsonl", "history.jsonl"]);
    other.done(&["checkout", "-f", "main"]);
    assert_ne!(other.run(&["rev-parse", "runs/apart"]).code, Some(0), "only the branch knows it");
    let count = |project: &Project| {
        let answer = json(project, &["impact", "raw/a.csv"]);
        answer["runs"].as_array().map(Vec::len)
    };
    assert_eq!(count(&project), Some(3));
    assert_eq!(count(&other), Some(3));
}

/// A run hid the directory of the same name, and its models were missed.
#[test]
fn what_is_a_run_and_a_path_is_refused() {
    let project = project();
    project.write(b"eval", b"questions\n");
    project.commit("questions");
    for command in ["impact", "lineage"] {
        let both = project.run(&[command, "eval"]);
        assert_eq!(both.code, Some(2), "{}", both.err);
        assert!(
            both.err.contains("eval is a commit and a path: say runs/eval or ./eval"),
            "{}",
            both.err
        );
    }
    // From a directory a word is a path in it, before whatever has that path from the top.
    project.write(b"raw/notes.txt", b"other notes\n");
    project.commit("notes");
    let at = |words: &[&str]| json(&project, words)["start"].clone();
    assert_eq!(at(&["-C", "raw", "lineage", "notes.txt"]), at(&["lineage", "raw/notes.txt"]));
    assert_ne!(at(&["-C", "raw", "lineage", "notes.txt"]), at(&["lineage", "notes.txt"]));
    assert_eq!(json(&project, &["lineage", "./eval"])["nodes"][0]["type"], "artifact");
    assert_eq!(json(&project, &["lineage", "runs/eval"])["start"].as_str().map(str::len), Some(71));
}

/// Somebody swapped the model, and `lineage` told of the one that it had been.
#[test]
fn what_was_changed_since_is_said() {
    let project = project();
    assert_eq!(project.run(&["lineage", "out/model.bin"]).err, "");
    project.write(b"out/model.bin", b"another\n");
    for words in [["lineage", "out/model.bin"], ["impact", "out"]] {
        let answer = project.run(&words);
        let note =
            format!("note: {} was changed since: this is about what is recorded of it\n", words[1]);
        assert_eq!(answer.err, note);
        let answer = project.run(&[&["--json"][..], &words].concat());
        let answer: Value = serde_json::from_slice(&answer.out).expect("JSON");
        assert_eq!(answer["changed"], true);
    }
    project.add();
    assert!(project.run(&["lineage", "out/model.bin"]).err.contains("was changed since"));
    project.write(b"new.csv", b"new\n");
    project.add();
    assert_eq!(project.run(&["lineage", "new.csv"]).err, "", "it is what is staged");
    assert_eq!(project.run(&["lineage", "--depth", "0", "out"]).code, Some(2));
}

#[test]
fn older_content_is_found_by_commit_by_hash_and_by_path() {
    let project = project();
    let sha256 = "4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865";
    let by_hash = json(&project, &["impact", sha256]);
    assert_eq!(by_hash["runs"].as_array().map(Vec::len), Some(3), "{by_hash}");
    project.write(b"raw/a.csv", b"changed\n");
    project.commit("changed");
    assert_eq!(project.run(&["impact", "raw/a.csv"]).code, Some(0), "no run has read this");
    assert_eq!(project.run(&["impact", "HEAD~1:raw/a.csv"]).code, Some(1));
    assert_eq!(project.run(&["impact", "--all-versions", "raw/a.csv"]).code, Some(1));
    let id = json(&project, &["ls", "HEAD~1:raw/a.csv"])["id"].as_str().map(str::to_owned);
    assert_eq!(project.run(&["impact", &id.expect("an id")]).code, Some(1));
    let nothing = project.run(&["impact", "nothing"]);
    assert_eq!(nothing.code, Some(2));
    assert!(nothing.err.contains("artifact, path, run or id not found"), "{}", nothing.err);
}

/// The same model by two runs, and a run on no branch: all of them count.
#[test]
fn every_maker_counts_on_every_branch() {
    let project = project();
    let train = "mkdir -p out; sed s/^/w/ clean/all.csv > out/model.bin";
    let words = ["--no-advance", "-i", "clean/all.csv", "-o", "out"];
    run(&project, "again", &words, train);
    assert_eq!(runs(&json(&project, &["lineage", "out"])), ["again", "prep", "train"]);
    let answer = json(&project, &["impact", "raw/a.csv"]);
    let models = answer["affected"].as_array().expect("a list").iter();
    assert_eq!(models.filter(|of| of["path"] == "out").count(), 2, "{answer}");
}

/// A run that reads what it makes is a cycle by content.
#[test]
fn a_cycle_ends() {
    let project = Project::new();
    project.write(b"state", b"1\n");
    project.commit("begin");
    run(&project, "flip", &["-i", "state", "-o", "state"], "echo 2 > state");
    run(&project, "flop", &["-i", "state", "-o", "state"], "echo 1 > state");
    for words in [["lineage", "--up", "state"], ["lineage", "--down", "state"]] {
        assert_eq!(runs(&json(&project, &words)), ["flip", "flop"]);
        assert!(project.text(&words).contains("(above)"));
    }
    assert_eq!(project.run(&["impact", "--all-versions", "state"]).code, Some(1));
}

#[test]
fn graphs_for_other_programs_hold_whatever_a_name_is() {
    let project = Project::new();
    project.write(b"a \"quoted\" [name].csv", b"1\n");
    project.commit("begin");
    run(&project, "one", &["-i", "a \"quoted\" [name].csv", "-o", "out.bin"], "echo 2 > out.bin");
    let dot = project.text(&["lineage", "--format", "dot", "out.bin"]);
    assert!(dot.starts_with("digraph lineage {\n") && dot.ends_with("}\n"), "{dot}");
    assert!(dot.contains("a \\\"quoted\\\" [name].csv"), "{dot}");
    assert!(dot.contains(" [label=\"input\"];\n"), "{dot}");
    let mermaid = project.text(&["lineage", "--format", "mermaid", "out.bin"]);
    assert!(mermaid.contains("a &quot;quoted&quot; [name].csv"), "{mermaid}");
    assert!(mermaid.contains(" -->|output| "), "{mermaid}");
}
