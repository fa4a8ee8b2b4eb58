//! The page of an invitation link, for the invited person.

use actix_session::Session as Cookie;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use zeroize::Zeroizing;

use super::sign_in;
use crate::app::App;
use crate::domain::people::invitations::{self, Opened};
use crate::domain::people::passwords::Password;
use crate::domain::people::sessions::{self, Session};
use crate::domain::people::sign_in as attempts;
use crate::domain::people::users::{NewPerson, PersonName, User};
use crate::domain::text::EmailAddress;
use crate::domain::{Error, FieldError, Result};
use crate::web::browser::KnownBrowser;
use crate::web::pages::error::PageError;
use crate::web::pages::format::When;
use crate::web::pages::notice::Notice;
use crate::web::pages::{Fields, FormErrors, html_with_secret, see_other_with};
use crate::web::paths;
use crate::web::request::RequestInfo;
use crate::web::session;

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Form {
    name: String,
    password: Zeroizing<String>,
}

#[derive(Template)]
#[template(path = "invitations/page.html")]
struct InvitationPage<'a> {
    link: &'a str,
    opened: &'a Opened,
    visitor: &'a Visitor,
    ends: When,
    person: &'a str,
    errors: FormErrors,
}

/// The person who opened the link. The page doesn't reveal whether the address has an account: otherwise people could
/// invite any address to find out. Only submitting a password does, and that is recorded.
enum Visitor {
    /// Not signed in. The password opens or creates the account.
    Anonymous,
    /// Signed in with the invited address.
    Invited(Session),
    Other(User),
}

pub async fn show(
    app: web::Data<App>,
    request: RequestInfo,
    cookie: Cookie,
    link: web::Path<String>,
) -> std::result::Result<HttpResponse, PageError> {
    let (opened, visitor) = open(&app, &request, &cookie, &link).await?;
    page(StatusCode::OK, &link, &opened, &visitor, "", FormErrors::default())
}

pub async fn accept(
    app: web::Data<App>,
    request: RequestInfo,
    cookie: Cookie,
    browser: KnownBrowser,
    link: web::Path<String>,
    form: web::Form<Form>,
) -> std::result::Result<HttpResponse, PageError> {
    let (opened, visitor) = open(&app, &request, &cookie, &link).await?;
    let joined = match &visitor {
        Visitor::Anonymous => {
            let joining = Joining { app: &app, request: &request, secret: &link };
            joining.join_with_password(&browser, &opened, &form).await.map(Some)
        }
        Visitor::Invited(session) => join(&app, &request, &link, session).await.map(|()| None),
        Visitor::Other(_) => {
            return page(StatusCode::CONFLICT, &link, &opened, &visitor, "", FormErrors::default());
        }
    };
    match joined {
        Ok(None) => Ok(see_other_with(paths::INBOX, Notice::Joined)),
        Ok(Some((key, user))) => {
            session::set_cookie(&cookie, &key);
            browser.remember(see_other_with(paths::INBOX, Notice::Joined), &user)
        }
        Err(Error::NotFound) => Err(PageError::dead_link()),
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            page(status, &link, &opened, &visitor, &form.name, errors)
        }
    }
}

fn page(
    status: StatusCode,
    link: &str,
    opened: &Opened,
    visitor: &Visitor,
    person: &str,
    errors: FormErrors,
) -> std::result::Result<HttpResponse, PageError> {
    let ends = When(opened.invitation.expires_at);
    html_with_secret(status, &InvitationPage { link, opened, visitor, ends, person, errors })
}

async fn open(
    app: &App,
    request: &RequestInfo,
    cookie: &Cookie,
    link: &str,
) -> std::result::Result<(Opened, Visitor), PageError> {
    let key = session::key(cookie);
    let (secret, now) = (link.to_owned(), request.now);
    let found = app.read(move |tx| {
        let opened = invitations::open(tx, &secret, now)?;
        let signed_in = key.map(|key| sessions::find(tx, &key, now)).transpose()?.flatten();
        let visitor = visitor(opened.account.clone(), signed_in);
        Ok((opened, visitor))
    });
    found.await.map_err(|error| match error {
        Error::NotFound => PageError::dead_link(),
        other => other.into(),
    })
}

fn visitor(account: Option<User>, signed_in: Option<(Session, User)>) -> Visitor {
    match (account, signed_in) {
        (Some(account), Some((session, user))) if account.id == user.id => Visitor::Invited(session),
        (_, Some((_, user))) => Visitor::Other(user),
        (_, None) => Visitor::Anonymous,
    }
}

/// Joining without a session.
struct Joining<'a> {
    app: &'a App,
    request: &'a RequestInfo,
    secret: &'a str,
}

impl Joining<'_> {
    /// Joins with the existing account of the address, or a new one. Validates the form before looking up the account, so
    /// that errors don't reveal whether it exists.
    async fn join_with_password(
        &self,
        browser: &KnownBrowser,
        opened: &Opened,
        form: &Form,
    ) -> Result<(String, User)> {
        let email = EmailAddress::parse(&opened.invitation.email)?;
        let mut fields = Fields::default();
        let name = if form.name.trim().is_empty() { email.as_str() } else { &form.name };
        let name = fields.take(PersonName::parse(name));
        let password = fields.take(Password::parse("password", &form.password));
        let (name, password) = fields.done(name.zip(password))?;
        match opened.account {
            Some(_) => self.join_as_known(browser, &email, &form.password).await,
            None => {
                let password_hash = self.app.hash_password(password).await?;
                self.join_as_new(NewPerson { email, name, password_hash }).await
            }
        }
    }

    /// Returns the key of the first session, and the person.
    async fn join_as_new(&self, person: NewPerson) -> Result<(String, User)> {
        let (actor, key, secret) =
            (self.request.visitor(), session::new_key(self.app), self.secret.to_owned());
        let own = key.clone();
        let joined = self.app.write(move |tx| {
            let (team, user) = invitations::accept_as_new(tx, &actor, &secret, &person)?;
            sessions::open(tx, &actor, user.id, Some(team.id), &own)?;
            Ok(user)
        });
        Ok((key, joined.await?))
    }

    /// The link alone doesn't open an existing account, because its sender has seen it too.
    async fn join_as_known(
        &self,
        browser: &KnownBrowser,
        email: &EmailAddress,
        password: &str,
    ) -> Result<(String, User)> {
        let checked = sign_in::check(self.app, self.request, browser, email, password).await?;
        let (user, counted) =
            checked.ok_or_else(|| FieldError::new("password", "Wrong password for this account."))?;
        let (actor, key, secret) =
            (self.request.visitor(), session::new_key(self.app), self.secret.to_owned());
        let (own, verified) = (key.clone(), user.clone());
        let joined = self.app.write(move |tx| {
            attempts::give_back_attempt(tx, &counted)?;
            let (team, _) = invitations::accept_as_known(tx, &actor, &secret)?;
            sessions::open_verified(tx, &actor, &verified, Some(team.id), &own)
        });
        joined.await?;
        Ok((key, user))
    }
}

/// Also switches the session to the new team.
async fn join(app: &App, request: &RequestInfo, link: &str, session: &Session) -> Result<()> {
    let (actor, secret, session) = (request.visitor(), link.to_owned(), session.clone());
    app.write(move |tx| {
        let (team, user) = invitations::accept_as_known(tx, &actor, &secret)?;
        sessions::switch_team(tx, &actor.as_person(user.id, &user.email), &session, team.id)
    })
    .await
}
