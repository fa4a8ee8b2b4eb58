//! Takes a picture of every page, for people to look at: `tests/run gallery [FOLDER]`.

use crate::story::PASSWORD;
use crate::support::Browser;
use crate::support::inspect::{DESK, PHONE};
use crate::support::process::Gatepost;
use gatepost::web::routes;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Texts of links in the demo whose pages differ from others of the same route.
const INTERESTING: [&str; 7] = [
    "Broken hinge",
    "Your payout",
    "No. 313",
    "Invoice 2026-118",
    "Old website",
    "Staging sync",
    "acme-anvils.test",
];

const LINKS: &str = "
    return [...document.querySelectorAll('a[href]')]
        .filter(link => link.origin === location.origin && !link.download)
        .map(link => [link.pathname, link.textContent]);";

/// Fragments, files and downloads have no heading.
const IS_PAGE: &str = "return document.contentType === 'text/html' && !!document.querySelector('main h1')";

#[tokio::test]
#[ignore = "for people: tests/run gallery"]
async fn a_picture_of_every_page() {
    let demo = Gatepost::new().start(&["demo"]);
    demo.wait_for("messages arrived by SMTP");
    let gallery = Gallery { browser: Browser::open(&demo.base).await, folder: folder() };
    gallery.take("/sign-in", "sign-in").await;
    gallery.browser.visit("/sign-in").await;
    gallery.browser.fill("Email", "ada@acme.test").await;
    gallery.browser.fill("Password", PASSWORD).await;
    gallery.browser.press_through("Sign in").await;

    let is_page = |path: &str| !path.starts_with("/api/") && !path.starts_with("/static/");
    let all = routes::all().into_iter().filter(|(method, path)| method.as_str() == "GET" && is_page(path));
    let routes: BTreeSet<String> = all.map(|(_, path)| path).collect();
    let (mut links, mut taken) = (Vec::new(), BTreeMap::<String, usize>::new());
    for route in routes.iter().filter(|route| !route.contains('{')) {
        if gallery.take(route, &slug(route)).await {
            taken.insert(route.clone(), 1);
            links.extend(gallery.links().await);
        }
    }
    // Follows links on detail pages too: only they link to the pages that delete something.
    for _ in 0..2 {
        for (path, words) in std::mem::take(&mut links) {
            let Some(route) = routes.iter().find(|route| fits(route, &path)) else { continue };
            let count = taken.get(route).copied().unwrap_or_default();
            let wanted = count == 0 || INTERESTING.iter().any(|each| words.contains(each));
            if !wanted || count > INTERESTING.len() {
                continue;
            }
            let name = format!("{}-{}", slug(route), count + 1);
            if gallery.take(&path, &name).await {
                links.extend(gallery.links().await);
            }
            taken.insert(route.clone(), count + 1);
        }
    }
    println!("{} routes in {}", taken.len(), gallery.folder.display());
    for route in ["/inbox", "/inbox/{id}", "/developer/tokens/{id}", "/domains/{id}", "/contacts/{id}"] {
        assert!(taken.contains_key(route), "no picture of {route}");
    }
}

struct Gallery {
    browser: Browser,
    folder: PathBuf,
}

impl Gallery {
    /// Takes a picture if there is a page at this path, and returns whether there is.
    async fn take(&self, path: &str, name: &str) -> bool {
        self.browser.visit(path).await;
        let there = self.browser.path().await == path && self.ask(IS_PAGE).await == json!(true);
        if !there {
            return false;
        }
        for width in [DESK, PHONE] {
            self.browser.resize(width).await;
            for (theme, dark) in [("light", false), ("dark", true)] {
                self.browser.dark(dark).await;
                let file = self.folder.join(format!("{name}-{width}-{theme}.png"));
                self.browser.picture(&file, width).await;
            }
        }
        self.browser.resize(DESK).await;
        self.browser.dark(false).await;
        true
    }

    async fn links(&self) -> Vec<(String, String)> {
        serde_json::from_value(self.ask(LINKS).await).expect("paths and words")
    }

    async fn ask(&self, question: &str) -> Value {
        self.browser.script(question, Vec::new()).await
    }
}

fn folder() -> PathBuf {
    let named = std::env::var_os("GATEPOST_TEST_GALLERY").filter(|folder| !folder.is_empty());
    named.map(PathBuf::from).unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/gallery"))
}

/// Whether a path matches a route, whose parameters are in braces.
fn fits(route: &str, path: &str) -> bool {
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    route.len() == path.len() && route.iter().zip(&path).all(|(a, b)| a == b || a.starts_with('{'))
}

/// `/developer/tokens/{id}` as `developer-tokens-id`.
fn slug(route: &str) -> String {
    match route.trim_matches('/') {
        "" => "home".to_owned(),
        route => route.replace('/', "-").replace(['{', '}'], ""),
    }
}
