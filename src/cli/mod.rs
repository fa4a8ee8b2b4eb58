//! What an operator types. Errors are one sentence on standard error and an exit code.

mod backup;
mod deliver;
mod demo;
pub mod heap;
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

use crate::app::App;
use crate::config::{Config, DefaultValue, SETTINGS};
use crate::domain;
use crate::domain::access::plans::Plan;
use crate::domain::access::scopes::Scopes;
use crate::domain::clock::SystemClock;
use crate::domain::entropy::SystemEntropy;

/// A self-hosted inbox platform whose front door for programs is its Developer page.
#[derive(Parser)]
#[command(name = "gatepost", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the dashboard and the API (what happens without a command)
    Serve,
    /// Make a team and its owner; the owner's password is read from standard input
    Setup {
        /// What the team is called
        #[arg(long)]
        team: String,
        /// The owner's e-mail address
        #[arg(long, value_name = "EMAIL")]
        owner: String,
        /// The owner's name; the address when left out
        #[arg(long)]
        name: Option<String>,
        /// free, pro or enterprise
        #[arg(long, value_parser = plan, default_value = Plan::DEFAULT.as_str())]
        plan: Plan,
    },
    /// Put a team on a plan
    Plan {
        team: String,
        /// free, pro or enterprise
        #[arg(value_parser = plan)]
        plan: Plan,
    },
    /// Switch a team's API access on or off
    Api {
        team: String,
        #[arg(value_parser = ["on", "off"])]
        state: String,
    },
    /// Set somebody's password, read from standard input, and end their sessions
    Password {
        #[arg(value_name = "EMAIL")]
        email: String,
    },
    /// Mint and revoke tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Put a message in by hand, read from standard input
    Deliver {
        /// Where to: an address, or what stands before the @ of one on the shared domain
        #[arg(value_name = "ALIAS")]
        alias: String,
        /// Who it is from; the address in its From when left out
        #[arg(long, value_name = "ADDRESS")]
        from: Option<String>,
    },
    /// Write a backup of everything into one file, also while a server is running
    Backup { file: PathBuf },
    /// Restore a backup where there is no store yet
    Restore { file: PathBuf },
    /// Check the store for damage, wrong counters and orphaned rows, also while a server is running
    Check,
    /// Serve a made-up team out of a throw-away store, to look around
    Demo,
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Mint a token and print it, and nothing else
    Mint {
        #[arg(long)]
        team: String,
        /// The system that will use it
        #[arg(long)]
        name: String,
        /// What it may do: all, read, or a list such as aliases:read,aliases:write
        #[arg(long, value_name = "all|read|LIST", value_parser = scopes, default_value = "read")]
        scopes: Scopes,
    },
    /// Revoke a token by the characters that the Developer page shows of it
    Revoke {
        /// The 8 characters after the prefix, or the 12 of the whole public id
        #[arg(value_name = "START")]
        start: String,
    },
}

/// A sentence for the operator.
type Failure = String;

/// Runs one command line to its end.
pub fn main(
    args: impl IntoIterator<Item = OsString>,
    vars: impl IntoIterator<Item = (OsString, OsString)>,
) -> ExitCode {
    let command = match parse(args) {
        Ok(command) => command,
        Err(error) => {
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            let _ = error.print();
            return if asked { ExitCode::SUCCESS } else { ExitCode::from(2) };
        }
    };
    match run(command, vars) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("gatepost: {sentence}");
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

/// Our settings among the environment; what is not ours need not even be text.
fn settings(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Vec<(String, String)>, Failure> {
    let ours = vars.into_iter().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let ours = ours.filter(|(name, _)| name.starts_with("GATEPOST_"));
    ours.map(|(name, value)| match value.into_string() {
        Ok(value) => Ok((name, value)),
        Err(_) => Err(format!("{name}: expected text in UTF-8")),
    })
    .collect()
}

/// Prints a line, or says that it could not.
fn say(line: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|cause| format!("cannot print the result: {cause}"))
}

fn run(command: Command, vars: impl IntoIterator<Item = (OsString, OsString)>) -> Result<(), Failure> {
    let config = Config::from_vars(settings(vars)?).map_err(|error| error.to_string())?;
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
        Command::Api { team, state } => tokens::switch(&open(config)?, &team, state == "on"),
        Command::Token(TokenCommand::Mint { team, name, scopes }) => {
            tokens::mint(&open(config)?, &team, &name, scopes)
        }
        Command::Token(TokenCommand::Revoke { start }) => tokens::revoke(&open(config)?, &start),
    }
}

fn open(config: Config) -> Result<App, Failure> {
    App::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).map_err(|error| error.to_string())
}

/// A domain's refusal in the operator's words.
fn sentence(error: domain::Error) -> Failure {
    error.to_string().trim_start_matches("invalid: ").to_owned()
}

/// As [`sentence`], where what was not found is `what`.
fn missing(what: String) -> impl FnOnce(domain::Error) -> Failure {
    move |error| match error {
        domain::Error::NotFound => what,
        other => sentence(other),
    }
}
