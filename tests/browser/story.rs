//! The whole flow: set up, turn on the API, create a token, copy it, call the API, see its usage, and revoke it.

use std::process::Command;

use crate::support::process::{Gatepost, Serving};
use crate::support::{Browser, ENTER};

pub const PASSWORD: &str = "correct horse battery";

/// Runs a printed command unchanged in a shell, and returns the body and the status.
fn paste(line: &str) -> (String, String) {
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
async fn the_flow_works_without_javascript() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    browser.javascript(false).await;
    set_up(&browser, &serving).await;
    browser.press("Turn on API access").await;
    browser.sees("API access is on").await;
    browser.press_through("Create token").await;
    browser.fill("Token name", "ci").await;
    browser.press("Create token").await;
    let line = browser.text("#token-curl").await;
    assert_eq!(paste(&line).1, "200");
    browser.press("Done").await;
    browser.press("More actions for ci").await;
    browser.press("Revoke").await;
    browser.sees("requests, last 24 h").await;
    browser.press("Revoke token").await;
    browser.sees("Token revoked").await;
    assert_eq!(paste(&line).1, "401");
    browser.visit("/developer/settings").await;
    browser.press("On").await;
    browser.sees("Turn off API access?").await;
    browser.press("Turn off").await;
    browser.sees("API access is off").await;
    browser.open_menu().await;
    browser.press("Sign out").await;
    browser.sees("Sign in").await;
}

#[tokio::test]
async fn the_flow_works_with_the_keyboard_alone() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    set_up(&browser, &serving).await;
    browser.tab_to("main form button").await;
    browser.keys(ENTER).await;
    browser.sees("No tokens yet").await;
    browser.tab_to("#create").await;
    browser.keys(ENTER).await;
    browser.sees("You'll see the token once").await;
    browser.tab_to("#dialog #name").await;
    browser.keys("ci").await;
    browser.keys(ENTER).await;
    browser.sees("You won't see it again").await;
    browser.allow_clipboard().await;
    browser.tab_to("[data-copy='#token-value']").await;
    browser.keys(ENTER).await;
    browser.sees("Copied").await;
    assert_eq!(browser.clipboard().await, browser.text("#token-value").await);
    browser.tab_to(".reveal .button-primary[href='/developer']").await;
    browser.keys(ENTER).await;
    browser.tab_to("#tokens .menu > summary[id$=menu]").await;
    browser.keys(ENTER).await;
    browser.tab_to("#tokens .menu-list .is-danger").await;
    browser.keys(ENTER).await;
    browser.tab_to("#dialog .button-danger").await;
    browser.keys(ENTER).await;
    browser.sees("Token revoked").await;
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

#[tokio::test]
async fn every_page_passes_inspection_on_desktop_and_phone() {
    let demo = Gatepost::new().start(&["demo"]);
    demo.wait_for("3 messages arrived by SMTP");
    let browser = Browser::open(&demo.base).await;
    browser.visit("/sign-in").await;
    browser.inspect("sign-in").await;
    browser.fill("Email", "ada@acme.test").await;
    browser.fill("Password", PASSWORD).await;
    browser.press("Sign in").await;
    browser.sees("Inbox").await;
    browser.visit("/developer").await;
    browser.sees("CRM integration").await;
    browser.inspect("developer").await;
    for (path, words, name) in [
        ("/inbox", "Visiting next week?", "demo-inbox"),
        ("/contacts", "Grace Murray", "demo-contacts"),
        ("/aliases", "printed on invoices", "demo-aliases"),
        ("/activity", "CRM integration", "activity"),
        ("/team", "Bea Bouchard", "team"),
        ("/account", "Ada Lovelace", "account"),
        ("/developer?state=revoked", "the website moved", "developer-revoked-demo"),
        ("/developer/usage", "Requests by status", "developer-usage"),
        ("/developer/settings", "Detect leaked tokens", "developer-settings"),
    ] {
        browser.visit(path).await;
        browser.sees(words).await;
        browser.inspect(name).await;
    }
    browser.visit("/developer").await;
    browser.press("CRM integration").await;
    browser.sees("gp_").await;
    browser.inspect("token").await;
    browser.open_menu().await;
    browser.press("Sign out").await;
    browser.fill("Email", "cy@acme.test").await;
    browser.fill("Password", PASSWORD).await;
    browser.press("Sign in").await;
    browser.sees("Inbox").await;
    browser.visit("/developer").await;
    browser.sees("Ada Lovelace").await;
    browser.inspect("developer-member").await;
}
