use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ApiError;
use super::field_errors::FieldErrors;
use super::json::{Json, present};
use super::lists::Filters;
use super::plain::{changes, creates, deletes, lists, one, shows};
use super::resource::{Context, Form, New, One, Resource};
use super::response::{ApiResult, CreateResult};
use super::route::{At, Tag, at};
use crate::domain::Timestamp;
use crate::domain::mailroom::address::LocalPart;
use crate::domain::mailroom::aliases::{self, AliasId, Filter};
use crate::domain::search::Search;

const ALIASES: Tag = Tag {
    name: "Aliases",
    text: "The addresses that receive mail. Use a different one for each purpose: you'll know who leaked it, and you can turn it off on its own.",
};

pub fn routes() -> Vec<At> {
    vec![
        at(Alias::PATH, &ALIASES)
            .get(lists::<Alias, AliasQuery>("The team's addresses, newest first, without deleted ones."))
            .post(
                creates::<Alias, _, _>(
                    create,
                    "It starts to receive mail immediately if its domain is active. The address of a deleted alias cannot be reused (409).",
                )
                .may(409, "The address is or was in use."),
            ),
        at(one::<Alias>(), &ALIASES)
            .get(shows::<Alias>("Includes the number of messages received."))
            .patch(
                changes::<Alias, _, _>(change, "Turns it on or off, or changes its note.")
                    .may(409, "`postmaster` cannot be turned off."),
            )
            .delete(
                deletes::<Alias>(
                    "It stops receiving mail, and its messages are kept. The address can never be reused, so that no one else receives its mail.",
                )
                .may(409, "`postmaster` cannot be deleted."),
            ),
    ]
}

/// An address of the team that receives mail.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Alias {
    #[schema(value_type = String, example = "alias_019f2a4c1d877e02b6f03a9d1c55e7ad")]
    id: AliasId,
    #[schema(example = "hello@gatepost.localhost")]
    address: String,
    /// The part before the `@`.
    #[schema(example = "hello")]
    local_part: String,
    #[schema(example = "gatepost.localhost")]
    domain: String,
    #[schema(example = "the contact form")]
    note: Option<String>,
    /// Mail to an alias that is off is refused.
    #[schema(example = true)]
    enabled: bool,
    /// Messages received.
    #[schema(example = 3)]
    received: i64,
    /// Messages received from blocked senders.
    #[schema(example = 0)]
    denied: i64,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-02T16:20:11.000001Z")]
    last_received_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime, example = "2026-03-01T09:14:05.123456Z")]
    created_at: Timestamp,
    #[schema(example = "ada@acme.test")]
    created_by: String,
}

impl Form for Alias {
    type Row = aliases::Alias;
    type Id = AliasId;

    fn of(alias: aliases::Alias, _: &Context) -> Self {
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

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AliasQuery {
    /// Only aliases whose address contains this text.
    #[param(max_length = 254)]
    q: Option<String>,
    /// Only aliases that are on (`true`) or off (`false`).
    enabled: Option<bool>,
}

impl Filters for AliasQuery {
    type Filter = Filter;

    fn parse(&self, errors: &mut FieldErrors) -> Option<Filter> {
        let text = errors.take(Search::parse(self.q.as_deref().unwrap_or_default()));
        Some(Filter { enabled: self.enabled, text: text?.key(), domain: None })
    }
}

/// An alias to create.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewAlias {
    /// The part before the `@`. Default: random letters and digits.
    #[schema(
        example = "hello",
        min_length = 1,
        max_length = 64,
        pattern = "^[A-Za-z0-9](([.]?[A-Za-z0-9_+-])*[.]?[A-Za-z0-9_-])?$"
    )]
    local_part: Option<String>,
    /// One of the team's domains. Default: the shared domain.
    #[schema(example = "gatepost.localhost")]
    domain: Option<String>,
    /// For people, up to 1,000 characters.
    #[schema(example = "the contact form", max_length = 1000, format = "text")]
    note: Option<String>,
}

impl NewAlias {
    fn parse(&self) -> Result<aliases::NewAlias, ApiError> {
        let mut errors = FieldErrors::default();
        let local = errors.take(self.local_part.as_deref().map(LocalPart::parse).transpose());
        let note = errors.take(aliases::parse_note(self.note.as_deref().unwrap_or_default()));
        let (local, note) = errors.all(local.zip(note))?;
        Ok(aliases::NewAlias { local, domain: self.domain.clone(), note })
    }
}

/// The fields to change; others stay unchanged.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AliasChange {
    /// `null` removes it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "the contact form", max_length = 1000, format = "text")]
    note: Option<Option<String>>,
    #[schema(example = false)]
    enabled: Option<bool>,
}

pub async fn create(new: New<NewAlias>) -> CreateResult<Alias> {
    let alias = new.body.parse()?;
    let shared = new.context.app.config().mail.domain.clone();
    new.create(move |tx, actor, team| aliases::create(tx, actor, team, &shared, &alias)).await
}

pub async fn change(one: One<Alias>, Json(change): Json<AliasChange>) -> ApiResult<Alias> {
    one.change(move |tx, actor, team, before| {
        let note = match change.note {
            Some(note) => aliases::parse_note(&note.unwrap_or_default())?,
            None => before.note,
        };
        let enabled = change.enabled.unwrap_or(before.enabled);
        aliases::change(tx, actor, team, before.id, note.as_deref(), enabled)
    })
    .await
}
