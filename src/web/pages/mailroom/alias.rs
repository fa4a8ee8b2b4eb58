//! The page of an alias, changing its note, turning it on and off, and deleting it.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::aliases::{Row, undo};
use super::messages_kept;
use crate::domain::lists::Capped;
use crate::domain::mailroom::aliases::{self, AliasId};
use crate::domain::mailroom::{mail_domains, messages};
use crate::web::htmx::Htmx;
use crate::web::pages::form::{Form, lines, redirect_or_render};
use crate::web::pages::format::number;
use crate::web::pages::{
    Answer, Confirmation, FormErrors, Layout, Member, Notice, PageError, Undo, html, see_other_to_undo,
    see_other_with,
};
use crate::web::paths;
use crate::web::route::{PageRoute, page};

pub fn routes() -> Vec<PageRoute> {
    vec![
        page(paths::ALIAS).get(show),
        page(paths::ALIAS_NOTE).post(change_note),
        page(paths::ALIAS_SWITCH).post(switch),
        page(paths::ALIAS_DELETE).get(ask_delete).post(delete),
    ]
}

#[derive(Template)]
#[template(path = "mailroom/alias.html")]
struct AliasPage {
    layout: Layout,
    row: Row,
    /// The number of stored messages to this alias.
    stored: Capped,
    /// The domains that use it as their catch-all.
    catches: Vec<String>,
    form: Form,
}

impl AliasPage {
    async fn load(member: &Member, id: AliasId, form: Form) -> Result<Self, PageError> {
        let of_it = messages::Filter { alias: Some(id), ..messages::Filter::default() };
        let read = member.read(move |tx, team| {
            let (alias, all) = (aliases::find(tx, team, id)?, mail_domains::list(tx, team)?);
            let catches = all.iter().filter(|domain| domain.catch_all_id == Some(id));
            let catches = catches.map(|domain| domain.name.clone()).collect();
            Ok((Row::of(alias, &all), messages::count(tx, team, &of_it)?, catches))
        });
        let (row, stored, catches) = read.await?;
        Ok(Self { layout: Layout::new(member, "aliases"), row, stored, catches, form })
    }
}

async fn show(member: Member, id: Path<AliasId>) -> Answer {
    html(StatusCode::OK, &AliasPage::load(&member, *id, Form::default()).await?)
}

async fn change_note(member: Member, id: Path<AliasId>, form: Form) -> Answer {
    let (id, note) = (*id, aliases::parse_note(&lines(form.get("note"))));
    let changed = member.write(move |tx, actor, team| {
        // Responds 404 for another team's alias even if the form has errors.
        let before = aliases::find(tx, team, id)?;
        aliases::change(tx, actor, team, id, note?.as_deref(), before.enabled)
    });
    let again = async |form| AliasPage::load(&member, id, form).await;
    redirect_or_render(changed.await, Notice::AliasNoted, |_| paths::ALIAS.of(id), form, again).await
}

/// The updated row of the list, which htmx swaps in, and the toast.
#[derive(Template)]
#[template(path = "mailroom/_alias_switched.html")]
struct Switched {
    row: Row,
    team_id: String,
    notice: Notice,
    undo: Option<Undo>,
}

async fn switch(member: Member, htmx: Htmx, id: Path<AliasId>, form: Form) -> Answer {
    let id = *id;
    let (on, notice) = match form.get("state") {
        "on" => (true, Notice::AliasOn),
        "off" => (false, Notice::AliasOff),
        _ => return Err(PageError::bad_request("The field state must be on or off.")),
    };
    let switched = member.write(move |tx, actor, team| {
        let before = aliases::find(tx, team, id)?;
        let after = aliases::change(tx, actor, team, id, before.note.as_deref(), on)?;
        Ok((Row::of(after, &mail_domains::list(tx, team)?), before.enabled != on))
    });
    let team_id = member.team.id.to_string();
    match switched.await {
        Ok((row, has_changed)) => {
            let notice = if has_changed { notice } else { Notice::NothingChanged };
            let undo = has_changed.then(|| undo(&[id], on));
            if htmx.0 {
                return html(StatusCode::OK, &Switched { row, team_id, notice, undo });
            }
            let (here, undo) = (paths::ALIAS.of(id), undo.map(|undo| undo.back_to(paths::ALIAS.of(id))));
            Ok(see_other_to_undo(here, notice, undo))
        }
        Err(error) if htmx.0 => Err(error.into()),
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            html(status, &AliasPage::load(&member, id, form.with(errors)).await?)
        }
    }
}

async fn ask_delete(member: Member, htmx: Htmx, id: Path<AliasId>) -> Answer {
    let AliasPage { row, stored, catches, .. } = AliasPage::load(&member, *id, Form::default()).await?;
    let address = row.alias.address();
    let mut question = Confirmation::new(&member, "aliases", "Delete alias", paths::ALIAS_DELETE.of(*id));
    question.about(address, paths::ALIAS.of(*id));
    if row.alias.is_postmaster() {
        question.refuse("Mail to postmaster must always be accepted, so this alias can't be deleted.");
        return question.ask(htmx, &member);
    }
    question.explain(messages_kept(stored));
    question.explain("Mail to it is refused, and the address can never be reused. This can't be undone.");
    for domain in catches {
        question.explain(format!("It's the catch-all of {domain}, which will have none."));
    }
    if row.alias.enabled {
        question.explain("To stop mail but keep the alias, turn it off instead.");
    }
    question.figure("received", number(&row.alias.received));
    question.figure("stored", stored);
    question.ask(htmx, &member)
}

async fn delete(member: Member, id: Path<AliasId>) -> Answer {
    member.write(move |tx, actor, team| aliases::delete(tx, actor, team, *id)).await?;
    Ok(see_other_with(paths::ALIASES, Notice::AliasDeleted))
}
