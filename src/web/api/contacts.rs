use serde::{Deserialize, Serialize};
use utoipa::openapi::Object;
use utoipa::{IntoParams, ToSchema};

use super::ApiError;
use super::field_errors::FieldErrors;
use super::json::{Json, present};
use super::lists::Filters;
use super::openapi::words;
use super::plain::{changes, creates, deletes, lists, one, shows};
use super::resource::{Context, Form, New, One, Resource};
use super::response::{ApiResult, CreateResult};
use super::route::{At, Tag, at};
use crate::domain::mailroom::address::MailAddress;
use crate::domain::mailroom::contacts::{self, About, ContactId, ContactState, Filter};
use crate::domain::search::Search;
use crate::domain::{FieldError, Timestamp};

const CONTACTS: Tag = Tag {
    name: "Contacts",
    text: "People who email the team. They are added automatically when mail arrives; their state decides whether their mail is delivered.",
};

pub fn routes() -> Vec<At> {
    vec![
        at(Contact::PATH, &CONTACTS)
            .get(lists::<Contact, ContactQuery>("People who wrote to the team or were added by hand, newest first."))
            .post(
                creates::<Contact, _, _>(
                    create,
                    "Incoming mail creates contacts automatically; this adds people who have not written yet.",
                )
                .may(409, "The team already has a contact with this address."),
            ),
        at(one::<Contact>(), &CONTACTS)
            .get(shows::<Contact>("Includes how often and when they wrote."))
            .patch(changes::<Contact, _, _>(
                change,
                "Changes the details and whether their mail is delivered. The address cannot be changed.",
            ))
            .delete(deletes::<Contact>(
                "Their messages are kept. If they write again, a new contact is created. To stop their mail, block them instead.",
            )),
    ]
}

/// Someone who writes to the team.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    #[schema(value_type = String, example = "con_019f2a4c1d877e02b6f03a9d1c55e7ae")]
    id: ContactId,
    #[schema(example = "bob@customer.test")]
    address: String,
    #[schema(example = "Bob")]
    name: Option<String>,
    #[schema(example = "prefers to be called")]
    note: Option<String>,
    /// `unset`, `allowed`, or `blocked`. Mail from a blocked contact is stored, but not delivered.
    #[schema(value_type = String, example = "unset")]
    state: ContactState,
    /// Messages received from them.
    #[schema(example = 2)]
    received: i64,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-02T16:20:11.000001Z")]
    first_seen_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-02T16:20:11.000001Z")]
    last_seen_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime, example = "2026-03-01T09:14:05.123456Z")]
    created_at: Timestamp,
}

impl Form for Contact {
    type Row = contacts::Contact;
    type Id = ContactId;

    fn of(contact: contacts::Contact, _: &Context) -> Self {
        Self {
            id: contact.id,
            address: contact.address,
            name: contact.name,
            note: contact.note,
            state: contact.state,
            received: contact.received,
            first_seen_at: contact.first_seen_at,
            last_seen_at: contact.last_seen_at,
            created_at: contact.created_at,
        }
    }
}

fn states() -> Object {
    let states = words::one_of(ContactState::ALL.iter().map(|state| state.as_str()));
    states.description(Some("Only those in this state.")).build()
}

fn first_state() -> Object {
    let states = words::one_of_or_null(ContactState::ALL.iter().map(|state| state.as_str()));
    states.description(Some("Default: `unset`.")).examples(["allowed"]).build()
}

fn next_state() -> Object {
    let states = words::one_of_or_null(ContactState::ALL.iter().map(|state| state.as_str()));
    states.examples(["blocked"]).build()
}

fn parse_state(text: &str) -> Result<ContactState, FieldError> {
    let message = "The state must be unset, allowed or blocked.";
    ContactState::parse(text).ok_or_else(|| FieldError::new("state", message))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ContactQuery {
    /// Only contacts with all of these words in their name or address. Case and accents make no difference.
    #[param(max_length = 254)]
    q: Option<String>,
    #[param(schema_with = states)]
    state: Option<String>,
}

impl Filters for ContactQuery {
    type Filter = Filter;

    fn parse(&self, errors: &mut FieldErrors) -> Option<Filter> {
        let state = errors.take(self.state.as_deref().map(parse_state).transpose());
        let text = errors.take(Search::parse(self.q.as_deref().unwrap_or_default()));
        Some(Filter { state: state?, words: contacts::words_of(&text?) })
    }
}

/// A contact to create.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewContact {
    #[schema(example = "bob@customer.test", max_length = 254)]
    address: String,
    /// Up to 120 characters.
    #[schema(example = "Bob", max_length = 120, format = "line")]
    name: Option<String>,
    /// For people, up to 1,000 characters.
    #[schema(example = "prefers to be called", max_length = 1000, format = "text")]
    note: Option<String>,
    #[schema(schema_with = first_state)]
    state: Option<String>,
}

impl NewContact {
    fn parse(&self) -> Result<(MailAddress, About), ApiError> {
        let mut errors = FieldErrors::default();
        let address = errors.take(contacts::parse_address(&self.address));
        let state = errors.take(self.state.as_deref().map_or(Ok(ContactState::Unset), parse_state));
        let (name, note) =
            (self.name.as_deref().unwrap_or_default(), self.note.as_deref().unwrap_or_default());
        let about = errors.take(About::parse(name, note, state.unwrap_or(ContactState::Unset)));
        errors.all(address.zip(about))
    }
}

/// The fields to change; others stay unchanged.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactChange {
    /// `null` removes it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "Bob", max_length = 120, format = "line")]
    name: Option<Option<String>>,
    /// `null` removes it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "prefers to be called", max_length = 1000, format = "text")]
    note: Option<Option<String>>,
    #[schema(schema_with = next_state)]
    state: Option<String>,
}

impl ContactChange {
    fn apply_to(self, before: contacts::Contact) -> Result<About, FieldError> {
        let state = self.state.as_deref().map_or(Ok(before.state), parse_state)?;
        let (name, note) = (self.name.unwrap_or(before.name), self.note.unwrap_or(before.note));
        About::parse(&name.unwrap_or_default(), &note.unwrap_or_default(), state)
    }
}

pub async fn create(new: New<NewContact>) -> CreateResult<Contact> {
    let (address, about) = new.body.parse()?;
    new.create(move |tx, actor, team| contacts::create(tx, actor, team, &address, about)).await
}

pub async fn change(one: One<Contact>, Json(change): Json<ContactChange>) -> ApiResult<Contact> {
    one.change(move |tx, actor, team, before| {
        let id = before.id;
        contacts::change(tx, actor, team, id, change.apply_to(before)?)
    })
    .await
}
