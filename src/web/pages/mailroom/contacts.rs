//! Contacts: the list, and the page of each.

use askama::Template;

use super::messages_kept;
use crate::domain::actor::Actor;
use crate::domain::lists::Capped;
use crate::domain::mailroom::contacts::{self, About, Contact, ContactId, ContactState, Filter};
use crate::domain::mailroom::messages;
use crate::domain::people::teams::TeamId;
use crate::domain::search::Search;
use crate::domain::{FieldError, Result, Tx};
use crate::web::htmx::Htmx;
use crate::web::pages::form::{Fields, Form, lines};
use crate::web::pages::list::{List, chosen, filters};
use crate::web::pages::plain::Pages;
use crate::web::pages::{Answer, Badge, Confirmation, Layout, Notice, PageError};
use crate::web::paths;

filters!(Filters at paths::CONTACTS => q, state);

#[derive(Template)]
#[template(path = "mailroom/contacts.html", blocks = ["list"])]
pub struct ContactsPage {
    layout: Layout,
    filters: Filters,
    list: List<Contact>,
    form: Form,
}

#[derive(Template)]
#[template(path = "mailroom/contact.html")]
pub struct ContactPage {
    layout: Layout,
    contact: Contact,
    /// The number of stored messages from this contact.
    stored: Capped,
    form: Form,
}

impl Contact {
    fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.address)
    }

    fn badge(&self) -> Badge {
        match self.state {
            ContactState::Unset => ("off", "Not reviewed"),
            ContactState::Allowed => ("success", "Allowed"),
            ContactState::Blocked => ("danger", "Blocked"),
        }
    }
}

/// The fields of a contact that people can edit.
fn about(form: &Form, fields: &mut Fields) -> Option<About> {
    let state = match form.get("state") {
        "" => Some(ContactState::Unset),
        state => ContactState::parse(state),
    };
    let state = fields.take(state.ok_or_else(|| FieldError::new("state", "Choose a status.")));
    let (name, note) = (form.get("name"), lines(form.get("note")));
    fields.take(About::parse(name, &note, state.unwrap_or(ContactState::Unset)))
}

pub struct Contacts;

impl Pages for Contacts {
    type Row = Contact;
    type Filters = Filters;
    type ListPage = ContactsPage;
    type Shown = (Contact, Capped);
    type Page = ContactPage;

    const CREATED: Notice = Notice::ContactAdded;
    const CHANGED: Notice = Notice::ContactChanged;
    const DELETED: Notice = Notice::ContactDeleted;

    fn filter(filters: &Filters) -> std::result::Result<Filter, PageError> {
        let state = chosen(&filters.state, ContactState::parse)?;
        Ok(Filter { state, text: Search::parse(&filters.q)?.key() })
    }

    fn list_page(layout: Layout, filters: Filters, list: List<Contact>, form: Form) -> ContactsPage {
        ContactsPage { layout, filters, list, form }
    }

    fn answer(page: &ContactsPage, htmx: Htmx) -> Answer {
        page.list.answer(htmx, page, &page.as_list())
    }

    fn load(tx: &mut Tx<'_>, team: TeamId, id: ContactId) -> Result<(Contact, Capped)> {
        let theirs = messages::Filter { contact: Some(id), ..messages::Filter::default() };
        Ok((contacts::find(tx, team, id)?, messages::count(tx, team, &theirs)?))
    }

    fn page(layout: Layout, (contact, stored): (Contact, Capped), form: Form) -> ContactPage {
        ContactPage { layout, contact, stored, form }
    }

    fn create(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, form: &Form) -> Result<Contact> {
        let mut fields = Fields::default();
        let address = fields.take(contacts::parse_address(form.get("address")));
        let about = about(form, &mut fields);
        let (address, about) = fields.done(address.zip(about))?;
        contacts::create(tx, actor, team, &address, about)
    }

    fn change(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, id: ContactId, form: &Form) -> Result<Contact> {
        let mut fields = Fields::default();
        let about = about(form, &mut fields);
        contacts::change(tx, actor, team, id, fields.done(about)?)
    }

    fn name((contact, _): &(Contact, Capped)) -> &str {
        contact.label()
    }

    fn ask((contact, stored): &(Contact, Capped), question: &mut Confirmation) {
        question.says(messages_kept(*stored));
        question.says(
            "The name, note and status are deleted. If they write again, they're added as a new contact.",
        );
        if contact.state == ContactState::Blocked {
            question.warns("They're blocked now. After you delete them, their next message is delivered.");
        }
    }
}
