//! The API's description, as the page shows it. It is the same for every team and instance, so it
//! is read once.

use std::sync::LazyLock;

use serde_json::Value;

use super::schema::{self, Api, Field, Object, fields, list, text};
use super::words;
use crate::domain::access::scopes::Need;
use crate::web::api::{self, Op, openapi};

pub static GROUPS: LazyLock<Vec<Group>> = LazyLock::new(|| groups(&Api(openapi::description())));

/// The operation that the URL of a page names.
pub fn find(id: &str) -> Option<&'static Operation> {
    GROUPS.iter().flat_map(|group| &group.operations).find(|operation| operation.id == id)
}

/// The operations and objects of one tag.
pub struct Group {
    pub id: String,
    pub name: String,
    pub text: String,
    pub operations: Vec<Operation>,
    /// The objects in its responses.
    pub objects: Vec<Object>,
}

pub struct Operation {
    /// Unique among all operations, and the anchor of links.
    pub id: String,
    /// The group's.
    pub page: String,
    pub method: String,
    pub path: String,
    pub title: String,
    pub text: String,
    pub need: Need,
    /// Whether its response holds a secret, for which there is a page of its own.
    reveals_secret: bool,
    pub places: Vec<Coord>,
    /// The body of its example, `null` without one.
    pub body: Value,
    pub success: Success,
    pub refusals: Vec<Refused>,
    /// All of that in lower case, for the search.
    words: String,
}

pub struct Coord {
    pub name: &'static str,
    pub title: &'static str,
    pub fields: Vec<Field>,
}

pub struct Success {
    pub status: u16,
    pub text: String,
    pub kind: String,
    pub example: String,
    /// The object within, if the answer is JSON.
    pub object: String,
    pub is_list: bool,
}

pub struct Refused {
    pub status: u16,
    /// The meaning of this status here; empty for the usual one.
    pub text: String,
}

impl Operation {
    pub fn takes_token(&self) -> bool {
        self.need != Need::Person
    }

    /// The scope it needs; empty without one.
    pub fn scope(&self) -> &'static str {
        match self.need {
            Need::Scope(scope) => scope.as_str(),
            Need::AnyToken | Need::Person => "",
        }
    }

    pub fn changes_something(&self) -> bool {
        self.method != "GET"
    }

    pub fn can_be_tried(&self) -> bool {
        !self.reveals_secret
    }

    pub fn has_body(&self) -> bool {
        !self.body.is_null()
    }

    /// The statuses with their usual meaning.
    pub fn usual_refusals(&self) -> String {
        let usual = self.refusals.iter().filter(|refused| refused.text.is_empty());
        usual.map(|refused| refused.status.to_string()).collect::<Vec<_>>().join(", ")
    }

    pub fn fields(&self, place: &str) -> &[Field] {
        let found = self.places.iter().find(|each| each.name == place);
        found.map_or(&[], |place| &place.fields)
    }

    /// Whether all the words occur somewhere in its description.
    pub fn matches(&self, words: &str) -> bool {
        words::holds(&self.words, words)
    }
}

impl Group {
    pub fn find(id: &str) -> Option<&'static Self> {
        GROUPS.iter().find(|group| group.id == id)
    }

    /// The title beside those of the group: its verb, and the words that only some readers need. The verb
    /// alone names an operation if no other of the group has it.
    pub fn split<'a>(&self, title: &'a str) -> (&'a str, &'a str) {
        let verb = |title: &'a str| title.split_once(' ').map_or(title, |(verb, _)| verb);
        let same = self.operations.iter().filter(|other| other.title.split(' ').next() == Some(verb(title)));
        match same.count() {
            1 => title.split_at(verb(title).len()),
            _ => (title, ""),
        }
    }
}

/// In the order of the description's tags.
fn groups(api: &Api<'_>) -> Vec<Group> {
    let mut groups: Vec<Group> = list(&api.0["tags"]).map(group).collect();
    let routes: Vec<_> = api::operations().collect();
    for (path, item) in fields(&api.0["paths"]) {
        // Reads first, deletions last.
        for method in ["get", "post", "put", "patch", "delete"] {
            let Some(operation) = item.get(method) else { continue };
            let route = routes.iter().find(|(.., op)| operation["operationId"] == op.id);
            let op = &route.expect("a route for each description").2;
            let tag = text(&operation["tags"][0]);
            let group = groups.iter_mut().find(|group| group.name == tag);
            let group = group.expect("every tag in use is described");
            let page = group.id.clone();
            group.operations.push(Operation { page, ..read(api, (path, method), operation, op) });
        }
    }
    for group in &mut groups {
        let names = group.operations.iter().map(|operation| operation.success.object.clone()).collect();
        group.objects = schema::objects(api, names);
    }
    groups
}

fn group(tag: &Value) -> Group {
    let name = text(&tag["name"]);
    let id = name.to_lowercase().replace(' ', "-");
    Group { id, name, text: text(&tag["description"]), operations: Vec::new(), objects: Vec::new() }
}

fn read(api: &Api<'_>, (path, method): (&str, &str), operation: &Value, op: &Op) -> Operation {
    let (mut success, mut refusals) = (None, Vec::new());
    for (status, answer) in fields(&operation["responses"]) {
        let status = status.parse().expect("a status is a number");
        match status {
            200..300 => success = success.or_else(|| Some(answered(api, status, answer))),
            _ => refusals.push(Refused { status, text: text(&answer["description"]) }),
        }
    }
    let mut read = Operation {
        id: dashed(&text(&operation["operationId"])),
        page: String::new(),
        method: method.to_uppercase(),
        path: path.to_owned(),
        title: text(&operation["summary"]),
        text: text(&operation["description"]),
        need: op.need,
        reveals_secret: op.reveals_secret,
        places: places(api, operation),
        body: body(operation).map(|it| it["example"].clone()).unwrap_or_default(),
        success: success.expect("an operation can succeed"),
        refusals,
        words: String::new(),
    };
    read.words = words(&read);
    read
}

fn words(of: &Operation) -> String {
    let mut words = [&of.method, &of.path, &of.title, &of.text, of.scope(), &of.id].join(" ");
    for field in of.places.iter().flat_map(|place| &place.fields) {
        words += &format!(" {} {}", field.name, field.text);
    }
    words.to_lowercase()
}

/// `listAliases` as `list-aliases`.
fn dashed(id: &str) -> String {
    let mut dashed = String::new();
    for letter in id.chars() {
        match letter {
            'A'..='Z' => dashed.extend(['-', letter.to_ascii_lowercase()]),
            'a'..='z' | '0'..='9' => dashed.push(letter),
            _ => dashed.push('-'),
        }
    }
    dashed
}

fn body(operation: &Value) -> Option<&Value> {
    operation.pointer("/requestBody/content/application~1json")
}

fn places(api: &Api<'_>, operation: &Value) -> Vec<Coord> {
    let parameters = |place: &'static str| {
        let there = list(&operation["parameters"]).map(|it| api.resolve(it));
        there.filter(move |it| it["in"] == place).map(|it| api.parameter(it)).collect()
    };
    let place = |name, title, fields| Coord { name, title, fields };
    let places = vec![
        place("path", "Path parameters", parameters("path")),
        place("query", "Query parameters", parameters("query")),
        place("header", "Headers", parameters("header")),
        place("body", "Body", body(operation).map(|it| api.fields_of(&it["schema"])).unwrap_or_default()),
    ];
    places.into_iter().filter(|place| !place.fields.is_empty()).collect()
}

fn answered(api: &Api<'_>, status: u16, answer: &Value) -> Success {
    let content = fields(&answer["content"]).next();
    let (kind, content) = content.map_or(("", &Value::Null), |(kind, content)| (kind.as_str(), content));
    let schema = &content["schema"];
    let example = match &content["example"] {
        Value::Null => String::new(),
        Value::String(given) => given.clone(),
        given => format!("{given:#}"),
    };
    let items = api.resolve(schema).pointer("/properties/data/items");
    let object = match (items.and_then(schema::name), schema::name(schema)) {
        (Some(item), _) => item.to_owned(),
        (None, name) => name.unwrap_or_default().trim_start_matches("Page_").to_owned(),
    };
    let text = text(&answer["description"]);
    Success { status, text, kind: kind.to_owned(), example, object, is_list: items.is_some() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all() -> impl Iterator<Item = &'static Operation> {
        GROUPS.iter().flat_map(|group| &group.operations)
    }

    #[test]
    fn every_route_is_described_once() {
        let described: Vec<_> = all().map(|it| format!("{} {}", it.method, it.path)).collect();
        let routes = api::operations().map(|(path, method, _)| format!("{method} {path}"));
        let distinct: BTreeSet<_> = described.iter().cloned().collect();
        assert_eq!(distinct, routes.collect());
        assert_eq!(distinct.len(), described.len());
        assert_eq!(
            all().map(|it| &it.id).collect::<BTreeSet<_>>().len(),
            described.len(),
            "links lead to one"
        );
    }

    #[test]
    fn every_operation_is_described_with_an_example() {
        for it in all() {
            assert!(!it.title.is_empty() && !it.text.is_empty(), "{}", it.id);
            assert_eq!(it.success.example.is_empty(), it.success.status == 204, "{}", it.id);
            assert_eq!(it.has_body(), !it.fields("body").is_empty(), "{}", it.id);
            let sent = it.places.iter().filter(|place| place.name != "body");
            for field in sent.flat_map(|place| &place.fields) {
                assert!(!field.text.is_empty() && !field.kind.is_empty(), "{}: {}", it.id, field.name);
            }
        }
    }

    #[test]
    fn examples_are_made_of_those_in_the_schema() {
        let answer = |path: &str| {
            let of = all().find(|it| it.method == "GET" && it.path == path).expect("an operation");
            serde_json::from_str::<Value>(&of.success.example).expect("JSON")
        };
        let me = answer("/api/v1/me");
        assert_eq!((&me["team"]["name"], &me["plan"]), (&Value::from("Acme"), &Value::from("pro")));
        let keys = answer("/api/v1/api-keys");
        assert_eq!(keys["data"][0]["state"], "active");
        assert_eq!(keys["pagination"]["limit"], 50);
    }

    #[test]
    fn a_verb_names_an_operation_where_it_is_the_only_one() {
        let messages = Group::find("messages").expect("a group");
        assert_eq!(messages.split("List messages"), ("List", " messages"));
        assert_eq!(messages.split("Download a message"), ("Download a message", ""));
    }

    #[test]
    fn the_search_covers_everything() {
        let found =
            |words: &str| all().filter(|it| it.matches(words)).map(|it| it.path.as_str()).collect::<Vec<_>>();
        assert!(found("CATCHALL patch").iter().all(|path| *path == "/api/v1/domains/{id}"));
        assert!(found("aliases:write delete").contains(&"/api/v1/aliases/{id}"));
        assert!(found("zebra").is_empty() && found(" ").len() == all().count());
    }
}
