//! The jobs that people can see, retry and drop.

use gatepost::domain::actor::Actor;
use gatepost::domain::jobs::{Filter, JobId, review};
use gatepost::domain::lists::Window;
use gatepost::domain::people::teams::{Team, TeamId};
use gatepost::domain::{Error, Result};
use gatepost::store::Tx;

use super::runner::only;
use super::{KINDS, Note, enqueue};
use crate::support::{TestApp, both_engines};

fn owner(app: &TestApp, team: &Team, email: &str) -> Actor {
    app.app.operator().as_person(team.owner_id, email)
}

type Step = fn(&mut Tx<'_>, &Actor, Option<TeamId>, JobId) -> Result<()>;

const DECISIONS: [Step; 2] = [
    |tx, actor, team, id| review::retry(tx, actor, team, id, KINDS),
    |tx, actor, team, id| review::drop(tx, actor, team, id, KINDS),
];

both_engines! {
    async fn a_job_of_another_team_is_not_found(app: TestApp) {
        let [acme, globex] = ["Acme", "Globex"].map(|name| app.team(name));
        enqueue(&app, &Note { team: Some(acme.id), ..Note::new("of Acme") });
        let id = only(&app).id;
        let (ada, dan) = (owner(&app, &acme, "ada@acme.test"), owner(&app, &globex, "dan@globex.test"));
        let listed = |team| {
            let filter = Filter { team: Some(team), ..Filter::default() };
            app.operate(|tx, _| review::list(tx, &filter, Window::first(9))).rows.len()
        };
        assert_eq!((listed(acme.id), listed(globex.id)), (1, 0));
        for decide in DECISIONS {
            for (actor, team) in [(&dan, Some(globex.id)), (&dan, Some(acme.id)), (&dan, None), (&ada, None)] {
                let refused = app.app.write_now(|tx| decide(tx, actor, team, id));
                assert!(matches!(refused, Err(Error::NotFound)), "{refused:?}");
            }
        }
        assert_eq!(listed(acme.id), 1);
        for decide in DECISIONS {
            app.app.write_now(|tx| decide(tx, &ada, Some(acme.id), id)).expect("the owner's decision");
        }
        assert_eq!(app.count("jobs"), 0);
    }

    async fn only_the_operator_can_manage_jobs_without_a_team(app: TestApp) {
        let acme = app.team("Acme");
        enqueue(&app, &Note::new("of all"));
        let (id, ada) = (only(&app).id, owner(&app, &acme, "ada@acme.test"));
        for decide in DECISIONS {
            for team in [Some(acme.id), None] {
                let refused = app.app.write_now(|tx| decide(tx, &ada, team, id));
                assert!(matches!(refused, Err(Error::NotFound)), "{refused:?}");
            }
        }
        for decide in DECISIONS {
            app.operate(|tx, operator| decide(tx, operator, None, id));
        }
        assert_eq!(app.count("jobs"), 0);
    }
}
