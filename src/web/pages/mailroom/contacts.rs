//! The list of contacts, and their pages.

use askama::Template;

use super::{Chosen, messages_kept};
use crate::domain::actor::Actor;
use crate::domain::lists::{Capped, Window};
use crate::domain::mailroom::contacts::{self, About, Contact, ContactId, ContactState, Filter};
use crate::domain::mailroom::messages::{self, Message, MessageState};
use crate::domain::people::teams::TeamId;
use crate::domain::search::Search;
use crate::domain::{FieldError, Result, Tx};
use crate::web::htmx::Htmx;
use crate::web::pages::form::{Fields, Form, Repeating, lines};
use crate::web::pages::list::{List, chosen, filters};
use crate::web::pages::plain::Pages;
use crate::web::pages::{
    Answer, Badge, Confirmation, Layout, Member, Notice, PageError, Undo, see_other_to_undo, see_other_with,
};
use crate::web::paths;
use crate::web::route::{PageRoute, page};

filters!(Filters at paths::CONTACTS => q, state, sort);

#[derive(Template)]
#[template(path = "mailroom/contacts.html", blocks = ["list"])]
pub struct ContactsPage {
    layout: Layout,
    filters: Filters,
    list: List<Contact>,
}

#[derive(Template)]
#[template(path = "mailroom/_new_contact.html")]
struct NewContact<'a> {
    question: &'a Confirmation,
    form: Form,
}

/// The number of messages on a contact's page.
const MAX_HISTORY: i64 = 20;

#[derive(Template)]
#[template(path = "mailroom/contact.html")]
pub struct ContactPage {
    layout: Layout,
    contact: Contact,
    /// The number of stored messages from this contact.
    stored: Capped,
    /// Newest first.
    history: Vec<Message>,
    form: Form,
}

impl ContactPage {
    /// Why a message is not in the inbox.
    fn refused(&self, message: &Message) -> Option<Badge> {
        match message.state {
            MessageState::Denied => Some(("danger", "Blocked")),
            MessageState::Rejected => Some(("danger", "Rejected")),
            _ => None,
        }
    }
}

impl Contact {
    fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.address)
    }

    /// The options of its menu: value, text and icon.
    fn choices(&self) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        let all = [(ContactState::Allowed, "Allow", "check"), (ContactState::Blocked, "Block", "ban")];
        let now = self.state;
        all.into_iter()
            .filter(move |(state, ..)| *state != now)
            .map(|(state, text, icon)| (state.as_str(), text, icon))
    }

    fn is_reviewed(&self) -> bool {
        self.state != ContactState::Unset
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

/// The actions on several contacts.
pub fn routes() -> Vec<PageRoute> {
    vec![page(paths::CONTACTS_CHOSEN).post(act)]
}

async fn act(member: Member, Repeating(chosen): Repeating<Chosen>) -> Answer {
    let (ids, back) = (chosen.ids(ContactId::parse)?, chosen.back::<Filters>(paths::CONTACT));
    match chosen.action.as_str() {
        "restore" => {
            let before = restored(&chosen)?;
            member.write(move |tx, actor, team| contacts::restore_states(tx, actor, team, &before)).await?;
            return Ok(see_other_with(back, Notice::Undone));
        }
        _ if ids.is_empty() => return Ok(see_other_with(back, Notice::NothingChanged)),
        "delete" => {
            let delete = member.write(move |tx, actor, team| {
                ids.into_iter().try_for_each(|id| contacts::delete(tx, actor, team, id))
            });
            delete.await?;
            return Ok(see_other_with(back, Notice::ContactsDeleted));
        }
        _ => {}
    }
    let state = ContactState::parse(&chosen.action);
    let state = state.ok_or_else(|| PageError::bad_request("The field do must be a status or delete."))?;
    let set = member.write(move |tx, actor, team| contacts::set_states(tx, actor, team, &ids, state));
    let changed = set.await?;
    let notice = match (state, changed.as_slice()) {
        (_, []) => return Ok(see_other_with(back, Notice::NothingChanged)),
        (state, changed) => notice_of(state, changed),
    };
    let before = changed.into_iter().map(|(id, before)| (before.as_str(), id.to_string()));
    let undo = Undo::new("restore", before).back_to(back.clone());
    Ok(see_other_to_undo(back, notice, Some(undo)))
}

/// The notice for these changes of state.
fn notice_of(state: ContactState, changed: &[(ContactId, ContactState)]) -> Notice {
    let all_were_blocked = changed.iter().all(|(_, before)| *before == ContactState::Blocked);
    match state {
        ContactState::Blocked => Notice::ContactsBlocked,
        _ if all_were_blocked => Notice::ContactsUnblocked,
        ContactState::Allowed => Notice::ContactsAllowed,
        ContactState::Unset => Notice::ContactChanged,
    }
}

/// The contacts of an Undo, with their previous states.
fn restored(chosen: &Chosen) -> std::result::Result<Vec<(ContactId, ContactState)>, PageError> {
    let lists = [
        (&chosen.unset, ContactState::Unset),
        (&chosen.allowed, ContactState::Allowed),
        (&chosen.blocked, ContactState::Blocked),
    ];
    let all = lists.into_iter().flat_map(|(ids, state)| ids.iter().map(move |id| (id, state)));
    let all = all.map(|(id, state)| Some((ContactId::parse(id)?, state)));
    all.collect::<Option<_>>().ok_or_else(PageError::not_found)
}

/// A contact, the number of their stored messages, and the newest messages.
pub type Shown = (Contact, Capped, Vec<Message>);

pub struct Contacts;

impl Pages for Contacts {
    type Row = Contact;
    type Filters = Filters;
    type ListPage = ContactsPage;
    type Shown = Shown;
    type Page = ContactPage;

    const ADD: &'static str = "Add contact";
    const CREATED: Notice = Notice::ContactAdded;
    const DELETED: Notice = Notice::ContactDeleted;

    fn changed(before: &Contact, after: &Contact) -> Notice {
        match before.state == after.state {
            true if before == after => Notice::NothingChanged,
            true => Notice::ContactChanged,
            false => notice_of(after.state, &[(before.id, before.state)]),
        }
    }

    fn undo(before: &Contact, after: &Contact) -> Option<Undo> {
        let state = (before.state.as_str(), before.id.to_string());
        (before.state != after.state).then(|| Undo::new("restore", [state].into_iter()))
    }

    fn filter(filters: &Filters) -> std::result::Result<Filter, PageError> {
        let state = chosen(&filters.state, ContactState::parse)?;
        Ok(Filter { state, words: contacts::words_of(&Search::parse(&filters.q)?) })
    }

    fn list_page(layout: Layout, filters: Filters, list: List<Contact>) -> ContactsPage {
        ContactsPage { layout, filters, list }
    }

    fn answer(page: &ContactsPage, htmx: Htmx) -> Answer {
        page.list.answer(htmx, page, &page.as_list())
    }

    fn form<'a>(question: &'a Confirmation, form: Form) -> impl Template + 'a {
        NewContact { question, form }
    }

    fn load(tx: &mut Tx<'_>, team: TeamId, id: ContactId) -> Result<Shown> {
        let theirs = messages::Filter { contact: Some(id), ..messages::Filter::default() };
        let history = messages::list(tx, team, &theirs, Window::first(MAX_HISTORY))?.rows;
        Ok((contacts::find(tx, team, id)?, messages::count(tx, team, &theirs)?, history))
    }

    fn page(layout: Layout, (contact, stored, history): Shown, form: Form) -> ContactPage {
        ContactPage { layout, contact, stored, history, form }
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

    fn name((contact, ..): &Shown) -> &str {
        contact.label()
    }

    fn ask((contact, stored, _): &Shown, question: &mut Confirmation) {
        question.explain(messages_kept(*stored));
        question.explain(
            "The name, note and status are deleted. If they write again, they're added as a new contact.",
        );
        if contact.state == ContactState::Blocked {
            question.warn("They're blocked now. After you delete them, their mail is delivered again.");
        }
    }
}
