//! The queries of pages use an index, on both engines, even for long tables. The tests capture the
//! statements while the program runs.

use diesel::prelude::*;
use diesel::{PgConnection, SqliteConnection, sql_query};
use gatepost::domain::access::activity::{self, ActivityId, ActivityKind, Filter, TokenId};
use gatepost::domain::access::{tokens, usage};
use gatepost::domain::lists::{Order, Window};
use gatepost::domain::mailroom::messages::{self, Folder};
use gatepost::domain::mailroom::{aliases, contacts};
use gatepost::domain::people::roles::Role;
use gatepost::domain::people::sessions;
use gatepost::domain::people::teams::TeamId;
use gatepost::domain::people::users::UserId;
use gatepost::domain::{Result, Timestamp};
use gatepost::store::jobs;
use gatepost::store::mailroom::{aliases as alias_rows, mail_usage};
use gatepost::store::{Location, Store, Tx};

use crate::support::database::Database;
use crate::support::fixed::START;
use crate::support::statements;
use crate::support::{TestApp, both_engines};

/// Returns the first captured statement about activity or tokens, with its parameters.
fn overhear<T>(store: &Store, ask: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> String {
    overhear_about(&["activity", "tokens"], || store.read(ask))
}

fn overhear_about<T>(tables: &[&str], ask: impl FnOnce() -> Result<T>) -> String {
    statements::of_this_thread();
    ask().map(drop).expect("a response");
    let heard = statements::of_this_thread();
    let about: Vec<_> = heard.iter().filter(|sql| tables.iter().any(|it| sql.contains(it))).collect();
    let ([sql] | [sql, _]) = about.as_slice() else { panic!("{heard:#?}") };
    sql.split(" -- binds").next().expect("a statement").to_owned()
}

/// Returns the number as sixteen bytes, in SQL.
fn bytes(app: &TestApp, number: &str) -> String {
    match app.database.url().starts_with("sqlite") {
        true => format!("CAST(printf('%016d', {number}) AS BLOB)"),
        false => format!("convert_to(lpad(CAST({number} AS TEXT), 16, '0'), 'UTF8')"),
    }
}

/// Adds many calls of Acme, by one token and one person, few of them refused, and a few changes.
fn fill(app: &TestApp) {
    let bytes = |number: &str| bytes(app, number);
    let sql = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
         INSERT INTO activity (team_id, id, at, kind, actor_kind, person_id, token_id, status)
         SELECT (SELECT id FROM teams WHERE name = 'Acme'), {}, {},
             CASE WHEN i % 500 = 0 THEN 'token.created' WHEN i % 100 = 0 THEN 'api.refused'
                  ELSE 'api.request' END,
             'token', {}, {}, CASE WHEN i % 100 = 0 THEN 403 ELSE 200 END FROM n",
        bytes("i"),
        START.micros(),
        bytes("i % 50"),
        bytes("i % 50"),
    );
    app.database.execute(&sql).expect("many records");
    let sql = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
         INSERT INTO tokens (id, team_id, kind, public_id, hash, start, name, name_key, created_by_label,
             created_at, revoked_at, revoked_by_label)
         SELECT {0}, (SELECT id FROM teams WHERE name = CASE WHEN i % 3 = 0 THEN 'Acme' ELSE 'Globex' END),
             'token', 'p' || i, {0}, 's', 'n' || i,
             'n' || i, 'x', i, CASE WHEN i % 2 = 0 THEN i END, CASE WHEN i % 2 = 0 THEN 'x' END FROM n",
        bytes("i"),
    );
    app.database.execute(&sql).expect("many tokens");
    app.database.execute("ANALYZE").expect("statistics");
}

/// Adds much mail of Acme, little of it refused, and many aliases, few of them with a `+`.
fn fill_mail(app: &TestApp) {
    let bytes = |number: &str| bytes(app, number);
    let (numbers, id) =
        ("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)", bytes("i"));
    let name = "'n' || i || CASE WHEN i % 500 = 0 THEN '+x' ELSE '' END";
    let aliases = format!(
        "{numbers} INSERT INTO aliases (id, team_id, domain_name, local, local_key, enabled, created_at,
             created_by_label, received, denied)
         SELECT {id}, (SELECT id FROM teams WHERE name = 'Acme'), 'x', {name}, {name}, TRUE, i, 'x', 0, 0 FROM n"
    );
    let messages = format!(
        "{numbers} INSERT INTO messages (id, team_id, direction, state, reason, alias_id, dedupe, received_at,
             rcpt, subject, preview, size, attachments, spf, dkim, dmarc)
         SELECT {id}, (SELECT id FROM teams WHERE name = 'Acme'), 'in',
             CASE WHEN i % 500 = 0 THEN 'denied' ELSE 'delivered' END, '', {id}, {id}, i, '', '', '', 1, 0, '', '', ''
         FROM n"
    );
    for sql in [&aliases, &messages, "ANALYZE"] {
        app.database.execute(sql).expect(sql);
    }
}

/// Adds many jobs, few of them running, dead or of a team.
fn fill_jobs(app: &TestApp) {
    let id = bytes(app, "i");
    let jobs = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
         INSERT INTO jobs (id, kind, queue, team_id, dedupe_key, payload, created_at, due_at, attempts, rerun,
             worker, leased_until, died_at)
         SELECT {id}, 'domains.check', CASE WHEN i % 2 = 0 THEN 'lookups' ELSE 'maintenance' END,
             CASE i % 100 WHEN 0 THEN (SELECT id FROM teams WHERE name = 'Acme')
                 WHEN 1 THEN (SELECT id FROM teams WHERE name = 'Globex') END,
             'k' || i, 'null', i, i, 0, FALSE, CASE WHEN i % 50 = 2 THEN {id} END,
             CASE WHEN i % 50 = 2 THEN i END, CASE WHEN i % 50 = 3 THEN i END FROM n"
    );
    for sql in [&*jobs, "ANALYZE"] {
        app.database.execute(sql).expect(sql);
    }
}

fn list(store: &Store, team: TeamId, filter: Filter) -> String {
    let before = Some(ActivityId::floor(START.plus(time::Duration::DAY)));
    overhear(store, |tx| activity::list_named(tx, team, &filter, Window::below(before, 50)))
}

fn any(kinds: &[ActivityKind]) -> Filter {
    Filter { kinds: Some(kinds.to_vec()), ..Filter::default() }
}

both_engines! {
    async fn each_query_of_the_pages_uses_an_index(app: TestApp) {
        statements::listen();
        fill(&app);
        let store = Store::open(Location::parse(app.database.url()).expect("an address")).expect("a store");
        let team = app.team("Acme").id;
        let token = TokenId::from_bytes(*b"0000000000000007");
        let person = UserId::from_bytes(*b"0000000000000007");
        let changes: Vec<_> = ActivityKind::ALL.iter().copied().filter(|kind| !kind.is_call()).collect();
        let hour = Timestamp::from_micros(START.micros());
        for (what, index, sql) in [
            ("everything", "key", list(&store, team, Filter::default())),
            ("changes", "activity_changes", list(&store, team, any(&changes))),
            ("one kind", "activity_changes", list(&store, team, any(&[ActivityKind::TokenCreated]))),
            ("refused", "activity_refused", list(&store, team, Filter { status: Some(4), ..Filter::default() })),
            ("429", "activity_refused", list(&store, team, Filter { status: Some(429), ..Filter::default() })),
            ("a token", "activity_by_token", list(&store, team, Filter { token: Some(token), ..Filter::default() })),
            ("a person", "activity_by_person", list(&store, team, Filter { person: Some(person), ..Filter::default() })),
            ("calls", "key", list(&store, team, any(ActivityKind::CALLS))),
            ("a token's calls", "activity_by_token",
                overhear(&store, |tx| activity::calls_since(tx, team, Some(token), START))),
            ("the team's calls", "key", overhear(&store, |tx| activity::calls_since(tx, team, None, START))),
            ("active tokens", "tokens_active", overhear(&store, |tx| tokens::list(tx, team, &tokens::Filter::ACTIVE, Window::first(50)))),
            ("revoked tokens", "tokens_revoked", overhear(&store, |tx| tokens::list(tx, team, &tokens::Filter::REVOKED, Window::first(50)))),
            ("how many tokens", "tokens_active", overhear(&store, |tx| tokens::count(tx, team, &tokens::Filter::ACTIVE))),
            ("an hour", "key", overhear(&store, |tx| usage::of_hour(tx, team, hour))),
            ("a week", "key", overhear(&store, |tx| usage::of_team(tx, team, usage::Period::Week, START))),
            ("teams", "key", overhear(&store, |tx| usage::next_team(tx, Some(team)))),
        ] {
            let plan = plan(&app.database, &sql);
            assert!(!scans(&plan), "{what}: {sql}\n{plan}");
            let key = if app.database.url().starts_with("sqlite") { "PRIMARY KEY" } else { "activity_pkey" };
            // Two teams share the tokens, so Postgres may scan the whole primary key.
            let is_shared = index.starts_with("tokens_") && key != "PRIMARY KEY";
            let index = match index {
                "key" => key,
                "activity_refused" if key == "PRIMARY KEY" => "COVERING INDEX activity_refused",
                _ if is_shared => "Index",
                index => index,
            };
            assert!(plan.contains(index), "{what} should use {index}: {sql}\n{plan}");
        }
    }
}

both_engines! {
    async fn each_mail_query_uses_an_index(app: TestApp) {
        statements::listen();
        fill_mail(&app);
        let store = Store::open(Location::parse(app.database.url()).expect("an address")).expect("a store");
        let team = app.team("Acme").id;
        let ask = |ask: &dyn Fn(&mut Tx<'_>) -> Result<()>| {
            overhear_about(&["aliases", "messages"], || store.write(|tx| ask(tx)))
        };
        let in_folder = |folder| messages::Filter { folder: Some(folder), ..messages::Filter::default() };
        let unread = messages::Filter { unread: true, ..messages::Filter::default() };
        for (what, index, sql) in [
            ("the archive", "messages_by_folder",
                ask(&|tx| messages::list(tx, team, &in_folder(Folder::Archive), Window::first(50)).map(drop))),
            ("the unread", "messages_unread", ask(&|tx| messages::list(tx, team, &unread, Window::first(50)).map(drop))),
            ("the tabs' counts", "messages_by_folder", ask(&|tx| messages::tallies(tx, team).map(drop))),
            ("the oldest refused", "messages_by_state",
                ask(&|tx| Ok(mail_usage::oldest_refused(tx, team, 64).map(drop)?))),
            ("names before a +", "aliases_tagged",
                ask(&|tx| Ok(alias_rows::is_tagged_by_another(tx, team, "n500").map(drop)?))),
            ("names of others", "aliases_tagged", ask(&|tx| aliases::shadowed_aliases(tx, 100).map(drop))),
        ] {
            let plan = plan(&app.database, &sql);
            assert!(plan.contains(index), "{what} should use {index}: {sql}\n{plan}");
        }
    }
}

/// Adds many contacts, some without messages.
fn fill_contacts(app: &TestApp) {
    let contacts = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
         INSERT INTO contacts (id, team_id, address, address_key, search_text, state, received, last_seen_at, created_at)
         SELECT {}, (SELECT id FROM teams WHERE name = 'Acme'), 'c' || i, 'c' || i, 'c' || i, 'unset', i % 7,
             CASE WHEN i % 9 <> 0 THEN i / 3 END, i FROM n",
        bytes(app, "i")
    );
    for sql in [&*contacts, "ANALYZE"] {
        app.database.execute(sql).expect(sql);
    }
}

both_engines! {
    /// The list refreshes itself every few seconds.
    async fn the_list_of_contacts_walks_an_index_and_sorts_nothing(app: TestApp) {
        statements::listen();
        fill_contacts(&app);
        let store = Store::open(Location::parse(app.database.url()).expect("an address")).expect("a store");
        let (team, order) = (app.team("Acme").id, Order::of(contacts::Column::LastMessage));
        let filter = contacts::Filter::default();
        let first = store.read(|tx| contacts::sorted(tx, team, &filter, order, Window::first(50))).expect("a page");
        for place in [None, first.next] {
            let window = Window::below(place, 50);
            let sql = overhear_about(&["contacts"], || {
                store.read(|tx| contacts::sorted(tx, team, &filter, order, window.clone()))
            });
            let plan = plan(&app.database, &sql);
            assert!(plan.contains("contacts_by_last_message"), "{sql}\n{plan}");
            assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
        }
    }
}

both_engines! {
    async fn each_query_of_jobs_uses_an_index(app: TestApp) {
        statements::listen();
        fill_jobs(&app);
        let store = Store::open(Location::parse(app.database.url()).expect("an address")).expect("a store");
        let filter = jobs::Filter { team: Some(app.team("Acme").id), ..jobs::Filter::default() };
        let ask = |ask: &dyn Fn(&mut Tx<'_>) -> Result<()>| {
            overhear_about(&["jobs"], || store.write(|tx| ask(tx)))
        };
        for (what, index, sql) in [
            ("a claim", "jobs_due",
                ask(&|tx| Ok(jobs::lock_due(tx, "lookups", &["domains.check", "x"], START, 4).map(drop)?))),
            ("expired leases", "jobs_leased", ask(&|tx| Ok(jobs::lock_expired(tx, 100).map(drop)?))),
            ("a team's", "jobs_by_team",
                ask(&|tx| Ok(jobs::list(tx, &filter, Window::first(50)).map(drop)?))),
            ("how many", "jobs_by_team", ask(&|tx| Ok(jobs::count(tx, &filter, 1000).map(drop)?))),
        ] {
            let plan = plan(&app.database, &sql);
            assert!(plan.contains(index), "{what} should use {index}: {sql}\n{plan}");
        }
    }
}

both_engines! {
    /// Every page starts with this.
    async fn a_session_its_person_and_their_teams_take_one_statement(app: TestApp) {
        statements::listen();
        let (ada, key) = (app.team("Acme").owner_id, "a key");
        app.operate(|tx, actor| sessions::open(tx, actor, ada, None, key));
        let store = Store::open(Location::parse(app.database.url()).expect("an address")).expect("a store");
        statements::of_this_thread();
        let found = store.read(|tx| sessions::resume(tx, key, START)).expect("a response").expect("a session");
        let heard = statements::of_this_thread();
        let asked: Vec<_> = heard.iter().filter(|sql| sql.contains("SELECT")).collect();
        let [sql] = asked.as_slice() else { panic!("{heard:#?}") };
        let plan = plan(&app.database, sql.split(" -- binds").next().expect("a statement"));
        assert!(!plan.contains("SCAN messages") && !plan.contains("Seq Scan on messages"), "{plan}");
        let current = found.current.expect("a team");
        assert_eq!((&*current.team.name, current.role), ("Acme", Role::Owner));
        assert!(store.read(|tx| sessions::resume(tx, "another", START)).expect("a result").is_none());
    }
}

/// Whether the plan scans the whole activity table.
fn scans(plan: &str) -> bool {
    plan.lines().any(|line| {
        ["activity", "tokens"].iter().any(|table| {
            line.contains(&format!("SCAN {table}")) || line.contains(&format!("Seq Scan on {table}"))
        })
    })
}

/// Returns the query plan, independent of the parameters.
fn plan(database: &Database, sql: &str) -> String {
    match database {
        Database::Sqlite { url } => {
            let mut connection =
                SqliteConnection::establish(url.trim_start_matches("sqlite:")).expect("a file");
            #[derive(QueryableByName)]
            struct Step {
                #[diesel(sql_type = diesel::sql_types::Text)]
                detail: String,
            }
            let steps: Vec<Step> =
                sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load(&mut connection).expect("a plan");
            steps.into_iter().map(|step| step.detail + "\n").collect()
        }
        Database::Postgres { url, .. } => {
            let mut connection = PgConnection::establish(url).expect("a Postgres that responds");
            let mut run =
                |sql: &str| sql_query(sql.to_owned()).execute(&mut connection).expect("a done statement");
            run("SET plan_cache_mode = force_generic_plan");
            run(&format!("PREPARE asked AS {sql}"));
            let parameters = (1..).take_while(|number| sql.contains(&format!("${number}"))).count();
            let nulls = vec!["NULL"; parameters].join(", ");
            #[derive(QueryableByName)]
            struct Step {
                #[diesel(sql_type = diesel::sql_types::Text, column_name = "QUERY PLAN")]
                detail: String,
            }
            let steps: Vec<Step> =
                sql_query(format!("EXPLAIN EXECUTE asked ({nulls})")).load(&mut connection).expect("a plan");
            steps.into_iter().map(|step| step.detail + "\n").collect()
        }
    }
}
