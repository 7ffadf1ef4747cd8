//! Histories drawn in ASCII, for tests.

use std::collections::BTreeMap;

use super::Vertex;

/// A history: commits are characters, time runs to the right.
///
/// `-`, `\` and `/` lead from a commit to the commits on its right; the parents of a merge are
/// taken from the middle, then from above, then from below. A digit is later than its column says
/// by ten columns for each of its units, so that clocks can be wrong.
pub(super) struct Drawing {
    commits: BTreeMap<char, (Vertex, Vec<char>)>,
    /// Which commits were read, in order.
    pub(super) read: Vec<char>,
}

impl Drawing {
    pub(super) fn parse(picture: &str) -> Self {
        let grid: Vec<Vec<char>> = picture.lines().map(|line| line.chars().collect()).collect();
        let mut drawing = Self { commits: BTreeMap::new(), read: Vec::new() };
        let width = grid.iter().map(Vec::len).max().unwrap_or_default();
        for column in 0..width {
            for (row, line) in grid.iter().enumerate() {
                let Some(&name) = line.get(column) else { continue };
                if name.is_alphanumeric() {
                    let parents = parents(&grid, row, column);
                    drawing.add(name, column, parents);
                }
            }
        }
        drawing
    }

    /// Makes a history that cannot be drawn in the plane: names, and the names of their parents.
    pub(super) fn of(commits: &[(char, &str)]) -> Self {
        let mut drawing = Self { commits: BTreeMap::new(), read: Vec::new() };
        for (column, (name, parents)) in commits.iter().enumerate() {
            drawing.add(*name, column, parents.chars().collect());
        }
        drawing
    }

    fn add(&mut self, name: char, column: usize, parents: Vec<char>) {
        let generation = parents.iter().map(|parent| self.commits[parent].0.generation).max();
        let late = i64::from(name.to_digit(10).unwrap_or_default()) * 10;
        let time = i64::try_from(column).unwrap() + late;
        let generation = generation.map_or(time, |parents| time.max(parents + 1));
        let before = self.commits.insert(name, (Vertex { time, generation }, parents));
        assert!(before.is_none(), "{name} is drawn twice");
    }

    pub(super) fn names(&self) -> Vec<char> {
        self.commits.keys().copied().collect()
    }

    pub(super) fn parents(&self, name: char) -> &[char] {
        &self.commits[&name].1
    }

    pub(super) fn time(&self, name: char) -> i64 {
        self.commits[&name].0.time
    }

    /// Looks a commit up, as the algorithms want it.
    pub(super) fn read(&mut self, name: char, into: &mut Vec<char>) -> Result<Vertex, String> {
        self.read.push(name);
        let (vertex, parents) = self.commits.get(&name).ok_or(format!("{name} is missing"))?;
        into.extend(parents);
        Ok(*vertex)
    }

    /// Gives a commit's history with itself, by the definition.
    pub(super) fn history(&self, name: char) -> Vec<char> {
        let mut history = vec![name];
        let mut at = 0;
        while let Some(next) = history.get(at) {
            for parent in self.parents(*next) {
                if !history.contains(parent) {
                    history.push(*parent);
                }
            }
            at += 1;
        }
        history.sort_unstable();
        history
    }

    /// Makes a history of `count` commits, with merges and wrong clocks, from a number.
    pub(super) fn generated(count: u8, seed: u64) -> Self {
        let mut drawing = Self { commits: BTreeMap::new(), read: Vec::new() };
        let mut state = seed.wrapping_mul(2).wrapping_add(1);
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(state >> 33).unwrap() % below.max(1)
        };
        for number in 0..count {
            let name = char::from(b'A' + number);
            let before = usize::from(number);
            let mut parents = Vec::new();
            for _ in 0..[1, 1, 2, 3, 0][random(5)].min(before) {
                let near = u8::try_from(before - 1 - random(before.min(6))).unwrap();
                let parent = char::from(b'A' + near);
                if !parents.contains(&parent) {
                    parents.push(parent);
                }
            }
            drawing.add(name, random(40), parents);
        }
        drawing
    }
}

fn parents(grid: &[Vec<char>], row: usize, column: usize) -> Vec<char> {
    [('-', 0), ('\\', -1), ('/', 1)]
        .into_iter()
        .filter_map(|(line, up)| follow(grid, row, column, line, up))
        .collect()
}

/// Goes left along a line until a commit.
fn follow(grid: &[Vec<char>], row: usize, column: usize, line: char, up: isize) -> Option<char> {
    let (mut row, mut column, mut up) = (row, column, up);
    let mut is_first = true;
    loop {
        row = row.checked_add_signed(up)?;
        column = column.checked_sub(1)?;
        let here = *grid.get(row)?.get(column)?;
        if here.is_alphanumeric() && !is_first {
            return Some(here);
        }
        if is_first && here != line {
            return None;
        }
        is_first = false;
        up = match here {
            '-' => 0,
            '\\' => -1,
            '/' => 1,
            _ => return None,
        };
    }
}
