//! Settings of the API: access, the team key, the token pattern and the limit.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::api_switch::ApiSwitch;
use super::developer::Tabs;
use super::team_key::KeySection;
use crate::app::App;
use crate::domain::Result;
use crate::domain::access::usage::Grouped;
use crate::domain::access::{team_key, tokens};
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Admin;
use crate::web::pages::html;
use crate::web::pages::layout::Layout;
use crate::web::paths;
use crate::web::site::Site;

#[derive(Template)]
#[template(path = "developer/settings.html")]
struct SettingsPage {
    layout: Layout,
    tabs: Tabs,
    switch: ApiSwitch,
    key: KeySection,
    url: String,
    pattern: String,
    gitleaks: String,
    /// Requests per hour; 0 if the plan doesn't include the API.
    limit: i64,
}

impl SettingsPage {
    fn limit(&self) -> Grouped {
        Grouped(self.limit)
    }
}

pub async fn show(
    app: web::Data<App>,
    site: web::Data<Site>,
    admin: Admin,
) -> std::result::Result<HttpResponse, PageError> {
    let (team, now) = (admin.team.id, admin.request.now);
    let read = app.read_activity(move |tx| -> Result<_> {
        Ok((tokens::tallies(tx, team)?.active, team_key::overview(tx, team, now)?))
    });
    let (active, key) = read.await?;
    let page = SettingsPage {
        layout: Layout::new(&admin, "developer"),
        tabs: Tabs::of(&app, &admin, "settings", active).await,
        switch: ApiSwitch::of(&admin),
        key: KeySection::of(&admin, key),
        url: site.url.as_str().to_owned(),
        pattern: app.sealer().prefix.pattern(),
        gitleaks: app.sealer().prefix.gitleaks_rule(),
        limit: app.gate().allowance(&admin.team, now).await?.limit.into(),
    };
    html(StatusCode::OK, &page)
}
