//! The real server in this process, with the test's clock, random source and store.

use super::client::{Api, Visitor};
use super::database::Database;
use super::dns;
use super::fixed::{TestClock, TestEntropy};
use super::people::{PASSWORD, Person};
use super::template::{Copy, Template};
use actix_web::dev::ServerHandle;
use actix_web::rt::System;
use gatepost::app::App;
use gatepost::config::Config;
use gatepost::web::Limits;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};
use tempfile::TempDir;

/// Dropped in this order: the server stops before its store is removed.
pub struct TestApp {
    /// `http://127.0.0.1:PORT`
    pub base: String,
    pub clock: Arc<TestClock>,
    _server: Server,
    /// The [`App`] behind the pages, for steps that the test does not check.
    pub app: App,
    pub database: Database,
    pub data: TempDir,
}

impl TestApp {
    /// On SQLite, with all [`people`](super::people).
    pub async fn sqlite() -> Self {
        Self::with_settings(&[]).await
    }

    /// Like [`Self::sqlite`], on Postgres.
    pub async fn postgres() -> Self {
        Self::postgres_with_settings(&[]).await
    }

    /// On SQLite, before the setup.
    pub async fn empty() -> Self {
        Self::start_empty(Database::sqlite)
    }

    /// On both engines, before the setup.
    pub fn both_empty() -> [Self; 2] {
        [Self::start_empty(Database::sqlite), Self::start_empty(|_| Database::postgres())]
    }

    /// On SQLite, with additional settings.
    pub async fn with_settings(settings: &[(&str, &str)]) -> Self {
        Self::limited(settings, Limits::default())
    }

    /// On Postgres, with additional settings.
    pub async fn postgres_with_settings(settings: &[(&str, &str)]) -> Self {
        Self::start(Template::postgres().copy(), settings, Limits::default())
    }

    /// On SQLite, with these settings and limits on connections.
    pub fn limited(settings: &[(&str, &str)], limits: Limits) -> Self {
        Self::start(Template::sqlite().copy(), settings, limits)
    }

    /// Returns a browser in which this person has signed in. Eve can't.
    pub async fn as_(&self, person: Person) -> Visitor {
        let visitor = self.visitor();
        if person != Person::Eve {
            visitor.sign_in(person.email(), PASSWORD).await.expect(303);
        }
        visitor
    }

    /// Returns a browser without a session.
    pub fn visitor(&self) -> Visitor {
        Visitor::new(&self.base)
    }

    /// Returns a client that sends this token.
    pub fn api(&self, token: &str) -> Api {
        self.api_with(&[("Authorization", &format!("Bearer {token}"))])
    }

    /// Returns a client that sends these headers.
    pub fn api_with(&self, headers: &[(&str, &str)]) -> Api {
        Api::new(&self.base, headers)
    }

    fn start_empty(database: impl FnOnce(&Path) -> Database) -> Self {
        let data = folder();
        let database = database(data.path());
        Self::start(Copy { data, database, entropy: TestEntropy::new() }, &[], Limits::default())
    }

    fn start(copy: Copy, settings: &[(&str, &str)], limits: Limits) -> Self {
        let Copy { data, database, entropy } = copy;
        let clock = Arc::new(TestClock::new());
        let config = config(data.path(), &database, settings);
        let app = App::open(config, clock.clone(), Arc::new(entropy)).expect("an open app");
        let (base, server) = Server::start(app.clone(), limits);
        Self { base, clock, _server: server, app, database, data }
    }
}

/// The settings of a test, and additional ones.
pub fn config(data: &Path, database: &Database, more: &[(&str, &str)]) -> Config {
    let folder = data.display().to_string();
    let settings = [
        ("GATEPOST_DATA", folder.as_str()),
        ("GATEPOST_DATABASE_URL", database.url()),
        // A plan for tests with unlimited calls. The others have their usual limits.
        ("GATEPOST_PLAN_LIMITS", "enterprise=100000000"),
        ("GATEPOST_DNS", dns::empty()),
    ];
    Config::from_vars(settings.into_iter().chain(more.iter().copied())).expect("valid settings")
}

pub fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

struct Server {
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// The server runs on another thread, so that a test can block.
    fn start(app: App, limits: Limits) -> (String, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let (sender, handle) = channel();
        let thread = thread::spawn(move || {
            System::new().block_on(async move {
                let server = gatepost::web::serve(app, listener, limits).expect("a server");
                sender.send(server.handle()).expect("a waiting test");
                server.await.expect("a server that stops cleanly");
            });
        });
        let handle = handle.recv().expect("a server that starts");
        (base, Self { handle, thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Sends the command without awaiting its future, which would wait for the end.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
