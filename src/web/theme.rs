//! Light or dark mode, from a cookie, or else the system's preference. The server writes it into each page, so that
//! pages don't flash in the wrong one.

use actix_web::body::MessageBody;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest};

use super::site::Site;

const COOKIE: &str = "gatepost-theme";
const LIFE: Duration = Duration::days(365);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: &'static [Self] = &[Self::System, Self::Light, Self::Dark];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The label of its button.
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    fn of(request: &HttpRequest) -> Self {
        let kept = request.cookie(COOKIE);
        let same = |theme: &&Self| kept.as_ref().is_some_and(|it| it.value() == theme.as_str());
        Self::ALL.iter().find(same).copied().unwrap_or_default()
    }

    /// The cookie that stores it.
    pub fn cookie(self, site: &Site) -> Cookie<'static> {
        Cookie::build(COOKIE, self.as_str())
            .path("/")
            .http_only(true)
            .secure(site.url.is_https())
            .same_site(SameSite::Lax)
            .max_age(if self == Self::System { Duration::ZERO } else { LIFE })
            .finish()
    }
}

tokio::task_local! {
    /// Task-local, because every page needs it, even when signed out.
    static CURRENT: Theme;
}

/// The theme of the current request.
pub fn current() -> Theme {
    CURRENT.try_with(|theme| *theme).unwrap_or_default()
}

/// The attribute of the `<html>` element, with a leading space.
pub fn attribute() -> &'static str {
    match current() {
        Theme::System => "",
        Theme::Light => r#" data-theme="light""#,
        Theme::Dark => r#" data-theme="dark""#,
    }
}

pub async fn read<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let theme = Theme::of(request.request());
    CURRENT.scope(theme, next.call(request)).await
}
