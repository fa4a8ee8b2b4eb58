//! Changing a token's name or its own hourly limit, with a form in a dialog or on a separate page.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use crate::domain::Result;
use crate::domain::access::tokens::{self, Label, Token, TokenId};
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Admin;
use crate::web::pages::layout::Layout;
use crate::web::pages::notice::Notice;
use crate::web::pages::{FormErrors, html, see_other_with};
use crate::web::paths;
use crate::web::viewer::Viewer;

type Answer = std::result::Result<HttpResponse, PageError>;

#[derive(Clone, Copy)]
enum Field {
    Name,
    Cap,
}

/// The form alone, for the dialog.
#[derive(Template)]
#[template(path = "developer/_change.html")]
struct ChangeForm {
    team: String,
    id: TokenId,
    field: Field,
    token: String,
    value: String,
    errors: FormErrors,
}

#[derive(Template)]
#[template(path = "developer/change.html")]
struct ChangePage {
    layout: Layout,
    title: &'static str,
    id: TokenId,
    token: String,
    form: String,
}

impl Field {
    const fn title(self) -> &'static str {
        match self {
            Self::Name => "Rename token",
            Self::Cap => "Set hourly limit",
        }
    }

    fn value(self, token: &Token) -> String {
        match self {
            Self::Name => token.name.clone(),
            Self::Cap => token.hourly_cap.map(|cap| cap.to_string()).unwrap_or_default(),
        }
    }
}

impl ChangeForm {
    fn of(viewer: &Viewer, token: Token, field: Field, value: String, errors: FormErrors) -> Self {
        Self { team: viewer.team.id.to_string(), id: token.id, field, token: token.name, value, errors }
    }

    fn on_own_page(self, viewer: &Viewer, status: StatusCode) -> Answer {
        let form = self.render().map_err(PageError::fault)?;
        let (layout, title) = (Layout::new(viewer, "developer"), self.field.title());
        html(status, &ChangePage { layout, title, id: self.id, token: self.token, form })
    }
}

pub async fn ask_name(admin: Admin, htmx: Htmx, path: web::Path<TokenId>) -> Answer {
    ask(&admin, htmx, *path, Field::Name).await
}

pub async fn ask_cap(admin: Admin, htmx: Htmx, path: web::Path<TokenId>) -> Answer {
    ask(&admin, htmx, *path, Field::Cap).await
}

async fn ask(viewer: &Viewer, htmx: Htmx, id: TokenId, field: Field) -> Answer {
    let token = viewer.read(move |tx, team| tokens::find(tx, team, id)).await?;
    let value = field.value(&token);
    let form = ChangeForm::of(viewer, token, field, value, FormErrors::default());
    if htmx.0 { html(StatusCode::OK, &form) } else { form.on_own_page(viewer, StatusCode::OK) }
}

#[derive(serde::Deserialize)]
pub struct NameForm {
    #[serde(default)]
    name: String,
}

pub async fn rename(admin: Admin, path: web::Path<TokenId>, form: web::Form<NameForm>) -> Answer {
    let (id, name) = (path.into_inner(), form.into_inner().name);
    let label = Label::parse(&name);
    // Responds 404 for another team's token even if the name is invalid.
    let renamed = admin.write(move |tx, actor, team| {
        tokens::find(tx, team, id)?;
        tokens::rename(tx, actor, team, id, &label?)
    });
    settle(&admin, id, renamed.await, Notice::TokenRenamed, (Field::Name, name)).await
}

#[derive(serde::Deserialize)]
pub struct CapForm {
    #[serde(default)]
    cap: String,
}

pub async fn set_cap(admin: Admin, path: web::Path<TokenId>, form: web::Form<CapForm>) -> Answer {
    let (id, typed) = (path.into_inner(), form.into_inner().cap);
    let cap = tokens::parse_cap(&typed);
    let set = admin.write(move |tx, actor, team| {
        tokens::find(tx, team, id)?;
        tokens::set_cap(tx, actor, team, id, cap?)
    });
    settle(&admin, id, set.await, Notice::TokenCapChanged, (Field::Cap, typed)).await
}

async fn settle(
    viewer: &Viewer,
    id: TokenId,
    done: Result<Token>,
    notice: Notice,
    (field, typed): (Field, String),
) -> Answer {
    let error = match done {
        Ok(_) => return Ok(see_other_with(paths::TOKEN.of(id), notice)),
        Err(error) => error,
    };
    let (status, errors) = FormErrors::of(error)?;
    let token = viewer.read(move |tx, team| tokens::find(tx, team, id)).await?;
    ChangeForm::of(viewer, token, field, typed, errors).on_own_page(viewer, status)
}
