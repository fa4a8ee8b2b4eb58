//! Helpers shared by the tests.
//!
//! ```text
//! both_engines! {
//!     async fn a_revoked_token_is_refused(app: TestApp) {
//!         let ada = app.as_(Ada).await;
//!         ada.get("/developer").await.expect(200);
//!         app.clock.advance(Duration::from_secs(60));
//!     }
//! }
//! ```

mod app;
pub mod client;
pub mod contract;
pub mod database;
pub mod dns;
pub mod fixed;
pub mod html;
pub mod load;
pub mod mail;
pub mod mail_server;
pub mod people;
pub mod process;
pub mod proxy;
pub mod raw;
pub mod redis;
pub mod statements;
mod steps;
mod template;

pub use app::TestApp;

/// Turns each function into two tests, `NAME::sqlite` and `NAME::postgres`. The file must import
/// `TestApp`.
macro_rules! both_engines {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident: TestApp) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn promise($app: TestApp) $body

            #[tokio::test]
            async fn sqlite() {
                promise(TestApp::sqlite().await).await;
            }

            #[tokio::test]
            async fn postgres() {
                promise(TestApp::postgres().await).await;
            }
        }
    )+};
}
pub(crate) use both_engines;
