//! A series as a picture: in dots for a terminal, in SVG for a file.

use super::escape;

/// Dots of one character, across and down: Braille patterns, U+2800 and on.
const ACROSS: usize = 2;
const DOWN: usize = 4;
/// The bit of each dot, by its row and column (Unicode Standard, block Braille Patterns).
const BITS: [[u32; ACROSS]; DOWN] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// Points of a series: finite steps and values, in the order of the series.
#[derive(Debug, Clone, Default)]
pub struct Points(Vec<(f64, f64)>);

/// What the points span.
struct Span {
    x: (f64, f64),
    y: (f64, f64),
}

impl Points {
    /// Takes steps and values, and leaves out what is not finite.
    pub fn new(points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self(points.into_iter().filter(|(x, y)| x.is_finite() && y.is_finite()).collect())
    }

    /// Tells whether there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn span(&self) -> Span {
        let of = |part: fn(&(f64, f64)) -> f64| {
            let values = self.0.iter().map(part);
            let ends = (f64::INFINITY, f64::NEG_INFINITY);
            let (low, high) = values.fold(ends, |(low, high), v| (low.min(v), high.max(v)));
            if low < high { (low, high) } else { (low - 0.5, high + 0.5) }
        };
        Span { x: of(|point| point.0), y: of(|point| point.1) }
    }

    /// Draws them in `width` by `height` characters, between axes with their ends.
    pub fn lines(&self, width: usize, height: usize) -> Vec<String> {
        let span = self.span();
        let (across, down) = (width * ACROSS, height * DOWN);
        let mut cells = vec![vec![0_u32; width]; height];
        let mut before: Option<(usize, usize)> = None;
        for (x, y) in &self.0 {
            let dot = (place(*x, span.x, across), down - 1 - place(*y, span.y, down));
            for (column, row) in between(before.replace(dot).unwrap_or(dot), dot) {
                cells[row / DOWN][column / ACROSS] |= BITS[row % DOWN][column % ACROSS];
            }
        }
        let (top, bottom) = (short(span.y.1), short(span.y.0));
        let margin = top.len().max(bottom.len());
        let mut lines = Vec::with_capacity(height + 2);
        for (row, cells) in cells.iter().enumerate() {
            let label = match row {
                0 => top.as_str(),
                row if row + 1 == height => bottom.as_str(),
                _ => "",
            };
            let dots: String =
                cells.iter().filter_map(|bits| char::from_u32(0x2800 + bits)).collect();
            lines.push(format!("{label:>margin$} │{dots}"));
        }
        lines.push(format!("{:>margin$} └{}", "", "─".repeat(width)));
        let (left, right) = (short(span.x.0), short(span.x.1));
        let gap = width.saturating_sub(left.len() + right.len());
        lines.push(format!("{:>margin$}  {left}{}{right}", "", " ".repeat(gap)));
        lines
    }

    /// Draws them as a picture of 800 by 400 units.
    pub fn svg(&self, title: &str) -> String {
        const WIDTH: f64 = 800.0;
        const HEIGHT: f64 = 400.0;
        const MARGIN: f64 = 60.0;
        let span = self.span();
        let at = |value: f64, (low, high): (f64, f64), from: f64, to: f64| {
            from + (value - low) / (high - low) * (to - from)
        };
        let points: Vec<String> = self
            .0
            .iter()
            .map(|(x, y)| {
                let x = at(*x, span.x, MARGIN, WIDTH - MARGIN / 2.0);
                let y = at(*y, span.y, HEIGHT - MARGIN, MARGIN / 2.0);
                format!("{x:.1},{y:.1}")
            })
            .collect();
        let (left, right, low) = (MARGIN, WIDTH - MARGIN / 2.0, HEIGHT - MARGIN);
        let text = |x: f64, y: f64, anchor: &str, text: &str| {
            format!("<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{}</text>\n", xml(text))
        };
        let labels = [
            text(WIDTH / 2.0, 20.0, "middle", title),
            text(left - 6.0, MARGIN / 2.0 + 4.0, "end", &short(span.y.1)),
            text(left - 6.0, low + 4.0, "end", &short(span.y.0)),
            text(left, low + 20.0, "middle", &short(span.x.0)),
            text(right, low + 20.0, "middle", &short(span.x.1)),
        ];
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <path d=\"M{left} {top} V{low} H{right}\" fill=\"none\" stroke=\"#888\"/>\n\
             <polyline points=\"{points}\" fill=\"none\" stroke=\"#1f77b4\"/>\n\
             {labels}</svg>\n",
            top = MARGIN / 2.0,
            points = points.join(" "),
            labels = labels.concat(),
        )
    }
}

/// Gives the dots on the line from one dot to another, both included.
fn between(from: (usize, usize), to: (usize, usize)) -> impl Iterator<Item = (usize, usize)> {
    let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1));
    let at = move |step: usize, from: usize, to: usize| {
        let share = step as f64 / steps.max(1) as f64;
        (from as f64 + share * (to as f64 - from as f64)).round() as usize
    };
    (0..=steps).map(move |step| (at(step, from.0, to.0), at(step, from.1, to.1)))
}

/// Gives the dot of a value, of `count` that span from the least to the greatest.
fn place(value: f64, (low, high): (f64, f64), count: usize) -> usize {
    let share = (value - low) / (high - low);
    ((share * (count - 1) as f64).round() as usize).min(count - 1)
}

/// Spells a number in at most five digits.
fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.4e}").parse().unwrap_or(value);
    let plain = rounded.to_string();
    if plain.len() <= 9 { plain } else { format!("{rounded:e}") }
}

fn xml(text: &str) -> String {
    escape::line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_falls_is_drawn_from_the_top_left_to_the_bottom_right() {
        let points = Points::new((0..8).map(|x| (f64::from(x), 7.0 - f64::from(x))));
        let expected = ["7 │⠑⢄⠀⠀", "0 │⠀⠀⠑⢄", "  └────", "   0  7"];
        assert_eq!(points.lines(4, 2), expected);
    }

    #[test]
    fn points_are_joined() {
        let points = Points::new([(0.0, 0.0), (1.0, 1.0)]);
        assert_eq!(points.lines(2, 1), ["1 │⡠⠊", "  └──", "   01"]);
    }

    #[test]
    fn one_value_and_what_is_not_finite_are_no_trouble() {
        let points = Points::new([(1.0, 0.25), (2.0, f64::NAN), (f64::INFINITY, 1.0)]);
        assert_eq!(points.lines(3, 1).len(), 3);
        assert!(points.svg("a < b").contains("a &lt; b"));
        assert!(Points::new([(0.0, f64::NAN)]).is_empty());
    }
}
