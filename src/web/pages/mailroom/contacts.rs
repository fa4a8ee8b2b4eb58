//! The list of contacts, and how one is added by hand.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::contact;
use super::lines;
use crate::app::App;
use crate::domain::access::usage::Grouped;
use crate::domain::lists::{Capped, Page, Window};
use crate::domain::mailroom::contacts::{self, About, Contact, ContactId, ContactState, Filter};
use crate::domain::search::Search;
use crate::domain::{FieldError, Result};
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Member;
use crate::web::pages::layout::Layout;
use crate::web::pages::notice::Notice;
use crate::web::pages::when::When;
use crate::web::pages::{Fields, FormErrors, html, part_at, see_other_with};
use crate::web::paths;
use crate::web::route::{PageRoute, page};
use crate::web::viewer::Viewer;

pub fn routes() -> Vec<PageRoute> {
    vec![
        page(paths::CONTACTS).get(list).post(create),
        page(paths::CONTACT).get(contact::show).post(contact::change),
        page(paths::CONTACT_DELETE).get(contact::ask_delete).post(contact::delete),
    ]
}

const PAGE: i64 = 50;

/// A contact as people see it.
pub struct Row {
    pub id: String,
    pub address: String,
    /// The name, or the address of one who has none.
    pub called: String,
    pub person: String,
    pub note: String,
    pub state: ContactState,
    pub received: Grouped,
    pub first: Option<When>,
    pub last: Option<When>,
    pub made: When,
}

impl Row {
    pub fn of(contact: Contact) -> Self {
        Self {
            id: contact.id.to_string(),
            called: contact.name.clone().unwrap_or_else(|| contact.address.clone()),
            person: contact.name.unwrap_or_default(),
            address: contact.address,
            note: contact.note.unwrap_or_default(),
            state: contact.state,
            received: Grouped(contact.received),
            first: contact.first_seen_at.map(When),
            last: contact.last_seen_at.map(When),
            made: When(contact.created_at),
        }
    }

    /// Tone and text of the state's badge.
    pub fn badge(&self) -> (&'static str, &'static str) {
        match self.state {
            ContactState::Unset => ("off", "Unset"),
            ContactState::Allowed => ("success", "Allowed"),
            ContactState::Blocked => ("danger", "Blocked"),
        }
    }
}

/// What people say of a contact, as it was sent.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Said {
    pub name: String,
    pub note: String,
    pub state: String,
}

impl Said {
    pub fn parse(&self, fields: &mut Fields) -> Option<About> {
        let state = match self.state.as_str() {
            "" => Some(ContactState::Unset),
            state => ContactState::parse(state),
        };
        let state = state.ok_or_else(|| FieldError::new("state", "Choose unset, allowed or blocked."));
        let state = fields.take(state);
        let about =
            fields.take(About::parse(&self.name, &lines(&self.note), state.unwrap_or(ContactState::Unset)));
        about.filter(|_| state.is_some())
    }
}

/// The parameters as they were sent; what is empty does not narrow.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Query {
    q: String,
    state: String,
    before: String,
}

impl Query {
    /// # Errors
    /// `NotFound` for a menu's value that no menu holds, a sentence for too long a search.
    fn parse(&self) -> std::result::Result<(Filter, Option<ContactId>), PageError> {
        let state = match self.state.as_str() {
            "" => None,
            state => Some(ContactState::parse(state).ok_or_else(PageError::not_found)?),
        };
        let before = match self.before.as_str() {
            "" => None,
            id => Some(ContactId::parse(id).ok_or_else(PageError::not_found)?),
        };
        Ok((Filter { state, text: Search::parse(&self.q)?.key() }, before))
    }

    fn address(&self, before: &str) -> String {
        paths::CONTACTS.query(&[("q", &*self.q), ("state", &self.state), ("before", before)])
    }

    fn is_filtered(&self) -> bool {
        self.address("") != paths::CONTACTS.0
    }
}

/// What is found, as htmx swaps it. It refreshes itself.
#[derive(Template)]
#[template(path = "mailroom/_contact_list.html")]
struct List {
    rows: Vec<Row>,
    count: Capped,
    is_filtered: bool,
    address: String,
    older: String,
    /// The address of the first page; empty on it.
    newest: String,
}

impl List {
    fn of(query: &Query, found: Page<Contact, ContactId>, count: Capped) -> Self {
        Self {
            rows: found.rows.into_iter().map(Row::of).collect(),
            count,
            is_filtered: query.is_filtered(),
            address: query.address(&query.before),
            older: found.next.map(|id| query.address(&id.to_string())).unwrap_or_default(),
            newest: if query.before.is_empty() { String::new() } else { query.address("") },
        }
    }

    /// Nothing on this page, on others, or under other filters.
    fn is_empty(&self) -> bool {
        self.rows.is_empty() && !self.is_filtered && self.newest.is_empty()
    }
}

/// The form of a new contact.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Form {
    address: String,
    #[serde(flatten)]
    said: Said,
}

#[derive(Template)]
#[template(path = "mailroom/contacts.html")]
struct ContactsPage {
    layout: Layout,
    query: Query,
    list: List,
    form: Form,
    errors: FormErrors,
}

pub async fn list(
    app: web::Data<App>,
    member: Member,
    Htmx(by_htmx): Htmx,
    query: web::Query<Query>,
) -> std::result::Result<HttpResponse, PageError> {
    if by_htmx {
        let list = look(&app, &member, &query).await?;
        return part_at(&list.address, &list);
    }
    let sent = (Form::default(), FormErrors::default());
    draw(&app, &member, StatusCode::OK, query.into_inner(), sent).await
}

async fn look(app: &App, viewer: &Viewer, query: &Query) -> std::result::Result<List, PageError> {
    let ((filter, before), team) = (query.parse()?, viewer.team.id);
    let read = app.read(move |tx| -> Result<_> {
        let found = contacts::list(tx, team, &filter, Window::below(before, PAGE))?;
        Ok((found, contacts::count(tx, team, &filter)?))
    });
    let (found, count) = read.await?;
    Ok(List::of(query, found, count))
}

async fn draw(
    app: &App,
    viewer: &Viewer,
    status: StatusCode,
    query: Query,
    (form, errors): (Form, FormErrors),
) -> std::result::Result<HttpResponse, PageError> {
    let list = look(app, viewer, &query).await?;
    let layout = Layout::new(viewer, "contacts");
    html(status, &ContactsPage { layout, query, list, form, errors })
}

pub async fn create(
    app: web::Data<App>,
    member: Member,
    form: web::Form<Form>,
) -> std::result::Result<HttpResponse, PageError> {
    match added(&app, &member, &form).await {
        Ok(contact) => Ok(see_other_with(paths::CONTACT.of(contact.id), Notice::ContactAdded)),
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            let query = Query::default();
            draw(&app, &member, status, query, (form.into_inner(), errors)).await
        }
    }
}

async fn added(app: &App, viewer: &Viewer, form: &Form) -> Result<Contact> {
    let mut fields = Fields::default();
    let address = fields.take(contacts::parse_address(&form.address));
    let about = form.said.parse(&mut fields);
    let (address, about) = fields.done(address.zip(about))?;
    let (actor, team) = (viewer.actor(), viewer.team.id);
    app.write(move |tx| contacts::create(tx, &actor, team, &address, about)).await
}
