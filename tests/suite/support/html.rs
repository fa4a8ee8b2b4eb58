//! A parsed page, with queries for its visible content.

use scraper::{ElementRef, Html, Selector};
use std::collections::BTreeMap;

/// Paths of forms without a team: forms for visitors, the theme, and switching teams.
pub const OF_NO_TEAM: [&str; 6] =
    ["/sign-in", "/sign-out", "/setup", "/teams/switch", "/account/theme", "/invitations/{secret}"];

pub fn is_of_no_team(path: &str) -> bool {
    OF_NO_TEAM.contains(&path) || path.starts_with("/invitations/")
}

/// Returns the paths of forms and scripts that should name a team but do not.
pub fn forms_without_team(html: &str) -> Vec<String> {
    let tags = html.split('<').skip(1).filter_map(|tag| tag.split('>').next());
    let value = |tag: &str, name: &str| {
        Some(tag.split_once(&format!(" {name}=\""))?.1.split('"').next().unwrap_or_default().to_owned())
    };
    let posts = tags.flat_map(|tag| {
        let posted = tag.contains(" method=\"post\"").then(|| value(tag, "action").unwrap_or_default());
        let by_script = ["hx-post", "hx-put", "hx-patch", "hx-delete"].map(|name| value(tag, name));
        by_script.into_iter().flatten().chain(posted).collect::<Vec<_>>()
    });
    posts.filter(|path| !is_of_no_team(path) && !path.contains("?team=team_")).collect()
}

#[test]
fn a_form_without_its_team_is_found() {
    let html = r#"<form method="post" action="/a?team=team_1"></form><form method="get" action="/b"></form>
        <form method="post" action="/sign-out"></form><form method="post" action="/c"></form>
        <form method="post" action="/d?team=team_1" hx-post="/d"></form><button hx-delete="/e"></button>"#;
    assert_eq!(forms_without_team(html), ["/c", "/d", "/e"]);
}

pub struct Page(Html);

/// A form, as the browser would send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    pub action: String,
    pub method: String,
    /// Name and current value of each enabled field, including hidden ones.
    pub fields: BTreeMap<String, String>,
}

impl Page {
    pub fn parse(html: &str) -> Self {
        Self(Html::parse_document(html))
    }

    /// Returns the text of all matching elements, with normalized white space.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        self.all(selector).into_iter().map(tidy_text).collect()
    }

    /// Returns the text of the only matching element.
    pub fn text(&self, selector: &str) -> String {
        tidy_text(self.one(selector))
    }

    /// Returns attributes and HTML of all matching elements.
    pub fn verbatim(&self, selector: &str) -> Vec<(BTreeMap<String, String>, String)> {
        let attributes = |it: ElementRef<'_>| {
            it.value().attrs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        self.all(selector).into_iter().map(|it| (attributes(it), it.text().collect())).collect()
    }

    pub fn has(&self, selector: &str) -> bool {
        !self.all(selector).is_empty()
    }

    pub fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        self.one(selector).attr(name).map(str::to_owned)
    }

    /// Returns the path of the link with this text.
    pub fn link(&self, text: &str) -> String {
        let links = self.all("a[href]");
        let found = links.iter().find(|it| tidy_text(**it) == text);
        let found = found.unwrap_or_else(|| panic!("no link {text:?} in {}", self.whole_text()));
        found.attr("href").expect("an address").to_owned()
    }

    pub fn links(&self) -> Vec<String> {
        self.all("a[href]").iter().filter_map(|it| it.attr("href")).map(str::to_owned).collect()
    }

    /// Returns the form that posts to this path, whatever its team.
    pub fn form(&self, action: &str) -> Form {
        let forms: Vec<_> = self.all("form").into_iter().map(read_form).collect();
        let found =
            forms.iter().find(|it| it.action == action || it.action.split("?team=").next() == Some(action));
        found.unwrap_or_else(|| panic!("no form for {action} among {forms:?}")).clone()
    }

    /// Returns the hidden fields of the form that posts to this path, including repeated ones.
    pub fn hidden(&self, action: &str) -> Vec<(String, String)> {
        let fields = self.all(&format!("form[action^='{action}'] input[type=hidden]"));
        fields.into_iter().filter_map(read_field).collect()
    }

    /// Returns all visible text.
    pub fn whole_text(&self) -> String {
        self.texts("body").concat()
    }

    fn one(&self, selector: &str) -> ElementRef<'_> {
        let found = self.all(selector);
        assert_eq!(found.len(), 1, "{selector} in {}", self.0.html());
        found[0]
    }

    fn all(&self, selector: &str) -> Vec<ElementRef<'_>> {
        self.0.select(&css(selector)).collect()
    }
}

fn css(selector: &str) -> Selector {
    Selector::parse(selector).unwrap_or_else(|_| panic!("{selector} is no selector"))
}

fn tidy_text(element: ElementRef<'_>) -> String {
    element.text().flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

fn read_form(form: ElementRef<'_>) -> Form {
    let attribute = |name: &str| form.attr(name).unwrap_or("").to_owned();
    let sent = css("input[name], select[name], textarea[name], button[name]");
    Form {
        action: attribute("action"),
        method: attribute("method").to_lowercase(),
        fields: form.select(&sent).filter_map(read_field).collect(),
    }
}

/// Returns `None` if a browser would not send the field: a disabled field, an unchecked box, a button that
/// was not pressed.
fn read_field(field: ElementRef<'_>) -> Option<(String, String)> {
    let name = field.attr("name")?.to_owned();
    let kind = field.attr("type").unwrap_or("");
    let unchecked = matches!(kind, "checkbox" | "radio") && field.attr("checked").is_none();
    if unchecked || field.attr("disabled").is_some() || field.value().name() == "button" {
        return None;
    }
    let value = match field.value().name() {
        "select" => chosen(field),
        "textarea" => field.text().collect(),
        _ if matches!(kind, "checkbox" | "radio") => field.attr("value").unwrap_or("on").into(),
        _ => field.attr("value").unwrap_or("").into(),
    };
    Some((name, value))
}

fn chosen(select: ElementRef<'_>) -> String {
    let selected = select.select(&css("option[selected]")).next();
    let option = selected.or_else(|| select.select(&css("option")).next());
    let value = option.map(|it| it.attr("value").map_or_else(|| tidy_text(it), str::to_owned));
    value.unwrap_or_default()
}

#[test]
fn a_form_is_read_as_a_browser_sends_it() {
    let page = Page::parse(
        r#"<form action="/a" method="POST"><input name="b" value="1"><input name="c" disabled>
        <input type="radio" name="d" value="x"><input type="radio" name="d" value="y" checked>
        <select name="e"><option value="1">One</option><option selected>Two</option></select>
        <button name="f" value="g">Go</button></form><a href="/h"> A
        link </a>"#,
    );
    let form = page.form("/a");
    assert_eq!(form.method, "post");
    let fields: Vec<_> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(fields, [("b", "1"), ("d", "y"), ("e", "Two")]);
    assert_eq!(page.link("A link"), "/h");
}
