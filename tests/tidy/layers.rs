//! Who may import whom, and what a layer may not do: the table of `docs/architecture.md`.

use super::assert_none;
use super::sources::{self, Source};

/// The layers that each layer may name with `crate::`; itself always.
const IMPORTS: &[(&str, &[&str])] = &[
    ("object", &[]),
    ("graph", &["object"]),
    ("format", &["object"]),
    ("storage", &["listing"]),
    ("store", &["storage", "format", "object", "graph", "clock", "listing", "progress", "threads"]),
    ("worktree", &["object", "format", "clock", "listing", "progress", "threads"]),
    ("capture", &["object", "format", "clock", "listing", "progress", "threads"]),
    ("trust", &["object", "format", "clock", "progress"]),
    (
        "repo",
        &[
            "store", "worktree", "capture", "trust", "graph", "object", "clock", "progress",
            "threads",
        ],
    ),
    ("cli", &["repo", "object", "clock", "progress"]),
];

/// Texts that may not stand in a layer's code, and files that may all the same.
const FORBIDDEN: &[(&[&str], &[&str], &[&str])] = &[
    (
        &["object", "graph", "format"],
        &[
            "std::fs",
            "std::net",
            "std::env",
            "std::thread",
            "std::time",
            "std::process",
            "crossbeam",
            "rustix::",
            "getrandom::",
            "async fn",
            "async move",
        ],
        &[],
    ),
    (&["storage"], &["async fn", "async move"], &["src/storage/bucket.rs"]),
    (
        &["store"],
        &["std::fs"],
        &["src/store/cache.rs", "src/store/graph_cache.rs", "src/store/segment.rs"],
    ),
    (&["repo"], &["std::fs", "print!(", "println!(", "std::io::stdout"], &[]),
    // Each panics where the system gives no thread: `src/threads.rs` has what does not.
    (
        &["store", "storage", "worktree", "capture", "trust", "repo", "cli"],
        &["thread::spawn(", "scope.spawn("],
        &[],
    ),
    // Each panics where a folder cannot be closed: `src/listing.rs` has what does not.
    (
        &["store", "storage", "worktree", "capture", "trust", "repo", "cli"],
        &["read_dir(", "remove_dir_all("],
        &[],
    ),
    (
        &["store", "storage", "worktree", "capture", "trust", "repo"],
        &["process::exit", "io::stdout", "io::stderr", "ExitCode"],
        &[],
    ),
];

#[test]
fn a_layer_imports_only_what_the_table_allows() {
    let mut findings = Vec::new();
    for source in sources::rust_files_under("src") {
        let Some(layer) = source.layer() else { continue };
        let Some((_, allowed)) = IMPORTS.iter().find(|(name, _)| *name == layer) else {
            findings.push(format!("{}:1: `{layer}` is not a layer of the map", source.path));
            continue;
        };
        for (line, import) in imports(&source) {
            if import != layer && !allowed.contains(&import.as_str()) {
                let path = &source.path;
                findings.push(format!("{path}:{line}: `{layer}` may not import `{import}`"));
            }
        }
    }
    assert_none(&findings, "imports against the layers");
}

/// Finds the first segment after each `crate::`, in groups too, and `super::` that leaves a layer.
fn imports(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let code: Vec<(usize, &str)> = source.code().collect();
    // src/cli/exit.rs is two modules deep: super:: twice would leave its layer.
    let is_head = source.path.ends_with("/mod.rs");
    let depth = source.path.matches('/').count() - usize::from(is_head);
    let leaves = "super::".repeat(depth);
    for (at, (line, text)) in code.iter().enumerate() {
        for (position, _) in text.match_indices("crate::") {
            let rest = &text[position + "crate::".len()..];
            if rest.starts_with('{') {
                let heads = group_heads(&statement(&code[at..]));
                found.extend(heads.into_iter().map(|head| (*line, head)));
            } else {
                found.push((*line, head(rest)));
            }
        }
        if text.contains(&leaves) {
            found.push((*line, "another layer through super::".to_owned()));
        }
    }
    found.retain(|(_, import)| !import.is_empty());
    found
}

/// Joins the lines from here to the end of the statement.
fn statement(code: &[(usize, &str)]) -> String {
    let ends = code.iter().position(|(_, text)| text.contains(';')).unwrap_or(0);
    code[..=ends].iter().map(|(_, text)| *text).collect()
}

fn head(path: &str) -> String {
    path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Gives the first segments of `use crate::{a::b, c::{d, e}};`: a and c.
fn group_heads(statement: &str) -> Vec<String> {
    let Some((_, group)) = statement.split_once("crate::{") else { return Vec::new() };
    let mut heads = Vec::new();
    let (mut depth, mut piece) = (1, String::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && c == ',') {
            heads.push(head(piece.trim()));
            piece.clear();
        } else {
            piece.push(c);
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

#[test]
fn a_layer_does_not_do_what_belongs_to_another() {
    let mut findings = Vec::new();
    for source in sources::rust_files_under("src") {
        let Some(layer) = source.layer() else { continue };
        for (layers, texts, excepted) in FORBIDDEN {
            if !layers.contains(&layer) || excepted.contains(&source.path.as_str()) {
                continue;
            }
            for (line, code) in source.code() {
                for text in texts.iter().filter(|text| code.contains(**text)) {
                    findings.push(format!("{}:{line}: `{text}` in `{layer}`", source.path));
                }
            }
        }
    }
    assert_none(&findings, "work in the wrong layer");
}

#[test]
fn decoders_of_foreign_bytes_may_not_index() {
    let mut findings = Vec::new();
    for layer in ["object", "graph", "format"] {
        let head = format!("src/{layer}/mod.rs");
        let is_there = sources::root().join(&head).exists();
        let denies = sources::rust_files_under("src")
            .iter()
            .filter(|source| source.path == head)
            .any(|source| source.lines.iter().any(|l| l.contains("clippy::indexing_slicing")));
        if is_there && !denies {
            findings.push(format!("{head}:1: `clippy::indexing_slicing` is not denied"));
        }
    }
    assert_none(&findings, "unguarded decoders");
}

#[test]
fn groups_and_chains_are_understood() {
    let heads = group_heads("use crate::{store::{Store, blobs::Blob}, object, clock::Clock};");
    assert_eq!(heads, ["store", "object", "clock"]);
    assert_eq!(head("object::ObjectId;"), "object");
}
