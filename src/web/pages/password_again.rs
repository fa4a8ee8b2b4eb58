//! Asks for the password again before sensitive changes, unless it was entered in the last 10 minutes.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::error::PageError;
use super::{FormErrors, html};
use crate::app::App;
use crate::domain::people::passwords::Password;
use crate::domain::people::teams::TeamId;
use crate::domain::people::{sessions, sign_in};
use crate::web::viewer::Viewer;

/// The action to confirm. The page repeats its request, with the password.
pub struct Action<'a> {
    pub nav: &'static str,
    /// Completes "Confirm your password to …".
    pub to: &'static str,
    pub action: &'a str,
    /// The fields of the form, without the password.
    pub fields: Vec<(&'static str, String)>,
    /// Whether to ask even if the password was entered within the last 10 minutes.
    pub always: bool,
}

#[derive(Template)]
#[template(path = "password_again/page.html")]
struct PasswordAgainPage<'a> {
    email: &'a str,
    team: TeamId,
    asked: &'a Action<'a>,
    errors: FormErrors,
}

/// Returns `None` if the request may proceed, or else the page that asks for the password.
pub async fn ask(
    app: &App,
    viewer: &Viewer,
    password: Option<&str>,
    asked: &Action<'_>,
) -> Result<Option<HttpResponse>, PageError> {
    if viewer.is_fresh() && !asked.always {
        return Ok(None);
    }
    let Some(password) = password.filter(|typed| !typed.is_empty()) else {
        return page(viewer, asked, StatusCode::FORBIDDEN, FormErrors::default()).map(Some);
    };
    match confirm_password(app, viewer, password).await {
        Ok(true) => Ok(None),
        Ok(false) => {
            let errors = FormErrors::one("password", "Wrong password.");
            page(viewer, asked, StatusCode::FORBIDDEN, errors).map(Some)
        }
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            page(viewer, asked, status, errors).map(Some)
        }
    }
}

fn page(
    viewer: &Viewer,
    asked: &Action<'_>,
    status: StatusCode,
    errors: FormErrors,
) -> Result<HttpResponse, PageError> {
    html(status, &PasswordAgainPage { email: &viewer.user.email, team: viewer.team.id, asked, errors })
}

/// Checks the password, and records the time on success. Attempts count per session, so strangers can't
/// lock the person out.
pub async fn confirm_password(
    app: &App,
    viewer: &Viewer,
    password: &str,
) -> Result<bool, crate::domain::Error> {
    let (user, now, session) = (viewer.user.clone(), viewer.request.now, viewer.session.id);
    let counted = app.write(move |tx| sign_in::count_confirmation(tx, now, session)).await?;
    let right = app.verify_password(Password::unchecked(password), Some(user.password_hash.clone())).await?;
    if right {
        app.write(move |tx| {
            sign_in::give_back_attempt(tx, &counted)?;
            sessions::confirm_password(tx, session, now)
        })
        .await?;
    } else {
        let actor = viewer.actor();
        app.write(move |tx| sign_in::record_failure(tx, &actor, Some(&user))).await?;
    }
    Ok(right)
}
