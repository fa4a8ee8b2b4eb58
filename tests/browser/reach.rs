//! The whole story with little: the keyboard alone, no JavaScript, the narrowest phone, text at 200 %. From the first
//! address to a revoked token, and a message that is read and archived: nothing cut off, nothing out of reach.

use serde_json::{Value, json};

use crate::story::{PASSWORD, paste, set_up};
use crate::support::process::{Gatepost, Serving};
use crate::support::{Browser, ENTER};

/// Headings, controls and states in view that stick out of the window, or whose text is cut off. What scrolls
/// sideways, or ends in an ellipsis on purpose, is neither.
const CUT: &str = "
    const width = document.documentElement.clientWidth;
    const style = it => getComputedStyle(it);
    const scrolls = it => {
        for (let up = it.parentElement; up; up = up.parentElement) {
            if (['auto', 'scroll'].includes(style(up).overflowX) && up.scrollWidth > up.clientWidth) return true;
        }
        return false;
    };
    const outside = it => {
        const box = it.getBoundingClientRect();
        return box.width > 0 && (box.left < -1 || box.right > width + 1) && !scrolls(it);
    };
    const clipped = it => ['hidden', 'clip'].includes(style(it).overflowX) && style(it).textOverflow !== 'ellipsis'
        && it.scrollWidth > it.clientWidth + 1;
    return [...document.querySelectorAll('h1, h2, button, a, summary, input, select, textarea, label, .badge')]
        .filter(it => it.type !== 'hidden' && it.checkVisibility({visibilityProperty: true, opacityProperty: true}))
        .filter(it => !it.closest('.visually-hidden, .skip-link'))
        .filter(it => outside(it) || clipped(it))
        .map(it => it.outerHTML.slice(0, 140));";

async fn fits(browser: &Browser, step: &str) {
    let mut faults = browser.overflow().await;
    let cut = browser.script(CUT, Vec::new()).await;
    let cut = cut.as_array().into_iter().flatten().filter_map(Value::as_str);
    faults.extend(cut.map(|it| format!("cut off: {it}")));
    assert!(faults.is_empty(), "{step}:\n{}", faults.join("\n"));
}

async fn click(browser: &Browser, css: &str) {
    browser.click(&browser.find(css).await).await;
}

/// Presses the first of these that is shown: a narrow window has other controls.
async fn press_shown(browser: &Browser, css: &str) {
    let press = "[...document.querySelectorAll(arguments[0])].find(it => it.checkVisibility()).setAttribute('data-it', '')";
    browser.script(press, vec![json!(css)]).await;
    click(browser, "[data-it]").await;
}

/// From set-up to a revoked token, which is used in between.
async fn token_story(browser: &Browser, serving: &Serving) {
    browser.visit(&serving.setup_address()).await;
    fits(browser, "setup").await;
    set_up(browser, serving).await;
    fits(browser, "API access is off").await;
    browser.press("Turn on API access").await;
    browser.sees("No tokens yet").await;
    fits(browser, "no tokens").await;
    browser.press("Create your first token").await;
    browser.find("input#name").await;
    fits(browser, "create a token").await;
    browser.fill("Token name", "ci").await;
    click(browser, ".dialog-foot .button-primary").await;
    browser.sees("You won't see it again").await;
    fits(browser, "the token").await;
    let line = browser.text("#token-curl").await;
    assert_eq!(paste(&line).1, "200");
    browser.press("Done").await;
    browser.press("More actions for ci").await;
    fits(browser, "the menu of a token").await;
    browser.press("Revoke").await;
    browser.sees("requests, last 24 h").await;
    fits(browser, "revoke").await;
    browser.press("Revoke token").await;
    browser.sees("Token revoked").await;
    assert_eq!(paste(&line).1, "401");
    fits(browser, "revoked").await;
}

/// A first message, which is read and archived; then the end of the session.
async fn mail_story(browser: &Browser) {
    browser.visit("/inbox").await;
    fits(browser, "an empty inbox").await;
    browser.press("Create alias").await;
    browser.press("Send a test message").await;
    browser.sees("Test message delivered.").await;
    fits(browser, "the inbox").await;
    click(browser, ".mail-open").await;
    browser.sees("Your inbox works").await;
    browser.find(".letter").await;
    fits(browser, "a message").await;
    click(browser, ".pane-bar [data-act=e]").await;
    browser.sees("Inbox is empty").await;
    fits(browser, "an inbox without mail").await;
    press_shown(browser, ".side-account, .top .menu > summary").await;
    fits(browser, "the account menu").await;
    browser.press("Sign out").await;
    browser.sees("Sign in").await;
    fits(browser, "sign-in").await;
}

#[tokio::test]
async fn everything_is_done_without_javascript_on_the_narrowest_phone() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    browser.javascript(false).await;
    browser.resize(320).await;
    token_story(&browser, &serving).await;
    mail_story(&browser).await;
}

#[tokio::test]
async fn everything_is_done_on_the_narrowest_phone() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    browser.resize(320).await;
    token_story(&browser, &serving).await;
    mail_story(&browser).await;
    browser.console_is_quiet().await;
}

#[tokio::test]
async fn everything_is_done_at_200_percent() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    // A window of 1280 × 900: zoom leaves the page half as many pixels, of twice the size.
    let zoomed = json!({"width": 640, "height": 450, "deviceScaleFactor": 2, "mobile": false});
    browser.devtools("Emulation.setDeviceMetricsOverride", zoomed).await;
    token_story(&browser, &serving).await;
    mail_story(&browser).await;
    browser.console_is_quiet().await;
}

#[tokio::test]
async fn everything_is_done_with_the_keyboard_alone() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    browser.visit(&serving.setup_address()).await;
    let fields =
        [("#team", "Acme"), ("#name", "Ada Lovelace"), ("#email", "ada@acme.test"), ("#password", PASSWORD)];
    for (field, text) in fields {
        browser.tab_to(field).await;
        browser.keys(text).await;
    }
    browser.keys(ENTER).await;
    browser.sees("Your team is ready").await;
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

    browser.keys("gi").await;
    browser.sees("No messages yet").await;
    browser.tab_to(".first-message button").await;
    browser.keys(ENTER).await;
    browser.tab_to(".first-message .button-primary[hx-post], form[action^='/inbox/test'] button").await;
    browser.keys(ENTER).await;
    browser.sees("Test message delivered.").await;
    // The list by its keys: the row, the letter, unread again, opened once more, archived and found under All.
    browser.keys("j").await;
    browser.keys("o").await;
    browser.eventually("the letter", "return document.activeElement.id === 'letter-title'").await;
    browser.keys("u").await;
    browser.sees("Message marked as unread.").await;
    browser.tab_to(".mail-open").await;
    browser.keys(ENTER).await;
    browser.eventually("the letter", "return document.activeElement.id === 'letter-title'").await;
    browser.keys("e").await;
    browser.sees("Inbox is empty").await;
    browser.tab_to("nav.tabs a[href*='view=all']").await;
    browser.keys(ENTER).await;
    browser.sees("Archived").await;
    browser.console_is_quiet().await;
}
