//! The routes, read from the two files that may register one.

use std::collections::BTreeSet;

use regex::Regex;

use crate::architecture::source::{Source, tree};

const PAGES: &str = "src/web/routes.rs";
const API: &str = "src/web/api/mod.rs";
/// What declares them there.
const DECLARES: &str = "src/web/api/route.rs";

/// `GET /activity/{id}`, for each method of each route.
pub fn all() -> BTreeSet<String> {
    let files = tree("src", "rs");
    let read = |path: &str| flat(&files.iter().find(|file| file.path == path).expect("the file").text);
    let mut routes = of(&read(PAGES));
    routes.extend(of_api(&read(API)));
    routes
}

/// Without comments and white space, so that formatting does not matter.
fn flat(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    lines.collect::<String>().split_whitespace().collect()
}

/// What a flat text registers. Panics when it holds a handler or an address that is not
/// understood: a route that is not seen would not be tested.
fn of(text: &str) -> BTreeSet<String> {
    let resource = pattern(r#"page\("([^"]+)"\)((?:\.route\(\w+\(\)\.to\([^)]*\)+)+)"#);
    let handler = pattern(r"\.route\((\w+)\(\)\.to\(");
    let direct = pattern(r#"\.route\("([^"]+)",(\w+)\(\)\.to\("#);
    let redirect = pattern(r#"web::redirect\("([^"]+)","#);
    let mut found = Vec::new();
    for each in resource.captures_iter(text) {
        found
            .extend(handler.captures_iter(&each[2]).map(|method| (method[1].to_owned(), each[1].to_owned())));
    }
    found.extend(direct.captures_iter(text).map(|each| (each[2].to_owned(), each[1].to_owned())));
    assert_eq!(
        found.len(),
        text.matches(".to(").count(),
        "a handler is registered in a way that is not read"
    );
    found.extend(redirect.captures_iter(text).map(|each| ("get".to_owned(), each[1].to_owned())));
    assert_eq!(redirect.captures_iter(text).count(), text.matches("redirect(").count());
    found.into_iter().map(|(method, path)| format!("{} {path}", method.to_uppercase())).collect()
}

/// The same of a flat text that declares routes of the API, each method with what it needs.
fn of_api(text: &str) -> BTreeSet<String> {
    let resource = pattern(r#"at\("([^"]+)"\)(?:\.untagged\(\))?((?:\.\w+\((?:Scope|Need)::\w+,[\w:]+\))+)"#);
    let handler = pattern(r"\.(\w+)\((?:Scope|Need)::");
    let mut found = BTreeSet::new();
    for each in resource.captures_iter(text) {
        for method in handler.captures_iter(&each[2]) {
            found.insert(format!("{} /api/v1{}", method[1].to_uppercase(), &each[1]));
        }
    }
    let declared = pattern(r"\.(?:get|post|put|patch|delete|on)\(").find_iter(text).count();
    assert_eq!(found.len(), declared, "a route is declared in a way that is not read");
    let refused = ["resource(", ".route(", ".service("].map(|word| text.matches(word).count());
    assert_eq!(refused, [0, 0, 1], "a route of the API is registered past its door");
    found
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

#[test]
fn routes_are_read_however_they_are_written() {
    let text = flat(
        r#"
        // .service(page("/no").route(get().to(no)))
        .route("/a", get().to(a))
        .service(page("/b").route(get().to(b::show)).route(post().to(b::make)))
        .service(
            page("/c/{id}")
                .route(patch().to(c::rename))
                .route(delete().to(c::revoke)),
        )
        .service(page("/").route(get().to(async || see_other("/b"))))
        .service(web::redirect("/old", "/b").permanent())
        .default_service(web::to(async || nothing()))"#,
    );
    let expected = ["DELETE /c/{id}", "GET /", "GET /a", "GET /b", "GET /old", "PATCH /c/{id}", "POST /b"];
    assert_eq!(of(&text).into_iter().collect::<Vec<_>>(), expected);
    let text = flat(
        r#"
        vec![
            at("/a").get(Need::AnyToken, a::show),
            at("/b/{id}")
                .get(Scope::BRead, b::show)
                .delete(Scope::BWrite, b::delete),
        ]
        services.service(each);"#,
    );
    let expected = ["DELETE /api/v1/b/{id}", "GET /api/v1/a", "GET /api/v1/b/{id}"];
    assert_eq!(of_api(&text).into_iter().collect::<Vec<_>>(), expected);
}

#[test]
#[should_panic(expected = "not read")]
fn a_route_of_the_api_without_its_need_is_not_passed_over() {
    of_api(r#"at("/a").get(a::show).service("#);
}

#[test]
#[should_panic(expected = "past its door")]
fn a_route_of_the_api_that_is_not_declared_is_not_passed_over() {
    of_api(r#".service(each).service(web::resource("/a").route(it))"#);
}

#[test]
#[should_panic(expected = "not read")]
fn a_route_that_is_written_otherwise_is_not_passed_over() {
    of(r#".service(resource("/a").route(get().to(a)))"#);
}

#[test]
fn routes_are_registered_nowhere_else() {
    let registers = pattern(
        r#"\.route\(|\bresource\(|\bscope\("|#\[(?:actix_web::)?(?:get|post|put|patch|delete|route)\("#,
    );
    let elsewhere = |file: &Source| ![PAGES, API, DECLARES].contains(&file.path.as_str());
    let found: Vec<_> = tree("src", "rs")
        .iter()
        .filter(|file| elsewhere(file))
        .flat_map(|file| file.findings(&file.code(), &registers))
        .collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn there_are_no_other_scopes_than_those_read_here() {
    let scope = pattern(r#"\bscope\("([^"]*)""#);
    let text: String = tree("src/web", "rs").iter().map(|file| flat(&file.text)).collect();
    let scopes: Vec<_> = scope.captures_iter(&text).map(|each| each[1].to_owned()).collect();
    // The API twice: with a session where there is a cookie, and without.
    assert_eq!(scopes, ["/api/v1", "/api/v1", ""]);
}
