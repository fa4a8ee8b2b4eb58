//! The document around the HTML of a message, with our font and colors. Mail is designed for a white background, so in
//! dark mode its own backgrounds and text colors are removed.

use crate::web::assets;
use crate::web::theme::Theme;

const STYLE: &str = "\
    :root{background:light-dark(oklch(1 0 0),oklch(.217 .011 230));color:light-dark(oklch(.22 .018 235),oklch(.96 .005 225));\
    font:420 14px/22px \"Inter Variable\",system-ui,sans-serif;overflow-x:auto}\
    body{margin:0;overflow-wrap:break-word}body>:first-child{margin-top:0}body>:last-child{margin-bottom:0}\
    p,ul,ol,pre,blockquote{margin:0 0 10px}a{color:light-dark(oklch(.422 .09 226),oklch(.81 .092 216))}\
    img{max-width:100%;height:auto}table{max-width:100%}pre{white-space:pre-wrap}\
    img[src=\"data:,\"]{padding:2px 8px;border:1px dashed light-dark(oklch(.66 .02 230),oklch(.545 .02 230));font-size:13px}\
    blockquote{padding-left:12px;border-left:2px solid light-dark(oklch(.865 .008 225),oklch(.36 .014 230))}";

const DARK_STYLE: &str = "[bgcolor]{background-color:transparent}font[color]{color:inherit}";

/// `html` must already be sanitized.
pub fn document(theme: Theme, html: &str) -> String {
    let (scheme, dark) = match theme {
        Theme::Light => ("light", String::new()),
        Theme::Dark => ("dark", DARK_STYLE.to_owned()),
        Theme::System => ("light dark", format!("@media(prefers-color-scheme:dark){{{DARK_STYLE}}}")),
    };
    let font = assets::url("fonts/inter-latin-wght-normal.woff2");
    format!(
        "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>Message</title><style>\
         @font-face{{font-family:\"Inter Variable\";src:url(\"{font}\") format(\"woff2\");font-weight:100 900}}\
         :root{{color-scheme:{scheme}}}{STYLE}{dark}</style></head><body>{html}</body></html>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_of_messages_are_removed_only_in_dark_mode() {
        let html = "<table bgcolor=\"#ffffff\"><tr><td>Hi</table>";
        let drops = |theme| document(theme, html).contains("[bgcolor]{background-color:transparent}");
        assert!(!drops(Theme::Light) && drops(Theme::Dark));
        assert!(document(Theme::System, html).contains("@media(prefers-color-scheme:dark){[bgcolor]"));
        assert!(document(Theme::Dark, html).ends_with(&format!("<body>{html}</body></html>")));
    }
}
