//! How people name commits, trees and files: git's grammar of revisions, parsed to a small tree.
//!
//! ```text
//! revision = start step* (":" path)?        | ":" path
//! start    = "HEAD" | "@" | id | prefix | ref  | ref? "@{" ( number | date ) "}"
//! step     = "~" number? | "^" number? | "^{commit}" | "^{tree}" | "^{}"
//! ```
//! Pure: what a name stands for in a repository is decided by `revision/resolve.rs`.

mod range;
mod resolve;

use super::Error;
use crate::object::ObjectId;

pub use range::Part;
pub use resolve::{Named, Resolver};

/// Names a commit, or something that is found from one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Where to start.
    pub start: Start,
    /// Where to go from there, in order.
    pub steps: Vec<Step>,
    /// What to look up in the tree of that commit; empty for the root.
    pub path: Option<Vec<u8>>,
}

/// Names the commit that a revision starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// `HEAD` or `@`: what is checked out.
    Head,
    /// 64 digits, with `blake3:` before them or not.
    Id(ObjectId),
    /// A ref, in full or in short; or else the first digits of an id.
    Name(String),
    /// What a ref was: `main@{1}`; without a name, the branch that is checked out.
    Past {
        /// The ref, in full or in short.
        name: Option<String>,
        /// When.
        when: When,
    },
    /// `:PATH`: the stage; only with a path.
    Stage,
}

/// Says which former value of a ref is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// So many changes ago; 0 is the value now.
    Changes(u64),
    /// At a time, as typed; read by `repo/date.rs`.
    Date(String),
}

/// Goes from one commit to another, or to its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// `~N`: N times to the first parent.
    Ancestor(u64),
    /// `^N`: to the N-th parent, counted from 1; 0 stays.
    Parent(u64),
    /// `^{commit}`, `^{}`: stays, and insists on a commit.
    Commit,
    /// `^{tree}`: to the tree; no step follows it.
    Tree,
}

impl Revision {
    /// Reads a revision as typed.
    ///
    /// Shape: any bytes; only the path may be other than UTF-8. Names of refs are not checked
    /// further than that none of the grammar's own characters is in them.
    /// Errors: `Usage`, with the place and what was expected there.
    pub fn parse(typed: &[u8]) -> Result<Self, Error> {
        let refuse = |(offset, reason)| malformed(typed, offset, reason);
        let (name, path) = split_path(typed);
        let text = std::str::from_utf8(name)
            .map_err(|error| refuse((error.valid_up_to(), "a name of a commit is UTF-8")))?;
        if text.is_empty() {
            return match path {
                Some(path) => Ok(Self { start: Start::Stage, steps: vec![], path: Some(path) }),
                None => Err(refuse((0, "expected the name of a commit"))),
            };
        }
        let mut reader = Reader { text, at: 0 };
        let start = reader.start().map_err(refuse)?;
        let steps = reader.steps().map_err(refuse)?;
        if let (Some(_), Some(Step::Tree)) = (&path, steps.last()) {
            return Err(refuse((text.len(), "a path is looked up in a commit: leave out ^{tree}")));
        }
        Ok(Self { start, steps, path })
    }
}

type Refusal = (usize, &'static str);

fn malformed(typed: &[u8], offset: usize, reason: &str) -> Error {
    let shown = String::from_utf8_lossy(typed);
    Error::Usage(format!("{shown:?} names no commit, at byte {offset}: {reason}"))
}

/// Splits at the first colon outside of braces and after an id's `blake3:`.
fn split_path(typed: &[u8]) -> (&[u8], Option<Vec<u8>>) {
    if let Some(at) = outside_of_braces(typed).find(|at| typed.get(*at) == Some(&b':')) {
        let path = typed.get(at + 1..).unwrap_or_default().to_vec();
        return (typed.get(..at).unwrap_or_default(), Some(path));
    }
    (typed, None)
}

/// Gives the offsets at which the grammar's own characters may stand, in order: all but those
/// of an id at the beginning, and from the brace of `@{` or `^{` to the closing one.
fn outside_of_braces(typed: &[u8]) -> impl Iterator<Item = usize> {
    let from = id_length(typed).unwrap_or(0);
    let mut is_open = false;
    let mut before = None;
    (from..typed.len()).filter(move |at| {
        let byte = typed.get(*at).copied();
        let opens = byte == Some(b'{') && matches!(before, Some(b'@' | b'^'));
        let is_inside = is_open || opens;
        is_open = is_inside && byte != Some(b'}');
        before = byte;
        !is_inside
    })
}

/// Gives the length of a whole id at the beginning, in the form that records use.
fn id_length(typed: &[u8]) -> Option<usize> {
    const LENGTH: usize = "blake3:".len() + 64;
    let head = std::str::from_utf8(typed.get(..LENGTH)?).ok()?;
    ObjectId::parse_record(head).ok().map(|_| LENGTH)
}

/// Reads one piece of the text after the other.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Takes what comes before the first of these texts, or all.
    fn take_until(&mut self, ends: &[&str]) -> &'a str {
        let rest = self.rest();
        let end = ends.iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn take(&mut self, wanted: &str) -> bool {
        let is_next = self.rest().starts_with(wanted);
        if is_next {
            self.at += wanted.len();
        }
        is_next
    }

    fn start(&mut self) -> Result<Start, Refusal> {
        if let Some(length) = id_length(self.text.as_bytes()) {
            self.at = length;
            let id = self.text.get(..length).and_then(|text| ObjectId::parse_record(text).ok());
            return id.map(Start::Id).ok_or((0, "expected an id"));
        }
        let name = self.take_until(&["~", "^", "@{"]);
        if let Some(at) = name.find(is_reserved) {
            return Err((at, "this character is in no name of a branch, tag or commit"));
        }
        if let Some(at) = name.find("..") {
            return Err((at, "one commit is asked for here, not a range"));
        }
        if self.rest().starts_with("@{") {
            let name = Some(name.to_owned()).filter(|name| !matches!(&**name, "" | "HEAD" | "@"));
            return self.when().map(|when| Start::Past { name, when });
        }
        match name {
            "" => Err((self.at, "expected the name of a commit")),
            "@" | "HEAD" => Ok(Start::Head),
            name => Ok(match ObjectId::parse(name) {
                Ok(id) => Start::Id(id),
                Err(_) => Start::Name(name.to_owned()),
            }),
        }
    }

    fn when(&mut self) -> Result<When, Refusal> {
        self.take("@{");
        let from = self.at;
        let inside = self.take_until(&["}"]);
        if !self.take("}") {
            return Err((from, "this brace is never closed"));
        }
        let inside = inside.trim();
        if inside.is_empty() {
            return Err((from, "expected a number of changes or a date"));
        }
        // Nine digits and more are seconds since 1970, as in git.
        let digits = inside.strip_prefix('-').unwrap_or(inside);
        if !is_digits(digits) || (digits.len() > 8 && digits == inside) {
            return Ok(When::Date(inside.to_owned()));
        }
        if digits != inside {
            return Err((from, "which branch was checked out before is not recorded"));
        }
        number(digits).map(When::Changes).ok_or((from, "the number is too large"))
    }

    fn steps(&mut self) -> Result<Vec<Step>, Refusal> {
        let mut steps = Vec::new();
        while !self.rest().is_empty() {
            if steps.last() == Some(&Step::Tree) {
                return Err((self.at, "nothing follows ^{tree}"));
            }
            steps.push(self.step()?);
        }
        Ok(steps)
    }

    fn step(&mut self) -> Result<Step, Refusal> {
        if self.take("^{") {
            let from = self.at;
            let inside = self.take_until(&["}"]);
            if !self.take("}") {
                return Err((from, "this brace is never closed"));
            }
            return match inside {
                "" | "commit" => Ok(Step::Commit),
                "tree" => Ok(Step::Tree),
                _ => Err((from, "expected commit or tree in the braces")),
            };
        }
        if self.take("~") {
            return self.count().map(Step::Ancestor);
        }
        if self.take("^") {
            return self.count().map(Step::Parent);
        }
        Err((self.at, "expected ~, ^ or a colon and a path"))
    }

    /// Takes a number; 1 where there is none.
    fn count(&mut self) -> Result<u64, Refusal> {
        let from = self.at;
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        self.at += end;
        match rest.get(..end).unwrap_or_default() {
            "" => Ok(1),
            digits => number(digits).ok_or((from, "the number is too large")),
        }
    }
}

/// Tells the characters that git keeps out of the names of refs, so that they stay free.
fn is_reserved(c: char) -> bool {
    c.is_ascii_control() || matches!(c, ' ' | '?' | '*' | '[' | '\\')
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn number(digits: &str) -> Option<u64> {
    digits.parse().ok()
}

#[cfg(test)]
#[path = "revision_tests.rs"]
mod tests;
