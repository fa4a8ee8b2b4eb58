//! Preferences of this browser, one cookie each. The server renders them into every page, so that no page
//! flashes the default first.

use actix_web::body::MessageBody;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest};

use super::site::Site;
use super::theme::Theme;

const THEME: &str = "gatepost-theme";
const SINGLE_KEYS: &str = "gatepost-single-keys";
const LIFE: Duration = Duration::days(365);

#[derive(Clone, Copy, Debug)]
pub struct Preferences {
    pub theme: Theme,
    /// Whether a key alone, without Ctrl or ⌘, is a shortcut: people who speak to their computer can press
    /// some by accident (WCAG 2.1.4).
    pub single_keys: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { theme: Theme::default(), single_keys: true }
    }
}

impl Preferences {
    fn of(request: &HttpRequest) -> Self {
        let value = |name| request.cookie(name).map(|cookie| cookie.value().to_owned()).unwrap_or_default();
        Self {
            theme: Theme::parse(&value(THEME)).unwrap_or_default(),
            single_keys: value(SINGLE_KEYS) != "off",
        }
    }

    /// The attributes of a page's root.
    pub fn attributes(self) -> String {
        let theme = match self.theme {
            Theme::System => String::new(),
            theme => format!(" data-theme=\"{}\"", theme.as_str()),
        };
        if self.single_keys { theme } else { theme + " data-single-keys=\"off\"" }
    }
}

pub fn theme_cookie(theme: Theme, site: &Site) -> Cookie<'static> {
    cookie(THEME, theme.as_str(), theme != Theme::default(), site)
}

pub fn single_keys_cookie(on: bool, site: &Site) -> Cookie<'static> {
    cookie(SINGLE_KEYS, "off", !on, site)
}

/// Keeps a value, or forgets it.
fn cookie(name: &'static str, value: &'static str, is_kept: bool, site: &Site) -> Cookie<'static> {
    Cookie::build(name, value)
        .path("/")
        .http_only(true)
        .secure(site.url.is_https())
        .same_site(SameSite::Lax)
        .max_age(if is_kept { LIFE } else { Duration::ZERO })
        .finish()
}

tokio::task_local! {
    /// Every page needs them, even signed out, so they are not passed to each template.
    static CURRENT: Preferences;
}

/// Those of the current request.
pub fn current() -> Preferences {
    CURRENT.try_with(|preferences| *preferences).unwrap_or_default()
}

pub async fn read<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let preferences = Preferences::of(request.request());
    CURRENT.scope(preferences, next.call(request)).await
}
