//! Texts about the whole API, for the description and the reference page.

use serde_json::{Value, json};

/// The guarantees of version 1.
pub struct Versioning {
    pub summary: &'static str,
    /// Changes that can happen at any time.
    pub may_change: &'static [&'static str],
    /// Properties that never change within this version.
    pub stays: &'static [&'static str],
    /// The end of a version.
    pub end: &'static [&'static str],
}

pub const VERSIONING: Versioning = Versioning {
    summary: "The version is in the URL: /api/v1. A client that follows these rules keeps working with every later release.",
    may_change: &[
        "New routes, new methods on a route, and new optional parameters, fields and headers of a request.",
        "New fields in a response, in any order, and new headers. Ignore any you do not know.",
        "New values of enumerated fields, like a message's state, and new error codes. Treat an unknown error code according to its status.",
        "New scopes. An existing token gets them only if it was given all scopes.",
        "The wording of messages, reasons and other sentences for people.",
        "The format of an id or a cursor after its prefix. Store them unchanged, up to 100 characters.",
        "The hourly limit of a plan, and validation that becomes less strict.",
    ],
    stays: &[
        "No route, method, parameter, field or header is removed, or changes its name, type or meaning.",
        "No optional part of a request becomes required, and validation does not become stricter.",
        "A field of a response is always present. It is null only if the description allows that.",
        "An error keeps its status and its code.",
        "A route requires the same scope.",
        "Defaults, the order of lists, and how credentials are sent.",
    ],
    end: &[
        "A change that breaks one of these rules gets a new URL, /api/v2, alongside the old one.",
        "Version 1 stays in every release for at least 12 months after the first release with its successor.",
        "Anything that will be removed is first marked as deprecated in this description, with its replacement.",
        "A security flaw can be fixed at once, even if a client relied on it; the release notes will say so.",
    ],
};

pub fn info(info: &mut Value) {
    let Versioning { summary, may_change, stays, end } = VERSIONING;
    info["description"] = json!(format!("{WORDS}\n\n{}", policy()));
    info["x-versioning"] =
        json!({"summary": summary, "mayChange": may_change, "staysTheSame": stays, "howItEnds": end});
}

fn policy() -> String {
    let section = |title: &str, items: &[&str]| {
        let items: String = items.iter().map(|item| format!("- {item}\n")).collect();
        format!("{title}\n\n{items}")
    };
    let Versioning { summary, may_change, stays, end } = VERSIONING;
    [
        format!("## Versions\n\n{summary}\n"),
        section("What can change at any time:", may_change),
        section("What stays the same:", stays),
        section("How a version ends:", end),
    ]
    .join("\n")
}

const WORDS: &str = "\
Everything an app can do for a team.

## Credentials

Send a token from the Developer page as `Authorization: Bearer …` or as `X-API-Key: …`, never both and \
never in the address. `x-required-scopes` says which scope a route requires; any token can use a route without one. \
Routes that create or revoke tokens accept no token, only the dashboard's own session.

## Errors

Every error has one shape, `ErrorResponse`, with the request's id. With `Accept: application/problem+json` it is \
that of RFC 9457, `Problem`, with the same content. Requests are validated strictly: an unknown field or parameter \
is refused and named in `details`. The resources of another team do not exist: 404.

## Idempotency and ETags

Every path with `GET` also accepts `HEAD`; `OPTIONS` returns the methods of an address in `Allow`. A response that shows a \
resource has an `ETag`: send it as `If-None-Match` to get 304 while nothing has changed, or as `If-Match` with a \
change, which is refused (412) if the resource has changed since. Requests that create a resource accept an \
`Idempotency-Key`: if you got no response, send the same request with the same key, and nothing is created twice.

## Limits

A team has an hourly limit; a token can have a smaller one. Every authenticated response includes the \
remaining quota. Once it is used up, the response is 429, and `Retry-After` says how many seconds to \
wait; the first request after that succeeds.

## Pagination

A list returns `{\"data\": […], \"pagination\": {…}}`. `limit` is 1 to 100; the default is 50. If \
`pagination.nextCursor` is not null, send it as `cursor` to get the next page, which costs the same however \
long the list is. `pagination.total` counts the whole list, where it is counted.

## Values

Fields are camelCase. Times are RFC 3339 in UTC. IDs are opaque strings with a prefix for their type. A \
response never omits a field: unknown values are null.";
