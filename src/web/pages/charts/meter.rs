//! A meter, which shows how much of a limit is used.

use super::coord::Coord;
use crate::domain::access::usage::Grouped;

/// A bar with its width in percent. Its tone is "", "warning" from 80 %, or "danger" from 95 %.
pub struct Meter {
    pub label: String,
    pub width: Coord,
    pub tone: &'static str,
}

impl Meter {
    /// `what` completes `642 of 1,000 …`.
    pub fn of_limit(used: i64, limit: i64, what: &str) -> Self {
        let percent = share(used, limit);
        let tone = match percent {
            95.0.. => "danger",
            80.0.. => "warning",
            _ => "",
        };
        let label = format!("{} of {} {what}", Grouped(used), Grouped(limit));
        Self { label, width: Coord(percent), tone }
    }

    /// A bar in a ranking whose first row has `highest`. `what` completes `642 …`.
    pub fn of_ranking(value: i64, highest: i64, what: &str) -> Self {
        // A minimum width, so that no bar looks empty.
        let width = share(value, highest).max(if value > 0 { 1.0 } else { 0.0 });
        Self { label: format!("{} {what}", Grouped(value)), width: Coord(width), tone: "" }
    }
}

fn share(part: i64, whole: i64) -> f64 {
    if whole <= 0 { 0.0 } else { (part as f64 / whole as f64 * 100.0).clamp(0.0, 100.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_warns_before_the_limit_is_reached() {
        let tones = [0, 790, 800, 949, 950, 1_000, 1_200].map(|used| Meter::of_limit(used, 1_000, "").tone);
        assert_eq!(tones, ["", "", "warning", "warning", "danger", "danger", "danger"]);
        let meter = Meter::of_limit(642, 1_000, "requests used");
        assert_eq!((meter.width, &*meter.label), (Coord(64.2), "642 of 1,000 requests used"));
        assert_eq!(Meter::of_limit(1_200, 1_000, "").width, Coord(100.0));
        assert_eq!(Meter::of_limit(3, 0, "").width, Coord(0.0));
    }

    #[test]
    fn small_values_in_a_ranking_stay_visible() {
        assert_eq!(Meter::of_ranking(1, 20_000, "requests").width, Coord(1.0));
        assert_eq!(Meter::of_ranking(0, 20_000, "requests").width, Coord(0.0));
        assert_eq!(Meter::of_ranking(20_000, 20_000, "requests").label, "20,000 requests");
    }
}
