//! Mail that came in: `/messages`. Its parts are in [`super::downloads`].

use actix_web::http::header::ETAG;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::openapi::Object;
use utoipa::{IntoParams, ToSchema};

use super::ApiError;
use super::caller::ApiCaller;
use super::etag::{self, Known, Seen};
use super::field_errors::FieldErrors;
use super::json::{Json, Query};
use super::me::NoQuery;
use super::message::{self, Message, MessageRow};
use super::openapi::words;
use super::paging::{self, Page};
use crate::app::App;
use crate::domain::lists::{Page as Part, Window};
use crate::domain::mailroom::aliases::{self, AliasId};
use crate::domain::mailroom::contacts::ContactId;
use crate::domain::mailroom::conversations::ConversationId;
use crate::domain::mailroom::messages::{self, Filter, MessageId, MessageState};
use crate::domain::search::Search;
use crate::domain::{FieldError, Timestamp};
use crate::web::request::RequestInfo;

/// Which messages are asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MessageQuery {
    /// Entries to return, 1 to 100.
    #[serde(default = "paging::default_limit")]
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: i64,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// Only those with all of these words in subject, sender or text; the last may be the
    /// beginning of one.
    #[param(max_length = 254)]
    q: Option<String>,
    /// Only those to this alias, by its id.
    alias: Option<String>,
    /// Only those from this contact, by its id.
    contact: Option<String>,
    /// Only those of this conversation, by its id.
    conversation: Option<String>,
    #[param(schema_with = states)]
    state: Option<String>,
    /// Only those received at this time or later, such as `2026-03-01T00:00:00Z`.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Only those received before this time.
    #[param(format = DateTime)]
    until: Option<String>,
    /// With `true`, only those delivered and not read yet.
    #[serde(default)]
    #[param(default = false)]
    unread: bool,
}

impl MessageQuery {
    fn parse(&self) -> Result<(Window<MessageId>, Filter, Search), ApiError> {
        let window = paging::window(self.limit, 0, self.cursor.as_deref(), MessageId::parse)?;
        let mut errors = FieldErrors::default();
        let filter = Filter {
            alias: errors.take(named("alias", self.alias.as_deref(), AliasId::parse)).flatten(),
            contact: errors.take(named("contact", self.contact.as_deref(), ContactId::parse)).flatten(),
            conversation: errors
                .take(named("conversation", self.conversation.as_deref(), ConversationId::parse))
                .flatten(),
            state: errors.take(self.state.as_deref().map(parse_state).transpose()).flatten(),
            unread: self.unread,
            from: errors.take(moment("since", self.since.as_deref())).flatten(),
            until: errors.take(moment("until", self.until.as_deref())).flatten(),
        };
        let words = errors.take(Search::parse(self.q.as_deref().unwrap_or_default()));
        errors.all(words.map(|words| (window, filter, words)))
    }
}

fn named<Id>(
    field: &'static str,
    text: Option<&str>,
    parse: impl Fn(&str) -> Option<Id>,
) -> Result<Option<Id>, FieldError> {
    let parse = |text| parse(text).ok_or_else(|| FieldError::new(field, format!("This is no {field}'s id.")));
    text.map(parse).transpose()
}

fn states() -> Object {
    let states = words::one_of(MessageState::ALL.iter().map(|state| state.as_str()));
    states.description(Some("Only those in this state: `delivered`, `denied` or `rejected`.")).build()
}

fn parse_state(text: &str) -> Result<MessageState, FieldError> {
    let known = || MessageState::ALL.iter().map(|state| state.as_str()).collect::<Vec<_>>().join(", ");
    MessageState::parse(text)
        .ok_or_else(|| FieldError::new("state", format!("A state is one of {}.", known())))
}

fn moment(field: &'static str, text: Option<&str>) -> Result<Option<Timestamp>, FieldError> {
    let parse = |text| OffsetDateTime::parse(text, &Rfc3339).map(Timestamp::from);
    let message = "Write a time as RFC 3339 has it, such as 2026-03-01T00:00:00Z; “+” as %2B.";
    text.map(parse).transpose().map_err(|_| FieldError::new(field, message))
}

/// List messages
///
/// Newest first, with the first words of each. It pages by cursor and costs the same however
/// many there are; with `q`, a page can be short and still have a next one.
#[utoipa::path(get, operation_id = "listMessages", path = "/api/v1/messages", tag = "Messages", params(MessageQuery), responses((status = 200, body = Page<MessageRow>)))]
pub async fn list(
    app: web::Data<App>,
    caller: ApiCaller,
    query: Query<MessageQuery>,
) -> Result<Json<Page<MessageRow>>, ApiError> {
    let (window, filter, words) = query.0.parse()?;
    let team = caller.team().id;
    let listed = app.read(move |tx| {
        let page = messages::list_or_search(tx, team, &words, &filter, window)?;
        // What has the words is not counted: that would take as long as to find it all.
        let total = words.as_str().is_empty().then(|| messages::count(tx, team, &filter)).transpose()?;
        let ids: Vec<AliasId> = page.rows.iter().map(|message| message.alias_id).collect();
        let aliases = aliases::find_all(tx, team, &ids)?;
        let next = page.next;
        let rows = page.rows.into_iter().map(|message| MessageRow::of(message, &aliases)).collect();
        Ok((Part { rows, next }, total))
    });
    let (page, total) = listed.await?;
    Ok(Json(Page::of(page, &window, total, |row| row)))
}

/// Read a message
///
/// Its text, its HTML made safe to show (no scripts, nothing fetched from elsewhere), its
/// headers and attachments, and what is known of who really sent it. Reading does not mark it.
#[utoipa::path(get, operation_id = "getMessage", path = "/api/v1/messages/{id}", tag = "Messages", params(("id" = String, Path, description = "The message's id.", example = "msg_019f2a4c1d877e02b6f03a9d1c55e7af")), responses((status = 200, body = Message)))]
pub async fn show(
    app: web::Data<App>,
    caller: ApiCaller,
    path: web::Path<MessageId>,
    _: Query<NoQuery>,
    known: Known,
) -> Result<HttpResponse, ApiError> {
    let id = path.into_inner();
    let team = caller.team().id;
    let read = app.read(move |tx| {
        let tag = message::tag(&messages::find(tx, team, id)?);
        if known.has(&tag) {
            return Ok((tag, None));
        }
        Ok((tag, Some(Message::of(messages::open(tx, team, id)?))))
    });
    Ok(match read.await? {
        (tag, None) => etag::not_modified(&tag),
        (tag, Some(message)) => HttpResponse::Ok().insert_header((ETAG, tag.to_string())).json(message),
    })
}

/// What to change of a message.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageChange {
    /// Whether somebody has read it.
    #[schema(example = true)]
    read: Option<bool>,
}

/// A message that was changed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageMark {
    #[schema(value_type = String, example = "msg_019f2a4c1d877e02b6f03a9d1c55e7af")]
    id: MessageId,
    /// When it was first read.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-02T16:31:40.500000Z")]
    read_at: Option<Timestamp>,
}

/// Mark a message
///
/// As read or unread. The answer does not tell what is in it: that takes `messages:read`.
#[utoipa::path(patch, operation_id = "changeMessage", path = "/api/v1/messages/{id}", tag = "Messages", params(("id" = String, Path, description = "The message's id.", example = "msg_019f2a4c1d877e02b6f03a9d1c55e7af")), request_body = MessageChange, responses((status = 200, body = MessageMark)))]
pub async fn change(
    app: web::Data<App>,
    caller: ApiCaller,
    request: RequestInfo,
    seen: Seen,
    path: web::Path<MessageId>,
    _: Query<NoQuery>,
    body: Json<MessageChange>,
) -> Result<HttpResponse, ApiError> {
    let id = path.into_inner();
    let (actor, team, read) = (caller.actor(&request), caller.team().id, body.read);
    let changed = app.write(move |tx| {
        let before = messages::hold(tx, &actor, team, id)?;
        seen.is(|| message::tag(&before))?;
        match read {
            Some(read) => messages::mark(tx, &actor, team, id, read),
            None => Ok(before),
        }
    });
    let changed = changed.await?;
    let mark = MessageMark { id, read_at: changed.read_at };
    Ok(HttpResponse::Ok().insert_header((ETAG, message::tag(&changed).to_string())).json(mark))
}

/// Delete a message
///
/// With all that came with it, for good.
#[utoipa::path(delete, operation_id = "deleteMessage", path = "/api/v1/messages/{id}", tag = "Messages", params(("id" = String, Path, description = "The message's id.", example = "msg_019f2a4c1d877e02b6f03a9d1c55e7af")), responses((status = 204, description = "The message is deleted.")))]
pub async fn delete(
    app: web::Data<App>,
    caller: ApiCaller,
    request: RequestInfo,
    seen: Seen,
    path: web::Path<MessageId>,
    _: Query<NoQuery>,
) -> Result<HttpResponse, ApiError> {
    let id = path.into_inner();
    let (actor, team) = (caller.actor(&request), caller.team().id);
    let deleted = app.write(move |tx| {
        let before = messages::hold(tx, &actor, team, id)?;
        seen.is(|| message::tag(&before))?;
        messages::delete(tx, &actor, team, id)
    });
    deleted.await?;
    Ok(HttpResponse::NoContent().finish())
}
