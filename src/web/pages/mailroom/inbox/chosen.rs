//! Actions on the messages selected in the list, or on the open one. The toast offers to undo them.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use askama::Template;

use super::{Filters, Found, load};
use crate::domain::Tx;
use crate::domain::actor::Actor;
use crate::domain::mailroom::chosen;
use crate::domain::mailroom::contacts::{ContactId, ContactState};
use crate::domain::mailroom::messages::{self, MessageId};
use crate::domain::people::teams::TeamId;
use crate::web::htmx::Htmx;
use crate::web::pages::form::Repeating;
use crate::web::pages::layout::Unread;
use crate::web::pages::list::ListQuery;
use crate::web::pages::{Answer, Confirmation, Member, Notice, PageError, Undo, html, see_other_to_undo};
use crate::web::paths;

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Read,
    Unread,
    Archive,
    /// Moves back to the inbox.
    Inbox,
    Block,
    Unblock,
    /// Asks for confirmation.
    Delete,
    Deleted,
}

#[derive(serde::Deserialize)]
pub struct Asked {
    #[serde(rename = "do")]
    action: Action,
    #[serde(default)]
    id: Vec<String>,
    /// The contacts to unblock, by the state they return to.
    #[serde(default)]
    unset: Vec<String>,
    #[serde(default)]
    allowed: Vec<String>,
    /// The URL of the list.
    #[serde(default)]
    back: String,
}

/// The result of an action, and how to undo it.
pub struct Toast {
    pub text: String,
    pub undo: Option<Undo>,
}

impl Asked {
    /// # Errors
    /// `NotFound` if one is not an id.
    fn ids(&self) -> Result<Vec<MessageId>, PageError> {
        let ids = self.id.iter().map(|id| MessageId::parse(id));
        ids.collect::<Option<_>>().ok_or_else(PageError::not_found)
    }

    fn contacts(&self) -> Result<Vec<(ContactId, ContactState)>, PageError> {
        let unset = self.unset.iter().map(|id| (id, ContactState::Unset));
        let allowed = self.allowed.iter().map(|id| (id, ContactState::Allowed));
        let contacts = unset.chain(allowed).map(|(id, state)| Some((ContactId::parse(id)?, state)));
        contacts.collect::<Option<_>>().ok_or_else(PageError::not_found)
    }

    fn list(&self) -> ListQuery<Filters> {
        ListQuery::at(&self.back)
    }
}

pub async fn act(
    member: Member,
    htmx: Htmx,
    request: HttpRequest,
    Repeating(asked): Repeating<Asked>,
) -> Answer {
    let (action, ids, contacts) = (asked.action, asked.ids()?, asked.contacts()?);
    let is_open_message = asked.id.iter().any(|id| is_shown(&request, id));
    if asked.id.is_empty() && asked.action != Action::Unblock {
        return answer(
            &member,
            htmx,
            asked,
            Notice::NothingChosen,
            Toast::plain("Select a message first."),
            false,
        )
        .await;
    }
    if action == Action::Delete {
        return ask_delete(&member, htmx, asked);
    }
    let done = member.write(move |tx, actor, team| perform(tx, actor, team, action, (&ids, &contacts)));
    let (notice, toast) = done.await?;
    answer(&member, htmx, asked, notice, toast, is_open_message && action != Action::Read).await
}

/// Whether the browser shows this message, by the URL that htmx sends.
fn is_shown(request: &HttpRequest, id: &str) -> bool {
    let address = request.headers().get("hx-current-url").and_then(|value| value.to_str().ok());
    let path = address.and_then(|address| address.split('?').next()).unwrap_or_default();
    path.ends_with(&paths::MESSAGE.of(id))
}

fn perform(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    action: Action,
    (ids, contacts): (&[MessageId], &[(ContactId, ContactState)]),
) -> crate::domain::Result<(Notice, Toast)> {
    Ok(match action {
        Action::Read => {
            let changed = chosen::mark(tx, actor, team, ids, true)?;
            (Notice::MessagesRead, Toast::of(&changed, "marked as read", "unread"))
        }
        Action::Unread => {
            let changed = chosen::mark(tx, actor, team, ids, false)?;
            (Notice::MessageUnread, Toast::of(&changed, "marked as unread", "read"))
        }
        Action::Archive => {
            let changed = chosen::file(tx, actor, team, ids, true)?;
            (Notice::MessagesArchived, Toast::of(&changed, "archived", "inbox"))
        }
        Action::Inbox => {
            let changed = chosen::file(tx, actor, team, ids, false)?;
            (Notice::MessagesMoved, Toast::of(&changed, "moved to Inbox", "archive"))
        }
        Action::Block => (Notice::SendersBlocked, blocked(chosen::block_senders(tx, actor, team, ids)?)),
        Action::Unblock => {
            let count = chosen::unblock(tx, actor, team, contacts)?;
            (
                Notice::SendersUnblocked,
                Toast::plain(format!("{} unblocked.", counted(count, "Sender", "senders"))),
            )
        }
        Action::Delete | Action::Deleted => {
            let count = chosen::delete(tx, actor, team, ids)?;
            (
                Notice::MessageDeleted,
                Toast::plain(format!("{} deleted.", counted(count, "Message", "messages"))),
            )
        }
    })
}

fn blocked(contacts: Vec<(ContactId, ContactState)>) -> Toast {
    if contacts.is_empty() {
        return Toast::plain("No sender to block.");
    }
    let text = format!("{} blocked.", counted(contacts.len(), "Sender", "senders"));
    let field = |(id, state): (ContactId, ContactState)| match state {
        ContactState::Allowed => ("allowed", id.to_string()),
        _ => ("unset", id.to_string()),
    };
    Toast { text, undo: Some(Undo::new("unblock", contacts.into_iter().map(field))) }
}

/// `Message`, `3 messages`.
fn counted(count: usize, one: &str, many: &str) -> String {
    if count == 1 { one.to_owned() } else { format!("{count} {many}") }
}

impl Toast {
    fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), undo: None }
    }

    fn of(changed: &[MessageId], what: &str, undo: &'static str) -> Self {
        if changed.is_empty() {
            return Self::plain("No changes to save.");
        }
        let text = format!("{} {what}.", counted(changed.len(), "Message", "messages"));
        Self { text, undo: Some(Undo::new(undo, changed.iter().map(|id| ("id", id.to_string())))) }
    }
}

/// Renders the updated list and the toast; or without htmx, redirects with the notice.
async fn answer(
    member: &Member,
    htmx: Htmx,
    asked: Asked,
    notice: Notice,
    toast: Toast,
    closes: bool,
) -> Answer {
    let query = asked.list();
    if !htmx.0 {
        let undo = toast.undo.map(|undo| undo.back_to(query.here()));
        return Ok(see_other_to_undo(query.here(), notice, undo));
    }
    let unread = member.read(messages::unread_capped).await?;
    let (list, _) = load(member, query).await?;
    let found = Found { toast: Some(toast), closes, ..Found::of(&list, Unread(unread)) };
    let mut answer = html(StatusCode::OK, &found)?;
    if closes {
        let address = HeaderValue::try_from(&*list.address).map_err(PageError::fault)?;
        answer.headers_mut().insert(HeaderName::from_static("hx-push-url"), address);
    }
    Ok(answer)
}

#[derive(Template)]
#[template(path = "mailroom/_delete_chosen.html")]
struct DeleteChosen<'a> {
    question: &'a Confirmation,
    ids: &'a [String],
    back: String,
}

fn ask_delete(member: &Member, htmx: Htmx, asked: Asked) -> Answer {
    let title = if asked.id.len() == 1 { "Delete message" } else { "Delete messages" };
    let mut question = Confirmation::new(member, "inbox", title, paths::INBOX_CHOSEN.0.to_owned());
    let count = asked.id.len();
    question.on_page("Inbox", format!("Delete {}?", counted(count, "this message", "messages")));
    question.explain(
        "This permanently deletes the selected messages, with attachments, for everyone on the team.",
    );
    question.explain("This can't be undone. Activity records who deleted it and when.");
    let query = asked.list();
    let dialog = DeleteChosen { question: &question, ids: &asked.id, back: query.here() };
    let mut answer = question.ask_in(&dialog, htmx, member, StatusCode::OK)?;
    for (name, value) in [("hx-retarget", "#dialog"), ("hx-reswap", "innerHTML")] {
        answer.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    Ok(answer)
}
