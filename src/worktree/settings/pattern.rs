//! A pattern of paths in `provenance.toml`, matched name by name so that only those directories
//! are read that can hold a match. Syntax: `docs/settings.md`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::object::{Name, TreePath};

/// Most names in a pattern; the states of a match fit in 64 bits.
const PARTS_MAX: usize = 60;

/// Matches paths in a tree.
#[derive(Debug, Clone)]
pub struct Pattern {
    parts: Vec<Part>,
}

/// What one name of a path must be.
#[derive(Debug, Clone)]
enum Part {
    /// This name.
    Literal(Vec<u8>),
    /// A name that this matches.
    Wild(GlobSet),
    /// Any number of names, none too.
    AnyDepth,
}

/// How far a path has come in a pattern: bit `i` says that part `i` is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct States(u64);

impl Pattern {
    /// Reads a pattern.
    ///
    /// Errors: what is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        // `data/` is how many write that `data` is a directory.
        let trimmed = text.strip_suffix('/').unwrap_or(text);
        let mut parts = trimmed.split('/').map(Part::parse).collect::<Result<Vec<_>, _>>()?;
        if matches!(parts.last(), Some(Part::AnyDepth)) {
            parts.push(Part::wild("*")?);
        }
        if parts.len() > PARTS_MAX {
            return Err(format!("has more than {PARTS_MAX} names"));
        }
        Ok(Self { parts })
    }

    /// Gives the names before the first wildcard as a path; `None` if there are none.
    pub fn base(&self) -> Option<TreePath> {
        let literal = |part: &Part| match part {
            Part::Literal(name) => Some(name.clone()),
            Part::Wild(_) | Part::AnyDepth => None,
        };
        let names: Vec<Vec<u8>> = self.parts.iter().map_while(literal).collect();
        TreePath::new(names.join(&b'/')).ok()
    }

    /// Tells whether the pattern is a path without wildcards.
    pub fn is_literal(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Literal(_)))
    }

    /// Tells whether the pattern matches the path.
    pub fn matches(&self, path: &TreePath) -> bool {
        self.states(path).0 & (1 << self.parts.len()) != 0
    }

    /// Tells whether the pattern can match something below the path.
    pub fn may_match_below(&self, path: &TreePath) -> bool {
        self.states(path).0 & !(1 << self.parts.len()) != 0
    }

    fn states(&self, path: &TreePath) -> States {
        let start = self.skip_depths(States(1));
        path.names().fold(start, |states, name| self.step(states, name))
    }

    /// Takes one name.
    fn step(&self, states: States, name: &[u8]) -> States {
        let mut next = 0;
        for (at, part) in self.parts.iter().enumerate().filter(|(at, _)| states.0 >> at & 1 == 1) {
            let is_match = match part {
                Part::Literal(literal) => literal == name,
                Part::Wild(glob) => glob.is_match(OsStr::from_bytes(name)),
                Part::AnyDepth => {
                    next |= 1 << at;
                    false
                }
            };
            if is_match {
                next |= 1 << (at + 1);
            }
        }
        self.skip_depths(States(next))
    }

    /// Lets `**` stand for no name at all.
    fn skip_depths(&self, states: States) -> States {
        let mut reached = states.0;
        for (at, part) in self.parts.iter().enumerate() {
            if reached >> at & 1 == 1 && matches!(part, Part::AnyDepth) {
                reached |= 1 << (at + 1);
            }
        }
        States(reached)
    }
}

impl Part {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "**" => Ok(Self::AnyDepth),
            _ if text.contains(['*', '?', '[', '{', '\\']) => Self::wild(text),
            "" => Err("has an empty name: paths are relative to the top of the worktree".into()),
            _ => match Name::check(text.as_bytes()) {
                Ok(()) => Ok(Self::Literal(text.as_bytes().to_vec())),
                Err(error) => Err(format!("{error}: {text:?}")),
            },
        }
    }

    fn wild(text: &str) -> Result<Self, String> {
        let build = || {
            let glob = GlobBuilder::new(text).literal_separator(true).build()?;
            GlobSetBuilder::new().add(glob).build()
        };
        build().map(Self::Wild).map_err(|error| {
            let hint = match text.contains(['[', '{']) {
                true => "; no `/` may stand inside of it, use a list of patterns",
                false => "",
            };
            format!("{}{hint}", error.kind())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text).unwrap()
    }

    #[test]
    fn wildcards_stay_inside_of_a_name_unless_they_are_doubled() {
        let matches =
            |pattern: &str, text: &str| Pattern::parse(pattern).unwrap().matches(&path(text));
        assert!(matches("data/train*.csv", "data/train-1.csv"));
        assert!(!matches("data/train*.csv", "data/train/1.csv"));
        assert!(matches("data/", "data") && !matches("data", "data/x"));
        assert!(matches("**/*.pt", "x.pt") && matches("**/*.pt", "a/b/x.pt"));
        assert!(matches("a/**/z", "a/z") && matches("a/**/z", "a/b/c/z"));
        assert!(!matches("a/**/z", "a/z/b"));
        assert!(matches("a/**", "a/b") && matches("a/**", "a/b/c") && !matches("a/**", "a"));
        assert!(matches("{train,test}-?.[ch]sv", "test-1.csv"));
        assert!(matches(r"what\?", "what?") && !matches(r"what\?", "whatx"));
        assert!(matches("*", ".hidden"));
    }

    #[test]
    fn only_directories_that_can_hold_a_match_are_entered() {
        let pattern = Pattern::parse("runs/*/model.pt").unwrap();
        assert!(pattern.may_match_below(&path("runs")));
        assert!(pattern.may_match_below(&path("runs/1")));
        assert!(!pattern.may_match_below(&path("data")));
        assert!(!pattern.may_match_below(&path("runs/1/model.pt")));
        assert_eq!(pattern.base(), Some(path("runs")));
        assert!(Pattern::parse("**/x").unwrap().may_match_below(&path("a/b/c")));
        assert_eq!(Pattern::parse("*.csv").unwrap().base(), None);
        assert!(Pattern::parse("a/b").unwrap().is_literal());
    }

    #[test]
    fn what_no_path_can_be_is_refused() {
        for text in ["", "/", "/etc", "a//b", "../a", "./a", "a/.git/x", "[a", "{a/b,c}", "a\\"] {
            assert!(Pattern::parse(text).is_err(), "{text:?}");
        }
        assert!(Pattern::parse(&"a/".repeat(70)).is_err());
        assert!(Pattern::parse(&"?".repeat(1 << 20)).is_err());
    }
}
