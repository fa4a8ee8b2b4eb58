//! Pages elsewhere whose scripts may use the API.

/// `*` or a list, such as `https://app.example.org,http://localhost:5173`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    Nobody,
    Anybody,
    /// Spelled as browsers do.
    These(Vec<String>),
}

impl Origins {
    pub fn parse(text: &str) -> Option<Self> {
        let mut each = text.split(',').map(str::trim).filter(|each| !each.is_empty()).peekable();
        match text.trim() {
            "*" => Some(Self::Anybody),
            _ if each.peek().is_none() => Some(Self::Nobody),
            _ => each.map(parse_origin).collect::<Option<_>>().map(Self::These),
        }
    }

    pub fn has(&self, origin: &str) -> bool {
        match self {
            Self::Nobody => false,
            Self::Anybody => true,
            Self::These(these) => these.iter().any(|each| each == origin),
        }
    }
}

/// `scheme://host[:port]`, in lower case and without the port that the scheme has anyway (RFC
/// 6454, section 6.2). `null` is the origin of many, so it is nobody's.
fn parse_origin(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let (scheme, host) = text.split_once("://")?;
    let plain = |text: &str, more: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let usual = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    let host = host.strip_suffix(usual).unwrap_or(host);
    (plain(scheme, "+-.") && plain(host, "-._:[]")).then(|| format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_as_browsers_spell_them() {
        assert_eq!(Origins::parse(""), Some(Origins::Nobody));
        assert_eq!(Origins::parse(" * "), Some(Origins::Anybody));
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
}
