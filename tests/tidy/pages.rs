//! Bytes are specified once: each format file cites a page, each page has golden bytes.

use std::fs;

use super::assert_none;
use super::sources::{self, Source};

/// Files of `src/format` and pages of `docs/format` without bytes of their own: shared means.
const WITHOUT_BYTES: &[&str] = &["mod", "error", "field", "layout", "README"];

#[test]
fn each_format_file_cites_its_page() {
    let mut findings = Vec::new();
    for source in sources::rust_files_under("src/format") {
        let stem = source.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        let is_exempt = WITHOUT_BYTES.contains(&stem) || stem.ends_with("_tests");
        if !is_exempt && !cited(&source).iter().any(|(_, page)| page.starts_with("docs/format/")) {
            findings.push(format!("{}:1: its header cites no page of docs/format", source.path));
        }
    }
    assert_none(&findings, "formats without a page");
}

#[test]
fn each_page_that_is_cited_exists() {
    let mut findings = Vec::new();
    for source in ["src", "tests", "benches"].into_iter().flat_map(sources::rust_files_under) {
        for (line, page) in cited(&source) {
            if !sources::root().join(&page).exists() {
                findings.push(format!("{}:{line}: {page} does not exist", source.path));
            }
        }
    }
    assert_none(&findings, "pages that are not there");
}

/// Finds what looks like a page or schema under `docs/`, with line numbers from 1.
fn cited(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, line) in source.lines.iter().enumerate() {
        for (position, _) in line.match_indices("docs/") {
            let page: String = line[position..]
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || "/_-.".contains(*c))
                .collect();
            let page = page.trim_end_matches('.');
            if page.ends_with(".md") || page.ends_with(".json") {
                found.push((at + 1, page.to_owned()));
            }
        }
    }
    found
}

#[test]
fn each_format_page_has_golden_bytes() {
    let mut findings = Vec::new();
    for page in sources::text_files_under("docs/format") {
        let stem = page.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".md");
        if WITHOUT_BYTES.contains(&stem) {
            continue;
        }
        let folder = format!("fixtures/format/v1/{stem}");
        let has_bytes = fs::read_dir(sources::root().join(&folder))
            .is_ok_and(|mut entries| entries.next().is_some());
        if !has_bytes {
            findings.push(format!("{}:1: no golden bytes in {folder}/", page.path));
        }
    }
    assert_none(&findings, "pages without golden bytes");
}

#[test]
fn each_link_in_the_docs_leads_somewhere() {
    let mut findings = Vec::new();
    for page in sources::text_files_under("").iter().filter(|page| page.path.ends_with(".md")) {
        let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (at, line) in page.lines.iter().enumerate() {
            for (position, _) in line.match_indices("](") {
                let target: String =
                    line[position + 2..].chars().take_while(|c| *c != ')' && *c != '#').collect();
                let is_local = !target.is_empty() && !target.contains("://");
                if is_local && !sources::root().join(folder).join(&target).exists() {
                    findings.push(format!("{}:{}: {target} is not there", page.path, at + 1));
                }
            }
        }
    }
    assert_none(&findings, "broken links");
}

#[test]
fn each_test_that_defends_a_promise_exists() {
    let mut pages = sources::text_files_under("docs").into_iter();
    let page = pages.find(|page| page.path == "docs/guarantees.md").expect("the page");
    let mut findings = Vec::new();
    let mut count = 0;
    for (at, line) in page.lines.iter().enumerate() {
        let quoted = line.split('`').skip(1).step_by(2);
        for path in quoted.filter(|path| path.starts_with("tests/") || path.starts_with("src/")) {
            count += 1;
            if !sources::root().join(path).exists() {
                findings.push(format!("{}:{}: {path} is not there", page.path, at + 1));
            }
        }
    }
    assert!(count > 10, "the promises name their tests: {count}");
    assert_none(&findings, "tests that are not there");
}
