//! How to call the API, drawn from the description its handlers carry: what is written here
//! by hand is only how a token travels and what the errors mean.

use std::sync::LazyLock;

use askama::Template;
use serde_json::{Map, Value};

use crate::domain::access::scopes::Need;
use crate::web::api;
use crate::web::api::codes::{self, Code};
use crate::web::api::openapi;

/// The section of the Developer page, for the instance at `url`.
#[derive(Template)]
#[template(path = "developer/_reference.html")]
pub struct Reference {
    url: String,
    groups: &'static [Group],
    errors: &'static [&'static Code],
    error_example: &'static str,
}

impl Reference {
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned(), groups: &GROUPS, errors: codes::ALL, error_example: ERROR }
    }
}

static GROUPS: LazyLock<Vec<Group>> = LazyLock::new(|| groups(openapi::description()));

/// The endpoints of one tag.
struct Group {
    name: String,
    text: String,
    endpoints: Vec<Endpoint>,
}

struct Endpoint {
    /// Unique on the page.
    id: String,
    method: String,
    path: String,
    /// The path with an example for each of its parameters.
    example: String,
    title: String,
    text: String,
    /// Else only people signed in to the dashboard may: the description names a `security`.
    takes_token: bool,
    /// The scope it needs; empty without one.
    scope: &'static str,
    inputs: Vec<Input>,
    body: Option<Value>,
    /// `200 OK`, and the body that comes with it, if one does.
    status: String,
    answer: String,
}

/// A parameter in the path or the query.
struct Input {
    name: String,
    place: String,
    text: String,
}

impl Endpoint {
    /// A request that works as it stands: in a shell, or on a page of this site.
    fn request(&self, url: &str) -> String {
        match self.takes_token {
            true => self.curl(url),
            false => self.fetch(),
        }
    }

    /// Where the request is sent from.
    fn asker(&self) -> &'static str {
        if self.takes_token { "Request" } else { "Request from a page of this dashboard" }
    }

    fn curl(&self, url: &str) -> String {
        let method = if self.method == "GET" { String::new() } else { format!("-X {} ", self.method) };
        let body = self
            .body
            .as_ref()
            .map(|body| format!(" \\\n  -H \"Content-Type: application/json\" \\\n  -d '{body}'"));
        format!(
            "curl {method}-H \"Authorization: Bearer $GATEPOST_TOKEN\"{} \\\n  {url}{}",
            body.unwrap_or_default(),
            self.example
        )
    }

    fn fetch(&self) -> String {
        let body = self.body.as_ref().map(|body| {
            format!(
                ",\n  headers: {{\"Content-Type\": \"application/json\"}},\n  body: JSON.stringify({body})"
            )
        });
        format!(
            "await fetch(\"{}\", {{\n  method: \"{}\"{}\n}})",
            self.example,
            self.method,
            body.unwrap_or_default()
        )
    }
}

const ERROR: &str = r#"{
  "success": false,
  "error": {
    "code": "INVALID_REQUEST",
    "message": "The request is not valid; details name what to change.",
    "requestId": "req_019f2a4c1d877e02b6f03a9d1c55e7ad",
    "details": [
      {"field": "limit", "message": "The limit is a number from 1 to 100."}
    ]
  }
}"#;

/// In the order of the description's tags.
fn groups(api: &Value) -> Vec<Group> {
    let all: Vec<(String, Endpoint)> = operations(api).map(|it| endpoint(api, it)).collect();
    let mut groups: Vec<Group> = list(&api["tags"]).map(group).collect();
    for (tag, endpoint) in all {
        let group = groups.iter_mut().find(|group| group.name == tag);
        group.expect("every tag in use is described").endpoints.push(endpoint);
    }
    groups
}

fn group(tag: &Value) -> Group {
    Group { name: text(&tag["name"]), text: text(&tag["description"]), endpoints: Vec::new() }
}

type Operation<'a> = (&'a str, &'static str, &'a Value);

fn operations(api: &Value) -> impl Iterator<Item = Operation<'_>> {
    fields(&api["paths"]).flat_map(|(path, item)| {
        ["get", "post", "patch", "put", "delete"]
            .into_iter()
            .filter_map(move |method| item.get(method).map(|operation| (path.as_str(), method, operation)))
    })
}

fn endpoint(api: &Value, (path, method, operation): Operation<'_>) -> (String, Endpoint) {
    // Those that many operations have are said elsewhere.
    let parameters = || list(&operation["parameters"]).filter(|parameter| parameter.get("$ref").is_none());
    let (status, response) = fields(&operation["responses"]).next().expect("an endpoint answers");
    let json = |of: &Value| of.pointer("/content/application~1json/schema").map(|it| example(api, it));
    let endpoint = Endpoint {
        id: text(&operation["operationId"]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        example: parameters().fold(path.to_owned(), |path, parameter| {
            let name = format!("{{{}}}", text(&parameter["name"]));
            path.replace(&name, &text(&parameter["example"]))
        }),
        title: text(&operation["summary"]),
        text: text(&operation["description"]),
        takes_token: operation.pointer("/security/0/session").is_none(),
        scope: scope(path, method),
        inputs: parameters().map(input).collect(),
        body: json(&operation["requestBody"]),
        status: status_line(status),
        answer: json(response).map_or_else(|| plain(response), |body| format!("{body:#}")),
    };
    (text(&operation["tags"][0]), endpoint)
}

/// What the route itself says.
fn scope(path: &str, method: &str) -> &'static str {
    let own = path.trim_start_matches("/api/v1");
    let mut needs = api::needs();
    let found = needs.find(|(path, known, _)| *path == own && known.as_str().eq_ignore_ascii_case(method));
    match found.expect("what is described is there") {
        (_, _, Need::Scope(scope)) => scope.as_str(),
        (_, _, Need::AnyToken | Need::Person) => "",
    }
}

/// The example of an answer that is not JSON.
fn plain(response: &Value) -> String {
    let content = fields(&response["content"]).next();
    content.map(|(_, content)| text(&content["example"])).unwrap_or_default()
}

fn input(parameter: &Value) -> Input {
    let default = parameter.pointer("/schema/default").map(|value| format!(" {value} when left out."));
    Input {
        name: text(&parameter["name"]),
        place: text(&parameter["in"]),
        text: text(&parameter["description"]) + &default.unwrap_or_default(),
    }
}

fn status_line(code: &str) -> String {
    let known = code.parse().ok().and_then(|code| actix_web::http::StatusCode::from_u16(code).ok());
    known.map_or_else(|| code.to_owned(), |status| status.to_string())
}

/// A value as the schema describes it, made of the examples in it.
fn example(api: &Value, schema: &Value) -> Value {
    if let Some(given) = schema.get("example") {
        return given.clone();
    }
    if let Some(there) = schema.get("$ref").and_then(Value::as_str) {
        return api.pointer(there.trim_start_matches('#')).map_or(Value::Null, |it| example(api, it));
    }
    if let Some(one) = list(&schema["oneOf"]).find(|one| one["type"] != "null") {
        return example(api, one);
    }
    let parts: Vec<&Value> = list(&schema["allOf"]).collect();
    if !parts.is_empty() {
        return parts.into_iter().map(|part| example(api, part)).fold(Value::Null, merge);
    }
    match schema["type"].as_str() {
        Some("object") => fields(&schema["properties"])
            .map(|(name, property)| (name.clone(), example(api, property)))
            .collect::<Map<_, _>>()
            .into(),
        Some("array") => vec![example(api, &schema["items"])].into(),
        // Without an example: what may be absent is.
        _ => Value::Null,
    }
}

fn merge(left: Value, right: Value) -> Value {
    match (left, right) {
        (Value::Object(mut left), Value::Object(right)) => {
            left.extend(right);
            left.into()
        }
        (_, right) => right,
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(method: &str, path: &str) -> &'static Endpoint {
        let mut all = GROUPS.iter().flat_map(|group| &group.endpoints);
        all.find(|it| it.method == method && it.path == path).expect("an endpoint")
    }

    #[test]
    fn every_endpoint_says_what_it_is_for_and_shows_an_answer() {
        for endpoint in GROUPS.iter().flat_map(|group| &group.endpoints) {
            let name = format!("{} {}", endpoint.method, endpoint.path);
            assert!(!endpoint.title.is_empty() && !endpoint.text.is_empty(), "{name}");
            assert_eq!(endpoint.answer.is_empty(), endpoint.status.starts_with("204"), "{name}");
            assert!(!endpoint.example.contains('{'), "{name}: {}", endpoint.example);
            for input in &endpoint.inputs {
                assert!(!input.text.is_empty(), "{name}: {}", input.name);
            }
        }
    }

    #[test]
    fn examples_are_made_of_those_in_the_schema() {
        let answer: Value = serde_json::from_str(&find("GET", "/api/v1/me").answer).unwrap();
        assert_eq!(answer["team"]["name"], "Acme");
        assert_eq!(answer["token"]["name"], "ci");
        assert_eq!(answer["plan"], "pro");
        let keys = find("GET", "/api/v1/api-keys");
        let answer: Value = serde_json::from_str(&keys.answer).unwrap();
        assert_eq!(answer["data"][0]["state"], "active");
        assert_eq!(answer["data"][0]["revokedAt"], Value::Null);
        assert_eq!(answer["pagination"]["limit"], 50);
    }

    #[test]
    fn requests_can_be_pasted() {
        assert_eq!(
            find("DELETE", "/api/v1/me/token").request("https://gate.test"),
            "curl -X DELETE -H \"Authorization: Bearer $GATEPOST_TOKEN\" \\\n  https://gate.test/api/v1/me/token"
        );
        assert_eq!(
            find("POST", "/api/v1/api-keys").request(""),
            "await fetch(\"/api/v1/api-keys\", {\n  method: \"POST\",\n  headers: {\"Content-Type\": \"application/json\"},\n  body: JSON.stringify({\"name\":\"ci\",\"scopes\":[\"aliases:read\",\"aliases:write\"]})\n})"
        );
    }
}
