//! `plan`, `api` and `token`.

use super::{Failure, missing, say};
use crate::app::App;
use crate::domain::access::api_switch::{self, Turned};
use crate::domain::access::plans::{self, Plan};
use crate::domain::access::scopes::Scopes;
use crate::domain::access::tokens::{self, Label};
use crate::domain::people::teams;

fn no_team(name: &str) -> String {
    format!("there is no team called {name}")
}

pub fn set_plan(app: &App, team: &str, plan: Plan) -> Result<(), Failure> {
    let actor = app.operator();
    let set = app.write_now(|tx| {
        let team = teams::find_by_name(tx, team)?;
        plans::set(tx, &actor, team.id, plan)?;
        Ok(team)
    });
    let team = set.map_err(missing(no_team(team)))?;
    say(&format!("{} is on the plan {plan}.", team.name))
}

pub fn switch(app: &App, team: &str, on: bool) -> Result<(), Failure> {
    let actor = app.operator();
    let turned = app.write_now(|tx| {
        let team = teams::find_by_name(tx, team)?;
        Ok((api_switch::turn(tx, &actor, team.id, on)?, team))
    });
    let (turned, team) = turned.map_err(missing(no_team(team)))?;
    let state = if on { "on" } else { "off" };
    match turned {
        Turned::AlreadySo => say(&format!("API access of {} was {state} already.", team.name)),
        _ => say(&format!("API access of {} is {state}.", team.name)),
    }
}

/// Prints the token alone, so that a script can take it as it is.
pub fn mint(app: &App, team: &str, name: &str, scopes: Scopes) -> Result<(), Failure> {
    let label = Label::parse(name).map_err(|error| error.message.into_owned())?;
    let actor = app.operator();
    let minted = app.write_now(|tx| {
        let team = teams::find_by_name(tx, team)?;
        let (token, plain) = tokens::mint(tx, &actor, team.id, &label, scopes, &app.sealer().prefix)?;
        Ok((token, plain, team))
    });
    let (token, plain, team) = minted.map_err(missing(no_team(team)))?;
    say(plain.reveal()).map_err(|why| {
        format!("{why}. The token was made and nobody has seen it: gatepost token revoke {}", token.public_id)
    })?;
    if !team.api_enabled {
        eprintln!(
            "gatepost: API access of {0} is off, so calls are refused until `gatepost api {0} on`",
            team.name
        );
    }
    Ok(())
}

/// Takes what pages show of a token (8 characters) or its whole public id (12), with or without
/// the prefix and the dots around them.
pub fn revoke(app: &App, shown: &str) -> Result<(), Failure> {
    let start = shown.trim_end_matches(['…', '.']);
    let start = start.rsplit('_').next().unwrap_or(start);
    if !(8..=12).contains(&start.len()) {
        return Err("give the 8 characters that the Developer page shows after the prefix, or the 12 of \
                    the public id, and never the whole token"
            .into());
    }
    let actor = app.operator();
    let revoked = app.write_now(|tx| tokens::revoke_by_start(tx, &actor, start));
    let token = revoked.map_err(missing(format!("no token starts with {start}")))?;
    say(&format!("Revoked {} ({}).", token.name, token.masked()))
}
