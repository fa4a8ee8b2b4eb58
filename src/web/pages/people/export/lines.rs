//! Exports the rows of a team as JSON Lines, a page at a time, in the API's format if it has one.

use serde::Serialize;
use serde_json::Value;

use crate::app::Tx;
use crate::domain::access::activity::{self, Record};
use crate::domain::access::tokens;
use crate::domain::lists::{Page, Window};
use crate::domain::mailroom::{aliases, contacts, mail_domains, messages};
use crate::domain::people::teams::TeamId;
use crate::domain::people::{invitations, members};
use crate::domain::{Result, Timestamp};
use crate::web::api::forms::{self, Context, Form};

/// Rows per file.
const ROWS: i64 = 2000;

/// A list of rows, read page by page.
pub trait Lines: Send {
    /// Returns the next lines, and `None` after the last.
    fn next(&mut self, tx: &mut Tx<'_>, team: TeamId, context: &Context) -> Result<Option<Vec<u8>>>;
}

pub fn all() -> Vec<(&'static str, Box<dyn Lines>)> {
    let whole = |list| -> Box<dyn Lines> { Box::new(Whole { list: Some(list) }) };
    vec![
        ("people", whole(people)),
        ("invitations", whole(all_invitations)),
        (
            "tokens",
            Pages::boxed(
                |tx, team, window| tokens::list(tx, team, &tokens::Filter::default(), window),
                token,
            ),
        ),
        ("domains", whole(domains)),
        ("aliases", Pages::boxed(aliases::list_ever, alias)),
        (
            "contacts",
            Pages::boxed(
                |tx, team, window| contacts::list(tx, team, &contacts::Filter::default(), window),
                contact,
            ),
        ),
        (
            "activity",
            Pages::boxed(
                |tx, team, window| activity::list(tx, team, &activity::Filter::default(), window),
                record,
            ),
        ),
    ]
}

type List<R, Id> = fn(&mut Tx<'_>, TeamId, Window<Id>) -> Result<Page<R, Id>>;

struct Pages<R, Id> {
    /// `None` after the last page.
    next: Option<Option<Id>>,
    list: List<R, Id>,
    line: fn(R, &Context) -> Value,
}

impl<R: 'static, Id: Send + 'static> Pages<R, Id> {
    fn boxed(list: List<R, Id>, line: fn(R, &Context) -> Value) -> Box<dyn Lines> {
        Box::new(Self { next: Some(None), list, line })
    }
}

impl<R, Id: Send> Lines for Pages<R, Id> {
    fn next(&mut self, tx: &mut Tx<'_>, team: TeamId, context: &Context) -> Result<Option<Vec<u8>>> {
        let Some(before) = self.next.take() else { return Ok(None) };
        let page = (self.list)(tx, team, Window::below(before, ROWS))?;
        self.next = page.next.map(Some);
        Ok(Some(text(page.rows.into_iter().map(|row| (self.line)(row, context)))))
    }
}

type WholeList = fn(&mut Tx<'_>, TeamId, &Context) -> Result<Vec<Value>>;

/// For rows of which a team has few.
struct Whole {
    list: Option<WholeList>,
}

impl Lines for Whole {
    fn next(&mut self, tx: &mut Tx<'_>, team: TeamId, context: &Context) -> Result<Option<Vec<u8>>> {
        let Some(list) = self.list.take() else { return Ok(None) };
        Ok(Some(text(list(tx, team, context)?.into_iter())))
    }
}

pub fn text(rows: impl Iterator<Item = Value>) -> Vec<u8> {
    rows.fold(Vec::new(), |mut text, row| {
        text.extend_from_slice(row.to_string().as_bytes());
        text.push(b'\n');
        text
    })
}

pub fn json(form: impl Serialize) -> Value {
    serde_json::to_value(form).unwrap_or_default()
}

/// Adds a field that the API's format lacks.
fn with(form: impl Serialize, name: &str, value: impl Serialize) -> Value {
    let mut form = json(form);
    form[name] = json(value);
    form
}

fn people(tx: &mut Tx<'_>, team: TeamId, context: &Context) -> Result<Vec<Value>> {
    let people = members::list(tx, team)?.into_iter();
    Ok(people.map(|person| json(forms::Person::of(person, context))).collect())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invitation {
    email: String,
    role: String,
    invited_by: String,
    created_at: Timestamp,
    expires_at: Timestamp,
    accepted_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

fn all_invitations(tx: &mut Tx<'_>, team: TeamId, _: &Context) -> Result<Vec<Value>> {
    let all = invitations::list_ever(tx, team)?.into_iter().map(|row| Invitation {
        email: row.email,
        role: row.role.as_str().to_owned(),
        invited_by: row.invited_by,
        created_at: row.created_at,
        expires_at: row.expires_at,
        accepted_at: row.accepted_at,
        revoked_at: row.revoked_at,
    });
    Ok(all.map(json).collect())
}

fn token(token: tokens::Token, context: &Context) -> Value {
    json(forms::ApiKey::of(token, context))
}

fn domains(tx: &mut Tx<'_>, team: TeamId, context: &Context) -> Result<Vec<Value>> {
    let domains = mail_domains::list_ever(tx, team)?.into_iter().map(|domain| {
        let removed_at = domain.removed_at;
        with(forms::Domain::of(domain, context), "removedAt", removed_at)
    });
    Ok(domains.collect())
}

fn alias(alias: aliases::Alias, context: &Context) -> Value {
    let deleted_at = alias.deleted_at;
    with(forms::Alias::of(alias, context), "deletedAt", deleted_at)
}

fn contact(contact: contacts::Contact, context: &Context) -> Value {
    json(forms::Contact::of(contact, context))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Activity {
    id: String,
    at: Timestamp,
    kind: String,
    actor: String,
    actor_label: Option<String>,
    person_id: Option<String>,
    token_id: Option<String>,
    subject: Option<String>,
    method: Option<String>,
    path: Option<String>,
    status: Option<i16>,
    duration_us: Option<i32>,
    ip: Option<String>,
    user_agent: Option<String>,
    request_id: Option<String>,
    detail: Option<Value>,
    count: i32,
}

fn record(record: Record, _: &Context) -> Value {
    let request = record.request();
    json(Activity {
        id: record.id.to_string(),
        at: record.at,
        kind: record.kind.to_string(),
        actor: record.actor_kind.to_string(),
        actor_label: record.actor_label,
        person_id: record.person_id.map(|id| id.to_string()),
        token_id: record.token_id.map(|id| id.to_string()),
        subject: record.subject,
        method: record.method,
        path: record.route,
        status: record.status,
        duration_us: record.duration_us,
        ip: record.ip,
        user_agent: record.agent,
        request_id: request.map(|id| id.to_string()),
        detail: record.detail.and_then(|text| serde_json::from_str(&text).ok()),
        count: record.count,
    })
}

/// Messages, with the names of their files.
pub fn index(
    tx: &mut Tx<'_>,
    team: TeamId,
    page: &[messages::Message],
    context: &Context,
) -> Result<Vec<u8>> {
    let mut ids: Vec<_> = page.iter().map(|message| message.alias_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let aliases = aliases::find_all(tx, team, &ids)?;
    let lines = page.iter().map(|message| {
        let alias = aliases.iter().find(|alias| alias.id == message.alias_id);
        let form = forms::MessageRow::of((message.clone(), alias.map(Into::into)), context);
        with(form, "file", file_of(message.id))
    });
    Ok(text(lines))
}

pub fn file_of(message: messages::MessageId) -> String {
    format!("messages/{message}.eml")
}
