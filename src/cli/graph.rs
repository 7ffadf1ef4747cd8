//! The history graph of `log --graph`, drawn as git draws it: `*`, `|`, `|\`, `|/`, `*-.`.
//!
//! A lane is a column that waits for one commit. Lane k stands at character 2k; below a commit
//! its edges fan out to its parents, then walk to where their lanes stand (`graph/edges.rs`).
//! Pure, and bounded by the open lanes: commits come in one by one, children before parents.

mod edges;

use edges::{Edges, put};

/// Holds the lines left of one commit's text, all equally wide.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drawing {
    /// Lines above the commit, without text: lanes make room for a merge of many.
    pub above: Vec<String>,
    /// The line of the commit, with its `*`.
    pub commit: String,
    /// Lines below it, in which edges move; further lines of text may stand beside them.
    pub below: Vec<String>,
    /// What stands left of all further lines of text.
    pub beside: String,
}

/// Draws a history, commit by commit.
#[derive(Debug, Clone)]
pub struct Graph<I> {
    /// What each lane waits for; all different.
    lanes: Vec<I>,
    last: LastLine,
}

/// Tells how the last line left the lanes, so that a slope goes on without a kink.
#[derive(Debug, Clone)]
enum LastLine {
    /// Straight, or not known.
    Straight,
    /// Lanes from this one on were drawn as `\`.
    Falling { from: usize },
    /// The edges walked to the left.
    Walking(Edges),
}

/// Holds what one commit changes.
#[derive(Debug)]
struct Step<I> {
    /// The lane of the commit.
    lane: usize,
    /// How many lanes there are above the commit, its own among them.
    count: usize,
    parents: usize,
    /// For a merge: the lane to the left that its first parent joins.
    joins_left: Option<usize>,
    /// For a merge: the next lane waits for its last parent, so both edges meet at once.
    joins_right: bool,
    /// What the lanes below wait for.
    below: Vec<I>,
    /// Where the edges start below the fan.
    edges: Edges,
    /// How many characters the fan takes; text begins behind.
    width: usize,
}

impl<I> Step<I> {
    /// Gives how many edges of a merge go to the right.
    fn falling(&self) -> usize {
        self.parents.saturating_sub(1 + usize::from(self.joins_left.is_some()))
    }

    /// Gives how many of them are drawn as dashes, because `|\` holds only one.
    fn dashed(&self) -> usize {
        self.falling().saturating_sub(1)
    }

    /// Tells whether the lanes right of the commit move to the right in its fan.
    fn pushes(&self) -> bool {
        self.falling() > 0 && !self.joins_right
    }

    fn pad(&self, row: &str) -> String {
        format!("{row:<width$}", width = self.width)
    }
}

impl<I> Default for Graph<I> {
    fn default() -> Self {
        Self { lanes: Vec::new(), last: LastLine::Straight }
    }
}

impl<I: Copy + Eq> Graph<I> {
    /// Draws a commit.
    ///
    /// Shape: a commit comes after all of its children; parents are distinct.
    pub fn draw(&mut self, id: I, parents: &[I]) -> Drawing {
        let step = self.step(id, parents);
        let above = self.room(&step);
        if !above.is_empty() {
            self.last = LastLine::Straight;
        }
        let commit = self.commit_line(&step);
        let below = self.fan_and_walk(&step);
        Drawing {
            above: above.iter().map(|row| step.pad(row)).collect(),
            commit: step.pad(&commit),
            below: below.iter().map(|row| step.pad(row)).collect(),
            beside: step.pad(&"| ".repeat(self.lanes.len())),
        }
    }

    /// Passes over a commit that is not shown: what waits for it then waits for its parents.
    ///
    /// Shape: gives the lines in which edges move; none for a tip, which no lane waits for.
    pub fn pass(&mut self, id: I, parents: &[I]) -> Vec<String> {
        if !self.lanes.contains(&id) {
            return Vec::new();
        }
        let step = self.step(id, parents);
        let mut rows = self.room(&step);
        rows.extend(self.fan_and_walk(&step));
        rows
    }

    /// Says that text stood beside the lanes after the last commit, so that no slope goes on.
    pub fn straighten(&mut self) {
        self.last = LastLine::Straight;
    }

    /// Works out where the lanes go from this commit.
    fn step(&mut self, id: I, parents: &[I]) -> Step<I> {
        let lane = self.lanes.iter().position(|waits| *waits == id).unwrap_or_else(|| {
            self.lanes.push(id);
            self.lanes.len() - 1
        });
        let (left, right) = self.lanes.split_at(lane);
        let right = right.get(1..).unwrap_or_default();
        let is_merge = parents.len() > 1;
        let first = parents.first().filter(|_| is_merge);
        let joins_left = first.and_then(|first| left.iter().position(|waits| waits == first));
        let mut step = Step {
            lane,
            count: self.lanes.len(),
            parents: parents.len(),
            joins_left,
            joins_right: false,
            below: left.to_vec(),
            edges: Edges::straight(lane),
            width: 0,
        };
        step.joins_right = step.falling() > 0 && right.first() == parents.last();
        let mut at = 2 * lane;
        for (number, parent) in parents.iter().enumerate() {
            let target = lane_of(&mut step.below, *parent);
            match joins_left.filter(|_| number == 0) {
                Some(joined) => step.edges.start(first_stop(joined, lane), target),
                None => {
                    step.edges.start(at, target);
                    at += 2;
                }
            }
        }
        // A root leaves a gap, into which its neighbours walk.
        at = at.max(2 * lane + if parents.is_empty() { 2 } else { 0 });
        for (number, waits) in right.iter().enumerate() {
            let target = lane_of(&mut step.below, *waits);
            if !(number == 0 && step.joins_right) {
                step.edges.start(at, target);
                at += 2;
            }
        }
        step.width = at;
        step
    }

    /// Draws the lines that push the lanes right of a merge of many out of the way.
    fn room(&self, step: &Step<I>) -> Vec<String> {
        if step.lane + 1 == step.count {
            return Vec::new();
        }
        let draw = |pushed: usize| {
            let mut row = "| ".repeat(step.lane + 1);
            for lane in step.lane + 1..step.count {
                let falls = pushed > 0 || self.falls(lane);
                put(&mut row, 2 * lane + pushed, if falls { '\\' } else { '|' });
            }
            row
        };
        (0..2 * step.dashed()).map(draw).collect()
    }

    fn commit_line(&self, step: &Step<I>) -> String {
        let mut row = String::new();
        for lane in 0..step.lane {
            put(&mut row, 2 * lane, self.upright(lane, step));
        }
        put(&mut row, 2 * step.lane, '*');
        for dash in 0..2 * step.dashed() {
            let is_last = dash + 1 == 2 * step.dashed();
            put(&mut row, 2 * step.lane + 1 + dash, if is_last { '.' } else { '-' });
        }
        for lane in step.lane + 1..step.count {
            let falls = step.pushes() && (step.dashed() > 0 || self.falls(lane));
            let glyph = if falls { '\\' } else { self.upright(lane, step) };
            put(&mut row, 2 * (lane + step.dashed()), glyph);
        }
        row
    }

    fn falls(&self, lane: usize) -> bool {
        matches!(self.last, LastLine::Falling { from } if lane >= from)
    }

    /// Gives `|`, or `/` for a lane that came walking to the left and goes on so.
    fn upright(&self, lane: usize, step: &Step<I>) -> char {
        let walks_on = match &self.last {
            LastLine::Walking(edges) => {
                let goes_on = step.edges.target(2 * lane).is_none_or(|target| target < lane);
                !step.pushes() && goes_on && edges.target(2 * lane + 1) == Some(lane)
            }
            _ => false,
        };
        if walks_on { '/' } else { '|' }
    }

    /// Draws how a merge fans out and how edges walk to their lanes, which are then the open ones.
    fn fan_and_walk(&mut self, step: &Step<I>) -> Vec<String> {
        let mut rows = Vec::new();
        self.last = LastLine::Straight;
        if step.parents > 1 {
            rows.push(fan_line(step));
            if step.pushes() {
                self.last = LastLine::Falling { from: step.lane + 1 };
            }
        }
        let mut edges = step.edges.clone();
        while !edges.are_home() {
            match edges.walk() {
                Some(row) => rows.push(row),
                None => break,
            }
            self.last = LastLine::Walking(edges.clone());
        }
        self.lanes.clone_from(&step.below);
        rows
    }
}

/// Finds the lane that waits for a commit, or opens one at the right.
fn lane_of<I: Copy + Eq>(lanes: &mut Vec<I>, id: I) -> usize {
    lanes.iter().position(|waits| *waits == id).unwrap_or_else(|| {
        lanes.push(id);
        lanes.len() - 1
    })
}

/// Gives where the first edge of a merge stands below the fan, on its way to a lane at the left.
fn first_stop(joined: usize, lane: usize) -> usize {
    if joined + 1 == lane { 2 * lane - 1 } else { 2 * joined + 3 }
}

fn fan_line<I>(step: &Step<I>) -> String {
    let mut row = "| ".repeat(step.lane + 1);
    if let Some(joined) = step.joins_left {
        for at in (2 * joined + 3..2 * step.lane - 1).step_by(2) {
            put(&mut row, at, '_');
        }
        put(&mut row, 2 * step.lane - 1, '/');
    }
    for edge in 0..step.falling() {
        put(&mut row, 2 * (step.lane + edge) + 1, '\\');
    }
    for lane in step.lane + 1..step.count {
        if step.pushes() {
            put(&mut row, 2 * (lane + step.falling()) - 1, '\\');
        } else {
            put(&mut row, 2 * (lane + step.dashed()), '|');
        }
    }
    row
}

#[cfg(test)]
#[path = "graph_tests.rs"]
mod tests;
