//! Rows of nouns that every member may list, create, show, change and delete, on pages and through the API.

use gatepost::domain::nouns::Noun;
use gatepost::web::api::openapi;

use super::{CREATED, DELETED, FOUND, Fields, LISTED, Row, Thing, endpoint, page};

/// Pages that every member may use.
fn pages_of(noun: Noun) -> [Row; 7] {
    let (words, fields) = (noun.words(), fields_of(noun));
    let route = |method: &str, path: &str| -> &'static str { format!("{method} {path}").leak() };
    let posts = format!("/api/v1{}", words.list).leak();
    let (everybody, members) = ([303, 200, 200, 200, 200], [303, 404, 200, 200, 200]);
    let (all_do, members_do) = ([303, 303, 303, 303, 303], [303, 404, 303, 303, 303]);
    let one = |route, expected| page(route, expected).about(Thing::Posted(posts, fields));
    [
        page(route("GET", words.list), everybody),
        page(route("POST", words.list), all_do).with(fields),
        page(route("GET", words.creation), everybody),
        one(route("GET", words.page), members),
        one(route("POST", words.page), members_do).with(fields),
        one(route("GET", words.deletion), members),
        one(route("POST", words.deletion), members_do),
    ]
}

/// Endpoints that the team's tokens may use, and its people with API access.
fn endpoints_of(many: &str, fields: Fields) -> [Row; 5] {
    let posts: &'static str = format!("/api/v1/{many}").leak();
    let route = |method: &str, id: &str| -> &'static str { format!("{method} {posts}{id}").leak() };
    let one = |method: &str, expected| {
        endpoint(route(method, "/{id}"), expected).about(Thing::Posted(posts, fields))
    };
    [
        endpoint(route("GET", ""), LISTED),
        endpoint(route("POST", ""), CREATED).with(fields),
        one("GET", FOUND),
        one("PATCH", FOUND),
        one("DELETE", DELETED),
    ]
}

/// The required fields of the API's body, with their examples. Texts start with the resource's id, so that they are
/// unique.
fn fields_of(noun: Noun) -> Fields {
    if noun == Noun::Alias {
        return &[("localPart", "{id}")];
    }
    let api = openapi::description();
    let schema = &api["components"]["schemas"][format!("New{noun:?}")];
    let required = schema["required"].as_array().expect("required fields").iter();
    let field = |name: &str| -> (&'static str, &'static str) {
        let (field, name) = (&schema["properties"][name], name.to_owned());
        let example = field["example"].as_str().or(field["examples"][0].as_str()).expect("an example");
        let text = if field["enum"].is_array() { example.to_owned() } else { format!("{{id}}{example}") };
        (name.leak(), text.leak())
    };
    required.map(|name| field(name.as_str().expect("a name"))).collect::<Vec<_>>().leak()
}

fn all() -> impl Iterator<Item = Row> {
    let plain =
        |noun: Noun| pages_of(noun).into_iter().chain(endpoints_of(noun.words().many, fields_of(noun)));
    let domains = endpoints_of("domains", &[("name", "{id}.test")]);
    // Aliases are changed by two other forms.
    let rows = Noun::ALL.into_iter().flat_map(plain).filter(|row| row.route != "POST /aliases/{id}");
    rows.chain(domains)
}

pub fn pages() -> Vec<Row> {
    all().filter(|row| !row.route.contains(" /api/")).collect()
}

pub fn api() -> Vec<Row> {
    all().filter(|row| row.route.contains(" /api/")).collect()
}
