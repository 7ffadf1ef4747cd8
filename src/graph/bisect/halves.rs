//! The suspect that has a given number of suspects behind it, as nearly as any.
//!
//! To count what is behind a merge takes a walk over all of it, so a walk for each merge would cost
//! the square of the history. Few are needed: what is known of one commit bounds what can be behind
//! those before and after it, and a merge is counted only if it may come nearer than the best.

/// Suspects by index, parents before children.
#[derive(Debug, Clone, Copy)]
pub struct Graph<'a> {
    pub parents: &'a [Vec<usize>],
    /// Which of them can be the culprit, and so are counted.
    pub counts: &'a [bool],
    /// How many of them are.
    pub count: usize,
}

impl Graph<'_> {
    /// Finds, among those that `can_test` allows, the one with nearest to half of `twice` countable
    /// suspects in its history; itself is one of them.
    ///
    /// Shape: with many suspects one that misses by less than a thousandth of them is near enough.
    /// Source: git `bisect.c`, `approx_halfway`.
    pub fn closest(&self, twice: usize, can_test: impl Fn(usize) -> bool) -> Option<usize> {
        Bounds::new(*self).closest(twice, can_test)
    }
}

/// How far a count is from half of `twice`, times two.
fn distance(count: usize, twice: usize) -> usize {
    count.saturating_mul(2).abs_diff(twice)
}

/// What is known of how many suspects are in the history of each.
struct Bounds<'a> {
    graph: Graph<'a>,
    /// At least so many.
    low: Vec<usize>,
    /// At most so many.
    high: Vec<usize>,
}

impl<'a> Bounds<'a> {
    fn new(graph: Graph<'a>) -> Self {
        let mut before = 0;
        let counted = graph.counts.iter().map(|counts| {
            before += usize::from(*counts);
            before
        });
        let mut bounds = Self { graph, low: vec![0; graph.parents.len()], high: counted.collect() };
        bounds.tighten();
        bounds
    }

    fn closest(&mut self, twice: usize, can_test: impl Fn(usize) -> bool) -> Option<usize> {
        let near = (self.graph.count / 1024).max(1);
        loop {
            let known = self.tested(&can_test).filter(|(_, low, high)| low == high);
            let known = known.map(|(place, low, _)| (distance(low, twice), place)).min();
            let open = self.tested(&can_test).filter(|(_, low, high)| low < high);
            let open = open.map(|(place, low, high)| {
                let misses = (low.saturating_mul(2)).saturating_sub(twice);
                let misses = misses.max(twice.saturating_sub(high.saturating_mul(2)));
                (misses, low.saturating_add(high).abs_diff(twice), place)
            });
            let open = open.min();
            match (known, open) {
                (Some((miss, place)), _) if miss <= near => return Some(place),
                (Some((miss, place)), Some((misses, _, _))) if misses >= miss => {
                    return Some(place);
                }
                (known, None) => return known.map(|(_, place)| place),
                (_, Some((_, _, place))) => self.count(place),
            }
        }
    }

    /// Lists what can be tested: place, at least, at most.
    fn tested(
        &self,
        can_test: &impl Fn(usize) -> bool,
    ) -> impl Iterator<Item = (usize, usize, usize)> {
        let bounds = self.low.iter().zip(&self.high).enumerate();
        bounds
            .filter(move |(place, _)| can_test(*place))
            .map(|(place, (low, high))| (place, *low, *high))
    }

    /// Counts the history of a suspect exactly; of the nearest merge, where only one line leads to
    /// it from there.
    fn count(&mut self, place: usize) {
        let mut place = place;
        while let Some([parent]) = self.graph.parents.get(place).map(Vec::as_slice) {
            place = *parent;
        }
        let mut seen = vec![false; self.graph.parents.len()];
        let mut stack = vec![place];
        let mut count = 0;
        while let Some(next) = stack.pop() {
            let Some(seen) = seen.get_mut(next).filter(|seen| !**seen) else { continue };
            *seen = true;
            count += self.own(next);
            stack.extend(self.graph.parents.get(next).into_iter().flatten());
        }
        for bounds in [&mut self.low, &mut self.high] {
            if let Some(bound) = bounds.get_mut(place) {
                *bound = count;
            }
        }
        self.tighten();
    }

    /// Takes what is known of each suspect to its parents and children.
    fn tighten(&mut self) {
        let graph = self.graph;
        for (place, parents) in graph.parents.iter().enumerate() {
            let own = self.own(place);
            let low = parents.iter().map(|parent| get(&self.low, *parent)).max();
            let high = parents.iter().map(|parent| get(&self.high, *parent));
            let high = high.fold(own, usize::saturating_add);
            self.narrow(place, low.unwrap_or_default() + own, high);
        }
        for (place, parents) in graph.parents.iter().enumerate().rev() {
            let own = self.own(place);
            let high = get(&self.high, place).saturating_sub(own);
            let low = match parents.as_slice() {
                [_] => get(&self.low, place).saturating_sub(own),
                _ => 0,
            };
            for parent in parents {
                self.narrow(*parent, low, high);
            }
        }
    }

    fn own(&self, place: usize) -> usize {
        usize::from(self.graph.counts.get(place).copied().unwrap_or_default())
    }

    fn narrow(&mut self, place: usize, low: usize, high: usize) {
        if let (Some(least), Some(most)) = (self.low.get_mut(place), self.high.get_mut(place)) {
            *least = low.max(*least);
            *most = high.min(*most);
        }
    }
}

fn get(of: &[usize], place: usize) -> usize {
    of.get(place).copied().unwrap_or_default()
}
