//! The suspect after whose test the fewest tests are left, found by searching for every culprit.
//!
//! Half of the suspects is not all that counts: which halves they are decides how well those can be
//! halved again. So for each of the tests that look best, the searches that may follow are gone
//! through to their ends, and the test is taken after which they are shortest in sum.

use super::halves::Graph;

/// So many suspects are searched to the end.
const FEW: usize = 4096;

/// So many tests are tried.
const TRIED: usize = 64;

/// So many words of histories are looked at for one answer, in a tenth of a second or so.
const WORDS_MAX: usize = 1 << 25;

/// Finds the one to test, among those that can be the culprit, the last one excepted; none if there
/// are too many suspects, or no other one.
pub fn best(graph: &Graph<'_>) -> Option<usize> {
    if graph.parents.len() > FEW {
        return None;
    }
    let all = Left::of(graph);
    let histories = all.histories();
    let mut choices: Vec<Choice> = all.choices(&histories).collect();
    choices.sort_by_key(Choice::key);
    let nearest = choices.first()?.place;
    let (mut best, mut words_left): (Option<(usize, usize)>, _) = (None, WORDS_MAX);
    for choice in choices.into_iter().take(TRIED) {
        // What is left cannot be better, even if all that follows were halved.
        if best.is_some_and(|(tests, _)| tests <= choice.least) {
            break;
        }
        let parts = all.parted(histories.of(choice.place));
        let Some(tests) = tests(parts, &mut words_left) else { break };
        if best.is_none_or(|(known, _)| tests < known) {
            best = Some((tests, choice.place));
        }
    }
    Some(best.map_or(nearest, |(_, place)| place))
}

/// Counts the tests of the searches for each suspect of two parts, in sum.
///
/// Shape: each test is the one that comes nearest to halves. None if that takes too long, as where
/// hardly any test tells much: many commits that one merge joins.
fn tests(parts: [Left; 2], words_left: &mut usize) -> Option<usize> {
    let (mut tests, mut open) = (0, Vec::from(parts));
    while let Some(left) = open.pop() {
        if left.count <= 1 {
            continue;
        }
        *words_left = words_left.checked_sub(left.cost())?;
        let histories = left.histories();
        let nearest = left.choices(&histories).min_by_key(Choice::key);
        let Some(nearest) = nearest else { continue };
        tests += left.count;
        open.extend(left.parted(histories.of(nearest.place)));
    }
    Some(tests)
}

/// A test that tells suspects apart.
struct Choice {
    place: usize,
    /// All searches take at least so many tests after it, in sum.
    least: usize,
    /// How far it is from telling one half from the other.
    miss: usize,
}

impl Choice {
    /// Orders tests by how good they look. Four and six are told apart in as many tests as five and
    /// five, but who counts expects halves.
    const fn key(&self) -> (usize, usize) {
        (self.least, self.miss)
    }
}

/// Suspects that are left, and what only leads from one to another; parents before children, the
/// last one known to be bad.
struct Left {
    /// The parents of all, one after the other.
    parents: Vec<usize>,
    /// Where those of each end.
    ends: Vec<usize>,
    /// Whether each can be the culprit.
    counts: Vec<bool>,
    /// How many can.
    count: usize,
}

impl Left {
    fn of(graph: &Graph<'_>) -> Self {
        let mut all = Self::with_room(graph.parents.len());
        for (parents, counts) in graph.parents.iter().zip(graph.counts) {
            all.push(parents.iter().copied(), *counts);
        }
        all
    }

    fn with_room(suspects: usize) -> Self {
        let (parents, ends) = (Vec::with_capacity(suspects), Vec::with_capacity(suspects));
        Self { parents, ends, counts: Vec::with_capacity(suspects), count: 0 }
    }

    fn push(&mut self, parents: impl Iterator<Item = usize>, counts: bool) {
        self.parents.extend(parents);
        self.ends.push(self.parents.len());
        self.counts.push(counts);
        self.count += usize::from(counts);
    }

    fn parents_of(&self, place: usize) -> &[usize] {
        let end = |place: usize| self.ends.get(place).copied().unwrap_or_default();
        let begin = place.checked_sub(1).map_or(0, end);
        self.parents.get(begin..end(place)).unwrap_or_default()
    }

    fn words(&self) -> usize {
        self.counts.len().div_ceil(64)
    }

    /// How many words it takes to know all histories, and what each holds.
    fn cost(&self) -> usize {
        (self.parents.len() + self.counts.len()).saturating_mul(self.words())
    }

    fn histories(&self) -> Histories {
        let words = self.words();
        let mut histories = Histories { words, bits: vec![0; self.counts.len() * words] };
        for place in 0..self.counts.len() {
            let (before, own) = histories.bits.split_at_mut(place * words);
            for parent in self.parents_of(place) {
                let history = before.get(parent * words..(parent + 1) * words);
                let pairs = own.iter_mut().zip(history.unwrap_or_default());
                pairs.for_each(|(word, behind)| *word |= behind);
            }
            if let Some(word) = own.get_mut(place / 64) {
                *word |= 1 << (place % 64);
            }
        }
        histories
    }

    /// Lists what can be tested, the latest first: each that can be the culprit but the last one.
    fn choices(&self, histories: &Histories) -> impl Iterator<Item = Choice> {
        let mut counted = vec![0_u64; self.words()];
        for (place, _) in self.counts.iter().enumerate().filter(|(_, counts)| **counts) {
            if let Some(word) = counted.get_mut(place / 64) {
                *word |= 1 << (place % 64);
            }
        }
        let places = self.counts.iter().enumerate().rev().skip(1).filter(|(_, counts)| **counts);
        places.map(move |(place, _)| {
            let words = histories.of(place).iter().zip(&counted);
            let bad: u32 = words.map(|(word, counted)| (word & counted).count_ones()).sum();
            let bad = usize::try_from(bad).unwrap_or(usize::MAX);
            let good = self.count.saturating_sub(bad);
            let least = tests_at_least(bad) + tests_at_least(good);
            Choice { place, least, miss: bad.abs_diff(good) }
        })
    }

    /// Parts what is left by a test: what is in a history if it was bad, all else if it was good.
    ///
    /// Shape: whatever leads to one of a part is in that part, or is none of both.
    fn parted(&self, history: &[u64]) -> [Self; 2] {
        let all = self.counts.len();
        let mut parts = [Self::with_room(all), Self::with_room(all)];
        let mut places = Vec::with_capacity(all);
        for (place, counts) in self.counts.iter().enumerate() {
            let is_in = history.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1);
            let [bad, good] = &mut parts;
            let part = if is_in { bad } else { good };
            places.push((is_in, part.counts.len()));
            let parents = self.parents_of(place).iter().filter_map(|parent| places.get(*parent));
            let parents = parents.filter(|(of, _)| *of == is_in).map(|(_, place)| *place);
            part.push(parents, *counts);
        }
        parts
    }
}

/// Of each suspect those in its history as bits; itself is one of them.
struct Histories {
    words: usize,
    bits: Vec<u64>,
}

impl Histories {
    fn of(&self, place: usize) -> &[u64] {
        self.bits.get(place * self.words..(place + 1) * self.words).unwrap_or_default()
    }
}

/// Gives how many tests the searches for each suspect take in sum, if every test halves them.
///
/// Source: Knuth, "The Art of Computer Programming" 5.3.1, the least external path length.
fn tests_at_least(suspects: usize) -> usize {
    match suspects.checked_ilog2() {
        Some(log) => suspects * log as usize + 2 * (suspects - (1 << log)),
        None => 0,
    }
}
