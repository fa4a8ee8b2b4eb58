//! A token's own hourly limit.

use actix_web::{HttpResponse, web};

use super::tokens::{self as page, Rejected};
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
pub struct CapForm {
    #[serde(default)]
    cap: String,
}

pub async fn set(
    app: web::Data<App>,
    admin: Admin,
    path: web::Path<TokenId>,
    form: web::Form<CapForm>,
) -> std::result::Result<HttpResponse, PageError> {
    let id = path.into_inner();
    match set_cap(&app, &admin, id, &form.cap).await {
        Ok(_) => Ok(see_other_with(paths::TOKEN.of(id), Notice::TokenCapChanged)),
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            let layout = Layout::new(&admin, "developer");
            let rejected = Rejected { cap: Some(form.into_inner().cap), errors, ..Rejected::default() };
            page::render(&app, &admin, id, layout, status, rejected).await
        }
    }
}

async fn set_cap(app: &App, viewer: &Viewer, id: TokenId, cap: &str) -> Result<Token> {
    let (actor, team) = (viewer.actor(), viewer.team.id);
    let cap = tokens::parse_cap(cap);
    app.write(move |tx| {
        // 404 for another team's token, before the limit is checked.
        tokens::find(tx, team, id)?;
        tokens::set_cap(tx, &actor, team, id, cap?)
    })
    .await
}
