//! Addresses that receive: `/aliases`.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ApiError;
use super::caller::ApiCaller;
use super::etag::{self, Seen};
use super::field_errors::FieldErrors;
use super::idempotency::{self, IdempotencyKey};
use super::json::{Json, Query, present};
use super::me::NoQuery;
use super::paging::{self, Page};
use crate::app::App;
use crate::domain::Timestamp;
use crate::domain::lists::Window;
use crate::domain::mailroom::address::LocalPart;
use crate::domain::mailroom::aliases::{self, AliasId, Filter};
use crate::domain::search::Search;
use crate::web::request::RequestInfo;

/// An address of the team that receives mail.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Alias {
    #[schema(value_type = String, example = "alias_019f2a4c1d877e02b6f03a9d1c55e7ad")]
    id: AliasId,
    #[schema(example = "hello@gatepost.localhost")]
    address: String,
    /// What stands before the `@`.
    #[schema(example = "hello")]
    local_part: String,
    #[schema(example = "gatepost.localhost")]
    domain: String,
    #[schema(example = "the contact form")]
    note: Option<String>,
    /// Mail to an alias that is switched off is refused.
    #[schema(example = true)]
    enabled: bool,
    /// Messages that arrived.
    #[schema(example = 3)]
    received: i64,
    /// Those of them that came from contacts that are blocked.
    #[schema(example = 0)]
    denied: i64,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-02T16:20:11.000001Z")]
    last_received_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime, example = "2026-03-01T09:14:05.123456Z")]
    created_at: Timestamp,
    #[schema(example = "ada@acme.test")]
    created_by: String,
}

impl From<aliases::Alias> for Alias {
    fn from(alias: aliases::Alias) -> Self {
        Self {
            id: alias.id,
            address: alias.address(),
            local_part: alias.local,
            domain: alias.domain_name,
            note: alias.note,
            enabled: alias.enabled,
            received: alias.received,
            denied: alias.denied,
            last_received_at: alias.last_received_at,
            created_at: alias.created_at,
            created_by: alias.created_by_label,
        }
    }
}

/// Which aliases are asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AliasQuery {
    /// Entries to return, 1 to 100.
    #[serde(default = "paging::default_limit")]
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: i64,
    /// Entries to leave out first.
    #[serde(default)]
    #[param(minimum = 0, default = 0)]
    offset: i64,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// Only those whose address contains this.
    #[param(max_length = 254)]
    q: Option<String>,
    /// Only those that are switched on, or off.
    enabled: Option<bool>,
}

impl AliasQuery {
    fn parse(&self) -> Result<(Window<AliasId>, Filter), ApiError> {
        let window = paging::window(self.limit, self.offset, self.cursor.as_deref(), AliasId::parse)?;
        let mut errors = FieldErrors::default();
        let words = errors.take(Search::parse(self.q.as_deref().unwrap_or_default()));
        let filter = words.map(|words| Filter { enabled: self.enabled, text: words.key(), domain: None });
        errors.all(filter.map(|filter| (window, filter)))
    }
}

/// An alias to be made.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewAlias {
    /// What stands before the `@`; when left out, letters and digits that nobody guesses.
    #[schema(
        example = "hello",
        min_length = 1,
        max_length = 64,
        pattern = "^[A-Za-z0-9](([.]?[A-Za-z0-9_+-])*[.]?[A-Za-z0-9_-])?$"
    )]
    local_part: Option<String>,
    /// One of the team's domains; when left out, the one every team has addresses on.
    #[schema(example = "gatepost.localhost")]
    domain: Option<String>,
    /// For people, up to 1,000 characters.
    #[schema(
        example = "the contact form",
        max_length = 1000,
        pattern = r"^([^\u0000-\u0008\u000b-\u001f\u007f-\u009f]|\r\n)*$"
    )]
    note: Option<String>,
}

impl NewAlias {
    fn parse(&self) -> Result<aliases::NewAlias, ApiError> {
        let mut errors = FieldErrors::default();
        let local = errors.take(self.local_part.as_deref().map(LocalPart::parse).transpose());
        let note = errors.take(aliases::parse_note(self.note.as_deref().unwrap_or_default()));
        errors.done()?;
        let (local, note) = (local.flatten(), note.flatten());
        Ok(aliases::NewAlias { local, domain: self.domain.clone(), note })
    }
}

/// What to change of an alias; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AliasChange {
    /// `null` takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "the contact form", max_length = 1000, pattern = r"^([^\u0000-\u0008\u000b-\u001f\u007f-\u009f]|\r\n)*$")]
    note: Option<Option<String>>,
    #[schema(example = false)]
    enabled: Option<bool>,
}

/// List aliases
///
/// The team's addresses, newest first. Those that were deleted are not among them.
#[utoipa::path(get, operation_id = "listAliases", path = "/api/v1/aliases", tag = "Aliases", params(AliasQuery), responses((status = 200, body = Page<Alias>)))]
pub async fn list(
    app: web::Data<App>,
    caller: ApiCaller,
    query: Query<AliasQuery>,
) -> Result<Json<Page<Alias>>, ApiError> {
    let ((window, filter), team) = (query.0.parse()?, caller.team().id);
    let (page, total) = app
        .read(move |tx| Ok((aliases::list(tx, team, &filter, window)?, aliases::count(tx, team, &filter)?)))
        .await?;
    Ok(Json(Page::of(page, &window, Some(total), Alias::from)))
}

/// Read an alias
///
/// With what it has received so far.
#[utoipa::path(get, operation_id = "getAlias", path = "/api/v1/aliases/{id}", tag = "Aliases", params(("id" = String, Path, description = "The alias's id.", example = "alias_019f2a4c1d877e02b6f03a9d1c55e7ad")), responses((status = 200, body = Alias)))]
pub async fn show(
    app: web::Data<App>,
    caller: ApiCaller,
    path: web::Path<AliasId>,
    _: Query<NoQuery>,
) -> Result<Json<Alias>, ApiError> {
    let id = path.into_inner();
    let team = caller.team().id;
    Ok(Json(app.read(move |tx| aliases::find(tx, team, id)).await?.into()))
}

/// Create an alias
///
/// It receives at once, if its domain does. An address that was ever given out, even if its
/// alias was deleted, is taken (409).
#[utoipa::path(post, operation_id = "createAlias", path = "/api/v1/aliases", tag = "Aliases", request_body = NewAlias, responses((status = 201, body = Alias), (status = 409, description = "The address is taken, or was.")))]
pub async fn create(
    app: web::Data<App>,
    caller: ApiCaller,
    request: RequestInfo,
    key: IdempotencyKey,
    _: Query<NoQuery>,
    body: Json<NewAlias>,
) -> Result<HttpResponse, ApiError> {
    let new = body.parse()?;
    let (actor, team, shared) = (caller.actor(&request), caller.team().id, app.config().mail.domain.clone());
    let created = app.once(key.with(&*body), move |tx| {
        let alias = aliases::create(tx, &actor, team, &shared, &new)?;
        Ok(idempotency::created(format!("/api/v1/aliases/{}", alias.id), &Alias::from(alias)))
    });
    idempotency::answer(created.await?)
}

/// Change an alias
///
/// Switches it on or off, or notes something about it.
#[utoipa::path(patch, operation_id = "changeAlias", path = "/api/v1/aliases/{id}", tag = "Aliases", params(("id" = String, Path, description = "The alias's id.", example = "alias_019f2a4c1d877e02b6f03a9d1c55e7ad")), request_body = AliasChange, responses((status = 200, body = Alias), (status = 409, description = "`postmaster` cannot be switched off.")))]
pub async fn change(
    app: web::Data<App>,
    caller: ApiCaller,
    request: RequestInfo,
    seen: Seen,
    path: web::Path<AliasId>,
    _: Query<NoQuery>,
    body: Json<AliasChange>,
) -> Result<Json<Alias>, ApiError> {
    let id = path.into_inner();
    let (actor, team) = (caller.actor(&request), caller.team().id);
    let Json(AliasChange { note, enabled }) = body;
    let changed = app.write(move |tx| {
        let before = aliases::hold(tx, &actor, team, id)?;
        seen.is(|| etag::of(&Alias::from(before.clone())))?;
        let note = match note {
            Some(note) => aliases::parse_note(&note.unwrap_or_default())?,
            None => before.note,
        };
        aliases::change(tx, &actor, team, id, note.as_deref(), enabled.unwrap_or(before.enabled))
    });
    Ok(Json(changed.await?.into()))
}

/// Delete an alias
///
/// It receives nothing more; its messages stay. Its address stays reserved: nobody else gets
/// what is meant for it.
#[utoipa::path(delete, operation_id = "deleteAlias", path = "/api/v1/aliases/{id}", tag = "Aliases", params(("id" = String, Path, description = "The alias's id.", example = "alias_019f2a4c1d877e02b6f03a9d1c55e7ad")), responses((status = 204, description = "The alias is deleted."), (status = 409, description = "`postmaster` cannot be deleted.")))]
pub async fn delete(
    app: web::Data<App>,
    caller: ApiCaller,
    request: RequestInfo,
    seen: Seen,
    path: web::Path<AliasId>,
    _: Query<NoQuery>,
) -> Result<HttpResponse, ApiError> {
    let id = path.into_inner();
    let (actor, team) = (caller.actor(&request), caller.team().id);
    let deleted = app.write(move |tx| {
        let before = aliases::hold(tx, &actor, team, id)?;
        seen.is(|| etag::of(&Alias::from(before)))?;
        aliases::delete(tx, &actor, team, id)
    });
    deleted.await?;
    Ok(HttpResponse::NoContent().finish())
}
