//! Rows of nouns that every member may list, create, show, change and delete, on pages and by the
//! API.

use super::{FOUND, Fields, GONE, LISTED, MADE, Row, Thing, endpoint, page};

/// What has a list and a page each, and the same in the API: its name and what creates one.
macro_rules! noun {
    ($name:literal, $fields:expr) => {
        pages_of(
            concat!("/api/v1/", $name),
            $fields,
            [
                concat!("GET /", $name),
                concat!("POST /", $name),
                concat!("GET /", $name, "/{id}"),
                concat!("POST /", $name, "/{id}"),
                concat!("GET /", $name, "/{id}/delete"),
                concat!("POST /", $name, "/{id}/delete"),
            ],
        )
        .into_iter()
        .chain(endpoints!($name, $fields))
    };
}

macro_rules! endpoints {
    ($name:literal, $fields:expr) => {
        endpoints_of(
            concat!("/api/v1/", $name),
            $fields,
            [
                concat!("GET /api/v1/", $name),
                concat!("POST /api/v1/", $name),
                concat!("GET /api/v1/", $name, "/{id}"),
                concat!("PATCH /api/v1/", $name, "/{id}"),
                concat!("DELETE /api/v1/", $name, "/{id}"),
            ],
        )
    };
}

/// Every member may do everything.
fn pages_of(posts: &'static str, fields: Fields, routes: [&'static str; 6]) -> [Row; 6] {
    let (everybody, members) = ([303, 200, 200, 200, 200], [303, 404, 200, 200, 200]);
    let (all_do, members_do) = ([303, 303, 303, 303, 303], [303, 404, 303, 303, 303]);
    let [list, create, show, change, ask, delete] = routes;
    let one = |route, expected| page(route, expected).about(Thing::Posted(posts, fields));
    [
        page(list, everybody),
        page(create, all_do).with(fields),
        one(show, members),
        one(change, members_do).with(fields),
        one(ask, members),
        one(delete, members_do),
    ]
}

/// People of the team who may use the API, and tokens of it, alike.
fn endpoints_of(posts: &'static str, fields: Fields, routes: [&'static str; 5]) -> [Row; 5] {
    let [list, create, show, change, delete] = routes;
    let one = |route, expected| endpoint(route, expected).about(Thing::Posted(posts, fields));
    [
        endpoint(list, LISTED),
        endpoint(create, MADE).with(fields),
        one(show, FOUND),
        one(change, FOUND),
        one(delete, GONE),
    ]
}

fn all() -> impl Iterator<Item = Row> {
    // An alias is changed by two forms of its own.
    let aliases = noun!("aliases", &[("localPart", "{id}")]).filter(|row| row.route != "POST /aliases/{id}");
    let contacts = noun!("contacts", &[("address", "{id}@customer.test")]);
    aliases.chain(contacts).chain(endpoints!("domains", &[("name", "{id}.test")]))
}

pub fn pages() -> Vec<Row> {
    all().filter(|row| !row.route.contains(" /api/")).collect()
}

pub fn api() -> Vec<Row> {
    all().filter(|row| row.route.contains(" /api/")).collect()
}
