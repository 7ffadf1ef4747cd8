//! A lineage as a tree in the terminal; what was drawn already is only named again.

use std::collections::{HashMap, HashSet};
use std::io::Write as _;

use crate::cli::print::Output;
use crate::cli::{Failure, commit_text, escape, run_text, units};
use crate::object::{Commit, ObjectId};
use crate::repo::{Direction, Edge, LineageNode, LineageReport, Link, LinkRole};

/// Most branches of one node that are drawn; the others are counted.
const BRANCHES_MAX: usize = 50;

/// Most levels that are drawn.
const LEVELS_MAX: usize = 64;

type Edges<'r> = HashMap<LineageNode, Vec<&'r Edge<LineageNode, Link>>>;

/// Draws it.
pub fn draw(out: &mut Output, report: &LineageReport, direction: Direction) -> Result<(), Failure> {
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
fn commit_line(out: &Output, id: &ObjectId, commit: &Commit) -> String {
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
