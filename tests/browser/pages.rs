//! Every page of the sample team, found by its links, as each role sees it: nothing for axe to find, nothing wider
//! than the window, an empty console, no layout shift, and a small first load.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};

use crate::support::Browser;
use crate::support::process::Gatepost;

/// Of a first load, without the font of rarer Latin letters, which loads only where a page has some.
const REQUESTS: u64 = 8;
const BYTES: u64 = 120_000;
/// Styles, scripts and icons, which all pages share, and the page itself.
const SHARED: u64 = 45_000;
const PAGE: u64 = 25_000;

/// Routes that are no page of a signed-in person: of machines, of visitors, parts of pages, and files.
const NO_PAGES: &[&str] = &[
    "/healthz",
    "/readyz",
    "/static/{path:.*}",
    "/api/v1/openapi.json",
    "/setup",
    "/sign-in",
    "/invitations/{secret}",
    "/settings/api",
    "/inbox/news",
    "/inbox/unread",
    "/inbox/{id}/html",
    "/inbox/{id}/raw",
    "/inbox/{id}/attachments/{attachment}",
    "/developer/tokens",
    "/activity/export",
];

/// The addresses of this site that a page links to, and those of its forms: many ask a question when opened.
const LINKS: &str = "const forms = [...document.forms].map(it => it.getAttribute('action').split('?')[0]);
    return [...[...document.links].map(it => it.href), ...forms].map(it => new URL(it, location.href))
    .filter(it => it.origin === location.origin).map(it => it.pathname + it.search)";

/// Waits for the fonts and two frames, then sums up the layout shifts and the requests of the page.
const LOADED: &str = "
    const done = arguments[arguments.length - 1];
    const frame = () => new Promise(requestAnimationFrame);
    (async () => {
        await document.fonts.ready;
        await frame(); await frame();
        const shifts = [];
        const observer = new PerformanceObserver(list => shifts.push(...list.getEntries()));
        observer.observe({type: 'layout-shift', buffered: true});
        await frame(); await frame();
        shifts.push(...observer.takeRecords());
        const files = performance.getEntriesByType('resource').filter(it => it.initiatorType !== 'xmlhttprequest');
        const page = performance.getEntriesByType('navigation')[0];
        const sent = [page, ...files.filter(it => !/latin-ext|favicon/.test(it.name))];
        const size = list => list.reduce((sum, it) => sum + it.transferSize, 0);
        const isFont = it => new URL(it.name).pathname.endsWith('.woff2');
        done({
            shift: shifts.reduce((sum, it) => sum + it.value, 0),
            moved: shifts.flatMap(it => it.sources ?? []).map(it => it.node?.outerHTML?.slice(0, 100) ?? ''),
            requests: sent.length,
            bytes: size(sent),
            page: page.transferSize,
            shared: size(sent.filter(it => it !== page && !isFont(it))),
            names: sent.map(it => it.name + ' ' + it.transferSize),
        });
    })();";

/// The pattern of a path among those of the routes, one without parameters first.
fn route_of<'r>(path: &str, routes: &'r BTreeSet<String>) -> Option<&'r str> {
    let path = path.split('?').next().unwrap_or_default();
    let fits = |route: &str| {
        let (route, path) = (route.split('/').collect::<Vec<_>>(), path.split('/').collect::<Vec<_>>());
        route.len() == path.len()
            && route.iter().zip(path).all(|(part, given)| part.starts_with('{') || *part == given)
    };
    let exact = routes.get(path).map(String::as_str);
    exact.or_else(|| routes.iter().map(String::as_str).find(|route| fits(route)))
}

fn pages() -> BTreeSet<String> {
    let routes = gatepost::web::routes::all().into_iter();
    let routes = routes.filter(|(method, path)| method.as_str() == "GET" && !path.starts_with("/api/"));
    routes.map(|(_, path)| path).filter(|path| !NO_PAGES.contains(&path.as_str())).collect()
}

async fn signed_in(base: &str, email: &str) -> Browser {
    let browser = Browser::open(base).await;
    browser.visit("/sign-in").await;
    browser.fill("Email", email).await;
    browser.fill("Password", "correct horse battery").await;
    browser.press_through("Sign in").await;
    browser
}

/// What is wrong with the page in view, loaded with an empty cache.
async fn faults(browser: &Browser) -> Vec<String> {
    let loaded = browser.wait_for_script(LOADED).await;
    let number = |name: &str| loaded[name].as_u64().unwrap_or(u64::MAX);
    let mut faults: Vec<String> = Vec::new();
    if loaded["shift"].as_f64().unwrap_or(1.0) > 0.0 {
        faults.push(format!("moves by {} after it is shown: {}", loaded["shift"], loaded["moved"]));
    }
    // The icon of the tab is a request that a page cannot see.
    let requests = number("requests") + 1;
    let (bytes, shared, page) = (number("bytes"), number("shared"), number("page"));
    if requests > REQUESTS || bytes > BYTES || shared > SHARED || page > PAGE {
        let names = &loaded["names"];
        faults
            .push(format!("{requests} requests, {bytes} bytes, {shared} shared, {page} of HTML: {names:#}"));
    }
    assert!(shared > 0, "the files come from the cache: {}", loaded["names"]);
    faults.extend(browser.console().await.into_iter().map(|said| format!("the console: {said}")));
    for (scheme, dark) in [("light", false), ("dark", true)] {
        browser.dark(dark).await;
        faults.extend(browser.faults().await.into_iter().map(|fault| format!("{scheme}: {fault}")));
    }
    browser.dark(false).await;
    faults
}

/// Follows the links from Inbox, and opens one page of each route.
async fn inspect_all(browser: &Browser, pages: &BTreeSet<String>) -> (BTreeSet<String>, Vec<String>) {
    browser.devtools("Network.enable", json!({})).await;
    browser.devtools("Network.setCacheDisabled", json!({"cacheDisabled": true})).await;
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    let mut waiting = VecDeque::from(["/inbox".to_owned(), "/style".to_owned()]);
    let mut wrong = Vec::new();
    while let Some(path) = waiting.pop_front() {
        let Some(route) = route_of(&path, pages).filter(|route| !seen.contains_key(route)) else { continue };
        seen.insert(route, path.clone());
        browser.visit(&path).await;
        let links = browser.script(LINKS, Vec::new()).await;
        waiting.extend(links.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
        wrong.extend(faults(browser).await.into_iter().map(|fault| format!("{path}: {fault}")));
    }
    (seen.into_keys().map(str::to_owned).collect(), wrong)
}

#[tokio::test]
async fn every_page_is_sound_for_each_role() {
    let gatepost = Gatepost::new();
    let serving = gatepost.start(&["demo"]);
    serving.wait_for("in the inbox");
    let pages = pages();
    let role = async |email: &str| inspect_all(&signed_in(&serving.base, email).await, &pages).await;
    let visitor = async {
        let browser = Browser::open(&serving.base).await;
        browser.visit("/sign-in").await;
        faults(&browser).await
    };
    let ((owners, mut wrong), (_, admin), (members, member), visitor) =
        tokio::join!(role("ada@acme.test"), role("bea@acme.test"), role("cy@acme.test"), visitor);
    wrong.extend(visitor.into_iter().map(|fault| format!("/sign-in: {fault}")));
    wrong.extend(admin.into_iter().map(|fault| format!("admin: {fault}")));
    wrong.extend(member.into_iter().map(|fault| format!("member: {fault}")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(members.len() >= 10, "{members:?}");
    let unseen: Vec<_> = pages.difference(&owners).collect();
    assert!(unseen.is_empty(), "no link leads the owner to {unseen:?}: add it to NO_PAGES if it is no page");
}

#[test]
fn a_path_matches_the_most_specific_route() {
    let routes: BTreeSet<String> = ["/inbox", "/inbox/{id}", "/inbox/unread"].map(str::to_owned).into();
    assert_eq!(route_of("/inbox?q=a", &routes), Some("/inbox"));
    assert_eq!(route_of("/inbox/msg_1", &routes), Some("/inbox/{id}"));
    assert_eq!(route_of("/inbox/unread", &routes), Some("/inbox/unread"));
    assert_eq!(route_of("/other", &routes), None);
}
