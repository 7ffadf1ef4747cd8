//! The rules of style as tests: each finding is one line, `path:line: what`, and all are shown.

mod layers;
mod pages;
mod sizes;
mod sources;
mod words;

use sources::Source;

/// Fails with every finding, one a line.
#[track_caller]
fn assert_none(findings: &[String], rule: &str) {
    let list = findings.join("\n  ");
    assert!(findings.is_empty(), "{rule}: {} found\n  {list}\n", findings.len());
}

#[test]
fn every_test_file_is_part_of_the_test_binary() {
    let tests = sources::rust_files_under("tests");
    let findings: Vec<String> = tests
        .iter()
        .filter(|file| file.path != "tests/main.rs" && !is_declared(file, &tests))
        .map(|file| format!("{}: no `mod` leads here", file.path))
        .collect();
    assert_none(&findings, "forgotten test files");
}

/// Tells whether a file of the same folder, or the one above it, declares this one.
fn is_declared(file: &Source, tests: &[Source]) -> bool {
    let stem = file.path.trim_end_matches(".rs").trim_end_matches("/mod");
    let Some((folder, name)) = stem.rsplit_once('/') else { return false };
    let by_name = format!("mod {name};");
    let by_path = format!("#[path = \"{name}.rs\"]");
    tests
        .iter()
        .filter(|other| other.path.starts_with(folder))
        .flat_map(|other| &other.lines)
        .map(|line| line.trim().trim_start_matches("pub "))
        .any(|line| line == by_name || line == by_path)
}
