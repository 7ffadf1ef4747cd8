//! Tables by row: what came, what went, what changed; and files that only look like tables.

use serde_json::Value;

use super::project::Project;

const PEOPLE: &str = "id,name,age\n1,Ada,36\n2,Alan,41\n3,Grace,85\n4,Edsger,72\n";

/// Records `old`, writes `new`, and gives what `diff` says about it.
fn diff(name: &str, old: &[u8], new: &[u8], words: &[&str]) -> String {
    let project = Project::new();
    project.write(name.as_bytes(), old);
    project.commit("first");
    project.write(name.as_bytes(), new);
    project.text(&[&["diff"], words].concat())
}

fn json(name: &str, old: &[u8], new: &[u8]) -> Value {
    let line = diff(name, old, new, &["--json"]);
    let document: Value = serde_json::from_str(&line).expect("JSON");
    document["content"].clone()
}

#[test]
fn rows_are_told_apart_by_their_key() {
    let new = "id,name,age\n4,Edsger,72\n1,Ada,37\n3,Grace,85\n5,Barbara,\n";
    let text = diff("people.csv", PEOPLE.as_bytes(), new.as_bytes(), &[]);
    let expected = "\
changed people.csv  54 B → 55 B
  4 rows: 1 changed, 1 added, 1 removed, 1 moved, told apart by id
  ~ 1 (line 2 → 3): age 36 → 37
  - 2 (line 3): id 2, name Alan, age 41
  + 5 (line 5): id 5, name Barbara, age \"\"
";
    assert_eq!(text, expected);
    let stat = diff("people.csv", PEOPLE.as_bytes(), new.as_bytes(), &["--stat"]);
    assert!(stat.contains("+1 -1 ~1 rows"), "{stat}");
    let lines = diff("people.csv", PEOPLE.as_bytes(), new.as_bytes(), &["--lines"]);
    assert!(lines.contains("\n-1,Ada,36\n"), "{lines}");
    let one = diff("people.csv", PEOPLE.as_bytes(), b"id,name,age\n", &["--rows", "1"]);
    assert!(one.ends_with("and 3 rows more (--rows N shows more)\n"), "{one}");
}

#[test]
fn a_declared_key_is_believed() {
    let project = Project::new();
    let declared = "[artifact.people]\npath = \"data\"\nkey = \"name\"\n";
    project.write(b"provenance.toml", declared.as_bytes());
    project.write(b"data/people.csv", PEOPLE.as_bytes());
    project.commit("first");
    project.write(b"data/people.csv", PEOPLE.replace("2,Alan,41", "9,Alan,1").as_bytes());
    let text = project.text(&["diff"]);
    assert!(text.contains("~ Alan (line 3): id 2 → 9, age 41 → 1\n"), "{text}");
}

#[test]
fn columns_that_came_went_and_have_another_name() {
    let new = "id,full name,city\n1,Ada,London\n2,Alan,Bletchley\n3,Grace,x\n4,Edsger,y\n";
    let answer = json("people.csv", PEOPLE.as_bytes(), new.as_bytes());
    assert_eq!(answer["columns"]["renamed"][0]["new"], "full name");
    let columns = (&answer["columns"]["removed"][0], &answer["columns"]["added"][0]);
    assert_eq!(columns, (&"age".into(), &"city".into()), "{answer}");
    let new = "id,name,age,city\n1,Ada,36,London\n2,Alan,41,x\n3,Grace,85,y\n4,Edsger,72,z\n";
    let text = diff("people.csv", PEOPLE.as_bytes(), new.as_bytes(), &[]);
    assert!(text.contains("  1 column added: city\n"), "{text}");
    assert!(text.contains(": the same values in the columns that both have"), "{text}");
}

#[test]
fn lines_of_json_are_rows_too() {
    let old = "{\"id\": 1, \"x\": {\"a\": 1, \"b\": 2}}\n{\"id\": 2, \"x\": 1.0}\n";
    let new = "{\"x\":{\"b\":2,\"a\":1},\"id\":1}\n{\"id\":2,\"x\":1.00}\n{\"id\":3}\n";
    let answer = json("rows.jsonl", old.as_bytes(), new.as_bytes());
    assert_eq!((&answer["changed"], &answer["added"]), (&1.into(), &1.into()), "{answer}");
    let cell = serde_json::json!({"column": "x", "old": "1.0", "new": "1.00"});
    assert_eq!(answer["samples"][0]["cells"], serde_json::json!([cell]));
}

#[test]
fn another_spelling_is_no_other_row() {
    let new = "\u{feff}\"id\";name;age\r\n1;\"Ada\";36\r\n2;Alan;41\r\n3;Grace;85\r\n4;Edsger;72";
    let text = diff("people.csv", PEOPLE.as_bytes(), new.as_bytes(), &[]);
    assert!(text.contains("4 rows: the same rows, spelled in another way"), "{text}");
}

#[test]
fn what_is_no_table_is_compared_as_what_it_is() {
    let half = b"id,name\n1,\"Ada\n2,Alan\n";
    let text = diff("x.csv", b"id,name\n1,Ada\n", half, &[]);
    let why =
        "\n  not compared by row: new version: a quote in line 2 is not closed\n--- a/x.csv\n";
    assert!(text.contains(why) && text.contains("\n@@ "), "{text}");
    assert!(!diff("x.csv", b"id,name\n1,Ada\n", half, &["--lines"]).contains("not compared"));
    assert!(diff("x.csv", b"id,name\n1,Ada\n", b"", &[]).contains("\n-1,Ada\n"));
    assert!(diff("x.csv", b"id,name\n1,Ada\n", b"PK\0\x01", &[]).contains("binary"));
    let utf16: Vec<u8> = PEOPLE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(diff("x.csv", PEOPLE.as_bytes(), &utf16, &[]).contains("binary"));
    let names = diff("x.csv", PEOPLE.as_bytes(), b"id,name,age\n", &[]);
    assert!(names.contains("4 → 0 rows: 4 removed"), "{names}");
    let latin = diff("x.csv", PEOPLE.as_bytes(), b"id,name,age\n1,Ad\xe9,36\n", &[]);
    assert!(latin.contains("name Ada → Ad\u{fffd}"), "{latin}");
    let ragged = b"id,name,age\n1,Ada\n2,Alan,41,9\n3,Grace,85\n4,Edsger,72\n5,a,b\n6,a,b\n7,a,b\n\
        8,a,b\n9,a,b\n10,a,b\n11,a,b\n12,a,b\n";
    let text = diff("x.csv", PEOPLE.as_bytes(), ragged, &[]);
    assert!(text.contains("~ 1 (line 2): age 36\n"), "{text}");
    assert!(text.contains("~ 2 (line 3): column 4 9\n"), "{text}");
}

#[test]
fn why_a_file_is_no_table_is_said_in_a_line() {
    let why = |name: &str, old: &[u8], new: &[u8]| {
        let line = diff(name, old, new, &["--json"]);
        let document: Value = serde_json::from_str(&line).expect("JSON");
        document["no_table"].as_str().map(str::to_owned).unwrap_or_default()
    };
    let good = b"id,name\n1,Ada\n2,Alan\n".as_slice();
    let ragged = b"id,name\n1\n2,a,b\n3,a\n".as_slice();
    assert_eq!(why("x.csv", good, ragged), "new version: 2 of its first 3 rows are ragged");
    let prose = b"Dear all\nthis is no table\n".as_slice();
    assert_eq!(why("x.csv", prose, good), "old version: its rows have no two columns");
    assert_eq!(why("x.csv", good, b"id,n\0me\n"), "new version: it holds NUL bytes");
    assert_eq!(why("x.csv", good, b"what,else\nx,y\n"), "the versions have no column in common");
    // The quote is opened beyond what is looked at to find the columns.
    let long = format!("id,name\n{}3,\"Ada\n", "1,Alan\n".repeat(200_000));
    assert_eq!(why("x.csv", good, long.as_bytes()), "a quote in line 200002 is not closed");
    let object = b"{\"id\": 1}\n".as_slice();
    assert_eq!(
        why("x.jsonl", object, b"{\"id\": 1}\n[2]\n"),
        "new version: line 2 is no JSON object"
    );
    assert_eq!(why("x.jsonl", object, b"{\"n\": \"\xe9\"}\n"), "new version: line 1 is not UTF-8");
    let wide = format!("{{\"id\": \"{}\"}}\n", "x".repeat(17 << 20));
    let too_long = "new version: the row in line 1 is longer than 16 MiB";
    assert_eq!(why("x.jsonl", object, wide.as_bytes()), too_long);
    assert_eq!(why("x.csv", good, b""), "");
}

#[test]
fn wide_and_long_rows_are_rows() {
    let names: Vec<String> = (0..100_000).map(|column| format!("c{column}")).collect();
    let row = |first: &str| format!("{first}{}\n", ",1".repeat(99_999));
    let header = format!("{}\n", names.join(","));
    let (old, new) = (format!("{header}{}", row("1")), format!("{header}{}", row("2")));
    let text = diff("wide.csv", old.as_bytes(), new.as_bytes(), &[]);
    assert!(text.contains("~ line 2: c0 1 → 2\n"), "{text}");
    let line = |word: &str| format!("{{\"id\":1,\"text\":\"{}{word}\"}}\n", "x".repeat(10 << 20));
    let answer = json("long.jsonl", line("a").as_bytes(), line("b").as_bytes());
    assert_eq!(answer["changed"], 1, "{answer}");
}

#[test]
fn what_a_cell_holds_moves_no_cursor() {
    let new = PEOPLE.replace("Alan", "\u{1b}[2JAlan");
    let text = diff("people.csv", PEOPLE.as_bytes(), new.as_bytes(), &[]);
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn no_content_of_a_cell_makes_two_rows_one() {
    // What once stood between cells, and for a cell that is not there, stands in cells here.
    let rows: &[(&str, &str, &str)] = &[
        ("x.csv", "a,b\nx\u{1f}y,z\nmore,1\n", "a,b\nx,y\u{1f}z\nmore,1\n"),
        ("x.csv", "a,b\nx\nmore,1\nmore,2\nmore,3\nmore,4\n", {
            "b,a\n\u{1e},x\n1,more\n2,more\n3,more\n4,more\n"
        }),
        ("x.jsonl", "{\"a\u{1e}1\u{1f}b\":2}\n", "{\"a\":1,\"b\":2}\n"),
        ("x.jsonl", "{\"\":1}\n{\"\":2}\n", "{\"\":1}\n2\n"),
    ];
    for (name, old, new) in rows {
        let text = diff(name, old.as_bytes(), new.as_bytes(), &[]);
        assert!(!text.contains("the same rows"), "{old:?} {new:?}: {text}");
    }
}

#[test]
fn a_row_without_a_key_that_kept_half_of_its_cells_is_a_changed_one() {
    // Each comparison draws another hash key, which must not decide.
    let project = Project::new();
    let columns = |count: usize| -> String {
        (0..count).map(|at| format!("{}c{at}", if at > 0 { "," } else { "" })).collect()
    };
    let row = |count: usize, other: usize| -> String {
        let cell = |at: usize| {
            format!("{}{}{at}", if at > 0 { "," } else { "" }, if at < other { "new" } else { "v" })
        };
        (0..count).map(cell).collect()
    };
    let table = |count: usize, other: usize| {
        format!("{}\n{}\n{}\n", columns(count), row(count, other), row(count, count))
    };
    for count in 2..32 {
        let path = format!("half-{count}.csv");
        project.write(path.as_bytes(), table(count, 0).as_bytes());
        project.write(format!("less-{count}.csv").as_bytes(), table(count, 0).as_bytes());
    }
    project.commit("first");
    for count in 2..32 {
        let (half, less) = (table(count, count / 2), table(count, count / 2 + 1));
        project.write(format!("half-{count}.csv").as_bytes(), half.as_bytes());
        project.write(format!("less-{count}.csv").as_bytes(), less.as_bytes());
    }
    let text = project.text(&["diff", "--stat"]);
    for count in 2..32 {
        let line = |name: &str| {
            let name = format!("{name}-{count}.csv");
            text.lines().find(|line| line.contains(&name)).unwrap_or_default()
        };
        assert!(line("half").contains("~1 rows"), "{}", line("half"));
        let is_other = line("less").contains("+1 -1") && !line("less").contains("~1");
        assert!(is_other, "{}", line("less"));
    }
}

#[test]
fn rows_that_come_again_did_not_move() {
    let rows = "a,b\nsame,1\nsame,1\nsame,1\n";
    let far: String = (0..100).map(|row| format!("x{row},y\n")).collect();
    // What stands before the rows that come again is far too much to look ahead over.
    let old = format!("{rows}last,2\n");
    let new = format!("a,b\n{far}same,1\nsame,1\nsame,1\nlast,2\n");
    let answer = json("x.csv", old.as_bytes(), new.as_bytes());
    assert_eq!((&answer["added"], &answer["moved"]), (&100.into(), &0.into()), "{answer}");
}
