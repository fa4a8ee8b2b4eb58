//! Every page of the sample team, found by its links, as each role sees it: nothing for axe to find, nothing wider
//! than the window, an empty console, no layout shift, a small first load, and what has to be above the fold.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};

use crate::story::PASSWORD;
use crate::support::Browser;
use crate::support::inspect::{DESK, PHONE};
use crate::support::process::Gatepost;

/// Of a first load. The font of rarer Latin letters loads only where a page has some.
const REQUESTS: u64 = 8;
const BYTES: u64 = 120_000;
const BYTES_WITHOUT_FONTS: u64 = 45_000;
/// The pages that need more bytes without fonts, because they have the longest lists and charts. The files
/// that all pages share take 37,000.
const HEAVY: &[(&str, u64)] = &[
    ("/", 47_500),
    ("/inbox", 50_000),
    ("/inbox/{id}", 51_500),
    ("/activity", 47_500),
    ("/developer/tokens/{id}", 46_500),
    ("/developer/docs", 50_500),
    ("/developer/docs/{id}", 60_000),
    ("/developer/docs/all", 70_000),
    ("/developer/docs/try/{id}", 52_000),
    ("/style", 48_000),
];
/// It has the styles of every other.
const MANY_FILES: &str = "/style";

/// The narrowest phone.
const NARROW: u32 = 320;

/// Routes that are no page of a signed-in person: of machines, of visitors, parts of pages, and files. The
/// questions about jobs need one that waits or failed, which the demo doesn't have.
const NO_PAGES: &[&str] = &[
    "/healthz",
    "/readyz",
    "/metrics",
    "/static/{path:.*}",
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
    "/jobs/{id}/retry",
    "/jobs/{id}/drop",
];

/// The addresses of this site that a page links to, and those of its forms: many ask a question when opened.
const LINKS: &str =
    "const forms = [...document.forms].map(it => (it.getAttribute('action') ?? '').split('?')[0]);
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
        const files = performance.getEntriesByType('resource')
            .filter(it => !['xmlhttprequest', 'iframe'].includes(it.initiatorType));
        const page = performance.getEntriesByType('navigation')[0];
        const sent = [page, ...files.filter(it => !/latin-ext/.test(it.name))];
        const size = list => list.reduce((sum, it) => sum + it.encodedBodySize, 0);
        const isFont = it => new URL(it.name).pathname.endsWith('.woff2');
        done({
            shift: shifts.reduce((sum, it) => sum + it.value, 0),
            moved: shifts.flatMap(it => it.sources ?? []).map(it => it.node?.outerHTML?.slice(0, 100) ?? ''),
            requests: sent.length,
            bytes: size(sent),
            without: size(sent.filter(it => !isFont(it))),
            names: sent.map(it => it.name + ' ' + it.encodedBodySize),
        });
    })();";

/// A window that has just become narrower still has its old layout.
const TWO_FRAMES: &str = "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))";

/// The structure of a page, without its texts and ids: what axe would find the same in.
const SKELETON: &str =
    "return [...document.querySelectorAll('body *')].map(it => it.tagName + '.' + it.className
    + [...it.attributes].map(each => each.name).sort().join()).join(' ')";

/// How many elements end above a height.
const ABOVE: &str = "return [...document.querySelectorAll(arguments[0])]
    .filter(it => it.checkVisibility() && it.getBoundingClientRect().bottom <= arguments[1]).length";

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

/// Every route that may be a page, also those of [`NO_PAGES`].
fn routes() -> BTreeSet<String> {
    let routes = gatepost::web::routes::all().into_iter();
    let routes = routes.filter(|(method, path)| method.as_str() == "GET" && !path.starts_with("/api/"));
    routes.map(|(_, path)| path).collect()
}

async fn signed_in(base: &str, email: &str) -> Browser {
    let browser = Browser::open(base).await;
    browser.visit("/sign-in").await;
    browser.fill("Email", email).await;
    browser.fill("Password", PASSWORD).await;
    browser.press_through("Sign in").await;
    browser
}

/// What is wrong with the page in view, loaded with an empty cache. Axe reads each structure once.
async fn faults(browser: &Browser, route: &str, read: &mut BTreeSet<String>) -> Vec<String> {
    let loaded = browser.wait_for_script(LOADED).await;
    let number = |name: &str| loaded[name].as_u64().unwrap_or(u64::MAX);
    let mut faults: Vec<String> = Vec::new();
    if loaded["shift"].as_f64().unwrap_or(1.0) > 0.0 {
        faults.push(format!("moves by {} after it is shown: {}", loaded["shift"], loaded["moved"]));
    }
    let (requests, bytes, without) = (number("requests"), number("bytes"), number("without"));
    let max = HEAVY.iter().find(|(heavy, _)| *heavy == route).map_or(BYTES_WITHOUT_FONTS, |(_, max)| *max);
    println!("{requests} requests, {bytes} bytes, {without} without fonts: {route}");
    let too_many = requests > REQUESTS && route != MANY_FILES;
    if too_many || bytes > BYTES || without > max {
        let names = &loaded["names"];
        faults.push(format!("{requests} requests, {bytes} bytes, {without} without fonts: {names:#}"));
    }
    faults.extend(browser.console().await.into_iter().map(|said| format!("the console: {said}")));
    let skeleton = browser.script(SKELETON, Vec::new()).await.to_string();
    let is_new = read.insert(skeleton);
    if is_new {
        faults.extend(browser.faults().await.into_iter().map(|fault| format!("light: {fault}")));
    }
    browser.dark(true).await;
    browser.resize(PHONE).await;
    browser.wait_for_script(TWO_FRAMES).await;
    let on_phone = if is_new { browser.faults().await } else { browser.overflow().await };
    faults.extend(on_phone.into_iter().map(|fault| format!("dark, {PHONE} px: {fault}")));
    browser.resize(NARROW).await;
    browser.wait_for_script(TWO_FRAMES).await;
    faults.extend(browser.overflow().await.into_iter().map(|fault| format!("{NARROW} px: {fault}")));
    browser.resize(DESK).await;
    browser.dark(false).await;
    faults
}

/// Follows the links from Inbox, and opens one page of each route.
async fn inspect_all(
    browser: &Browser,
    routes: &BTreeSet<String>,
    read: &mut BTreeSet<String>,
) -> (BTreeSet<String>, Vec<String>) {
    browser.devtools("Network.enable", json!({})).await;
    browser.devtools("Network.setCacheDisabled", json!({"cacheDisabled": true})).await;
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    let mut waiting = VecDeque::from(["/inbox".to_owned(), "/style".to_owned()]);
    let mut wrong = Vec::new();
    while let Some(path) = waiting.pop_front() {
        let Some(route) = route_of(&path, routes) else { continue };
        if NO_PAGES.contains(&route) || seen.contains_key(route) {
            continue;
        }
        seen.insert(route, path.clone());
        browser.visit(&path).await;
        let links = browser.script(LINKS, Vec::new()).await;
        waiting.extend(links.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
        wrong.extend(faults(browser, route, read).await.into_iter().map(|fault| format!("{path}: {fault}")));
    }
    (seen.into_keys().map(str::to_owned).collect(), wrong)
}

/// The rows that people see without scrolling.
async fn above_the_fold(browser: &Browser) -> Vec<String> {
    let mut wrong = Vec::new();
    browser.visit("/inbox").await;
    let rows = browser.script(ABOVE, vec![json!(".mail-row"), json!(900)]).await;
    if rows.as_u64().unwrap_or_default() < 18 {
        wrong.push(format!("{rows} rows of the inbox above the fold at {DESK} × 900"));
    }
    browser.measure(PHONE, 844).await;
    browser.visit("/developer").await;
    let bar = "return document.querySelector('.bottom').getBoundingClientRect().top";
    let bar = browser.script(bar, Vec::new()).await;
    let rows = browser.script(ABOVE, vec![json!("#tokens tbody tr"), bar]).await;
    if rows.as_u64().unwrap_or_default() < 1 {
        wrong.push(format!("no token above the fold at {PHONE} × 844"));
    }
    wrong
}

#[tokio::test]
async fn every_page_is_sound_for_each_role() {
    let gatepost = Gatepost::new();
    let serving = gatepost.start(&["demo"]);
    serving.wait_for("in the inbox");
    let routes = routes();
    let (ada, bea, cy) = tokio::join!(
        signed_in(&serving.base, "ada@acme.test"),
        signed_in(&serving.base, "bea@acme.test"),
        signed_in(&serving.base, "cy@acme.test"),
    );
    let visitor = async {
        let browser = Browser::open(&serving.base).await;
        browser.visit("/sign-in").await;
        faults(&browser, "/sign-in", &mut BTreeSet::new()).await
    };
    let mut read = BTreeSet::new();
    let ((owners, mut wrong), visitor) = tokio::join!(inspect_all(&ada, &routes, &mut read), visitor);
    let mut of_members = read.clone();
    let ((_, admin), (members, member)) =
        tokio::join!(inspect_all(&bea, &routes, &mut read), inspect_all(&cy, &routes, &mut of_members),);
    wrong.extend(above_the_fold(&ada).await);
    wrong.extend(visitor.into_iter().map(|fault| format!("/sign-in: {fault}")));
    wrong.extend(admin.into_iter().map(|fault| format!("admin: {fault}")));
    wrong.extend(member.into_iter().map(|fault| format!("member: {fault}")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(members.len() >= 10, "{members:?}");
    let is_page = |route: &&String| !NO_PAGES.contains(&route.as_str()) && !owners.contains(*route);
    let unseen: Vec<_> = routes.iter().filter(is_page).collect();
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
