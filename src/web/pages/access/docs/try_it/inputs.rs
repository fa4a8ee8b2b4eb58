//! The inputs of a request, and the request that they make.

use std::borrow::Cow;

use actix_web::http::header::{HeaderName, HeaderValue};
use percent_encoding::utf8_percent_encode;

use crate::web::pages::FormErrors;
use crate::web::pages::access::docs::description::Operation;
use crate::web::pages::access::docs::in_process::Call;
use crate::web::pages::access::docs::schema::{self, Field};
use crate::web::paths;

/// Characters of an input, as its form says.
pub const MAX: usize = 1000;

/// By place and name: `path.id`, `query.limit`, `body`.
pub type Filled = Vec<(String, String)>;

/// Those of one place in the request.
pub struct Inputs {
    pub place: &'static str,
    pub title: &'static str,
    pub inputs: Vec<Input>,
}

pub struct Input {
    pub field: &'static Field,
    pub name: String,
    pub value: String,
}

impl Inputs {
    pub fn of(operation: &'static Operation, filled: &Filled) -> Vec<Self> {
        let places = operation.places.iter().filter(|place| place.name != "body");
        let inputs = places.map(|place| Self {
            place: place.name,
            title: place.title,
            inputs: place.fields.iter().map(|field| Input::of(place.name, field, filled)).collect(),
        });
        inputs.collect()
    }

    /// Headers are rarely needed.
    pub fn is_folded(&self) -> bool {
        self.place == "header"
    }

    pub fn is_filled(&self) -> bool {
        self.inputs.iter().any(|input| !input.value.is_empty())
    }
}

impl Input {
    fn of(place: &str, field: &'static Field, filled: &Filled) -> Self {
        let name = format!("{place}.{}", field.name);
        let value = value(filled, &name).to_owned();
        Self { field, name, value }
    }

    pub fn choices(&self) -> &[String] {
        match &self.field.input {
            schema::Input::Choice(choices) => choices,
            _ => &[],
        }
    }

    pub fn is_flag(&self) -> bool {
        self.field.input == schema::Input::Flag
    }

    pub fn kind(&self) -> &'static str {
        match self.field.input {
            schema::Input::Number => "number",
            schema::Input::Time => "datetime-local",
            _ => "text",
        }
    }

    pub fn hint(&self) -> String {
        let limits = match self.field.input {
            schema::Input::Choice(_) | schema::Input::Flag => String::new(),
            schema::Input::Time => "In UTC.".into(),
            _ => self.field.limits(),
        };
        let said = [self.field.text.as_str(), &limits].into_iter().filter(|said| !said.is_empty());
        said.collect::<Vec<_>>().join(" ").replace('`', "")
    }
}

pub fn value<'a>(filled: &'a Filled, name: &str) -> &'a str {
    filled.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
}

/// # Errors
/// The inputs that cannot be sent.
pub fn call(operation: &Operation, filled: &Filled) -> Result<Call, FormErrors> {
    in_bounds(filled)?;
    let mut path = operation.path.clone();
    for field in operation.fields("path") {
        let (name, place) = (format!("path.{}", field.name), format!("{{{}}}", field.name));
        match value(filled, &name) {
            "" => return Err(FormErrors::one(name, "Required.")),
            value => path = path.replace(&place, &utf8_percent_encode(value, paths::QUERY).to_string()),
        }
    }
    let given = |place: &'static str| {
        let named = operation.fields(place).iter().map(move |it| (it, format!("{place}.{}", it.name)));
        named.filter(|(_, name)| !value(filled, name).is_empty())
    };
    let query: Vec<_> =
        given("query").map(|(field, name)| (&*field.name, sent(field, filled, &name))).collect();
    let query: Vec<_> = query.iter().map(|(name, value)| (*name, &**value)).collect();
    let mut headers = Vec::new();
    for (field, name) in given("header") {
        let sent = HeaderValue::try_from(value(filled, &name));
        let sent = sent.map_err(|_| FormErrors::one(name, "Enter one line of ASCII."))?;
        headers.push((HeaderName::try_from(&*field.name).expect("a header's name"), sent));
    }
    let uri = paths::with_query(&path, &query).parse();
    Ok(Call {
        method: operation.method.parse().expect("a method"),
        uri: uri.map_err(|_| too_long_together(filled))?,
        headers,
        body: operation.has_body().then(|| value(filled, "body").to_owned()),
    })
}

/// Browsers send the time of an input without a zone, and at a full minute without seconds.
fn sent<'a>(field: &Field, filled: &'a Filled, name: &str) -> Cow<'a, str> {
    let value = value(filled, name);
    match (&field.input, value.len()) {
        (schema::Input::Time, 16) => format!("{value}:00Z").into(),
        (schema::Input::Time, 19) => format!("{value}Z").into(),
        _ => value.into(),
    }
}

fn in_bounds(filled: &Filled) -> Result<(), FormErrors> {
    let inputs = filled.iter().filter(|(name, _)| name != "body");
    match inputs.map(|(name, value)| (name, value.chars().count())).find(|(_, length)| *length > MAX) {
        Some((name, length)) => {
            let message = format!("Enter at most {MAX} characters (you typed {length}).");
            Err(FormErrors::one(name.clone(), message))
        }
        None => Ok(()),
    }
}

/// Each input is short enough, but the URL with all of them is not.
fn too_long_together(filled: &Filled) -> FormErrors {
    let inputs = filled.iter().filter(|(name, _)| name != "body");
    let longest = inputs.max_by_key(|(_, value)| value.len()).map_or("", |(name, _)| name);
    FormErrors::one(longest.to_owned(), "All inputs together make the URL too long. Shorten this one.")
}

/// The same request for a terminal, with a token instead of the session.
pub fn curl(call: &Call, url: &str) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let method = match (call.method.as_str(), &call.body) {
        ("GET", _) | ("POST", Some(_)) => String::new(),
        (method, _) => format!("-X {method} "),
    };
    let mut lines = vec![format!("curl {method}{}", quoted(&format!("{url}{}", call.uri)))];
    lines.push("-H \"Authorization: Bearer $GATEPOST_TOKEN\"".into());
    for (name, value) in &call.headers {
        lines.push(format!(
            "-H {}",
            quoted(&format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        ));
    }
    if let Some(body) = &call.body {
        lines.push("-H \"Content-Type: application/json\"".into());
        lines.push(format!("-d {}", quoted(body)));
    }
    lines.join(" \\\n  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::pages::access::docs::description;

    fn filled(inputs: &[(&str, &str)]) -> Filled {
        inputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_request_is_made_of_its_inputs() {
        let operation = description::find("list-messages").expect("an operation");
        for (since, sent) in [
            ("2026-03-01T09:14", "2026-03-01T09:14:00Z"),
            ("2026-03-01T09:14:05", "2026-03-01T09:14:05Z"),
            ("2026-03-01T09:14:05Z", "2026-03-01T09:14:05Z"),
            ("soon", "soon"),
        ] {
            let call = call(operation, &filled(&[("query.since", since), ("query.q", "")]));
            let uri = call.expect("a request").uri.to_string();
            assert_eq!(uri, format!("/api/v1/messages?since={sent}"));
        }
    }

    #[test]
    fn no_input_leaves_its_quotes_in_a_shell() {
        let operation = description::find("change-contact").expect("an operation");
        let inputs =
            [("path.id", "a'b"), ("header.If-Match", "\"it's\""), ("body", "{\"note\": \"$(it's)\"}")];
        let call = call(operation, &filled(&inputs)).expect("a request");
        assert_eq!(
            curl(&call, "https://gate.test"),
            "curl -X PATCH 'https://gate.test/api/v1/contacts/a%27b' \\\n  \
             -H \"Authorization: Bearer $GATEPOST_TOKEN\" \\\n  -H 'if-match: \"it'\\''s\"' \\\n  \
             -H \"Content-Type: application/json\" \\\n  -d '{\"note\": \"$(it'\\''s)\"}'"
        );
    }
}
