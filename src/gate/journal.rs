//! How a batch of calls is written down until it is moved into the record.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::record::{Call, Caller};
use crate::domain::RequestId;
use crate::domain::Timestamp;
use crate::domain::access::activity::{ActivityId, ActivityKind, ActorKind, CallRecord, TokenId, Use};
use crate::domain::people::teams::TeamId;
use crate::domain::people::users::UserId;

/// The first byte of a batch: how the rest is to be read.
const VERSION: u8 = 1;
/// What a call takes, more or less.
const USUAL: usize = 120;

type Id = [u8; 16];

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    team: Id,
    token: Option<Id>,
    #[serde(borrow)]
    person: Option<(Id, Cow<'a, str>)>,
    request: Id,
    at: i64,
    method: &'a str,
    route: &'a str,
    status: u16,
    took_us: u32,
    ip: Option<IpAddr>,
    agent: Option<&'a str>,
    admitted: bool,
}

/// Calls as bytes.
pub fn write<'a>(calls: impl Iterator<Item = &'a Call>) -> Vec<u8> {
    let mut batch = Vec::with_capacity(calls.size_hint().0 * USUAL);
    batch.push(VERSION);
    calls.fold(batch, |batch, call| postcard::to_extend(&line(call), batch).expect("memory takes everything"))
}

fn line(call: &Call) -> Line<'_> {
    let (token, person) = match &call.caller {
        Caller::Token(id) => (Some(id.bytes()), None),
        Caller::Person { id, label } => (None, Some((id.bytes(), label.as_str().into()))),
    };
    Line {
        team: call.team.bytes(),
        token,
        person,
        request: call.request.bytes(),
        at: call.at.micros(),
        method: call.method,
        route: &call.route,
        status: call.status,
        took_us: u32::try_from(call.took.as_micros()).unwrap_or(u32::MAX),
        ip: call.ip,
        agent: call.agent.as_deref(),
        admitted: call.admitted,
    }
}

/// What is to be moved into the record.
#[derive(Default)]
pub struct Moved {
    pub records: Vec<CallRecord>,
    /// The latest use of each token.
    pub uses: HashMap<TokenId, Use>,
}

impl Moved {
    /// Adds the calls of a batch.
    ///
    /// # Errors
    /// When it is not one that this program writes.
    pub fn read(&mut self, batch: &[u8]) -> Result<usize, postcard::Error> {
        let before = self.records.len();
        let Some((&VERSION, mut rest)) = batch.split_first() else {
            return Err(postcard::Error::DeserializeBadEncoding);
        };
        while !rest.is_empty() {
            let (line, left) = postcard::take_from_bytes::<Line<'_>>(rest)?;
            self.note_use(&line);
            self.records.push(record(line));
            rest = left;
        }
        Ok(self.records.len() - before)
    }

    fn note_use(&mut self, line: &Line<'_>) {
        let Some(token) = line.token.map(TokenId::from_bytes).filter(|_| line.admitted) else { return };
        let at = Timestamp::from_micros(line.at);
        if self.uses.get(&token).is_some_and(|seen| seen.at >= at) {
            return;
        }
        let (ip, agent) = (line.ip.map(|ip| ip.to_string()), line.agent.map(str::to_owned));
        self.uses.insert(token, Use { token, at, ip, agent });
    }
}

fn record(line: Line<'_>) -> CallRecord {
    let (person_id, actor_label) =
        line.person.map(|(id, label)| (UserId::from_bytes(id), label.into_owned())).unzip();
    CallRecord {
        team_id: TeamId::from_bytes(line.team),
        id: ActivityId::from_bytes(line.request),
        at: Timestamp::from_micros(line.at),
        kind: if line.admitted { ActivityKind::ApiRequest } else { ActivityKind::ApiRefused },
        actor_kind: if line.token.is_some() { ActorKind::Token } else { ActorKind::Person },
        person_id,
        token_id: line.token.map(TokenId::from_bytes),
        actor_label,
        method: line.method.to_owned(),
        route: line.route.to_owned(),
        status: i16::try_from(line.status).unwrap_or(i16::MAX),
        duration_us: i32::try_from(line.took_us).unwrap_or(i32::MAX),
        ip: line.ip.map(|ip| ip.to_string()),
        request_id: RequestId::from_bytes(line.request),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn call(number: u8, caller: Caller, admitted: bool) -> Call {
        Call {
            team: TeamId::from_bytes([1; 16]),
            caller,
            request: RequestId::from_bytes([number; 16]),
            at: Timestamp::from_micros(1_000 + i64::from(number)),
            method: "GET",
            route: "/api/v1/me".into(),
            status: if admitted { 200 } else { 403 },
            took: Duration::from_micros(77),
            ip: Some([192, 0, 2, number].into()),
            agent: Some(format!("agent {number}")),
            admitted,
        }
    }

    #[test]
    fn a_batch_reads_back() {
        let token = TokenId::from_bytes([7; 16]);
        let person = Caller::Person { id: UserId::from_bytes([9; 16]), label: "ada@acme.test".into() };
        let calls = [
            call(2, Caller::Token(token), true),
            call(1, Caller::Token(token), true),
            call(3, Caller::Token(token), false),
            call(4, person, true),
        ];
        let mut moved = Moved::default();
        assert_eq!(moved.read(&write(calls.iter())), Ok(4));
        let told: Vec<_> = moved.records.iter().map(|each| (each.kind, each.status, each.token_id)).collect();
        let of_token = Some(token);
        assert_eq!(told[0], (ActivityKind::ApiRequest, 200, of_token));
        assert_eq!(told[2], (ActivityKind::ApiRefused, 403, of_token));
        assert_eq!(told[3], (ActivityKind::ApiRequest, 200, None));
        assert_eq!(moved.records[3].actor_label.as_deref(), Some("ada@acme.test"));
        assert_eq!(moved.records[0].request_id, RequestId::from_bytes([2; 16]));
        assert_eq!(moved.records[0].ip.as_deref(), Some("192.0.2.2"));
        let used: Vec<_> = moved.uses.values().map(|each| (each.token, each.at.micros())).collect();
        assert_eq!(used, [(token, 1_002)], "the latest call that was let in");
    }

    #[test]
    fn what_is_no_batch_is_refused() {
        let whole = write([call(1, Caller::Token(TokenId::from_bytes([7; 16])), true)].iter());
        for damaged in [&[][..], &[9], &whole[..whole.len() - 1], &[whole.as_slice(), &[255; 40]].concat()] {
            assert!(Moved::default().read(damaged).is_err(), "{damaged:?}");
        }
    }
}
