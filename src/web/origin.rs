//! The origin of a request, from the headers that browsers send.

use actix_web::http::header::{HOST, HeaderMap, HeaderValue, ORIGIN};

use super::paths;
use crate::config::origin;

/// Whether a page of this site sent the request. `by_hand` also allows navigation that a person started,
/// like typing a URL.
pub fn is_own(headers: &HeaderMap, site: &str, by_hand: bool) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || (by_hand && site == "none");
    }
    match text(ORIGIN) {
        Some(origin) if origin == site => true,
        // The host in the request, which can differ from that in GATEPOST_PUBLIC_URL, with the same scheme.
        Some(sent) => {
            let scheme = if site.starts_with("https://") { "https" } else { "http" };
            let here = text(HOST).and_then(|host| origin(&format!("{scheme}://{host}")));
            here.is_some_and(|here| here == sent)
        }
        None => false,
    }
}

/// Whether a page opened over plain HTTP sent the request, although this site uses HTTPS. Browsers keep no session
/// there, so people would only see the sign-in page again.
pub fn is_from_plain_http(headers: &HeaderMap, site: &str) -> bool {
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    site.starts_with("https://") && origin.is_some_and(|origin| origin.starts_with("http://"))
}

/// Browsers send `Sec-Fetch-Site` only over HTTPS. Headers from proxies are often wrong.
pub fn may_be_plain_http(headers: &HeaderMap) -> bool {
    !headers.contains_key("sec-fetch-site")
}

pub fn secure_address(site: &str) -> String {
    format!("{site}{}", paths::SIGN_IN)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uses `Origin` and `Host`, as browsers without `Sec-Fetch-Site` send them.
    fn accepts_origin(origin: &str, host: &str, site: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, origin.parse().unwrap());
        headers.insert(HOST, host.parse().unwrap());
        is_own(&headers, site, true)
    }

    #[test]
    fn our_own_forms_are_accepted_under_any_host_name() {
        let site = "https://inbox.example";
        assert!(accepts_origin(site, "10.0.0.7:8080", site), "a proxy with another host name");
        for host in ["mail.acme.test", "Mail.Acme.test", "mail.acme.test:443"] {
            assert!(accepts_origin("https://mail.acme.test", host, site), "{host}");
        }
        for (origin, host) in [
            ("https://evil.example", "inbox.example"),
            ("http://mail.acme.test", "mail.acme.test"),
            ("https://mail.acme.test:444", "mail.acme.test"),
            ("null", "mail.acme.test"),
            ("https://mail.acme.test", "mail.acme.test/x"),
            ("https://mail.acme.test", "u@mail.acme.test"),
        ] {
            assert!(!accepts_origin(origin, host, site), "{origin} {host}");
        }
    }
}
