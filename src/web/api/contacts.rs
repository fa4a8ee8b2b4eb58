//! Correspondents: `/contacts`.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::openapi::Object;
use utoipa::{IntoParams, ToSchema};

use super::ApiError;
use super::caller::ApiCaller;
use super::etag::{self, Seen};
use super::field_errors::FieldErrors;
use super::idempotency::{self, IdempotencyKey};
use super::json::{Json, Query, present};
use super::me::NoQuery;
use super::openapi::words;
use super::paging::{self, Page};
use crate::app::App;
use crate::domain::lists::Window;
use crate::domain::mailroom::contacts::{self, About, ContactId, ContactState, Filter};
use crate::domain::search::Search;
use crate::domain::{FieldError, Timestamp};
use crate::web::request::RequestInfo;

/// Somebody who writes to the team.
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
    /// `unset`, `allowed`, or `blocked`: whose mail is kept, but not delivered.
    #[schema(value_type = String, example = "unset")]
    state: ContactState,
    /// Messages that came from them.
    #[schema(example = 2)]
    received: i64,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-02T16:20:11.000001Z")]
    first_seen_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-02T16:20:11.000001Z")]
    last_seen_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime, example = "2026-03-01T09:14:05.123456Z")]
    created_at: Timestamp,
}

impl From<contacts::Contact> for Contact {
    fn from(contact: contacts::Contact) -> Self {
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
    states.description(Some("`unset` when left out.")).examples(["allowed"]).build()
}

fn next_state() -> Object {
    let states = words::one_of_or_null(ContactState::ALL.iter().map(|state| state.as_str()));
    states.examples(["blocked"]).build()
}

fn parse_state(text: &str) -> Result<ContactState, FieldError> {
    let message = "A state is unset, allowed or blocked.";
    ContactState::parse(text).ok_or_else(|| FieldError::new("state", message))
}

/// Which contacts are asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ContactQuery {
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
    /// Only those whose address or name contains this.
    #[param(max_length = 254)]
    q: Option<String>,
    #[param(schema_with = states)]
    state: Option<String>,
}

impl ContactQuery {
    fn parse(self) -> Result<(Window<ContactId>, Filter), ApiError> {
        let window = paging::window(self.limit, self.offset, self.cursor.as_deref(), ContactId::parse)?;
        let mut errors = FieldErrors::default();
        let state = errors.take(self.state.as_deref().map(parse_state).transpose());
        let words = errors.take(Search::parse(self.q.as_deref().unwrap_or_default()));
        let filter = words.map(|words| Filter { state: state.flatten(), text: words.key() });
        errors.all(filter.map(|filter| (window, filter)))
    }
}

/// A contact to be made.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewContact {
    #[schema(example = "bob@customer.test", max_length = 254)]
    address: String,
    /// Up to 120 characters.
    #[schema(
        example = "Bob",
        max_length = 120,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb]*$"
    )]
    name: Option<String>,
    /// For people, up to 1,000 characters.
    #[schema(
        example = "prefers to be called",
        max_length = 1000,
        pattern = r"^([^\u0000-\u0008\u000b-\u001f\u007f-\u009f]|\r\n)*$"
    )]
    note: Option<String>,
    #[schema(schema_with = first_state)]
    state: Option<String>,
}

/// What to change of a contact; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactChange {
    /// `null` takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "Bob", max_length = 120, pattern = r"^[^\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb]*$")]
    name: Option<Option<String>>,
    /// `null` takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "prefers to be called", max_length = 1000, pattern = r"^([^\u0000-\u0008\u000b-\u001f\u007f-\u009f]|\r\n)*$")]
    note: Option<Option<String>>,
    #[schema(schema_with = next_state)]
    state: Option<String>,
}

/// List contacts
///
/// Those who wrote and those added by hand, newest first.
#[utoipa::path(get, operation_id = "listContacts", path = "/api/v1/contacts", tag = "Contacts", params(ContactQuery), responses((status = 200, body = Page<Contact>)))]
pub async fn list(
    app: web::Data<App>,
    caller: ApiCaller,
    query: Query<ContactQuery>,
) -> Result<Json<Page<Contact>>, ApiError> {
    let (window, filter) = query.0.parse()?;
    let team = caller.team().id;
    let (page, total) = app
        .read(move |tx| Ok((contacts::list(tx, team, &filter, window)?, contacts::count(tx, team, &filter)?)))
        .await?;
    Ok(Json(Page::of(page, &window, Some(total), Contact::from)))
}

/// Read a contact
///
/// With how often and when they wrote.
#[utoipa::path(get, operation_id = "getContact", path = "/api/v1/contacts/{id}", tag = "Contacts", params(("id" = String, Path, description = "The contact's id.", example = "con_019f2a4c1d877e02b6f03a9d1c55e7ae")), responses((status = 200, body = Contact)))]
pub async fn show(
    app: web::Data<App>,
    caller: ApiCaller,
    path: web::Path<ContactId>,
    _: Query<NoQuery>,
) -> Result<Json<Contact>, ApiError> {
    let id = path.into_inner();
    let team = caller.team().id;
    Ok(Json(app.read(move |tx| contacts::find(tx, team, id)).await?.into()))
}

/// Create a contact
///
/// Arriving mail makes contacts by itself; this is for those who have not written yet.
#[utoipa::path(post, operation_id = "createContact", path = "/api/v1/contacts", tag = "Contacts", request_body = NewContact, responses((status = 201, body = Contact), (status = 409, description = "There is a contact with this address already.")))]
pub async fn create(
    app: web::Data<App>,
    caller: ApiCaller,
    request: RequestInfo,
    key: IdempotencyKey,
    _: Query<NoQuery>,
    body: Json<NewContact>,
) -> Result<HttpResponse, ApiError> {
    let mut errors = FieldErrors::default();
    let address = errors.take(contacts::parse_address(&body.address));
    let state = errors.take(body.state.as_deref().map_or(Ok(ContactState::Unset), parse_state));
    let (name, note) = (body.name.as_deref().unwrap_or_default(), body.note.as_deref().unwrap_or_default());
    let about = errors.take(About::parse(name, note, state.unwrap_or(ContactState::Unset)));
    let (address, about) = errors.all(address.zip(about))?;
    let (actor, team) = (caller.actor(&request), caller.team().id);
    let created = app.once(key.with(&*body), move |tx| {
        let contact = contacts::create(tx, &actor, team, &address, about)?;
        Ok(idempotency::created(format!("/api/v1/contacts/{}", contact.id), &Contact::from(contact)))
    });
    idempotency::answer(created.await?)
}

/// Change a contact
///
/// What is said of them, and whether their mail is let through. The address stays.
#[utoipa::path(patch, operation_id = "changeContact", path = "/api/v1/contacts/{id}", tag = "Contacts", params(("id" = String, Path, description = "The contact's id.", example = "con_019f2a4c1d877e02b6f03a9d1c55e7ae")), request_body = ContactChange, responses((status = 200, body = Contact)))]
pub async fn change(
    app: web::Data<App>,
    caller: ApiCaller,
    request: RequestInfo,
    seen: Seen,
    path: web::Path<ContactId>,
    _: Query<NoQuery>,
    body: Json<ContactChange>,
) -> Result<Json<Contact>, ApiError> {
    let id = path.into_inner();
    let (actor, team) = (caller.actor(&request), caller.team().id);
    let Json(ContactChange { name, note, state }) = body;
    let changed = app.write(move |tx| {
        let before = contacts::hold(tx, &actor, team, id)?;
        seen.is(|| etag::of(&Contact::from(before.clone())))?;
        let state = state.as_deref().map_or(Ok(before.state), parse_state)?;
        let (name, note) = (name.unwrap_or(before.name), note.unwrap_or(before.note));
        let about = About::parse(&name.unwrap_or_default(), &note.unwrap_or_default(), state)?;
        contacts::change(tx, &actor, team, id, about)
    });
    Ok(Json(changed.await?.into()))
}

/// Delete a contact
///
/// Their messages stay. When they write again, they are a new contact: to keep somebody out,
/// block them instead.
#[utoipa::path(delete, operation_id = "deleteContact", path = "/api/v1/contacts/{id}", tag = "Contacts", params(("id" = String, Path, description = "The contact's id.", example = "con_019f2a4c1d877e02b6f03a9d1c55e7ae")), responses((status = 204, description = "The contact is deleted.")))]
pub async fn delete(
    app: web::Data<App>,
    caller: ApiCaller,
    request: RequestInfo,
    seen: Seen,
    path: web::Path<ContactId>,
    _: Query<NoQuery>,
) -> Result<HttpResponse, ApiError> {
    let id = path.into_inner();
    let (actor, team) = (caller.actor(&request), caller.team().id);
    let deleted = app.write(move |tx| {
        let before = contacts::hold(tx, &actor, team, id)?;
        seen.is(|| etag::of(&Contact::from(before)))?;
        contacts::delete(tx, &actor, team, id)
    });
    deleted.await?;
    Ok(HttpResponse::NoContent().finish())
}
