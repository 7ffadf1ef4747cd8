//! A lineage as a graph for other programs: Graphviz and Mermaid.

use std::collections::BTreeMap;
use std::io::Write as _;

use crate::cli::print::Output;
use crate::cli::{Failure, escape};
use crate::repo::{Edge, LineageNode, LineageReport, Link, LinkRole};

/// Gives it as a graph for Graphviz.
pub fn dot(out: &mut Output, report: &LineageReport) -> Result<(), Failure> {
    writeln!(out, "digraph lineage {{\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];")?;
    let (names, edges) = graph(report);
    for (node, (key, label)) in &names {
        let shape = match node {
            LineageNode::Commit(_) => "box",
            LineageNode::Artifact(_) => "ellipse",
        };
        writeln!(out, "  {key} [shape={shape}, label={}];", quoted(label))?;
    }
    for (from, to, role) in edges {
        writeln!(out, "  {from} -> {to} [label={}];", quoted(role))?;
    }
    writeln!(out, "}}")?;
    Ok(())
}

/// Gives it as a graph for Mermaid, which Markdown viewers draw.
pub fn mermaid(out: &mut Output, report: &LineageReport) -> Result<(), Failure> {
    writeln!(out, "flowchart LR")?;
    let (names, edges) = graph(report);
    for (node, (key, label)) in &names {
        // Quotes and brackets end a label; Mermaid takes them as entities.
        let label = label.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
        match node {
            LineageNode::Commit(_) => writeln!(out, "  {key}[\"{label}\"]")?,
            LineageNode::Artifact(_) => writeln!(out, "  {key}([\"{label}\"])")?,
        }
    }
    for (from, to, role) in edges {
        writeln!(out, "  {from} -->|{role}| {to}")?;
    }
    Ok(())
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

type Names = BTreeMap<LineageNode, (String, String)>;

/// Names all nodes, and gives the edges in the direction in which data flows.
fn graph(report: &LineageReport) -> (Names, Vec<(String, String, &'static str)>) {
    let mut names = Names::new();
    let ends = report.edges.iter().flat_map(|edge| [edge.from, edge.to]);
    for node in ends.chain([report.start]) {
        let number = names.len();
        let label = match node {
            LineageNode::Commit(id) => match report.commits.get(&id).and_then(|of| of.run.as_ref())
            {
                Some(run) => format!("run {}", run.name),
                None => format!("commit {}", id.short()),
            },
            LineageNode::Artifact(id) => {
                let name = report.names.get(&id).map(String::as_str).unwrap_or_default();
                format!("{name} {}", id.short())
            }
        };
        // Of two ids somebody can make the first digits the same.
        let key = match node {
            LineageNode::Commit(id) => format!("c{}_{number}", id.short()),
            LineageNode::Artifact(id) => format!("a{}_{number}", id.short()),
        };
        let stale = if report.stale.of(&node).is_empty() { "" } else { " (stale)" };
        names.entry(node).or_insert((key, escape::line(&format!("{label}{stale}"))));
    }
    let key = |node: &LineageNode| names.get(node).map(|(key, _)| key.clone()).unwrap_or_default();
    let flows = |edge: &Edge<LineageNode, Link>| {
        let (from, to) = (key(&edge.from), key(&edge.to));
        // A run leads to its outputs, and inputs lead to their run, whichever way it was found.
        let is_forward = match edge.label.role {
            LinkRole::Input => matches!(edge.from, LineageNode::Artifact(_)),
            LinkRole::Output | LinkRole::Artifact => matches!(edge.from, LineageNode::Commit(_)),
            LinkRole::Holds => true,
        };
        let (from, to) = if is_forward { (from, to) } else { (to, from) };
        (from, to, edge.label.role.word())
    };
    let edges = report.edges.iter().map(flows).collect();
    (names, edges)
}
