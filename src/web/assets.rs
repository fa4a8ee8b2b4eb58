//! The files of `static/`, embedded in the binary. Our stylesheets are served as one bundle and our scripts as
//! another. Styles that few pages need are in folders, and each folder is a bundle. Debug builds read them from
//! disk each time, so that changes show on reload.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use parking_lot::RwLock;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use super::compression::Fixed;
use crate::domain::sealing::hex;

pub const STYLES: &str = "app.css";
pub const SCRIPTS: &str = "app.js";

/// Every page uses this font. Others are not preloaded, because browsers warn about unused preloaded fonts.
const TEXT_FONT: &str = "fonts/inter-latin-wght-normal.woff2";

const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const CHECK_FIRST: HeaderValue = HeaderValue::from_static("no-cache");

#[derive(RustEmbed)]
#[folder = "static"]
struct Files;

static KNOWN: LazyLock<RwLock<HashMap<String, Arc<Fixed>>>> = LazyLock::new(RwLock::default);

/// Returns the URL with the file's hash, so that it can be cached forever.
pub fn url(path: &str) -> String {
    match find(path) {
        Some(file) => format!("/static/{path}?v={}", file.tag()),
        None => format!("/static/{path}"),
    }
}

/// The URL of the styles in a folder of `static/css/`, in addition to [`STYLES`].
pub fn styles(folder: &str) -> String {
    url(&format!("{folder}.css"))
}

/// The icon of the tab as a data URL, which saves a request.
pub fn tab_icon() -> &'static str {
    static ICON: LazyLock<String> = LazyLock::new(|| {
        let file =
            Files::get("favicon.svg").map(|file| String::from_utf8_lossy(&file.data).trim().to_owned());
        let plain = file.unwrap_or_default().replace('"', "'");
        format!("data:image/svg+xml,{}", utf8_percent_encode(&plain, IN_ATTRIBUTE))
    });
    &ICON
}

/// Characters that must be escaped in a URL in an attribute.
const IN_ATTRIBUTE: &AsciiSet = &CONTROLS.add(b'#').add(b'%').add(b'<').add(b'>').add(b'"').add(b'&');

pub fn preloaded_font() -> Option<String> {
    Files::get(TEXT_FONT).map(|_| url(TEXT_FONT))
}

pub async fn serve(request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    let Some(file) = find(&path) else {
        return HttpResponse::NotFound().finish();
    };
    let mut response = file.respond(&request);
    // During an upgrade, a page of one version may request its file from the other.
    let is_this_version = request.query_string().strip_prefix("v=") == Some(file.tag());
    let caching = if is_this_version { IMMUTABLE } else { CHECK_FIRST };
    response.headers_mut().insert(CACHE_CONTROL, caching);
    response
}

fn find(path: &str) -> Option<Arc<Fixed>> {
    let known = KNOWN.read().get(path).cloned();
    if known.is_some() && !cfg!(debug_assertions) {
        return known;
    }
    let content = read(path)?;
    let tag = hex(&Sha256::digest(&content)[..8]);
    if let Some(known) = known.filter(|known| known.tag() == tag) {
        return Some(known);
    }
    let file = Arc::new(Fixed::new(kind(path), tag, content.into_owned().into()));
    KNOWN.write().insert(path.to_owned(), file.clone());
    Some(file)
}

fn read(path: &str) -> Option<Cow<'static, [u8]>> {
    match path {
        STYLES => Some(bundled("css/app.css")),
        path if is_folder_of_styles(path) => {
            Some(bundled(&format!("css/{}/", path.trim_end_matches(".css"))))
        }
        SCRIPTS => Some(trimmed(&joined("js/app.js", ".js"), "//").into_bytes().into()),
        _ => Files::get(path).map(|file| file.data),
    }
}

fn is_folder_of_styles(path: &str) -> bool {
    let folder = path.strip_suffix(".css").map(|folder| format!("css/{folder}/"));
    folder.is_some_and(|folder| Files::iter().any(|name| name.starts_with(&folder)))
}

fn bundled(first: &str) -> Cow<'static, [u8]> {
    with_versions(&without_comments(&joined(first, ".css"))).into_bytes().into()
}

/// Joins the files in the folder of `first`, sorted by name, but `first` comes first: app.css declares the
/// layers, and app.js has the code that other scripts share. Libraries remain separate files.
fn joined(first: &str, suffix: &str) -> String {
    let (folder, _) = first.rsplit_once('/').unwrap_or_default();
    let is_ours = |name: &str| {
        let file = name.strip_prefix(folder).and_then(|file| file.strip_prefix('/'));
        file.is_some_and(|file| file.ends_with(suffix) && !file.ends_with(".min.js") && !file.contains('/'))
    };
    let mut names: Vec<_> = Files::iter().filter(|name| is_ours(name)).collect();
    names.sort_by_key(|name| (&**name != first, name.clone()));
    let texts = names.iter().filter_map(|name| Files::get(name));
    texts.map(|file| String::from_utf8_lossy(&file.data).into_owned() + "\n").collect()
}

/// Strips comments and indentation, which saves 10 %.
fn without_comments(css: &str) -> String {
    let mut parts = css.split("/*");
    let before = parts.next().unwrap_or_default().to_owned();
    let code = parts.fold(before, |css, part| css + part.split_once("*/").map_or("", |(_, code)| code));
    trimmed(&code, "/*")
}

/// Removes indentation, and lines with only a comment.
fn trimmed(code: &str, comment: &str) -> String {
    let lines = code.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(comment));
    lines.collect::<Vec<_>>().join("\n")
}

/// Replaces each `url("/static/…")` in a stylesheet with the versioned [`url`].
fn with_versions(css: &str) -> String {
    const START: &str = "url(\"/static/";
    let mut parts = css.split(START);
    let before = parts.next().unwrap_or_default().to_owned();
    parts.fold(before, |css, part| match part.split_once('"') {
        Some((path, rest)) => format!("{css}url(\"{}\"{rest}", url(path)),
        None => css + START + part,
    })
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, suffix)| suffix) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("png") => "image/png",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_start_with_their_shared_file() {
        let (styles, scripts) = (joined("css/app.css", ".css"), joined("js/app.js", ".js"));
        let styles = without_comments(&styles);
        assert!(styles.starts_with("@layer reset") && !styles.contains("/*"), "{styles}");
        assert!(trimmed(&scripts, "//").starts_with("\"use strict\";"), "{scripts}");
        assert!(!scripts.contains("htmx.org"), "htmx must be a separate file");
        let mail = read("mail.css").expect("the folder's styles");
        assert!(
            !styles.contains(".letter-frame") && String::from_utf8_lossy(&mail).contains(".letter-frame")
        );
        assert!(read("none.css").is_none());
    }

    #[test]
    fn stylesheets_refer_to_versioned_files() {
        let versioned = with_versions("a { b: url(\"/static/favicon.svg\") c } d { e: url(\"data:,\") }");
        assert!(versioned.starts_with("a { b: url(\"/static/favicon.svg?v="), "{versioned}");
        assert!(versioned.ends_with("\") c } d { e: url(\"data:,\") }"), "{versioned}");
    }

    #[test]
    fn a_found_file_is_cached() {
        assert!(Arc::ptr_eq(&find(STYLES).unwrap(), &find(STYLES).unwrap()));
        assert!(find("css/none.css").is_none());
    }
}
