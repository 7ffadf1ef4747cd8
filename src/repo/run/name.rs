//! Names of runs that nobody named, and their ids.

use crate::object::Timestamp;

/// Two of these and a number make a name that can be said and remembered.
const FIRST: &[&str] = &[
    "amber", "bold", "brisk", "calm", "clear", "coral", "crisp", "deep", "early", "fair", "fresh",
    "gentle", "golden", "grand", "green", "keen", "late", "light", "lucid", "mellow", "noble",
    "pale", "proud", "quick", "quiet", "rapid", "rosy", "silver", "steady", "still", "swift",
    "warm",
];
const SECOND: &[&str] = &[
    "acorn", "alder", "aspen", "badger", "beech", "birch", "brook", "cedar", "cliff", "cloud",
    "crane", "delta", "ember", "falcon", "fern", "finch", "fjord", "grove", "harbor", "heron",
    "juniper", "lark", "maple", "meadow", "otter", "pine", "raven", "reef", "river", "sparrow",
    "thistle", "willow",
];

/// Chance of one run.
#[derive(Debug, Clone, Copy)]
pub(in crate::repo) struct Chance(u32);

impl Chance {
    /// Draws it.
    pub(in crate::repo) fn draw() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 4];
        getrandom::fill(&mut bytes)?;
        Ok(Self(u32::from_le_bytes(bytes)))
    }

    /// Makes a name: `calm-otter-3f2a`.
    pub(super) fn name(self) -> String {
        let word = |of: &[&'static str], bits: u32| of[bits as usize % of.len()];
        let (first, second) = (word(FIRST, self.0), word(SECOND, self.0 >> 5));
        format!("{first}-{second}-{:04x}", self.0 >> 16)
    }

    /// Makes an id: `20261125T165800Z-9f86d081`.
    pub(in crate::repo) fn id(self, started: Timestamp) -> String {
        let time = started.to_record().unwrap_or_default();
        let digits: String = time.chars().filter(|c| !"-:".contains(*c)).collect();
        let seconds = digits.split('.').next().unwrap_or_default();
        format!("{seconds}Z-{:08x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_a_name_to_say_and_an_id_that_sorts_by_time() {
        let chance = Chance(0x3f2a_0021);
        assert_eq!(chance.name(), "bold-alder-3f2a");
        assert_eq!(chance.id(Timestamp(1_785_490_200_123)), "20260731T093000Z-3f2a0021");
    }
}
