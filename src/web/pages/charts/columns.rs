//! Stacked columns over time.

use super::coord::Coord;
use super::scale::{Scale, tick_label};
use crate::domain::access::usage::Grouped;

/// The share of its band's width that a column fills.
const FILL: f64 = 0.76;
/// Minimum height of a non-zero segment, in pixels, including a 1 px gap.
const MIN_HEIGHT: f64 = 2.5;
/// A limit over this many times the highest column is not drawn, because it would flatten the columns.
const MAX_LIMIT_RATIO: i64 = 4;

/// The meaning of one color; `tone` is 1 to 5 for `c1` to `c5` in `chart.css`.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    pub name: &'static str,
    pub tone: u8,
}

#[derive(Clone, Debug)]
pub struct Column {
    /// `Thu 26 Nov, 09:00 to 10:00`
    pub name: String,
    /// The label below the axis, or empty.
    pub label: String,
    /// One value per series.
    pub values: Vec<i64>,
    /// Whether the period is still running.
    pub is_running: bool,
    /// Whether counting stopped at the maximum.
    pub is_cut_off: bool,
}

/// A line across the chart.
#[derive(Clone, Debug)]
pub struct Limit {
    pub name: &'static str,
    pub at: i64,
}

/// A chart with all coordinates.
pub struct Chart {
    /// The id of the chart in its page.
    pub id: &'static str,
    /// A description for screen readers, with the highest column.
    pub summary: String,
    /// The heading of the column names in the table.
    pub time: &'static str,
    pub legend: Vec<Figure>,
    pub ticks: Vec<Tick>,
    pub bands: Vec<Band>,
    pub limit: Option<LimitLine>,
    /// Pixels from the top to the base.
    pub height: Coord,
}

pub struct Tick {
    pub y: Coord,
    pub label: String,
}

pub struct LimitLine {
    pub y: Coord,
    pub label_at: Coord,
    pub label: String,
}

/// A column with the area that shows its figures.
pub struct Band {
    pub name: String,
    pub label: String,
    pub spoken: String,
    pub from: Coord,
    pub width: Coord,
    pub middle: Coord,
    pub segments: Vec<Segment>,
    pub figures: Vec<Figure>,
    pub total: String,
    pub is_running: bool,
    /// Whether the band is in the left half, so that its figures fit on its right.
    pub is_left_half: bool,
    /// Whether the label is hidden on a phone, where only every other one fits.
    pub is_minor: bool,
}

pub struct Segment {
    pub tone: u8,
    pub x: Coord,
    pub width: Coord,
    pub y: Coord,
    pub height: Coord,
}

pub struct Figure {
    pub tone: u8,
    pub name: &'static str,
    pub value: String,
}

impl Band {
    /// The x coordinate of the figures.
    pub fn beside(&self) -> Coord {
        if self.is_left_half { Coord(self.from.0 + self.width.0) } else { self.from }
    }
}

impl Chart {
    /// Builds a chart of `height` pixels, with the oldest column first. `what` and `time` are for screen readers.
    pub fn of(
        (id, what, time): (&'static str, &str, &'static str),
        series: &[Series],
        columns: Vec<Column>,
        limit: Option<Limit>,
        height: u16,
    ) -> Self {
        let height = f64::from(height);
        let highest = columns.iter().map(Column::total).max().unwrap_or(0);
        let limit = limit.filter(|limit| limit.at <= highest.saturating_mul(MAX_LIMIT_RATIO));
        let scale = Scale::of(limit.as_ref().map_or(highest, |limit| highest.max(limit.at)));
        let y = |value: i64| height - height * value as f64 / scale.top() as f64;
        Self {
            id,
            summary: summary(what, &columns),
            time,
            legend: legend(series, &columns),
            ticks: scale.ticks().map(|tick| Tick { y: Coord(y(tick)), label: tick_label(tick) }).collect(),
            limit: limit.map(|limit| LimitLine {
                y: Coord(y(limit.at)),
                label_at: Coord(y(limit.at) - 6.0),
                label: format!("{} {}", limit.name, Grouped(limit.at)),
            }),
            bands: bands(series, columns, scale, height),
            height: Coord(height),
        }
    }

    /// Whether any column has a value.
    pub fn has_values(&self) -> bool {
        self.bands.iter().any(|band| !band.segments.is_empty())
    }
}

impl Column {
    fn total(&self) -> i64 {
        self.values.iter().sum()
    }

    fn format(&self, value: i64) -> String {
        let more = if self.is_cut_off && value > 0 { "more than " } else { "" };
        format!("{more}{}", Grouped(value))
    }
}

fn summary(what: &str, columns: &[Column]) -> String {
    match columns.iter().max_by_key(|column| column.total()).filter(|column| column.total() > 0) {
        Some(highest) => format!("{what}. Highest: {}, {}.", highest.name, highest.format(highest.total())),
        None => format!("{what}. No data."),
    }
}

fn legend(series: &[Series], columns: &[Column]) -> Vec<Figure> {
    let is_cut_off = columns.iter().any(|column| column.is_cut_off);
    let sums = series.iter().enumerate().map(|(index, series)| {
        let sum: i64 = columns.iter().filter_map(|column| column.values.get(index)).sum();
        let more = if is_cut_off && sum > 0 { "more than " } else { "" };
        Figure { tone: series.tone, name: series.name, value: format!("{more}{}", Grouped(sum)) }
    });
    sums.collect()
}

fn bands(series: &[Series], columns: Vec<Column>, scale: Scale, height: f64) -> Vec<Band> {
    let (count, width) = (columns.len(), 100.0 / columns.len().max(1) as f64);
    let mut labels = 0;
    let placed = columns.into_iter().enumerate().map(|(index, column)| {
        let from = width * index as f64;
        let is_minor = labels % 2 == 1 && index + 1 < count;
        labels += usize::from(!column.label.is_empty());
        let figures: Vec<_> = series
            .iter()
            .zip(&column.values)
            .map(|(series, value)| Figure {
                tone: series.tone,
                name: series.name,
                value: column.format(*value),
            })
            .collect();
        let total = column.format(column.total());
        let spoken: Vec<_> = figures.iter().map(|each| format!("{} {}", each.value, each.name)).collect();
        let bar = (from + width * (1.0 - FILL) / 2.0, width * FILL);
        Band {
            spoken: format!("{}: {}", column.name, spoken.join(", ")),
            from: Coord(from),
            width: Coord(width),
            middle: Coord(from + width / 2.0),
            segments: segments(series, &column, bar, scale, height),
            figures,
            total,
            is_running: column.is_running,
            is_left_half: index * 2 < count,
            is_minor,
            name: column.name,
            label: column.label,
        }
    });
    placed.collect()
}

/// Stacks the segments from the base up. The largest one shrinks to make up for the minimum height of small ones,
/// so that together they are as high as their total.
fn segments(
    series: &[Series],
    column: &Column,
    (x, width): (f64, f64),
    scale: Scale,
    height: f64,
) -> Vec<Segment> {
    let exact = |value: i64| height * value as f64 / scale.top() as f64;
    let mut heights: Vec<f64> = column
        .values
        .iter()
        .map(|value| if *value > 0 { exact(*value).max(MIN_HEIGHT) } else { 0.0 })
        .collect();
    let excess = heights.iter().sum::<f64>() - exact(column.total());
    if let Some(largest) = heights.iter_mut().max_by(|a, b| a.total_cmp(b)) {
        *largest = (*largest - excess).max(largest.min(MIN_HEIGHT));
    }
    let mut base = height;
    let drawn = series.iter().zip(heights).filter(|(_, height)| *height > 0.0);
    drawn
        .map(|(series, height)| {
            base -= height;
            let (x, width) = (Coord(x), Coord(width));
            Segment { tone: series.tone, x, width, y: Coord(base), height: Coord(height) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERIES: [Series; 3] = [
        Series { name: "succeeded", tone: 1 },
        Series { name: "refused", tone: 2 },
        Series { name: "failed", tone: 4 },
    ];

    fn column(values: [i64; 3]) -> Column {
        let (name, label) = ("an hour".to_owned(), "13:00".to_owned());
        Column { name, label, values: values.to_vec(), is_running: false, is_cut_off: false }
    }

    fn chart(values: &[[i64; 3]], limit: Option<i64>) -> Chart {
        let limit = limit.map(|at| Limit { name: "Hourly limit", at });
        let columns = values.iter().copied().map(column).collect();
        Chart::of(("calls", "Requests per hour", "Hour"), &SERIES, columns, limit, 200)
    }

    fn heights(band: &Band) -> f64 {
        band.segments.iter().map(|segment| segment.height.0).sum()
    }

    #[test]
    fn a_columns_height_is_its_total() {
        let data = [[561, 31, 12], [202, 6, 0], [0, 0, 0], [0, 7, 0], [700, 1, 1], [1, 0, 0]];
        let chart = chart(&data, None);
        let top = 800.0;
        for (values, band) in data.iter().zip(&chart.bands) {
            let total: i64 = values.iter().sum();
            let expected = 200.0 * total as f64 / top;
            let floor = MIN_HEIGHT * band.segments.len() as f64;
            assert!((heights(band) - expected.max(floor)).abs() < 1e-9, "{values:?}: {}", heights(band));
            assert_eq!(band.segments.len(), values.iter().filter(|value| **value > 0).count());
            assert!(band.segments.iter().all(|segment| segment.height.0 >= MIN_HEIGHT));
            assert!(band.segments.iter().all(|segment| segment.y.0 >= 0.0));
        }
    }

    #[test]
    fn segments_are_stacked_within_their_band() {
        let chart = chart(&[[561, 31, 12], [300, 300, 300]], None);
        for band in &chart.bands {
            let mut base = 200.0;
            for segment in &band.segments {
                assert!((segment.y.0 + segment.height.0 - base).abs() < 1e-9);
                assert!(
                    segment.x >= band.from && segment.x.0 + segment.width.0 <= band.from.0 + band.width.0
                );
                base = segment.y.0;
            }
        }
    }

    #[test]
    fn figures_legend_and_summary_show_the_data() {
        let chart = chart(&[[561, 31, 12], [1_202, 6, 0]], None);
        let figures = |band: &Band| band.figures.iter().map(|each| each.value.clone()).collect::<Vec<_>>();
        assert_eq!(figures(&chart.bands[0]), ["561", "31", "12"]);
        assert_eq!(figures(&chart.bands[1]), ["1,202", "6", "0"]);
        assert_eq!(chart.bands[1].total, "1,208");
        let legend: Vec<_> = chart.legend.iter().map(|each| &*each.value).collect();
        assert_eq!(legend, ["1,763", "37", "12"]);
        assert_eq!(chart.summary, "Requests per hour. Highest: an hour, 1,208.");
        assert_eq!(chart.bands[0].spoken, "an hour: 561 succeeded, 31 refused, 12 failed");
    }

    #[test]
    fn a_limit_is_drawn_unless_it_would_flatten_the_columns() {
        let near = chart(&[[731, 0, 0]], Some(1_000));
        let line = near.limit.expect("a line");
        assert_eq!((line.y, &*line.label), (Coord(0.0), "Hourly limit 1,000"));
        let below = chart(&[[1_200, 0, 0]], Some(1_000)).limit.expect("a line").y;
        assert!((below.0 - (200.0 - 200.0 * 1_000.0 / 1_200.0)).abs() < 1e-9);
        let far = chart(&[[31, 0, 0]], Some(1_000));
        assert!(far.limit.is_none());
        assert_eq!(far.ticks.last().expect("a tick").label, "40");
    }

    #[test]
    fn a_chart_without_data_has_an_axis_and_no_columns() {
        let chart = chart(&[[0, 0, 0]; 24], Some(1_000));
        assert!(!chart.has_values());
        assert_eq!(
            chart.ticks.iter().map(|tick| &*tick.label).collect::<Vec<_>>(),
            ["0", "1", "2", "3", "4"]
        );
        assert_eq!(chart.summary, "Requests per hour. No data.");
    }

    #[test]
    fn a_capped_count_is_shown_as_more_than() {
        let columns = vec![Column { is_cut_off: true, ..column([25_000, 0, 0]) }];
        let chart = Chart::of(("calls", "Requests", "Hour"), &SERIES, columns, None, 100);
        assert_eq!(chart.bands[0].figures[0].value, "more than 25,000");
        assert_eq!(chart.bands[0].figures[1].value, "0");
        assert_eq!(chart.legend[0].value, "more than 25,000");
    }
}
