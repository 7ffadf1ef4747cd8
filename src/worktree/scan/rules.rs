//! Ignore rules: those of a directory before those of the directories around it.
//!
//! The syntax is that of `.gitignore` (git, `Documentation/gitignore.adoc`), read by the crate
//! `ignore`; the last rule that matches decides, in the innermost file that has one.

use std::ffi::{CStr, OsStr};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::ProblemKind;
use crate::worktree::directory::Directory;

const FILE: &CStr = c".provenanceignore";
const BYTES_MAX: u64 = 1024 * 1024;

/// The rules that hold in one directory and below.
#[derive(Debug)]
pub struct Rules {
    outer: Option<Arc<Rules>>,
    matcher: Gitignore,
    /// Length of the directory's own path with its `/`, which its rules do not see.
    skip: usize,
}

impl Rules {
    /// Reads the rules of a directory, whose path is `path`, on top of those around it.
    ///
    /// Shape: gives `outer` back if there are no more. What is wrong goes to `problems`: a line
    /// that is no rule is passed over, a file that cannot be read ignores all that is untracked.
    pub fn load(
        outer: Option<&Arc<Self>>,
        directory: &Directory,
        path: &[u8],
        problems: &mut Vec<ProblemKind>,
    ) -> Option<Arc<Self>> {
        match read(directory) {
            Ok(Some(bytes)) => {
                let skip = if path.is_empty() { 0 } else { path.len() + 1 };
                let matcher = parse(&bytes, problems);
                Some(Arc::new(Self { outer: outer.cloned(), matcher, skip }))
            }
            Ok(None) => outer.cloned(),
            // Rules that cannot be read may be those that keep a secret out.
            Err(error) => {
                problems.push(ProblemKind::RulesUnreadable(error));
                let skip = if path.is_empty() { 0 } else { path.len() + 1 };
                let matcher = parse(b"*", problems);
                Some(Arc::new(Self { outer: outer.cloned(), matcher, skip }))
            }
        }
    }

    /// Tells whether a path from the root is ignored, its directory not being so.
    pub fn ignores(&self, path: &[u8], is_directory: bool) -> bool {
        let mut rules = Some(self);
        while let Some(here) = rules {
            let inner = path.get(here.skip..).unwrap_or_default();
            match here.matcher.matched(Path::new(OsStr::from_bytes(inner)), is_directory) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => rules = here.outer.as_deref(),
            }
        }
        false
    }
}

/// Reads the file of rules; `None` if there is none. A link, or a directory, is refused.
fn read(directory: &Directory) -> io::Result<Option<Vec<u8>>> {
    let file = match directory.open_file(FILE) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > BYTES_MAX) {
        return Err(io::Error::other(format!("longer than {BYTES_MAX} bytes")));
    }
    Ok(Some(bytes))
}

fn parse(bytes: &[u8], problems: &mut Vec<ProblemKind>) -> Gitignore {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut builder = GitignoreBuilder::new("");
    for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let added = match std::str::from_utf8(line) {
            Ok(line) => builder.add_line(None, line).map(drop).map_err(|error| error.to_string()),
            Err(_) => Err("not UTF-8".to_owned()),
        };
        if let Err(reason) = added {
            problems.push(ProblemKind::Rule { line: at + 1, reason });
        }
    }
    builder.build().unwrap_or_else(|error| {
        problems.push(ProblemKind::Rule { line: 1, reason: error.to_string() });
        Gitignore::empty()
    })
}
