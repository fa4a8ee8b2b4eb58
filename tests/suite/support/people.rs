//! The people of every test. Ada owns Acme, Bea is its admin, and Cy is a member; Dan owns Globex; Eve has
//! no account.

use gatepost::app::App;
use gatepost::domain::access::plans::Plan;
use gatepost::domain::actor::Actor;
use gatepost::domain::people::invitations;
use gatepost::domain::people::passwords::{self, Hashed, Password};
use gatepost::domain::people::roles::MemberRole;
use gatepost::domain::people::teams::{self, NewTeam, Team, TeamName};
use gatepost::domain::people::users::{NewPerson, PersonName, User};
use gatepost::domain::text::EmailAddress;
use gatepost::store::Tx;
use std::sync::OnceLock;

use super::fixed::TestEntropy;

/// The password of everyone.
pub const PASSWORD: &str = "correct horse battery";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person {
    Ada,
    Bea,
    Cy,
    Dan,
    Eve,
}

impl Person {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ada => "Ada",
            Self::Bea => "Bea",
            Self::Cy => "Cy",
            Self::Dan => "Dan",
            Self::Eve => "Eve",
        }
    }

    pub fn email(self) -> &'static str {
        match self {
            Self::Ada => "ada@acme.test",
            Self::Bea => "bea@acme.test",
            Self::Cy => "cy@acme.test",
            Self::Dan => "dan@globex.test",
            Self::Eve => "eve@nowhere.test",
        }
    }

    fn new_person(self) -> NewPerson {
        NewPerson {
            email: EmailAddress::parse(self.email()).expect("an address"),
            name: PersonName::parse(self.name()).expect("a name"),
            password_hash: password_hash(),
        }
    }
}

/// Creates both teams on the plan pro, with API access off.
pub fn create(app: &App) {
    let actor = app.operator();
    let gathered = app.write_now(|tx| {
        let (acme, ada) = found(tx, &actor, "Acme", Person::Ada)?;
        let ada = actor.as_person(ada.id, &ada.email);
        join(tx, &ada, &acme, Person::Bea, MemberRole::Admin)?;
        join(tx, &ada, &acme, Person::Cy, MemberRole::Member)?;
        found(tx, &actor, "Globex", Person::Dan).map(drop)
    });
    gathered.expect("two teams");
}

type Made<T> = gatepost::domain::Result<T>;

fn found(tx: &mut Tx<'_>, actor: &Actor, name: &str, owner: Person) -> Made<(Team, User)> {
    let name = TeamName::parse(name).expect("a name");
    teams::create(tx, actor, &NewTeam { name, plan: Plan::Pro, owner: owner.new_person() })
}

fn join(tx: &mut Tx<'_>, actor: &Actor, team: &Team, person: Person, role: MemberRole) -> Made<()> {
    let email = EmailAddress::parse(person.email()).expect("an address");
    let link = invitations::invite(tx, actor, team.id, &email, role)?;
    invitations::accept_as_new(tx, actor, &link, &person.new_person()).map(drop)
}

/// Computed once, because hashing is slow by design.
fn password_hash() -> Hashed {
    static HASH: OnceLock<Hashed> = OnceLock::new();
    let make = || {
        let password = Password::parse("password", PASSWORD).expect("a password");
        passwords::hash(&password, &TestEntropy::new())
    };
    HASH.get_or_init(make).clone()
}
