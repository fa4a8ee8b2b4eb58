//! Signing in and out.

use actix_session::Session as Cookie;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use zeroize::Zeroizing;

use crate::app::App;
use crate::domain::people::passwords::Password;
use crate::domain::people::sessions;
use crate::domain::people::sign_in::{self, CountedAttempt};
use crate::domain::people::teams;
use crate::domain::people::users::User;
use crate::domain::text::EmailAddress;
use crate::domain::{Error, FieldError, Result};
use crate::web::browser::KnownBrowser;
use crate::web::origin;
use crate::web::pages::error::PageError;
use crate::web::pages::{FormErrors, html, see_other};
use crate::web::paths;
use crate::web::request::RequestInfo;
use crate::web::session;
use crate::web::site::Site;

const WRONG: &str = "Wrong email or password.";

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
    /// The HTTPS URL for signing in, if the page seems to be loaded over plain HTTP.
    secure: String,
    errors: FormErrors,
}

/// Shown before setup, because only the operator has the setup link.
#[derive(Template)]
#[template(path = "setup/waiting.html")]
struct WaitingPage;

pub async fn show(
    app: web::Data<App>,
    site: web::Data<Site>,
    request: HttpRequest,
    query: web::Query<Query>,
) -> std::result::Result<HttpResponse, PageError> {
    if !app.read(teams::is_set_up).await? {
        return html(StatusCode::OK, &WaitingPage);
    }
    let insecure = site.url.is_https() && origin::may_be_plain_http(request.headers());
    let secure = if insecure { origin::secure_address(site.url.as_str()) } else { String::new() };
    html(StatusCode::OK, &SignInPage { email: "", next: &query.next, secure, errors: FormErrors::default() })
}

pub async fn sign_in(
    app: web::Data<App>,
    request: RequestInfo,
    cookie: Cookie,
    browser: KnownBrowser,
    form: web::Form<Form>,
) -> std::result::Result<HttpResponse, PageError> {
    match authenticate(&app, &request, &browser, &form).await {
        Ok((key, user)) => {
            session::set_cookie(&cookie, &key);
            browser.remember(see_other(local_path(&form.next)), &user)
        }
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            html(status, &SignInPage { email: &form.email, next: &form.next, secure: String::new(), errors })
        }
    }
}

/// Returns the key of a new session.
async fn authenticate(
    app: &App,
    request: &RequestInfo,
    browser: &KnownBrowser,
    form: &Form,
) -> Result<(String, User)> {
    let email = EmailAddress::parse(&form.email).map_err(|_| wrong_password())?;
    let (user, counted) =
        check(app, request, browser, &email, &form.password).await?.ok_or_else(wrong_password)?;
    Ok((open_session(app, request, user.clone(), counted).await?, user))
}

/// Returns the person if the password is correct. An unknown address takes as long as a wrong password, so that the
/// time doesn't reveal whether the account exists.
pub async fn check(
    app: &App,
    request: &RequestInfo,
    browser: &KnownBrowser,
    email: &EmailAddress,
    password: &str,
) -> Result<Option<(User, CountedAttempt)>> {
    let actor = request.visitor();
    let (attempt, email, presented) = (actor.clone(), email.clone(), browser.presented.clone());
    let (user, counted) =
        app.write(move |tx| sign_in::count_attempt(tx, &attempt, &email, &presented)).await?;
    let phc = user.as_ref().map(|user| user.password_hash.clone());
    let is_correct = app.verify_password(Password::unchecked(password), phc).await?;
    match user {
        Some(user) if is_correct => Ok(Some((user, counted))),
        user => {
            app.write(move |tx| sign_in::record_failure(tx, &actor, user.as_ref())).await?;
            Ok(None)
        }
    }
}

/// Fails if the password was changed during the check.
async fn open_session(
    app: &App,
    request: &RequestInfo,
    user: User,
    counted: CountedAttempt,
) -> Result<String> {
    let key = session::new_key(app);
    let (actor, own) = (request.visitor(), key.clone());
    let opened = app.write(move |tx| {
        sign_in::give_back_attempt(tx, &counted)?;
        sessions::open_verified(tx, &actor, &user, None, &own)
    });
    match opened.await {
        Ok(_) => Ok(key),
        Err(Error::NotFound) => Err(wrong_password()),
        Err(other) => Err(other),
    }
}

fn wrong_password() -> Error {
    FieldError::new("", WRONG).into()
}

/// Returns `next`, unless it leads to another site.
fn local_path(next: &str) -> &str {
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if plain && next.starts_with('/') && !next.starts_with("//") { next } else { paths::HOME.0 }
}

/// Also works for expired sessions and people without a team.
pub async fn sign_out(
    app: web::Data<App>,
    request: RequestInfo,
    cookie: Cookie,
) -> std::result::Result<HttpResponse, PageError> {
    if let Some(key) = session::key(&cookie) {
        let actor = request.visitor();
        app.write(move |tx| sessions::close(tx, &actor, &key)).await?;
    }
    cookie.purge();
    Ok(see_other(paths::SIGN_IN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_in_never_redirects_to_another_site() {
        assert_eq!(local_path("/activity?kind=token"), "/activity?kind=token");
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
            assert_eq!(local_path(bad), "/", "{bad:?}");
        }
    }
}
