//! Nothing is larger than a person reads at once: files, functions, lines; and each says its idea.

use super::assert_none;
use super::sources::{self, Source};

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;
const LINE_CHARS_MAX: usize = 100;

fn rust_files() -> Vec<Source> {
    ["src", "tests", "benches"].into_iter().flat_map(sources::rust_files_under).collect()
}

#[test]
fn files_are_short() {
    let mut findings = Vec::new();
    for source in rust_files() {
        let count = source.lines.len();
        if count > FILE_LINES_MAX {
            findings.push(format!("{}:1: {count} lines of {FILE_LINES_MAX}", source.path));
        }
    }
    assert_none(&findings, "long files");
}

#[test]
fn functions_are_short() {
    let mut findings = Vec::new();
    for source in rust_files() {
        for (at, name, length) in functions(&source.lines) {
            if length > FUNCTION_LINES_MAX {
                let path = &source.path;
                findings.push(format!(
                    "{path}:{}: `{name}` has {length} lines of {FUNCTION_LINES_MAX}",
                    at + 1
                ));
            }
        }
    }
    assert_none(&findings, "long functions");
}

/// Finds functions as rustfmt lays them out: the closing brace stands under the first word.
fn functions(lines: &[String]) -> Vec<(usize, String, usize)> {
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let closing = format!("{}}}", " ".repeat(indent));
        let Some(signature) = lines[at..]
            .iter()
            .position(|line| line.ends_with('{') || line.ends_with(';') || line.ends_with('}'))
        else {
            continue;
        };
        if !lines[at + signature].ends_with('{') {
            continue;
        }
        if let Some(end) = lines[at..].iter().position(|line| *line == closing) {
            found.push((at, name, end + 1));
        }
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let mut rest = line.trim_start();
    for word in ["pub ", "pub(crate) ", "pub(super) ", "const ", "async ", "unsafe "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let rest = rest.strip_prefix("fn ")?;
    Some(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
}

#[test]
fn lines_are_short() {
    let mut findings = Vec::new();
    let scripts = ["fixtures/demo", ".ci", "tests"].into_iter().flat_map(sources::text_files_under);
    let scripts = scripts.filter(|file| file.path.ends_with(".py") || file.path.ends_with(".sh"));
    for source in rust_files().into_iter().chain(scripts) {
        for (at, line) in source.lines.iter().enumerate() {
            let count = line.chars().count();
            if count > LINE_CHARS_MAX {
                findings.push(format!("{}:{}: {count} characters", source.path, at + 1));
            }
        }
    }
    assert_none(&findings, "long lines");
}

#[test]
fn each_file_says_its_idea_first() {
    let mut findings = Vec::new();
    for source in rust_files() {
        if !source.lines.first().is_some_and(|line| line.starts_with("//! ")) {
            findings.push(format!("{}:1: no `//!` header", source.path));
        }
    }
    assert_none(&findings, "files without a header");
}

#[test]
fn a_function_is_measured_from_its_name_to_its_brace() {
    let text = "impl A {\n    pub const fn one(\n        a: u8,\n    ) -> u8 {\n        a\n    }\n\
                \n    fn two(&self) {}\n}\nfn three() {\n}\n";
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let found: Vec<(String, usize)> =
        functions(&lines).into_iter().map(|(_, name, length)| (name, length)).collect();
    assert_eq!(found, [("one".to_owned(), 5), ("three".to_owned(), 2)]);
}
