//! Contacts: the list, and the page of each.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::messages_kept;
use crate::domain::FieldError;
use crate::domain::lists::Capped;
use crate::domain::mailroom::contacts::{self, About, Contact, ContactId, ContactState, Filter};
use crate::domain::mailroom::messages;
use crate::domain::search::Search;
use crate::web::htmx::Htmx;
use crate::web::pages::form::{Fields, Form, lines, redirect_or_render};
use crate::web::pages::list::{List, ListQuery, chosen, filters};
use crate::web::pages::{
    Answer, Badge, Confirmation, Layout, Member, Notice, PageError, html, see_other_with,
};
use crate::web::paths;
use crate::web::route::{PageRoute, page};

pub fn routes() -> Vec<PageRoute> {
    vec![
        page(paths::CONTACTS).get(list).post(create),
        page(paths::CONTACT).get(show).post(change),
        page(paths::CONTACT_DELETE).get(ask_delete).post(delete),
    ]
}

filters!(Filters at paths::CONTACTS => q, state);

#[derive(Template)]
#[template(path = "mailroom/contacts.html", blocks = ["list"])]
struct ContactsPage {
    layout: Layout,
    filters: Filters,
    list: List<Contact>,
    form: Form,
}

#[derive(Template)]
#[template(path = "mailroom/contact.html")]
struct ContactPage {
    layout: Layout,
    contact: Contact,
    /// The number of stored messages from this contact.
    stored: Capped,
    form: Form,
}

impl ContactsPage {
    async fn load(member: &Member, asked: ListQuery<Filters>, form: Form) -> Result<Self, PageError> {
        let Filters { q, state } = &asked.filters;
        let filter = Filter { state: chosen(state, ContactState::parse)?, text: Search::parse(q)?.key() };
        let window = asked.window(ContactId::parse)?;
        let found = member.read(move |tx, team| {
            Ok((contacts::list(tx, team, &filter, window)?, contacts::count(tx, team, &filter)?))
        });
        let list = List::of(&asked, found.await?);
        Ok(Self { layout: Layout::new(member, "contacts"), list, filters: asked.filters, form })
    }
}

impl ContactPage {
    async fn load(member: &Member, id: ContactId, form: Form) -> Result<Self, PageError> {
        let theirs = messages::Filter { contact: Some(id), ..messages::Filter::default() };
        let load = member
            .read(move |tx, team| Ok((contacts::find(tx, team, id)?, messages::count(tx, team, &theirs)?)));
        let (contact, stored) = load.await?;
        Ok(Self { layout: Layout::new(member, "contacts"), contact, stored, form })
    }
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

async fn list(member: Member, htmx: Htmx, asked: ListQuery<Filters>) -> Answer {
    let page = ContactsPage::load(&member, asked, Form::default()).await?;
    page.list.answer(htmx, &page, &page.as_list())
}

async fn create(member: Member, form: Form) -> Answer {
    let mut fields = Fields::default();
    let address = fields.take(contacts::parse_address(form.get("address")));
    let about = about(&form, &mut fields);
    let new = fields.done(address.zip(about));
    let created = member.write(move |tx, actor, team| {
        let (address, about) = new?;
        contacts::create(tx, actor, team, &address, about)
    });
    let again = async |form| ContactsPage::load(&member, ListQuery::default(), form).await;
    redirect_or_render(
        created.await,
        Notice::ContactAdded,
        |contact| paths::CONTACT.of(contact.id),
        form,
        again,
    )
    .await
}

async fn show(member: Member, id: Path<ContactId>) -> Answer {
    html(StatusCode::OK, &ContactPage::load(&member, *id, Form::default()).await?)
}

async fn change(member: Member, id: Path<ContactId>, form: Form) -> Answer {
    let id = *id;
    let mut fields = Fields::default();
    let about = about(&form, &mut fields);
    let about = fields.done(about);
    let changed = member.write(move |tx, actor, team| {
        // Another team's contact is 404 even if the form has errors.
        contacts::find(tx, team, id)?;
        contacts::change(tx, actor, team, id, about?)
    });
    let again = async |form| ContactPage::load(&member, id, form).await;
    redirect_or_render(changed.await, Notice::ContactChanged, |_| paths::CONTACT.of(id), form, again).await
}

async fn ask_delete(member: Member, htmx: Htmx, id: Path<ContactId>) -> Answer {
    let ContactPage { contact, stored, .. } = ContactPage::load(&member, *id, Form::default()).await?;
    let mut question =
        Confirmation::new(&member, "contacts", "Delete contact", paths::CONTACT_DELETE.of(*id));
    question.about(contact.label(), paths::CONTACT.of(*id));
    question.says(messages_kept(stored));
    question
        .says("The name, note and status are deleted. If they write again, they're added as a new contact.");
    if contact.state == ContactState::Blocked {
        question.warns("They're blocked now. After you delete them, their next message is delivered.");
    }
    question.ask(htmx, &member)
}

async fn delete(member: Member, id: Path<ContactId>) -> Answer {
    member.write(move |tx, actor, team| contacts::delete(tx, actor, team, *id)).await?;
    Ok(see_other_with(paths::CONTACTS, Notice::ContactDeleted))
}
