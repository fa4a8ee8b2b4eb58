//! Permissions of a new token.

use super::{address, create, revealed};
use crate::support::people::PASSWORD;
use crate::support::people::Person::Ada;
use crate::support::{TestApp, both_engines};
use gatepost::domain::access::scopes::{Scope, Scopes};
use gatepost::domain::nouns::Noun;
use std::time::Duration;

async fn scopes_of(app: &TestApp, token: &str) -> Vec<String> {
    let me = app.api(token).get("/api/v1/me").await.expect(200).json();
    let list = me["scopes"].as_array().expect("a list").iter();
    list.map(|each| each.as_str().expect("a scope").to_owned()).collect()
}

fn names(scopes: Scopes) -> Vec<String> {
    scopes.iter().map(|scope| scope.as_str().to_owned()).collect()
}

const SOME: [(&str, &str); 4] =
    [("name", "orders"), ("access", "some"), ("scope", "aliases:write"), ("scope", "contacts:read")];

both_engines! {
    async fn read_only_is_the_default(app: TestApp) {
        let ada = app.as_(Ada).await;
        app.switch_api("Acme", true);
        let form = ada.get("/developer/tokens/new").await.expect(200).page().form("/developer/tokens");
        assert_eq!(form.fields["access"], "read");
        assert!(!form.fields.contains_key("scope"), "{form:?}");
        let made = create(&ada, "ci").await.expect(200);
        assert_eq!(scopes_of(&app, &revealed(&made)).await, names(Scopes::READ));
        assert!(made.page().text(".reveal").contains("Permissions Read only domains:read aliases:read"));
        assert!(made.page().text("#tokens tbody tr").contains("Read only"));
    }

    async fn a_token_has_the_ticked_scopes(app: TestApp) {
        let ada = app.as_(Ada).await;
        app.switch_api("Acme", true);
        let made = ada.post("/developer/tokens", &SOME).await.expect(200);
        let some = Scopes::of(&[Scope::Write(Noun::Alias), Scope::Read(Noun::Contact)]);
        assert_eq!(scopes_of(&app, &revealed(&made)).await, names(some));
        for text in [made.page().text(".reveal"), made.page().text("#tokens tbody tr")] {
            assert!(text.contains("aliases:write contacts:read"), "{text}");
        }
        let page = ada.get(&address(&ada, "orders").await).await.expect(200).page();
        assert!(page.whole_text().contains("Permissions 2 scopes aliases:write contacts:read"));
        let all = [("name", "all"), ("access", "all"), ("scope", "aliases:write")];
        let made = ada.post("/developer/tokens", &all).await.expect(200);
        assert!(made.page().text(".reveal").contains("Permissions Everything"));
        assert_eq!(scopes_of(&app, &revealed(&made)).await, names(Scopes::ALL));
        // Checkboxes count only for Custom.
        let read = [("name", "read"), ("access", "read"), ("scope", "aliases:write")];
        let made = ada.post("/developer/tokens", &read).await.expect(200);
        assert_eq!(scopes_of(&app, &revealed(&made)).await, names(Scopes::READ));
    }

    async fn an_empty_choice_is_shown_again_with_an_error(app: TestApp) {
        let ada = app.as_(Ada).await;
        let refused = ada.post("/developer/tokens", &[("name", "ci"), ("access", "some")]).await.expect(422);
        assert!(refused.page().text("#scopes-error").contains("at least one"));
        let form = refused.page().form("/developer/tokens");
        assert_eq!((form.fields["name"].as_str(), form.fields["access"].as_str()), ("ci", "some"));
        let ticked = [("name", ""), ("access", "some"), ("scope", "team:read")];
        let form = ada.post("/developer/tokens", &ticked).await.expect(422).page().form("/developer/tokens");
        assert_eq!(form.fields["scope"], "team:read");
        assert_eq!(app.database.number("SELECT count(*) AS n FROM tokens"), 0);
    }

    async fn the_choice_survives_the_password_confirmation(app: TestApp) {
        let ada = app.as_(Ada).await;
        app.switch_api("Acme", true);
        app.clock.advance(Duration::from_secs(601));
        let asked = ada.post("/developer/tokens", &SOME).await.expect(403).page();
        let kept = asked.hidden("/developer/tokens");
        let mut again: Vec<_> = kept.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        again.push(("password", PASSWORD));
        let made = ada.post("/developer/tokens", &again).await.expect(200);
        assert_eq!(scopes_of(&app, &revealed(&made)).await, ["aliases:write", "contacts:read"]);
    }

    async fn the_record_shows_the_scopes_of_a_new_token(app: TestApp) {
        let ada = app.as_(Ada).await;
        app.clock.advance(Duration::from_millis(1));
        ada.post("/developer/tokens", &SOME).await.expect(200);
        let list = ada.get("/activity?kind=changes").await.expect(200).page();
        let record = list.links().into_iter().find(|it| it.starts_with("/activity/act_")).expect("a record");
        let text = ada.get(&record).await.expect(200).page().texts(".facts").join(" ");
        assert!(text.contains("Permissions aliases:write contacts:read"), "{text}");
    }
}
