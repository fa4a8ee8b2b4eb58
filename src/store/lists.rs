use std::fmt;

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

/// A column that a list can be sorted by.
pub trait SortColumn: Copy + Eq + Send + 'static {
    /// The first is the default.
    const ALL: &'static [Self];

    /// The name in URLs.
    fn name(self) -> &'static str;
    fn label(self) -> &'static str;
    /// Whether the highest value comes first, as for times and numbers but not for names.
    fn descends(self) -> bool;
    /// The key of a row, as text in a [`Place`].
    fn parse_key(self, text: Option<&str>) -> Option<Key>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order<C> {
    pub column: C,
    pub descending: bool,
}

impl<C: SortColumn> Order<C> {
    pub fn of(column: C) -> Self {
        Self { column, descending: column.descends() }
    }

    pub fn reversed(self) -> Self {
        Self { descending: !self.descending, ..self }
    }

    /// `name`, or `-name` for the opposite of the column's usual direction. Empty for the default.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix('-').unwrap_or(text);
        let mut all = C::ALL.iter().copied();
        let usual = Self::of(if text.is_empty() { all.next()? } else { all.find(|it| it.name() == name)? });
        Some(if text.starts_with('-') { usual.reversed() } else { usual })
    }
}

/// The inverse of [`Order::parse`].
impl<C: SortColumn> fmt::Display for Order<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_usual = self.descending == self.column.descends();
        match C::ALL.first() {
            Some(first) if is_usual && *first == self.column => Ok(()),
            _ => write!(f, "{}{}", if is_usual { "" } else { "-" }, self.column.name()),
        }
    }
}

/// The value that a row is sorted by. Ids are in order of creation, and need no other key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    Id,
    Number(i64),
    Text(String),
}

/// The place of a row in a sorted list. Includes the row's key, so that the next page starts there even
/// if the row has moved since. The id breaks ties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place<Id> {
    pub id: Id,
    pub key: Key,
}

impl<Id: fmt::Display> fmt::Display for Place<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Key::Id => write!(f, "{}", self.id),
            Key::Number(key) => write!(f, "{}.{key}", self.id),
            Key::Text(key) => write!(f, "{}.{key}", self.id),
        }
    }
}

impl<Id> Place<Id> {
    pub fn parse<C: SortColumn>(text: &str, column: C, id: impl Fn(&str) -> Option<Id>) -> Option<Self> {
        let (before, key) = text.split_once('.').map_or((text, None), |(id, key)| (id, Some(key)));
        Some(Self { id: id(before)?, key: column.parse_key(key)? })
    }
}

/// Declares the columns by which rows of a table can be sorted: name, label, usual direction, and the kind
/// and expression of the key, in SQL and of a row. Generates `sorted(tx, team, filter, order, window)`.
macro_rules! sorted_rows {
    ($table:ident, $row:ident, $id:ident: $(
        $column:ident = $name:literal, $label:literal, $direction:ident, $kind:ident($($sql:expr, $key:expr)?);
    )+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Column {
            $($column),+
        }

        impl $crate::store::lists::SortColumn for Column {
            const ALL: &'static [Self] = &[$(Self::$column),+];

            fn name(self) -> &'static str {
                match self { $(Self::$column => $name),+ }
            }

            fn label(self) -> &'static str {
                match self { $(Self::$column => $label),+ }
            }

            fn descends(self) -> bool {
                match self { $(Self::$column => stringify!($direction) == "descending"),+ }
            }

            fn parse_key(self, text: Option<&str>) -> Option<$crate::store::lists::Key> {
                match self { $(Self::$column => $crate::store::lists::sort!(@parse $kind, text)),+ }
            }
        }

        impl $row {
            pub fn place(&self, column: Column) -> $crate::store::lists::Place<$id> {
                let key = match column {
                    $(Column::$column => $crate::store::lists::sort!(@key $kind, self $(, $key)?)),+
                };
                $crate::store::lists::Place { id: self.id, key }
            }
        }

        pub fn sorted(
            tx: &mut $crate::store::Tx<'_>,
            team: $crate::store::ids::TeamId,
            filter: &Filter,
            order: $crate::store::lists::Order<Column>,
            window: $crate::store::lists::Window<$crate::store::lists::Place<$id>>,
        ) -> $crate::store::Result<Vec<$row>> {
            let query = narrowed(team, filter).offset(window.offset).limit(window.limit);
            let (descending, before) = (order.descending, window.before);
            let query = match order.column {
                $(Column::$column => {
                    $crate::store::lists::sort!(@query $kind, $table, query, descending, before $(, $sql)?)
                }),+
            };
            Ok(query.select(<$row>::as_select()).load(tx.connection)?)
        }
    };
}
pub(in crate::store) use sorted_rows;

/// The parts of [`sorted_rows`] that depend on the kind of key. The index serves the first condition on the
/// key.
macro_rules! sort {
    (@parse Id, $text:ident) => {
        $text.is_none().then_some($crate::store::lists::Key::Id)
    };
    (@parse Number, $text:ident) => {
        $crate::store::lists::parse_number($text)
    };
    (@parse Text, $text:ident) => {
        $crate::store::lists::parse_text($text)
    };

    (@key Id, $row:ident) => {
        $crate::store::lists::Key::Id
    };
    (@key $kind:ident, $row:ident, $key:expr) => {{
        let key: fn(&Self) -> _ = $key;
        $crate::store::lists::Key::$kind(key($row))
    }};

    (@query Id, $table:ident, $query:ident, $descending:ident, $before:ident) => {
        match ($descending, $before.map(|place| place.id)) {
            (true, None) => $query.order($table::id.desc()),
            (true, Some(id)) => $query.filter($table::id.lt(id)).order($table::id.desc()),
            (false, None) => $query.order($table::id.asc()),
            (false, Some(id)) => $query.filter($table::id.gt(id)).order($table::id.asc()),
        }
    };
    (@query $kind:ident, $table:ident, $query:ident, $descending:ident, $before:ident, $sql:expr) => {{
        let place = $before.and_then(|place| match place.key {
            $crate::store::lists::Key::$kind(key) => Some((key, place.id)),
            _ => None,
        });
        match ($descending, place) {
            (true, None) => $query.order(($sql.desc(), $table::id.desc())),
            (true, Some((key, id))) => $query
                .filter($sql.le(key.clone()).and($sql.lt(key).or($table::id.lt(id))))
                .order(($sql.desc(), $table::id.desc())),
            (false, None) => $query.order(($sql.asc(), $table::id.asc())),
            (false, Some((key, id))) => $query
                .filter($sql.ge(key.clone()).and($sql.gt(key).or($table::id.gt(id))))
                .order(($sql.asc(), $table::id.asc())),
        }
    }};
}
pub(in crate::store) use sort;

pub(in crate::store) fn parse_number(text: Option<&str>) -> Option<Key> {
    text?.parse().ok().map(Key::Number)
}

/// Postgres doesn't accept NUL in a text.
pub(in crate::store) fn parse_text(text: Option<&str>) -> Option<Key> {
    text.filter(|text| !text.contains(char::is_control)).map(|text| Key::Text(text.to_owned()))
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
