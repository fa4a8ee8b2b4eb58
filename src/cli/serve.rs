use std::io::{ErrorKind, IsTerminal};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use tracing_subscriber::EnvFilter;

use super::{Failure, print_line};
use crate::app::{self, App, descriptors, jobs};
use crate::config::Config;
use crate::domain::clock::SystemClock;
use crate::domain::entropy::SystemEntropy;
use crate::domain::mailroom::aliases::{self, ShadowedAlias};
use crate::domain::mailroom::quota::{self, FullTeam};
use crate::domain::people::teams;
use crate::smtp::{Limits, Listeners, MailServer, Tls};
use crate::web;

pub struct Ports {
    web: TcpListener,
    mail: Listeners,
}

pub fn serve(config: Config) -> Result<(), Failure> {
    start_log(&config)?;
    let ports = bind(&config)?;
    let _alone = app::serve_alone(&config).map_err(|error| error.to_string())?;
    let app = open(config)?;
    run(app, ports, |_| {})
}

pub fn open(config: Config) -> Result<App, Failure> {
    App::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).map_err(|error| error.to_string())
}

/// Called first, so that a second instance started by mistake fails before it uses the store.
pub fn bind(config: &Config) -> Result<Ports, Failure> {
    let mail = |setting: &str, address: Option<SocketAddr>| {
        address.map(|address| bind_to(&format!("{setting} to another port or to off"), address)).transpose()
    };
    Ok(Ports {
        web: bind_to("GATEPOST_LISTEN to another port", config.listen)?,
        mail: Listeners {
            smtp: mail("GATEPOST_SMTP_LISTEN", config.mail.smtp_listen)?,
            lmtp: mail("GATEPOST_LMTP_LISTEN", config.mail.lmtp_listen)?,
        },
    })
}

/// `remedy` completes "Set …" in the error message.
fn bind_to(remedy: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).map_err(|cause| match cause.kind() {
        ErrorKind::AddrInUse => format!(
            "cannot listen on {address}: the port is in use, perhaps by another Gatepost. Stop it, or set {remedy}"
        ),
        _ => format!("cannot listen on {address}: {cause}. Check the address, or set {remedy}"),
    })
}

/// Serves until SIGINT or SIGTERM. Calls `on_ready` with the URL once the server accepts requests.
pub fn run(app: App, ports: Ports, on_ready: impl FnOnce(&str)) -> Result<(), Failure> {
    let site = web::site(&app, &ports.web).map_err(|cause| cause.to_string())?;
    let set_up = app.read_now(teams::is_set_up).map_err(|error| error.to_string())?;
    warn_of_shadowed_aliases(&app)?;
    warn_of_full_teams(&app)?;
    let setup_key = app.sealer().key.setup_key();
    let metrics = app.config().metrics_listen;
    let metrics = metrics.map(|at| bind_to("GATEPOST_METRICS_LISTEN to another port", at)).transpose()?;
    let metrics_at = metrics.as_ref().and_then(|metrics| metrics.local_addr().ok());
    let (web_limits, mail_limits) = limits(app.config());
    let mail_server = open_mail_server(&app, ports.mail, mail_limits)?;
    if let Some(at) = mail_server.smtp {
        app.set_smtp_address(at);
    }
    let runner = jobs::start(app.clone(), jobs::registry());
    let url = site.url.as_str().to_owned();
    let mail_at = mail_server.addresses();
    let served = web::run(app.clone(), ports.web, metrics, web_limits, move || {
        mail_at.iter().for_each(|line| announce(line));
        if let Some(address) = metrics_at {
            announce(&format!("Metrics on http://{address}/metrics"));
        }
        announce(&format!("Listening on {url}"));
        if !set_up {
            announce(&setup_hint(&url, &setup_key));
        }
        on_ready(&url);
    });
    drop((mail_server, runner));
    // Closed explicitly, because worker threads with clones of the app are not joined, so it would not be dropped.
    app.close();
    served.map_err(|cause| format!("cannot serve: {cause}"))
}

/// The maximum number of aliases or teams in a warning.
const MAX_LISTED: i64 = 100;

/// Only the log shows the operator that these aliases receive no mail.
fn warn_of_shadowed_aliases(app: &App) -> Result<(), Failure> {
    let found =
        app.read_now(|tx| aliases::shadowed_aliases(tx, MAX_LISTED)).map_err(|error| error.to_string())?;
    for ShadowedAlias { address, team } in found {
        tracing::warn!(
            address,
            team,
            "alias receives no mail because the name before its + belongs to another team"
        );
    }
    Ok(())
}

/// If the operator lowered the quota, teams can be over it without knowing why they receive no mail.
fn warn_of_full_teams(app: &App) -> Result<(), Failure> {
    let settings = app.mail_settings();
    let full =
        app.read_now(|tx| quota::full_teams(tx, settings, MAX_LISTED)).map_err(|error| error.to_string())?;
    for FullTeam { name, bytes } in full {
        tracing::warn!(
            team = name,
            bytes,
            "this team has reached GATEPOST_MAIL_QUOTA and receives no more mail"
        );
    }
    Ok(())
}

/// Divides this process's open files between web and mail.
fn limits(config: &Config) -> (web::Limits, Limits) {
    let (mut web, mut mail) = (web::Limits::default(), Limits::for_size(config.mail.max_size));
    let files = descriptors::raise();
    let shared = files.saturating_sub(mail.lmtp_connections);
    (web.connections, mail.connections) = descriptors::share(shared, web.connections, mail.connections);
    tracing::debug!(files, web = web.connections, mail = mail.connections, "connections at once");
    (web, mail)
}

fn open_mail_server(app: &App, listeners: Listeners, limits: Limits) -> Result<MailServer, Failure> {
    let config = app.config();
    let tls = config.mail.tls.as_ref().map(Tls::load).transpose();
    let tls = tls.map_err(|why| format!("GATEPOST_TLS_CERT and GATEPOST_TLS_KEY: {why}"))?;
    MailServer::open(app.clone(), listeners, tls, limits)
        .map_err(|cause| format!("cannot receive mail: {cause}"))
}

/// Printed last and after an empty line, because the log goes to the same terminal.
fn setup_hint(url: &str, key: &str) -> String {
    format!(
        "\nThere are no accounts yet. To create your team, open this link:\n\n    {url}/setup?key={key}\n\n\
         It works once. Restart Gatepost to see it again, or create the team without a browser:\n\
         gatepost setup --team NAME --owner EMAIL\n"
    )
}

/// A closed standard output must not stop the server.
pub fn announce(line: &str) {
    if let Err(why) = print_line(line) {
        tracing::warn!(why, "cannot write to standard output");
    }
}

pub fn start_log(config: &Config) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&config.log).map_err(|cause| format!("GATEPOST_LOG: {cause}"))?;
    let colors = std::io::stderr().is_terminal();
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colors);
    // A closed standard error must not stop the server.
    let log = log.log_internal_errors(false);
    let started = match config.log_json {
        true => log.json().flatten_event(true).try_init(),
        false => log.try_init(),
    };
    started.map_err(|cause| cause.to_string())
}
