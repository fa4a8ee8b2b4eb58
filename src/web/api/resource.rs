//! Shared code of the handlers of a team's resources. [`One`], [`New`] and [`Listed`] carry the team, the
//! actor, `If-Match`, `Idempotency-Key`, the page of a list and the strict query.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::EntityTag;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::{IntoParams, ToSchema};

use super::ApiError;
use super::caller::ApiCaller;
use super::describe::{Argument, Described};
use super::dialect::Dialect;
use super::etag::{self, IfMatch};
use super::idempotency::{self, IdempotencyKey};
use super::json::{Json, NoQuery, Query};
use super::response::{ApiResult, CreateResult, Created, Done, Found, NoContent};
use crate::app::{App, Tx};
use crate::domain::access::idempotency::{Request, Stored};
use crate::domain::actor::Actor;
use crate::domain::people::teams::TeamId;
use crate::domain::{PublicId, Result, Timestamp};
use crate::web::request;

/// The JSON form of a row.
pub trait Form: Serialize + ToSchema + Sized + 'static {
    type Row: Send + 'static;
    type Id: PublicId;

    fn of(row: Self::Row, context: &Context) -> Self;
}

pub type Find<R> = fn(&mut Tx<'_>, TeamId, <R as Form>::Id) -> Result<<R as Form>::Row>;
pub type Lock<R> = fn(&mut Tx<'_>, &Actor, TeamId, <R as Form>::Id) -> Result<<R as Form>::Row>;

/// A resource that is found, changed and deleted by its id.
pub trait Resource: Form<Row: Clone> + Sized {
    /// Without the base of a dialect.
    const PATH: &'static str;

    const FIND: Find<Self>;
    /// Finds a row and locks it until the transaction ends.
    const LOCK: Lock<Self>;

    fn id(row: &Self::Row) -> Self::Id;

    /// Overrides the tag for rows with large JSON. It must cover all fields that can change.
    fn own_tag(_: &Self::Row) -> Option<EntityTag> {
        None
    }

    fn tag(row: &Self::Row, context: &Context) -> EntityTag {
        Self::own_tag(row).unwrap_or_else(|| etag::of(&Self::of(row.clone(), context)))
    }
}

/// The data that a form may need in addition to its row.
#[derive(Clone)]
pub struct Context {
    pub app: web::Data<App>,
    pub now: Timestamp,
}

struct Call {
    context: Context,
    caller: ApiCaller,
    actor: Actor,
    team: TeamId,
}

impl Context {
    pub fn of(request: &HttpRequest) -> std::result::Result<(Self, TeamId), ApiError> {
        let caller = ApiCaller::of(request)?;
        let app = request.app_data::<web::Data<App>>().expect("the app is registered").clone();
        Ok((Self { app, now: request::of(request).now }, caller.team().id))
    }
}

impl Call {
    fn of(request: &HttpRequest) -> std::result::Result<Self, ApiError> {
        let (context, team) = Context::of(request)?;
        let caller = ApiCaller::of(request)?;
        let actor = caller.actor(&request::of(request));
        Ok(Self { context, caller, actor, team })
    }
}

/// The resource named in the path.
pub struct One<R: Resource, Q = NoQuery> {
    pub id: R::Id,
    pub query: Q,
    call: Call,
    seen: IfMatch,
}

impl<R: Resource, Q> One<R, Q> {
    pub async fn read(self) -> ApiResult<R> {
        let Self { id, call: Call { context, team, .. }, .. } = self;
        let row = context.app.read(move |tx| R::FIND(tx, team, id)).await?;
        Ok(Self::found(row, &context))
    }

    /// Changes the resource, unless it has changed since the caller saw it.
    pub async fn change(
        self,
        change: impl FnOnce(&mut Tx<'_>, &Actor, TeamId, R::Row) -> Result<R::Row> + Send + 'static,
    ) -> ApiResult<R> {
        let context = self.call.context.clone();
        Ok(Self::found(self.write(change).await?, &context))
    }

    pub async fn delete(
        self,
        delete: impl FnOnce(&mut Tx<'_>, &Actor, TeamId, R::Row) -> Result<()> + Send + 'static,
    ) -> Done {
        self.write(delete).await?;
        Ok(NoContent)
    }

    async fn write<T: Send + 'static>(
        self,
        write: impl FnOnce(&mut Tx<'_>, &Actor, TeamId, R::Row) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, ApiError> {
        let Self { id, seen, call: Call { context, actor, team, .. }, .. } = self;
        let app = context.app.clone();
        let written = app.write(move |tx| {
            let before = R::LOCK(tx, &actor, team, id)?;
            seen.check(|| R::tag(&before, &context))?;
            write(tx, &actor, team, before)
        });
        Ok(written.await?)
    }

    fn found(row: R::Row, context: &Context) -> Found<R> {
        let tag = R::own_tag(&row);
        Found::new(R::of(row, context), tag)
    }
}

impl<R: Resource, Q: DeserializeOwned + 'static> FromRequest for One<R, Q> {
    type Error = ApiError;
    type Future = Ready<std::result::Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let one = || {
            let call = Call::of(request)?;
            let id = request.match_info().get("id").and_then(R::Id::parse);
            let id = id.ok_or_else(ApiError::not_found)?;
            let Query(query) = Query::of(request)?;
            Ok(Self { id, query, call, seen: IfMatch::of(request) })
        };
        ready(one())
    }
}

impl<R: Resource, Q: IntoParams> Argument for One<R, Q> {
    fn describe(into: &mut Described) {
        into.ids(&[(R::Id::NOUN, R::Id::EXAMPLE)]);
        into.query::<Q>();
        if matches!(into.method, Method::PATCH | Method::DELETE) {
            IfMatch::describe(into);
        }
    }
}

/// A resource to create.
pub struct New<B> {
    pub body: B,
    pub context: Context,
    call: (Actor, TeamId),
    pub base: &'static str,
    request: Option<Request>,
}

impl<B> New<B> {
    /// Creates the resource once per `Idempotency-Key`.
    pub async fn create<R: Resource>(
        self,
        create: impl FnOnce(&mut Tx<'_>, &Actor, TeamId) -> Result<R::Row> + Send + 'static,
    ) -> CreateResult<R> {
        let (base, context) = (self.base, self.context.clone());
        let store = move |tx: &mut Tx<'_>, actor: &Actor, team| {
            let row = create(tx, actor, team)?;
            let location = location::<R>(base, &row);
            Ok(idempotency::stored(location, &R::of(row, &context)))
        };
        self.store(store).await
    }

    /// Like [`Self::create`], for a response with more than the resource.
    pub async fn store<T>(
        self,
        create: impl FnOnce(&mut Tx<'_>, &Actor, TeamId) -> Result<Stored> + Send + 'static,
    ) -> CreateResult<T> {
        let (actor, team) = self.call;
        Created::of(self.context.app.once(self.request, move |tx| create(tx, &actor, team)).await?)
    }
}

/// The path of a resource in a dialect with this base.
pub fn location<R: Resource>(base: &str, row: &R::Row) -> String {
    format!("{base}{}/{}", R::PATH, R::id(row))
}

impl<B: DeserializeOwned + Serialize + 'static> FromRequest for New<B> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, std::result::Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = Json::<B>::from_request(request, payload);
        let before = || {
            let call = Call::of(request)?;
            let key = IdempotencyKey::of(request)?;
            Query::<NoQuery>::of(request)?;
            Ok((call, key, Dialect::of(request).base))
        };
        let before: std::result::Result<_, ApiError> = before();
        Box::pin(async move {
            let (Call { context, caller, actor, team }, key, base) = before?;
            let body = body.await?.0;
            let request = key.request(&caller, &body);
            Ok(Self { body, context, call: (actor, team), base, request })
        })
    }
}

impl<B: ToSchema> Argument for New<B> {
    fn describe(into: &mut Described) {
        Json::<B>::describe(into);
        into.header("IdempotencyKey", &[409, 422]);
    }
}
