//! The same in two splits: counted, shown with file and line, recorded, and not compared twice.

use serde_json::Value;

use super::project::Project;

const DECLARED: &str = "\
[artifact.train]
path = \"train*\"
split = \"train\"
key = \"id\"

[artifact.test]
path = \"test*\"
split = \"test\"
";

fn project(files: &[(&str, &[u8])]) -> Project {
    let project = Project::new();
    project.write(b"provenance.toml", DECLARED.as_bytes());
    for (name, content) in files {
        project.write(name.as_bytes(), content);
    }
    project.add();
    project
}

fn commit(project: &Project, more: &[&str]) -> (String, Value) {
    let plain = project.run(&["commit", "-m", "x"]);
    assert_eq!(plain.code, Some(0), "{}", plain.err);
    let words = [&["commit", "--json", "--allow-empty", "-m", "x"], more].concat();
    let answer: Value = serde_json::from_str(&project.text(&words)).expect("JSON");
    (plain.err, answer["overlaps"].clone())
}

#[test]
fn a_row_in_both_is_told_with_its_places() {
    let train = b"id,name,x\n1,Ada,1\n2,Alan,2\n2,Alan,2\n3,\"Gra\nce\",3\n4,\"A longer name\",4\n"
        .as_slice();
    // The key, blanks, quotes, line ends and the order of columns do not make it another record.
    let test = b"x;name;id\r\n2;\"Alan\" ;77\r\n8;\"Gra\nce\";78\r\n9;Edsger;79\r\n\r\n".as_slice();
    let test = [test, b";;\r\n"].concat();
    let project = project(&[("train.csv", train), ("test.csv", &test)]);
    let (err, pairs) = commit(&project, &[]);
    let told = "warning: 1 of 4 rows (25.0 %) of test is in train too\n  \
                test.csv:2 = train.csv:3: 2,Alan,2\n";
    assert!(err.starts_with(told), "{err}");
    assert_eq!(pairs[0]["rows"], 1);
    let line = |number: u64| serde_json::json!(number);
    assert_eq!(pairs[0]["samples"][0]["line"], line(2));
    let shown = project.text(&["show", "-s"]);
    assert!(shown.contains("\nSplits:\n  test: 4 rows in 1 file\n"), "{shown}");
    assert!(shown.contains("    test.csv:2 = train.csv:3\n"), "{shown}");
    let status = project.text(&["status"]);
    let reminder =
        "In the last commit 1 of 4 rows (25.0 %) of test is in train too (show -s says where)";
    assert!(status.contains(reminder), "{status}");
    let status: Value = serde_json::from_str(&project.text(&["status", "--json"])).expect("JSON");
    assert_eq!(status["overlaps"], pairs);
}

#[test]
fn what_is_the_same_as_before_is_said_in_short() {
    let rows = b"a,b\n1,2\n3,4\n".as_slice();
    let project = project(&[("train.csv", rows), ("test.csv", rows)]);
    let (err, pairs) = commit(&project, &[]);
    let told = "warning: 2 of 2 rows (100.0 %) and 1 of 1 file (100.0 %) of test are in train too";
    assert!(err.starts_with(told), "{err}");
    assert_eq!(pairs[0]["files"], 1, "also where nothing was compared anew");
    project.write(b"other.txt", b"other");
    project.add();
    let again = project.run(&["commit", "-m", "again"]).err;
    assert!(again.contains("are in train too, as before\n"), "{again}");
    assert!(!again.contains("test.csv:2"), "{again}");
    let ids = |name: &str| {
        let line = project.text(&["show", "-s", "--json", name]);
        serde_json::from_str::<Value>(&line).expect("JSON")["overlaps"].clone()
    };
    assert!(ids("main").is_string());
    assert_eq!(ids("main"), ids("main~1"));
    let id = ids("main").as_str().expect("an id").replace("blake3:", "");
    let document: Value = serde_json::from_slice(&project.run(&["cat", &id]).out).expect("JSON");
    assert_eq!(document["pairs"][0]["rows"], 2);
    assert!(!document.to_string().contains("3,4"), "rows do not leave the data");
    project.write(b"train.csv", b"a,b\n5,6\n");
    assert_eq!(project.run(&["commit", "-am", "clean"]).err.find("warning"), None);
    assert!(project.text(&["show", "-s"]).contains("  nothing is in two splits\n"));
    assert!(project.run(&["fsck", "--full"]).code == Some(0));
}

#[test]
fn files_in_directories_and_lines_of_json() {
    let project = project(&[
        ("train/1.png", b"\x89PNG one"),
        ("train/rows.jsonl", b"{\"id\":1,\"t\":\"x\",\"n\":1.5}\n{\"id\":2,\"t\":\"y\",\"n\":2}\n"),
        ("test/a.png", b"\x89PNG one"),
        ("test/b.png", b"\x89PNG two"),
        ("test/rows.csv", b"t,n,more\nx,1.5,0\nz,9,0\n"),
    ]);
    let nested = "[artifact.nested]\npath = \"train/rows.jsonl\"\nsplit = \"train\"\n";
    project.write(b"provenance.toml", format!("{DECLARED}{nested}").as_bytes());
    project.add();
    let (err, pairs) = commit(&project, &[]);
    let shown = project.text(&["show", "-s"]);
    assert!(shown.contains("  train: 2 rows in 2 files\n"), "counted once: {shown}");
    let by_name = |name: &str| pairs[0][name].clone();
    assert_eq!((by_name("rows"), by_name("files")), (1.into(), 1.into()), "{err}");
    assert!(err.contains("test/a.png = train/1.png\n"), "{err}");
    assert!(err.contains("test/rows.csv:2 = train/rows.jsonl:1"), "{err}");
}

#[test]
fn what_cannot_be_compared_is_noted_and_recorded_all_the_same() {
    let project = project(&[
        ("train.csv", b"a,b\n1,2\n"),
        ("test.csv", b"a,b\n1,2\n\"open,3\n"),
        ("test-2.csv", b"only a word"),
        ("test-3.csv", b""),
        ("train-2.csv", b"a,b"),
    ]);
    let (err, pairs) = commit(&project, &[]);
    assert!(err.contains("note: test-2.csv: no table: its rows have no two columns\n"), "{err}");
    assert!(err.contains("note: test.csv: no table: a quote in line 3 is not closed\n"), "{err}");
    assert_eq!(pairs, serde_json::json!([]));
    let other = project_without_common_columns();
    assert!(other.contains("note: the tables of the splits have no column in common"), "{other}");
}

fn project_without_common_columns() -> String {
    let project = project(&[("train.csv", b"a,b\n1,2\n"), ("test.csv", b"c,d\n1,2\n")]);
    commit(&project, &[]).0
}
