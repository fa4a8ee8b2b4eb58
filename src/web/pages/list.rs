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
use crate::domain::lists::{Capped, Page, Window};
use crate::web::htmx::Htmx;
use crate::web::paths::{Path, with_query};

/// Rows on a page.
pub const ROWS: i64 = 50;

/// The parameters that filter a list. Empty ones have no effect.
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
        #[derive(Debug, Default, serde::Deserialize)]
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

/// The query of a list: its filters, and the id after which the page starts.
#[derive(Default)]
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

    pub fn window<Id>(&self, parse: impl Fn(&str) -> Option<Id>) -> Result<Window<Id>, PageError> {
        Ok(Window::below(chosen(&self.before, parse)?, ROWS))
    }

    /// The URL of the page that starts after `before`, which is empty for the first page.
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
        self.filters.pairs().iter().any(|(_, value)| !value.is_empty())
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

/// A page of a list for `templates/macros/lists.html`.
pub struct List<T> {
    pub rows: Vec<T>,
    pub count: Capped,
    pub is_filtered: bool,
    pub path: Path,
    pub address: String,
    /// The URLs of the first and the next page. `newest` is empty on the first page, `older` on the last.
    pub newest: String,
    pub older: String,
}

impl<T> List<T> {
    /// `count` is the number of all matching rows.
    pub fn of<F: Filters, Id: Display>(asked: &ListQuery<F>, (found, count): (Page<T, Id>, Capped)) -> Self {
        Self {
            rows: found.rows,
            count,
            is_filtered: asked.is_filtered(),
            path: F::PATH,
            address: asked.address(&asked.before),
            newest: if asked.before.is_empty() { String::new() } else { asked.address("") },
            older: found.next.map(|id| asked.address(&id.to_string())).unwrap_or_default(),
        }
    }

    /// Whether the whole list is empty, not only this page or search.
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
    use crate::web::paths;

    filters!(ByName at paths::CONTACTS => q, state);

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
    fn unknown_parameters_are_not_found() {
        for query in ["color=red", "q=a&q=b"] {
            assert!(ListQuery::<ByName>::parse(query).is_err(), "{query}");
        }
    }
}
