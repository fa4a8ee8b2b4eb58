//! Transfer of ownership.

use actix_web::{HttpResponse, web};
use zeroize::Zeroizing;

use crate::app::App;
use crate::domain::people::members;
use crate::domain::people::users::UserId;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Owner;
use crate::web::pages::notice::Notice;
use crate::web::pages::password_again::{self, Action};
use crate::web::pages::see_other_with;
use crate::web::paths;

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Form {
    to: String,
    password: Zeroizing<String>,
}

pub async fn transfer(
    app: web::Data<App>,
    owner: Owner,
    form: web::Form<Form>,
) -> Result<HttpResponse, PageError> {
    let to = UserId::parse(&form.to).ok_or_else(PageError::not_found)?;
    let asked = Action {
        nav: "team",
        to: "transfer ownership",
        action: paths::TEAM_TRANSFER.0,
        fields: vec![("to", form.to.clone())],
        always: true,
    };
    if let Some(page) = password_again::ask(&app, &owner, Some(&form.password), &asked).await? {
        return Ok(page);
    }
    let (actor, team) = (owner.actor(), owner.team.id);
    app.write(move |tx| members::transfer(tx, &actor, team, to)).await?;
    Ok(see_other_with(paths::TEAM, Notice::Transferred))
}
