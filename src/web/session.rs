//! The dashboard's sessions, kept in the store behind actix-session.
//!
//! A session's row is made by the sign-in itself, in one transaction with its record. What
//! actix-session adds is the cookie: it hands the secret value out, and turns it back into
//! the session on each request. Nothing else is kept in it.

use std::collections::HashMap;

use actix_session::config::{CookieContentSecurity, PersistentSession, TtlExtensionPolicy};
use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::{Key, SameSite};

use super::site::Site;
use crate::app::App;
use crate::domain::Error;
use crate::domain::entropy;
use crate::domain::people::sessions::{self, IDLE};
use crate::domain::sealing::hex;

type State = HashMap<String, String>;

/// Entries of the state: the cookie's value, and that the store did not answer.
const KEY: &str = "key";
const FAULT: &str = "fault";

pub struct StoredSessions(App);

/// A new value for a cookie, to open a session under.
pub fn new_key(app: &App) -> String {
    hex(&entropy::bytes::<32>(&*app.entropy()))
}

/// Hands the browser the cookie of a session that was opened under `key`; the one it came
/// with ends.
pub fn hand_out(session: &Session, key: &str) {
    session.renew();
    // A string always serialises.
    let _ = session.insert(KEY, key);
}

/// What the browser presented.
pub enum Presented {
    Nothing,
    Key(String),
    /// There is a cookie, but the store cannot say whose.
    Unknown,
}

pub fn presented(session: &Session) -> Presented {
    if session.entries().contains_key(FAULT) {
        return Presented::Unknown;
    }
    match session.get::<String>(KEY) {
        Ok(Some(key)) => Presented::Key(key),
        _ => Presented::Nothing,
    }
}

pub fn middleware(app: &App, site: &Site) -> SessionMiddleware<StoredSessions> {
    let key = Key::from(&*app.sealer().key.cookie_key());
    let secure = site.url.is_https();
    SessionMiddleware::builder(StoredSessions(app.clone()), key)
        .cookie_name(if secure { "__Host-gatepost".into() } else { "gatepost".into() })
        .cookie_secure(secure)
        .cookie_http_only(true)
        .cookie_same_site(SameSite::Lax)
        .cookie_path("/".into())
        .cookie_content_security(CookieContentSecurity::Signed)
        .session_lifecycle(
            PersistentSession::default()
                .session_ttl(actix_web::cookie::time::Duration::seconds(IDLE.whole_seconds()))
                .session_ttl_extension_policy(TtlExtensionPolicy::OnEveryRequest),
        )
        .build()
}

impl SessionStore for StoredSessions {
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        let entry = |name: &str, value: &str| Ok(Some(State::from([(name.into(), format!("\"{value}\""))])));
        match self.find(key.as_ref()).await {
            Ok(true) => entry(KEY, key.as_ref()),
            Ok(false) => Ok(None),
            Err(cause) => {
                tracing::error!(%cause, "a session could not be read");
                entry(FAULT, "store")
            }
        }
    }

    async fn save(
        &self,
        state: State,
        _: &actix_web::cookie::time::Duration,
    ) -> Result<SessionKey, SaveError> {
        let key = state.get(KEY).map(|json| json.trim_matches('"').to_owned());
        key.and_then(|key| SessionKey::try_from(key).ok()).ok_or_else(|| {
            SaveError::Other(anyhow::anyhow!("a session was handed out that was never opened"))
        })
    }

    async fn update(
        &self,
        key: SessionKey,
        _: State,
        _: &actix_web::cookie::time::Duration,
    ) -> Result<SessionKey, UpdateError> {
        Ok(key)
    }

    /// Reading a session already notes that it is in use.
    async fn update_ttl(
        &self,
        _: &SessionKey,
        _: &actix_web::cookie::time::Duration,
    ) -> Result<(), anyhow::Error> {
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        let actor = self.0.visitor();
        let key = key.as_ref().to_owned();
        // An error here would leave as a bare 500, past every page. The session that is
        // replaced is the same browser's, and ends by itself.
        if let Err(cause) = self.0.write(move |tx| sessions::close(tx, &actor, &key)).await {
            tracing::error!(%cause, "a session that was replaced could not be ended");
        }
        Ok(())
    }
}

impl StoredSessions {
    async fn find(&self, key: &str) -> Result<bool, Error> {
        let now = self.0.now();
        let own = key.to_owned();
        let found = self.0.read(move |tx| sessions::find(tx, &own, now)).await?;
        let Some(session) = found else { return Ok(false) };
        if sessions::wants_touch(&session, now) {
            let own = key.to_owned();
            self.0.write(move |tx| sessions::touch(tx, &own, now)).await?;
        }
        Ok(true)
    }
}
