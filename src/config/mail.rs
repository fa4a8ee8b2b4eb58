use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use super::settings::*;
use super::{ConfigError, PublicUrl, Vars, parse_text};

#[derive(Clone, Debug)]
pub struct Mail {
    /// The shared domain, in lower case.
    pub domain: String,
    /// From `GATEPOST_MAIL_HOST`; see [`Self::host`].
    pub named_host: Option<String>,
    pub smtp_listen: Option<SocketAddr>,
    pub lmtp_listen: Option<SocketAddr>,
    /// The maximum size of a message, in bytes.
    pub max_size: usize,
    /// The bytes of mail that a team can store; `None` for no limit.
    pub quota: Option<u64>,
    pub hourly: HourlyLimits,
    pub tls: Option<TlsFiles>,
    /// `None` uses the system's DNS servers.
    pub dns: Option<SocketAddr>,
}

/// Limits per IPv4 address or IPv6 /64; `None` for no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourlyLimits {
    pub messages: Option<u64>,
    pub bytes: Option<u64>,
}

/// PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Mail {
    pub(super) fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        Ok(Self {
            domain: vars.parse(&GATEPOST_MAIL_DOMAIN, parse_host)?,
            named_host: vars.optional(&GATEPOST_MAIL_HOST, parse_host)?,
            smtp_listen: vars.parse(&GATEPOST_SMTP_LISTEN, parse_switched)?,
            lmtp_listen: vars.parse(&GATEPOST_LMTP_LISTEN, parse_switched)?,
            max_size: vars.parse(&GATEPOST_SMTP_MAX_SIZE, parse_size)?,
            quota: vars.parse(&GATEPOST_MAIL_QUOTA, parse_quota)?,
            hourly: HourlyLimits::from_vars(vars)?,
            tls: TlsFiles::from_vars(vars)?,
            dns: vars.optional(&GATEPOST_DNS, parse_server)?,
        })
    }

    /// The host name in the SMTP greeting and in MX records: the setting, the public URL's host, or else
    /// the shared domain.
    pub fn host(&self, public_url: Option<&PublicUrl>) -> String {
        let of_url = || public_url.and_then(|url| parse_host(url.host()));
        self.named_host.clone().or_else(of_url).unwrap_or_else(|| self.domain.clone())
    }
}

impl HourlyLimits {
    fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        let messages = vars.parse(&GATEPOST_SMTP_HOURLY_MESSAGES, parse_count)?;
        let bytes = vars.parse(&GATEPOST_SMTP_HOURLY_SIZE, parse_quota)?;
        Ok(Self { messages, bytes })
    }
}

impl TlsFiles {
    fn from_vars(vars: &Vars) -> Result<Option<Self>, ConfigError> {
        match (vars.get(&GATEPOST_TLS_CERT), vars.get(&GATEPOST_TLS_KEY)) {
            (Some(cert), Some(key)) => Ok(Some(Self { cert: cert.into(), key: key.into() })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(ConfigError::of(&GATEPOST_TLS_CERT, "set GATEPOST_TLS_KEY as well")),
            (None, Some(_)) => Err(ConfigError::of(&GATEPOST_TLS_KEY, "set GATEPOST_TLS_CERT as well")),
        }
    }
}

/// An IP address is not a valid SMTP greeting.
fn parse_host(text: &str) -> Option<String> {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_name = text.len() <= 253 && text.split('.').all(label) && text.parse::<IpAddr>().is_err();
    is_name.then(|| text.to_ascii_lowercase())
}

fn parse_switched(text: &str) -> Option<Option<SocketAddr>> {
    if text == "off" { Some(None) } else { parse_text(text).map(Some) }
}

fn parse_size(text: &str) -> Option<usize> {
    let size = usize::try_from(parse_bytes(text)?).ok()?;
    (64 << 10..=1 << 30).contains(&size).then_some(size)
}

fn parse_quota(text: &str) -> Option<Option<u64>> {
    if text == "off" { Some(None) } else { parse_bytes(text).map(Some) }
}

fn parse_count(text: &str) -> Option<Option<u64>> {
    if text == "off" { Some(None) } else { parse_text(text).map(Some) }
}

fn parse_bytes(text: &str) -> Option<u64> {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    let of_unit = units.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, *bytes)));
    let (number, unit) = of_unit.unwrap_or((text, 1));
    parse_text::<u64>(number.trim_end())?.checked_mul(unit)
}

fn parse_server(text: &str) -> Option<SocketAddr> {
    parse_text(text).or_else(|| parse_text(text).map(|ip: IpAddr| SocketAddr::new(ip, 53)))
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn mail(vars: &[(&str, &str)]) -> Mail {
        Config::from_vars(vars.iter().copied()).unwrap().mail
    }

    #[test]
    fn mail_listens_on_loopback_by_default() {
        let mail = mail(&[]);
        assert_eq!(mail.smtp_listen.unwrap().to_string(), "127.0.0.1:2525");
        assert_eq!((mail.lmtp_listen, mail.max_size), (None, 25 << 20));
        assert_eq!(
            super::super::Config::from_vars([("GATEPOST_SMTP_LISTEN", "off")]).unwrap().mail.smtp_listen,
            None
        );
    }

    #[test]
    fn the_host_is_set_or_derived() {
        let url = PublicUrl::parse("https://inbox.example:8443");
        assert_eq!(mail(&[("GATEPOST_MAIL_HOST", "MX.example")]).host(url.as_ref()), "mx.example");
        assert_eq!(mail(&[]).host(url.as_ref()), "inbox.example");
        assert_eq!(mail(&[]).host(PublicUrl::parse("http://127.0.0.1:8080").as_ref()), "gatepost.localhost");
        assert_eq!(mail(&[("GATEPOST_MAIL_DOMAIN", "m.example")]).host(None), "m.example");
    }

    #[test]
    fn sizes_and_servers_have_short_forms() {
        assert_eq!(mail(&[("GATEPOST_SMTP_MAX_SIZE", "100000")]).max_size, 100_000);
        assert_eq!(mail(&[("GATEPOST_SMTP_MAX_SIZE", "64 KiB")]).max_size, 65_536);
        assert_eq!(mail(&[("GATEPOST_MAIL_QUOTA", "2GiB")]).quota, Some(2 << 30));
        assert_eq!(mail(&[]).quota, Some(5 << 30));
        assert_eq!(mail(&[("GATEPOST_MAIL_QUOTA", "off")]).quota, None);
        assert_eq!(mail(&[]).hourly, HourlyLimits { messages: Some(5000), bytes: Some(512 << 20) });
        let off = mail(&[("GATEPOST_SMTP_HOURLY_MESSAGES", "off"), ("GATEPOST_SMTP_HOURLY_SIZE", "off")]);
        assert_eq!(off.hourly, HourlyLimits { messages: None, bytes: None });
        assert_eq!(mail(&[("GATEPOST_DNS", "::1")]).dns.unwrap().to_string(), "[::1]:53");
        assert_eq!(mail(&[("GATEPOST_DNS", "127.0.0.1:5353")]).dns.unwrap().port(), 5353);
    }
}
