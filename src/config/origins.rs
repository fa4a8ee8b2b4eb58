//! Other origins whose scripts can use the API (CORS).

use url::Url;

/// `*` or a list, like `https://app.example.org,http://localhost:5173`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    None,
    Any,
    /// In the form that browsers send.
    Listed(Vec<String>),
}

impl Origins {
    pub fn parse(text: &str) -> Option<Self> {
        let mut each = text.split(',').map(str::trim).filter(|each| !each.is_empty()).peekable();
        match text.trim() {
            "*" => Some(Self::Any),
            _ if each.peek().is_none() => Some(Self::None),
            _ => each.map(origin).collect::<Option<_>>().map(Self::Listed),
        }
    }

    pub fn has(&self, origin: &str) -> bool {
        match self {
            Self::None => false,
            Self::Any => true,
            Self::Listed(these) => these.iter().any(|each| each == origin),
        }
    }
}

/// Returns an origin in the form that browsers send: `scheme://host[:port]` in lower case, with an ASCII name and no
/// default port (RFC 6454, section 6.2). Refuses `null`, which many origins share.
pub fn origin(text: &str) -> Option<String> {
    let (_, authority) = text.split_once("://")?;
    let is_plain = !authority.contains(['@', '?', '#', '\\']);
    let url = Url::parse(text).ok().filter(|url| is_plain && matches!(url.path(), "" | "/"))?;
    let host = url.host_str().filter(|host| !host.is_empty())?.to_ascii_lowercase();
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    Some(format!("{}://{host}{port}", url.scheme()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_normalized_like_in_browsers() {
        assert_eq!(Origins::parse(""), Some(Origins::None));
        assert_eq!(Origins::parse(" * "), Some(Origins::Any));
        let these =
            Origins::parse("https://App.example:443, http://localhost:5173,tauri://localhost").unwrap();
        for origin in ["https://app.example", "http://localhost:5173", "tauri://localhost"] {
            assert!(these.has(origin), "{origin}");
        }
        for other in ["https://app.example:443", "http://app.example", "https://x.app.example", "null", ""] {
            assert!(!these.has(other), "{other}");
        }
        for bad in ["app.example", "https://", "https://a/b", "null", "https://a,*", "https://a?b"] {
            assert_eq!(Origins::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn invalid_or_unusual_origins_are_refused() {
        for (written, spelled) in [
            ("HTTPS://Inbox.Example", "https://inbox.example"),
            ("https://inbox.example:443/", "https://inbox.example"),
            ("http://inbox.example:80", "http://inbox.example"),
            ("http://inbox.example:443", "http://inbox.example:443"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("https://[2001:DB8:0::1]:8443", "https://[2001:db8::1]:8443"),
            ("tauri://LocalHost", "tauri://localhost"),
        ] {
            assert_eq!(origin(written).as_deref(), Some(spelled), "{written}");
        }
        for bad in
            ["https://a:0x50", "https://a:70000", "https://u@a", "https://[::1", "https://a b", "file:///"]
        {
            assert_eq!(origin(bad), None, "{bad}");
        }
    }
}
