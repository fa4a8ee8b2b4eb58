//! Encodes calls for the journal.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::call::{Call, Caller};
use crate::domain::access::activity::{ActivityId, ActivityKind, CallRecord, Record, TokenId, Use};
use crate::domain::people::teams::TeamId;
use crate::domain::people::users::UserId;

/// The first byte of a batch. Raise it when the format changes.
pub const VERSION: u8 = 3;
/// The maximum size of a batch in bytes. Postgres stores such a row in one page, but would split a longer one into pieces
/// of 2 kB, each with a row and an index entry.
const MAX_BATCH: usize = 8_000;
/// The approximate bytes of the calls in one turn of an event loop.
const USUAL_BATCH: usize = 1_000;
/// Precedes a call's [`Common`], or replaces it if the previous call in the batch had the same one. These
/// are postcard's `Some` and `None`.
const COMMON: u8 = 1;
const SAME_AS_BEFORE: u8 = 0;

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Common<'a> {
    team: Uuid,
    method: &'a str,
    route: &'a str,
    ip: Option<IpAddr>,
    agent: Option<&'a str>,
}

/// The part that differs for each call. The request id contains the time.
#[derive(Serialize, Deserialize)]
struct Own<'a> {
    token: Option<Uuid>,
    #[serde(borrow)]
    person: Option<(Uuid, &'a str)>,
    request: Uuid,
    status: u16,
    took_us: u32,
    admitted: bool,
}

struct Line<'a> {
    common: Common<'a>,
    own: Own<'a>,
}

#[derive(Debug, Default)]
pub struct Encoded {
    batches: Vec<Vec<u8>>,
    calls: usize,
    /// The position of the last [`Common`] in the last batch, or empty if it was encoded elsewhere.
    common: Range<usize>,
}

impl Encoded {
    pub fn add(&mut self, call: &Call<'_>) {
        let line = line(call);
        if !self.write(&line) {
            self.batches.push(empty(MAX_BATCH));
            self.common = 0..0;
            self.write(&line);
        }
        self.calls += 1;
    }

    /// Returns false if the last batch is full.
    fn write(&mut self, line: &Line<'_>) -> bool {
        if self.batches.is_empty() {
            self.batches.push(empty(USUAL_BATCH));
        }
        let batch = self.batches.last_mut().expect("a batch");
        let (before, is_first) = (batch.len(), batch.len() == 1);
        batch.push(COMMON);
        put(&line.common, batch);
        let common = before + 1..batch.len();
        let is_new = batch[common.clone()] != batch[self.common.clone()];
        if !is_new {
            batch.truncate(before);
            batch.push(SAME_AS_BEFORE);
        }
        put(&line.own, batch);
        let fits = batch.len() <= MAX_BATCH || is_first;
        if !fits {
            batch.truncate(before);
        } else if is_new {
            self.common = common;
        }
        fits
    }

    pub fn extend(&mut self, more: Self) {
        for batch in more.batches {
            match self.batches.last_mut() {
                Some(last) if last.len() + batch.len() <= MAX_BATCH => last.extend_from_slice(&batch[1..]),
                _ => self.batches.push(batch),
            }
        }
        self.calls += more.calls;
        self.common = 0..0;
    }

    pub fn len(&self) -> usize {
        self.calls
    }

    pub fn batches(&self) -> &[Vec<u8>] {
        &self.batches
    }
}

fn empty(room: usize) -> Vec<u8> {
    let mut batch = Vec::with_capacity(room);
    batch.push(VERSION);
    batch
}

fn put(part: &impl Serialize, batch: &mut Vec<u8>) {
    postcard::to_io(part, batch).expect("writing to memory can't fail");
}

fn line<'a>(call: &'a Call<'a>) -> Line<'a> {
    let (token, person) = match &call.caller {
        Caller::Token(id) => (Some(Uuid::from_bytes(id.bytes())), None),
        Caller::Person { id, label } => (None, Some((Uuid::from_bytes(id.bytes()), label.as_str()))),
    };
    Line {
        common: Common {
            team: Uuid::from_bytes(call.team.bytes()),
            method: call.method,
            route: call.route,
            ip: call.ip,
            agent: call.agent,
        },
        own: Own {
            token,
            person,
            request: Uuid::from_bytes(call.request.bytes()),
            status: call.status,
            took_us: u32::try_from(call.took.as_micros()).unwrap_or(u32::MAX),
            admitted: call.admitted,
        },
    }
}

pub fn record_of(call: &Call<'_>) -> Record {
    record(&line(call)).record()
}

#[derive(Default)]
pub struct Decoded<'a> {
    lines: Vec<Line<'a>>,
    callers: HashMap<(Uuid, Option<Uuid>), Vec<u32>>,
}

impl<'a> Decoded<'a> {
    /// Adds all calls of a batch, or none if it has another version.
    pub fn add(&mut self, batch: &'a [u8]) -> Result<usize, postcard::Error> {
        let before = self.lines.len();
        let read = self.read_lines(batch);
        if read.is_err() {
            self.lines.truncate(before);
        }
        for (at, line) in (before as u32..).zip(&self.lines[before..]) {
            self.callers.entry((line.common.team, line.own.token)).or_default().push(at);
        }
        read.map(|()| self.lines.len() - before)
    }

    fn read_lines(&mut self, batch: &'a [u8]) -> Result<(), postcard::Error> {
        let Some((&VERSION, mut rest)) = batch.split_first() else {
            return Err(postcard::Error::DeserializeBadEncoding);
        };
        let mut common = None;
        while !rest.is_empty() {
            let ((new, own), left) = postcard::take_from_bytes::<(Option<Common<'_>>, Own<'_>)>(rest)?;
            common = new.or(common);
            let common = common.ok_or(postcard::Error::DeserializeBadEncoding)?;
            self.lines.push(Line { common, own });
            rest = left;
        }
        Ok(())
    }

    /// Returns the calls sorted by team and token, so that neighbors in the activity table's indexes are
    /// written together.
    pub fn records(&self) -> impl Iterator<Item = CallRecord<'a>> {
        let mut callers: Vec<_> = self.callers.iter().collect();
        callers.sort_unstable_by_key(|(who, _)| **who);
        callers.into_iter().flat_map(|(_, lines)| lines).map(|&at| record(&self.lines[at as usize]))
    }

    /// Returns the latest use of each token, in the same order on every instance, so that writers never
    /// deadlock.
    pub fn uses(&self) -> Vec<Use> {
        let latest = |lines: &[u32]| {
            let admitted = lines.iter().map(|&at| &self.lines[at as usize]).filter(|line| line.own.admitted);
            admitted.max_by_key(|line| line.own.request)
        };
        let tokens = self.callers.iter().filter_map(|(who, lines)| Some((who.1?, latest(lines)?)));
        let mut uses: Vec<Use> = tokens.map(|(token, line)| last_use(token, line)).collect();
        uses.sort_by_key(|each| each.token);
        uses
    }
}

fn last_use(token: Uuid, Line { common, own }: &Line<'_>) -> Use {
    Use {
        token: TokenId::from_bytes(token.into_bytes()),
        at: ActivityId::from_bytes(own.request.into_bytes()).moment(),
        ip: common.ip.map(|ip| ip.to_string()),
        agent: common.agent.map(str::to_owned),
    }
}

fn record<'a>(Line { common, own }: &Line<'a>) -> CallRecord<'a> {
    let id = ActivityId::from_bytes(own.request.into_bytes());
    CallRecord {
        team: TeamId::from_bytes(common.team.into_bytes()),
        id,
        at: id.moment(),
        kind: if own.admitted { ActivityKind::ApiRequest } else { ActivityKind::ApiRefused },
        token: own.token.map(|id| TokenId::from_bytes(id.into_bytes())),
        person: own.person.map(|(id, label)| (UserId::from_bytes(id.into_bytes()), label)),
        method: common.method,
        route: common.route,
        status: i16::try_from(own.status).unwrap_or(i16::MAX),
        duration_us: i32::try_from(own.took_us).unwrap_or(i32::MAX),
        ip: common.ip,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{RequestId, Timestamp};

    fn call(number: u8, caller: Caller, admitted: bool) -> Call<'static> {
        Call {
            team: TeamId::from_bytes([1; 16]),
            caller,
            request: RequestId::new(Timestamp::from_micros(1_000 + i64::from(number)), [number; 8]),
            method: "GET",
            route: "/api/v1/me",
            status: if admitted { 200 } else { 403 },
            took: Duration::from_micros(77),
            ip: Some([192, 0, 2, number].into()),
            agent: Some("curl"),
            admitted,
        }
    }

    fn lines(calls: &[Call<'_>]) -> Encoded {
        let mut lines = Encoded::default();
        calls.iter().for_each(|call| lines.add(call));
        lines
    }

    #[test]
    fn an_encoded_batch_decodes_to_the_same_calls() {
        let token = TokenId::from_bytes([7; 16]);
        let person = Caller::Person { id: UserId::from_bytes([9; 16]), label: "ada@acme.test".into() };
        let mut written = lines(&[call(2, Caller::Token(token), true), call(1, Caller::Token(token), true)]);
        written.extend(lines(&[call(3, Caller::Token(token), false), call(4, person, true)]));
        let mut decoded = Decoded::default();
        assert_eq!(
            (written.len(), written.batches().len(), decoded.add(&written.batches()[0])),
            (4, 1, Ok(4))
        );
        let mut records: Vec<_> = decoded.records().collect();
        records.sort_by_key(|each| each.id);
        let shown: Vec<_> = records.iter().map(|each| (each.kind, each.status, each.token)).collect();
        let of_token = Some(token);
        assert_eq!(shown[1], (ActivityKind::ApiRequest, 200, of_token));
        assert_eq!(shown[2], (ActivityKind::ApiRefused, 403, of_token));
        assert_eq!(shown[3], (ActivityKind::ApiRequest, 200, None));
        assert_eq!(records[3].person.map(|(_, label)| label), Some("ada@acme.test"));
        assert_eq!(records[1].at.micros(), 1_002);
        assert_eq!(records[1].ip, Some([192, 0, 2, 2].into()));
        let used: Vec<_> = decoded.uses().iter().map(|each| (each.token, each.at.micros())).collect();
        assert_eq!(used, [(token, 1_002)], "the latest admitted call");
    }

    #[test]
    fn consecutive_calls_share_common_fields() {
        let caller = || Caller::Token(TokenId::from_bytes([7; 16]));
        let of = |number, route| Call { route, ip: None, ..call(number, caller(), true) };
        let apart = |team, call| Call { team: TeamId::from_bytes([team; 16]), ..call };
        let from_afar = |call| Call { ip: Some([192, 0, 2, 1].into()), ..call };
        let calls = [
            of(1, "/a"),
            of(2, "/a"),
            of(3, "/b"),
            of(4, "/b"),
            of(5, "/a"),
            apart(2, of(6, "/a")),
            Call { agent: None, ..apart(2, of(7, "/a")) },
            Call { method: "PUT", ..of(8, "/a") },
            from_afar(of(9, "/a")),
        ];
        let one = |call| lines(std::slice::from_ref(call)).batches()[0].len() - 1;
        let mut written = lines(&calls);
        let alone: usize = calls.iter().map(one).sum();
        let mut common = Vec::new();
        put(&line(&calls[0]).common, &mut common);
        let saved = 2 * common.len();
        assert_eq!(written.batches()[0].len() - 1, alone - saved, "of the second and the fourth");
        let later = [of(10, "/other"), from_afar(of(11, "/a"))];
        written.extend(lines(&later[..1]));
        written.add(&later[1]);
        let calls = || calls.iter().chain(&later);
        let mut decoded = Decoded::default();
        assert_eq!(decoded.add(&written.batches()[0]), Ok(11));
        let mut records: Vec<_> = decoded.records().collect();
        records.sort_by_key(|each| each.id);
        for (record, call) in records.iter().zip(calls()) {
            assert_eq!(
                (record.team, record.method, record.route, record.ip),
                (call.team, call.method, call.route, call.ip)
            );
        }
        let agents: Vec<_> = decoded.lines.iter().map(|line| line.common.agent).collect();
        assert_eq!(agents, calls().map(|call| call.agent).collect::<Vec<_>>());
    }

    #[test]
    fn batches_fit_a_page() {
        let of_token = |number| call(number, Caller::Token(TokenId::from_bytes([7; 16])), true);
        let mut written = Encoded::default();
        for turn in 0..100 {
            match turn % 2 {
                0 => (0..9).for_each(|_| written.add(&of_token(turn))),
                _ => written.extend(lines(&[of_token(turn)])),
            }
        }
        let batches = written.batches();
        assert!(batches.iter().all(|batch| batch.len() <= MAX_BATCH), "{:?}", batches.iter().map(Vec::len));
        let all: usize = batches.iter().map(|batch| batch.len() - 1).sum();
        assert!(
            (3..=all / (MAX_BATCH - 2 * USUAL_BATCH) + 1).contains(&batches.len()),
            "{} of {all}",
            batches.len()
        );
        let mut decoded = Decoded::default();
        let read: usize = batches.iter().map(|batch| decoded.add(batch).expect("a batch")).sum();
        assert_eq!((read, written.len()), (500, 500));
    }

    #[test]
    fn a_damaged_batch_adds_nothing() {
        let whole = lines(&[call(1, Caller::Token(TokenId::from_bytes([7; 16])), true)]);
        let whole = &whole.batches()[0][..];
        for damaged in [&[][..], &[9], &whole[..whole.len() - 1], &[whole, &[255; 40]].concat()] {
            let mut decoded = Decoded::default();
            assert!(decoded.add(damaged).is_err(), "{damaged:?}");
            assert_eq!((decoded.records().count(), decoded.uses().len()), (0, 0), "{damaged:?}");
        }
    }
}
