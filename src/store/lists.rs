/// A window of a list, newest first: rows older than `before`, after skipping `offset` of them.
#[derive(Clone, Copy, Debug)]
pub struct Window<Id> {
    pub before: Option<Id>,
    pub offset: i64,
    pub limit: i64,
}

impl<Id> Window<Id> {
    pub fn first(limit: i64) -> Self {
        Self::below(None, limit)
    }

    pub fn below(before: Option<Id>, limit: i64) -> Self {
        Self { before, offset: 0, limit }
    }
}

/// Loads a window of a boxed query, newest first.
macro_rules! list_rows {
    ($tx:expr, $table:ident, $row:ty, $query:expr, $window:expr) => {{
        let window = $window;
        let mut query = $query.order($table::id.desc()).offset(window.offset).limit(window.limit);
        if let Some(id) = window.before {
            query = query.filter($table::id.lt(id));
        }
        query.select(<$row>::as_select()).load($tx.connection)?
    }};
}
pub(in crate::store) use list_rows;

/// Escapes `%` and `_` in a pattern.
pub(in crate::store) const ESCAPE: char = '\\';

/// Escapes a text so that a pattern matches it literally.
pub(in crate::store) fn like(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
