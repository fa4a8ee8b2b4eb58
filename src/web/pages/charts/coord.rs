//! Coordinates in a chart.

use std::fmt;

/// A coordinate or a length, printed without superfluous digits.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Coord(pub f64);

impl fmt::Display for Coord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.2}", self.0);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        f.write_str(if text == "-0" { "0" } else { text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_have_no_superfluous_digits() {
        let written = [0.0, 4.0, 12.5, 33.333_33, -0.001, 100.0].map(|number| Coord(number).to_string());
        assert_eq!(written, ["0", "4", "12.5", "33.33", "0", "100"]);
    }
}
