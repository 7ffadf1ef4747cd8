//! A lineage as JSON, specified in `docs/json.md`.

use std::collections::BTreeMap;

use crate::cli::commit_text;
use crate::repo::{Edge, JournalPoint, LineageNode, LineageReport, Link};

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
