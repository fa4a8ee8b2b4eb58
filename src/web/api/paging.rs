//! Lists: which page of one is asked for, and how it is answered.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use actix_web::body::BoxBody;
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, dev};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::describe::{Answers, Argument, Described};
use super::field_errors::FieldErrors;
use super::json::{self, NoQuery, rendered};
use super::resource::{Context, Form};
use super::{ApiError, Dialect};
use crate::app::Tx;
use crate::domain::lists::{self, Capped, Window};
use crate::domain::people::teams::TeamId;
use crate::domain::{FieldError, PublicId, Result as Found};

/// The page of a list that is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Entries to return, 1 to 100.
    #[serde(default = "default_limit")]
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: i64,
    /// Entries to skip.
    #[serde(default)]
    #[param(minimum = 0, default = 0)]
    offset: i64,
    /// The `nextCursor` of the previous page.
    cursor: Option<String>,
}

fn default_limit() -> i64 {
    50
}

impl PageQuery {
    fn limit(&self) -> Result<i64, FieldError> {
        let message = "The limit is a number from 1 to 100.";
        let limit = Some(self.limit).filter(|limit| (1..=100).contains(limit));
        limit.ok_or_else(|| FieldError::new("limit", message))
    }

    fn offset(&self) -> Result<i64, FieldError> {
        let message = "The offset is a number from 0 on.";
        Some(self.offset).filter(|offset| *offset >= 0).ok_or_else(|| FieldError::new("offset", message))
    }

    /// Where the page begins. With a cursor and an offset, each page would skip entries.
    fn start<T>(&self, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, FieldError> {
        let message = "This is not the nextCursor of a page of this list.";
        match self.cursor.as_deref().map(parse) {
            Some(_) if self.offset != 0 => Err(FieldError::new("offset", "Send cursor or offset, not both.")),
            Some(None) => Err(FieldError::new("cursor", message)),
            start => Ok(start.flatten()),
        }
    }

    /// The page of a list whose cursor is the id of the last entry.
    fn window<Id>(&self, parse: impl Fn(&str) -> Option<Id>, errors: &mut FieldErrors) -> Option<Window<Id>> {
        let (limit, offset) = (errors.take(self.limit()), errors.take(self.offset()));
        let before = errors.take(self.start(parse));
        Some(Window { before: before?, offset: offset?, limit: limit? })
    }

    /// Limit and offset in a [`ShortList`].
    fn bounds(&self) -> Result<(i64, i64), ApiError> {
        let mut errors = FieldErrors::default();
        let window = self.window(parse_position, &mut errors);
        let Window { before, offset, limit } = errors.all(window)?;
        Ok((limit, before.unwrap_or(offset)))
    }
}

const POSITION: &str = "at_";

fn parse_position(cursor: &str) -> Option<i64> {
    cursor.strip_prefix(POSITION)?.parse().ok().filter(|position| *position >= 0)
}

/// The parameters of a list besides its page.
pub trait Filters: DeserializeOwned + IntoParams {
    type Filter: Send + 'static;
    /// Whether entries can be skipped: not where that would cost as much as reading them.
    const HAS_OFFSET: bool = true;

    fn parse(&self, errors: &mut FieldErrors) -> Option<Self::Filter>;
}

impl Filters for NoQuery {
    type Filter = ();

    fn parse(&self, _: &mut FieldErrors) -> Option<()> {
        Some(())
    }
}

/// A page of a list, filtered, of the caller's team.
pub struct Listed<F: Form, Q: Filters = NoQuery> {
    filter: Q::Filter,
    window: Window<F::Id>,
    context: Context,
    team: TeamId,
}

type Part<F> = lists::Page<<F as Form>::Row, <F as Form>::Id>;
pub type Listing<F> = Result<Page<F>, ApiError>;

impl<F: Form, Q: Filters> Listed<F, Q> {
    /// `list` finds the rows and how many there are in the whole list, if that is counted.
    pub async fn page<C: Into<Option<Capped>> + Send + 'static>(
        self,
        list: impl FnOnce(&mut Tx<'_>, TeamId, &Q::Filter, Window<F::Id>) -> Found<(Part<F>, C)> + Send + 'static,
    ) -> Listing<F> {
        let Self { filter, window, context, team } = self;
        let (page, total) = context.app.read(move |tx| list(tx, team, &filter, window)).await?;
        Ok(Page::of(page, &window, total.into(), |row| F::of(row, &context)))
    }
}

impl<F: Form, Q: Filters> FromRequest for Listed<F, Q> {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let listed = || {
            let (context, team) = Context::of(request)?;
            let (page, filters) = split(request.query_string(), Q::HAS_OFFSET);
            let (page, filters): (PageQuery, Q) = (json::read_query(&page)?, json::read_query(&filters)?);
            let mut errors = FieldErrors::default();
            let window = page.window(F::Id::parse, &mut errors);
            let filter = filters.parse(&mut errors);
            let (window, filter) = errors.all(window.zip(filter))?;
            Ok(Self { filter, window, context, team })
        };
        std::future::ready(listed())
    }
}

/// A page of a short list in an order of its own, whose cursor is a position.
pub struct ShortList<F> {
    bounds: (i64, i64),
    context: Context,
    team: TeamId,
    form: PhantomData<F>,
}

impl<F: Form> ShortList<F> {
    /// `list` finds the rows within limit and offset, and how many there are in all.
    pub async fn page(
        self,
        list: impl FnOnce(&mut Tx<'_>, TeamId, (i64, i64)) -> Found<(Vec<F::Row>, i64)> + Send + 'static,
    ) -> Listing<F> {
        let Self { bounds, context, team, .. } = self;
        let (rows, total) = context.app.read(move |tx| list(tx, team, bounds)).await?;
        let data = rows.into_iter().map(|row| F::of(row, &context)).collect();
        Ok(Page::by_offset(data, bounds, total))
    }
}

impl<F: Form> FromRequest for ShortList<F> {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let listed = || {
            let (context, team) = Context::of(request)?;
            let bounds = json::Query::<PageQuery>::of(request)?.0.bounds()?;
            Ok(Self { bounds, context, team, form: PhantomData })
        };
        std::future::ready(listed())
    }
}

impl<F: Form> Argument for ShortList<F> {
    fn describe(into: &mut Described) {
        into.query::<PageQuery>();
    }
}

/// The parameters of the page, and the others: serde cannot refuse unknown ones in a struct
/// within another.
fn split(query: &str, has_offset: bool) -> (String, String) {
    let is_of_page = |pair: &&str| {
        let name = url::form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name);
        matches!(name.as_deref(), Some("limit" | "cursor")) || has_offset && name.as_deref() == Some("offset")
    };
    let (page, others): (Vec<_>, Vec<_>) = query.split('&').partition(is_of_page);
    (page.join("&"), others.join("&"))
}

impl<F: Form, Q: Filters> Argument for Listed<F, Q> {
    fn describe(into: &mut Described) {
        into.query::<PageQuery>();
        if !Q::HAS_OFFSET {
            into.parameters.retain(|parameter| parameter["name"] != "offset");
        }
        into.query::<Q>();
    }
}

/// A page of a list, as it is answered.
#[derive(Debug)]
pub struct Page<T> {
    data: Vec<T>,
    pagination: Pagination,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pagination {
    #[schema(example = 50)]
    limit: i64,
    #[schema(example = 0)]
    offset: i64,
    /// Entries in the whole list; `null` above 10,000, or where they are not counted.
    #[schema(example = 1)]
    total: Option<i64>,
    #[schema(example = false)]
    has_more: bool,
    /// Send it as `cursor` to get the next page, which costs the same however long the list is.
    next_cursor: Option<String>,
}

impl<T> Page<T> {
    fn by_offset(data: Vec<T>, (limit, offset): (i64, i64), total: i64) -> Self {
        let next = offset.saturating_add(data.len() as i64);
        let has_more = next < total;
        let next_cursor = has_more.then(|| format!("{POSITION}{next}"));
        Self { data, pagination: Pagination { limit, offset, total: Some(total), has_more, next_cursor } }
    }

    fn of<Row, Id: fmt::Display>(
        page: lists::Page<Row, Id>,
        window: &Window<Id>,
        total: Option<Capped>,
        render: impl Fn(Row) -> T,
    ) -> Self {
        let pagination = Pagination {
            limit: window.limit,
            offset: window.offset,
            total: total.and_then(Capped::exact),
            has_more: page.next.is_some(),
            next_cursor: page.next.map(|id| id.to_string()),
        };
        Self { data: page.rows.into_iter().map(render).collect(), pagination }
    }
}

/// `{"data": […], "pagination": {…}}`
pub fn render(data: &[u8], pagination: &Pagination) -> Vec<u8> {
    let pagination = serde_json::to_vec(pagination).expect("numbers and text are JSON");
    [br#"{"data":"#, data, br#","pagination":"#, &*pagination, b"}"].concat()
}

impl<T: Serialize> Responder for Page<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        match serde_json::to_vec(&self.data) {
            Ok(data) => rendered((Dialect::of(request).render_page)(&data, &self.pagination).into()),
            Err(cause) => HttpResponse::from_error(ApiError::server_error(cause)),
        }
    }
}

impl<T: ToSchema> Answers for Page<T> {
    fn describe(into: &mut Described) {
        into.answer = Some(into.schema::<Self>());
    }
}

impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        format!("Page_{}", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.extend([
            (T::name().into_owned(), T::schema()),
            (Pagination::name().into_owned(), Pagination::schema()),
        ]);
        T::schemas(schemas);
    }
}

impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let refer = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        let page = json!({
            "type": "object",
            "description": "A page of a list.",
            "required": ["data", "pagination"],
            "properties": {
                "data": {"type": "array", "items": refer(&T::name())},
                "pagination": refer(&Pagination::name()),
            },
        });
        RefOr::T(serde_json::from_value(page).expect("a schema"))
    }
}
