//! The API reference in a browser: read, searched, switched, copied from, tried.

use serde_json::{Value, json};

use crate::story::set_up;
use crate::support::process::{Gatepost, Serving};
use crate::support::{Browser, ENTER};

const ARROW_DOWN: &str = "\u{E015}";
/// The link in the rail to the section that is read.
const READ: &str = "return document.querySelector('.ref-rail [aria-current=location]')?.hash";

async fn opened() -> (Gatepost, Serving, Browser) {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    set_up(&browser, &serving).await;
    (gatepost, serving, browser)
}

async fn count(browser: &Browser, css: &str) -> Value {
    let shown =
        "return [...document.querySelectorAll(arguments[0])].filter(it => it.checkVisibility()).length";
    browser.script(shown, vec![json!(css)]).await
}

async fn reads(browser: &Browser, hash: &str) {
    let question =
        "return document.querySelector('.ref-rail [aria-current=location]')?.hash === arguments[0]";
    browser.eventually(hash, question).await;
}

#[tokio::test]
async fn the_rail_marks_the_section_that_is_read() {
    let (_gatepost, _serving, browser) = opened().await;
    browser.press("API reference").await;
    browser.sees("Every example runs unchanged").await;
    reads(&browser, "#first-call").await;
    browser.inspect("docs").await;
    browser.visit("/developer/docs/messages").await;
    for section in ["#change-message", "#list-messages", "#delete-message"] {
        browser.script("document.querySelector(arguments[0]).scrollIntoView()", vec![json!(section)]).await;
        reads(&browser, section).await;
        assert_eq!(count(&browser, ".ref-rail [aria-current=location]").await, json!(1));
    }
    browser.inspect("docs-messages").await;
    // The address of a time when all was one page.
    browser.visit("/sign-in").await;
    browser.visit("/developer/docs#revoke-my-token").await;
    browser.sees("Revoke the current token").await;
    assert_eq!(browser.path().await, "/developer/docs/me#revoke-my-token");
    reads(&browser, "#revoke-my-token").await;

    // On a phone the rail is folded above the text.
    browser.resize(390).await;
    assert_eq!(count(&browser, ".ref-rail nav").await, json!(0));
    browser.find(".ref-rail > summary").await.click().await.expect("a click");
    assert_eq!(count(&browser, ".ref-rail nav").await, json!(1));
    assert_eq!(browser.faults().await, Vec::<String>::new());
    browser.screenshot("docs-rail", 390).await;
    browser.press("Contacts").await;
    browser.sees("People who email the team").await;
    assert_eq!(count(&browser, ".ref-rail nav").await, json!(0));
    for width in [320, 600, 769, 960, 1087] {
        browser.resize(width).await;
        assert_eq!(browser.faults().await, Vec::<String>::new(), "at {width} px");
    }
}

#[tokio::test]
async fn the_reference_is_searched_with_the_keyboard() {
    let (_gatepost, _serving, browser) = opened().await;
    browser.visit("/developer/docs/aliases").await;
    browser.script("window.stays = true", Vec::new()).await;
    browser.keys("/").await;
    browser.keys("rate limit").await;
    browser.sees("RATE_LIMIT_EXCEEDED").await;
    assert_eq!(browser.path().await, "/developer/docs/aliases?q=rate%20limit");
    assert_eq!(browser.script("return window.stays", Vec::new()).await, json!(true));
    browser.inspect("docs-found").await;
    browser.keys(ARROW_DOWN).await;
    browser.keys(ARROW_DOWN).await;
    browser.keys(ENTER).await;
    browser.sees("Every example runs unchanged").await;
    assert_eq!(browser.path().await, "/developer/docs#RATE_LIMIT_EXCEEDED");

    browser.visit("/developer/docs/aliases").await;
    browser.fill("Search the reference", "zebra").await;
    browser.sees("No results").await;
    browser.inspect("docs-none").await;
    browser.press("Clear search").await;
    browser.sees("List aliases").await;
    assert_eq!(browser.path().await, "/developer/docs/aliases");
}

#[tokio::test]
async fn the_language_of_all_examples_is_switched() {
    let (_gatepost, _serving, browser) = opened().await;
    browser.visit("/developer/docs/aliases").await;
    assert_eq!(count(&browser, "#list-aliases-curl").await, json!(1));
    browser.press("Python").await;
    assert_eq!(count(&browser, "#list-aliases-curl").await, json!(0));
    assert_eq!(count(&browser, "#list-aliases-python, #delete-alias-python").await, json!(2));
    browser.keeps_cookie("docs-language", "python").await;
    browser.visit("/developer/docs/contacts").await;
    assert_eq!(count(&browser, "#list-contacts-python").await, json!(1));
    browser.allow_clipboard().await;
    let copy = browser.find("[data-copy='#list-contacts-python']").await;
    copy.click().await.expect("a click");
    browser.sees("Copied").await;
    assert_eq!(browser.clipboard().await, browser.text("#list-contacts-python").await);
}

#[tokio::test]
async fn a_call_is_tried_and_a_change_asks_first() {
    let (_gatepost, _serving, browser) = opened().await;
    browser.press("Turn on API access").await;
    browser.sees("API access is on").await;
    browser.visit("/developer/docs/aliases").await;
    browser.press("Try it: List aliases").await;
    browser.sees("Send the request to see its response here.").await;
    browser.fill("limit (optional)", "5").await;
    browser.inspect("docs-try").await;
    browser.press("Send request").await;
    browser.sees("200 OK").await;
    browser.sees("requests left").await;
    browser.inspect("docs-tried").await;
    let beside = "const [left, right] = ['.try-form', '.try-out'].map(it => document.querySelector(it)
        .getBoundingClientRect()); return left.right <= right.left + 1 && Math.abs(left.top - right.top) < 2";
    assert_eq!(browser.script(beside, Vec::new()).await, json!(true));
    browser.allow_clipboard().await;
    browser.press("Copy as curl").await;
    browser.sees("Copied").await;
    let copied = browser.clipboard().await;
    assert!(copied.starts_with("curl '") && copied.contains("/api/v1/aliases?limit=5'"), "{copied}");
    browser.press("Close").await;
    assert_eq!(count(&browser, ".try").await, json!(0));
    let focused = "return document.activeElement.textContent.trim()";
    assert_eq!(browser.script(focused, Vec::new()).await, json!("Try it: List aliases"));

    browser.press("Try it: Create an alias").await;
    browser.press("Send request").await;
    browser.sees("This is a live request").await;
    browser.inspect("docs-sure").await;
    browser.press("Yes, send POST").await;
    browser.sees("201 Created").await;
    browser.sees("hello@gatepost.localhost").await;
    browser.press("Send again").await;
    browser.sees("This is a live request").await;
    browser.press("Yes, send POST").await;
    browser.sees("409 Conflict").await;
}

#[tokio::test]
async fn the_reference_works_without_javascript_and_in_print() {
    let (_gatepost, _serving, browser) = opened().await;
    browser.javascript(false).await;
    browser.press("Turn on API access").await;
    browser.visit("/developer/docs/aliases").await;
    browser.press_through("JavaScript").await;
    assert_eq!(browser.path().await, "/developer/docs/aliases");
    assert_eq!(count(&browser, "#list-aliases-javascript").await, json!(1));
    assert_eq!(browser.script(READ, Vec::new()).await, Value::Null);
    browser.fill("Search the reference", "alias create").await;
    browser.keys(ENTER).await;
    browser.sees("results for").await;
    browser.press("POST Create an alias /api/v1/aliases").await;
    browser.press("Try it: Create an alias").await;
    browser.press("Send request").await;
    browser.sees("This is a live request").await;
    browser.press("Yes, send POST").await;
    browser.sees("201 Created").await;
    browser.visit("/developer/docs/all").await;
    browser.paper(true).await;
    assert_eq!(count(&browser, ".side-nav, .ref-head, .ref-rail, .try-link").await, json!(0));
    assert_eq!(count(&browser, "#list-aliases-javascript, #codes, #versions").await, json!(3));
    browser.screenshot("docs-paper", 794).await;
}
