//! The frame of signed-in pages: navigation, theme, errors, the unread count in the title, icons.

use std::collections::BTreeSet;

use regex::Regex;
use reqwest::Method;

use crate::architecture::source::tree;
use crate::support::client::send;
use crate::support::people::Person::{Ada, Cy};
use crate::support::{TestApp, both_engines};

both_engines! {
    async fn a_person_sees_the_pages_of_their_role(app: TestApp) {
        let (ada, cy) = (app.as_(Ada).await, app.as_(Cy).await);
        let (owner, member) = (ada.get("/team").await.page(), cy.get("/team").await.page());
        for page in [&owner, &member] {
            assert_eq!(page.texts(".side-nav [aria-current=page]"), ["People"]);
            assert!(page.texts(".side-group").starts_with(&["Mail".into(), "Build".into()]));
        }
        assert!(owner.has(".side-nav a[href='/activity']"));
        assert!(!member.has(".side-nav a[href='/activity']"));
        assert_eq!(owner.text(".side .menu-note"), "Owner of Acme");
    }

    async fn error_pages_keep_the_navigation_of_the_signed_in_person(app: TestApp) {
        let cy = app.as_(Cy).await;
        for (path, status) in [("/nothing", 404), ("/inbox/msg_1", 404), ("/activity", 403)] {
            let page = cy.get(path).await.expect(status).page();
            assert!(page.has(".side-nav") && page.has(".empty h1"), "{path}");
            assert!(page.text(".fine").contains(&format!("Error {status}")), "{path}");
        }
        let bare = app.visitor().get("/nothing").await.expect(404).page();
        assert!(!bare.has(".side-nav") && bare.has("h1"));
    }

    async fn the_theme_is_remembered_and_applied_to_every_page(app: TestApp) {
        let ada = app.as_(Ada).await;
        let theme = async || ada.get("/account").await.expect(200).page().attribute("html", "data-theme");
        assert_eq!(theme().await, None);
        let from = format!("{}/account?a=b", app.base);
        let choose = async |theme: &str, from: &str| {
            let request = ada.request(Method::POST, "/account/theme").header("Origin", &app.base);
            send(request.header("Referer", from).form(&[("theme", theme)])).await.expect(303).location().to_owned()
        };
        assert_eq!(choose("dark", &from).await, "/account?a=b");
        assert_eq!(theme().await.as_deref(), Some("dark"));
        let pressed = ada.get("/account").await.page().texts("[name=theme][aria-pressed=true]");
        assert_eq!(pressed, ["Dark", "Dark"]);
        for elsewhere in ["https://evil.test/account", ""] {
            assert_eq!(choose("system", elsewhere).await, "/");
        }
        assert_eq!(theme().await, None);
        ada.post("/account/theme", &[("theme", "purple")]).await.expect(400);
    }
}

/// A missing icon would be an empty square, and every page would load unused ones.
#[test]
fn every_used_icon_exists_and_every_existing_one_is_used() {
    let sprite = include_str!("../../../static/icons/icons.svg");
    let ids = Regex::new(r#"<symbol id="([a-z0-9-]+)""#).expect("a pattern");
    let known: BTreeSet<&str> =
        ids.captures_iter(sprite).filter_map(|it| it.get(1)).map(|it| it.as_str()).collect();
    let calls = r#"(?:icons::icon|badge_with|tile|stat|menus::link|menus::opens|menus::post|questions::title)\("([a-z0-9-]+)""#;
    let calls = Regex::new(calls).expect("a pattern");
    let templates = tree("templates", "html");
    let named = templates.iter().flat_map(|file| calls.captures_iter(&file.text)).filter_map(|it| it.get(1));
    let named: BTreeSet<&str> = named.map(|it| it.as_str()).collect();
    assert!(named.len() > 20, "the pattern no longer finds icons: {named:?}");
    let unknown: Vec<_> = named.difference(&known).collect();
    assert!(unknown.is_empty(), "static/icons/icons.svg has no {unknown:?}");
    let (rust, scripts) = (tree("src/web", "rs"), tree("static/js", "js"));
    let sources: Vec<_> = templates.iter().chain(&rust).chain(&scripts).collect();
    let is_used = |id: &str| {
        let named = [format!("\"{id}\""), format!("#{id}\"")];
        sources.iter().any(|file| named.iter().any(|name| file.text.contains(name)))
    };
    let unused: Vec<_> = known.into_iter().filter(|id| !is_used(id)).collect();
    assert!(unused.is_empty(), "no page uses {unused:?}");
}
