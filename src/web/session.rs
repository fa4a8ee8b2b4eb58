//! The dashboard's sessions, with actix-session for the cookie.
//!
//! Signing in writes the session's row, in one transaction with its activity. Actix-session only reads and writes
//! the signed cookie. It doesn't use the store: [`super::viewer`] loads the session with everything a page needs,
//! in one transaction.

use std::collections::HashMap;

use actix_session::config::{CookieContentSecurity, PersistentSession, TtlExtensionPolicy};
use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::{Key, SameSite};

use super::site::Site;
use crate::app::App;
use crate::domain::entropy;
use crate::domain::people::sessions::{self, IDLE_LIFETIME};
use crate::domain::sealing::hex;

type State = HashMap<String, String>;

/// The only entry of the state: the cookie's value.
const KEY: &str = "key";

pub struct StoredSessions(App);

/// Creates the cookie's value for a new session.
pub fn new_key(app: &App) -> String {
    hex(&entropy::bytes::<32>(&*app.entropy()))
}

/// Sets the cookie of a session that was opened under `key`. The browser's previous session ends.
pub fn set_cookie(session: &Session, key: &str) {
    session.renew();
    // Serializing a string can't fail.
    let _ = session.insert(KEY, key);
}

/// The key in the browser's cookie. The session may have ended.
pub fn key(session: &Session) -> Option<String> {
    session.get::<String>(KEY).ok().flatten()
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
                .session_ttl(actix_web::cookie::time::Duration::seconds(IDLE_LIFETIME.whole_seconds()))
                .session_ttl_extension_policy(TtlExtensionPolicy::OnEveryRequest),
        )
        .build()
}

impl SessionStore for StoredSessions {
    /// The cookie's signature proves that this instance issued the key. [`super::viewer`] loads the
    /// session when it is needed.
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        Ok(Some(State::from([(KEY.into(), format!("\"{}\"", key.as_ref()))])))
    }

    async fn save(
        &self,
        state: State,
        _: &actix_web::cookie::time::Duration,
    ) -> Result<SessionKey, SaveError> {
        let key = state.get(KEY).map(|json| json.trim_matches('"').to_owned());
        key.and_then(|key| SessionKey::try_from(key).ok()).ok_or_else(|| {
            SaveError::Other(anyhow::anyhow!("the session's cookie was set without a session"))
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

    /// [`super::viewer`] updates the time of last use.
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
        // An error here would become an empty 500. The replaced session belongs to the same browser and expires
        // anyway.
        if let Err(cause) = self.0.write(move |tx| sessions::close(tx, &actor, &key)).await {
            tracing::error!(%cause, "could not end a replaced session");
        }
        Ok(())
    }
}
