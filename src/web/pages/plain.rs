//! The pages of plain nouns: the list, the form that creates one, the page of each, and the question before one is
//! deleted. A noun implements [`Pages`] with its fields and templates, and shares these handlers.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::answer::{Answer, html, see_other_to_undo, see_other_with};
use super::error::PageError;
use super::form::{Form, FormErrors, redirect_or_ask};
use super::guards::Member;
use super::layout::Layout;
use super::list::{Filters, List, ListQuery};
use super::notice::{Notice, Undo};
use super::question::Confirmation;
use crate::domain::actor::Actor;
use crate::domain::nouns::Plain;
use crate::domain::people::teams::TeamId;
use crate::domain::{PublicId, Result, Tx};
use crate::web::htmx::Htmx;
use crate::web::route::{PageRoute, page};

pub type Id<P> = <<P as Pages>::Row as Plain>::Id;
pub type Filter<P> = <<P as Pages>::Row as Plain>::Filter;

pub trait Pages: 'static {
    type Row: Plain;
    type Filters: Filters + 'static;
    type ListPage: Template;
    /// The data of a row's page.
    type Shown: Send + 'static;
    type Page: Template;

    const CREATED: Notice = Notice::Created(Self::Row::NOUN);
    const DELETED: Notice = Notice::Deleted(Self::Row::NOUN);

    fn filter(filters: &Self::Filters) -> std::result::Result<Filter<Self>, PageError>;
    fn list_page(layout: Layout, filters: Self::Filters, list: List<Self::Row>) -> Self::ListPage;
    /// Renders the page, or only its list for htmx.
    fn answer(page: &Self::ListPage, htmx: Htmx) -> Answer;

    /// The label of the button that creates one.
    const ADD: &'static str;
    fn form<'a>(question: &'a Confirmation, form: Form) -> impl Template + 'a;

    fn load(tx: &mut Tx<'_>, team: TeamId, id: Id<Self>) -> Result<Self::Shown>;
    fn page(layout: Layout, shown: Self::Shown, form: Form) -> Self::Page;

    fn create(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, form: &Form) -> Result<Self::Row>;
    fn change(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, id: Id<Self>, form: &Form) -> Result<Self::Row>;
    /// Says what has changed.
    fn changed(before: &Self::Row, after: &Self::Row) -> Notice;
    /// Undoes the change, where that is possible.
    fn undo(_before: &Self::Row, _after: &Self::Row) -> Option<Undo> {
        None
    }

    /// The name in the question before a deletion.
    fn name(shown: &Self::Shown) -> &str;
    /// Explains the consequences of a deletion.
    fn ask(shown: &Self::Shown, question: &mut Confirmation);
}

pub fn routes<P: Pages>() -> Vec<PageRoute> {
    let noun = P::Row::NOUN;
    vec![
        page(noun.list()).get(list::<P>).post(create::<P>).filtered_by(P::Filters::NAMES),
        page(noun.creation()).get(ask_new::<P>),
        page(noun.page()).get(show::<P>).post(change::<P>),
        page(noun.deletion()).get(ask::<P>).post(delete::<P>),
    ]
}

fn layout<P: Pages>(member: &Member) -> Layout {
    Layout::new(member, P::Row::NOUN.words().many)
}

async fn load_list<P: Pages>(
    member: &Member,
    asked: ListQuery<P::Filters>,
) -> std::result::Result<P::ListPage, PageError> {
    let filter = P::filter(&asked.filters)?;
    let (order, window) = asked.sorted_window(Id::<P>::parse)?;
    let found = member.read(move |tx, team| {
        Ok((P::Row::sorted(tx, team, &filter, order, window)?, P::Row::count(tx, team, &filter)?))
    });
    let list = List::of(&asked, found.await?).sorted(&asked, order);
    Ok(P::list_page(layout::<P>(member), asked.filters, list))
}

async fn load<P: Pages>(member: &Member, id: Id<P>, form: Form) -> std::result::Result<P::Page, PageError> {
    let shown = member.read(move |tx, team| P::load(tx, team, id)).await?;
    Ok(P::page(layout::<P>(member), shown, form))
}

async fn list<P: Pages>(member: Member, htmx: Htmx, asked: ListQuery<P::Filters>) -> Answer {
    P::answer(&load_list::<P>(&member, asked).await?, htmx)
}

/// Redirects to the page of the new row.
async fn create<P: Pages>(member: Member, form: Form) -> Answer {
    let typed = form.clone();
    let created = member.write(move |tx, actor, team| P::create(tx, actor, team, &typed)).await;
    let to = |row: P::Row| P::Row::NOUN.page().of(row.id());
    let again = async |status, form| ask_for_new::<P>(&member, Htmx(false), status, form);
    redirect_or_ask(created, P::CREATED, to, form, again).await
}

async fn ask_new<P: Pages>(member: Member, htmx: Htmx) -> Answer {
    ask_for_new::<P>(&member, htmx, StatusCode::OK, Form::default())
}

fn ask_for_new<P: Pages>(member: &Member, htmx: Htmx, status: StatusCode, form: Form) -> Answer {
    let noun = P::Row::NOUN;
    let mut question = Confirmation::new(member, noun.words().many, P::ADD, noun.list().to_string());
    question.on_page(noun.words().title, P::ADD.into());
    question.ask_in(&P::form(&question, form), htmx, member, status)
}

async fn show<P: Pages>(member: Member, id: Path<Id<P>>) -> Answer {
    html(StatusCode::OK, &load::<P>(&member, *id, Form::default()).await?)
}

async fn change<P: Pages>(member: Member, id: Path<Id<P>>, form: Form) -> Answer {
    let (id, typed) = (*id, form.clone());
    let changed = member.write(move |tx, actor, team| {
        // Responds 404 for another team's row even if the form has errors.
        let before = P::Row::find(tx, team, id)?;
        let after = P::change(tx, actor, team, id, &typed)?;
        Ok((P::changed(&before, &after), P::undo(&before, &after)))
    });
    match changed.await {
        Ok((notice, undo)) => {
            let here = P::Row::NOUN.page().of(id);
            Ok(see_other_to_undo(&here, notice, undo.map(|undo| undo.back_to(here.clone()))))
        }
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            html(status, &load::<P>(&member, id, form.with(errors)).await?)
        }
    }
}

async fn ask<P: Pages>(member: Member, htmx: Htmx, id: Path<Id<P>>) -> Answer {
    let (id, noun) = (*id, P::Row::NOUN);
    let shown = member.read(move |tx, team| P::load(tx, team, id)).await?;
    let words = noun.words();
    let mut question = Confirmation::new(&member, words.many, words.delete, noun.deletion().of(id));
    question.about(P::name(&shown), noun.page().of(id));
    P::ask(&shown, &mut question);
    question.ask(htmx, &member)
}

async fn delete<P: Pages>(member: Member, id: Path<Id<P>>) -> Answer {
    member.write(move |tx, actor, team| P::Row::delete(tx, actor, team, *id)).await?;
    Ok(see_other_with(P::Row::NOUN.list(), P::DELETED))
}
