//! Edges on their way from where they start below a commit to where their lanes stand.
//!
//! An edge walks to the left, one character a row, and crosses a lane that is in its way. One
//! edge a row may run far: along the floor of the row, drawn as `_`, to next to its goal.

/// Knows where each edge stands and which lane it goes to.
///
/// Shape: an edge never stands left of its lane; lane k stands at character 2k.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edges {
    /// The lane that the edge at each character goes to.
    at: Vec<Option<usize>>,
}

impl Edges {
    /// Makes the edges of so many lanes that stay where they are.
    pub fn straight(lanes: usize) -> Self {
        let mut edges = Self::default();
        (0..lanes).for_each(|lane| edges.start(2 * lane, lane));
        edges
    }

    /// Puts an edge to `lane` at a character.
    pub fn start(&mut self, character: usize, lane: usize) {
        if self.at.len() <= character {
            self.at.resize(character + 1, None);
        }
        self.at[character] = Some(lane);
    }

    /// Gives the lane that the edge at a character goes to.
    pub fn target(&self, character: usize) -> Option<usize> {
        self.at.get(character).copied().flatten()
    }

    fn standing(&self) -> impl Iterator<Item = (usize, usize)> {
        self.at.iter().enumerate().filter_map(|(at, lane)| lane.map(|lane| (at, lane)))
    }

    /// Tells whether each edge stands in its lane, or half a step right of it.
    pub fn are_home(&self) -> bool {
        self.standing().all(|(at, lane)| at / 2 == lane)
    }

    /// Moves every edge by one row and draws that row; nothing if none can move.
    pub fn walk(&mut self) -> Option<String> {
        let mut next = Self { at: vec![None; self.at.len()] };
        // The edge that runs along the floor: where it comes to stand at last, and its lane.
        let mut runner = None;
        for (at, lane) in self.standing() {
            if at == 2 * lane {
                next.start(at, lane);
                continue;
            }
            let landing = match next.target(at - 1) {
                None => at - 1,
                Some(met) if met == lane => continue,
                Some(_) => at - 2,
            };
            next.start(landing, lane);
            if runner.is_none() {
                runner = Some((landing, lane));
                for floor in (2 * lane + 3..at - 2).step_by(2) {
                    next.start(floor, lane);
                }
            }
        }
        let row = next.draw(runner);
        let has_moved = next != *self;
        *self = next;
        has_moved.then_some(row)
    }

    /// Draws the edges where they stand; of the runner only its foremost piece stays.
    fn draw(&mut self, runner: Option<(usize, usize)>) -> String {
        let mut row = String::new();
        let mut has_run = false;
        let standing: Vec<(usize, usize)> = self.standing().collect();
        for (at, lane) in standing {
            let is_runner = runner.is_some_and(|(_, ran)| ran == lane);
            let landing = runner.map_or(0, |(landing, _)| landing);
            if at == 2 * lane {
                put(&mut row, at, '|');
            } else if is_runner && at != landing {
                put(&mut row, at, '_');
                has_run = true;
                if at != 2 * lane + 3 {
                    self.at[at] = None;
                }
            } else {
                put(&mut row, at, '/');
                if has_run && at <= landing {
                    self.at[at] = None;
                }
            }
        }
        row
    }
}

/// Puts a character into a row of blanks and one-byte characters.
pub fn put(row: &mut String, at: usize, glyph: char) {
    while row.len() <= at {
        row.push(' ');
    }
    row.replace_range(at..=at, glyph.encode_utf8(&mut [0; 4]));
}
