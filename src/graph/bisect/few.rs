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

/// So many words of sets are looked at for one answer, in a few tenths of a second at most. A fourth of
/// that loses most of what is won with thousands of suspects.
const WORDS_MAX: usize = 1 << 25;

/// At most [`FEW`] suspects.
pub struct Few {
    /// Of each the suspects in its history; itself is one of them.
    histories: Vec<Set>,
    all: Set,
    words_left: usize,
}

impl Few {
    /// Takes suspects by index, parents before children; none if there are too many.
    pub fn new(graph: &Graph<'_>) -> Option<Self> {
        let suspects = graph.parents.len();
        if suspects > FEW {
            return None;
        }
        let counted = graph.counts.iter().enumerate().filter(|(_, counts)| **counts);
        let all = Set::of(suspects, counted.map(|(place, _)| place));
        let mut histories: Vec<Set> = Vec::with_capacity(suspects);
        for (place, parents) in graph.parents.iter().enumerate() {
            let mut history = Set::of(suspects, [place]);
            parents
                .iter()
                .filter_map(|parent| histories.get(*parent))
                .for_each(|behind| history.add(behind));
            histories.push(history);
        }
        Some(Self { histories, all, words_left: WORDS_MAX })
    }

    /// Finds the one to test, among those that can be the culprit, the last one excepted.
    pub fn best(mut self) -> Option<usize> {
        let all = self.all.clone();
        let mut choices: Vec<Choice> = self.choices(&all).collect();
        choices.sort_by_key(|choice| choice.least);
        let nearest = choices.first()?.place;
        let mut best: Option<(usize, usize)> = None;
        for choice in choices.into_iter().take(TRIED) {
            // What is left cannot be better, even if all that follows were halved.
            if best.is_some_and(|(tests, _)| tests <= choice.least) {
                break;
            }
            let Some(tests) = self.tests_after(&all, choice.place) else { break };
            if best.is_none_or(|(known, _)| tests < known) {
                best = Some((tests, choice.place));
            }
        }
        Some(best.map_or(nearest, |(_, place)| place))
    }

    /// Counts the tests of the searches for each of `left`, in sum, once a suspect is tested.
    ///
    /// Shape: each later test is the one that comes nearest to halves. None if that takes too long,
    /// as where hardly any test tells much: many commits that one merge joins.
    fn tests_after(&mut self, left: &Set, place: usize) -> Option<usize> {
        let (bad, good) = left.parted(self.histories.get(place)?);
        let (mut tests, mut open) = (0, vec![bad, good]);
        while let Some(left) = open.pop() {
            self.words_left = self.words_left.checked_sub(left.count() * left.0.len())?;
            let Some(nearest) = self.choices(&left).min_by_key(|choice| choice.least) else {
                continue;
            };
            tests += left.count();
            let (bad, good) = left.parted(self.histories.get(nearest.place)?);
            open.extend([bad, good]);
        }
        Some(tests)
    }

    /// Lists what can be tested to tell `left` apart, the last one of which is known to be bad.
    fn choices(&self, left: &Set) -> impl Iterator<Item = Choice> {
        let all = left.count();
        left.places().rev().skip(1).filter_map(move |place| {
            let bad = self.histories.get(place)?.common(left);
            Some(Choice { place, least: tests_at_least(bad) + tests_at_least(all - bad) })
        })
    }
}

/// A test that tells suspects apart.
struct Choice {
    place: usize,
    /// All searches take at least so many tests after it, in sum.
    least: usize,
}

/// Places as bits.
#[derive(Clone)]
struct Set(Vec<u64>);

impl Set {
    fn of(places_max: usize, places: impl IntoIterator<Item = usize>) -> Self {
        let mut words = vec![0; places_max.div_ceil(64)];
        for place in places {
            if let Some(word) = words.get_mut(place / 64) {
                *word |= 1 << (place % 64);
            }
        }
        Self(words)
    }

    fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }

    /// Gives what is in another set too, and what is not.
    fn parted(&self, other: &Self) -> (Self, Self) {
        let words = self.0.iter().zip(&other.0);
        (
            Self(words.clone().map(|(word, other)| word & other).collect()),
            Self(words.map(|(word, other)| word & !other).collect()),
        )
    }

    fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Counts what is in another set too.
    fn common(&self, other: &Self) -> usize {
        self.0.iter().zip(&other.0).map(|(word, other)| (word & other).count_ones() as usize).sum()
    }

    /// Lists what is in it, ascending.
    fn places(&self) -> impl DoubleEndedIterator<Item = usize> {
        let bits = |(at, word): (usize, &u64)| {
            let word = *word;
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at * 64 + bit)
        };
        self.0.iter().enumerate().flat_map(bits)
    }
}

/// Gives how many tests all searches for one of some suspects take in sum, if each test halves them.
///
/// Source: Knuth, "The Art of Computer Programming" 5.3.1, the least external path length.
fn tests_at_least(suspects: usize) -> usize {
    match suspects.checked_ilog2() {
        Some(log) => suspects * log as usize + 2 * (suspects - (1 << log)),
        None => 0,
    }
}
