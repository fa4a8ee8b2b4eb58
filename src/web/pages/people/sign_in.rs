//! Signing in and out.

use actix_session::Session as Cookie;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use zeroize::Zeroizing;

use crate::app::App;
use crate::domain::people::passwords::Password;
use crate::domain::people::users::User;
use crate::domain::people::{sessions, sign_in};
use crate::domain::text::EmailAddress;
use crate::domain::{Error, FieldError, Result};
use crate::web::pages::error::PageError;
use crate::web::pages::{FormErrors, html, see_other};
use crate::web::request::RequestInfo;
use crate::web::session;

const WRONG: &str = "The e-mail address or the password is wrong.";

#[derive(serde::Deserialize)]
pub struct Form {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: Zeroizing<String>,
    #[serde(default)]
    next: String,
}

#[derive(serde::Deserialize)]
pub struct Query {
    #[serde(default)]
    next: String,
}

#[derive(Template)]
#[template(path = "sign_in/page.html")]
struct SignInPage<'a> {
    email: &'a str,
    next: &'a str,
    errors: FormErrors,
}

pub async fn show(query: web::Query<Query>) -> std::result::Result<HttpResponse, PageError> {
    html(StatusCode::OK, &SignInPage { email: "", next: &query.next, errors: FormErrors::default() })
}

pub async fn enter(
    app: web::Data<App>,
    request: RequestInfo,
    cookie: Cookie,
    form: web::Form<Form>,
) -> std::result::Result<HttpResponse, PageError> {
    let entered = match check(&app, &request, &form).await {
        Ok(user) => open_session(&app, &request, user).await,
        Err(error) => Err(error),
    };
    match entered {
        Ok(key) => {
            session::hand_out(&cookie, &key);
            Ok(see_other(path_of_ours(&form.next)))
        }
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            html(status, &SignInPage { email: &form.email, next: &form.next, errors })
        }
    }
}

/// The person, if the password is theirs. Nothing tells an unknown address from a wrong
/// password, not even the time it takes.
async fn check(app: &App, request: &RequestInfo, form: &Form) -> Result<User> {
    let email = EmailAddress::parse(&form.email).map_err(|_| wrong())?;
    let by = request.by_visitor();
    let attempt = by.clone();
    let user = app.write(move |tx| sign_in::begin(tx, &attempt, &email)).await?;
    let phc = user.as_ref().map(|user| user.password_hash.clone());
    let right = app.verify_password(Password::presented(&form.password), phc).await?;
    match user {
        Some(user) if right => Ok(user),
        user => {
            app.write(move |tx| sign_in::failed(tx, &by, user.as_ref())).await?;
            Err(wrong())
        }
    }
}

/// A password that was changed while it was checked is a wrong one.
async fn open_session(app: &App, request: &RequestInfo, user: User) -> Result<String> {
    let key = session::new_key(app);
    let (by, own) = (request.by_visitor(), key.clone());
    let opened = app.write(move |tx| sessions::open_verified(tx, &by, &user, None, &own));
    match opened.await {
        Ok(_) => Ok(key),
        Err(Error::NotFound) => Err(wrong()),
        Err(other) => Err(other),
    }
}

fn wrong() -> Error {
    FieldError::new("", WRONG).into()
}

/// Where `next` leads, if that is a page of this site.
fn path_of_ours(next: &str) -> &str {
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if plain && next.starts_with('/') && !next.starts_with("//") { next } else { "/inbox" }
}

/// Also for somebody whose session has ended, or who is in no team any more.
pub async fn leave(
    app: web::Data<App>,
    request: RequestInfo,
    cookie: Cookie,
) -> std::result::Result<HttpResponse, PageError> {
    match session::presented(&cookie) {
        session::Presented::Key(key) => {
            let by = request.by_visitor();
            app.write(move |tx| sessions::close(tx, &by, &key)).await?;
        }
        session::Presented::Unknown => {
            return Err(Error::out_of_reach("the session could not be read").into());
        }
        session::Presented::Nothing => {}
    }
    cookie.purge();
    Ok(see_other("/sign-in"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_never_leads_off_the_site() {
        assert_eq!(path_of_ours("/activity?kind=token"), "/activity?kind=token");
        for bad in [
            "",
            "//evil.test",
            "https://evil.test",
            "/\\evil.test",
            "/\t/evil.test",
            "javascript:alert(1)",
            "/\u{1}",
            "/\0",
            "/é",
        ] {
            assert_eq!(path_of_ours(bad), "/inbox", "{bad:?}");
        }
    }
}
