//! Aliases, contacts and domains: created, copied, turned off, searched.

use crate::story::set_up;
use crate::support::Browser;
use crate::support::process::Gatepost;

#[tokio::test]
async fn an_address_is_created_copied_and_turned_off() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    set_up(&browser, &serving).await;
    browser.visit("/aliases").await;
    browser.sees("No addresses yet").await;
    browser.inspect("aliases-empty").await;
    browser.fill("Name (optional)", "hello").await;
    browser.fill("Note (optional)", "the contact form").await;
    browser.press("Create address").await;
    browser.sees("Address created").await;
    browser.inspect("alias").await;
    browser.allow_clipboard().await;
    browser.press("Copy the address").await;
    browser.sees("Copied").await;
    assert_eq!(browser.clipboard().await, "hello@gatepost.localhost");

    browser.visit("/aliases").await;
    browser.fill("Name (optional)", "other").await;
    browser.press_through("Create address").await;
    browser.visit("/aliases").await;
    browser.press("Turn off hello@gatepost.localhost").await;
    browser.sees("Turn on").await;
    browser.inspect("aliases").await;
    browser.fill("Address contains", "oth").await;
    browser.sees("1 address found").await;
    assert_eq!(browser.path().await, "/aliases?q=oth");
    browser.press("Delete other@gatepost.localhost").await;
    browser.sees("No messages are stored").await;
    browser.inspect("alias-delete").await;
    browser.press("Delete address").await;
    browser.sees("can never be reused").await;
}

#[tokio::test]
async fn contacts_and_domains_pass_inspection() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    set_up(&browser, &serving).await;
    browser.visit("/contacts").await;
    browser.inspect("contacts-empty").await;
    browser.fill("Email address", "bob@customer.test").await;
    browser.fill("Name (optional)", "Bob").await;
    browser.press("Add contact").await;
    browser.sees("Contact added").await;
    browser.inspect("contact").await;
    browser.visit("/contacts").await;
    browser.inspect("contacts").await;
    browser.visit("/domains").await;
    browser.inspect("domains-empty").await;
    browser.fill("Domain", "mail.acme.example").await;
    browser.press("Add domain").await;
    browser.sees("Publish the records below").await;
    browser.inspect("domain").await;
    browser.visit("/domains").await;
    browser.inspect("domains").await;
    browser.press("mail.acme.example").await;
    browser.press("Remove domain").await;
    browser.sees("It has no addresses.").await;
    browser.inspect("domain-remove").await;
}
