//! Aliases, contacts and domains: creating, copying, turning off and searching.

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
    browser.sees("No aliases yet").await;
    browser.inspect("aliases-empty").await;
    browser.press("Create your first alias").await;
    browser.fill("Name (optional)", "hello").await;
    browser.fill("Note (optional)", "the contact form").await;
    browser.inspect("alias-new").await;
    browser.press_in_dialog("Create alias").await;
    browser.sees("Alias created").await;
    browser.inspect("alias").await;
    browser.allow_clipboard().await;
    browser.press("Copy the address").await;
    browser.sees("Copied").await;
    assert_eq!(browser.clipboard().await, "hello@gatepost.localhost");

    browser.visit("/aliases/new").await;
    browser.fill("Name (optional)", "other").await;
    browser.press_through("Create alias").await;
    browser.visit("/aliases").await;
    browser.press("More actions for hello@gatepost.localhost").await;
    browser.press("Turn off").await;
    browser.find("tr.row-off").await;
    browser.inspect("aliases").await;
    browser.press("Undo").await;
    browser.sees("Alias turned on").await;
    browser.press("More actions for hello@gatepost.localhost").await;
    browser.press("Turn off").await;
    browser.find("tr.row-off").await;
    browser.find("tr.row-off .cell-box > [name=id]").await.click().await.expect("a click");
    browser.press("Turn on").await;
    browser.eventually("no alias that is off", "return !document.querySelector('tr.row-off')").await;
    browser.sees("Alias turned on").await;
    browser.fill("Search aliases", "oth").await;
    browser.sees("1 alias found").await;
    assert_eq!(browser.path().await, "/aliases?q=oth");
    browser.press("More actions for other@gatepost.localhost").await;
    browser.press("Delete").await;
    browser.sees("No messages are stored").await;
    browser.inspect("alias-delete").await;
    browser.press("Delete alias").await;
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
    browser.press("Add contact").await;
    browser.fill("Email address", "bob@customer.test").await;
    browser.fill("Name (optional)", "Bob").await;
    browser.press_in_dialog("Add contact").await;
    browser.sees("Contact added").await;
    browser.inspect("contact").await;
    browser.visit("/contacts").await;
    browser.inspect("contacts").await;
    browser.visit("/domains").await;
    browser.inspect("domains-empty").await;
    browser.press("Add your first domain").await;
    browser.fill("Domain", "mail.acme.example").await;
    browser.press_in_dialog("Add domain").await;
    browser.sees("Publish the records below").await;
    browser.inspect("domain").await;
    browser.visit("/domains").await;
    browser.inspect("domains").await;
    browser.press("mail.acme.example").await;
    browser.press("Remove domain").await;
    browser.sees("It has no aliases.").await;
    browser.inspect("domain-remove").await;
}
