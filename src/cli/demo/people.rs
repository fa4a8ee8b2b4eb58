//! The people of the sample team, and when they joined, left and signed in.

use std::net::IpAddr;

use super::calendar::{Calendar, When};
use crate::app::Tx;
use crate::domain::Result;
use crate::domain::access::api_switch;
use crate::domain::access::plans::{self, Plan};
use crate::domain::actor::Actor;
use crate::domain::entropy;
use crate::domain::people::invitations;
use crate::domain::people::members::{self, TheirTokens};
use crate::domain::people::passwords::Hashed;
use crate::domain::people::roles::MemberRole;
use crate::domain::people::sessions;
use crate::domain::people::sign_in;
use crate::domain::people::teams::{self, NewTeam, Team, TeamName};
use crate::domain::people::users::{self, NewPerson, PersonName, User};
use crate::domain::sealing::hex;
use crate::domain::text::EmailAddress;

pub struct People {
    pub team: Team,
    pub ada: User,
    pub bea: User,
    pub cy: User,
    /// An admin who leaves.
    pub dan: User,
}

/// Runs before everything else.
pub fn create(tx: &mut Tx<'_>, calendar: &Calendar, hash: &Hashed) -> Result<People> {
    let owner = person("Ada Lovelace", "ada@acme.test", hash)?;
    let new = NewTeam { name: TeamName::parse("Acme")?, plan: Plan::Free, owner };
    let (team, ada) = teams::create(tx, &calendar.operator((21, 8, 55)), &new)?;
    plans::set(tx, &calendar.operator((21, 8, 58)), team.id, Plan::Pro)?;
    let mut join = |when: When, name, email, role| {
        let (days, hour, minute) = when;
        let new = person(name, email, hash)?;
        let link = invitations::invite(
            tx,
            &calendar.person(&ada, (days, hour - 1, minute)),
            team.id,
            &new.email,
            role,
        )?;
        Ok::<_, crate::domain::Error>(invitations::accept_as_new(tx, &calendar.visitor(when), &link, &new)?.1)
    };
    let bea = join((21, 9, 50), "Bea Bouchard", "bea@acme.test", MemberRole::Member)?;
    let cy = join((20, 11, 48), "Cyril Young", "cy@acme.test", MemberRole::Member)?;
    let dan = join((19, 14, 55), "Dan Weber", "dan@acme.test", MemberRole::Admin)?;
    api_switch::turn(tx, &calendar.person(&bea, (20, 13, 32)), team.id, true)?;
    api_switch::turn(tx, &calendar.person(&ada, (20, 14, 10)), team.id, true)?;
    let admin = MemberRole::Admin;
    members::set_role(tx, &calendar.person(&ada, (20, 14, 15)), team.id, bea.id, admin, TheirTokens::Keep)?;
    Ok(People { team, ada, bea, cy, dan })
}

fn person(name: &str, email: &str, hash: &Hashed) -> Result<NewPerson> {
    Ok(NewPerson {
        email: EmailAddress::parse(email)?,
        name: PersonName::parse(name)?,
        password_hash: hash.clone(),
    })
}

/// Runs after everything that the leaving admin does.
pub fn change(tx: &mut Tx<'_>, calendar: &Calendar, people: &People) -> Result<()> {
    let People { team, ada, bea, cy, dan } = people;
    sign_in_all(tx, calendar, people)?;
    users::rename(tx, &calendar.person(cy, (16, 9, 25)), cy.id, &PersonName::parse("Cy Young")?)?;
    members::remove(tx, &calendar.person(ada, (5, 16, 40)), team.id, dan.id, TheirTokens::Keep)?;
    let invite = |tx: &mut Tx<'_>, who, when, email, role| {
        invitations::invite(tx, &calendar.person(who, when), team.id, &EmailAddress::parse(email)?, role)
    };
    invite(tx, bea, (11, 10, 20), "eli.stone@acme.test", MemberRole::Member)?;
    invite(tx, ada, (1, 15, 30), "frida.holm@acme.test", MemberRole::Member)?;
    Ok(())
}

const MAC: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.7; rv:132.0) Gecko/20100101 Firefox/132.0";
const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 \
                     (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";
const WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                       Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0";
const LINUX: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                     Chrome/131.0.0.0 Safari/537.36";
const OFFICE: [u8; 4] = [198, 51, 100, 24];

fn sign_in_all(tx: &mut Tx<'_>, calendar: &Calendar, people: &People) -> Result<()> {
    let People { ada, bea, cy, dan, .. } = people;
    // The person, agent and address, and the first and last use.
    let sessions: [(&User, &str, [u8; 4], When, When); 6] = [
        (dan, LINUX, OFFICE, (18, 8, 40), (6, 17, 20)),
        (ada, MAC, OFFICE, (12, 8, 31), (0, 4, 2)),
        (bea, WINDOWS, OFFICE, (11, 8, 47), (0, 2, 11)),
        (ada, PHONE, [192, 0, 2, 61], (9, 19, 14), (1, 18, 20)),
        (cy, LINUX, OFFICE, (4, 9, 5), (0, 1, 31)),
        (bea, PHONE, [192, 0, 2, 140], (2, 20, 2), (2, 20, 9)),
    ];
    for (who, agent, ip, first, last) in sessions {
        let actor = from(calendar.visitor(first), agent, ip);
        let key = hex(&entropy::bytes::<16>(&*actor.entropy));
        let session = sessions::open(tx, &actor, who.id, Some(people.team.id), &key)?;
        sessions::touch(tx, who.id, session.id, calendar.at(last))?;
    }
    for (who, agent, ip, when) in [
        (ada, MAC, OFFICE, (12, 8, 30)),
        (ada, LINUX, [203, 0, 113, 77], (6, 2, 14)),
        (cy, LINUX, OFFICE, (4, 9, 4)),
    ] {
        sign_in::record_failure(tx, &from(calendar.visitor(when), agent, ip), Some(who))?;
    }
    Ok(())
}

fn from(mut actor: Actor, agent: &str, ip: [u8; 4]) -> Actor {
    (actor.ip, actor.agent) = (Some(IpAddr::from(ip)), Some(agent.to_owned()));
    actor
}
