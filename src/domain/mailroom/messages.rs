use super::aliases::Alias;
use super::authentication::Authentication;
use super::contacts::Contact;
use super::parse::{self, Mailbox, Recipients};
use super::words;
use crate::domain::access::activity::{self, ActivityKind, Event};
use crate::domain::actor::Actor;
use crate::domain::lists::{Capped, Page, Window};
use crate::domain::nouns::team_noun;
use crate::domain::search::Search;
use crate::domain::{Error, Result};
use crate::store::Tx;
use crate::store::ids::TeamId;
use crate::store::mailroom::{
    contents, conversations as conversation_rows, mail_usage, messages as rows, search,
};

pub use crate::store::columns::{Folder, MessageState};
pub(crate) use crate::store::ids::AttachmentId;
pub use crate::store::ids::MessageId;
pub(crate) use contents::Attachment;
pub use mail_usage::MailUsage;
pub(crate) use rows::Message;
pub use rows::{Filter, Tallies};

const BATCH: i64 = 200;
const MAX_BATCHES: usize = 25;

#[derive(Clone, Debug)]
pub struct Opened {
    pub message: Message,
    /// May have been deleted since.
    pub alias: Alias,
    pub contact: Option<Contact>,
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
    pub text: String,
    /// Unsafe, as it was sent: show it only through [`super::html::safe`].
    pub html: Option<String>,
    pub headers: Vec<(String, String)>,
    pub attachments: Vec<Attachment>,
    pub authentication: Authentication,
}

team_noun! { Message, MessageId: find, list, count; Member: lock }

pub(crate) fn list_or_search(
    tx: &mut Tx<'_>,
    team: TeamId,
    words: &Search,
    filter: &Filter,
    window: Window<MessageId>,
) -> Result<Page<Message, MessageId>> {
    match words.as_str() {
        "" => list(tx, team, filter, window),
        words => search(tx, team, words, filter, window.before, window.limit),
    }
}

/// Finds messages with all words of `query` in subject, sender or text, newest first. The last word can be
/// a prefix. A query without words finds nothing. If the filter excludes most matches, a page can be short
/// and still have a next one.
pub fn search(
    tx: &mut Tx<'_>,
    team: TeamId,
    query: &str,
    filter: &Filter,
    before: Option<MessageId>,
    limit: i64,
) -> Result<Page<Message, MessageId>> {
    let words = words::of_query(team, query);
    let mut place = match before {
        Some(id) => search::place_of(tx, team, id)?.or(Some(0)),
        None => None,
    };
    let (mut found, mut step) = (Vec::new(), limit + 1);
    for _ in 0..MAX_BATCHES {
        let places = match words.is_empty() {
            true => Vec::new(),
            false => search::places(tx, team, &words, place, step)?,
        };
        found.extend(search::at(tx, team, filter, &places)?);
        let more = places.len() as i64 == step;
        if found.len() as i64 > limit || !more {
            return Ok(Page::of(found, limit, |message| message.id));
        }
        (place, step) = (places.last().copied(), BATCH.max(limit + 1));
    }
    let next = place.map(|place| search::id_at(tx, team, place)).transpose()?.flatten();
    Ok(Page { rows: found, next })
}

pub fn unread(tx: &mut Tx<'_>, team: TeamId) -> Result<Capped> {
    count(tx, team, &Filter { unread: true, ..Filter::default() })
}

/// Larger counts are shown as `999+`.
pub(crate) const MAX_UNREAD: i64 = 999;

/// Counts the messages of the inbox's tabs, up to one more than [`MAX_UNREAD`].
pub fn tallies(tx: &mut Tx<'_>, team: TeamId) -> Result<Tallies> {
    Ok(rows::tallies(tx, team, MAX_UNREAD + 1)?)
}

/// The next newer and the next older message of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Neighbors {
    pub newer: Option<MessageId>,
    pub older: Option<MessageId>,
}

/// Finds the neighbors of a message, which need not be in the list itself. Covers only the newest results of
/// a search.
pub fn neighbors(
    tx: &mut Tx<'_>,
    team: TeamId,
    words: &Search,
    filter: &Filter,
    id: MessageId,
) -> Result<Neighbors> {
    if words.as_str().is_empty() {
        let (newer, older) = rows::neighbors(tx, team, filter, id)?;
        return Ok(Neighbors { newer, older });
    }
    let found = search(tx, team, words.as_str(), filter, None, BATCH)?.rows;
    let newer = found.iter().rfind(|message| message.id > id).map(|message| message.id);
    let older = found.iter().find(|message| message.id < id).map(|message| message.id);
    Ok(Neighbors { newer, older })
}

/// Like [`unread`], but fast enough for every page: counts up to one more than [`MAX_UNREAD`].
pub(crate) fn unread_capped(tx: &mut Tx<'_>, team: TeamId) -> Result<i64> {
    let filter = Filter { unread: true, ..Filter::default() };
    Ok(rows::count(tx, team, &filter, MAX_UNREAD + 1)?)
}

pub fn usage(tx: &mut Tx<'_>, team: TeamId) -> Result<MailUsage> {
    Ok(mail_usage::find(tx, team)?)
}

pub fn open(tx: &mut Tx<'_>, team: TeamId, id: MessageId) -> Result<Opened> {
    let (message, content, alias, contact) = contents::open(tx, team, id)?.ok_or(Error::NotFound)?;
    let attachments = match message.attachments {
        0 => Vec::new(),
        _ => contents::attachments(tx, message.seq)?,
    };
    let headers: Vec<(String, String)> = serde_json::from_str(&content.headers).unwrap_or_default();
    let named = |field: &str| {
        let fields = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(field));
        fields.flat_map(|(_, value)| parse::mailboxes_in(value)).collect()
    };
    let stored = content.recipients.and_then(|stored| serde_json::from_str(&stored).ok());
    let Recipients { to, cc } = stored.unwrap_or_else(|| Recipients { to: named("To"), cc: named("Cc") });
    Ok(Opened {
        to,
        cc,
        authentication: serde_json::from_str(&content.authentication).unwrap_or_default(),
        text: content.text,
        html: content.html,
        headers,
        attachments,
        alias,
        contact,
        message,
    })
}

pub(crate) fn find_attachment(
    tx: &mut Tx<'_>,
    team: TeamId,
    message: MessageId,
    id: AttachmentId,
) -> Result<Attachment> {
    contents::attachment(tx, team, message, id)?.ok_or(Error::NotFound)
}

/// Marks a message as read or unread. A message that is already read keeps its time.
pub fn mark(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, id: MessageId, read: bool) -> Result<Message> {
    let message = lock(tx, actor, team, id)?;
    if message.read_at.is_some() != read {
        rows::set_read(tx, team, id, read.then_some(actor.now))?;
    }
    find(tx, team, id)
}

/// Archives a message, or moves it back to the inbox.
///
/// # Errors
/// `Conflict` on `folder` for blocked mail, or for moving mail there.
pub fn file(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, id: MessageId, folder: Folder) -> Result<Message> {
    let message = lock(tx, actor, team, id)?;
    if message.folder == Folder::Blocked || folder == Folder::Blocked {
        let sentence = "Mail is blocked and unblocked with its contact. Change the contact's state instead.";
        return Err(Error::conflict("folder", sentence));
    }
    if message.folder != folder {
        rows::set_folder(tx, team, &[id], folder)?;
    }
    find(tx, team, id)
}

pub fn delete(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, id: MessageId) -> Result<()> {
    let message = lock(tx, actor, team, id)?;
    delete_locked(tx, actor, team, message)
}

pub(super) fn delete_locked(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, message: Message) -> Result<()> {
    remove(tx, team, &message)?;
    let event = Event::of(ActivityKind::MessageDeleted)
        .subject(message.from_address.as_deref().unwrap_or("an unknown sender"))
        .detail("message", message.id.to_string())
        .detail("to", message.rcpt.as_str());
    activity::record(tx, actor, team, event)
}

/// Deletes a message without a record.
pub(in crate::domain) fn remove(tx: &mut Tx<'_>, team: TeamId, message: &Message) -> Result<()> {
    // Updated first, as deliveries do: otherwise the two could deadlock.
    mail_usage::add(tx, team, -message.usage())?;
    if !rows::delete(tx, message.seq)? {
        return Err(Error::NotFound);
    }
    contents::delete(tx, message.seq)?;
    search::delete(tx, message.seq)?;
    match message.conversation_id {
        Some(conversation) => Ok(conversation_rows::remove_message(tx, conversation)?),
        None => Ok(()),
    }
}
