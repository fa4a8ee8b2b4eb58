use std::io::{self, BufRead, IsTerminal};

use zeroize::Zeroizing;

use super::{Failure, message_of, open, or_missing, print_line};
use crate::config::Config;
use crate::domain::access::plans::Plan;
use crate::domain::people::passwords::{self, Password};
use crate::domain::people::teams::{self, NewTeam, TeamName};
use crate::domain::people::users::{self, NewPerson, PersonName};
use crate::domain::text::EmailAddress;
use crate::domain::{Error, FieldError};

pub struct Setup {
    pub team: String,
    pub owner: String,
    pub name: String,
    pub plan: Plan,
}

pub fn setup(config: Config, setup: &Setup) -> Result<(), Failure> {
    let problem = |error: FieldError| error.message.into_owned();
    let team = TeamName::parse(&setup.team).map_err(problem)?;
    let email = EmailAddress::parse(&setup.owner).map_err(problem)?;
    let name = PersonName::parse(&setup.name).map_err(problem)?;
    let app = open(config)?;
    let actor = app.operator();
    let known = app.read_now(|tx| users::find_by_email(tx, &email)).map_err(message_of)?;
    let (team, owner) = match known {
        Some(owner) => {
            let team = app.write_now(|tx| teams::create_for(tx, &actor, &team, setup.plan, &owner));
            (team.map_err(message_of)?, owner)
        }
        None => {
            let password_hash = passwords::hash(&read_password()?, &*app.entropy());
            let new =
                NewTeam { name: team, plan: setup.plan, owner: NewPerson { email, name, password_hash } };
            app.write_now(|tx| teams::create(tx, &actor, &new)).map_err(message_of)?
        }
    };
    print_line(&format!("Created the team {} ({} plan), owned by {}.", team.name, team.plan, owner.email))
}

pub fn password(config: Config, email: &str) -> Result<(), Failure> {
    let address = EmailAddress::parse(email).map_err(|error| error.message.into_owned())?;
    let app = open(config)?;
    let user = app.read_now(|tx| users::find_by_email(tx, &address)?.ok_or(Error::NotFound));
    let user = user.map_err(or_missing(format!("there is no account for {email}")))?;
    let password = read_password()?;
    let hash = passwords::hash(&password, &*app.entropy());
    let actor = app.operator();
    app.write_now(|tx| users::change_password(tx, &actor, user.id, &hash, None)).map_err(message_of)?;
    print_line(&format!("Changed the password of {email} and signed them out everywhere."))
}

/// Reads a line from standard input, without echo on a terminal.
fn read_password() -> Result<Password, Failure> {
    let mut line = Zeroizing::new(String::new());
    if io::stdin().is_terminal() {
        eprint!("Password: ");
        *line = rpassword::read_password().map_err(|cause| format!("cannot read the password: {cause}"))?;
    } else {
        io::stdin()
            .lock()
            .read_line(&mut line)
            .map_err(|cause| format!("cannot read the password: {cause}"))?;
    }
    Password::parse("password", line.trim_end_matches(['\r', '\n']))
        .map_err(|error| format!("password: {}", error.message))
}
