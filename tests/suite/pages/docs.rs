//! The API reference: complete, small, searchable, and correct.

mod examples;
mod try_it;

use std::collections::{BTreeMap, BTreeSet};

use gatepost::web::api;
use gatepost::web::api::codes;

use crate::support::client::Visitor;
use crate::support::html::Page;
use crate::support::people::Person::{Ada, Cy};
use crate::support::{TestApp, both_engines};

const DOCS: &str = "/developer/docs";
const ALL: &str = "/developer/docs/all";

/// The maximum size of a page in the encoding of today's browsers, in bytes.
const MAX_SIZE: usize = 60_000;

/// Every page of the reference, by the links of its rail.
async fn pages(visitor: &Visitor) -> BTreeMap<String, Page> {
    let guides = visitor.get(DOCS).await.expect(200).page();
    let links = guides.links().into_iter().filter(|it| it.starts_with(DOCS) && !it.contains("/try/"));
    let paths: BTreeSet<_> = links.map(|it| it.split('#').next().unwrap_or_default().to_owned()).collect();
    let mut pages = BTreeMap::new();
    for path in paths {
        let page = visitor.get(&path).await.expect(200).page();
        pages.insert(path, page);
    }
    assert!(pages.len() > 7 && pages.contains_key(ALL), "{:?}", pages.keys());
    pages
}

fn operations(page: &Page) -> Vec<String> {
    let (methods, paths) =
        (page.texts(".op > .op-text .op-path .method"), page.texts(".op > .op-text .op-path code"));
    assert_eq!(methods.len(), paths.len());
    methods.iter().zip(&paths).map(|(method, path)| format!("{method} {path}")).collect()
}

fn ids(page: &Page) -> BTreeSet<String> {
    let ids: Vec<_> = page.verbatim("[id]").into_iter().map(|(all, _)| all["id"].clone()).collect();
    let distinct: BTreeSet<_> = ids.iter().cloned().collect();
    assert_eq!(distinct.len(), ids.len(), "an id is there twice");
    distinct
}

both_engines! {
    async fn every_route_and_error_code_is_listed(app: TestApp) {
        let routes: BTreeSet<_> =
            api::operations().map(|(path, method, _)| format!("{method} {path}")).collect();
        for person in [Ada, Cy] {
            let pages = pages(&app.as_(person).await).await;
            let of_resources = pages.iter().filter(|(path, _)| *path != ALL);
            let shown: Vec<_> = of_resources.flat_map(|(_, page)| operations(page)).collect();
            assert_eq!(shown.len(), routes.len(), "each on one page");
            assert_eq!(shown.into_iter().collect::<BTreeSet<_>>(), routes);
            assert_eq!(operations(&pages[ALL]).into_iter().collect::<BTreeSet<_>>(), routes);
            let codes: Vec<_> = codes::ALL.iter().map(|code| code.name.to_owned()).collect();
            for path in [DOCS, ALL] {
                assert_eq!(pages[path].texts("#codes dt code"), codes);
            }
        }
    }

    async fn every_link_leads_somewhere(app: TestApp) {
        let pages = pages(&app.as_(Ada).await).await;
        let ids: BTreeMap<_, _> = pages.iter().map(|(path, page)| (path.clone(), ids(page))).collect();
        let (mut dead, mut seen) = (Vec::new(), 0);
        for (path, page) in &pages {
            for link in page.links() {
                let Some((to, anchor)) = link.split_once('#') else { continue };
                let to = if to.is_empty() { path } else { to };
                // Other pages have anchors of their own.
                let Some(ids) = ids.get(to) else { continue };
                seen += 1;
                if !ids.contains(anchor) {
                    dead.push(format!("{link} on {path}"));
                }
            }
        }
        assert!(dead.is_empty() && seen > 300, "{seen} links, of which {dead:?}");
        // Addresses of the time when all was one page: the script finds their page in the rail.
        let rail = pages[DOCS].links();
        let lost = ids[ALL].iter().filter(|id| pages[ALL].has(&format!("section.op[data-spy]:not(.op-object)[id='{id}']")));
        let lost: Vec<_> = lost.filter(|id| !rail.iter().any(|it| it.ends_with(&format!("#{id}")))).collect();
        assert!(lost.is_empty(), "{lost:?}");
    }

    async fn pages_are_small_on_the_wire(app: TestApp) {
        let ada = app.as_(Ada).await;
        for path in pages(&ada).await.keys() {
            let request = ada.request(reqwest::Method::GET, path).header("accept-encoding", "br");
            let response = request.header("sec-fetch-site", "same-origin").send().await.expect("a page");
            assert_eq!(response.headers()["content-encoding"], "br");
            let size = response.bytes().await.expect("a body").len();
            println!("{size} bytes: {path}");
            assert!(size < MAX_SIZE, "{path} has {size} bytes");
        }
    }

    async fn guides_errors_operations_and_objects_are_searched(app: TestApp) {
        let cy = app.as_(Cy).await;
        for path in [DOCS, "/developer/docs/aliases"] {
            let found = async |words: &str| {
                let address = format!("{path}?q={}", words.replace(' ', "+"));
                let page = cy.get(&address).await.expect(200).page();
                let part = cy.fragment(&address).await.expect(200);
                assert_eq!(part.header("hx-replace-url"), format!("{path}?q={}", words.replace(' ', "%20")));
                let titles = page.texts(".hit-title");
                assert_eq!(part.page().texts(".hit-title"), titles);
                titles
            };
            assert_eq!(found("contacts:write POST").await, ["Create a contact /api/v1/contacts"]);
            assert_eq!(found("Limits").await[0], "Limits");
            let limited = ["Limits".to_owned(), "RATE_LIMIT_EXCEEDED".to_owned()];
            assert!(found("rate limit").await.starts_with(&limited), "{:?}", found("rate limit").await);
            assert_eq!(found("429").await, limited);
            assert!(found("rename").await.contains(&"Rename a token /api/v1/api-keys/{id}".to_owned()));
            assert!(found("MessageRow").await.contains(&"MessageRow".to_owned()));
            assert_eq!(found("zebra").await, Vec::<String>::new());
        }
        let none = cy.get("/developer/docs/aliases?q=%3Cb%3E").await.expect(200);
        assert!(none.body.contains("No results") && !none.body.contains("<b>"));
        assert_eq!(none.page().link("Clear search"), "/developer/docs/aliases");
        let back = cy.fragment("/developer/docs/aliases?q=").await.expect(200);
        assert_eq!(back.header("hx-replace-url"), "/developer/docs/aliases");
        assert!(back.page().has("#list-aliases"));
    }

    async fn every_search_result_links_to_an_existing_section(app: TestApp) {
        let ada = app.as_(Ada).await;
        let pages = pages(&ada).await;
        let hits = ada.get(&format!("{DOCS}?q=a")).await.expect(200).page().verbatim(".hit");
        assert!(hits.len() > 30, "{}", hits.len());
        for (hit, _) in hits {
            let (path, anchor) = hit["href"].split_once('#').expect("an anchor");
            assert!(pages[path].has(&format!("[id='{anchor}']")), "{}", hit["href"]);
        }
    }

    async fn the_language_is_stored_in_a_cookie(app: TestApp) {
        let cy = app.as_(Cy).await;
        let chosen = async |visitor: &Visitor| {
            let page = visitor.get("/developer/docs/me").await.expect(200).page();
            let pressed: BTreeSet<_> = page.texts(".langs [aria-pressed=true]").into_iter().collect();
            (page.attribute(".ref", "data-shown").expect("a language"), pressed.into_iter().collect::<Vec<_>>())
        };
        assert_eq!(chosen(&cy).await, ("curl".to_owned(), vec!["curl".to_owned()]));
        let fields = [("language", "python"), ("page", "me")];
        let kept = cy.post(&format!("{DOCS}/language"), &fields).await.expect(303);
        assert_eq!(kept.location(), "/developer/docs/me");
        let cookie = kept.headers.get_all("set-cookie").iter().find(|it| it.as_bytes().starts_with(b"docs-"));
        let cookie = cookie.expect("a cookie").to_str().expect("text");
        assert!(cookie.contains("HttpOnly") && cookie.contains("Path=/developer/docs"), "{cookie}");
        assert_eq!(chosen(&cy).await, ("python".to_owned(), vec!["Python".to_owned()]));
        assert_eq!(chosen(&app.as_(Cy).await).await.0, "curl");
        cy.post(&format!("{DOCS}/language"), &[("language", "<b>")]).await.expect(400);
        let elsewhere = [("language", "curl"), ("page", "//other.test")];
        let kept = cy.post(&format!("{DOCS}/language"), &elsewhere).await.expect(303);
        assert_eq!(kept.location(), DOCS);
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
        assert!(!page.has(".notice") && page.text("#limits").contains("1,000 requests per hour"));
        assert!(page.text("#first-call").contains("Only the owner and admins"));
        let aliases = "/developer/docs/aliases";
        assert!(!cy.get(aliases).await.expect(200).page().has(".try-link"));
        assert!(ada.get(aliases).await.expect(200).page().has(".try-link"));
        ada.get("/developer/docs/zebra").await.expect(404);
    }

    async fn the_text_says_tokens_where_the_route_says_api_keys(app: TestApp) {
        for (path, page) in pages(&app.as_(Ada).await).await {
            let prose = page.texts(".ref-rail, .ref-head, .prose").join(" ").to_lowercase();
            assert!(!prose.contains("api key"), "{path}");
            assert!(page.texts(".ref-group > a").contains(&"Tokens".to_owned()), "{path}");
        }
    }
}
