//! Lists of a team's resources. [`Listed`] carries the team, the filters and the page.

use std::borrow::Cow;
use std::marker::PhantomData;

use actix_web::body::BoxBody;
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, dev};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::ApiError;
use super::describe::{Argument, Described, HandlerOutput};
use super::dialect::Dialect;
use super::field_errors::FieldErrors;
use super::json::{self, NoQuery, rendered};
use super::pagination::{PageQuery, Pagination};
use super::resource::{Context, Form};
use crate::app::Tx;
use crate::domain::lists::{self, Capped, Window};
use crate::domain::people::teams::TeamId;
use crate::domain::{PublicId, Result as Found};

/// The parameters that filter a list.
pub trait Filters: DeserializeOwned + IntoParams {
    type Filter: Send + 'static;
    /// Whether entries can be skipped by `offset`. False where skipping costs as much as reading.
    const HAS_OFFSET: bool = true;

    fn parse(&self, errors: &mut FieldErrors) -> Option<Self::Filter>;
}

impl Filters for NoQuery {
    type Filter = ();

    fn parse(&self, _: &mut FieldErrors) -> Option<()> {
        Some(())
    }
}

/// A page of a filtered list of the caller's team.
pub struct Listed<F: Form, Q: Filters = NoQuery> {
    filter: Q::Filter,
    window: Window<F::Id>,
    context: Context,
    team: TeamId,
}

type Part<F> = lists::Page<<F as Form>::Row, <F as Form>::Id>;
pub type Listing<F> = Result<Page<F>, ApiError>;

impl<F: Form, Q: Filters> Listed<F, Q> {
    /// `list` returns the rows, and the length of the whole list if it is counted.
    pub async fn page<C: Into<Option<Capped>> + Send + 'static>(
        self,
        list: impl FnOnce(&mut Tx<'_>, TeamId, &Q::Filter, Window<F::Id>) -> Found<(Part<F>, C)> + Send + 'static,
    ) -> Listing<F> {
        let Self { filter, window, context, team } = self;
        let (page, total) = context.app.read(move |tx| list(tx, team, &filter, window)).await?;
        let data = page.rows.into_iter().map(|row| F::of(row, &context)).collect();
        Ok(Page { data, pagination: Pagination::by_id(&window, page.next, total.into()) })
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

/// A page of a short list with its own order, whose cursor is a position.
pub struct ShortList<F> {
    bounds: (i64, i64),
    context: Context,
    team: TeamId,
    form: PhantomData<F>,
}

impl<F: Form> ShortList<F> {
    /// `list` returns the rows within limit and offset, and their total.
    pub async fn page(
        self,
        list: impl FnOnce(&mut Tx<'_>, TeamId, (i64, i64)) -> Found<(Vec<F::Row>, i64)> + Send + 'static,
    ) -> Listing<F> {
        let Self { bounds, context, team, .. } = self;
        let (rows, total) = context.app.read(move |tx| list(tx, team, bounds)).await?;
        let pagination = Pagination::by_position(bounds, rows.len(), total);
        let data = rows.into_iter().map(|row| F::of(row, &context)).collect();
        Ok(Page { data, pagination })
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

/// Separates paging parameters from filters, because serde can't refuse unknown fields in nested structs.
fn split(query: &str, has_offset: bool) -> (String, String) {
    let is_paging = |pair: &&str| {
        let name = url::form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name);
        matches!(name.as_deref(), Some("limit" | "cursor")) || has_offset && name.as_deref() == Some("offset")
    };
    let (page, others): (Vec<_>, Vec<_>) = query.split('&').partition(is_paging);
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

/// A page of a list, as JSON.
#[derive(Debug)]
pub struct Page<T> {
    data: Vec<T>,
    pagination: Pagination,
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

impl<T: ToSchema> HandlerOutput for Page<T> {
    fn describe(into: &mut Described) {
        into.response = Some(into.schema::<Self>());
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
