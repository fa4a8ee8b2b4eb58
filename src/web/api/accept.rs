//! Chooses between two JSON formats for errors by the `Accept` header (RFC 9110, sections 12.4.2 and
//! 12.5.1).

use actix_web::http::header::{ACCEPT, HeaderMap, Quality, QualityItem};
use actix_web::mime::Mime;

/// Ranges beyond this number are ignored.
const MAX_RANGES: usize = 64;

/// Whether the client prefers problem details, or names them explicitly and accepts JSON equally. A client
/// that accepts neither gets plain JSON.
pub fn prefers_problem(headers: &HeaderMap) -> bool {
    if !headers.contains_key(ACCEPT) {
        return false;
    }
    let lines = headers.get_all(ACCEPT).filter_map(|line| line.to_str().ok());
    let ranges = lines.flat_map(|line| line.split(',')).filter_map(|range| range.trim().parse().ok());
    let ranges: Vec<QualityItem<Mime>> = ranges.take(MAX_RANGES).collect();
    let ((problem, exactness), (json, _)) = (wanted(&ranges, "problem+json"), wanted(&ranges, "json"));
    problem > Quality::ZERO && (problem > json || problem == json && exactness == NAMED)
}

/// The specificity of a range that names the type.
const NAMED: u8 = 3;

/// The quality of a subtype of `application`, and the specificity of the range that decides it.
fn wanted(ranges: &[QualityItem<Mime>], subtype: &str) -> (Quality, u8) {
    let exactness = |range: &Mime| match range.essence_str().split_once('/') {
        Some(("application", name)) if name == subtype => Some(NAMED),
        Some(("application", "*")) => Some(2),
        Some(("*", "*")) => Some(1),
        _ => None,
    };
    let fitting = ranges.iter().filter_map(|each| Some((each.quality, exactness(&each.item)?)));
    fitting.max_by_key(|(_, exactness)| *exactness).unwrap_or((Quality::ZERO, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preferred_error_format_is_chosen() {
        let problem = "application/problem+json";
        for (accept, expected) in [
            ("*/*", false),
            ("application/json", false),
            ("text/html", false),
            ("", false),
            (problem, true),
            ("Application/Problem+JSON", true),
            ("application/problem+json;q=0", false),
            ("application/problem+json; q=0.000", false),
            ("application/problem+json;q=0, */*", false),
            ("application/problem+json;q=0, application/json;q=0", false),
            ("application/problem+json;q=0.001", true),
            ("application/json, application/problem+json", true),
            ("application/json, application/problem+json;q=0.9", false),
            ("application/json;q=0.8, application/problem+json;q=0.9", true),
            ("application/json;q=0.8, */*", true),
            ("application/json;q=0, application/*;q=0.1", true),
            ("*/*, application/problem+json;q=0.5", false),
            ("application/problem+json;charset=utf-8", true),
            ("application/problem+json;q=2", false),
            ("nonsense, application/problem+json", true),
        ] {
            let mut headers = HeaderMap::new();
            headers.append(ACCEPT, accept.parse().unwrap());
            assert_eq!(prefers_problem(&headers), expected, "{accept}");
        }
        assert!(!prefers_problem(&HeaderMap::new()));
    }
}
