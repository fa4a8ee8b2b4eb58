//! A ranking: names with a bar and a number, highest first.

use super::Meter;
use crate::domain::access::usage::Grouped;

pub struct Ranked {
    /// The HTTP method of an endpoint, or empty.
    pub method: String,
    pub name: String,
    /// Empty if there is no link.
    pub address: String,
    pub value: String,
    pub meter: Meter,
}

impl Ranked {
    /// Name, address and value of each row; `what` completes `642 …`.
    pub fn all(rows: impl IntoIterator<Item = (String, String, i64)>, what: &str) -> Vec<Self> {
        let rows: Vec<_> = rows.into_iter().collect();
        let highest = rows.first().map_or(0, |(.., value)| *value);
        let row = |(name, address, value)| Self {
            method: String::new(),
            name,
            address,
            value: Grouped(value).to_string(),
            meter: Meter::of_ranking(value, highest, what),
        };
        rows.into_iter().map(row).collect()
    }
}
