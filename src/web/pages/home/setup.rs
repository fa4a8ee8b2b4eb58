//! The setup steps of a new team, which are checked off automatically.

use crate::domain::home::Facts;
use crate::domain::people::roles::Role;
use crate::web::pages::charts::Meter;
use crate::web::paths;
use crate::web::site::Site;
use crate::web::viewer::Viewer;

pub struct Setup {
    pub steps: Vec<Step>,
    pub done: usize,
    pub meter: Meter,
    /// The command for the first request.
    pub curl: String,
    /// The domain of addresses until the team adds its own.
    pub shared: String,
    pub is_admin: bool,
}

/// A step that is done, current, or upcoming.
pub struct Step {
    pub number: usize,
    pub title: &'static str,
    pub text: &'static str,
    pub is_done: bool,
    pub is_now: bool,
    /// Whether the step shows the command for the first request.
    pub is_request: bool,
    pub address: String,
    pub action: &'static str,
}

impl Setup {
    /// Returns `None` when all steps are done. Members have only the mail steps.
    pub fn of(viewer: &Viewer, site: &Site, facts: &Facts, has_api: bool) -> Option<Self> {
        let mut steps = Vec::new();
        if has_api {
            steps.extend(access_steps(viewer, facts));
        }
        steps.extend(mail_steps(facts));
        let done = steps.iter().filter(|step| step.is_done).count();
        if done == steps.len() {
            return None;
        }
        let next = steps.iter().position(|step| !step.is_done);
        for (index, step) in steps.iter_mut().enumerate() {
            step.number = index + 1;
            step.is_now = next == Some(index);
        }
        Some(Self {
            meter: Meter {
                label: format!("{done} of {} steps done", steps.len()),
                ..Meter::of_ranking(done as i64, steps.len() as i64, "")
            },
            done,
            steps,
            curl: format!(
                "curl {}/api/v1/me \\\n  -H \"Authorization: Bearer $GATEPOST_TOKEN\"",
                site.url.as_str()
            ),
            shared: viewer.app().mail_settings().domain.clone(),
            is_admin: viewer.role >= Role::Admin,
        })
    }

    pub fn title(&self, viewer: &Viewer) -> String {
        let first = viewer.user.name.split_whitespace().next().unwrap_or_default();
        if self.done == 0 {
            format!("Welcome to Gatepost, {first}")
        } else {
            format!("Welcome back, {first}")
        }
    }

    pub fn lead(&self) -> String {
        match self.steps.len() {
            5 => {
                "Five steps take you from an empty team to mail your apps can read. They're checked off automatically."
            }
            _ => "Two steps take you from an empty team to your first message. They're checked off automatically.",
        }
        .to_owned()
    }

    /// The title of the current step.
    pub fn next(&self) -> &str {
        self.steps.iter().find(|step| step.is_now).map_or("", |step| step.title)
    }

    /// Whether the current step happens outside of this page.
    pub fn is_waiting(&self) -> bool {
        self.steps.iter().any(|step| step.is_now && (step.is_request || step.action == "Open inbox"))
    }
}

fn access_steps(viewer: &Viewer, facts: &Facts) -> [Step; 3] {
    let on = match viewer.role {
        Role::Owner => "Apps with a token can then call the API. Only you (the owner) can turn it on or off.",
        _ => "Apps with a token can then call the API. Only the owner can turn it on or off.",
    };
    [
        step(
            "Turn on API access",
            on,
            viewer.team.api_enabled,
            paths::DEVELOPER.to_string(),
            "Open Developer",
        ),
        step(
            "Create your first token",
            "Use one token per app, so you can revoke it without affecting the others.",
            facts.has_token,
            paths::DEVELOPER.to_string(),
            "Create token",
        ),
        Step {
            is_request: true,
            ..step(
                "Make your first request",
                "Paste this into a terminal. This step is checked off when the request arrives.",
                facts.has_called,
                paths::DOCS.to_string(),
                "Open API reference",
            )
        },
    ]
}

fn mail_steps(facts: &Facts) -> [Step; 2] {
    [
        step(
            "Create your first alias",
            "An address where your team or an app receives mail, like orders@example.com.",
            facts.has_alias,
            paths::ALIASES.to_string(),
            "Create alias",
        ),
        step(
            "Receive your first message",
            "Send one from your own mailbox, or run the command that the inbox shows.",
            facts.has_mail,
            paths::INBOX.to_string(),
            "Open inbox",
        ),
    ]
}

fn step(
    title: &'static str,
    text: &'static str,
    is_done: bool,
    address: String,
    action: &'static str,
) -> Step {
    Step { number: 0, title, text, is_done, is_now: false, is_request: false, address, action }
}
