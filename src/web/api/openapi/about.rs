//! What is true of the whole API, in words: for the description's own page, and for ours.

use serde_json::{Value, json};

/// What version 1 promises.
pub struct Versioning {
    pub summary: &'static str,
    /// What may come at any time, and a client has to live with.
    pub may_change: &'static [&'static str],
    /// What does not happen within this version.
    pub stays: &'static [&'static str],
    /// How something goes.
    pub end: &'static [&'static str],
}

pub const VERSIONING: Versioning = Versioning {
    summary: "The version is in the address: /api/v1. Within it, a program that keeps to these rules goes on working with every later release.",
    may_change: &[
        "New routes, new methods on a route, and new optional parameters, fields and headers of a request.",
        "New fields in an answer, in any order, and new headers. Leave out what you do not know.",
        "New values of a field that has a few known ones, such as a message's state, and new error codes. Treat an unknown error code as its status says.",
        "New scopes. A token made before has them only if it was given all.",
        "The wording of messages, reasons and other sentences for people.",
        "What an id or a cursor looks like after its prefix. Keep them as they are, up to 100 characters.",
        "The number of calls a plan has in an hour, and a bound that becomes wider.",
    ],
    stays: &[
        "No route, method, parameter, field or header goes, and none changes its name, its type or its meaning.",
        "No optional part of a request becomes required, and no bound of a request becomes tighter.",
        "A field of an answer is always there: what is not known is null, and only where the description says that it may be.",
        "An error keeps its status and its code.",
        "A route asks for the same scope.",
        "Defaults, the order of lists, and how credentials are sent.",
    ],
    end: &[
        "A change that breaks one of these gets a new address, /api/v2, beside the old one.",
        "Version 1 stays in every release for 12 months at least after the first one that has its successor.",
        "What is to go is marked as deprecated in this description first, with what to use instead.",
        "A fault of security can be mended at once, even where a program relied on it; the release notes then say so.",
    ],
};

/// Adds to the title and the version what a reader needs besides the routes.
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
        section("What may come at any time:", may_change),
        section("What stays:", stays),
        section("How a version ends:", end),
    ]
    .join("\n")
}

const WORDS: &str = "\
What a program may do for its team.

## Credentials

Send a token from the Developer page as `Authorization: Bearer …` or as `X-API-Key: …`, never both and \
never in the address. `x-required-scopes` says which scope a route needs; one without any takes every token. \
Routes that make or take power take no token at all, only the dashboard's own session.

## Refusals

Every refusal has one shape, `ErrorAnswer`, with the request's id. With `Accept: application/problem+json` it is \
that of RFC 9457, `Problem`, with the same facts. A request is read strictly: an unknown field or parameter \
is refused and named in `details`. Another team's things do not exist: 404.

## Again, and only if

A `GET` can be asked as `HEAD`; `OPTIONS` tells in `Allow` what an address takes. An answer that shows a thing \
carries an `ETag`: send it as `If-None-Match` to be told 304 while nothing has changed, or as `If-Match` with a \
change, which is refused (412) when the thing is another by then. What creates something takes an \
`Idempotency-Key`: whoever got no answer sends the same again by the same key, and nothing is made twice.

## Limits

A team has a number of calls an hour; a token may have fewer of its own. Every answer after the credential \
was checked says what is left. When nothing is, the answer is 429 and `Retry-After` says how many seconds to \
wait; the first call after that passes.

## Lists

A list answers `{\"data\": […], \"pagination\": {…}}`. `limit` is 1 to 100, and 50 when left out. Where \
`pagination.nextCursor` is not null, send it as `cursor` for what comes next: in a list that grows, that costs \
the same however long it is. `pagination.total` counts the whole list, where it is counted.

## Values

Fields are camelCase. Times are RFC 3339 in UTC. Ids are opaque text with a prefix that says of what. In an \
answer, nothing is left out: what is not known is null.";
