//! Requests that run unchanged, in three languages. The token and the IDs are environment
//! variables, so that no secret is pasted.

use std::sync::LazyLock;

use serde_json::Value;

use super::description::Operation;
use super::highlight::{Language, highlight};
use crate::app::App;
use crate::web::api;
use crate::web::site::Site;

/// The environment variable of each id that is in a path, by its prefix: `ALIAS_ID` by `alias_`.
static VARIABLES: LazyLock<Vec<(&str, String)>> = LazyLock::new(|| {
    let variable = |(noun, example): (&str, &'static str)| {
        let prefix = &example[..=example.find('_').expect("ids have a prefix")];
        (prefix, format!("{}_ID", noun.to_uppercase()))
    };
    api::ids().into_iter().map(variable).collect()
});

/// The variable for an example that is an id.
pub fn variable(example: &Value) -> Option<&'static str> {
    let example = example.as_str()?;
    VARIABLES.iter().find(|(start, _)| example.starts_with(start)).map(|(_, name)| name.as_str())
}

/// This instance, as examples name it instead of the one in the description.
#[derive(Clone)]
pub struct Here {
    pub url: String,
    pub mail_domain: String,
    pub prefix: String,
}

impl Here {
    pub fn of(app: &App, site: &Site) -> Self {
        Self {
            url: site.url.as_str().to_owned(),
            mail_domain: app.config().mail.domain.to_string(),
            prefix: app.sealer().prefix.as_str().to_owned(),
        }
    }

    pub fn localize(&self, text: &str) -> String {
        let text = text.replace("gatepost.localhost", &self.mail_domain);
        text.replace("gp_1a2b3c4d", &format!("{}_1a2b3c4d", self.prefix))
    }
}

/// A request in one language.
pub struct Example {
    pub language: &'static str,
    pub title: &'static str,
    pub code: String,
}

impl Example {
    pub fn markup(&self) -> String {
        highlight(Language::named(self.language), &self.code)
    }
}

pub struct Request<'a> {
    pub method: &'a str,
    /// With an id's variable in braces: `/api/v1/aliases/{ALIAS_ID}`.
    pub path: String,
    pub body: &'a Value,
    pub kind: &'a str,
}

impl<'a> Request<'a> {
    pub fn of(operation: &'a Operation) -> Self {
        let path = operation.fields("path").iter().fold(operation.path.clone(), |path, field| {
            let name = variable(&field.example).unwrap_or(&field.name);
            path.replace(&format!("{{{}}}", field.name), &format!("{{{name}}}"))
        });
        Self { method: &operation.method, path, body: &operation.body, kind: &operation.success.kind }
    }

    /// A GET that answers JSON.
    pub fn get(path: &str) -> Self {
        Self { method: "GET", path: path.to_owned(), body: &Value::Null, kind: "application/json" }
    }

    pub fn in_each_language(&self, here: &Here) -> Vec<Example> {
        let example = |language, title, code: String| Example { language, title, code: here.localize(&code) };
        vec![
            example("curl", "curl", self.curl(&here.url)),
            example("javascript", "JavaScript", self.javascript(&here.url)),
            example("python", "Python", self.python(&here.url)),
        ]
    }

    fn curl(&self, url: &str) -> String {
        let path = self.path.replace('{', "$").replace('}', "");
        let method = match (self.method, self.body.is_null()) {
            ("GET", _) | ("POST", false) => String::new(),
            (method, _) => format!("-X {method} "),
        };
        let mut line = format!("curl {method}\"{url}{path}\"");
        line += " \\\n  -H \"Authorization: Bearer $GATEPOST_TOKEN\"";
        if !self.body.is_null() {
            let body = write(self.body, &Style::JSON, 0).replace('\'', "'\\''");
            let body = named(&body, |name| format!("\"'${name}'\""));
            line += &format!(" \\\n  -H \"Content-Type: application/json\" \\\n  -d '{body}'");
        }
        line
    }

    fn javascript(&self, url: &str) -> String {
        let body = named(&write(self.body, &Style::JSON, 1), str::to_owned);
        let (path, quote) = match self.path.contains('{') {
            true => (self.path.replace('{', "${"), '`'),
            false => (self.path.clone(), '"'),
        };
        let mut lines = vec![format!("const {{ {} }} = process.env;", self.variables().join(", "))];
        lines.push(format!("const response = await fetch({quote}{url}{path}{quote}, {{"));
        if self.method != "GET" {
            lines.push(format!("  method: \"{}\",", self.method));
        }
        let token = "Authorization: `Bearer ${GATEPOST_TOKEN}`";
        if self.body.is_null() {
            lines.push(format!("  headers: {{ {token} }},"));
        } else {
            let json = "\"Content-Type\": \"application/json\"";
            lines.push(format!("  headers: {{\n    {token},\n    {json},\n  }},"));
            lines.push(format!("  body: JSON.stringify({body}),"));
        }
        let read = match self.kind {
            "" => "",
            "application/json" => ", await response.json()",
            _ => ", await response.text()",
        };
        lines.push(format!("}});\nconsole.log(response.status{read});"));
        lines.join("\n")
    }

    /// Environment variables, without duplicates.
    fn variables(&self) -> Vec<String> {
        let body = write(self.body, &Style::JSON, 0);
        let in_path = self.path.split(['{', '}']).skip(1).step_by(2);
        let in_body = body.split(MARK).skip(1).step_by(2);
        let mut all = vec!["GATEPOST_TOKEN".to_owned()];
        for name in in_path.chain(in_body) {
            if !all.iter().any(|known| known == name) {
                all.push(name.to_owned());
            }
        }
        all
    }

    fn python(&self, url: &str) -> String {
        let path = self.path.replace('{', "{env['").replace('}', "']}");
        let f = if self.path.contains('{') { "f" } else { "" };
        let json = if self.body.is_null() && self.kind != "application/json" { "" } else { "import json\n" };
        let mut lines = vec![format!(
            "{json}from os import environ as env\nfrom urllib.request import Request, urlopen\n"
        )];
        lines.push(format!("request = Request(\n    {f}\"{url}{path}\","));
        if self.method != "GET" {
            lines.push(format!("    method=\"{}\",", self.method));
        }
        let token = "\"Authorization\": f\"Bearer {env['GATEPOST_TOKEN']}\"";
        if self.body.is_null() {
            lines.push(format!("    headers={{{token}}},"));
        } else {
            let body = named(&write(self.body, &Style::PYTHON, 1), |name| format!("env[\"{name}\"]"));
            lines.push(format!("    headers={{\n        {token},"));
            lines.push("        \"Content-Type\": \"application/json\",\n    },".into());
            lines.push(format!("    data=json.dumps({body}).encode(),"));
        }
        let read = match self.kind {
            "" => "response.status",
            "application/json" => "response.status, json.load(response)",
            _ => "response.status, response.read()",
        };
        lines.push(format!(")\nwith urlopen(request) as response:\n    print({read})"));
        lines.join("\n")
    }

    /// For operations that require a session: from a page of this dashboard.
    pub fn on_the_dashboard(&self) -> String {
        let quote = if self.path.contains('{') { '`' } else { '"' };
        let path = self.path.replace('{', "${");
        let body = match self.body.is_null() {
            true => String::new(),
            false => format!(
                ",\n  headers: {{ \"Content-Type\": \"application/json\" }},\n  body: JSON.stringify({})",
                write(self.body, &Style::JSON, 1)
            ),
        };
        format!("await fetch({quote}{path}{quote}, {{\n  method: \"{}\"{body},\n}});", self.method)
    }
}

/// The syntax of a value in a language.
struct Style {
    indent: &'static str,
    null: &'static str,
    yes: &'static str,
    no: &'static str,
}

impl Style {
    const JSON: Self = Self { indent: "  ", null: "null", yes: "true", no: "false" };
    const PYTHON: Self = Self { indent: "    ", null: "None", yes: "True", no: "False" };
}

/// Encloses the variable of an id until the language is known.
const MARK: char = '\u{1}';

/// Longer values get a line for each field.
const LINE: usize = 60;

fn write(value: &Value, style: &Style, depth: usize) -> String {
    match value {
        Value::Null => style.null.into(),
        Value::Bool(yes) => if *yes { style.yes } else { style.no }.into(),
        Value::Array(all) => {
            let parts: Vec<_> = all.iter().map(|each| write(each, style, depth + 1)).collect();
            format!("[{}]", parts.join(", "))
        }
        Value::Object(all) => {
            let part =
                |(name, each): (&String, &Value)| format!("\"{name}\": {}", write(each, style, depth + 1));
            let parts: Vec<_> = all.iter().map(part).collect();
            let line = format!("{{{}}}", parts.join(", "));
            match line.len() > LINE {
                true => {
                    let (within, end) = (style.indent.repeat(depth + 1), style.indent.repeat(depth));
                    format!("{{\n{within}{}\n{end}}}", parts.join(&format!(",\n{within}")))
                }
                false => line,
            }
        }
        scalar => match variable(scalar) {
            Some(name) => format!("{MARK}{name}{MARK}"),
            None => scalar.to_string(),
        },
    }
}

/// The text with each id in it written the language's way.
fn named(text: &str, name: impl Fn(&str) -> String) -> String {
    let parts = text.split(MARK).enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { name(part) } else { part.to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::web::pages::access::docs::description::GROUPS;

    fn request<'a>(body: &'a Value) -> Request<'a> {
        Request {
            method: "PATCH",
            path: "/api/v1/domains/{DOMAIN_ID}".into(),
            body,
            kind: "application/json",
        }
    }

    #[test]
    fn an_id_is_a_variable_in_every_language() {
        let body = json!({"catchAll": "alias_1", "note": "it's", "on": true});
        let request = request(&body);
        assert_eq!(
            request.curl("https://gate.test"),
            "curl -X PATCH \"https://gate.test/api/v1/domains/$DOMAIN_ID\" \\\n  \
             -H \"Authorization: Bearer $GATEPOST_TOKEN\" \\\n  -H \"Content-Type: application/json\" \\\n  \
             -d '{\"catchAll\": \"'$ALIAS_ID'\", \"note\": \"it'\\''s\", \"on\": true}'"
        );
        let javascript = request.javascript("https://gate.test");
        assert!(javascript.starts_with("const { GATEPOST_TOKEN, DOMAIN_ID, ALIAS_ID } = process.env;"));
        assert!(javascript.contains("`https://gate.test/api/v1/domains/${DOMAIN_ID}`"), "{javascript}");
        assert!(javascript.contains("{\"catchAll\": ALIAS_ID, "), "{javascript}");
        let python = request.python("https://gate.test");
        assert!(python.contains("f\"https://gate.test/api/v1/domains/{env['DOMAIN_ID']}\""), "{python}");
        assert!(python.contains("{\"catchAll\": env[\"ALIAS_ID\"], \"note\": \"it's\", \"on\": True}"));
    }

    #[test]
    fn every_parameter_in_a_path_has_its_variable() {
        for operation in GROUPS.iter().flat_map(|group| &group.operations) {
            for field in operation.fields("path") {
                assert!(variable(&field.example).is_some(), "{}: {}", operation.id, field.name);
            }
        }
    }

    #[test]
    fn long_values_have_a_line_for_each_field() {
        let body = json!({"name": "a name that is rather long", "note": "and a note that is longer still"});
        assert_eq!(write(&body, &Style::JSON, 1).lines().count(), 4);
        assert_eq!(
            write(&json!({"a": [1, "b"], "c": null}), &Style::PYTHON, 0),
            "{\"a\": [1, \"b\"], \"c\": None}"
        );
    }
}
