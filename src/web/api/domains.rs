use actix_web::web;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ApiError;
use super::caller::ApiCaller;
use super::json::{Json, NoQuery, Query, present};
use super::lists::{Listing, ShortList};
use super::resource::{Context, Find, Form, Lock, New, One, Resource};
use super::response::{ApiResult, CreateResult, Done};
use super::route::{At, Tag, at, op};
use crate::app::App;
use crate::domain::access::scopes::Scope;
use crate::domain::mailroom::address::DomainName;
use crate::domain::mailroom::aliases::{self, AliasId};
use crate::domain::mailroom::mail_domains::{self, DomainId, RecordState};
use crate::domain::{Error, FieldError, Timestamp};
use crate::web::request::RequestInfo;

const DOMAINS: Tag = Tag {
    name: "Domains",
    text: "The team's own domains, verified by DNS. Add one, publish its records, and create aliases on it.",
};

pub fn routes() -> Vec<At> {
    vec![
        at(Domain::PATH, &DOMAINS)
            .get(op("listDomains", Scope::DomainsRead, list).about(
                "List domains",
                "The team's own domains by name, with the records to publish for each.",
            ))
            .post(
                op("createDomain", Scope::DomainsWrite, create)
                    .about(
                        "Add a domain",
                        "The response lists the records to publish. The domain receives no mail until it is verified.",
                    )
                    .may(409, "The team already has this domain, or it is shared by every team."),
            ),
        at("/domains/{id}", &DOMAINS)
            .get(op("getDomain", Scope::DomainsRead, show).about(
                "Get a domain",
                "Includes the records to publish and the results of the last check.",
            ))
            .patch(op("changeDomain", Scope::DomainsWrite, change).about(
                "Change a domain",
                "Sets the alias that receives mail for addresses that do not exist.",
            ))
            .delete(
                op("deleteDomain", Scope::DomainsWrite, delete)
                    .about(
                        "Remove a domain",
                        "Its aliases stop receiving mail. They return when the team adds and verifies the domain again.",
                    )
                    .may(204, "The domain is removed."),
            ),
        at("/domains/{id}/check", &DOMAINS).post(op("checkDomain", Scope::DomainsWrite, check).about(
            "Check a domain",
            "Looks up its DNS records now instead of at the next scheduled check. Once the verification record is found, the domain receives mail.",
        )),
    ]
}

/// One of the team's own domains.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Domain {
    #[schema(value_type = String, example = "dom_019f2a4c1d877e02b6f03a9d1c55e7b2")]
    id: DomainId,
    #[schema(example = "mail.acme.test")]
    name: String,
    /// When it was verified. It receives mail from then on.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-01T09:20:00.000000Z")]
    verified_at: Option<Timestamp>,
    /// When it stopped receiving mail because the verification record was missing for 7 days.
    #[schema(value_type = Option<String>, format = DateTime)]
    suspended_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-01T09:20:00.000000Z")]
    checked_at: Option<Timestamp>,
    /// Whether another team has verified the same domain and still has it.
    #[schema(example = false)]
    held_by_another: bool,
    /// The DNS records to publish, and the values found. There is no MX record while the server has no public
    /// name (`GATEPOST_MAIL_HOST`).
    records: Vec<Record>,
    /// The id of the alias that receives mail for addresses that do not exist.
    #[schema(value_type = Option<String>)]
    catch_all: Option<AliasId>,
    #[schema(value_type = String, format = DateTime, example = "2026-03-01T09:14:05.123456Z")]
    created_at: Timestamp,
    #[schema(example = "ada@acme.test")]
    created_by: String,
}

/// A DNS record to publish.
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
    /// `unchecked`, `ok`, `missing`, `wrong`, or `unknown` when DNS did not respond.
    #[schema(value_type = String, example = "ok")]
    state: RecordState,
    /// The values found.
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

impl Form for Domain {
    type Row = mail_domains::Domain;
    type Id = DomainId;

    fn of(domain: mail_domains::Domain, context: &Context) -> Self {
        let records = domain.records(&context.app.mail_host());
        Self {
            id: domain.id,
            held_by_another: domain.is_verified_by_another(),
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

impl Resource for Domain {
    const PATH: &'static str = "/domains";
    const FIND: Find<Self> = mail_domains::find;
    const LOCK: Lock<Self> = mail_domains::lock;

    fn id(domain: &mail_domains::Domain) -> DomainId {
        domain.id
    }
}

/// A domain to add.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDomain {
    #[schema(example = "mail.acme.test", max_length = 253)]
    name: String,
}

/// The fields to change; others stay unchanged.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DomainChange {
    /// The id of one of the team's aliases; `null` for none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "alias_019f2a4c1d877e02b6f03a9d1c55e7ad")]
    catch_all: Option<Option<String>>,
}

pub async fn list(listed: ShortList<Domain>) -> Listing<Domain> {
    listed
        .page(|tx, team, (limit, offset)| {
            let all = mail_domains::list(tx, team)?;
            let (total, skipped) = (all.len() as i64, usize::try_from(offset).unwrap_or(usize::MAX));
            let limit = usize::try_from(limit).unwrap_or_default();
            Ok((all.into_iter().skip(skipped).take(limit).collect(), total))
        })
        .await
}

pub async fn show(one: One<Domain>) -> ApiResult<Domain> {
    one.read().await
}

pub async fn create(new: New<NewDomain>) -> CreateResult<Domain> {
    let name = DomainName::parse(&new.body.name).map_err(Error::from)?;
    let shared = new.context.app.config().mail.domain.clone();
    new.create(move |tx, actor, team| mail_domains::add(tx, actor, team, &shared, &name)).await
}

pub async fn change(one: One<Domain>, Json(change): Json<DomainChange>) -> ApiResult<Domain> {
    one.change(move |tx, actor, team, before| {
        let Some(alias) = change.catch_all else { return Ok(before) };
        let none = || Error::from(FieldError::new("catchAll", "The team has no alias with this id."));
        let alias = alias.map(|alias| AliasId::parse(&alias).ok_or_else(none)).transpose()?;
        if let Some(alias) = alias {
            let found = aliases::find_all(tx, team, &[alias])?.pop();
            found.filter(|alias| alias.deleted_at.is_none()).ok_or_else(none)?;
        }
        mail_domains::set_catch_all(tx, actor, team, before.id, alias)
    })
    .await
}

pub async fn check(
    app: web::Data<App>,
    caller: ApiCaller,
    request: RequestInfo,
    path: web::Path<DomainId>,
    _: Query<NoQuery>,
) -> Result<Json<Domain>, ApiError> {
    let domain = app.check_domain(caller.actor(&request), caller.team().id, path.into_inner()).await?;
    Ok(Json(Domain::of(domain, &Context { app, now: request.now })))
}

pub async fn delete(one: One<Domain>) -> Done {
    one.delete(|tx, actor, team, domain| mail_domains::remove(tx, actor, team, domain.id)).await
}
