//! The command line. A failure is one sentence on standard error and an exit code.

mod backup;
mod deliver;
mod demo;
pub mod heap;
mod jobs;
mod people;
mod serve;
mod tokens;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::app::{self, App};
use crate::config::{Config, DefaultValue, SETTINGS};
use crate::domain;
use crate::domain::access::plans::Plan;
use crate::domain::access::scopes::Scopes;
use crate::domain::clock::SystemClock;
use crate::domain::entropy::SystemEntropy;

/// Self-hosted email inboxes with an API.
#[derive(Parser)]
#[command(name = "gatepost", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the dashboard, the API and mail (default)
    Serve,
    /// Create a team and its owner; reads the password of a new account from standard input
    Setup {
        /// The team's name
        #[arg(long)]
        team: String,
        /// The owner's email address
        #[arg(long, value_name = "EMAIL")]
        owner: String,
        /// The owner's name [default: the email address]
        #[arg(long)]
        name: Option<String>,
        /// free, pro or enterprise
        #[arg(long, value_parser = plan, default_value = Plan::DEFAULT.as_str())]
        plan: Plan,
    },
    /// Set a team's plan
    Plan {
        team: String,
        /// free, pro or enterprise
        #[arg(value_parser = plan)]
        plan: Plan,
    },
    /// Turn a team's API access on or off
    Api {
        team: String,
        #[arg(value_parser = ["on", "off"])]
        state: String,
    },
    /// Set a person's password, read from standard input, and sign them out everywhere
    Password {
        #[arg(value_name = "EMAIL")]
        email: String,
    },
    /// Create and revoke API tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// List, show, retry and drop background jobs
    #[command(subcommand)]
    Jobs(jobs::JobsCommand),
    /// Deliver a message from standard input
    Deliver {
        /// The alias: its address, or the part before the @ on the shared domain
        #[arg(value_name = "ALIAS")]
        alias: String,
        /// The sender [default: the address in the From header]
        #[arg(long, value_name = "ADDRESS")]
        from: Option<String>,
    },
    /// Back up everything to one file, with or without a running server
    Backup { file: PathBuf },
    /// Restore a backup into an empty store
    Restore { file: PathBuf },
    /// Check the store for damage, wrong counters and orphaned rows
    Check,
    /// Serve a sample team in a temporary database
    Demo,
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Create a token and print only the token
    Mint {
        #[arg(long)]
        team: String,
        /// The name of the app that will use it
        #[arg(long)]
        name: String,
        /// Permissions: all, read, or a list like aliases:read,aliases:write
        #[arg(long, value_name = "all|read|LIST", value_parser = scopes, default_value = "read")]
        scopes: Scopes,
    },
    /// Revoke a token by the characters that the Developer page shows
    Revoke {
        /// The 8 characters after the prefix, or all 12 of the public ID
        #[arg(value_name = "START")]
        start: String,
    },
}

/// One sentence.
type Failure = String;

pub fn main(
    args: impl IntoIterator<Item = OsString>,
    vars: impl IntoIterator<Item = (OsString, OsString)>,
) -> ExitCode {
    let command = match parse(args) {
        Ok(command) => command,
        Err(error) => {
            let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            let _ = error.print();
            return if is_help { ExitCode::SUCCESS } else { ExitCode::from(2) };
        }
    };
    match run(command, vars) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("gatepost: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, clap::Error> {
    let matches = Arguments::command().after_help(settings_help()).try_get_matches_from(args)?;
    Ok(Arguments::from_arg_matches(&matches)?.command.unwrap_or(Command::Serve))
}

fn settings_help() -> String {
    let lines = SETTINGS.iter().map(|setting| {
        let (DefaultValue::Value(default) | DefaultValue::Described(default)) = setting.default;
        format!("  {}\n          {} [default: {default}]\n", setting.name, setting.meaning)
    });
    format!("Settings (environment):\n{}", lines.collect::<String>().replace('`', ""))
}

fn plan(text: &str) -> Result<Plan, Failure> {
    Plan::parse(text).ok_or_else(|| "expected free, pro or enterprise".into())
}

fn scopes(text: &str) -> Result<Scopes, Failure> {
    Scopes::parse(text).map_err(|error| error.message.into_owned())
}

/// Only our own variables must be UTF-8.
fn settings(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Vec<(String, String)>, Failure> {
    let ours = vars.into_iter().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let ours = ours.filter(|(name, _)| name.starts_with("GATEPOST_"));
    ours.map(|(name, value)| match value.into_string() {
        Ok(value) => Ok((name, value)),
        Err(_) => Err(format!("{name}: expected text in UTF-8")),
    })
    .collect()
}

fn print_line(line: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|cause| format!("cannot print the result: {cause}"))
}

fn run(command: Command, vars: impl IntoIterator<Item = (OsString, OsString)>) -> Result<(), Failure> {
    let config = Config::from_vars(settings(vars)?).map_err(|error| error.to_string())?;
    app::check_settings(&config).map_err(|error| error.to_string())?;
    match command {
        Command::Serve => serve::serve(config),
        Command::Demo => demo::demo(config),
        Command::Setup { team, owner, name, plan } => {
            let name = name.unwrap_or_else(|| owner.clone());
            people::setup(config, &people::Setup { team, owner, name, plan })
        }
        Command::Backup { file } => backup::backup(&config, &file),
        Command::Restore { file } => backup::restore(&config, &file),
        Command::Check => backup::check(&config),
        Command::Password { email } => people::password(config, &email),
        Command::Deliver { alias, from } => deliver::deliver(&open(config)?, &alias, from),
        Command::Plan { team, plan } => tokens::set_plan(&open(config)?, &team, plan),
        Command::Api { team, state } => tokens::switch_api(&open(config)?, &team, state == "on"),
        Command::Jobs(command) => jobs::run(&open(config)?, command),
        Command::Token(TokenCommand::Mint { team, name, scopes }) => {
            tokens::mint(&open(config)?, &team, &name, scopes)
        }
        Command::Token(TokenCommand::Revoke { start }) => tokens::revoke(&open(config)?, &start),
    }
}

fn open(config: Config) -> Result<App, Failure> {
    App::open_for_command(config, Arc::new(SystemClock), Arc::new(SystemEntropy))
        .map_err(|error| error.to_string())
}

fn message_of(error: domain::Error) -> Failure {
    error.to_string().trim_start_matches("invalid: ").to_owned()
}

/// Like [`message_of`], but with `message` for a row that was not found.
fn or_missing(message: String) -> impl FnOnce(domain::Error) -> Failure {
    move |error| match error {
        domain::Error::NotFound => message,
        other => message_of(other),
    }
}
