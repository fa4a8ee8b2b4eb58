//! Steps that prepare a test directly, not through pages.

use std::thread;

use super::TestApp;
use actix_web::rt::System;
use gatepost::domain::access::plans::Plan;
use gatepost::domain::access::scopes::Scopes;
use gatepost::domain::access::tokens::{self, Label};
use gatepost::domain::access::{api_switch, plans};
use gatepost::domain::actor::Actor;
use gatepost::domain::people::teams::{self, Team};
use gatepost::store::Tx;

impl TestApp {
    pub fn team(&self, name: &str) -> Team {
        self.app.read_now(|tx| teams::find_by_name(tx, name)).expect("a team")
    }

    pub fn switch_api(&self, team: &str, on: bool) {
        let team = self.team(team).id;
        self.operate(|tx, actor| api_switch::turn(tx, actor, team, on));
    }

    pub fn set_plan(&self, team: &str, plan: Plan) {
        let team = self.team(team).id;
        self.operate(|tx, actor| plans::set(tx, actor, team, plan));
    }

    /// Returns the full text of a token of this team with all scopes.
    pub fn token(&self, team: &str, name: &str) -> String {
        self.token_with(team, name, Scopes::ALL)
    }

    pub fn token_with(&self, team: &str, name: &str, scopes: Scopes) -> String {
        let team = self.team(team).id;
        let label = Label::parse(name).expect("a name");
        let prefix = self.app.config().token_prefix.clone();
        let (_, plain) = self.operate(|tx, actor| tokens::mint(tx, actor, team, &label, scopes, &prefix));
        plain.reveal().to_owned()
    }

    /// Lets the gate notice a change made without its knowledge: a server checks every few milliseconds,
    /// and after each of its own writes.
    pub fn catch_up(&self) {
        self.operate(|_, _| Ok(()));
    }

    /// Waits until the log has every answered request.
    pub async fn flush(&self) {
        self.app.gate().flush().await;
    }

    /// Like [`Self::flush`], for a step that is not async.
    pub fn flush_now(&self) {
        let gate = self.app.gate();
        let flush = || System::new().block_on(gate.flush());
        thread::scope(|scope| scope.spawn(flush).join().expect("a flushed log"));
    }

    /// Runs a step of the domain that must succeed.
    pub fn operate<T>(&self, step: impl FnOnce(&mut Tx<'_>, &Actor) -> gatepost::domain::Result<T>) -> T {
        let actor = self.app.operator();
        match self.app.write_now(|tx| step(tx, &actor)) {
            Ok(value) => value,
            Err(cause) => panic!("{cause:?}"),
        }
    }
}
