//! The commits of a git repository that touch DVC's files, and the files of each.

use std::collections::BTreeMap;
use std::path::Path;

use super::GitFile;
use crate::capture::error::CaptureError;
use crate::capture::git;
use crate::object::Timestamp;

/// What a commit must touch to be one of them. The list must not depend on what commits hold, so
/// that the same history gives the same commits when it has grown.
const TOUCHED: [&str; 4] =
    [":(glob)**/*.dvc", ":(glob)**/dvc.yaml", ":(glob)**/dvc.lock", ":(glob)**/params.yaml"];

/// A commit of git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitCommit {
    /// Its id, hexadecimal.
    pub id: String,
    /// The nearest ancestors that touch DVC's files as well.
    pub parents: Vec<String>,
    /// Who wrote it.
    pub author: String,
    /// The author's address.
    pub email: String,
    /// When it was written.
    pub time: Timestamp,
    /// What its author says about it.
    pub message: String,
}

/// Reads the commits, parents first, the name of the revision, and where it is published.
pub(super) fn read(
    root: &Path,
    revision: &str,
) -> Result<(Vec<GitCommit>, String, Option<String>), CaptureError> {
    let refused = |reason: String| CaptureError::Git { root: root.to_owned(), reason };
    if revision.is_empty() || revision.starts_with('-') {
        return Err(refused(format!("{revision:?} is no revision")));
    }
    let mut words = vec!["rev-list", "--parents", "--topo-order", "--reverse"];
    words.extend(["--full-history", "--simplify-merges", "--encoding=UTF-8"]);
    words.extend(["--format=%an%x00%ae%x00%at%x00%B%x00", revision, "--"]);
    words.extend(TOUCHED);
    let listed = git::ask(root, &words)?;
    let commits = parse(&listed).ok_or_else(|| refused("its list is malformed".to_owned()))?;
    let tip = revision.rsplit("..").next().filter(|tip| !tip.is_empty()).unwrap_or("HEAD");
    let name = git::ask(root, &["rev-parse", "--abbrev-ref", tip]).unwrap_or_default();
    let name = String::from_utf8_lossy(&name).trim().to_owned();
    let name = match name.as_str() {
        "" | "HEAD" => {
            let id = git::ask(root, &["rev-parse", "--verify", "--short=12", tip])?;
            String::from_utf8_lossy(&id).trim().to_owned()
        }
        _ => name,
    };
    Ok((commits, name, git::address(root)))
}

fn parse(listed: &[u8]) -> Option<Vec<GitCommit>> {
    let mut commits = Vec::new();
    let mut rest = listed;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest)?;
        let ids = std::str::from_utf8(rest.get(..end)?).ok()?.strip_prefix("commit ")?;
        rest = rest.get(end + 1..)?;
        let mut texts = Vec::with_capacity(4);
        for _ in 0..4 {
            let end = memchr::memchr(0, rest)?;
            texts.push(String::from_utf8_lossy(rest.get(..end)?).into_owned());
            rest = rest.get(end + 1..)?;
        }
        rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        let mut ids = ids.split(' ').map(str::to_owned);
        let (message, time) = (texts.pop()?, texts.pop()?);
        let (email, author) = (texts.pop()?, texts.pop()?);
        let time = time.parse::<i64>().ok()?.checked_mul(1000).map(Timestamp)?;
        let id = ids.next()?;
        commits.push(GitCommit { id, parents: ids.collect(), author, email, time, message });
    }
    Some(commits)
}

/// Lists the files of a commit below `root`, by their paths from there; links and submodules are
/// none.
pub(super) fn files(root: &Path, commit: &str) -> Result<BTreeMap<String, GitFile>, CaptureError> {
    let listed = git::ask(root, &["ls-tree", "-r", "-z", commit])?;
    let mut files = BTreeMap::new();
    for row in listed.split(|byte| *byte == 0) {
        let Some((meta, path)) = std::str::from_utf8(row).ok().and_then(|row| row.split_once('\t'))
        else {
            continue;
        };
        let mut words = meta.split(' ');
        let is_executable = match words.next() {
            Some("100644") => false,
            Some("100755") => true,
            _ => continue,
        };
        if let Some(object) = words.nth(1) {
            let file = GitFile { object: object.to_owned(), is_executable };
            files.insert(path.to_owned(), file);
        }
    }
    Ok(files)
}
