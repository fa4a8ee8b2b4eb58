//! Incoming mail. [`super::downloads`] has the raw messages and attachments.

use actix_web::http::header::EntityTag;
use actix_web::web;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::openapi::Object;
use utoipa::{IntoParams, ToSchema};

use super::ApiError;
use super::caller::ApiCaller;
use super::downloads;
use super::etag::{self, IfNoneMatch};
use super::field_errors::FieldErrors;
use super::json::{Json, NoQuery, Query, rendered};
use super::lists::{Filters, Listed, Listing};
use super::message::{self, AliasName, Message, MessageRow};
use super::openapi::words;
use super::resource::{Context, Find, Form, Lock, One, Resource};
use super::response::{ApiResult, Done, Prepared};
use super::route::{At, Tag, at, op};
use crate::app::App;
use crate::domain::access::scopes::Scope;
use crate::domain::lists::Page;
use crate::domain::mailroom::aliases::{self, AliasId};
use crate::domain::mailroom::contacts::ContactId;
use crate::domain::mailroom::conversations::ConversationId;
use crate::domain::mailroom::messages::{self, Filter, Folder, MessageId, MessageState};
use crate::domain::search::Search;
use crate::domain::{Error, FieldError, Timestamp};

const MESSAGES: Tag = Tag {
    name: "Messages",
    text: "Mail your aliases received. List and filter it, read its text and attachments, mark it as read, archive it, and delete it.",
};

pub fn routes() -> Vec<At> {
    vec![
        at(MessageMark::PATH, &MESSAGES).get(op("listMessages", Scope::MessagesRead, list).about(
            "List messages",
            "Newest first, with previews. Pages load equally fast in lists of any length. With `q`, a page can be short and still have a next one.",
        )),
        at("/messages/{id}", &MESSAGES)
            .get(op("getMessage", Scope::MessagesRead, show).about(
                "Get a message",
                "Includes the text, the sanitized HTML (without scripts and remote content), headers, attachments, and the results of sender verification. Does not mark the message as read.",
            ))
            .patch(op("changeMessage", Scope::MessagesWrite, change).about(
                "Change a message",
                "Mark it as read or unread, archive it, or move it back to the inbox. The response does not include its content, which requires `messages:read`.",
            ).may(409, "Blocked mail cannot be archived or moved to the inbox."))
            .delete(
                op("deleteMessage", Scope::MessagesWrite, delete)
                    .about("Delete a message", "Permanently deletes the message and its attachments.")
                    .may(204, "The message is deleted."),
            ),
        at("/messages/{id}/raw", &MESSAGES).get(
            op("downloadMessage", Scope::MessagesRead, downloads::raw)
                .about(
                    "Download a message",
                    "Byte for byte as it arrived, including headers; only the beginning if the message is `truncated`.",
                )
                .may(200, "The message.")
                .file("message/rfc822", RAW),
        ),
        at("/messages/{id}/attachments/{attachment}", &MESSAGES).get(
            op("downloadAttachment", Scope::MessagesRead, downloads::attachment)
                .about(
                    "Download an attachment",
                    "Unchanged, as the sender attached it. The content type is the sender's, or `application/octet-stream` for types that browsers execute, like HTML and SVG.",
                )
                .may(200, "The file.")
                .file("*/*", "(the content of the file)"),
        ),
    ]
}

const RAW: &str = "From: Bob <bob@customer.test>\nSubject: Where is my order?\n\nHello, I ordered a week ago and nothing has come.\n";

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MessageQuery {
    /// Only messages with all of these words in subject, sender or text. The last word may be incomplete.
    #[param(max_length = 254)]
    q: Option<String>,
    /// Only messages to this alias, by its id.
    alias: Option<String>,
    /// Only messages from this contact, by its id.
    contact: Option<String>,
    /// Only messages in this conversation, by its id.
    conversation: Option<String>,
    #[param(schema_with = states)]
    state: Option<String>,
    #[param(schema_with = folders)]
    folder: Option<String>,
    /// Only messages received at this time or later, like `2026-03-01T00:00:00Z`.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Only messages received before this time.
    #[param(format = DateTime)]
    until: Option<String>,
    /// If `true`, only unread messages in the inbox.
    #[serde(default)]
    #[param(default = false)]
    unread: bool,
}

impl Filters for MessageQuery {
    type Filter = (Filter, Search);
    const HAS_OFFSET: bool = false;

    fn parse(&self, errors: &mut FieldErrors) -> Option<(Filter, Search)> {
        let filter = Filter {
            alias: errors.take(named("alias", self.alias.as_deref(), AliasId::parse)).flatten(),
            contact: errors.take(named("contact", self.contact.as_deref(), ContactId::parse)).flatten(),
            conversation: errors
                .take(named("conversation", self.conversation.as_deref(), ConversationId::parse))
                .flatten(),
            state: errors.take(self.state.as_deref().map(parse_state).transpose()).flatten(),
            folder: errors.take(self.folder.as_deref().map(parse_folder).transpose()).flatten(),
            unread: self.unread,
            from: errors.take(moment("since", self.since.as_deref())).flatten(),
            until: errors.take(moment("until", self.until.as_deref())).flatten(),
        };
        Some((filter, errors.take(Search::parse(self.q.as_deref().unwrap_or_default()))?))
    }
}

fn named<Id>(
    field: &'static str,
    text: Option<&str>,
    parse: impl Fn(&str) -> Option<Id>,
) -> Result<Option<Id>, FieldError> {
    let article = if field == "alias" { "an" } else { "a" };
    let error = || FieldError::new(field, format!("This is not the id of {article} {field}."));
    text.map(|text| parse(text).ok_or_else(error)).transpose()
}

fn states() -> Object {
    let states = words::one_of(MessageState::ALL.iter().map(|state| state.as_str()));
    states.description(Some("Only those in this state.")).build()
}

fn parse_state(text: &str) -> Result<MessageState, FieldError> {
    let known = || MessageState::ALL.iter().map(|state| state.as_str()).collect::<Vec<_>>().join(", ");
    MessageState::parse(text)
        .ok_or_else(|| FieldError::new("state", format!("The state must be one of {}.", known())))
}

fn folders() -> Object {
    let folders = words::one_of(Folder::ALL.iter().map(|folder| folder.as_str()));
    folders.description(Some("Only those in this folder.")).build()
}

fn next_folder() -> Object {
    words::one_of_or_null(["inbox", "archive"].into_iter()).examples(["archive"]).build()
}

fn parse_folder(text: &str) -> Result<Folder, FieldError> {
    Folder::parse(text)
        .ok_or_else(|| FieldError::new("folder", "The folder must be one of inbox, archive, blocked."))
}

fn moment(field: &'static str, text: Option<&str>) -> Result<Option<Timestamp>, FieldError> {
    let parse = |text| OffsetDateTime::parse(text, &Rfc3339).map(Timestamp::from);
    let message = "Use an RFC 3339 time, like 2026-03-01T00:00:00Z. Encode “+” as %2B.";
    text.map(parse).transpose().map_err(|_| FieldError::new(field, message))
}

/// The fields to change; others stay unchanged.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageChange {
    /// Whether it is read.
    #[schema(example = true)]
    read: Option<bool>,
    /// `archive`, or `inbox` to move it back. Mail moves to `blocked` when its contact is blocked.
    #[schema(schema_with = next_folder)]
    folder: Option<String>,
}

/// A changed message.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageMark {
    #[schema(value_type = String, example = "msg_019f2a4c1d877e02b6f03a9d1c55e7af")]
    id: MessageId,
    /// When it was first read.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-02T16:31:40.500000Z")]
    read_at: Option<Timestamp>,
    #[schema(value_type = String, example = "archive")]
    folder: Folder,
}

impl Form for MessageMark {
    type Row = messages::Message;
    type Id = MessageId;

    fn of(message: messages::Message, _: &Context) -> Self {
        Self { id: message.row.id, read_at: message.row.read_at, folder: message.row.folder }
    }
}

impl Resource for MessageMark {
    const PATH: &'static str = "/messages";
    const FIND: Find<Self> = messages::find;
    const LOCK: Lock<Self> = messages::lock;

    fn id(message: &messages::Message) -> MessageId {
        message.row.id
    }

    fn own_tag(message: &messages::Message) -> Option<EntityTag> {
        Some(message::tag(message))
    }
}

pub async fn list(listed: Listed<MessageRow, MessageQuery>) -> Listing<MessageRow> {
    listed
        .page(|tx, team, (filter, words), window| {
            let Page { rows, next } = messages::list_or_search(tx, team, words, filter, window)?;
            // Search results are not counted, because that would take as long as finding all of them.
            let total = words.as_str().is_empty().then(|| messages::count(tx, team, filter)).transpose()?;
            let ids: Vec<AliasId> = rows.iter().map(|message| message.alias_id).collect();
            let aliases = aliases::find_all(tx, team, &ids)?;
            let alias = |id| aliases.iter().find(|alias| alias.id == id).map(AliasName::from);
            let rows = rows.into_iter().map(|message| {
                let alias = alias(message.alias_id);
                (message, alias)
            });
            Ok((Page { rows: rows.collect(), next }, total))
        })
        .await
}

/// The tag depends only on the row, so an unchanged message is not read from disk.
pub async fn show(
    app: web::Data<App>,
    caller: ApiCaller,
    path: web::Path<MessageId>,
    _: Query<NoQuery>,
    known: IfNoneMatch,
) -> Result<Prepared<Message>, ApiError> {
    let (id, team) = (path.into_inner(), caller.team().id);
    let read = app.read(move |tx| {
        let tag = message::tag(&messages::find(tx, team, id)?);
        if known.has(&tag) {
            return Ok((tag, None));
        }
        Ok((tag, Some(Message::of(messages::open(tx, team, id)?))))
    });
    let (tag, message) = read.await?;
    let Some(message) = message else { return Ok(etag::not_modified(&tag).into()) };
    let mut response = rendered(serde_json::to_vec(&message).map_err(ApiError::server_error)?.into());
    etag::insert(&mut response, &tag);
    Ok(response.into())
}

pub async fn change(one: One<MessageMark>, Json(change): Json<MessageChange>) -> ApiResult<MessageMark> {
    let MessageChange { read, folder } = change;
    one.change(move |tx, actor, team, before| {
        let folder =
            folder.as_deref().map(parse_folder).transpose().map_err(|error| Error::Invalid(vec![error]))?;
        let mut message = before;
        if let Some(folder) = folder {
            message = messages::file(tx, actor, team, message.id, folder)?;
        }
        match read {
            Some(read) => messages::mark(tx, actor, team, message.id, read),
            None => Ok(message),
        }
    })
    .await
}

pub async fn delete(one: One<MessageMark>) -> Done {
    one.delete(|tx, actor, team, message| messages::delete(tx, actor, team, message.row.id)).await
}
