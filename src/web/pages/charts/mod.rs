//! Charts as SVG. Turns numbers into coordinates, x in percent and y in pixels, so that a chart stretches without
//! distorting its text. `templates/macros/charts.html` draws them.

mod calls;
mod columns;
mod coord;
mod meter;
mod period;
mod ranking;
mod scale;
mod spark;

pub use calls::{by_day, calls, day_and_month, long_day};
pub use columns::{Chart, Column, Series};
pub use meter::Meter;
pub use period::PeriodChoice;
pub use ranking::Ranked;
pub use spark::{Line, Strip};
