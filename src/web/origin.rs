//! Whether a request came from a page of this site.

use actix_web::http::header::{HOST, HeaderMap, ORIGIN};

use crate::config::origin;

/// Whether a page of this site sent the request. `by_hand` also allows navigation that a person
/// started, like an address typed in.
pub fn is_own(headers: &HeaderMap, site: &str, by_hand: bool) -> bool {
    let text =
        |name| headers.get(name).and_then(|value: &actix_web::http::header::HeaderValue| value.to_str().ok());
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || (by_hand && site == "none");
    }
    match text(ORIGIN) {
        Some(origin) if origin == site => true,
        // The same host under another name than GATEPOST_PUBLIC_URL's, by the same scheme.
        Some(sent) => {
            let scheme = if site.starts_with("https://") { "https" } else { "http" };
            let here = text(HOST).and_then(|host| origin(&format!("{scheme}://{host}")));
            here.is_some_and(|here| here == sent)
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By `Origin` and `Host`, as browsers without `Sec-Fetch-Site` send them.
    fn is_own_of(origin: &str, host: &str, site: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, origin.parse().unwrap());
        headers.insert(HOST, host.parse().unwrap());
        is_own(&headers, site, true)
    }

    #[test]
    fn a_form_of_ours_is_known_however_its_host_is_written() {
        let site = "https://inbox.example";
        assert!(is_own_of(site, "10.0.0.7:8080", site), "the proxy asks under another name");
        for host in ["mail.acme.test", "Mail.Acme.test", "mail.acme.test:443"] {
            assert!(is_own_of("https://mail.acme.test", host, site), "{host}");
        }
        for (origin, host) in [
            ("https://evil.example", "inbox.example"),
            ("http://mail.acme.test", "mail.acme.test"),
            ("https://mail.acme.test:444", "mail.acme.test"),
            ("null", "mail.acme.test"),
            ("https://mail.acme.test", "mail.acme.test/x"),
            ("https://mail.acme.test", "u@mail.acme.test"),
        ] {
            assert!(!is_own_of(origin, host, site), "{origin} {host}");
        }
    }
}
