//! A lineage as a tree in the terminal, as a graph for other programs, and as JSON.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write as _;

use super::print::Output;
use super::{Failure, commit_text, escape, run_text, units};
use crate::object::Commit;
use crate::repo::{Direction, Edge, JournalPoint, LineageNode, LineageReport, Link, LinkRole};

/// Most branches of one node that are drawn; the others are counted.
const BRANCHES_MAX: usize = 50;

/// Most levels that are drawn.
const LEVELS_MAX: usize = 64;

type Edges<'r> = HashMap<LineageNode, Vec<&'r Edge<LineageNode, Link>>>;

/// Draws it as a tree; what was drawn already is only named again.
pub fn tree(out: &mut Output, report: &LineageReport, direction: Direction) -> Result<(), Failure> {
    let mut edges: Edges<'_> = HashMap::new();
    for edge in &report.edges {
        edges.entry(edge.from).or_default().push(edge);
    }
    let mut drawing = Drawing { report, direction, edges, drawn: HashSet::new() };
    let name = match report.start {
        LineageNode::Artifact(_) => escape::line(&report.name),
        LineageNode::Commit(_) => String::new(),
    };
    let line = drawing.node(out, report.start, &name);
    writeln!(out, "{line}")?;
    if report.edges.is_empty() {
        let nothing = match (report.start, direction) {
            (LineageNode::Artifact(_), Direction::Up) => "No run has made it.",
            (LineageNode::Artifact(_), Direction::Down) => "No run has read it.",
            (LineageNode::Commit(_), Direction::Up) => "It names nothing that it has read.",
            (LineageNode::Commit(_), Direction::Down) => "It names nothing that it has made.",
        };
        writeln!(out, "{nothing}")?;
        return Ok(());
    }
    drawing.below(out, report.start, &mut Vec::new())
}

struct Drawing<'r> {
    report: &'r LineageReport,
    direction: Direction,
    edges: Edges<'r>,
    drawn: HashSet<LineageNode>,
}

impl Drawing<'_> {
    /// Draws what a node leads to. `bars` says for each level above whether its line goes on.
    fn below(
        &mut self,
        out: &mut Output,
        node: LineageNode,
        bars: &mut Vec<bool>,
    ) -> Result<(), Failure> {
        self.drawn.insert(node);
        let edges = self.edges.get(&node).cloned().unwrap_or_default();
        if bars.len() >= LEVELS_MAX && !edges.is_empty() {
            writeln!(out, "{}… and so on (--format json has all)", stem(bars, true))?;
            return Ok(());
        }
        let shown = edges.len().min(BRANCHES_MAX);
        let more = edges.len() - shown;
        for (at, edge) in edges.iter().take(shown).enumerate() {
            let is_last = at + 1 == shown && more == 0;
            let (word, name) = self.words(edge);
            let again = self.drawn.contains(&edge.to) && self.edges.contains_key(&edge.to);
            let node = self.node(out, edge.to, &name);
            let again = if again { " (above)" } else { "" };
            writeln!(out, "{}{word}{node}{again}", stem(bars, is_last))?;
            if again.is_empty() {
                bars.push(!is_last);
                self.below(out, edge.to, bars)?;
                bars.pop();
            }
        }
        if more > 0 {
            let more = units::count(more as u64, "more");
            writeln!(out, "{}… and {more} (--format json has all)", stem(bars, true))?;
        }
        Ok(())
    }

    /// Says how a node is reached, and how it is called there.
    fn words(&self, edge: &Edge<LineageNode, Link>) -> (String, String) {
        let path = escape::path(edge.label.path.as_bytes());
        let within = edge.label.within.as_ref().map(|_| format!("in {path} "));
        let within = within.unwrap_or_default();
        match (edge.label.role, self.direction) {
            (LinkRole::Holds, _) => ("holds ".to_owned(), path),
            (LinkRole::Output, Direction::Up) => (format!("made {within}by "), String::new()),
            (LinkRole::Input, Direction::Down) => (format!("read {within}by "), String::new()),
            _ => (String::new(), path),
        }
    }

    fn node(&self, out: &Output, node: LineageNode, name: &str) -> String {
        let mut line = self.bare_node(out, node, name);
        let stale = self.report.stale.of(&node);
        if !stale.is_empty() {
            let words = format!("stale: {}", escape::line(&stale.join(", ")));
            line.push_str(&format!("  {}", out.paint.removed(words)));
        }
        line
    }

    fn bare_node(&self, out: &Output, node: LineageNode, name: &str) -> String {
        match node {
            LineageNode::Commit(id) => match self.report.commits.get(&id) {
                Some(commit) => commit_line(out, &id, commit),
                None => out.paint.id(id.short()),
            },
            LineageNode::Artifact(id) => {
                let mut parts = Vec::new();
                if !name.is_empty() {
                    parts.push(out.paint.heading(name));
                }
                if let Some(content) = self.report.contents.get(&id) {
                    parts.push(content.kind.to_string());
                    parts.push(out.paint.id(id.short()));
                    if content.files != 1 {
                        parts.push(units::count(content.files, "file"));
                    }
                    if content.bytes > 0 {
                        parts.push(units::bytes(content.bytes));
                    }
                } else {
                    parts.push(out.paint.id(id.short()));
                }
                parts.join("  ")
            }
        }
    }
}

/// Says in a line what a run, or another commit, is.
fn commit_line(out: &Output, id: &crate::object::ObjectId, commit: &Commit) -> String {
    let short = out.paint.id(id.short());
    let Some(run) = &commit.run else {
        return format!("commit {short}  {}", commit_text::subject(&commit.message));
    };
    let mut line = format!("run {}  {short}", out.paint.heading(escape::line(&run.name)));
    line.push_str(&format!("  {}", units::time(run.started.0)));
    let few = run_text::few_values(run);
    if !few.is_empty() {
        line.push_str(&format!("  {}", escape::line(&few)));
    }
    if run.exit_code.is_some_and(|code| code != 0) {
        line.push_str("  failed");
    }
    if let Some(base) = commit.fine_tune.as_ref().and_then(|tune| tune.base.as_deref()) {
        line.push_str(&format!("  base {}", escape::line(base)));
    }
    line
}

fn stem(bars: &[bool], is_last: bool) -> String {
    let mut stem: String =
        bars.iter().map(|goes_on| if *goes_on { "│  " } else { "   " }).collect();
    stem.push_str(if is_last { "└─ " } else { "├─ " });
    stem
}

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
        let key = match node {
            LineageNode::Commit(id) => format!("c{}", id.short()),
            LineageNode::Artifact(id) => format!("a{}", id.short()),
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

/// Gives it for JSON.
pub fn json(report: &LineageReport) -> serde_json::Value {
    let mut nodes = BTreeMap::new();
    let ends = report.edges.iter().flat_map(|edge| [edge.from, edge.to]);
    for node in ends.chain([report.start]) {
        nodes.entry(node).or_insert_with(|| node_json(report, node));
    }
    let edges: Vec<_> = report.edges.iter().map(edge_json).collect();
    serde_json::json!({
        "start": report.start.id().to_record(),
        "changed": report.has_changed,
        "nodes": nodes.into_values().collect::<Vec<_>>(),
        "edges": edges,
        "journal": journal_json(&report.journal),
    })
}

fn edge_json(edge: &Edge<LineageNode, Link>) -> serde_json::Value {
    serde_json::json!({
        "from": edge.from.id().to_record(), "to": edge.to.id().to_record(),
        "role": edge.label.role.word(), "path": edge.label.path,
        "within": within_json(&edge.label),
    })
}

/// Gives the directory of which content was a part for JSON, or null.
pub fn within_json(link: &Link) -> serde_json::Value {
    match &link.within {
        Some(within) => serde_json::json!({"id": within.id.to_record(), "path": within.path}),
        None => serde_json::Value::Null,
    }
}

fn node_json(report: &LineageReport, node: LineageNode) -> serde_json::Value {
    match node {
        LineageNode::Commit(id) => {
            let commit = report.commits.get(&id);
            let run = commit.and_then(|commit| commit.run.as_ref());
            serde_json::json!({
                "id": id.to_record(),
                "type": if run.is_some() { "run" } else { "commit" },
                "name": run.map(|run| run.name.as_str()),
                "started": run.and_then(|run| run.started.to_record()),
                "exit_code": run.and_then(|run| run.exit_code),
                "subject": commit.map(|commit| commit_text::first_line(&commit.message)),
                "stale": report.stale.of(&node),
            })
        }
        LineageNode::Artifact(id) => {
            let content = report.contents.get(&id);
            serde_json::json!({
                "id": id.to_record(),
                "type": "artifact",
                "path": report.names.get(&id),
                "kind": content.map(|content| content.kind.as_str()),
                "files": content.map(|content| content.files),
                "bytes": content.map(|content| content.bytes),
                "stale": report.stale.of(&node),
            })
        }
    }
}

/// Gives a state of the journal for JSON.
pub fn journal_json(point: &JournalPoint) -> serde_json::Value {
    serde_json::json!({"size": point.size, "root": point.root.to_string()})
}
