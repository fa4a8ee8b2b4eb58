//! The API reference: complete, small, searchable, and correct.

mod examples;
mod try_it;

use std::collections::BTreeSet;

use gatepost::web::api;
use gatepost::web::api::codes;

use crate::support::client::Visitor;
use crate::support::people::Person::{Ada, Cy};
use crate::support::{TestApp, both_engines};

const DOCS: &str = "/developer/docs";

/// The maximum size of the whole page, in bytes.
const MAX_SIZE: usize = 200_000;

both_engines! {
    async fn every_route_and_error_code_is_listed(app: TestApp) {
        for person in [Ada, Cy] {
            let response = app.as_(person).await.get(DOCS).await.expect(200);
            assert!(response.body.len() < MAX_SIZE, "the page has {} bytes", response.body.len());
            let page = response.page();
            let (methods, paths) = (page.texts(".operation-line .method"), page.texts(".operation-line code"));
            let shown: BTreeSet<_> =
                methods.iter().zip(&paths).map(|(method, path)| format!("{method} {path}")).collect();
            let routes = api::operations().map(|(path, method, _)| format!("{method} {path}"));
            assert_eq!(shown, routes.collect());
            let codes = codes::ALL.iter().map(|code| code.name.to_owned());
            assert_eq!(page.texts("#codes tbody th"), codes.collect::<Vec<_>>());
        }
    }

    async fn links_within_the_page_have_targets(app: TestApp) {
        let page = app.as_(Ada).await.get(DOCS).await.expect(200).page();
        let ids: Vec<_> = page.verbatim("[id]").into_iter().map(|(all, _)| all["id"].clone()).collect();
        let distinct: BTreeSet<_> = ids.iter().cloned().collect();
        assert_eq!(distinct.len(), ids.len(), "an id occurs twice");
        let within: Vec<_> = page.links().into_iter().filter_map(|it| it.strip_prefix('#').map(str::to_owned)).collect();
        assert!(within.len() > 60 && within.contains(&"list-aliases".to_owned()), "{within:?}");
        let dead: Vec<_> = within.iter().filter(|it| !distinct.contains(*it)).collect();
        assert!(dead.is_empty(), "{dead:?}");
    }

    async fn operations_are_searched(app: TestApp) {
        let cy = app.as_(Cy).await;
        let found = async |words: &str| {
            let path = format!("{DOCS}?q={}", words.replace(' ', "+"));
            let page = cy.get(&path).await.expect(200).page();
            let part = cy.fragment(&path).await.expect(200);
            assert_eq!(part.header("hx-replace-url"), gatepost_address(words));
            let titles = page.texts(".operation h3");
            assert_eq!(part.page().texts(".operation h3"), titles);
            titles
        };
        assert_eq!(found("contacts:write POST").await, ["Create a contact"]);
        assert_eq!(found("zebra").await, Vec::<String>::new());
        assert!(found("").await.len() > 25);
        let none = cy.get(&format!("{DOCS}?q=%3Cb%3E")).await.expect(200);
        assert!(none.body.contains("No results") && !none.body.contains("<b>"));
    }

    async fn the_language_is_stored_in_a_cookie(app: TestApp) {
        let cy = app.as_(Cy).await;
        let chosen = async |visitor: &Visitor| {
            let page = visitor.get(DOCS).await.expect(200).page();
            page.attribute(".segments input[checked]", "value").expect("a choice")
        };
        assert_eq!(chosen(&cy).await, "curl");
        let kept = cy.post(&format!("{DOCS}/language"), &[("language", "python")]).await.expect(303);
        assert_eq!(kept.location(), DOCS);
        let cookie = kept.headers.get_all("set-cookie").iter().find(|it| it.as_bytes().starts_with(b"docs-"));
        let cookie = cookie.expect("a cookie").to_str().expect("text");
        assert!(cookie.contains("HttpOnly") && cookie.contains("Path=/developer/docs"), "{cookie}");
        assert_eq!(chosen(&cy).await, "python");
        assert_eq!(chosen(&app.as_(Cy).await).await, "curl");
        cy.post(&format!("{DOCS}/language"), &[("language", "<b>")]).await.expect(400);
    }

    async fn the_reference_works_while_the_api_is_off(app: TestApp) {
        let (ada, cy) = (app.as_(Ada).await, app.as_(Cy).await);
        for visitor in [&ada, &cy] {
            let page = visitor.get(DOCS).await.expect(200).page();
            assert!(page.text(".notice").contains("API access is off"));
        }
        app.switch_api("Acme", true);
        app.catch_up();
        let page = cy.get(DOCS).await.expect(200).page();
        assert!(!page.has(".notice") && page.text("#begin").contains("1,000 requests per hour"));
        assert!(!page.has(".try-link") && page.text("#begin").contains("Only the owner and admins"));
        assert!(ada.get(DOCS).await.page().has(".try-link"));
    }
}

/// The path of a search in the reference.
fn gatepost_address(words: &str) -> String {
    match words {
        "" => DOCS.to_owned(),
        words => format!("{DOCS}?q={}", words.replace(' ', "%20")),
    }
}
