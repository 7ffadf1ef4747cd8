//! What the labels of a stream stand for: a million take some 36 MB.

use std::collections::HashMap;

use crate::object::ObjectId;
use crate::store::new_refs::NewRefs;

/// Part of a label's hash: two that share it would take 2^48 attempts to find.
type Short = [u8; 12];

/// Marks a place in the list of those that no ref of a run names.
const APART: u32 = 1 << 31;

/// Commits by label.
#[derive(Debug, Default)]
pub(super) struct Labels {
    places: HashMap<Short, u32>,
    /// Commits that no ref of a run names; the others are found among the refs to be made.
    apart: Vec<ObjectId>,
}

impl Labels {
    /// Notes a label; false if it stands for another commit already. `place` is where the commit
    /// is among `runs`, if it is there.
    pub fn add(&mut self, label: &str, id: ObjectId, place: Option<u32>, runs: &NewRefs) -> bool {
        if let Some(known) = self.find(label, runs) {
            return known == id;
        }
        let place = place.filter(|place| place & APART == 0).or_else(|| {
            let place = u32::try_from(self.apart.len()).ok().filter(|place| place & APART == 0)?;
            self.apart.push(id);
            Some(place | APART)
        });
        place.is_some_and(|place| self.places.insert(short(label), place).is_none())
    }

    /// Finds what a label stands for.
    pub fn find(&self, label: &str, runs: &NewRefs) -> Option<ObjectId> {
        let place = *self.places.get(&short(label))?;
        match place & APART {
            0 => runs.get(usize::try_from(place).ok()?).map(|run| run.id),
            _ => self.apart.get(usize::try_from(place ^ APART).ok()?).copied(),
        }
    }
}

fn short(label: &str) -> Short {
    let hash = ObjectId::of(label.as_bytes());
    hash.as_bytes().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_stands_for_one_commit() {
        let (mut labels, mut runs) = (Labels::default(), NewRefs::default());
        let [one, two] = ["one", "two"].map(|text| ObjectId::of(text.as_bytes()));
        assert!(runs.push("runs/b", two, 1));
        assert!(labels.add("a", one, None, &runs) && labels.add("a", one, None, &runs));
        assert!(labels.add("b", two, Some(0), &runs));
        assert!(!labels.add("a", two, Some(0), &runs) && !labels.add("b", one, None, &runs));
        assert_eq!(labels.find("a", &runs), Some(one));
        assert_eq!(labels.find("b", &runs), Some(two));
        assert_eq!(labels.find("c", &runs), None);
    }
}
