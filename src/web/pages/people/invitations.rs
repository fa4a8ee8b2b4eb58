//! The invited person's side: what a one-time link leads to.

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
use crate::domain::people::users::{self, NewPerson, PersonName, User};
use crate::domain::text::EmailAddress;
use crate::domain::{Error, FieldError, Result};
use crate::web::browser::KnownBrowser;
use crate::web::pages::error::PageError;
use crate::web::pages::notice::Notice;
use crate::web::pages::when::When;
use crate::web::pages::{Fields, FormErrors, html, see_other_with};
use crate::web::paths;
use crate::web::request::RequestInfo;
use crate::web::session::{self, Presented};

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
    holder: &'a Holder,
    ends: When,
    person: &'a str,
    errors: FormErrors,
}

/// Who came with the link. The page does not show whether its address has an account: people
/// could invite any address to find out. Sending a password still does, and is recorded.
enum Holder {
    /// Not signed in here. Their password opens the account, or makes it.
    Stranger,
    /// The address's account is signed in here.
    SignedIn(Session),
    /// Another account is signed in here.
    Other(User),
}

pub async fn show(
    app: web::Data<App>,
    request: RequestInfo,
    cookie: Cookie,
    link: web::Path<String>,
) -> std::result::Result<HttpResponse, PageError> {
    let (opened, holder) = open(&app, &request, &cookie, &link).await?;
    page(StatusCode::OK, &link, &opened, &holder, "", FormErrors::default())
}

pub async fn accept(
    app: web::Data<App>,
    request: RequestInfo,
    cookie: Cookie,
    browser: KnownBrowser,
    link: web::Path<String>,
    form: web::Form<Form>,
) -> std::result::Result<HttpResponse, PageError> {
    let (opened, holder) = open(&app, &request, &cookie, &link).await?;
    let joined = match &holder {
        Holder::Stranger => {
            let with = Link { app: &app, request: &request, secret: &link };
            with.join_with_password(&browser, &opened, &form).await.map(Some)
        }
        Holder::SignedIn(session) => join(&app, &request, &link, session).await.map(|()| None),
        Holder::Other(_) => {
            return page(StatusCode::CONFLICT, &link, &opened, &holder, "", FormErrors::default());
        }
    };
    match joined {
        Ok(None) => Ok(see_other_with(paths::INBOX, Notice::Joined)),
        Ok(Some((key, user))) => {
            session::hand_out(&cookie, &key);
            browser.remember(see_other_with(paths::INBOX, Notice::Joined), &user)
        }
        Err(Error::NotFound) => Err(PageError::dead_link()),
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            page(status, &link, &opened, &holder, &form.name, errors)
        }
    }
}

fn page(
    status: StatusCode,
    link: &str,
    opened: &Opened,
    holder: &Holder,
    person: &str,
    errors: FormErrors,
) -> std::result::Result<HttpResponse, PageError> {
    let ends = When(opened.invitation.expires_at);
    html(status, &InvitationPage { link, opened, holder, ends, person, errors })
}

async fn open(
    app: &App,
    request: &RequestInfo,
    cookie: &Cookie,
    link: &str,
) -> std::result::Result<(Opened, Holder), PageError> {
    let key = match session::presented(cookie) {
        Presented::Key(key) => Some(key),
        Presented::Nothing => None,
        Presented::Unknown => return Err(Error::out_of_reach("the session could not be read").into()),
    };
    let (secret, now) = (link.to_owned(), request.now);
    let found = app.read(move |tx| {
        let opened = invitations::open(tx, &secret, now)?;
        let session = key.map(|key| sessions::find(tx, &key, now)).transpose()?.flatten();
        let signed_in = session.map(|session| Ok::<_, Error>((users::find(tx, session.user_id)?, session)));
        let holder = holder(opened.account.clone(), signed_in.transpose()?);
        Ok((opened, holder))
    });
    found.await.map_err(|error| match error {
        Error::NotFound => PageError::dead_link(),
        other => other.into(),
    })
}

fn holder(account: Option<User>, signed_in: Option<(User, Session)>) -> Holder {
    match (account, signed_in) {
        (Some(account), Some((user, session))) if account.id == user.id => Holder::SignedIn(session),
        (_, Some((user, _))) => Holder::Other(user),
        (_, None) => Holder::Stranger,
    }
}

/// A link in the hands of somebody who is not signed in.
struct Link<'a> {
    app: &'a App,
    request: &'a RequestInfo,
    secret: &'a str,
}

impl Link<'_> {
    /// Joins with the account that the address has, or else with a new one. The form is checked
    /// before the account is looked at: an error must not say whether there is one.
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

    /// Makes the account, its membership and its first session in one transaction; returns the
    /// session's key and the person.
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

    /// The link alone does not open an existing account: its sender has seen it too.
    async fn join_as_known(
        &self,
        browser: &KnownBrowser,
        email: &EmailAddress,
        password: &str,
    ) -> Result<(String, User)> {
        let checked = sign_in::check(self.app, self.request, browser, email, password).await?;
        let (user, counted) = checked
            .ok_or_else(|| FieldError::new("password", "This is not the password of your account here."))?;
        let (actor, key, secret) =
            (self.request.visitor(), session::new_key(self.app), self.secret.to_owned());
        let (own, verified) = (key.clone(), user.clone());
        let joined = self.app.write(move |tx| {
            attempts::succeeded(tx, &counted)?;
            let (team, _) = invitations::accept_as_known(tx, &actor, &secret)?;
            sessions::open_verified(tx, &actor, &verified, Some(team.id), &own)
        });
        joined.await?;
        Ok((key, user))
    }
}

/// Joins with the session at hand, which looks at the new team from now on.
async fn join(app: &App, request: &RequestInfo, link: &str, session: &Session) -> Result<()> {
    let (actor, secret, session) = (request.visitor(), link.to_owned(), session.clone());
    app.write(move |tx| {
        let (team, user) = invitations::accept_as_known(tx, &actor, &secret)?;
        sessions::switch_team(tx, &actor.as_person(user.id, &user.email), &session, team.id)
    })
    .await
}
