//! Schemathesis: requests generated from the description, valid and invalid, whose responses must match
//! the description.

use gatepost::domain::access::plans::Plan;
use gatepost::web::api;
use tempfile::TempDir;

use super::{ok, ours, python};
use crate::access::rows::things;
use crate::support::{TestApp, both_engines};

/// This operation would revoke the token that the other calls use.
const LAST: &str = "revokeMyToken";

/// Operations that refuse every token.
const FOR_PEOPLE: &str = "^(create|rename|revoke)ApiKey$";

both_engines! {
    /// Uses a token with all scopes. Operations for people refuse it, as described.
    async fn every_response_matches_the_description(app: TestApp) {
        app.switch_api("Acme", true);
        app.set_plan("Acme", Plan::Enterprise);
        let received = things::attachment(&app);
        let there = received.split_once('/').expect("a message and a file of it");
        let all = api::operations().count();
        let printed = called(&app, there, &["--exclude-operation-id", LAST]).await;
        assert!(printed.contains(&format!("Tested: {}", all - 1)), "{printed}");
        let bearer = format!("Authorization: Bearer {}", app.token("Acme", "for people"));
        let printed = called(&app, there, &["--include-operation-id-regex", FOR_PEOPLE, "--header", &bearer]).await;
        assert!(printed.contains("403 Forbidden (3 operations)"), "{printed}");
        let printed = called(&app, there, &["--include-operation-id", LAST]).await;
        assert!(printed.contains("Tested: 1"), "{printed}");
    }
}

/// Runs schemathesis, which must find no failure, and returns its output.
async fn called(app: &TestApp, (message, attachment): (&str, &str), which: &[&str]) -> String {
    let folder = TempDir::new().expect("a folder");
    let mut command = python("schemathesis");
    command.arg("--config-file").arg(ours("schemathesis.toml"));
    command.args(["run", &format!("{}/api/v1/openapi.json", app.base)]).args(which);
    command.env("TOKEN", app.token("Acme", &things::fresh_name(app)));
    command.env("MESSAGE", message).env("ATTACHMENT", attachment).current_dir(folder.path());
    ok(command).await
}
