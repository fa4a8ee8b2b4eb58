//! The account: name, password and sessions.

use actix_session::Session as Cookie;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use zeroize::Zeroizing;

use super::sessions::SessionRow;
use crate::app::App;
use crate::domain::people::passwords::Password;
use crate::domain::people::sessions;
use crate::domain::people::users::{self, PersonName, User};
use crate::domain::{FieldError, Result};
use crate::web::browser::KnownBrowser;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Member;
use crate::web::pages::layout::Layout;
use crate::web::pages::notice::Notice;
use crate::web::pages::password_again;
use crate::web::pages::{Fields, FormErrors, html, see_other_with};
use crate::web::paths;
use crate::web::preferences;
use crate::web::session;
use crate::web::site::Site;
use crate::web::viewer::Viewer;

type Answer = std::result::Result<HttpResponse, PageError>;

#[derive(Template)]
#[template(path = "account/page.html")]
struct AccountPage<'a> {
    layout: Layout,
    person: &'a str,
    sessions: Vec<SessionRow>,
    errors: FormErrors,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct NameForm {
    name: String,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct PasswordForm {
    current: Zeroizing<String>,
    password: Zeroizing<String>,
}

pub async fn show(app: web::Data<App>, member: Member) -> Answer {
    render(&app, &member, StatusCode::OK, &member.user.name, FormErrors::default()).await
}

async fn render(app: &App, viewer: &Viewer, status: StatusCode, person: &str, errors: FormErrors) -> Answer {
    let (user, own, now) = (viewer.user.id, viewer.session.id, viewer.request.now);
    let sessions = app.read(move |tx| sessions::list(tx, user, now)).await?;
    let mut sessions: Vec<_> = sessions.into_iter().map(|row| SessionRow::new(row, own)).collect();
    sessions.sort_by_key(|row| !row.is_this);
    html(status, &AccountPage { layout: Layout::new(viewer, "account"), person, sessions, errors })
}

pub async fn rename(app: web::Data<App>, member: Member, form: web::Form<NameForm>) -> Answer {
    let name = match PersonName::parse(&form.name) {
        Ok(name) => name,
        Err(error) => {
            let (status, errors) = FormErrors::of(error.into())?;
            return render(&app, &member, status, &form.name, errors).await;
        }
    };
    if name.as_str() == member.user.name {
        return Ok(see_other_with(paths::ACCOUNT, Notice::NothingChanged));
    }
    let (actor, user) = (member.actor(), member.user.id);
    app.write(move |tx| users::rename(tx, &actor, user, &name)).await?;
    Ok(see_other_with(paths::ACCOUNT, Notice::NameChanged))
}

#[derive(serde::Deserialize)]
pub struct SwitchForm {
    #[serde(default)]
    state: String,
}

/// Stored in the browser, because it concerns the keyboard of this device.
pub async fn switch_single_keys(_: Member, site: web::Data<Site>, form: web::Form<SwitchForm>) -> Answer {
    let (on, notice) = match form.state.as_str() {
        "on" => (true, Notice::SingleKeysOn),
        "off" => (false, Notice::SingleKeysOff),
        _ => return Err(PageError::bad_request("The field state must be on or off.")),
    };
    let mut response = see_other_with(paths::ACCOUNT, notice);
    response.add_cookie(&preferences::single_keys_cookie(on, &site)).map_err(PageError::fault)?;
    Ok(response)
}

pub async fn change_password(
    app: web::Data<App>,
    member: Member,
    cookie: Cookie,
    browser: KnownBrowser,
    form: web::Form<PasswordForm>,
) -> Answer {
    match replace_password(&app, &member, &form).await {
        Ok((key, user)) => {
            session::set_cookie(&cookie, &key);
            browser.remember(see_other_with(paths::ACCOUNT, Notice::PasswordChanged), &user)
        }
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            render(&app, &member, status, &member.user.name, errors).await
        }
    }
}

/// Changes the password, and replaces all sessions with a new one for this browser, in one transaction. Returns the
/// session's key and the updated person.
async fn replace_password(app: &App, viewer: &Viewer, form: &PasswordForm) -> Result<(String, User)> {
    let mut fields = Fields::default();
    let new = fields.take(Password::parse("password", &form.password));
    let new = fields.done(new)?;
    if !password_again::confirm_password(app, viewer, &form.current).await? {
        return Err(FieldError::new("current", "Wrong password.").into());
    }
    let hash = app.hash_password(new).await?;
    let (actor, user, team, key) = (viewer.actor(), viewer.user.id, viewer.team.id, session::new_key(app));
    let own = key.clone();
    let changed = app.write(move |tx| {
        users::change_password(tx, &actor, user, &hash, None)?;
        sessions::open(tx, &actor, user, Some(team), &own)?;
        users::find(tx, user)
    });
    Ok((key, changed.await?))
}
