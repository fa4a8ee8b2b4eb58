//! Lists, which are filtered by a search form, paged, and refreshed by htmx without the rest of the page.

use std::fmt::Display;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, web};
use askama::Template;
use serde::de::DeserializeOwned;
use serde::de::value::{Error, MapDeserializer};

use super::answer::{Answer, html, part_at};
use super::error::PageError;
use crate::domain::lists::{Capped, Order, Page, Place, SortColumn, Window};
use crate::web::htmx::Htmx;
use crate::web::paths::{Path, with_query};

/// Rows on a page.
pub const ROWS: i64 = 50;

/// The parameter with the order of a sortable list.
pub const SORT: &str = "sort";

/// The parameters that narrow or sort a list, as its form sends them. Empty ones don't filter.
pub trait Filters: Default + DeserializeOwned {
    const PATH: Path;
    const NAMES: &'static [&'static str];
    /// Parameters that the page uses for other purposes than its list.
    const ALSO: &'static [&'static str];

    fn pairs(&self) -> Vec<(&'static str, &str)>;
}

/// Defines the filters of a list by their parameter names.
macro_rules! filters {
    ($name:ident at $path:expr => $($field:ident),+ $(; also $($also:ident),+)?) => {
        #[derive(Clone, Debug, Default, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $(pub $field: String),+
        }

        impl $crate::web::pages::list::Filters for $name {
            const PATH: $crate::web::paths::Path = $path;
            const NAMES: &'static [&'static str] = &[$(stringify!($field)),+];
            const ALSO: &'static [&'static str] = &[$($(stringify!($also)),+)?];

            fn pairs(&self) -> Vec<(&'static str, &str)> {
                vec![$((stringify!($field), &*self.$field)),+]
            }
        }
    };
}
pub(crate) use filters;

/// The query of a list: its filters, and the id below which the page starts.
#[derive(Clone, Default)]
pub struct ListQuery<F> {
    pub filters: F,
    pub before: String,
}

impl<F: Filters> ListQuery<F> {
    /// # Errors
    /// `NotFound` for unknown parameters.
    pub fn parse(query: &str) -> Result<Self, PageError> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(query);
        let mut pairs = pairs.map_err(|_| PageError::not_found())?.into_inner();
        // Ignores the parameters of the inbox's `Known`, which polls send too.
        pairs.retain(|(name, _)| !name.starts_with("known-") && !F::ALSO.contains(&&**name));
        let (before, pairs): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(name, _)| name == "before");
        let filters = F::deserialize(MapDeserializer::<_, Error>::new(pairs.into_iter()));
        let before = before.into_iter().next().map(|(_, value)| value).unwrap_or_default();
        Ok(Self { filters: filters.map_err(|_| PageError::not_found())?, before })
    }

    /// Returns the address of a list, without filters if it isn't one of our URLs.
    pub fn at(address: &str) -> Self {
        let query = address.strip_prefix(F::PATH.0).and_then(|rest| rest.strip_prefix('?'));
        query.and_then(|query| Self::parse(query).ok()).unwrap_or_default()
    }

    /// The address of this page of the list.
    pub fn here(&self) -> String {
        self.address(&self.before)
    }

    pub fn window<Id>(&self, parse: impl Fn(&str) -> Option<Id>) -> Result<Window<Id>, PageError> {
        Ok(Window::below(chosen(&self.before, parse)?, ROWS))
    }

    /// The order in [`SORT`], and the window of the list in that order.
    pub fn sorted_window<C: SortColumn, Id>(
        &self,
        parse: impl Fn(&str) -> Option<Id>,
    ) -> Result<(Order<C>, Window<Place<Id>>), PageError> {
        let order = Order::parse(self.sort()).ok_or_else(PageError::not_found)?;
        Ok((order, self.window(|place| Place::parse(place, order.column, &parse))?))
    }

    fn sort(&self) -> &str {
        self.filters.pairs().into_iter().find(|(name, _)| *name == SORT).map_or("", |(_, value)| value)
    }

    /// The URL of the first page in another order.
    fn in_order(&self, sort: &str) -> String {
        let other = |(name, value)| (name, if name == SORT { sort } else { value });
        F::PATH.query(&self.filters.pairs().into_iter().map(other).collect::<Vec<_>>())
    }

    /// The URL of the page that starts below `before`, which is empty for the first page.
    pub fn address(&self, before: &str) -> String {
        let mut pairs = self.filters.pairs();
        pairs.push(("before", before));
        F::PATH.query(&pairs)
    }

    /// Adds this list's query and `more` to `path`.
    pub fn beside(&self, path: &str, more: &[(&str, &str)]) -> String {
        let mut pairs = self.filters.pairs();
        pairs.push(("before", &self.before));
        pairs.extend(more);
        with_query(path, &pairs)
    }

    pub fn is_filtered(&self) -> bool {
        self.filters.pairs().iter().any(|(name, value)| *name != SORT && !value.is_empty())
    }
}

impl<F: Filters + 'static> FromRequest for ListQuery<F> {
    type Error = PageError;
    type Future = Ready<Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::parse(request.query_string()))
    }
}

/// Parses the value of a menu. Returns `None` if it is empty.
///
/// # Errors
/// `NotFound` for unknown values.
pub fn chosen<T>(value: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, PageError> {
    match value {
        "" => Ok(None),
        value => parse(value).map(Some).ok_or_else(PageError::not_found),
    }
}

/// The header of a column. Sorts by it, or reverses the order if the list is already sorted by it.
pub struct Head {
    pub name: &'static str,
    pub label: &'static str,
    pub address: String,
    /// `ascending` or `descending` if the list is sorted by it, else empty.
    pub sorted: &'static str,
    /// The value of [`SORT`] that sorts by this column, or keeps the order if it already does.
    pub value: String,
}

/// The headers of a list's columns in this order. `address` returns the URL of another order.
pub fn heads<C: SortColumn>(order: Order<C>, address: impl Fn(&str) -> String) -> Vec<Head> {
    let head = |column: &C| {
        let is_sorted = *column == order.column;
        let next = if is_sorted { order.reversed() } else { Order::of(*column) };
        Head {
            name: column.name(),
            label: column.label(),
            address: address(&next.to_string()),
            sorted: match (is_sorted, order.descending) {
                (false, _) => "",
                (true, false) => "ascending",
                (true, true) => "descending",
            },
            value: if is_sorted { order } else { next }.to_string(),
        }
    };
    C::ALL.iter().map(head).collect()
}

/// A page of a list, as `templates/macros/lists.html` renders it.
pub struct List<T> {
    pub rows: Vec<T>,
    pub count: Capped,
    pub is_filtered: bool,
    pub path: Path,
    pub address: String,
    /// The URLs of the first and the next page. `newest` is empty on the first page, `older` on the last.
    pub newest: String,
    pub older: String,
    /// Empty if the list has only one order, newest first.
    pub heads: Vec<Head>,
    /// `Newest first`, `By name`
    pub order: String,
}

impl<T> List<T> {
    /// `count` is the number of all matching rows.
    pub fn of<F: Filters, Id: Display>(asked: &ListQuery<F>, (found, count): (Page<T, Id>, Capped)) -> Self {
        Self {
            rows: found.rows,
            count,
            is_filtered: asked.is_filtered(),
            path: F::PATH,
            address: asked.here(),
            newest: if asked.before.is_empty() { String::new() } else { asked.address("") },
            older: found.next.map(|id| asked.address(&id.to_string())).unwrap_or_default(),
            heads: Vec::new(),
            order: "Newest first".into(),
        }
    }

    pub fn sorted<F: Filters, C: SortColumn>(self, asked: &ListQuery<F>, order: Order<C>) -> Self {
        let heads = heads(order, |sort| asked.in_order(sort));
        Self { heads, order: format!("By {}", order.column.label().to_lowercase()), ..self }
    }

    /// The header of the column with this name.
    pub fn head(&self, name: &str) -> Option<&Head> {
        self.heads.iter().find(|head| head.name == name)
    }

    /// Whether the whole list is empty: no rows, no filter, no other page.
    pub fn is_empty_list(&self) -> bool {
        self.rows.is_empty() && !self.is_filtered && self.newest.is_empty()
    }

    /// Renders only the list for htmx, and pushes its URL; or else the whole page.
    pub fn answer(&self, htmx: Htmx, page: &impl Template, list: &impl Template) -> Answer {
        if htmx.0 { part_at(&self.address, list) } else { html(StatusCode::OK, page) }
    }

    pub fn has_pages(&self) -> bool {
        !self.newest.is_empty() || !self.older.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mailroom::contacts::{Column, ContactId};
    use crate::web::paths;

    filters!(ByName at paths::CONTACTS => q, state, sort);

    #[test]
    fn a_url_has_every_filter_except_empty_ones() {
        let asked = ListQuery::<ByName>::parse("q=lost+%26+found&state=&before=contact_1").expect("a query");
        assert_eq!((asked.filters.q.as_str(), asked.before.as_str()), ("lost & found", "contact_1"));
        assert_eq!(asked.address("contact_0"), "/contacts?q=lost%20%26%20found&before=contact_0");
        assert!(asked.is_filtered());
        let plain = ListQuery::<ByName>::parse("").expect("a query");
        assert_eq!((plain.address(""), plain.is_filtered()), ("/contacts".to_owned(), false));
    }

    #[test]
    fn the_sorted_column_header_reverses_the_order_and_keeps_the_filters() {
        let heads_of = |query: &str| {
            let asked = ListQuery::<ByName>::parse(query).expect("a query");
            let (order, _) = asked.sorted_window::<Column, _>(ContactId::parse).expect("an order");
            let heads = heads(order, |sort| asked.in_order(sort));
            heads.into_iter().map(|head| (head.address, head.sorted, head.value)).collect::<Vec<_>>()
        };
        let head = |address: &str, sorted, value: &str| (address.to_owned(), sorted, value.to_owned());
        assert_eq!(
            heads_of("q=tea&before=con_019f2a4c1d877e02b6f03a9d1c55e7ae.7"),
            [
                head("/contacts?q=tea&sort=-last-message", "descending", ""),
                head("/contacts?q=tea&sort=contact", "", "contact"),
                head("/contacts?q=tea&sort=messages", "", "messages"),
            ]
        );
        assert_eq!(
            heads_of("sort=-contact")[..2],
            [head("/contacts", "", ""), head("/contacts?sort=contact", "descending", "-contact")]
        );
        let sorted = ListQuery::<ByName>::parse("sort=contact").expect("a query");
        assert!(!sorted.is_filtered(), "a sorted list has all rows");
    }

    #[test]
    fn a_place_of_another_order_is_not_found() {
        let place = "con_019f2a4c1d877e02b6f03a9d1c55e7ae";
        for (sort, before) in
            [("", "7.7"), ("", place), ("color", ""), ("contact", place), ("", &format!("{place}.x"))]
        {
            let query = format!("sort={sort}&before={before}");
            let asked = ListQuery::<ByName>::parse(&query).expect("a query");
            assert!(asked.sorted_window::<Column, _>(ContactId::parse).is_err(), "{query}");
        }
    }

    #[test]
    fn only_an_address_of_the_list_leads_back_to_it() {
        for (address, back) in [
            ("/contacts?state=blocked&q=tea", "/contacts?q=tea&state=blocked"),
            ("/contacts", "/contacts"),
            ("https://elsewhere.test/contacts?q=tea", "/contacts"),
            ("/contacts?color=red", "/contacts"),
            ("/aliases?q=tea", "/contacts"),
            ("", "/contacts"),
        ] {
            assert_eq!(ListQuery::<ByName>::at(address).here(), back, "{address}");
        }
    }

    #[test]
    fn unknown_parameters_are_not_found() {
        for query in ["color=red", "q=a&q=b"] {
            assert!(ListQuery::<ByName>::parse(query).is_err(), "{query}");
        }
    }
}
