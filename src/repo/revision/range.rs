//! Sets of commits as `log` and `rev-list` take them: `main`, `^old`, `old..new`, `a...b`.

use super::{Revision, outside_of_braces};
use crate::repo::Error;

/// Names one part of a set of commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// `A`: the commit and all that it can reach.
    Reachable(Revision),
    /// `^A`: without the commit and all that it can reach.
    Excluded(Revision),
    /// `A..B`: what B can reach and A cannot.
    Since {
        /// A; `HEAD` where nothing stands before the dots.
        old: Revision,
        /// B; `HEAD` where nothing stands after the dots.
        new: Revision,
    },
    /// `A...B`: what one of the two can reach and the other cannot.
    Apart(Revision, Revision),
}

impl Part {
    /// Reads one word.
    ///
    /// Errors: `Usage`, as [`Revision::parse`], and for a path, as sets are of commits.
    pub fn parse(typed: &[u8]) -> Result<Self, Error> {
        if let Some(rest) = typed.strip_prefix(b"^") {
            return commit(rest).map(Self::Excluded);
        }
        let Some(at) = outside_of_braces(typed).find(|at| {
            typed.get(*at..).is_some_and(|rest| rest.starts_with(b"..") || rest.starts_with(b":"))
        }) else {
            return commit(typed).map(Self::Reachable);
        };
        let (left, right) = typed.split_at(at);
        if let Some(right) = right.strip_prefix(b"...") {
            return Ok(Self::Apart(or_head(left)?, or_head(right)?));
        }
        match right.strip_prefix(b"..") {
            Some(right) => Ok(Self::Since { old: or_head(left)?, new: or_head(right)? }),
            None => commit(typed).map(Self::Reachable),
        }
    }
}

fn or_head(typed: &[u8]) -> Result<Revision, Error> {
    commit(if typed.is_empty() { b"HEAD" } else { typed })
}

fn commit(typed: &[u8]) -> Result<Revision, Error> {
    let revision = Revision::parse(typed)?;
    if revision.path.is_some() {
        let shown = String::from_utf8_lossy(typed);
        return Err(Error::Usage(format!("{shown:?} is a path: a commit is asked for here")));
    }
    Ok(revision)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Revision {
        Revision::parse(text.as_bytes()).expect("well formed")
    }

    fn part(text: &str) -> Part {
        Part::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn words_of_a_set() {
        let since = |old, new| Part::Since { old: named(old), new: named(new) };
        assert_eq!(part("main"), Part::Reachable(named("main")));
        assert_eq!(part("^main~2"), Part::Excluded(named("main~2")));
        assert_eq!(part("v1..main^2"), since("v1", "main^2"));
        assert_eq!(part("v1.."), since("v1", "HEAD"));
        assert_eq!(part("..v1"), since("HEAD", "v1"));
        assert_eq!(part("a...b"), Part::Apart(named("a"), named("b")));
        let past = part("main@{2 days ago..}..main");
        assert_eq!(past, since("main@{2 days ago..}", "main"));
    }

    #[test]
    fn a_set_has_neither_paths_nor_three_ends() {
        for typed in ["main:data", "a..b:data", "main:a..b", "a..b..c", "^^main"] {
            assert!(Part::parse(typed.as_bytes()).is_err(), "{typed}");
        }
    }
}
