//! The vertical axis of a chart.

use crate::domain::access::usage::Grouped;

/// The number of lines above the base.
pub(super) const GRID_LINES: i64 = 4;

/// Four equal, round steps. The last tick is at or above the highest value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scale {
    step: i64,
}

impl Scale {
    pub fn of(highest: i64) -> Self {
        let wanted = (highest.max(1) - 1) / GRID_LINES + 1;
        let mut power = 1_i64;
        loop {
            // Steps in tenths of `power`. Below 10, only whole numbers.
            let tenths: &[i64] =
                if power < 10 { &[10, 20, 50] } else { &[10, 15, 20, 25, 30, 40, 50, 60, 80] };
            if let Some(step) = tenths.iter().map(|tenths| tenths * power / 10).find(|step| *step >= wanted) {
                return Self { step };
            }
            match power.checked_mul(10) {
                Some(next) if next < i64::MAX / 100 => power = next,
                _ => return Self { step: wanted },
            }
        }
    }

    pub fn top(self) -> i64 {
        self.step * GRID_LINES
    }

    /// From 0 to the top.
    pub fn ticks(self) -> impl Iterator<Item = i64> {
        (0..=GRID_LINES).map(move |number| number * self.step)
    }
}

/// The label of a tick: `750`, `7,500`, `25k`, `2.5M`.
pub(super) fn tick_label(tick: i64) -> String {
    let (unit, size) = match tick {
        10_000..1_000_000 => ("k", 1_000),
        1_000_000..1_000_000_000 => ("M", 1_000_000),
        1_000_000_000.. => ("G", 1_000_000_000),
        _ => return Grouped(tick).to_string(),
    };
    match (tick / size, tick % size * 100 / size) {
        (whole, 0) => format!("{whole}{unit}"),
        (whole, rest) => {
            let rest = format!("{rest:02}");
            format!("{whole}.{}{unit}", rest.trim_end_matches('0'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(highest: i64) -> Vec<i64> {
        Scale::of(highest).ticks().collect()
    }

    #[test]
    fn ticks_are_round_and_reach_the_highest_value() {
        for (highest, expected) in [
            (0, [0, 1, 2, 3, 4]),
            (1, [0, 1, 2, 3, 4]),
            (7, [0, 2, 4, 6, 8]),
            (31, [0, 10, 20, 30, 40]),
            (97, [0, 25, 50, 75, 100]),
            (206, [0, 60, 120, 180, 240]),
            (731, [0, 200, 400, 600, 800]),
            (999, [0, 250, 500, 750, 1_000]),
            (1_000, [0, 250, 500, 750, 1_000]),
            (1_000_000, [0, 250_000, 500_000, 750_000, 1_000_000]),
        ] {
            assert_eq!(ticks(highest), expected, "{highest}");
        }
        for highest in (0..5_000).chain([i64::MAX / 1_000, i64::MAX / 5]) {
            let top = Scale::of(highest).top();
            assert!(
                top >= highest && (highest < 100 || top <= highest.saturating_mul(2)),
                "{highest}: {top}"
            );
        }
    }

    #[test]
    fn large_ticks_are_abbreviated() {
        let written = [0, 750, 7_500, 25_000, 250_000, 1_000_000, 2_500_000, 1_250_000].map(tick_label);
        assert_eq!(written, ["0", "750", "7,500", "25k", "250k", "1M", "2.5M", "1.25M"]);
    }
}
