//! The search of everything in a team, and the command palette.

use gatepost::domain::mailroom::address::DomainName;
use gatepost::domain::mailroom::mail_domains;

use crate::support::html::Page;
use crate::support::mail::letter_with_file;
use crate::support::people::Person::{self, Ada, Bea, Cy, Dan};
use crate::support::{TestApp, both_engines};

/// Creates resources with "north" in their names in both teams.
async fn fill(app: &TestApp) {
    for name in ["Acme", "Globex"] {
        let (team, local) = (app.team(name).id, format!("north-{}", name.to_lowercase()));
        app.alias(name, &local);
        let domain = DomainName::parse(&format!("{local}.test")).expect("a name");
        app.operate(|tx, actor| mail_domains::add(tx, actor, team, "gatepost.localhost", &domain));
        let letter = letter_with_file(&local).replace("bob@customer.test", &format!("{local}@writer.test"));
        app.arrives("x@y.test", &format!("{local}@gatepost.localhost"), &letter);
        app.token(name, &format!("{name} North export"));
    }
}

async fn search(app: &TestApp, person: Person, q: &str) -> Page {
    app.as_(person).await.get(&format!("/search?q={q}")).await.expect(200).page()
}

fn groups(page: &Page) -> Vec<String> {
    page.texts(".found h2")
}

both_engines! {
    async fn a_search_finds_everything_in_the_team_only(app: TestApp) {
        fill(&app).await;
        let page = search(&app, Ada, "north").await;
        assert_eq!(groups(&page), ["Contacts", "Aliases", "Domains", "API tokens", "Messages"]);
        let rows = page.texts(".found li");
        assert!(rows.iter().any(|row| row.contains("north-acme@gatepost.localhost")), "{rows:?}");
        assert!(rows.iter().any(|row| row.contains("Acme North export")), "{rows:?}");
        assert!(!rows.iter().any(|row| row.to_lowercase().contains("globex")), "{rows:?}");
        let theirs = search(&app, Dan, "north").await.texts(".found li");
        assert!(theirs.len() >= 5 && !theirs.iter().any(|row| row.to_lowercase().contains("acme")), "{theirs:?}");
    }

    async fn search_results_depend_on_the_role(app: TestApp) {
        fill(&app).await;
        for (person, tokens) in [(Ada, true), (Bea, true), (Cy, false)] {
            let found = groups(&search(&app, person, "NORTH").await);
            assert_eq!(found.contains(&"API tokens".to_owned()), tokens, "{person:?}");
        }
        assert_eq!(groups(&search(&app, Cy, "activity").await), Vec::<String>::new());
        assert_eq!(groups(&search(&app, Ada, "activity").await), ["Pages"]);
        assert_eq!(groups(&search(&app, Cy, "bea@").await), ["People"]);
    }

    async fn deleted_resources_are_not_found(app: TestApp) {
        fill(&app).await;
        let ada = app.as_(Ada).await;
        let found = search(&app, Ada, "north").await.links();
        for (thing, end) in [("/aliases/", "delete"), ("/domains/", "remove"), ("/developer/tokens/", "revoke")] {
            let path = found.iter().find(|link| link.starts_with(thing)).expect("a link");
            ada.post(&format!("{path}/{end}"), &[]).await.expect(303);
        }
        assert_eq!(groups(&search(&app, Ada, "north").await), ["Contacts", "Messages"]);
    }

    async fn pattern_characters_are_matched_literally(app: TestApp) {
        fill(&app).await;
        for nothing in ["%25", "_", "no%25h", "%27", "%5C", "%00"] {
            let found = search(&app, Ada, nothing).await.texts(".found li");
            let found: Vec<_> = found.into_iter().filter(|row| row.contains("orth")).collect();
            assert!(found.is_empty() || nothing == "%00", "{nothing}: {found:?}");
        }
        app.as_(Ada).await.get(&format!("/search?q={}", "x".repeat(300))).await.expect(400);
    }
}

#[tokio::test]
async fn an_empty_search_lists_the_pages() {
    let app = TestApp::sqlite().await;
    let page = search(&app, Ada, "").await;
    assert_eq!(groups(&page), ["Pages"]);
    assert_eq!(page.link("Inbox"), "/inbox");
    let none = search(&app, Ada, "zebra").await;
    assert!(none.has(".empty"), "an empty result is explained");
}

#[tokio::test]
async fn the_palette_is_a_combobox_with_the_same_results() {
    let app = TestApp::sqlite().await;
    fill(&app).await;
    let ada = app.as_(Ada).await;
    let palette = ada.fragment("/search?q=north").await.expect(200).page();
    let rows = palette.verbatim("#palette-list [role=option]");
    assert_eq!(rows.len(), search(&app, Ada, "north").await.texts(".found li").len());
    assert_eq!(palette.attribute("[role=combobox]", "aria-controls").as_deref(), Some("palette-list"));
    assert!(rows.iter().all(|(attributes, _)| attributes["href"].starts_with('/')));
    let ids: std::collections::BTreeSet<_> = rows.iter().map(|(attributes, _)| &attributes["id"]).collect();
    assert_eq!(ids.len(), rows.len());
}

#[tokio::test]
async fn the_shortcuts_match_the_navigation() {
    let app = TestApp::sqlite().await;
    let ada = app.as_(Ada).await;
    let page = ada.get("/shortcuts").await.expect(200).page();
    let keys = |page: &Page| {
        let links = page.verbatim("nav [data-key]");
        links.into_iter().map(|(attributes, _)| attributes["data-key"].clone()).collect::<Vec<_>>()
    };
    for key in keys(&page) {
        assert!(page.texts(".shortcuts dd").contains(&format!("g then {key}")), "{key}");
    }
    assert!(keys(&page).len() >= 8);
}
