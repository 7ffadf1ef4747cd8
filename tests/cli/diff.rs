//! `diff`: each pair of states, each way in which a file can differ, in words and in JSON.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::project::Project;

const TEXT: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n";

fn project() -> Project {
    let project = Project::new();
    project.write(b"config.yaml", b"lr: 0.001\nepochs: 3\n");
    project.write(b"data/train.csv", TEXT.as_bytes());
    project.write(b"model.bin", b"\0weights");
    project.write(b"run.sh", b"echo\n");
    project.commit("first");
    project
}

#[test]
fn without_a_change_there_is_nothing_to_say() {
    let project = project();
    for words in
        [&["diff"][..], &["diff", "--staged"], &["diff", "HEAD"], &["diff", "HEAD", "main"]]
    {
        assert_eq!(project.text(words), "", "{words:?}");
    }
    assert_eq!(project.run(&["diff", "--exit-code"]).code, Some(0));
    assert_eq!(project.text(&["diff", "--stat"]), "Nothing differs\n");
    project.write(b"new", b"not tracked");
    assert_eq!(project.text(&["diff", "HEAD"]), "");
}

#[test]
fn configurations_by_key_texts_by_line_and_others_by_kind() {
    let project = project();
    project.write(b"config.yaml", b"lr: 0.01\nepochs: 3\n");
    project.write(b"data/train.csv", TEXT.replace("five", "5").as_bytes());
    project.write(b"model.bin", b"\0WEIGHTS");
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(project.root().join("run.sh"), executable).expect("set");
    let expected = "\
changed config.yaml  20 B → 19 B
  lr: 0.001 → 0.01

changed data/train.csv  40 B → 37 B
  not compared by row: old version: its rows have no two columns
--- a/data/train.csv
+++ b/data/train.csv
@@ -2,7 +2,7 @@
 two
 three
 four
-five
+5
 six
 seven
 eight

changed model.bin  8 B
  binary file

changed run.sh  5 B, file → executable
";
    assert_eq!(project.text(&["diff"]), expected);
    assert_eq!(project.text(&["diff", "HEAD"]), expected);
    project.add();
    assert_eq!(project.text(&["diff"]), "");
    assert_eq!(project.text(&["diff", "--staged"]), expected);
    project.commit("second");
    assert_eq!(project.text(&["diff", "HEAD~1", "HEAD"]), expected);
    assert_eq!(project.text(&["diff", "HEAD~1..HEAD"]), expected);
    assert_eq!(project.text(&["diff", "HEAD~1"]), expected, "against the worktree");
    assert_eq!(
        project.text(&["diff", "HEAD~1", "HEAD", "--name-status", "--", "data", "run.sh"]),
        "M\tdata/train.csv\nM\trun.sh\n"
    );
    let one = "M\tdata/train.csv\n";
    assert_eq!(project.text(&["diff", "--name-status", "HEAD~1", "data"]), one);
    assert_eq!(project.text(&["diff", "--name-status", "HEAD~1..main", "data"]), one);
    assert_eq!(project.text(&["diff", "data"]), "");
    assert_eq!(project.run(&["diff", "neither"]).code, Some(2));
    let answer = project.run(&["diff", "--exit-code", "-q", "HEAD~1"]);
    assert_eq!((answer.code, answer.out), (Some(1), Vec::new()));
    let stat = project.text(&["diff", "HEAD~1", "HEAD", "--stat"]);
    assert!(stat.contains("+1 -1") && stat.ends_with("4 files: 4 changed\n"), "{stat}");
}

#[test]
fn a_commit_against_the_worktree_sees_past_the_stage() {
    let project = project();
    project.write(b"config.yaml", b"lr: 0.5\nepochs: 3\n");
    project.add();
    project.write(b"config.yaml", b"lr: 0.001\nepochs: 3\n");
    assert_eq!(project.text(&["diff", "--name-status"]), "M\tconfig.yaml\n");
    assert_eq!(project.text(&["diff", "HEAD"]), "", "the worktree is as HEAD again");
    project.write(b"config.yaml", b"lr: 0.7\nepochs: 3\n");
    let changed = project.text(&["diff", "HEAD"]);
    assert!(changed.contains("lr: 0.001 → 0.7"), "{changed}");
    fs::remove_file(project.root().join("config.yaml")).expect("removed");
    fs::remove_file(project.root().join("run.sh")).expect("removed");
    assert_eq!(project.text(&["diff", "HEAD", "--name-status"]), "D\tconfig.yaml\nD\trun.sh\n");
}

#[test]
fn renames_are_found_by_content_and_by_lines() {
    let project = project();
    fs::remove_file(project.root().join("model.bin")).expect("removed");
    project.write(b"old/model.bin", b"\0weights");
    fs::remove_dir_all(project.root().join("data")).expect("removed");
    project.write(b"rows.csv", TEXT.replace("five", "5").as_bytes());
    project.commit("moved");
    let names = project.text(&["diff", "HEAD~1", "HEAD", "--name-status"]);
    assert_eq!(names, "R100\tmodel.bin\told/model.bin\nR087\tdata/train.csv\trows.csv\n");
    let full = project.text(&["diff", "HEAD~1", "HEAD"]);
    assert!(full.starts_with("renamed model.bin → old/model.bin  8 B\n\n"), "{full}");
    assert!(full.contains("renamed data/train.csv → rows.csv (87 %)  40 B → 37 B\n"), "{full}");
    assert!(full.contains("\n--- a/data/train.csv\n+++ b/rows.csv\n@@"), "{full}");
}

#[test]
fn links_and_kinds_that_change_are_told() {
    let project = project();
    symlink("run.sh", project.root().join("link")).expect("linked");
    project.commit("a link");
    let remove = |name: &str| fs::remove_file(project.root().join(name)).expect("removed");
    remove("link");
    symlink("model.bin", project.root().join("link")).expect("linked");
    remove("run.sh");
    symlink("/dev/zero", project.root().join("run.sh")).expect("linked");
    remove("model.bin");
    project.write(b"model.bin/inside", b"1");
    let expected = "\
changed link  6 B → 9 B
  link to run.sh → model.bin

removed model.bin  8 B
  binary file

retyped run.sh  5 B → 9 B, file → symlink
  link to /dev/zero
";
    assert_eq!(project.text(&["diff"]), expected);
}

#[test]
fn names_of_any_bytes_are_shown_and_json_is_exact() {
    let project = Project::new();
    project.write(b"caf\xe9\n\x1b[2J", b"one\n");
    project.commit("first");
    project.write(b"caf\xe9\n\x1b[2J", b"t\x1b[2Jwo\n");
    let text = project.text(&["diff"]);
    assert!(!text.contains('\u{1b}') && text.contains(r#"changed "caf\xe9\n\u{1b}[2J""#), "{text}");
    let line = project.text(&["diff", "--json"]);
    let object: serde_json::Value = serde_json::from_str(&line).expect("one document");
    assert_eq!(object["change"], "changed");
    assert_eq!(object["path_hex"], "636166e90a1b5b324a");
    assert_eq!(object["content"]["hunks"][0]["lines"][1], "+t\u{1b}[2Jwo");
    assert_eq!(object["old"]["bytes"], 4);
}

#[test]
fn what_is_too_large_is_not_loaded_and_before_the_first_commit_all_is_new() {
    let project = Project::new();
    assert_eq!(project.text(&["diff"]), "");
    assert_eq!(project.text(&["diff", "--staged"]), "");
    project.write(b"large.txt", &b"line\n".repeat(1_000_000));
    project.write(b"large.bin", &vec![0; 6_000_000]);
    project.write(b"empty", b"");
    project.add();
    let expected = "\
added empty  0 B

added large.bin  5.72 MiB
  binary file

added large.txt  4.77 MiB
  text, too large for a patch
";
    assert_eq!(project.text(&["diff", "--staged"]), expected);
    assert_eq!(project.run(&["diff", "HEAD"]).code, Some(2));
    assert_eq!(project.run(&["diff", "a", "b", "c"]).code, Some(2));
}

/// A file of weights with two tensors of two bytes each.
fn weights(dtype: &str, values: &[u8; 4]) -> Vec<u8> {
    let tensor = |from: u8| {
        let offsets = [from, from + 2];
        serde_json::json!({"dtype": dtype, "shape": [2], "data_offsets": offsets})
    };
    let header = serde_json::json!({"a": tensor(0), "b": tensor(2)}).to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), values].concat()
}

#[test]
fn weights_differ_tensor_by_tensor() {
    let project = Project::new();
    project.write(b"model.safetensors", &weights("U8", b"aabb"));
    project.commit("first");
    project.write(b"model.safetensors", &weights("U8", b"aabc"));
    let expected = "safetensors weights, 2 tensors, 1 changed\n";
    assert!(project.text(&["diff"]).contains(expected));
    project.write(b"model.safetensors", &weights("I8", b"aabb"));
    let text = project.text(&["diff"]);
    assert!(text.contains("safetensors weights, 2 tensors, 2 reshaped\n"), "{text}");
    project.write(b"model.safetensors", &[&[0xff; 8][..], b"no weights at all"].concat());
    assert!(project.text(&["diff"]).contains("\n  safetensors weights\n"));
}
