//! `bisect start --metric` decides by what is recorded, and by nothing else.

use super::bisect::{finds, id, out};
use super::project::Project;

/// A line of runs with a metric each; `None` has none.
fn runs(accuracies: &[Option<f64>]) -> Project {
    let project = Project::new();
    for (number, accuracy) in accuracies.iter().enumerate() {
        let line = accuracy.map(|value| format!("{{\"accuracy\": {value}}}\n"));
        project.write(b"metrics.jsonl", line.unwrap_or_default().as_bytes());
        project.write(b"number", format!("{number}\n").as_bytes());
        project.add();
        let name = format!("r{number}");
        let words = ["-q", "run", "--name", &name, "--metrics", "metrics.jsonl", "--", "true"];
        project.run(&words);
    }
    project
}

#[test]
fn recorded_values_find_it_and_nothing_is_executed() {
    let mut values = vec![Some(0.95); 12];
    values[7..].fill(Some(0.8));
    values[3] = None;
    let project = runs(&values);
    project.write(b"state", b"not to be touched\n");
    let rule = ["bisect", "start", "--metric", "metrics.accuracy", "--below", "0.9"];
    let answer = project.run(&[&rule[..], &["main", "runs/r0"]].concat());
    finds(&answer, &id(&project, "runs/r7"));
    assert!(out(&answer).contains("bad: metrics.accuracy is 0.8\n"), "{}", out(&answer));
    assert!(out(&answer).contains("Metrics:\n  accuracy  0.95  →  0.8"), "{}", out(&answer));
    assert_eq!(project.text(&["branch", "--show-current"]), "main\n");
    project.run(&["bisect", "reset"]);
    let answer = project.run(&[&rule[..], &["runs/r2", "runs/r0"]].concat());
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains("is called bad, but its metrics.accuracy is 0.95"));
    assert!(project.text(&["status"]).contains("On branch main\n"));
    let answer = project.run(&["bisect", "start", "--metric", "accuracy", "--below", "1", "main"]);
    assert!(answer.err.contains("unknown field"), "{}", answer.err);
}

#[test]
fn what_has_no_value_is_tested_only_if_it_matters() {
    let values = [Some(0.9), None, None, Some(0.5)];
    let project = runs(&values);
    let rule = ["bisect", "start", "--metric", "metrics.accuracy", "--below", "0.8"];
    let answer = project.run(&[&rule[..], &["main", "runs/r0"]].concat());
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let found = "is the first bad commit of those that were measured\nRight before it nothing was";
    assert!(out(&answer).contains(found), "{}", out(&answer));
    assert!(out(&answer).contains("Metrics:\n  accuracy  0.9  →  0.5"), "{}", out(&answer));
    // Nobody said so of them: a test still may.
    let answer = project.run(&["bisect", "bad", "runs/r0"]);
    assert_eq!(answer.code, Some(2), "{}", out(&answer));
    assert!(answer.err.contains("is called bad, but its metrics.accuracy is 0.9"));
    assert!(!project.text(&["bisect", "log"]).contains("skip"));
    let answer = project.run(&["bisect", "run", "sh", "-c", "test $(cat number) -lt 2"]);
    finds(&answer, &id(&project, "runs/r2"));
    assert!(!answer.err.contains("0.5"), "what is known was tested: {}", answer.err);
}

/// A metric that nothing has, as one that is misspelt, made the commit that was called bad the
/// culprit "of those that were measured".
#[test]
fn a_metric_that_nothing_has_decides_nothing() {
    let project = runs(&[Some(0.9), Some(0.9), Some(0.5)]);
    let rule = ["bisect", "start", "--metric", "metrics.acuracy", "--below", "0.8"];
    for good in ["runs/r0", "runs/r1"] {
        let answer = project.run(&[&rule[..], &["main", good]].concat());
        assert_eq!(answer.code, Some(2), "{}", out(&answer));
        assert!(answer.err.contains("no commit between has metrics.acuracy"), "{}", answer.err);
        assert_eq!(project.run(&["bisect", "log"]).code, Some(2), "it is not under way");
    }
    let project = runs(&[Some(0.9), None, None]);
    let rule = ["bisect", "start", "--metric", "metrics.accuracy", "--below", "0.8"];
    let answer = project.run(&[&rule[..], &["main", "runs/r0"]].concat());
    assert_eq!(answer.code, Some(3), "nothing says that it is bad: {}", out(&answer));
    let text = out(&answer);
    assert!(text.starts_with("Only commits without a value are left; the first bad"), "{text}");
    assert!(
        text.ends_with("`provenance bisect run COMMAND` tests those without a value\n"),
        "{text}"
    );
    let answer = project.run(&["bisect", "run", "sh", "-c", "test $(cat number) -lt 1"]);
    finds(&answer, &id(&project, "runs/r1"));
}

#[test]
fn noise_near_the_bound_decides_nothing() {
    let project = runs(&[Some(0.95), Some(0.901), Some(0.80)]);
    let rule = ["bisect", "start", "--metric", "metrics.accuracy", "--below", "0.9"];
    let noisy = ["--tolerance", "0.01", "main", "runs/r0"];
    let answer = project.run(&[&rule[..], &noisy].concat());
    assert!(out(&answer).contains("is 0.901, too near to the bound"), "{}", out(&answer));
    assert_eq!(answer.code, Some(3));
}

/// Runs with the same record but other files were taken for repetitions, and their mean decided.
#[test]
fn only_repetitions_of_a_run_are_samples() {
    let project = Project::new();
    project.write(b"number", b"0\n");
    project.commit("begin");
    let run = |name: &str, value: f64, words: &[&str]| {
        project.write(b"metrics.jsonl", format!("{{\"accuracy\": {value}}}\n").as_bytes());
        let begin = ["-q", "run", "--name", name, "--metrics", "metrics.jsonl"];
        let answer = project.run(&[&begin[..], words, &["--", "true"]].concat());
        assert_eq!(answer.code, Some(0), "{}", answer.err);
    };
    run("a", 0.95, &[]);
    run("b", 0.899, &["--no-advance"]);
    run("b2", 0.85, &["--no-advance"]);
    project.write(b"number", b"1\n");
    run("other", 1.5, &["--no-advance"]);
    project.text(&["restore", "number"]);
    let rule = ["--metric", "metrics.accuracy", "--below", "0.9", "--tolerance", "0.01"];
    let answer = project.run(&[&["bisect", "start"][..], &rule, &["runs/b", "runs/a"]].concat());
    finds(&answer, &id(&project, "runs/b"));
    project.text(&["bisect", "reset"]);
    // Of two suspects the first is asked for.
    let words = ["commit-tree", "runs/b^{tree}", "-p", "runs/b", "-m", "after"];
    let after = project.text(&words);
    let ends = [after.trim(), "runs/a"];
    let answer = project.run(&[&["bisect", "start"][..], &rule, &ends].concat());
    finds(&answer, &id(&project, "runs/b"));
    let mean = "metrics.accuracy is 0.8745, the mean of 2 runs";
    assert!(out(&answer).contains(mean), "{}", out(&answer));
}

/// The mean of the values of no run was `NaN`, and the commit was passed over, where `undo` had
/// taken the name of its run away.
#[test]
fn a_run_without_a_name_still_has_its_value() {
    let project = runs(&[Some(0.95), Some(0.6)]);
    let nameless = id(&project, "main");
    project.text(&["undo", "-q"]);
    project.text(&["checkout", "-q", "-f", &nameless]);
    project.write(b"metrics.jsonl", b"{\"accuracy\": 0.5}\n");
    project.text(&["run", "-q", "--name", "last", "--metrics", "metrics.jsonl", "--", "true"]);
    assert_ne!(project.run(&["rev-parse", "runs/r1"]).code, Some(0), "it has a name");
    let rule = ["--metric", "metrics.accuracy", "--below", "0.9", "--tolerance", "0.01"];
    let answer =
        project.run(&[&["bisect", "start"][..], &rule, &["runs/last", "runs/r0"]].concat());
    assert!(out(&answer).contains("bad: metrics.accuracy is 0.6\n"), "{}", out(&answer));
    finds(&answer, &nameless);
}

/// So many metrics that they are kept beside the record were taken for none.
#[test]
fn metrics_beside_the_record_count_as_well() {
    let project = Project::new();
    let many: String = (0..20_000).map(|number| format!("\"m{number}\": {number}, ")).collect();
    for (number, value) in [0.9, 0.9, 0.5, 0.5].iter().enumerate() {
        let metrics = format!("{{{many}\"accuracy\": {value}}}\n");
        project.write(b"metrics.json", metrics.as_bytes());
        project.add();
        let name = format!("r{number}");
        project.done(&["-q", "run", "--name", &name, "--metrics", "metrics.json", "--", "true"]);
    }
    let record = project.record("main");
    assert!(record["run"]["metrics"].is_string(), "they are beside it");
    let rule = ["bisect", "start", "--metric", "metrics.accuracy", "--below", "0.8"];
    let answer = project.run(&[&rule[..], &["main", "runs/r0"]].concat());
    finds(&answer, &id(&project, "runs/r2"));
}
