//! The whole flow: set up, turn on the API, create a token, copy it, call the API, see its usage, and revoke it.

use std::process::Command;

use crate::support::Browser;
use crate::support::process::{Gatepost, Serving};

pub const PASSWORD: &str = "correct horse battery";

/// Runs a printed command unchanged in a shell, and returns the body and the status.
pub fn paste(line: &str) -> (String, String) {
    let output = Command::new("sh").args(["-c", &format!("{line} -sS -w '\\n%{{http_code}}'")]).output();
    let printed = String::from_utf8(output.expect("a shell").stdout).expect("UTF-8");
    let (body, status) = printed.rsplit_once('\n').expect("a status");
    (body.to_owned(), status.to_owned())
}

pub async fn set_up(browser: &Browser, serving: &Serving) {
    browser.visit(&serving.setup_address()).await;
    browser.fill("Team name", "Acme").await;
    browser.fill("Your name", "Ada Lovelace").await;
    browser.fill("Email", "ada@acme.test").await;
    browser.fill("Password", PASSWORD).await;
    browser.press("Create team").await;
    browser.sees("Your team is ready").await;
}

/// Checks that the browser stores no part of the secret after leaving the page.
async fn keeps_nothing(browser: &Browser, secret: &str) {
    let kept = "return JSON.stringify([localStorage, sessionStorage, history.state, document.cookie, location.href])";
    let kept = browser.script(kept, Vec::new()).await.to_string();
    assert!(!kept.contains(&secret[15..]), "the browser keeps the secret: {kept}");
}

#[tokio::test]
async fn a_team_is_set_up_and_a_token_created_used_and_revoked() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    browser.visit(&serving.setup_address()).await;
    browser.inspect("setup").await;
    set_up(&browser, &serving).await;
    browser.sees("API access is off").await;
    browser.inspect("developer-off").await;

    browser.press("Turn on API access").await;
    browser.sees("No tokens yet").await;
    browser.inspect("developer-empty").await;
    browser.press("Create token").await;
    browser.sees("You'll see the token once").await;
    browser.inspect("developer-create").await;
    browser.fill("Token name", "ci").await;
    browser.find("#dialog .dialog-foot .button-primary").await.click().await.expect("a click");
    browser.sees("You won't see it again").await;
    let secret = browser.text("#token-value").await;
    assert!(secret.starts_with("gp_") && secret.len() == 53, "{secret}");
    browser.inspect("developer-reveal").await;

    browser.allow_clipboard().await;
    browser.press("Copy the token").await;
    browser.sees("Copied").await;
    assert_eq!(browser.clipboard().await, secret);

    let line = browser.text("#token-curl").await;
    let (body, status) = paste(&line);
    assert_eq!(status, "200", "{line} answered {body}");
    assert!(body.contains("\"name\":\"Acme\"") && body.contains("\"name\":\"ci\""), "{body}");
    browser.find("#tokens .token-used time").await;

    browser.press("Done").await;
    assert_eq!(browser.text("#tokens-count").await, "1");
    assert!(!browser.shows(&secret).await);
    keeps_nothing(&browser, &secret).await;
    browser.back().await;
    assert!(!browser.shows(&secret).await, "Back shows the secret again");
    browser.visit("/developer").await;
    browser.inspect("developer-tokens").await;

    // Only CSS shows the checkboxes, and they can be focused only while they apply.
    browser.visit("/developer/tokens/new").await;
    let seen = "return document.getElementById('scope-aliases:write').checkVisibility()";
    assert_eq!(browser.script(seen, Vec::new()).await, serde_json::json!(false));
    browser.find("#access-some").await.click().await.expect("a click");
    assert_eq!(browser.script(seen, Vec::new()).await, serde_json::json!(true));
    browser.inspect("developer-scopes").await;

    browser.visit("/developer").await;
    browser.press("More actions for ci").await;
    browser.press("Revoke").await;
    browser.sees("requests, last 24 h").await;
    browser.inspect("revoke-dialog").await;
    browser.fill("Reason (optional)", "the laptop was stolen").await;
    browser.press("Revoke token").await;
    browser.sees("Token revoked").await;
    let (body, status) = paste(&line);
    assert_eq!(status, "401", "{body}");
    assert!(body.contains("has been revoked"), "{body}");
    browser.press("Revoked 1").await;
    let row = browser.text("#revoked").await;
    for part in ["ci", "ada@acme.test", "the laptop was stolen"] {
        assert!(row.to_lowercase().contains(part), "the revoked row lacks {part:?}: {row}");
    }
    browser.inspect("developer-revoked").await;
}

#[tokio::test]
async fn copying_without_a_clipboard_shows_a_hint() {
    // Plain HTTP on a name other than localhost is not a secure context: the clipboard API is missing, and
    // only the older command works.
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let insecure = serving.base.replace("127.0.0.1", crate::support::session::INSECURE_HOST);
    let browser = Browser::open(&insecure).await;
    let address = serving.setup_address();
    browser.visit(&address.replace(&serving.base, &insecure)).await;
    browser.fill("Team name", "Acme").await;
    browser.fill("Your name", "Ada").await;
    browser.fill("Email", "ada@acme.test").await;
    browser.fill("Password", PASSWORD).await;
    browser.press("Create team").await;
    browser.sees("API access is off").await;
    browser.visit("/developer/tokens/new").await;
    browser.fill("Token name", "ci").await;
    browser.press("Create token").await;
    let secret = browser.text("#token-value").await;
    browser.script("document.execCommand = () => false", Vec::new()).await;
    browser.press("Copy the token").await;
    browser.sees("Copying failed").await;
    let selected = browser.script("return getSelection().toString().trim()", Vec::new()).await;
    assert_eq!(selected.as_str(), Some(secret.as_str()), "the text is selected");
}
