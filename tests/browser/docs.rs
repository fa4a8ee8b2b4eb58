//! The API reference in a browser: search, languages, copying, and trying requests.

use serde_json::{Value, json};

use crate::story::set_up;
use crate::support::Browser;
use crate::support::process::{Gatepost, Serving};

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

#[tokio::test]
async fn the_reference_is_searched_and_its_language_switched() {
    let (_gatepost, _serving, browser) = opened().await;
    browser.press("API reference").await;
    browser.sees("Every example runs unchanged").await;
    browser.inspect("docs").await;

    // Choosing a language applies to all examples and is remembered for the next visit.
    assert_eq!(count(&browser, "#list-aliases-curl").await, json!(1));
    assert_eq!(count(&browser, "#list-aliases-python").await, json!(0));
    browser.find("#language-python").await.click().await.expect("a click");
    assert_eq!(count(&browser, "#list-aliases-curl").await, json!(0));
    assert_eq!(count(&browser, "#list-aliases-python").await, json!(1));
    browser.keeps_cookie("docs-language", "python").await;
    browser.visit("/developer/docs#list-aliases").await;
    assert_eq!(count(&browser, "#list-aliases-python").await, json!(1));

    browser.allow_clipboard().await;
    let copy = browser.find("[data-copy='#list-aliases-python']").await;
    copy.click().await.expect("a click");
    browser.sees("Copied").await;
    assert_eq!(browser.clipboard().await, browser.text("#list-aliases-python").await);

    // Results appear while typing, and have their own URL.
    browser.script("window.stays = true", Vec::new()).await;
    browser.fill("Search the operations", "contact delete").await;
    browser.sees("1 result").await;
    assert_eq!(count(&browser, ".operation").await, json!(1));
    assert_eq!(browser.path().await, "/developer/docs?q=contact%20delete");
    assert_eq!(browser.script("return window.stays", Vec::new()).await, json!(true));
    browser.inspect("docs-found").await;
    browser.press("Clear search").await;
    browser.sees("Every example runs unchanged").await;
}

#[tokio::test]
async fn a_call_is_tried_and_a_change_asks_first() {
    let (_gatepost, _serving, browser) = opened().await;
    browser.press("Turn on API access").await;
    browser.sees("API access is on").await;
    browser.visit("/developer/docs").await;
    browser.press("Try it: List aliases").await;
    browser.sees("Sends a live request").await;
    browser.fill("limit (optional)", "5").await;
    browser.inspect("docs-try").await;
    browser.press("Send").await;
    browser.sees("200 OK").await;
    browser.sees("GET /api/v1/aliases?limit=5").await;
    browser.inspect("docs-tried").await;
    browser.press("Close").await;

    browser.press("Try it: Create an alias").await;
    browser.press("Send").await;
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
    browser.visit("/developer/docs").await;
    // Neither the choice nor storing it needs JavaScript.
    browser.find("#language-javascript").await.click().await.expect("a click");
    assert_eq!(count(&browser, "#list-aliases-javascript").await, json!(1));
    browser.press_through("Keep").await;
    assert_eq!(count(&browser, "#list-aliases-javascript").await, json!(1));
    browser.fill("Search the operations", "alias create").await;
    browser.press("Search").await;
    browser.sees("1 result").await;
    browser.press("Try it: Create an alias").await;
    browser.press("Send").await;
    browser.sees("This is a live request").await;
    browser.press("Yes, send POST").await;
    browser.sees("201 Created").await;
    browser.press("API reference").await;
    browser.paper(true).await;
    assert_eq!(count(&browser, ".side-nav, .docs-bar, .try-link, .button").await, json!(0));
    assert_eq!(count(&browser, "#list-aliases-javascript, #codes, #versions").await, json!(3));
    browser.screenshot("docs-paper", 794).await;
}
