//! Profiles of declared data: counted once, shown, and what changed in them comes first.

use serde_json::Value;

use super::project::Project;

const DECLARED: &str = "\
[artifact.people]
path = \"people.csv\"
label = \"team\"

[artifact.shards]
path = \"shards\"
kind = \"dataset\"
";

const PEOPLE: &str = "id,team,age,ok,note\n1,red,36,true,\n2,blue,NA,false,x\n3,red,41.5,TRUE,\n";

fn project() -> Project {
    let project = Project::new();
    project.write(b"provenance.toml", DECLARED.as_bytes());
    project.write(b"people.csv", PEOPLE.as_bytes());
    project.write(b"shards/1.jsonl", b"{\"a\":1,\"b\":{\"c\":2}}\n{\"a\":2}\n");
    project.write(b"shards/2.jsonl", b"{\"a\":3,\"z\":null}\n");
    project.write(b"undeclared.csv", PEOPLE.as_bytes());
    project.commit("first");
    project
}

fn profile(project: &Project, name: &str, commit: &str) -> Option<String> {
    let line = project.text(&["show", "-s", "--json", commit]);
    let record: Value = serde_json::from_str(&line).expect("JSON");
    let artifacts = record["artifacts"].as_array().expect("a list");
    let artifact = artifacts.iter().find(|artifact| artifact["name"] == name).expect("is there");
    artifact["profile"].as_str().map(|id| id.replace("blake3:", ""))
}

#[test]
fn a_table_is_counted_and_shown() {
    let project = project();
    let shown = project.text(&["show", "-s"]);
    let expected = "
people: 3 rows, 5 columns
  id    integer  1 to 3
  team  text
  age   number   36 to 41.5  1 missing
  ok    boolean
  note  text                 2 missing
  label team: red 2, blue 1

shards: 3 rows, 3 columns in 2 tables
  a  integer  1 to 3
  b  nested           2 missing
  z  empty            3 missing
";
    let trimmed: Vec<&str> = shown.lines().map(str::trim_end).collect();
    assert!(trimmed.join("\n").contains(expected.trim_end()), "{shown}");
    assert_eq!(profile(&project, "undeclared.csv", "main"), None);
    assert_eq!(project.run(&["fsck", "--full"]).code, Some(0));
}

#[test]
fn what_changed_in_it_comes_first() {
    let project = project();
    let more = format!("{PEOPLE}4,blue,,false,y\n");
    project.write(b"people.csv", more.as_bytes());
    project.commit("more");
    let text = project.text(&["diff", "main~1", "main"]);
    let start = "\
Data:
  people: age missing  1  →  2  (+1)
  people: rows         3  →  4  (+1)
  people: team = blue  1  →  2  (+1)

changed people.csv";
    assert!(text.starts_with(start), "{text}");
    // Content that was counted is not counted again, another label is.
    assert_eq!(profile(&project, "shards", "main"), profile(&project, "shards", "main~1"));
    let before = profile(&project, "people", "main");
    project.write(b"provenance.toml", DECLARED.replace("\"team\"", "\"ok\"").as_bytes());
    project.commit("another label");
    assert_ne!(profile(&project, "people", "main"), before);
}

#[test]
fn no_table_refuses_a_commit() {
    let bad: &[(&str, &[u8], &str)] = &[
        ("half", b"a,b\n1,2\n\"x,3\n", "no table"),
        ("prose", b"Dear all,\nno table\n", "no table"),
        ("binary", b"a,b\n\0\0\n", "no table"),
        ("names", b"a,b\n", "0 rows, 2 columns"),
        ("twice", b"a,a\n1,x\n", "a (2)  text"),
        ("latin", b"a,b\n\xe9,1\n", "1 row, 2 columns"),
    ];
    let project = Project::new();
    let mut declared = String::new();
    for (name, content, _) in bad {
        project.write(format!("{name}.csv").as_bytes(), content);
        declared += &format!("[artifact.{name}]\npath = \"{name}.csv\"\nlabel = \"b\"\n");
    }
    let late = [&b"a,b\n"[..], &b"1,2\n".repeat(300_000), b"\"open,3\n"].concat();
    project.write(b"late.csv", &late);
    declared += "[artifact.late]\npath = \"late.csv\"\nkind = \"dataset\"\n";
    declared += "[artifact.empty]\npath = \"empty.csv\"\nkind = \"dataset\"\n";
    project.write(b"empty.csv", b"");
    project.write(b"provenance.toml", declared.as_bytes());
    project.commit("all of them");
    let shown = project.text(&["show", "-s"]);
    for (name, _, words) in bad {
        let at = shown.find(&format!("\n{name}: ")).unwrap_or_else(|| panic!("{name}: {shown}"));
        let part: String = shown[at..].lines().skip(1).take(5).collect::<Vec<_>>().join("\n");
        assert!(part.contains(words), "{name}: {part}");
    }
    assert!(shown.contains("late.csv: a quote in line 300002 is not closed"), "{shown}");
    assert!(shown.contains("twice: 1 row, 2 columns\n"), "{shown}");
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_parquet_file_is_recorded_and_why_it_is_not_counted_is_told() {
    let project = Project::new();
    let declared = "[artifact.pets]\npath = \"pets.parquet\"\nkind = \"dataset\"\n";
    project.write(b"provenance.toml", declared.as_bytes());
    project.write(b"pets.parquet", b"PAR1\0\0\0\0PAR1");
    project.commit("first");
    let why = "built without Parquet: cargo install provenance-vcs --features parquet";
    let shown = project.text(&["show", "-s"]);
    assert!(shown.contains(&format!("\n  pets.parquet: no table: {why}")), "{shown}");
    project.write(b"pets.parquet", b"PAR1\x01\0\0\0PAR1");
    let text = project.text(&["diff"]);
    assert!(text.contains(&format!("\n  not compared by row: old version: {why}\n")), "{text}");
    assert!(text.ends_with("\n  Parquet table\n"), "{text}");
    assert_eq!(project.run(&["fsck", "--full"]).code, Some(0));
}

#[test]
fn a_member_or_a_name_that_comes_again_is_another_column() {
    let project = Project::new();
    let declared = "[artifact.rows]\npath = \"rows.*\"\nkind = \"dataset\"\n";
    project.write(b"provenance.toml", declared.as_bytes());
    project.write(b"rows.jsonl", b"{\"a\":1,\"a\":\"x\"}\n{\"b\":2}\n{\"a\":3,\"b\":4}\n");
    project.write(b"rows.csv", b"c,c (2),c,c\n1,x,2.5,true\n");
    project.commit("first");
    let shown = project.text(&["show", "-s"]);
    let lines: Vec<String> =
        shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in [
        "a integer 1 to 3 1 missing",
        "a (2) text 2 missing",
        "b integer 2 to 4 1 missing",
        "c integer 1 to 1",
        "c (2) text",
        "c (3) number 2.5 to 2.5",
        "c (4) boolean",
    ] {
        assert!(lines.iter().any(|shown| shown == line), "{line}: {shown}");
    }
}

#[test]
fn long_labels_are_told_apart_though_only_their_beginning_is_kept() {
    let project = Project::new();
    let declared = "[artifact.rows]\npath = \"rows.jsonl\"\nlabel = \"l\"\n";
    project.write(b"provenance.toml", declared.as_bytes());
    let label = |end: &str| format!("{{\"l\":\"{}{end}\"}}\n", "é".repeat(300));
    let rows = [label("a"), label("b"), label("a"), format!("{{\"l\":\"{}\"}}\n", "é".repeat(200))];
    project.write(b"rows.jsonl", rows.concat().as_bytes());
    project.commit("first");
    let id = profile(&project, "rows", "main").expect("a profile");
    let document: Value = serde_json::from_slice(&project.run(&["cat", &id]).out).expect("JSON");
    let (cut, whole) = (format!("{}…", "é".repeat(200)), "é".repeat(200));
    let values = serde_json::json!([
        {"value": cut, "rows": 2}, {"value": whole, "rows": 1}, {"value": cut, "rows": 1}
    ]);
    assert_eq!(document["label"]["values"], values);
}
