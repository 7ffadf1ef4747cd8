//! What `git status --porcelain=v2 -z` prints.
//!
//! Source: git-status(1), "Porcelain Format Version 2".

use std::collections::BTreeMap;

use super::{Change, ChangeKind};

/// The state of a checkout.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) commit: Option<String>,
    pub(super) branch: Option<String>,
    pub(super) changes: Vec<Change>,
}

/// Reads the entries; one that is not understood is left out.
pub(super) fn parse(printed: &[u8]) -> Status {
    let mut status = Status::default();
    let mut changes: BTreeMap<Vec<u8>, ChangeKind> = BTreeMap::new();
    let mut entries = printed.split(|byte| *byte == 0);
    while let Some(entry) = entries.next() {
        if let Some(line) = entry.strip_prefix(b"# ") {
            status.read_header(line);
            continue;
        }
        if entry.starts_with(b"2 ") {
            // Where it was before is an entry of its own.
            entries.next();
        }
        let Some(change) = change(entry) else { continue };
        // A path can be deleted in the stage and lie there untracked: then it is there.
        let known = changes.entry(change.path).or_insert(change.kind);
        if *known == ChangeKind::Deleted {
            *known = change.kind;
        }
    }
    status.changes = changes.into_iter().map(|(path, kind)| Change { path, kind }).collect();
    status
}

impl Status {
    fn read_header(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        match line.split_once(' ') {
            Some(("branch.oid", id)) if id != "(initial)" => self.commit = Some(id.to_owned()),
            Some(("branch.head", name)) if name != "(detached)" => {
                self.branch = Some(name.to_owned());
            }
            _ => {}
        }
    }
}

fn change(entry: &[u8]) -> Option<Change> {
    // Fields before the path, which may hold blanks itself.
    let fields = match entry.first()? {
        b'1' => 8,
        b'2' => 9,
        b'u' => 10,
        b'?' => 1,
        _ => return None,
    };
    let mut parts = entry.splitn(fields + 1, |byte| *byte == b' ');
    let (kind, state, submodule) = (parts.next()?, parts.next()?, parts.next());
    if kind == b"?" {
        return Some(Change { path: state.to_vec(), kind: ChangeKind::Untracked });
    }
    let path = entry.splitn(fields + 1, |byte| *byte == b' ').nth(fields)?.to_vec();
    let kind = match (state, submodule) {
        ([_, b'D'] | b"D.", _) => ChangeKind::Deleted,
        (_, Some([b'S', ..])) => ChangeKind::Submodule,
        _ => ChangeKind::Changed,
    };
    Some(Change { path, kind })
}
