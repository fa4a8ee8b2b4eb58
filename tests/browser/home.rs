//! Home and Activity: appearance, keyboard control of charts, and the pages without JavaScript.

use serde_json::json;

use crate::story::{PASSWORD, set_up};
use crate::support::Browser;
use crate::support::process::Gatepost;

#[tokio::test]
async fn home_and_activity_pass_inspection_and_charts_respond_to_arrow_keys() {
    let demo = Gatepost::new().start(&["demo"]);
    let browser = Browser::open(&demo.base).await;
    browser.visit("/sign-in").await;
    browser.fill("Email", "ada@acme.test").await;
    browser.fill("Password", PASSWORD).await;
    browser.press("Sign in").await;
    browser.visit("/").await;
    browser.sees("Needs attention").await;
    browser.inspect("home").await;

    // Tab reaches the last column, and an arrow key the previous one, which announces its figures.
    let focus = "const bands = document.querySelectorAll('#mail-chart .c-band');
        const at = bands.length - 1;
        bands[at].focus();
        bands[at].dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowLeft', bubbles: true, cancelable: true}));
        return [...bands].indexOf(document.activeElement) - at";
    assert_eq!(browser.script(focus, Vec::new()).await, json!(-1));
    let says = "return document.activeElement.getAttribute('aria-label').includes('Delivered')";
    assert_eq!(browser.script(says, Vec::new()).await, json!(true));
    let stops = "return document.querySelectorAll('#mail-chart [tabindex=\"0\"]').length";
    assert_eq!(browser.script(stops, Vec::new()).await, json!(1));

    browser.visit("/activity").await;
    browser.sees("Last 30 days").await;
    browser.inspect("activity").await;
    browser.visit("/activity?kind=changes").await;
    browser.sees("created the token").await;
    browser.inspect("activity-changes").await;
    browser.visit("/activity?kind=changes&live=on").await;
    browser.find("#records[data-poll]").await;

    browser.javascript(false).await;
    browser.visit("/?period=30d").await;
    browser.sees("API requests per day").await;
    browser.visit("/activity?status=4xx").await;
    browser.sees("Not found").await;
}

#[tokio::test]
async fn the_setup_steps_pass_inspection() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    set_up(&browser, &serving).await;
    browser.visit("/").await;
    browser.sees("of 5 done").await;
    browser.inspect("home-setup").await;
    for width in [320, 640, 769, 900, 1119] {
        browser.resize(width).await;
        assert_eq!(browser.faults().await, Vec::<String>::new(), "at {width} px");
    }
}
