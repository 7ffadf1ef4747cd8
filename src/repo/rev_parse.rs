//! What revisions stand for, told to other programs.

use super::revision::{Named, Part, Resolver, Revision};
use super::{Error, Repository};

/// Names what to resolve.
#[derive(Debug, Clone, Default)]
pub struct RevParseRequest {
    /// Revisions as typed, or the words of a set: `main:data`, `old..new`, `^old`.
    pub revisions: Vec<Vec<u8>>,
}

/// Tells what one revision stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevParseRow {
    /// What it stands for.
    pub named: Named,
    /// Whether a set leaves it out, as `^old` and `old..` do.
    pub is_excluded: bool,
}

/// Resolves revisions; a range gives the commits it is made of.
///
/// Shape: rows in the order of the request, for a range first what it shows, as in git.
/// Errors: of the first revision that stands for nothing.
pub fn rev_parse(
    repository: &Repository,
    request: &RevParseRequest,
) -> Result<Vec<RevParseRow>, Error> {
    let mut resolver = Resolver::new(repository)?;
    let mut rows = Vec::new();
    for typed in &request.revisions {
        let mut push = |resolver: &mut Resolver<'_>, one: &Revision, is_excluded| {
            let named = resolver.object_of(one)?;
            rows.push(RevParseRow { named, is_excluded });
            Ok::<(), Error>(())
        };
        match parsed(typed)? {
            Part::Reachable(one) => push(&mut resolver, &one, false)?,
            Part::Excluded(one) => push(&mut resolver, &one, true)?,
            Part::Since { old, new } => {
                push(&mut resolver, &new, false)?;
                push(&mut resolver, &old, true)?;
            }
            Part::Apart(one, other) => {
                push(&mut resolver, &one, false)?;
                push(&mut resolver, &other, false)?;
            }
        }
    }
    Ok(rows)
}

/// Reads a word; unlike in a set of commits, a path may follow.
fn parsed(typed: &[u8]) -> Result<Part, Error> {
    match Revision::parse(typed) {
        Ok(revision) => Ok(Part::Reachable(revision)),
        Err(_) => Part::parse(typed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::sample::Sample;

    #[test]
    fn ranges_are_taken_apart() {
        let sample = Sample::drawn("a b:a c:b");
        let rows = |words: &str| {
            let revisions = words.split(' ').map(|word| word.as_bytes().to_vec()).collect();
            let rows = rev_parse(&sample.repository, &RevParseRequest { revisions });
            let shown = rows.expect("found").into_iter().map(|row| {
                let sign = if row.is_excluded { "^" } else { "" };
                format!("{sign}{}", sample.letter(&row.named.id()))
            });
            shown.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(rows("main main~2"), "c a");
        assert_eq!(rows("main~2..main"), "c ^a");
        assert_eq!(rows("^@~1 main...main~1"), "^b c b");
    }

    #[test]
    fn the_error_is_that_of_a_revision() {
        let sample = Sample::drawn("a");
        let request = RevParseRequest { revisions: vec![b"main^{x}".to_vec()] };
        let message = rev_parse(&sample.repository, &request).expect_err("no such").to_string();
        assert!(message.ends_with("expected commit or tree in the braces"), "{message}");
    }
}
