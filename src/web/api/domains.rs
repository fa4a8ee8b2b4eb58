//! Domains of the team's own: `/domains`.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ApiError;
use super::caller::ApiCaller;
use super::etag::{self, Seen};
use super::idempotency::{self, IdempotencyKey};
use super::json::{Json, Query, present};
use super::me::NoQuery;
use super::paging::{Page, PageQuery};
use crate::app::App;
use crate::domain::mailroom::address::DomainName;
use crate::domain::mailroom::aliases::{self, AliasId};
use crate::domain::mailroom::mail_domains::{self, DomainId, RecordState};
use crate::domain::{Error, FieldError, Timestamp};
use crate::web::request::RequestInfo;

/// A domain that the team says is its own.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Domain {
    #[schema(value_type = String, example = "dom_019f2a4c1d877e02b6f03a9d1c55e7b2")]
    id: DomainId,
    #[schema(example = "mail.acme.test")]
    name: String,
    /// When the proof was found; mail is taken from then on.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-01T09:20:00.000000Z")]
    verified_at: Option<Timestamp>,
    /// When it stopped taking mail because the proof had been gone for 7 days.
    #[schema(value_type = Option<String>, format = DateTime)]
    suspended_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-01T09:20:00.000000Z")]
    checked_at: Option<Timestamp>,
    /// Whether the proof was found beside that of another team, whose domain it is.
    #[schema(example = false)]
    held_by_another: bool,
    /// What to publish in the DNS, and what was found there. There is no MX record while the
    /// server has no name that other mail servers can find (`GATEPOST_MAIL_HOST`).
    records: Vec<Record>,
    /// The id of the alias that takes what no other of the domain does.
    #[schema(value_type = Option<String>)]
    catch_all: Option<AliasId>,
    #[schema(value_type = String, format = DateTime, example = "2026-03-01T09:14:05.123456Z")]
    created_at: Timestamp,
    #[schema(example = "ada@acme.test")]
    created_by: String,
}

/// A record to publish.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    #[serde(rename = "type")]
    #[schema(example = "TXT")]
    kind: &'static str,
    #[schema(example = "_gatepost.mail.acme.test")]
    name: String,
    #[schema(example = "gatepost-verify=5f1d0c9a7b3e4f2a8c6d0e1b2a3f4c5d")]
    value: String,
    /// `unchecked`, `ok`, `missing`, `wrong`, or `unknown` when the DNS did not say.
    #[schema(value_type = String, example = "ok")]
    state: RecordState,
    /// What stands there.
    #[schema(example = json!(["gatepost-verify=5f1d0c9a7b3e4f2a8c6d0e1b2a3f4c5d"]))]
    found: Vec<String>,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-01T09:20:00.000000Z")]
    checked_at: Option<Timestamp>,
}

impl From<mail_domains::Record> for Record {
    fn from(record: mail_domains::Record) -> Self {
        let mail_domains::Record { kind, name, value, state, found, checked_at } = record;
        Self { kind, name, value, state, found, checked_at }
    }
}

impl Domain {
    fn of(domain: mail_domains::Domain, app: &App) -> Self {
        let records = domain.records(&app.mail_host());
        Self {
            id: domain.id,
            held_by_another: domain.is_held_by_another(),
            name: domain.name,
            verified_at: domain.verified_at,
            suspended_at: domain.suspended_at,
            checked_at: domain.checked_at,
            records: records.into_iter().map(Record::from).collect(),
            catch_all: domain.catch_all_id,
            created_at: domain.created_at,
            created_by: domain.created_by_label,
        }
    }
}

/// A domain to be added.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDomain {
    #[schema(example = "mail.acme.test", max_length = 253)]
    name: String,
}

/// What to change of a domain; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DomainChange {
    /// The id of one of the team's aliases; `null` for none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "alias_019f2a4c1d877e02b6f03a9d1c55e7ad")]
    catch_all: Option<Option<String>>,
}

/// List domains
///
/// The team's own, by name, with the records to publish for each.
#[utoipa::path(get, operation_id = "listDomains", path = "/api/v1/domains", tag = "Domains", params(PageQuery), responses((status = 200, body = Page<Domain>)))]
pub async fn list(
    app: web::Data<App>,
    caller: ApiCaller,
    query: Query<PageQuery>,
) -> Result<Json<Page<Domain>>, ApiError> {
    let (limit, offset) = query.0.bounds()?;
    let team = caller.team().id;
    let all = app.read(move |tx| mail_domains::list(tx, team)).await?;
    let total = all.len() as i64;
    let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
    let part = all.into_iter().skip(skipped).take(usize::try_from(limit).unwrap_or_default());
    let part = part.map(|domain| Domain::of(domain, &app)).collect();
    Ok(Json(Page::by_offset(part, (limit, offset), total)))
}

/// Read a domain
///
/// With the records to publish and what the last check found.
#[utoipa::path(get, operation_id = "getDomain", path = "/api/v1/domains/{id}", tag = "Domains", params(("id" = String, Path, description = "The domain's id.", example = "dom_019f2a4c1d877e02b6f03a9d1c55e7b2")), responses((status = 200, body = Domain)))]
pub async fn show(
    app: web::Data<App>,
    caller: ApiCaller,
    path: web::Path<DomainId>,
    _: Query<NoQuery>,
) -> Result<Json<Domain>, ApiError> {
    let id = path.into_inner();
    let team = caller.team().id;
    let domain = app.read(move |tx| mail_domains::find(tx, team, id)).await?;
    Ok(Json(Domain::of(domain, &app)))
}

/// Add a domain
///
/// The answer names the records to publish. It takes no mail before its proof is found.
#[utoipa::path(post, operation_id = "createDomain", path = "/api/v1/domains", tag = "Domains", request_body = NewDomain, responses((status = 201, body = Domain), (status = 409, description = "The team has this domain already, or every team has it.")))]
pub async fn create(
    app: web::Data<App>,
    caller: ApiCaller,
    request: RequestInfo,
    key: IdempotencyKey,
    _: Query<NoQuery>,
    body: Json<NewDomain>,
) -> Result<HttpResponse, ApiError> {
    let name = DomainName::parse(&body.name).map_err(Error::from)?;
    let (actor, team, shared) = (caller.actor(&request), caller.team().id, app.config().mail.domain.clone());
    let shown = app.clone();
    let created = app.once(key.with(&*body), move |tx| {
        let domain = mail_domains::add(tx, &actor, team, &shared, &name)?;
        Ok(idempotency::created(format!("/api/v1/domains/{}", domain.id), &Domain::of(domain, &shown)))
    });
    idempotency::answer(created.await?)
}

/// Change a domain
///
/// Which alias takes what no other of the domain does.
#[utoipa::path(patch, operation_id = "changeDomain", path = "/api/v1/domains/{id}", tag = "Domains", params(("id" = String, Path, description = "The domain's id.", example = "dom_019f2a4c1d877e02b6f03a9d1c55e7b2")), request_body = DomainChange, responses((status = 200, body = Domain)))]
pub async fn change(
    app: web::Data<App>,
    caller: ApiCaller,
    request: RequestInfo,
    seen: Seen,
    path: web::Path<DomainId>,
    _: Query<NoQuery>,
    body: Json<DomainChange>,
) -> Result<Json<Domain>, ApiError> {
    let id = path.into_inner();
    let (actor, team) = (caller.actor(&request), caller.team().id);
    let Json(DomainChange { catch_all }) = body;
    let shown = app.clone();
    let changed = app.write(move |tx| {
        let before = mail_domains::hold(tx, &actor, team, id)?;
        seen.is(|| etag::of(&Domain::of(before.clone(), &shown)))?;
        let Some(alias) = catch_all else { return Ok(before) };
        let none = || Error::from(FieldError::new("catchAll", "The team has no alias with this id."));
        let alias = alias.map(|alias| AliasId::parse(&alias).ok_or_else(none)).transpose()?;
        if let Some(alias) = alias {
            aliases::find_all(tx, team, &[alias])?
                .pop()
                .filter(|it| it.deleted_at.is_none())
                .ok_or_else(none)?;
        }
        mail_domains::set_catch_all(tx, &actor, team, id, alias)
    });
    Ok(Json(Domain::of(changed.await?, &app)))
}

/// Check a domain
///
/// Asks the DNS for its records now, instead of when it is due, and says what was found. A
/// domain whose proof is there takes mail from then on.
#[utoipa::path(post, operation_id = "checkDomain", path = "/api/v1/domains/{id}/check", tag = "Domains", params(("id" = String, Path, description = "The domain's id.", example = "dom_019f2a4c1d877e02b6f03a9d1c55e7b2")), responses((status = 200, body = Domain)))]
pub async fn check(
    app: web::Data<App>,
    caller: ApiCaller,
    request: RequestInfo,
    path: web::Path<DomainId>,
    _: Query<NoQuery>,
) -> Result<Json<Domain>, ApiError> {
    let id = path.into_inner();
    let domain = app.check_domain(caller.actor(&request), caller.team().id, id).await?;
    Ok(Json(Domain::of(domain, &app)))
}

/// Remove a domain
///
/// Its addresses receive nothing more. They come back when the team adds and proves it again.
#[utoipa::path(delete, operation_id = "deleteDomain", path = "/api/v1/domains/{id}", tag = "Domains", params(("id" = String, Path, description = "The domain's id.", example = "dom_019f2a4c1d877e02b6f03a9d1c55e7b2")), responses((status = 204, description = "The domain is removed.")))]
pub async fn delete(
    app: web::Data<App>,
    caller: ApiCaller,
    request: RequestInfo,
    seen: Seen,
    path: web::Path<DomainId>,
    _: Query<NoQuery>,
) -> Result<HttpResponse, ApiError> {
    let id = path.into_inner();
    let (actor, team) = (caller.actor(&request), caller.team().id);
    let shown = app.clone();
    let removed = app.write(move |tx| {
        let before = mail_domains::hold(tx, &actor, team, id)?;
        seen.is(|| etag::of(&Domain::of(before, &shown)))?;
        mail_domains::remove(tx, &actor, team, id)
    });
    removed.await?;
    Ok(HttpResponse::NoContent().finish())
}
