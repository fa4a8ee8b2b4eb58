//! A token's own hourly limit.

use actix_web::{HttpResponse, web};

use super::tokens::{self as page, Refused};
use crate::app::App;
use crate::domain::Result;
use crate::domain::access::tokens::{self, Token, TokenId};
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Admin;
use crate::web::pages::layout::Layout;
use crate::web::pages::notice::Notice;
use crate::web::pages::{FormErrors, see_other_with};
use crate::web::paths;
use crate::web::viewer::Viewer;

#[derive(serde::Deserialize)]
pub struct Limit {
    #[serde(default)]
    cap: String,
}

pub async fn set(
    app: web::Data<App>,
    admin: Admin,
    path: web::Path<TokenId>,
    form: web::Form<Limit>,
) -> std::result::Result<HttpResponse, PageError> {
    let id = path.into_inner();
    match change(&app, &admin, id, &form.cap).await {
        Ok(_) => Ok(see_other_with(paths::TOKEN.of(id), Notice::TokenCapChanged)),
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            let layout = Layout::new(&admin, "developer");
            let refused = Refused { cap: Some(form.into_inner().cap), errors, ..Refused::default() };
            page::draw(&app, &admin, id, layout, status, refused).await
        }
    }
}

async fn change(app: &App, viewer: &Viewer, id: TokenId, cap: &str) -> Result<Token> {
    let (actor, team) = (viewer.actor(), viewer.team.id);
    let cap = tokens::parse_cap(cap);
    app.write(move |tx| {
        // Another team's token does not exist, whatever limit it should have.
        tokens::find(tx, team, id)?;
        tokens::set_cap(tx, &actor, team, id, cap?)
    })
    .await
}
