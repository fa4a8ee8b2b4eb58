//! The `GATEPOST_*` settings.

mod mail;
mod origins;
mod redis_url;
mod settings;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ipnet::IpNet;

use crate::domain::access::activity_mode::ActivityMode;
use crate::domain::access::plans::Limits;
use crate::domain::access::secret::Prefix;
use crate::domain::entropy::Entropy;
use crate::domain::sealing::SecretKey;

pub use mail::TlsFiles;
pub(crate) use mail::{HourlyLimits, Mail};
pub(crate) use origins::{Origins, origin};
pub(crate) use redis_url::RedisUrl;
use settings::*;
pub use settings::{DefaultValue, SETTINGS, Setting};

#[derive(Clone, Debug)]
pub struct Config {
    pub data: PathBuf,
    pub database: Database,
    pub listen: SocketAddr,
    /// `None` until the listening port is known.
    pub public_url: Option<PublicUrl>,
    pub token_prefix: Prefix,
    pub secret_key: Option<SecretKey>,
    pub trusted_proxies: Vec<IpNet>,
    pub cors_origins: Origins,
    pub plan_limits: Limits,
    pub redis: Option<RedisUrl>,
    pub activity: ActivityMode,
    /// 0 keeps them forever.
    pub activity_days: u32,
    pub metrics_listen: Option<SocketAddr>,
    pub mail: Mail,
    pub log: String,
    pub log_json: bool,
    /// Set by `gatepost demo` only.
    pub is_demo: bool,
}

/// Can contain a password, so `Debug` shows only the scheme.
#[derive(Clone)]
pub struct Database(pub String);

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = self.0.split(':').next().unwrap_or_default();
        write!(f, "Database({scheme}:…)")
    }
}

/// `http://host[:port]` or `https://…`, normalized as browsers do, without a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    pub fn parse(text: &str) -> Option<Self> {
        origin(text).filter(|url| is_web(url)).map(Self)
    }

    pub(crate) fn of_listener(address: SocketAddr) -> Self {
        let host = match address.ip() {
            ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            ip => ip,
        };
        Self(format!("http://{}", SocketAddr::new(host, address.port())))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn host(&self) -> &str {
        let authority = self.0.split_once("://").map_or("", |(_, authority)| authority);
        match authority.strip_prefix('[') {
            Some(v6) => v6.split(']').next().unwrap_or_default(),
            None => authority.split(':').next().unwrap_or_default(),
        }
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

fn is_web(url: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme))
}

/// One sentence that names the setting and the problem.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    fn of(setting: &Setting, problem: impl std::fmt::Display) -> Self {
        Self(format!("{}: {problem}", setting.name))
    }
}

impl Config {
    /// Reads the settings. Variables other than `GATEPOST_*` are ignored.
    ///
    /// # Errors
    /// One sentence about the first setting that is unknown or malformed.
    pub fn from_vars<K: Into<String>, V: Into<String>>(
        vars: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, ConfigError> {
        let vars = Vars::new(vars)?;
        let data = PathBuf::from(vars.text(&GATEPOST_DATA));
        let database = match vars.get(&GATEPOST_DATABASE_URL) {
            Some(url) => url.to_owned(),
            None => format!("sqlite:{}", data.join("gatepost.db").display()),
        };
        Ok(Self {
            data,
            database: Database(database),
            listen: vars.parse(&GATEPOST_LISTEN, parse_text)?,
            public_url: vars.optional(&GATEPOST_PUBLIC_URL, PublicUrl::parse)?,
            token_prefix: vars.parse(&GATEPOST_TOKEN_PREFIX, Prefix::parse)?,
            secret_key: vars.optional(&GATEPOST_SECRET_KEY, SecretKey::parse)?,
            trusted_proxies: vars.parse(&GATEPOST_TRUSTED_PROXIES, parse_networks)?,
            cors_origins: vars.parse(&GATEPOST_CORS_ORIGINS, Origins::parse)?,
            plan_limits: vars.parse(&GATEPOST_PLAN_LIMITS, Limits::parse)?,
            redis: vars.optional(&GATEPOST_REDIS_URL, RedisUrl::parse)?,
            activity: vars.parse(&GATEPOST_ACTIVITY, ActivityMode::parse)?,
            activity_days: vars.parse(&GATEPOST_ACTIVITY_DAYS, parse_days)?,
            metrics_listen: vars.optional(&GATEPOST_METRICS_LISTEN, parse_text)?,
            mail: Mail::from_vars(&vars)?,
            log: vars.text(&GATEPOST_LOG).to_owned(),
            log_json: vars.parse(&GATEPOST_LOG_FORMAT, parse_format)?,
            is_demo: false,
        })
    }

    pub(crate) fn make_data_folder(&self) -> Result<(), ConfigError> {
        if !self.uses_data_folder() {
            return Ok(());
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.data).map_err(|cause| {
            ConfigError::of(&GATEPOST_DATA, format!("cannot create {}: {cause}", self.data.display()))
        })
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.data.join("secret.key")
    }

    fn uses_data_folder(&self) -> bool {
        self.secret_key.is_none()
            || self.database.0 == format!("sqlite:{}", self.data.join("gatepost.db").display())
    }

    /// Returns the key from the setting, or else from the file, which is created on first use.
    ///
    /// # Errors
    /// One sentence, if the file can't be read or written, or contains no key.
    pub fn secret_key(&self, entropy: &dyn Entropy) -> Result<SecretKey, ConfigError> {
        if let Some(key) = &self.secret_key {
            return Ok(key.clone());
        }
        let path = self.key_file();
        let problem = |cause: io::Error| ConfigError(format!("cannot use {}: {cause}", path.display()));
        make_key_file(&path, entropy).map_err(problem)?;
        let text = zeroize::Zeroizing::new(fs::read_to_string(&path).map_err(problem)?);
        SecretKey::parse(&text)
            .ok_or_else(|| ConfigError(format!("{} does not contain 64 hexadecimal digits", path.display())))
    }
}

/// Keeps an existing key. Writes a new one to a temporary file, flushes it and links it into place, so that no process
/// ever reads an incomplete key, even after a crash.
fn make_key_file(path: &Path, entropy: &dyn Entropy) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let mut noise = [0; 8];
    entropy.fill(&mut noise);
    let aside = path.with_extension(format!("new-{:016x}", u64::from_be_bytes(noise)));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
    let written = writeln!(file, "{}", *SecretKey::generate(entropy).to_hex()).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| fs::hard_link(&aside, path));
    fs::remove_file(&aside)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Empty variables count as unset.
struct Vars(BTreeMap<String, String>);

impl Vars {
    fn new<K: Into<String>, V: Into<String>>(
        vars: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, ConfigError> {
        let ours = vars.into_iter().map(|(k, v)| (k.into(), v.into()));
        let ours: BTreeMap<String, String> =
            ours.filter(|(name, value)| is_ours(name) && !value.is_empty()).collect();
        match ours.keys().find(|name| SETTINGS.iter().all(|known| known.name != *name)) {
            Some(unknown) => {
                Err(ConfigError(format!("{unknown} is not a setting. Run gatepost --help for a list")))
            }
            None => Ok(Self(ours)),
        }
    }

    fn get(&self, setting: &Setting) -> Option<&str> {
        self.0.get(setting.name).map(String::as_str)
    }

    fn text(&self, setting: &Setting) -> &str {
        self.get(setting).unwrap_or(setting.default_value())
    }

    fn parse<T>(&self, setting: &Setting, parse: impl Fn(&str) -> Option<T>) -> Result<T, ConfigError> {
        parse(self.text(setting))
            .ok_or_else(|| ConfigError::of(setting, format!("expected {}", setting.expected)))
    }

    fn optional<T>(
        &self,
        setting: &Setting,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        self.get(setting).map(|_| self.parse(setting, parse)).transpose()
    }
}

/// Variables named `GATEPOST_TEST_…` are for the test suite.
fn is_ours(name: &str) -> bool {
    name.starts_with("GATEPOST_") && !name.starts_with("GATEPOST_TEST_")
}

fn parse_text<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn parse_days(text: &str) -> Option<u32> {
    parse_text(text).filter(|days| *days <= 36_500)
}

fn parse_networks(text: &str) -> Option<Vec<IpNet>> {
    let each = text.split(',').map(str::trim).filter(|each| !each.is_empty());
    each.map(|each| each.parse().ok().or_else(|| each.parse::<IpAddr>().ok().map(IpNet::from))).collect()
}

fn parse_format(text: &str) -> Option<bool> {
    match text {
        "text" => Some(false),
        "json" => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_need_no_variables() {
        let config = Config::from_vars([("PATH", "/bin")]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.database.0, "sqlite:./gatepost-data/gatepost.db");
        assert!(config.uses_data_folder());
    }

    #[test]
    fn invalid_settings_are_named() {
        for (name, value) in [
            ("GATEPOST_LISTEN", "8080"),
            ("GATEPOST_PUBLIC_URL", "inbox.example"),
            ("GATEPOST_PUBLIC_URL", "https://inbox.example/path"),
            ("GATEPOST_PUBLIC_URL", "tauri://localhost"),
            ("GATEPOST_TOKEN_PREFIX", "No-Good"),
            ("GATEPOST_SECRET_KEY", "abc"),
            ("GATEPOST_TRUSTED_PROXIES", "everybody"),
            ("GATEPOST_CORS_ORIGINS", "app.example.org"),
            ("GATEPOST_CORS_ORIGINS", "https://app.example.org/path"),
            ("GATEPOST_REDIS_URL", "localhost:6379"),
            ("GATEPOST_REDIS_URL", "redis://"),
            ("GATEPOST_REDIS_URL", "rediss://localhost"),
            ("GATEPOST_REDIS_URL", "redis://localhost/first"),
            ("GATEPOST_ACTIVITY_DAYS", "-1"),
            ("GATEPOST_ACTIVITY_DAYS", "a while"),
            ("GATEPOST_METRICS_LISTEN", "9090"),
            ("GATEPOST_LOG_FORMAT", "xml"),
            ("GATEPOST_MAIL_DOMAIN", "not a domain"),
            ("GATEPOST_MAIL_HOST", "mail..example"),
            ("GATEPOST_SMTP_LISTEN", "2525"),
            ("GATEPOST_LMTP_LISTEN", "on"),
            ("GATEPOST_SMTP_MAX_SIZE", "25 elephants"),
            ("GATEPOST_SMTP_MAX_SIZE", "1"),
            ("GATEPOST_MAIL_QUOTA", "plenty"),
            ("GATEPOST_TLS_CERT", "/a/certificate/without/its.key"),
            ("GATEPOST_TLS_KEY", "/a/key/without/its.certificate"),
            ("GATEPOST_DNS", "dns.example"),
            ("GATEPOST_LISTN", "127.0.0.1:1"),
        ] {
            let error = Config::from_vars([(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn debug_hides_secrets() {
        let key = "ab".repeat(32);
        let config = Config::from_vars([
            ("GATEPOST_DATABASE_URL", "postgres://u:hunter2@h/d"),
            ("GATEPOST_REDIS_URL", "redis://u:hunter2@h"),
            ("GATEPOST_SECRET_KEY", &key),
        ])
        .unwrap();
        let shown = format!("{config:?}");
        assert!(!shown.contains("hunter2") && !shown.contains(&key), "{shown}");
    }
}
