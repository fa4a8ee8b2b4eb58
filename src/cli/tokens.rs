use super::{Failure, or_missing, print_line};
use crate::app::App;
use crate::domain::access::api_switch::{self, SwitchOutcome};
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
    let team = set.map_err(or_missing(no_team(team)))?;
    print_line(&format!("{} is now on the {plan} plan.", team.name))
}

pub fn switch_api(app: &App, team: &str, on: bool) -> Result<(), Failure> {
    let actor = app.operator();
    let turned = app.write_now(|tx| {
        let team = teams::find_by_name(tx, team)?;
        Ok((api_switch::turn(tx, &actor, team.id, on)?, team))
    });
    let (turned, team) = turned.map_err(or_missing(no_team(team)))?;
    let state = if on { "on" } else { "off" };
    match turned {
        SwitchOutcome::Unchanged => print_line(&format!("API access of {} is already {state}.", team.name)),
        _ => print_line(&format!("API access of {} is now {state}.", team.name)),
    }
}

/// Prints only the token, so that scripts can use the output.
pub fn mint(app: &App, team: &str, name: &str, scopes: Scopes) -> Result<(), Failure> {
    let label = Label::parse(name).map_err(|error| error.message.into_owned())?;
    let actor = app.operator();
    let minted = app.write_now(|tx| {
        let team = teams::find_by_name(tx, team)?;
        let (token, plain) = tokens::mint(tx, &actor, team.id, &label, scopes, &app.sealer().prefix)?;
        Ok((token, plain, team))
    });
    let (token, plain, team) = minted.map_err(or_missing(no_team(team)))?;
    print_line(plain.reveal()).map_err(|why| {
        format!(
            "{why}. The token was created but not shown. Revoke it: gatepost token revoke {}",
            token.public_id
        )
    })?;
    if !team.api_enabled {
        eprintln!(
            "gatepost: API access of {0} is off, so all requests are refused. Turn it on: gatepost api {0} on",
            team.name
        );
    }
    Ok(())
}

/// Accepts the 8 characters that pages show or the 12 of the public id, with or without the prefix and the
/// ellipsis.
pub fn revoke(app: &App, shown: &str) -> Result<(), Failure> {
    let start = shown.trim_end_matches(['…', '.']);
    let start = start.rsplit('_').next().unwrap_or(start);
    if !(8..=12).contains(&start.len()) {
        return Err("use the 8 characters that the Developer page shows after the prefix, or all 12 of \
                    the public ID, never the whole token"
            .into());
    }
    let actor = app.operator();
    let revoked = app.write_now(|tx| tokens::revoke_by_start(tx, &actor, start));
    let token = revoked.map_err(or_missing(format!("no token starts with {start}")))?;
    print_line(&format!("Revoked {} ({}).", token.name, token.masked()))
}
