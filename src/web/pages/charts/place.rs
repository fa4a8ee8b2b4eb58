//! Places in a drawing.

use std::fmt;

/// A place or a length in a drawing, written with as many digits as can be seen.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Place(pub f64);

impl fmt::Display for Place {
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
    fn a_place_has_no_digits_that_say_nothing() {
        let written = [0.0, 4.0, 12.5, 33.333_33, -0.001, 100.0].map(|place| Place(place).to_string());
        assert_eq!(written, ["0", "4", "12.5", "33.33", "0", "100"]);
    }
}
