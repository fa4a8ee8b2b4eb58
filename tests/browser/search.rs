//! The command palette and the keyboard shortcuts.

use crate::story::set_up;
use crate::support::Browser;
use crate::support::process::Gatepost;

const CONTROL_K: &str = "\u{e009}k";
const DOWN: &str = "\u{e015}";
const UP: &str = "\u{e013}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

/// The text of the row that the field marks as chosen.
const CHOSEN: &str = "const chosen = document.activeElement.getAttribute('aria-activedescendant');
    const row = document.getElementById(chosen);
    return row?.ariaSelected === 'true' && row.querySelector('.palette-text').textContent === arguments[0]";

const CLOSED: &str = "return !document.querySelector('dialog[open]')";

#[tokio::test]
async fn the_palette_works_with_the_keyboard_alone() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    set_up(&browser, &serving).await;
    browser.visit("/aliases").await;
    browser.script("document.querySelector('main a, main button').focus()", Vec::new()).await;
    let focused = "return document.activeElement === document.querySelector('main a, main button')";

    browser.type_keys(CONTROL_K).await;
    browser.eventually("Home", CHOSEN).await;
    browser.inspect("palette").await;
    browser.type_keys(DOWN).await;
    browser.eventually("Inbox", CHOSEN).await;
    browser.type_keys(UP).await;
    browser.type_keys("cont").await;
    browser.eventually("Contacts", CHOSEN).await;
    browser.type_keys(ESCAPE).await;
    browser.eventually("closed", CLOSED).await;
    browser.eventually("the focus where it was", focused).await;

    browser.type_keys("/").await;
    browser.eventually("Home", CHOSEN).await;
    browser.type_keys("zebra").await;
    browser.sees("No results for “zebra”.").await;
    browser.type_keys(ESCAPE).await;
    browser.eventually("closed", CLOSED).await;
    browser.type_keys("/").await;
    browser.eventually("Home", CHOSEN).await;
    browser.type_keys("domain").await;
    browser.eventually("Domains", CHOSEN).await;
    browser.type_keys(ENTER).await;
    browser.eventually("/domains", "return location.pathname === arguments[0]").await;
    browser.console_is_quiet().await;
}

#[tokio::test]
async fn keyboard_shortcuts_open_pages_except_while_typing() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    set_up(&browser, &serving).await;
    browser.visit("/aliases").await;
    browser.type_keys("?").await;
    browser.sees("Close a dialog or menu").await;
    browser.inspect("shortcuts").await;
    browser.type_keys(ESCAPE).await;
    browser.eventually("closed", CLOSED).await;
    browser.type_keys("gc").await;
    browser.eventually("/contacts", "return location.pathname === arguments[0]").await;
    browser.visit("/search").await;
    browser.find("#q").await.send_keys("g/c?").await.expect("keys that arrive");
    assert_eq!(browser.value("#q").await, "g/c?");
    assert_eq!(browser.path().await, "/search");
}

#[tokio::test]
async fn single_keys_do_nothing_once_they_are_off() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    set_up(&browser, &serving).await;
    browser.visit("/account").await;
    browser.find("#single-keys").await.click().await.expect("a switch");
    browser.eventually("off", "return document.documentElement.dataset.singleKeys === arguments[0]").await;
    browser.type_keys("?").await;
    browser.type_keys("gc").await;
    browser.type_keys("/").await;
    // Those with Ctrl still work, and only their dialog opens.
    browser.type_keys(CONTROL_K).await;
    browser.eventually("Home", CHOSEN).await;
    assert_eq!(browser.path().await, "/account");
    browser.type_keys(ESCAPE).await;
    browser.eventually("closed", CLOSED).await;
    browser.visit("/inbox").await;
    browser.type_keys("gc").await;
    browser.type_keys(CONTROL_K).await;
    browser.eventually("Home", CHOSEN).await;
    assert_eq!(browser.path().await, "/inbox");
}

#[tokio::test]
async fn times_are_in_the_zone_of_the_viewer() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    set_up(&browser, &serving).await;
    let zone = serde_json::json!({"timezoneId": "Pacific/Kiritimati"});
    browser.devtools("Emulation.setTimezoneOverride", zone).await;
    browser.visit("/activity?kind=changes").await;
    let record = "const first = document.querySelector('#records a[href^=\"/activity/act_\"]');
        return first.getAttribute('href')";
    let record = browser.script(record, Vec::new()).await;
    browser.visit(record.as_str().expect("the page of a record")).await;
    let shown = "const time = document.querySelector('main dd time');
        const there = new Date(new Date(time.dateTime).getTime() + 14 * 3600000).toISOString();
        return time.textContent.endsWith(there.slice(11, 19)) && time.title.endsWith(' UTC')
            && time.title.includes(time.dateTime.slice(11, 19))";
    browser.eventually("the viewer's own time", shown).await;
    browser.javascript(false).await;
    browser.visit(&browser.path().await).await;
    assert!(browser.text("main dd time").await.ends_with(" UTC"));
}
