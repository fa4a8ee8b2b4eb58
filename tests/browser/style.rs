//! The page of all components, and the frame around it.

use serde_json::{Value, json};

use crate::story::set_up;
use crate::support::Browser;
use crate::support::process::Gatepost;

#[tokio::test]
async fn every_component_passes_inspection() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    set_up(&browser, &serving).await;
    browser.visit("/style").await;
    browser.sees("Every component in every state").await;
    browser.inspect("style").await;
    for width in [320, 640, 769, 900, 1119] {
        browser.resize(width).await;
        assert_eq!(browser.faults().await, Vec::<String>::new(), "at {width} px");
    }
}

#[tokio::test]
async fn the_theme_changes_at_once_and_is_remembered() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    set_up(&browser, &serving).await;
    let ground = "return getComputedStyle(document.body).backgroundColor";
    let light = browser.script(ground, Vec::new()).await;
    browser.open_menu().await;
    browser.press("Dark").await;
    let dark = browser.script(ground, Vec::new()).await;
    assert_ne!(light, dark);
    browser.keeps_cookie("gatepost-theme", "dark").await;
    browser.visit("/account").await;
    assert_eq!(browser.script(ground, Vec::new()).await, dark);

    browser.javascript(false).await;
    browser.visit("/account").await;
    browser.open_menu().await;
    browser.press_through("Light").await;
    assert_eq!(browser.path().await, "/account");
    assert_eq!(browser.script(ground, Vec::new()).await, light);
}

#[tokio::test]
async fn phones_list_every_page_under_more() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    set_up(&browser, &serving).await;
    browser.javascript(false).await;
    browser.resize(390).await;
    browser.visit("/developer").await;
    let shown = "return document.querySelector('.side-nav').checkVisibility()";
    assert_eq!(browser.script(shown, Vec::new()).await, json!(false));
    browser.press("More").await;
    assert_eq!(browser.script(shown, Vec::new()).await, json!(true));
    browser.screenshot("phone-more", 390).await;
    browser.press("API reference").await;
    browser.sees("API reference").await;
    assert_eq!(browser.path().await, "/developer/docs");
}

#[tokio::test]
async fn a_toast_disappears_and_does_not_return() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    set_up(&browser, &serving).await;
    browser.visit("/account").await;
    browser.press_through("Save").await;
    let toasts = "return document.querySelectorAll('.toast').length";
    assert_eq!(browser.script(toasts, Vec::new()).await, json!(1));
    browser.press("Dismiss").await;
    assert_eq!(browser.script(toasts, Vec::new()).await, json!(0));
    browser.visit("/account").await;
    assert_eq!(browser.script(toasts, Vec::new()).await, Value::from(0));
}
