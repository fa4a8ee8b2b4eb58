//! The list of settings, as `--help` and the README show it.

/// Name, default and meaning of each setting, as `--help` and the README show them.
pub const SETTINGS: [(&str, &str, &str); 26] = [
    ("GATEPOST_DATA", "./gatepost-data", "folder of gatepost.db and secret.key; made if it is missing"),
    (
        "GATEPOST_DATABASE_URL",
        "sqlite:DATA/gatepost.db",
        "the store: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE",
    ),
    ("GATEPOST_LISTEN", "127.0.0.1:8080", "address and port of the dashboard and the API"),
    (
        "GATEPOST_PUBLIC_URL",
        "http://LISTEN",
        "where people and programs reach it; https:// makes cookies Secure",
    ),
    ("GATEPOST_TOKEN_PREFIX", "gp", "what new tokens begin with, e.g. si_live; older ones keep working"),
    (
        "GATEPOST_SECRET_KEY",
        "from DATA/secret.key",
        "64 hexadecimal digits; seals team keys. Instances over one store share it",
    ),
    (
        "GATEPOST_TRUSTED_PROXIES",
        "none",
        "addresses or networks whose X-Forwarded-For is believed, comma-separated",
    ),
    (
        "GATEPOST_CORS_ORIGINS",
        "none",
        "pages elsewhere whose scripts may call the API with a token: origins, comma-separated, or *",
    ),
    (
        "GATEPOST_PLAN_LIMITS",
        "free=0,pro=1000,enterprise=10000",
        "API requests an hour for each plan; 0 is no API",
    ),
    (
        "GATEPOST_REDIS_URL",
        "none",
        "where calls are counted instead of in memory: redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]",
    ),
    (
        "GATEPOST_ACTIVITY",
        "strict",
        "strict: an answer leaves when its record is on disk; buffered: at once, its record within 50 ms",
    ),
    (
        "GATEPOST_ACTIVITY_DAYS",
        "90",
        "days after which API requests leave the activity log; 0 keeps them. Changes of access always stay",
    ),
    (
        "GATEPOST_METRICS_LISTEN",
        "none",
        "address and port of /metrics, for Prometheus; keep it away from the public",
    ),
    (
        "GATEPOST_MAIL_DOMAIN",
        "gatepost.localhost",
        "the domain on which every team can have addresses at once",
    ),
    (
        "GATEPOST_MAIL_HOST",
        "the host of GATEPOST_PUBLIC_URL",
        "the name that mail servers are greeted with, and that MX records point to",
    ),
    ("GATEPOST_SMTP_LISTEN", "127.0.0.1:2525", "address and port where mail is taken by SMTP; off for none"),
    (
        "GATEPOST_LMTP_LISTEN",
        "off",
        "address and port where a mail server of yours hands mail on by LMTP; keep it away from the public",
    ),
    ("GATEPOST_SMTP_MAX_SIZE", "25MiB", "the largest message: bytes, or a number with KiB or MiB"),
    (
        "GATEPOST_SMTP_HOURLY_MESSAGES",
        "5000",
        "messages that one address, or IPv6 network, can send by SMTP in an hour; off for any number",
    ),
    (
        "GATEPOST_SMTP_HOURLY_SIZE",
        "512MiB",
        "how much mail one address, or IPv6 network, can send by SMTP in an hour; off for any amount",
    ),
    (
        "GATEPOST_MAIL_QUOTA",
        "5GiB",
        "how much mail a team can keep: bytes, or a number with KiB, MiB or GiB; off for any amount",
    ),
    (
        "GATEPOST_TLS_CERT",
        "none",
        "file with the certificates (PEM) for STARTTLS; read again when it changes",
    ),
    ("GATEPOST_TLS_KEY", "none", "file with the private key (PEM) of GATEPOST_TLS_CERT"),
    (
        "GATEPOST_DNS",
        "as the system has it",
        "address, or address and port, of the DNS server that is asked about mail and domains",
    ),
    (
        "GATEPOST_LOG",
        "info",
        "what is logged to standard error: error, warn, info, debug, or a filter. API calls that succeed are in the activity log, and are logged here only with debug",
    ),
    ("GATEPOST_LOG_FORMAT", "text", "text or json"),
];
