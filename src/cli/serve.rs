//! `serve`.

use std::io::IsTerminal;
use std::net::TcpListener;

use tracing_subscriber::EnvFilter;

use super::{Failure, open};
use crate::app::App;
use crate::config::Config;
use crate::domain::people::teams;
use crate::web;

pub fn serve(config: Config) -> Result<(), Failure> {
    start_log(&config)?;
    let listener = bind(&config)?;
    let app = open(config)?;
    run(app, listener, |_| {})
}

/// The port first: a second instance started by mistake fails before it touches the store.
pub fn bind(config: &Config) -> Result<TcpListener, Failure> {
    TcpListener::bind(config.listen).map_err(|cause| format!("cannot listen on {}: {cause}", config.listen))
}

/// Serves until SIGINT or SIGTERM; `tell` is called once requests are answered.
pub fn run(app: App, listener: TcpListener, tell: impl FnOnce(&str)) -> Result<(), Failure> {
    let site = web::site(&app, &listener).map_err(|cause| cause.to_string())?;
    let set_up = app.read_now(teams::is_set_up).map_err(|error| error.to_string())?;
    let setup_key = app.sealer().key.setup_key();
    let url = site.url.as_str().to_owned();
    web::run(app, listener, move || {
        if !set_up {
            println!("Set up this Gatepost at {url}/setup?key={}", *setup_key);
        }
        println!("Listening on {url}");
        tell(&url);
    })
    .map_err(|cause| format!("cannot serve: {cause}"))
}

pub fn start_log(config: &Config) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&config.log).map_err(|cause| format!("GATEPOST_LOG: {cause}"))?;
    let colours = std::io::stderr().is_terminal();
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    let started = match config.log_json {
        true => log.json().flatten_event(true).try_init(),
        false => log.try_init(),
    };
    started.map_err(|cause| cause.to_string())
}
