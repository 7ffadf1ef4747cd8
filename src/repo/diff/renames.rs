//! Which new files are old ones under another name: by content, or by the lines that they share.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::read::{Files, Refusal};
use super::{FileDiff, FileSide};
use crate::object::{ObjectId, TreePath};
use crate::progress::Progress;
use crate::repo::{Error, is_binary};

/// Larger files are not compared line by line to find renames, bytes.
const SIMILAR_BYTES_MAX: u64 = 256 << 10;

/// With more pairs of files left, none are compared, as git does beyond `diff.renameLimit`.
const PAIRS_MAX: usize = 10_000;

/// Files that share less of the larger one are two files, percent.
const SIMILARITY_MIN: u8 = 50;

/// Turns pairs of a removed and a new file into renames; the order of paths stays.
pub(super) fn find(
    mut held: Vec<FileDiff>,
    files: &mut Files<'_>,
    progress: &Progress,
) -> Result<Vec<FileDiff>, Error> {
    let mut pairs = exact(&held);
    similar(&held, &mut pairs, files, progress)?;
    let mut goes = vec![false; held.len()];
    for (&new, &(old, similarity)) in &pairs {
        let Some((path, side)) = held.get(old).map(|old| (old.path.clone(), old.old)) else {
            continue;
        };
        if let (Some(diff), Some(gone)) = (held.get_mut(new), goes.get_mut(old)) {
            diff.old = side;
            diff.renamed = Some((path, similarity));
            *gone = true;
        }
    }
    let mut goes = goes.into_iter();
    held.retain(|_| !goes.next().unwrap_or(false));
    Ok(held)
}

/// Positions of new files, each with the position of its old one and their similarity.
type Pairs = HashMap<usize, (usize, u8)>;

fn removed(diff: &FileDiff) -> Option<&FileSide> {
    diff.old.as_ref().filter(|side| diff.new.is_none() && side.kind.is_some() && side.size > 0)
}

fn added(diff: &FileDiff) -> Option<&FileSide> {
    diff.new.as_ref().filter(|side| diff.old.is_none() && side.kind.is_some() && side.size > 0)
}

/// Pairs files of the same content, those of the same last name first.
fn exact(held: &[FileDiff]) -> Pairs {
    let key = |side: &FileSide| side.id.map(|id| (id, side.is_file()));
    let mut old_by_id: HashMap<(ObjectId, bool), Vec<usize>> = HashMap::new();
    for (position, diff) in held.iter().enumerate().rev() {
        if let Some(key) = removed(diff).and_then(key) {
            old_by_id.entry(key).or_default().push(position);
        }
    }
    let mut pairs = Pairs::new();
    for needs_name in [true, false] {
        for (position, diff) in held.iter().enumerate() {
            if pairs.contains_key(&position) {
                continue;
            }
            let Some(olds) = added(diff).and_then(key).and_then(|key| old_by_id.get_mut(&key))
            else {
                continue;
            };
            let is_like = |old: &usize| {
                let name = held.get(*old).map(|old| old.path.last_name());
                !needs_name || name == Some(diff.path.last_name())
            };
            if let Some(at) = olds.iter().rposition(is_like) {
                pairs.insert(position, (olds.remove(at), 100));
            }
        }
    }
    pairs
}

/// Pairs what is left by similarity, the most similar first.
fn similar(
    held: &[FileDiff],
    pairs: &mut Pairs,
    files: &mut Files<'_>,
    progress: &Progress,
) -> Result<(), Error> {
    let is_small = |side: &FileSide| side.is_file() && side.size <= SIMILAR_BYTES_MAX;
    let taken: HashSet<usize> = pairs.values().map(|(old, _)| *old).collect();
    let mut olds = Vec::new();
    let mut news = Vec::new();
    for (position, diff) in held.iter().enumerate() {
        if removed(diff).is_some_and(is_small) && !taken.contains(&position) {
            olds.push((position, diff));
        } else if added(diff).is_some_and(is_small) && !pairs.contains_key(&position) {
            news.push((position, diff));
        }
    }
    if olds.is_empty() || news.is_empty() || olds.len().saturating_mul(news.len()) > PAIRS_MAX {
        return Ok(());
    }
    let mut sketch = |list: Vec<(usize, &FileDiff)>| -> Result<Vec<(usize, Sketch)>, Error> {
        let mut sketches = Vec::new();
        for (position, diff) in list {
            progress.check()?;
            let side = diff.old.as_ref().or(diff.new.as_ref());
            if let Some(sketch) = sketch(&diff.path, side, files)? {
                sketches.push((position, sketch));
            }
        }
        Ok(sketches)
    };
    let (olds, news) = (sketch(olds)?, sketch(news)?);
    let mut scores = Vec::new();
    for (old_position, old) in &olds {
        for (new_position, new) in &news {
            let score = old.similarity(new);
            if score >= SIMILARITY_MIN {
                scores.push((std::cmp::Reverse(score), *new_position, *old_position));
            }
        }
    }
    scores.sort_unstable();
    let mut used = HashSet::new();
    for (std::cmp::Reverse(score), new, old) in scores {
        if !pairs.contains_key(&new) && !used.contains(&old) {
            used.insert(old);
            pairs.insert(new, (old, score));
        }
    }
    Ok(())
}

/// Reads the lines of a text; none of what is no text or cannot be read.
fn sketch(
    path: &TreePath,
    side: Option<&FileSide>,
    files: &mut Files<'_>,
) -> Result<Option<Sketch>, Error> {
    match files.whole(side.map(|side| (path, side))) {
        Ok(Some(bytes)) if !is_binary(&bytes) => Ok(Some(Sketch::of(&bytes))),
        Ok(_) | Err(Refusal::Unreadable(_)) => Ok(None),
        Err(Refusal::Store(error)) => Err(error),
    }
}

/// The lines of a text, by hash: how many bytes of it each one makes up.
struct Sketch {
    lines: HashMap<u64, u64>,
    bytes: u64,
}

impl Sketch {
    fn of(text: &[u8]) -> Self {
        let mut lines: HashMap<u64, u64> = HashMap::new();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let mut hasher = DefaultHasher::new();
            line.hash(&mut hasher);
            *lines.entry(hasher.finish()).or_default() += line.len() as u64;
        }
        Self { lines, bytes: text.len() as u64 }
    }

    /// Gives how many percent of the larger text are in both.
    fn similarity(&self, other: &Self) -> u8 {
        let larger = self.bytes.max(other.bytes).max(1);
        let smaller = self.bytes.min(other.bytes);
        if smaller.saturating_mul(100) / larger < u64::from(SIMILARITY_MIN) {
            return 0;
        }
        let shared = |(line, bytes): (&u64, &u64)| {
            other.lines.get(line).map_or(0, |others| *bytes.min(others))
        };
        let common: u64 = self.lines.iter().map(shared).sum();
        u8::try_from(common.saturating_mul(100) / larger).unwrap_or(100).min(99)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarity_is_the_part_of_the_larger_text() {
        let of = |text: &str| Sketch::of(text.as_bytes());
        assert_eq!(of("a\nb\nc\nd\n").similarity(&of("a\nb\nc\nx\n")), 75);
        assert_eq!(of("a\nb\n").similarity(&of("b\na\n")), 99, "only equal files are 100");
        assert_eq!(of("a\n").similarity(&of("a\nb\nc\n")), 0);
        assert_eq!(of("").similarity(&of("")), 0);
    }
}
