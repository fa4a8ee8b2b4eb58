//! `demo`: a sample team in a temporary database, three weeks old when it starts.

mod calendar;
mod letters;
mod live;
mod mailroom;
mod people;
mod script;
mod tokens;
mod traffic;

use std::fs;
use std::path::PathBuf;

use super::serve::{announce, bind, open, run, start_log};
use super::{Failure, message_of};
use crate::app::App;
use crate::config::{Config, Database};
use crate::domain::Result;
use crate::domain::access::secret::PlainToken;
use crate::domain::entropy::{self, SystemEntropy};
use crate::domain::people::passwords::{self, Password};
use crate::domain::sealing::hex;
use calendar::Calendar;
use mailroom::MailServer;

const PASSWORD: &str = "correct horse battery";

/// The target of MX records. Without a public name, the demo would show none.
const MAIL_HOST: &str = "mx.acme.test";

pub fn demo(mut config: Config) -> std::result::Result<(), Failure> {
    start_log(&config)?;
    let ports = bind(&config)?;
    let folder = TemporaryFolder::new();
    config.database = Database(format!("sqlite:{}", folder.0.join("gatepost.db").display()));
    config.data = folder.0.clone();
    config.mail.named_host.get_or_insert_with(|| MAIL_HOST.into());
    config.is_demo = true;
    let app = open(config)?;
    let token = create_sample_team(&app).map_err(message_of)?;
    let own = app.clone();
    run(app, ports, move |url| {
        live::send(own);
        println!(
            "Sign in at {url}/sign-in as ada@acme.test (owner), bea@acme.test (admin) or cy@acme.test (member)"
        );
        announce(&format!("with the password: {PASSWORD}"));
        announce(&format!(
            "Try the API: curl -H \"Authorization: Bearer {}\" {url}/api/v1/me",
            token.reveal()
        ));
        announce("Everything is deleted when you stop the server.");
    })
}

/// Removed on drop.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn new() -> Self {
        let name: [u8; 8] = entropy::bytes(&SystemEntropy);
        Self(std::env::temp_dir().join(format!("gatepost-demo-{}", hex(&name))))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Creates the team in one transaction, because a commit for each of some hundred changes would take
/// seconds. Returns an active token.
fn create_sample_team(app: &App) -> Result<PlainToken> {
    let calendar = Calendar::new(app.now(), app.entropy());
    let hash = passwords::hash(&Password::parse("password", PASSWORD)?, app.entropy_ref());
    let server = MailServer { settings: app.mail_settings(), host: &app.mail_host() };
    app.write_now(|tx| {
        let people = people::create(tx, &calendar, &hash)?;
        let tokens = tokens::create(tx, &calendar, &people, app.sealer())?;
        mailroom::fill(tx, &calendar, &people, &tokens, &server)?;
        tokens::review(tx, &calendar, &people, &tokens)?;
        people::change(tx, &calendar, &people)?;
        traffic::record(tx, &calendar, &people, &tokens)?;
        Ok(tokens.plain)
    })
}
