//! Makes the HTML of messages safe to show: no scripts, no forms, and no remote content unless the reader
//! asks for it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

use super::html_text::{escaped, to_text};

/// Whether remote pictures are loaded, which shows the sender that the message was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pictures {
    Inline,
    Remote,
}

const BLOCKED: &str = "data:,";

static INLINE_ONLY: LazyLock<Builder<'static>> = LazyLock::new(|| builder(Pictures::Inline));
static WITH_REMOTE: LazyLock<Builder<'static>> = LazyLock::new(|| builder(Pictures::Remote));

pub fn safe(html: &str, pictures: Pictures) -> String {
    if cost(html) > MAX_HTML_COST {
        return text_only(html);
    }
    let builder = match pictures {
        Pictures::Inline => &*INLINE_ONLY,
        Pictures::Remote => &*WITH_REMOTE,
    };
    builder.clean(html).to_string()
}

/// Estimates the parser's steps in the worst case: for each new element it searches all open ones, for each
/// attribute it searches the element's others, and for each broken reference it moves the text before it.
fn cost(html: &str) -> usize {
    let references = html.bytes().filter(|byte| *byte == b'&').count();
    let (mut elements, mut cost) = (0, references * references / 100);
    for tag in html.split('<').skip(1).filter(|tag| tag.starts_with(|c: char| c.is_ascii_alphabetic())) {
        let separators = tag.split('>').next().unwrap_or_default();
        let separators =
            separators.bytes().filter(|byte| byte.is_ascii_whitespace() || *byte == b'/').count();
        elements += 1;
        cost += separators * separators + elements;
    }
    cost
}

/// Only attacks or very large inline pictures cost more.
const MAX_HTML_COST: usize = 50_000_000;

fn text_only(html: &str) -> String {
    format!("<pre>{}</pre>", escaped(&to_text(html)))
}

pub fn has_remote_pictures(html: &str) -> bool {
    let remote = safe(html, Pictures::Remote);
    remote.contains("<img") && remote != safe(html, Pictures::Inline)
}

fn builder(pictures: Pictures) -> Builder<'static> {
    let attributes = HashMap::from([
        ("table", HashSet::from(["align", "border", "cellpadding", "cellspacing", "width", "bgcolor"])),
        ("td", HashSet::from(["align", "valign", "width", "height", "bgcolor", "colspan", "rowspan"])),
        ("th", HashSet::from(["align", "valign", "width", "height", "bgcolor", "colspan", "rowspan"])),
        ("tr", HashSet::from(["align", "valign", "bgcolor"])),
        ("font", HashSet::from(["color", "size"])),
    ]);
    let mut builder = Builder::default();
    builder
        .add_tags(["center", "font"])
        .add_clean_content_tags(["head", "title", "noscript", "iframe", "object", "svg", "math"])
        .add_url_schemes(["cid", "data"])
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .set_tag_attribute_value("a", "target", "_blank")
        .attribute_filter(move |tag, name, value| filtered(pictures, tag, name, value));
    for (tag, names) in attributes {
        builder.add_tag_attributes(tag, names);
    }
    builder
}

/// Filters links and pictures: pictures must be part of the message, unless remote ones are allowed.
fn filtered<'v>(pictures: Pictures, tag: &str, name: &str, value: &'v str) -> Option<Cow<'v, str>> {
    let scheme = value.trim_start().split(':').next().unwrap_or_default().to_ascii_lowercase();
    match (tag, name) {
        ("img", "src") if scheme == "cid" => {
            Some(format!("cid:{}", value.trim()["cid:".len()..].trim()).into())
        }
        ("img", "src") if is_picture(value) => Some(value.into()),
        ("img", "src") if matches!(scheme.as_str(), "http" | "https") => match pictures {
            Pictures::Remote => Some(value.into()),
            Pictures::Inline => Some(BLOCKED.into()),
        },
        (_, "href") if matches!(scheme.as_str(), "http" | "https" | "mailto" | "tel") => Some(value.into()),
        (_, "src" | "href" | "cite") => None,
        _ => Some(value.into()),
    }
}

/// Whether a data URL is a picture, but not SVG, which is a document.
fn is_picture(value: &str) -> bool {
    let value = value.trim_start().to_ascii_lowercase();
    ["data:image/png", "data:image/jpeg", "data:image/gif", "data:image/webp", "data:image/bmp"]
        .iter()
        .any(|kind| value.starts_with(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_forms_and_remote_content_are_removed() {
        for html in [
            "<script>alert(1)</script>a",
            "<img src=x onerror=alert(1)>",
            "<a href=\"javascript:alert(1)\">a</a>",
            "<a href=\"data:text/html,<script>alert(1)</script>\">a</a>",
            "<svg onload=alert(1)><script>alert(1)</script></svg>",
            "<iframe src=\"https://a.test\"></iframe>",
            "<form action=\"https://a.test\"><input name=password></form>",
            "<style>body { background: url(https://a.test/x) }</style>",
            "<p style=\"background: url(https://a.test/x)\">a</p>",
            "<meta http-equiv=refresh content=\"0;url=https://a.test\">",
            "<base href=\"https://a.test\"><link rel=stylesheet href=\"https://a.test/x\">",
            "<table background=\"https://a.test/x\"><tr><td background=\"https://a.test/x\">a</table>",
            "<math><mtext><img src=x onerror=alert(1)></mtext></math>",
            "<img src=\"data:image/svg+xml,<svg onload=alert(1)>\">",
        ] {
            for pictures in [Pictures::Inline, Pictures::Remote] {
                let safe = safe(html, pictures).to_lowercase();
                for bad in ["script", "onerror", "onload", "a.test", "<form", "<input", "svg", "style"] {
                    assert!(!safe.contains(bad), "{html} became {safe}");
                }
            }
        }
    }

    #[test]
    fn remote_pictures_are_blocked_until_allowed() {
        let html = "<p>Hi <img src=\"https://a.test/pixel.gif\"><img src=\"cid:logo@a\"></p>";
        assert!(has_remote_pictures(html));
        assert!(!safe(html, Pictures::Inline).contains("a.test"));
        assert!(safe(html, Pictures::Inline).contains("cid:logo@a"));
        assert!(safe(html, Pictures::Remote).contains("https://a.test/pixel.gif"));
        assert!(safe("<img src=' CID: logo@a '>", Pictures::Inline).contains("\"cid:logo@a\""));
        assert!(!has_remote_pictures("<img src=\"cid:logo@a\"> &amp; more"));
    }

    #[test]
    fn deep_and_long_html_is_rendered() {
        for html in ["<div>", "<b><p>", "<table><tr><td>", "<a href=x>", "<", "<!--", "&#", "</p>", "<i x="] {
            let html = html.repeat((2 << 20) / html.len());
            assert!(safe(&html, Pictures::Inline).len() <= 8 * html.len());
        }
        let attributes: String = (0..200_000).map(|number| format!(" a{number}")).collect();
        assert!(safe(&format!("<p{attributes}>x"), Pictures::Inline).starts_with("<pre>"));
        let long = "<p class=\"a\">Dear <b>reader</b>,</p>\n".repeat(3000);
        assert_eq!(safe(&long, Pictures::Inline).matches("<b>reader</b>").count(), 3000);
    }

    #[test]
    fn ordinary_html_is_kept() {
        let html = "<h1>Hi</h1><p>See <a href=\"https://a.test/?q=1\">this</a> <b>now</b>.</p>";
        let safe = safe(html, Pictures::Inline);
        assert!(
            safe.contains("<h1>Hi</h1>")
                && safe.contains("https://a.test/?q=1")
                && safe.contains("<b>now</b>")
        );
        assert!(safe.contains("noopener"));
    }
}
