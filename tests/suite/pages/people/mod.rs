//! Setup, sign-in, invitations, the team and the account.

mod account;
mod invitations;
mod lockout;
mod settings;
mod setup_and_sign_in;
mod switching;
mod team;

use crate::support::TestApp;
use crate::support::client::{Response, Visitor};
use crate::support::people::{PASSWORD, Person};
use gatepost::domain::access::scopes::Scopes;
use gatepost::domain::access::tokens::{self, Label};
use gatepost::domain::people::users::{self, User};
use gatepost::domain::text::EmailAddress;

impl TestApp {
    fn user(&self, person: Person) -> User {
        let email = EmailAddress::parse(person.email()).expect("an address");
        self.operate(|tx, _| users::find_by_email(tx, &email)).expect("an account")
    }

    fn person_path(&self, person: Person, what: &str) -> String {
        format!("/team/people/{}/{what}", self.user(person).id)
    }

    /// Creates a token of Acme as this person.
    fn token_of(&self, maker: Person, name: &str) -> String {
        let (team, maker) = (self.team("Acme").id, self.user(maker));
        let label = Label::parse(name).expect("a name");
        let prefix = self.app.config().token_prefix.clone();
        let (_, plain) = self.operate(|tx, actor| {
            tokens::mint(tx, &actor.as_person(maker.id, &maker.email), team, &label, Scopes::ALL, &prefix)
        });
        plain.reveal().to_owned()
    }

    /// Returns the path of a new invitation's link.
    async fn invite(&self, actor: &Visitor, email: &str, role: &str) -> String {
        // The password is ignored unless required.
        let form = [("email", email), ("role", role), ("password", PASSWORD)];
        let response = actor.post("/team/invitations", &form).await.expect(200);
        let link = response.page().text("#invitation-link");
        link.strip_prefix(&self.base).expect("an address of this instance").to_owned()
    }
}

fn people_with(role: &str, page: &Response) -> Vec<String> {
    let page = page.page();
    let names = page.texts("section[aria-labelledby=people-title] tbody th .who");
    let roles = page.texts("section[aria-labelledby=people-title] tbody td.role");
    names.into_iter().zip(roles).filter(|(_, each)| each == role).map(|(name, _)| name).collect()
}

/// Returns the session cookie that a response sets: `gatepost=…`
fn cookie(response: &Response) -> String {
    let value = response.cookie("gatepost");
    assert!(!value.is_empty(), "no session cookie: {response:?}");
    format!("gatepost={value}")
}
