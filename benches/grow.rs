//! Measures the duration of pages and of a call as the tables grow:
//!
//! ```sh
//! cargo bench --bench grow                       # SQLite, in a temporary folder
//! GROW_STORE=postgres://… cargo bench --bench grow    # an empty database
//! GROW_ROWS=10000,1000000 GROW_TOKENS=100000 cargo bench --bench grow
//! ```

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::{PgConnection, SqliteConnection, sql_query};
use gatepost::app::jobs::Running;
use gatepost::app::{App, hourly_counts};
use gatepost::config::Config;
use gatepost::domain::access::plans::Plan;
use gatepost::domain::access::scopes::Scopes;
use gatepost::domain::access::tokens::{self, Label};
use gatepost::domain::access::{api_switch, usage};
use gatepost::domain::clock::{Clock, SystemClock};
use gatepost::domain::entropy::SystemEntropy;
use gatepost::domain::people::passwords::{self, Password};
use gatepost::domain::people::teams::{self, NewTeam, TeamName};
use gatepost::domain::people::users::{NewPerson, PersonName};
use gatepost::domain::text::EmailAddress;
use reqwest::redirect::Policy;

const PASSWORD: &str = "correct horse battery";
const EMAIL: &str = "ada@acme.test";

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = format!("sqlite:{}", folder.path().join("gatepost.db").display());
    let url = std::env::var("GROW_STORE").unwrap_or(sqlite);
    let app = open(&folder.path().display().to_string(), &url);
    let (token, id) = set_up(&app);
    let base = serve(app.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let store = Store(url);
    store.grow_tokens(numbers("GROW_TOKENS", "100000")[0]);
    let (mut rows, running) = (0, Running::unstoppable());
    println!("{:>10}  {:<34} {:>9} {:>9}", "rows", "what", "first ms", "median ms");
    for size in numbers("GROW_ROWS", "10000,1000000") {
        store.grow_activity(rows, size);
        rows = size;
        let began = Instant::now();
        let counting = hourly_counts::count(&app, usage::settled(app.now()), &running);
        runtime.block_on(counting).expect("counted hours");
        println!("{rows:>10}  {:<34} {:>9.2}", "counting a day's hours, once", ms(began.elapsed()));
        runtime.block_on(measure(&base, &token, &id, rows));
    }
}

fn numbers(name: &str, default: &str) -> Vec<u64> {
    let text = std::env::var(name).unwrap_or(default.into());
    text.split(',').map(|number| number.trim().parse().expect("a number")).collect()
}

fn open(folder: &str, url: &str) -> App {
    let config = Config::from_vars([
        ("GATEPOST_DATA", folder),
        ("GATEPOST_DATABASE_URL", url),
        ("GATEPOST_PLAN_LIMITS", "enterprise=100000000"),
    ]);
    App::open(config.expect("valid settings"), Arc::new(SystemClock), Arc::new(SystemEntropy))
        .expect("an app")
}

/// A team with a token, and that token's id.
fn set_up(app: &App) -> (String, String) {
    let actor = app.operator();
    let owner = NewPerson {
        email: EmailAddress::parse(EMAIL).expect("an address"),
        name: PersonName::parse("Ada").expect("a name"),
        password_hash: passwords::hash(
            &Password::parse("password", PASSWORD).expect("a password"),
            &*app.entropy(),
        ),
    };
    let name = TeamName::parse("Acme").expect("a name");
    let team = NewTeam { name, plan: Plan::Enterprise, owner };
    let made = app.write_now(|tx| {
        let (team, _) = teams::create(tx, &actor, &team)?;
        api_switch::turn(tx, &actor, team.id, true)?;
        let label = Label::parse("ci").expect("a name");
        tokens::mint(tx, &actor, team.id, &label, Scopes::READ, &app.config().token_prefix)
    });
    let (token, plain) = made.expect("a team and a token");
    (plain.reveal().to_owned(), token.id.to_string())
}

fn serve(app: App) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let (started, wait) = channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server =
                gatepost::web::serve(app, listener, gatepost::web::Limits::default()).expect("a server");
            started.send(()).expect("a waiting thread");
            server.await
        })
    });
    wait.recv().expect("a server that starts");
    base
}

async fn measure(base: &str, token: &str, id: &str, rows: u64) {
    // Doesn't follow redirects: signing in leads to the Developer page, whose first view is measured.
    let browser = reqwest::Client::builder().cookie_store(true).redirect(Policy::none()).no_proxy();
    let browser = browser.build().expect("a client");
    let sign_in = browser.post(format!("{base}/sign-in")).header("Sec-Fetch-Site", "same-origin");
    let entered = sign_in.form(&[("email", EMAIL), ("password", PASSWORD)]).send().await.expect("a response");
    assert!(entered.status().is_redirection(), "{entered:?}");
    let token_page = format!("/developer/tokens/{id}");
    let of_token = format!("/activity?token={id}");
    for path in [
        "/developer",
        "/developer/api",
        token_page.as_str(),
        "/activity",
        "/activity?kind=changes",
        "/activity?status=4xx",
        "/activity?status=429",
        of_token.as_str(),
        "/api/v1/me",
    ] {
        let mut times = Vec::new();
        for _ in 0..6 {
            let request = browser.get(format!("{base}{path}"));
            let request = match path.starts_with("/api/") {
                true => request.bearer_auth(token),
                false => request,
            };
            let began = Instant::now();
            let answer = request.send().await.expect("a response");
            assert!(answer.status().is_success(), "{path}: {answer:?}");
            answer.bytes().await.expect("a body");
            times.push(began.elapsed());
        }
        let first = times.remove(0);
        times.sort();
        let path = path.replace(id, "…");
        println!("{rows:>10}  {path:<34} {:>9.2} {:>9.2}", ms(first), ms(times[2]));
    }
    println!("{rows:>10}  {:<34} {:>9}", "memory of the process, MB", memory());
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1024
}

/// A direct connection to the database, for statements that Gatepost never runs.
struct Store(String);

impl Store {
    fn run(&self, sql: &str) {
        let done = match self.0.strip_prefix("sqlite:") {
            Some(path) => {
                let mut connection = SqliteConnection::establish(path).expect("a file");
                // The server also writes to the database.
                sql_query("PRAGMA busy_timeout = 60000").execute(&mut connection).expect("a setting");
                sql_query(sql).execute(&mut connection)
            }
            None => sql_query(sql).execute(&mut PgConnection::establish(&self.0).expect("a Postgres")),
        };
        done.expect("a done statement");
    }

    fn is_sqlite(&self) -> bool {
        self.0.starts_with("sqlite:")
    }

    /// 32 hexadecimal digits as 16 bytes.
    fn bytes(&self, digits: &str) -> String {
        if self.is_sqlite() { format!("unhex({digits})") } else { format!("decode({digits}, 'hex')") }
    }

    /// A number with a fixed count of hexadecimal digits.
    fn hex(&self, number: &str, digits: usize) -> String {
        match self.is_sqlite() {
            true => format!("printf('%0{digits}x', {number})"),
            false => format!("lpad(to_hex(CAST({number} AS BIGINT)), {digits}, '0')"),
        }
    }

    fn grow_tokens(&self, tokens: u64) {
        let id = self.bytes(&format!("'0000000000007000' || {}", self.hex("i", 16)));
        self.run(&format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {tokens})
             INSERT INTO tokens (id, team_id, kind, public_id, hash, start, name, name_key, created_by_label,
                 created_at)
             SELECT {id}, (SELECT id FROM teams), 'token', 'p' || i, {id}, 'gp_xxxxxxxx', 'token ' || i,
                 'token ' || i, 'somebody', i FROM n"
        ));
        self.run("ANALYZE");
    }

    /// Half of the rows belong to the measured team: 10,000 per hour, the limit of the largest plan. The others belong
    /// to another team.
    fn grow_activity(&self, from: u64, to: u64) {
        let now = usage::hour_of(SystemClock.now()).micros() / 1000 + 1_800_000;
        let at = format!("({now} - CAST(i / 2 AS BIGINT) * 360)");
        let id = self.bytes(&format!("{} || '70008' || {}", self.hex(&at, 12), self.hex("i", 15)));
        let other = self.bytes("'ffffffffffff7fffffffffffffffffff'");
        let token = "(SELECT id FROM tokens WHERE name = 'ci')";
        self.run(&format!(
            "WITH RECURSIVE n (i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {to})
             INSERT INTO activity (team_id, id, at, kind, actor_kind, token_id, method, route, status,
                 duration_us, ip, request_id)
             SELECT CASE WHEN i % 2 = 0 THEN (SELECT id FROM teams) ELSE {other} END, {id}, {at} * 1000,
                 CASE WHEN i % 1000 = 0 THEN 'token.created' WHEN i % 100 = 2 THEN 'api.refused'
                      ELSE 'api.request' END,
                 'token', CASE WHEN i % 4 = 0 THEN {token} ELSE {other} END, 'GET', '/api/v1/me',
                 CASE WHEN i % 100 = 2 THEN 403 ELSE 200 END, 300, '127.0.0.1', {id} FROM n"
        ));
        // Delete the cached counts of past hours: only this benchmark adds calls to them.
        self.run("DELETE FROM call_hours");
        self.run("ANALYZE");
    }
}
