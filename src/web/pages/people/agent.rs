//! Readable names for User-Agent headers.

/// Sorted by specificity: most browsers also claim to be the ones below.
const BROWSERS: [(&str, &str); 11] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
];

const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
    ("X11", "Unix"),
];

/// Icons in `static/icons/icons.svg`, by the name of the system.
const DEVICES: [(&str, &str); 5] = [
    ("iPhone", "smartphone"),
    ("iPad", "smartphone"),
    ("Android", "smartphone"),
    ("macOS", "laptop"),
    ("ChromeOS", "laptop"),
];

/// The maximum characters shown of an unknown agent.
const MAX_LENGTH: usize = 40;

fn find(known: &[(&str, &'static str)], agent: &str) -> Option<&'static str> {
    known.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
}

/// The icon of the device: a terminal for curl, and a globe if unknown.
pub fn icon(agent: &str) -> &'static str {
    match (find(&BROWSERS, agent), find(&SYSTEMS, agent)) {
        (_, Some(system)) => find(&DEVICES, system).unwrap_or("monitor"),
        (Some("curl"), None) => "terminal",
        _ => "globe",
    }
}

/// `Firefox on Linux`, or the beginning of the header if unknown.
pub fn name(agent: &str) -> String {
    match (find(&BROWSERS, agent), find(&SYSTEMS, agent)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        _ if agent.trim().is_empty() => "Unknown browser".to_owned(),
        _ if agent.chars().count() > MAX_LENGTH => {
            format!("{}…", agent.chars().take(MAX_LENGTH).collect::<String>().trim_end())
        }
        _ => agent.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_browsers_are_named_with_their_system() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        let apple = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
        for (agent, expected) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0".into(),
                "Firefox on Linux",
            ),
            (
                format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/142.0 Safari/537.36"),
                "Chrome on Windows",
            ),
            (
                format!(
                    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/142.0 Safari/537.36 Edg/142.0"
                ),
                "Edge on Windows",
            ),
            (
                format!("Mozilla/5.0 (Linux; Android 10; K) {webkit} Chrome/142.0 Mobile Safari/537.36"),
                "Chrome on Android",
            ),
            (
                format!(
                    "Mozilla/5.0 (Linux; Android 10; K) {webkit} SamsungBrowser/28.0 Chrome/130.0 Mobile Safari/537.36"
                ),
                "Samsung Internet on Android",
            ),
            (
                format!("Mozilla/5.0 (X11; Linux x86_64) {webkit} HeadlessChrome/142.0 Safari/537.36"),
                "Chrome on Linux",
            ),
            (
                format!(
                    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {apple} Version/26.0 Safari/605.1.15"
                ),
                "Safari on macOS",
            ),
            (
                format!(
                    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {apple} Version/26.0 Mobile/15E148 Safari/604.1"
                ),
                "Safari on iPhone",
            ),
            (
                format!(
                    "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) {apple} FxiOS/145.0 Mobile/15E148 Safari/604.1"
                ),
                "Firefox on iPad",
            ),
            (
                format!("Mozilla/5.0 (X11; CrOS x86_64 16181) {webkit} Chrome/142.0 Safari/537.36"),
                "Chrome on ChromeOS",
            ),
            ("curl/8.9.1".into(), "curl"),
        ] {
            assert_eq!(name(&agent), expected, "{agent}");
        }
    }

    #[test]
    fn devices_have_icons() {
        for (agent, expected) in [
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Safari/604.1", "smartphone"),
            ("Mozilla/5.0 (Linux; Android 10; K) Chrome/142.0", "smartphone"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15", "laptop"),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "monitor"),
            ("curl/8.9.1", "terminal"),
            ("Test browser", "globe"),
        ] {
            assert_eq!(icon(agent), expected, "{agent}");
        }
    }

    #[test]
    fn unknown_agents_are_truncated() {
        assert_eq!(name("Test browser"), "Test browser");
        assert_eq!(name(" "), "Unknown browser");
        assert_eq!(name(&"é".repeat(200)), format!("{}…", "é".repeat(40)));
    }
}
