use std::fmt;

use crate::domain::Result;
use crate::store;

pub use store::lists::{Order, Place, SortColumn, Window};

/// Counting stops here, so that it doesn't become slow as tables grow.
pub(crate) const MAX_COUNT: i64 = 10_000;

/// A page of a list, newest first, and where the next one starts.
#[derive(Clone, Debug)]
pub struct Page<T, Id> {
    pub rows: Vec<T>,
    pub next: Option<Id>,
}

impl<T, Id> Page<T, Id> {
    /// Loads a window, and one more row to find out whether there is a next page.
    pub fn load(
        window: Window<Id>,
        list: impl FnOnce(Window<Id>) -> store::Result<Vec<T>>,
        id: impl Fn(&T) -> Id,
    ) -> Result<Self> {
        let limit = window.limit;
        let rows = list(Window { limit: limit + 1, ..window })?;
        Ok(Self::of(rows, limit, id))
    }

    /// Creates a page from up to `limit + 1` rows. An extra row means that there is a next page.
    pub fn of(mut rows: Vec<T>, limit: i64, id: impl Fn(&T) -> Id) -> Self {
        let limit = usize::try_from(limit).unwrap_or(0);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(id) } else { None };
        Self { rows, next }
    }
}

/// A count that may have stopped at [`MAX_COUNT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capped(pub i64);

impl Capped {
    /// Counts up to one more than [`MAX_COUNT`].
    pub fn count(count: impl FnOnce(i64) -> store::Result<i64>) -> Result<Self> {
        Ok(Self(count(MAX_COUNT + 1)?))
    }

    /// Returns `None` if counting stopped at the maximum.
    pub fn exact(self) -> Option<i64> {
        (self.0 <= MAX_COUNT).then_some(self.0)
    }
}

/// Shows `1`, `9,999`, or `more than 10,000`.
impl fmt::Display for Capped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.exact().is_none() { "more than " } else { "" };
        match self.0.min(MAX_COUNT) {
            n if n >= 1000 => write!(f, "{more}{},{:03}", n / 1000, n % 1000),
            n => write!(f, "{n}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_formatted_with_separators_and_a_cap() {
        let written = [0, 999, 1_204, MAX_COUNT, MAX_COUNT + 1].map(|n| Capped(n).to_string());
        assert_eq!(written, ["0", "999", "1,204", "10,000", "more than 10,000"]);
    }

    #[test]
    fn a_page_has_a_next_page_only_if_there_are_more_rows() {
        let list = |total: i64| move |window: Window<i64>| Ok((0..total.min(window.limit)).collect());
        let page = |total| Page::load(Window::first(3), list(total), |row| *row).unwrap();
        assert_eq!((page(4).rows.len(), page(4).next), (3, Some(2)));
        assert_eq!((page(3).rows.len(), page(3).next), (3, None));
        assert_eq!((page(0).rows.len(), page(0).next), (0, None));
    }
}
