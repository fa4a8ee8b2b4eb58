//! Charts as SVG that the server draws: numbers in, places out. Across, places are in percent and
//! down in pixels, so that a drawing without a `viewBox` stretches and its text does not.
//! `templates/macros/charts.html` writes them.

mod calls;
mod columns;
mod meter;
mod period;
mod place;
mod scale;
mod spark;

pub use calls::{by_day, calls, day_and_month, long_day};
pub use columns::{Chart, Column, Series};
pub use meter::Meter;
pub use period::PeriodChoice;
pub use spark::{Line, Strip};
