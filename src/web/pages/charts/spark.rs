//! Small charts next to a number: a line or columns, without axes.

use std::fmt::Write;

use super::coord::Coord;
use crate::domain::access::usage::Grouped;

/// In pixels.
pub const WIDTH: f64 = 84.0;
pub const HEIGHT: f64 = 28.0;
/// Pixels at the edges, so that the dot at the line's end is not cut off.
const MARGIN: f64 = 3.0;
const GAP: f64 = 2.0;
const MIN_HEIGHT: f64 = 1.0;

/// A line from old to new, with a dot at its end.
pub struct Line {
    pub label: String,
    pub path: String,
    pub area: String,
    pub end: (Coord, Coord),
}

impl Line {
    /// `what` describes the chart to screen readers, before the values. Returns `None` for fewer than two values.
    pub fn of(what: &str, values: &[i64]) -> Option<Self> {
        let steps = values.len().checked_sub(1).filter(|steps| *steps > 0)?;
        let highest = values.iter().copied().max()?.max(1) as f64;
        let place = |(index, value): (usize, &i64)| {
            let x = MARGIN + (WIDTH - 2.0 * MARGIN) * index as f64 / steps as f64;
            let y = HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * *value as f64 / highest;
            (Coord(x), Coord(y))
        };
        let places: Vec<_> = values.iter().enumerate().map(place).collect();
        let mut path = String::new();
        for (index, (x, y)) in places.iter().enumerate() {
            let letter = if index == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{letter}{x} {y}");
        }
        let (first, last) = (places[0].0, places[steps]);
        let area = format!("{path}L{} {HEIGHT}L{first} {HEIGHT}Z", last.0);
        Some(Self { label: spoken(what, values), path, area, end: last })
    }
}

/// Stacked columns of two series: normal values, and those that need attention.
pub struct Strip {
    pub label: String,
    pub bars: Vec<Bar>,
}

pub struct Bar {
    pub class: &'static str,
    pub x: Coord,
    pub width: Coord,
    pub y: Coord,
    pub height: Coord,
}

impl Strip {
    /// Draws (good, bad) pairs in `c1` and `c2`. A pair of zeros is a thin line.
    pub fn of(what: &str, values: &[(i64, i64)]) -> Self {
        let highest = values.iter().map(|(good, bad)| good + bad).max().unwrap_or(0).max(1) as f64;
        let slot = (WIDTH + GAP) / values.len().max(1) as f64;
        let mut bars = Vec::new();
        for (index, (good, bad)) in values.iter().enumerate() {
            let (x, width) = (Coord(slot * index as f64), Coord(slot - GAP));
            let mut base = HEIGHT;
            let mut push = |class, height: f64| {
                base -= height;
                bars.push(Bar { class, x, width, y: Coord(base), height: Coord(height) });
            };
            let height = |value: i64| (HEIGHT * value as f64 / highest).max(MIN_HEIGHT);
            match (*good, *bad) {
                (0, 0) => push("s-zero", MIN_HEIGHT),
                (good, 0) => push("s-good", height(good)),
                (0, bad) => push("s-bad", height(bad)),
                (good, bad) => {
                    let bad = height(bad);
                    push("s-good", height(good).min(HEIGHT - bad));
                    push("s-bad", bad);
                }
            }
        }
        let sums: Vec<_> = values.iter().map(|(good, bad)| good + bad).collect();
        Self { label: spoken(what, &sums), bars }
    }
}

fn spoken(what: &str, values: &[i64]) -> String {
    let values: Vec<_> = values.iter().map(|value| Grouped(*value).to_string()).collect();
    format!("{what}: {}", values.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_connects_its_values_from_left_to_right() {
        let line = Line::of("Mail in the last 3 days", &[0, 5, 10]).expect("a line");
        assert_eq!(line.path, "M3 25L42 14L81 3");
        assert_eq!(line.area, "M3 25L42 14L81 3L81 28L3 28Z");
        assert_eq!(line.end, (Coord(81.0), Coord(3.0)));
        assert_eq!(line.label, "Mail in the last 3 days: 0, 5, 10");
        assert!(Line::of("nothing", &[]).is_none() && Line::of("one", &[1]).is_none());
        assert_eq!(Line::of("none", &[0, 0]).expect("a line").path, "M3 25L81 25");
    }

    #[test]
    fn columns_fill_the_width_and_match_their_values() {
        let strip = Strip::of("Last 4 days", &[(0, 0), (5, 5), (0, 4), (10, 0)]);
        let of = |class: &str| strip.bars.iter().filter(|bar| bar.class == class).count();
        assert_eq!((of("s-zero"), of("s-good"), of("s-bad")), (1, 2, 2));
        let total: f64 = strip.bars.iter().map(|bar| bar.height.0).sum();
        assert!((total - (1.0 + 28.0 + 28.0 * 0.4 + 28.0)).abs() < 1e-9);
        let last = strip.bars.last().expect("a bar");
        assert!((last.x.0 + last.width.0 - WIDTH).abs() < 1e-9);
        assert_eq!(strip.label, "Last 4 days: 0, 10, 4, 10");
    }
}
