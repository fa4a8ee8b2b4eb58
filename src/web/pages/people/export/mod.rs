//! Exports all data of a team in one archive, for its owner. The archive is streamed while it is being written.

mod lines;

use std::collections::VecDeque;
use std::io;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use futures_util::stream;
use zeroize::Zeroizing;

use crate::app::backup::compressed::Archive;
use crate::app::limits::in_use::Reservation;
use crate::app::{App, Tx};
use crate::domain::lists::Window;
use crate::domain::mailroom::downloads::{self, Pieces};
use crate::domain::mailroom::messages::{self, MessageId};
use crate::domain::people::teams::{self, Team, TeamId};
use crate::domain::{Error, Result};
use crate::web::api::forms::{self, Context};
use crate::web::pages::Answer;
use crate::web::pages::guards::Owner;
use crate::web::pages::password_again::{self, Action};
use crate::web::paths;
use lines::Lines;

/// The size in bytes after which a part is sent. One more step can exceed it, by a page of rows or a piece of a message.
const PART: usize = 256 << 10;
const MESSAGES: i64 = 500;

const README: &str = "This archive contains all data of a team in Gatepost.

about.json       the team, and who exported it and when
people           the people on the team and their roles
invitations      open and past invitations, without their links
tokens           API tokens, without their secrets
domains          the team's own domains, including removed ones
aliases          addresses that receive mail, including deleted ones
contacts         people who wrote, or were added by hand
activity         API requests and changes
messages         a list of the messages, with the name of each message's file
messages/*.eml   each message as it was received

All other files are JSON Lines: one JSON object per line, newest first. Long lists continue in a second file
(contacts-2.jsonl), a third, and so on. The fields are those of the API. For long messages that were refused,
only the beginning was stored.
";

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Form {
    password: Zeroizing<String>,
}

pub async fn export(app: web::Data<App>, owner: Owner, form: web::Form<Form>) -> Answer {
    let asked = Action {
        nav: "settings",
        to: "export the team's data. The download starts at once",
        action: paths::TEAM_EXPORT.0,
        fields: Vec::new(),
        always: false,
    };
    if let Some(page) = password_again::ask(&app, &owner, Some(&form.password), &asked).await? {
        return Ok(page);
    }
    let hold = app.begin_export(owner.team.id)?;
    owner.write(teams::record_export).await?;
    app.gate().flush().await;
    let export = Export::new(&app, &owner, hold).map_err(|cause| Error::fault(&cause.to_string()))?;
    // Reads the first part before the response starts, so that a failure can still be reported.
    let first = export.part(&app).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/gzip"))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file_name(&owner))))
        .insert_header((CACHE_CONTROL, "no-store"))
        .streaming(Box::pin(stream::unfold(Some(first), move |next| following(app.clone(), next)))))
}

/// `acme-2026-11-27.tar.gz`
fn file_name(owner: &Owner) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = owner.team.name.chars().map(plain).collect();
    format!("{name}-{}.tar.gz", owner.request.now.utc().date())
}

type Part = (Vec<u8>, Option<Export>);

/// Sends a part and reads the next one. A failure breaks the connection, because a file that ends early could
/// look complete.
async fn following(
    app: web::Data<App>,
    next: Option<Part>,
) -> Option<(io::Result<web::Bytes>, Option<Part>)> {
    let (bytes, export) = next?;
    let next = match export {
        Some(export) => export.part(&app).await.map(Some),
        None => Ok(None),
    };
    Some(match next {
        Ok(next) => (Ok(bytes.into()), next),
        Err(cause) => {
            tracing::warn!(%cause, "the export of a team failed");
            (Err(io::Error::other("the export failed")), None)
        }
    })
}

/// The parts that are not written yet.
struct Export {
    team: TeamId,
    context: Context,
    archive: Archive,
    lists: VecDeque<(&'static str, Box<dyn Lines>)>,
    /// The number of files written for the first list.
    files: usize,
    /// The page of messages after those in `waiting`; `None` after the last.
    messages: Option<Option<MessageId>>,
    waiting: VecDeque<MessageId>,
    /// The message being written.
    open: Option<Pieces>,
    _hold: Reservation<TeamId>,
}

impl Export {
    fn new(app: &web::Data<App>, owner: &Owner, hold: Reservation<TeamId>) -> io::Result<Self> {
        let now = owner.request.now;
        let mut archive = Archive::new(now);
        archive.file("README.txt", README.as_bytes())?;
        archive.file("about.json", about(&owner.team, owner).to_string().as_bytes())?;
        Ok(Self {
            team: owner.team.id,
            context: Context { app: app.clone(), now },
            archive,
            lists: lines::all().into(),
            files: 0,
            messages: Some(None),
            waiting: VecDeque::new(),
            open: None,
            _hold: hold,
        })
    }

    /// Returns the next bytes, and the rest of the export unless they are the last.
    async fn part(mut self, app: &App) -> Result<Part> {
        app.read(move |tx| {
            while self.archive.waiting() < PART {
                if !self.step(tx)? {
                    self.archive.finish().map_err(broken)?;
                    return Ok((self.archive.take(), None));
                }
            }
            Ok((self.archive.take(), Some(self)))
        })
        .await
    }

    /// Returns false after the last step.
    fn step(&mut self, tx: &mut Tx<'_>) -> Result<bool> {
        if let Some(open) = &mut self.open {
            match open.next(tx)? {
                Some(bytes) => self.archive.write(&bytes).map_err(broken)?,
                None => self.open = None,
            }
        } else if let Some(message) = self.waiting.pop_front() {
            self.begin(tx, message)?;
        } else if let Some((name, list)) = self.lists.front_mut() {
            match list.next(tx, self.team, &self.context)? {
                Some(text) => {
                    self.files += 1;
                    self.archive.file(&part_name(name, self.files), &text).map_err(broken)?;
                }
                None => {
                    self.lists.pop_front();
                    self.files = 0;
                }
            }
        } else if let Some(before) = self.messages.take() {
            self.next_messages(tx, before)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Starts the file of a message, unless the message was deleted after its page was read.
    fn begin(&mut self, tx: &mut Tx<'_>, message: MessageId) -> Result<()> {
        match downloads::raw(tx, self.team, message) {
            Ok(pieces) => {
                self.archive.begin(&lines::file_of(message), pieces.length).map_err(broken)?;
                self.open = Some(pieces);
                Ok(())
            }
            Err(Error::NotFound) => Ok(()),
            Err(other) => Err(other),
        }
    }

    fn next_messages(&mut self, tx: &mut Tx<'_>, before: Option<MessageId>) -> Result<()> {
        let window = Window::below(before, MESSAGES);
        let page = messages::list(tx, self.team, &messages::Filter::default(), window)?;
        let index = lines::index(tx, self.team, &page.rows, &self.context)?;
        self.files += 1;
        self.archive.file(&part_name("messages", self.files), &index).map_err(broken)?;
        self.waiting = page.rows.iter().map(|message| message.id).collect();
        self.messages = page.next.map(Some);
        Ok(())
    }
}

fn part_name(list: &str, file: usize) -> String {
    match file {
        1 => format!("{list}.jsonl"),
        _ => format!("{list}-{file}.jsonl"),
    }
}

fn about(team: &Team, owner: &Owner) -> serde_json::Value {
    serde_json::json!({
        "team": forms::Team::from(team),
        "exportedAt": owner.request.now,
        "exportedBy": owner.user.email,
        "gatepost": env!("CARGO_PKG_VERSION"),
    })
}

fn broken(cause: io::Error) -> Error {
    Error::fault(&cause.to_string())
}
