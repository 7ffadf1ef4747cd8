//! Small inputs that would grow without end: depth, counts and ratios. A command answers, or
//! refuses in one line; it does not die and takes no more memory than any other.

use super::project::Project;
use crate::support::tally::Tally;

/// Depth that no recursion survives.
const DEEP: usize = 200_000;

/// Runs the program with little memory, and insists that it ends by itself.
fn ends(project: &Project, words: &[&str]) -> Option<i32> {
    let mut command = std::process::Command::new("sh");
    // Addresses, not memory: threads and maps take some.
    command.args([
        "-c",
        "ulimit -v 4000000 && exec \"$0\" \"$@\"",
        env!("CARGO_BIN_EXE_provenance"),
    ]);
    let output = command.args(words).current_dir(project.root()).env_clear().output();
    let output = output.expect("the shell runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code().is_some(), "{words:?} died: {said}");
    assert!(!said.contains("panicked"), "{words:?}: {said}");
    output.status.code()
}

#[test]
fn documents_of_any_depth_are_compared_or_told_as_text() {
    let tally = Tally::new("a document of any depth", "add, commit, diff, show");
    let dotted = format!("{}a = 1\n", "a.".repeat(DEEP));
    let cases: [(&str, String); 9] = [
        ("a.json", "[".repeat(DEEP)),
        ("b.json", format!("{}1{}", "[".repeat(DEEP), "]".repeat(DEEP))),
        ("c.json", format!("{}1{}", "{\"a\":".repeat(DEEP), "}".repeat(DEEP))),
        ("a.yaml", format!("a: {}1{}\n", "[".repeat(DEEP), "]".repeat(DEEP))),
        ("b.yaml", format!("{}1\n", "- ".repeat(DEEP))),
        ("c.yaml", format!("a: &a [1]\n{}", "b: *a\n".repeat(1000))),
        ("a.toml", dotted.clone()),
        ("b.toml", format!("a = {}1{}\n", "[".repeat(DEEP), "]".repeat(DEEP))),
        ("c.toml", format!("[{}a]\nb = 1\n", "a.".repeat(DEEP))),
    ];
    let project = Project::new();
    for (name, text) in &cases {
        project.write(name.as_bytes(), text.as_bytes());
    }
    project.commit("deep");
    for (name, text) in &cases {
        project.write(name.as_bytes(), text.replace('1', "2").as_bytes());
    }
    for (name, _) in &cases {
        let code = ends(&project, &["diff", name]);
        assert!(matches!(code, Some(0..=2)), "{name}: {code:?}");
        tally.count("answered");
    }
    project.commit("deep again");
    assert_eq!(ends(&project, &["show"]), Some(0));
}

#[test]
fn declarations_and_settings_of_any_depth_are_refused() {
    let tally = Tally::new("a declaration of any depth", "commit, status, config");
    let texts = [
        format!("{}a = 1\n", "a.".repeat(DEEP)),
        format!("a = {}1{}\n", "[".repeat(DEEP), "]".repeat(DEEP)),
        format!("[{}a]\n", "a.".repeat(DEEP)),
        format!("a = {}\n", "{a=".repeat(DEEP)),
        "[[a]]\n".repeat(DEEP / 2),
    ];
    for text in texts {
        let project = Project::new();
        project.write(b"provenance.toml", text.as_bytes());
        project.add();
        let code = ends(&project, &["commit", "-q", "-m", "x"]);
        assert!(matches!(code, Some(0 | 2)), "{code:?}");
        tally.count("refused");
        project.write(b".provenance/config", text.as_bytes());
        for words in [["status"].as_slice(), &["config", "list"]] {
            assert_eq!(ends(&project, words), Some(2), "{words:?}");
            tally.count("refused");
        }
    }
}

#[test]
fn rules_and_revisions_of_any_length_are_answered() {
    let project = Project::new();
    project.write(b"a", b"1\n");
    project.commit("one");
    let tally = Tally::new("a rule or revision of any length", "status, rev-parse");
    for rule in
        ["**/".repeat(30_000), "*a".repeat(300_000), "[a-z]".repeat(100_000), "{a,".repeat(50_000)]
    {
        project.write(b".provenanceignore", rule.as_bytes());
        project.write(&b"a".repeat(200), b"x");
        assert_eq!(ends(&project, &["status", "-s"]), Some(0), "{}", &rule[..9]);
        tally.count("answered");
    }
    let far = "~18446744073709551616";
    for revision in [
        format!("main{}", "^".repeat(90_000)),
        format!("main{}", "~1".repeat(40_000)),
        format!("main{far}"),
        "main~4294967296".to_owned(),
        "main~18446744073709551615".to_owned(),
        "@{18446744073709551616}".to_owned(),
        "@{99999999999 years ago}".to_owned(),
        format!("main:{}", "a/".repeat(40_000)),
        "(".repeat(90_000),
        "@{".repeat(40_000),
    ] {
        let code = ends(&project, &["rev-parse", &revision]);
        assert!(matches!(code, Some(1..=2)), "{}: {code:?}", &revision[..6]);
        tally.count("refused");
    }
}
