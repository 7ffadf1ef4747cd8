//! Names of branches and tags: git's check-ref-format, so that a name is good in both programs.

use super::Error;

/// Longest name, in bytes; a transaction of many refs stays under its limit.
const NAME_BYTES_MAX: usize = 1024;

/// Says what a ref is for; the first part of its full name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefKind {
    /// `heads/NAME`: grows with each commit.
    Branch,
    /// `tags/NAME`: stays where it is.
    Tag,
    /// `runs/NAME`: one recorded execution.
    Run,
    /// `sources/NAME`: the newest check of what lies outside.
    Source,
}

impl RefKind {
    /// Gives the word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Branch => "branch",
            Self::Tag => "tag",
            Self::Run => "run",
            Self::Source => "source",
        }
    }

    /// All there are.
    pub const ALL: [Self; 4] = [Self::Branch, Self::Tag, Self::Run, Self::Source];

    /// Gives the folder of the tree of refs that has the full names.
    pub fn folder(self) -> &'static str {
        self.prefix().trim_end_matches('/')
    }

    /// Gives what full names begin with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Branch => "heads/",
            Self::Tag => "tags/",
            Self::Run => "runs/",
            Self::Source => "sources/",
        }
    }

    /// Checks a name that somebody wants to give, and spells it in full.
    ///
    /// Shape: as `git check-ref-format --branch`: parts between slashes that are not empty, do
    /// not begin with a dot and do not end with `.lock`; no `..`, no `@{`, no control
    /// characters, blanks or any of `~^:?*[\`; no dot at the end, no dash at the beginning;
    /// neither `@` nor `HEAD`, nor what reads as an id.
    /// Errors: `Usage`, with the rule that the name breaks.
    pub fn full_name(self, name: &str) -> Result<String, Error> {
        match broken_rule(name) {
            None => Ok(format!("{}{name}", self.prefix())),
            Some(rule) => {
                let word = self.word();
                Err(Error::Usage(format!("{name:?} is no name for a {word}: it {rule}")))
            }
        }
    }

    /// Gives the short name of a ref of this kind.
    pub fn short_name(self, full: &str) -> Option<&str> {
        full.strip_prefix(self.prefix())
    }
}

fn broken_rule(name: &str) -> Option<&'static str> {
    let is_forbidden = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    let is_id = |name: &str| name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit());
    let rules: [(bool, &'static str); 12] = [
        (name.is_empty(), "is empty"),
        (name.len() > NAME_BYTES_MAX, "is longer than 1024 bytes"),
        (name == "@" || name == "HEAD", "means what is checked out"),
        (is_id(name), "reads as an id"),
        (name.starts_with('-'), "begins with a dash, as options do"),
        (name.contains(is_forbidden), "has a blank, a control character or one of ~^:?*[\\"),
        (name.contains(".."), "has two dots in a row"),
        (name.contains("@{"), "has @{"),
        (name.ends_with('.'), "ends with a dot"),
        (name.split('/').any(str::is_empty), "has an empty part between slashes"),
        (name.split('/').any(|part| part.starts_with('.')), "has a part that begins with a dot"),
        (name.split('/').any(|part| part.ends_with(".lock")), "has a part that ends with .lock"),
    ];
    rules.iter().find(|(is_broken, _)| *is_broken).map(|(_, rule)| *rule)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_as_git_takes_them() {
        for name in ["main", "feature/x", "v1.0", "a@b", "@x", "a{b", "é", "x.lockx", "#1"] {
            assert_eq!(RefKind::Branch.full_name(name).ok(), Some(format!("heads/{name}")));
        }
        assert_eq!(RefKind::Tag.full_name("v1").ok().as_deref(), Some("tags/v1"));
        assert_eq!(RefKind::Tag.short_name("tags/v1"), Some("v1"));
        assert_eq!(RefKind::Branch.short_name("tags/v1"), None);
    }

    #[test]
    fn names_as_git_refuses_them() {
        let forbidden = ["a b", "a~", "a^1", "a:b", "a?", "a*", "a[", "a\\b", "a\tb", "a\u{7f}"];
        let misplaced = ["", "@", "HEAD", "-x", "/a", "a/", "a//b", ".a", "a/.b", "a.", "a..b"];
        for name in forbidden.iter().chain(&misplaced).chain(&["a@{b", "a.lock", "a.lock/b"]) {
            assert!(RefKind::Branch.full_name(name).is_err(), "{name:?}");
        }
        assert!(RefKind::Tag.full_name(&"0".repeat(64)).is_err());
        assert!(RefKind::Tag.full_name(&"x".repeat(1025)).is_err());
        let message = RefKind::Tag.full_name("a..b").expect_err("two dots").to_string();
        assert_eq!(message, r#""a..b" is no name for a tag: it has two dots in a row"#);
    }

    proptest! {
        /// What is accepted as a name can be typed as a revision, and means that name.
        #[test]
        fn a_name_reads_back_as_a_revision(name in "[a-z@{}.^~:/ é-]{1,12}") {
            use crate::repo::revision::{Revision, Start};
            if RefKind::Branch.full_name(&name).is_ok() {
                let revision = Revision::parse(name.as_bytes()).expect("a good name");
                prop_assert_eq!(revision.start, Start::Name(name));
                prop_assert!(revision.steps.is_empty() && revision.path.is_none());
            }
        }
    }
}
