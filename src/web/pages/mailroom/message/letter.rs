//! A message on its page: its sender and their verification, its content, and its attachments.

use super::text::{self, Finding};
use super::{View, subject};
use crate::domain::mailroom::authentication::Authentication;
use crate::domain::mailroom::contacts::ContactState;
use crate::domain::mailroom::html::has_remote_pictures;
use crate::domain::mailroom::messages::{Attachment, Folder, MessageId, MessageState, Neighbors, Opened};
use crate::domain::mailroom::parse::Mailbox;
use crate::web::pages::format::{self, When};
use crate::web::pages::list::ListQuery;
use crate::web::pages::mailroom::inbox::Filters;
use crate::web::pages::{Badge, Member};
use crate::web::paths;

/// Larger images have no preview, because the browser would load them in full.
const MAX_PREVIEW: i64 = 2 << 20;

/// The number of mailboxes shown before a list is folded.
const SHOWN: usize = 5;

const PREVIEWED: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

pub struct Letter {
    pub id: String,
    pub team: String,
    pub subject: String,
    pub from: String,
    pub from_address: String,
    /// Empty if the contact was deleted.
    pub contact: String,
    pub is_blocked: bool,
    /// A name that contains someone else's address. It is not shown as the sender's name.
    pub misleading_name: String,
    /// The other authors.
    pub with: People,
    pub to: People,
    pub cc: People,
    pub rcpt: String,
    /// The alias's id and address. The id is empty if the alias was deleted.
    pub alias: (String, String),
    pub at: When,
    /// `05:43`, `Tue 05:43`.
    pub date: String,
    pub size: String,
    pub truncated: bool,
    pub folder: Folder,
    pub badge: Option<Badge>,
    pub reason: String,
    pub sender: Sender,
    pub body: Body,
    pub attachments: Vec<File>,
    pub headers: Vec<(String, String)>,
    /// The URLs of the list, and of the newer and older message, which can be empty.
    pub back: String,
    pub newer: String,
    pub older: String,
}

/// A list of mailboxes. Long lists are folded.
pub struct People {
    pub shown: String,
    pub folded: String,
    pub count_folded: usize,
}

impl People {
    fn of(list: Vec<Mailbox>) -> Self {
        let all: Vec<_> = list.iter().map(text::mailbox).collect();
        let shown = if all.len() > SHOWN + 1 { SHOWN } else { all.len() };
        let (shown, folded) = all.split_at(shown);
        Self { shown: shown.join(", "), folded: folded.join(", "), count_folded: folded.len() }
    }
}

/// The verification of the sender.
pub struct Sender {
    pub tone: &'static str,
    pub summary: String,
    pub findings: Vec<Finding>,
}

pub struct Body {
    pub text: String,
    pub has_html: bool,
    pub is_html: bool,
    /// Whether remote images were blocked.
    pub lacks_images: bool,
    /// The URLs of the document in the frame, and of the message in other views.
    pub frame: String,
    pub as_html: String,
    pub as_text: String,
    pub with_images: String,
}

pub struct File {
    pub id: String,
    pub name: String,
    pub kind: String,
    pub icon: &'static str,
    pub size: String,
    pub has_preview: bool,
}

/// Returns `None` for delivered mail.
fn state_badge(state: MessageState) -> Option<Badge> {
    match state {
        MessageState::Denied => Some(("warning", "Blocked")),
        MessageState::Rejected => Some(("danger", "Rejected")),
        _ => None,
    }
}

impl Letter {
    pub fn of(member: &Member, opened: Opened, asked: &ListQuery<Filters>, view: &View) -> Self {
        let Opened { message, alias, contact, to, cc, .. } = opened;
        let is_blocked = contact.as_ref().is_some_and(|contact| contact.state == ContactState::Blocked);
        let alias_id = if alias.deleted_at.is_none() { alias.id.to_string() } else { String::new() };
        let row = message.row;
        let (from, from_address) =
            (row.from_name.unwrap_or_default(), row.from_address.or(row.envelope_from).unwrap_or_default());
        let is_misleading = text::names_another_domain(&from, &from_address);
        let (from, misleading_name) =
            if is_misleading { (String::new(), from) } else { (from, String::new()) };
        let others = text::authors(&opened.headers).into_iter().skip(1).collect();
        Self {
            team: member.team.id.to_string(),
            subject: subject(row.subject),
            from,
            from_address,
            misleading_name,
            with: People::of(others),
            contact: contact.map(|contact| contact.id.to_string()).unwrap_or_default(),
            is_blocked,
            to: People::of(to),
            cc: People::of(cc),
            rcpt: row.rcpt,
            alias: (alias_id, alias.address()),
            at: When(row.received_at),
            date: format::short_with_clock(row.received_at, member.request.now),
            size: text::size(row.size),
            truncated: row.kept.is_some(),
            folder: row.folder,
            badge: state_badge(row.state),
            reason: row.reason,
            sender: Sender::of(&opened.authentication),
            body: Body::of(row.id, opened.text, opened.html.as_deref(), asked, view),
            attachments: opened.attachments.into_iter().map(File::of).collect(),
            headers: opened.headers,
            back: asked.address(&asked.before),
            newer: String::new(),
            older: String::new(),
            id: row.id.to_string(),
        }
    }

    /// Sets the neighbors in the list.
    pub fn between(self, Neighbors { newer, older }: Neighbors, asked: &ListQuery<Filters>) -> Self {
        let address = |id: Option<MessageId>| id.map(|id| asked.beside(&paths::MESSAGE.of(id), &[]));
        Self { newer: address(newer).unwrap_or_default(), older: address(older).unwrap_or_default(), ..self }
    }

    pub fn is_archived(&self) -> bool {
        self.folder == Folder::Archive
    }

    pub fn is_in_inbox(&self) -> bool {
        self.folder == Folder::Inbox
    }
}

impl Sender {
    fn of(known: &Authentication) -> Self {
        let (tone, summary) = text::summary(known);
        Self { tone, summary, findings: text::findings(known) }
    }
}

impl Body {
    fn of(id: MessageId, text: String, html: Option<&str>, asked: &ListQuery<Filters>, view: &View) -> Self {
        let is_html = view.body != "text" && html.is_some();
        let has_images = !view.images.is_empty();
        let as_shown = |more: &[(&str, &str)]| asked.beside(&paths::MESSAGE.of(id), more);
        let images = if has_images { "on" } else { "" };
        Self {
            text,
            has_html: html.is_some(),
            is_html,
            lacks_images: is_html && !has_images && html.is_some_and(has_remote_pictures),
            frame: paths::with_query(&paths::MESSAGE_HTML.of(id), &[("images", images)]),
            as_html: as_shown(&[]),
            as_text: as_shown(&[("body", "text")]),
            with_images: as_shown(&[("images", "on")]),
        }
    }

    /// Estimates the height of the frame, until the script measures it.
    pub fn height(&self) -> &'static str {
        match self.text.lines().map(|line| 1 + line.len() / 90).sum::<usize>() {
            0..=8 => "low",
            9..=24 => "middle",
            _ => "high",
        }
    }
}

impl File {
    fn of(attachment: Attachment) -> Self {
        let essence = attachment.content_type.split(';').next().unwrap_or_default().trim().to_lowercase();
        let name = attachment.name.filter(|name| !name.is_empty());
        let (kind, icon) = text::kind(&essence, name.as_deref().unwrap_or_default());
        Self {
            id: attachment.id.to_string(),
            name: name.unwrap_or_else(|| "Unnamed file".into()),
            kind,
            icon,
            size: text::size(attachment.size),
            has_preview: PREVIEWED.contains(&&*essence) && attachment.size <= MAX_PREVIEW,
        }
    }
}
