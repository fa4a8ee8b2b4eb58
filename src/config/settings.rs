//! The table of settings. `--help` and `docs/settings.md` are generated from it.

/// The texts are Markdown.
pub struct Setting {
    pub name: &'static str,
    pub default: DefaultValue,
    pub meaning: &'static str,
    /// The expected value, for error messages.
    pub(super) expected: &'static str,
}

pub enum DefaultValue {
    Value(&'static str),
    /// A default that depends on other settings or the system.
    Described(&'static str),
}

use DefaultValue::{Described, Value};

impl Setting {
    /// The default value, or empty if it is only described.
    pub(super) fn default_value(&self) -> &'static str {
        match self.default {
            Value(value) => value,
            Described(_) => "",
        }
    }
}

macro_rules! settings {
    ($($name:ident { $default:expr, $meaning:expr, expected $expected:expr })+) => {
        $(pub(super) const $name: Setting = Setting {
            name: stringify!($name),
            default: $default,
            meaning: $meaning,
            expected: $expected,
        };)+

        pub const SETTINGS: &[Setting] = &[$($name),+];
    };
}

settings! {
    GATEPOST_DATA {
        Value("./gatepost-data"),
        "folder of `gatepost.db`, `gatepost.db-calls` (API requests on their way into the activity \
         log) and `secret.key`; created if it is missing",
        expected "a folder"
    }
    GATEPOST_DATABASE_URL {
        Described("`sqlite:DATA/gatepost.db`"),
        "database: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`",
        expected "sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE"
    }
    GATEPOST_LISTEN {
        Value("127.0.0.1:8080"),
        "address and port of the dashboard and the API",
        expected "an address and port, like 127.0.0.1:8080"
    }
    GATEPOST_PUBLIC_URL {
        Described("`http://LISTEN`"),
        "URL where people and apps reach this server; `https://` makes cookies `Secure`",
        expected "http://HOST or https://HOST without a path"
    }
    GATEPOST_TOKEN_PREFIX {
        Value("gp"),
        "prefix of new tokens, for example `si_live`; older tokens keep working",
        expected "up to 20 lower-case letters, digits and inner underscores, like gp"
    }
    GATEPOST_SECRET_KEY {
        Described("from `DATA/secret.key`"),
        "64 hexadecimal digits; encrypts team keys and signs cookies. Servers that share a database share it",
        expected "64 hexadecimal digits"
    }
    GATEPOST_TRUSTED_PROXIES {
        Described("none"),
        "addresses or networks whose `X-Forwarded-For` is trusted, comma-separated",
        expected "addresses or networks, like 10.0.0.0/8,::1"
    }
    GATEPOST_CORS_ORIGINS {
        Described("none"),
        "origins whose pages can call the API from a browser, like `https://app.example.org`, \
         comma-separated, or `*`. They need a token; the dashboard's cookie never counts there",
        expected "origins, like https://app.example.org,http://localhost:5173, or *"
    }
    GATEPOST_PLAN_LIMITS {
        Value("free=0,pro=1000,enterprise=10000"),
        "API requests per hour for each plan; 0 means no API",
        expected "plans and numbers, like free=0,pro=1000,enterprise=10000"
    }
    GATEPOST_REDIS_URL {
        Described("none"),
        "where to count API requests instead of in memory: `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, \
         Redis or Valkey. While it is unreachable, every API request gets 503",
        expected "redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]"
    }
    GATEPOST_ACTIVITY {
        Value("strict"),
        "`strict`: a response is sent once its record is on disk; `buffered`: at once, and the record follows \
         within 50 ms. A crash can lose that much, and up to 16,000 requests if the disk was full or unreachable",
        expected "strict or buffered"
    }
    GATEPOST_ACTIVITY_DAYS {
        Value("90"),
        "days after which API requests are removed from the activity log; 0 keeps them. Changes of access are \
         always kept",
        expected "a number of days up to 36500, like 90, or 0"
    }
    GATEPOST_METRICS_LISTEN {
        Described("none"),
        "address and port of `/metrics`, for Prometheus; keep it away from the public",
        expected "an address and port, like 127.0.0.1:8080"
    }
    GATEPOST_MAIL_DOMAIN {
        Value("gatepost.localhost"),
        "shared domain: every team can create aliases on it without any DNS setup",
        expected "a domain, like mail.example.org"
    }
    GATEPOST_MAIL_HOST {
        Described("the host of `GATEPOST_PUBLIC_URL`"),
        "host name in the SMTP greeting, and the one that MX records point to",
        expected "the name of a host, like mail.example.org"
    }
    GATEPOST_SMTP_LISTEN {
        Value("127.0.0.1:2525"),
        "address and port that receive mail by SMTP; `off` for none",
        expected "an address and port, like 127.0.0.1:2525, or off"
    }
    GATEPOST_LMTP_LISTEN {
        Value("off"),
        "address and port where your own mail server delivers by LMTP; keep it away from the public",
        expected "an address and port, like 127.0.0.1:2525, or off"
    }
    GATEPOST_SMTP_MAX_SIZE {
        Value("25MiB"),
        "largest message: bytes, or a number with `KiB` or `MiB`",
        expected "a size from 64KiB to 1024MiB, like 25MiB"
    }
    GATEPOST_SMTP_HOURLY_MESSAGES {
        Value("5000"),
        "messages per hour from one address or IPv6 network (/64) by SMTP, counted per alias; further ones are \
         deferred (451). Raise it, or set `off`, where all mail comes through one server or proxy. LMTP has no \
         such limit",
        expected "a number, like 5000, or off"
    }
    GATEPOST_SMTP_HOURLY_SIZE {
        Value("512MiB"),
        "amount of mail per hour from one address or IPv6 network (/64) by SMTP; further mail is \
         deferred (451) as above",
        expected "a size, like 10GiB, or off"
    }
    GATEPOST_MAIL_QUOTA {
        Value("5GiB"),
        "amount of mail that a team can keep: bytes, or a number with `KiB`, `MiB` or `GiB`; `off` for no limit. \
         A team at its quota gets no more mail until it deletes some (452); the last tenth is reserved for \
         contacts that the team allowed, if their mail passes DMARC",
        expected "a size, like 10GiB, or off"
    }
    GATEPOST_TLS_CERT {
        Described("none"),
        "file with the certificates (PEM) for STARTTLS; reloaded when it changes",
        expected "a file"
    }
    GATEPOST_TLS_KEY {
        Described("none"),
        "file with the private key (PEM) of `GATEPOST_TLS_CERT`",
        expected "a file"
    }
    GATEPOST_DNS {
        Described("the system's DNS servers"),
        "address, or address and port, of the DNS server for checks of mail and domains",
        expected "an address, like 192.0.2.53 or 127.0.0.1:5353"
    }
    GATEPOST_LOG {
        Value("info"),
        "what is logged to standard error: `error`, `warn`, `info`, `debug`, or a filter. API requests that succeed \
         are in the activity log, and are logged here only with `debug`",
        expected "a level or a filter"
    }
    GATEPOST_LOG_FORMAT {
        Value("text"),
        "`text` or `json`",
        expected "text or json"
    }
}
