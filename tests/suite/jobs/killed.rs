//! kill -9 during a thousand jobs, which check domains with the test's own DNS server: each job is completed at least
//! once, none is lost, and none is claimed for longer than its lease.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gatepost::app::App;
use gatepost::config::Config;
use gatepost::domain::clock::SystemClock;
use gatepost::domain::entropy::SystemEntropy;
use gatepost::domain::jobs::{self, lease::LEASE};
use gatepost::domain::mailroom::address::DomainName;
use gatepost::domain::mailroom::domain_checks::CheckDomain;
use gatepost::domain::mailroom::mail_domains;
use gatepost::domain::people::teams;

use crate::support::database::Database;
use crate::support::dns::Dns;
use crate::support::process::{Gatepost, Serving};

const JOBS: usize = 1000;
const TIMEOUT: Duration = Duration::from_secs(120);
const KEY: &str = "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e";

/// Instances with one store.
struct Cluster {
    dns: Dns,
    database: Database,
    installations: Vec<Gatepost>,
}

impl Cluster {
    fn new(instances: usize, database: impl FnOnce(&Gatepost) -> Database) -> Self {
        let dns = Dns::start();
        let first = Gatepost::new();
        let database = database(&first);
        let more = (1..instances).map(|_| Gatepost::new());
        let installations = std::iter::once(first).chain(more).map(|each| {
            let each = each.with("GATEPOST_DATABASE_URL", database.url()).with("GATEPOST_SECRET_KEY", KEY);
            each.with("GATEPOST_DNS", &dns.address)
        });
        let installations: Vec<_> = installations.collect();
        let cluster = Self { dns, database, installations };
        cluster.installations[0]
            .ok(&["setup", "--team", "Acme", "--owner", "ada@acme.test"], super::commands::PASSWORD);
        cluster.enqueue();
        cluster
    }

    /// Enqueues checks of a thousand domains, in one transaction.
    fn enqueue(&self) {
        let folder = self.installations[0].data.path().display().to_string();
        let settings = [
            ("GATEPOST_DATA", folder.as_str()),
            ("GATEPOST_DATABASE_URL", self.database.url()),
            ("GATEPOST_SECRET_KEY", KEY),
        ];
        let config = Config::from_vars(settings).expect("valid settings");
        let app = App::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).expect("an open app");
        let actor = app.operator();
        let enqueued = app.write_now(|tx| {
            let team = teams::find_by_name(tx, "Acme")?.id;
            for number in 0..JOBS {
                let name = DomainName::parse(&name(number))?;
                let domain = mail_domains::add(tx, &actor, team, "gatepost.localhost", &name)?;
                jobs::enqueue(tx, &actor, &CheckDomain { team, domain: domain.id })?;
            }
            Ok(())
        });
        enqueued.expect("a thousand jobs");
        app.close();
        assert_eq!(self.count("jobs WHERE kind = 'domains.check'"), JOBS as i64);
    }

    fn serve(&self, instance: usize) -> Serving {
        self.installations[instance].serve()
    }

    /// Returns when about this many jobs have begun.
    fn wait_for(&self, begun: usize) {
        self.dns.wait_for_question(&format!("_gatepost.{}", name(begun)));
    }

    fn count(&self, rows: &str) -> i64 {
        self.database.number(&format!("SELECT count(*) AS n FROM {rows}"))
    }

    fn micros(&self) -> i64 {
        self.database.number(match self.database {
            Database::Sqlite { .. } => "SELECT CAST(unixepoch('subsec') * 1000000 AS BIGINT) AS n",
            Database::Postgres { .. } => {
                "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) AS n"
            }
        })
    }

    /// Checks that no lease ends later than one from now.
    fn assert_leases_are_short(&self) {
        let (now, lease) = (self.micros(), LEASE.whole_microseconds() as i64);
        // Leases taken meanwhile end later.
        let slack = 5_000_000;
        assert_eq!(self.count(&format!("jobs WHERE leased_until > {}", now + lease + slack)), 0);
    }

    /// Waits while servers run, then checks that everything is done.
    async fn finish(&self) {
        let (start, mut looks) = (Instant::now(), tokio::time::interval(Duration::from_millis(100)));
        while self.count("jobs WHERE kind = 'domains.check'") > 0 {
            self.assert_leases_are_short();
            assert!(start.elapsed() < TIMEOUT, "{} jobs are left", self.count("jobs"));
            looks.tick().await;
        }
        assert_eq!(self.count("domains"), JOBS as i64);
        assert_eq!(self.count("domains WHERE checked_at IS NULL"), 0, "a job was lost");
        assert_eq!(self.count("jobs WHERE died_at IS NOT NULL"), 0);
    }
}

fn name(number: usize) -> String {
    format!("d{number:04}.acme.test")
}

#[tokio::test(flavor = "multi_thread")]
async fn three_instances_on_postgres_lose_no_job() {
    let cluster = Cluster::new(3, |_| Database::postgres());
    let [first, second, third] = [0, 1, 2].map(|instance| cluster.serve(instance));
    cluster.wait_for(200);
    first.kill();
    cluster.wait_for(400);
    second.kill();
    let first = cluster.serve(0);
    cluster.wait_for(600);
    // All are killed at once, so only expired leases return their jobs.
    first.kill();
    third.kill();
    assert!(cluster.count("jobs WHERE leased_until IS NOT NULL") > 0, "no job was running");
    cluster.assert_leases_are_short();
    let _serving = [0, 1, 2].map(|instance| cluster.serve(instance));
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_sqlite_loses_no_job() {
    let cluster = Cluster::new(1, |gatepost| Database::sqlite(gatepost.data.path()));
    for begun in [300, 600] {
        let serving = cluster.serve(0);
        cluster.wait_for(begun);
        serving.kill();
        assert!(cluster.count("jobs WHERE leased_until IS NOT NULL") > 0, "no job was running");
        cluster.assert_leases_are_short();
    }
    let _serving = cluster.serve(0);
    cluster.finish().await;
}
