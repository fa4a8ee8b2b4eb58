//! API requests of the sample team: more by day than at night, fewer on weekends, and growing from week to
//! week.

use time::{Duration, Weekday};

use super::calendar::{Calendar, When};
use super::people::People;
use super::tokens::Tokens;
use crate::app::Tx;
use crate::domain::access::activity::{self, ActivityId, ActivityKind, CallRecord, Use};
use crate::domain::access::tokens::Token;
use crate::domain::entropy;
use crate::domain::{RequestId, Result, Timestamp};

/// Method, route and status.
type Shape = (&'static str, &'static str, i16);

/// The share of each hour, in percent of the busiest one.
const BY_DAY: [u32; 24] =
    [8, 6, 5, 5, 6, 10, 22, 48, 78, 94, 100, 92, 70, 82, 96, 90, 76, 58, 40, 30, 24, 18, 14, 10];
const AT_NIGHT: [u32; 24] = [0, 60, 100, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

struct Caller<'a> {
    token: &'a Token,
    agent: &'static str,
    ip: [u8; 4],
    /// Requests in the busiest hour of a working day, at the end of the three weeks.
    peak: u32,
    hours: [u32; 24],
    from: When,
    until: When,
    /// Repeated in this order.
    shapes: &'static [Shape],
    refused: bool,
}

const ORDERS: &[Shape] = &[
    ("GET", "/api/v1/messages", 200),
    ("GET", "/api/v1/messages/{id}", 200),
    ("PATCH", "/api/v1/messages/{id}", 200),
    ("GET", "/api/v1/messages", 200),
    ("GET", "/api/v1/messages", 200),
    ("GET", "/api/v1/contacts/{id}", 200),
    ("GET", "/api/v1/messages", 200),
    ("POST", "/api/v1/aliases", 201),
    ("GET", "/api/v1/messages", 200),
    ("GET", "/api/v1/messages", 200),
    ("GET", "/api/v1/messages/{id}", 404),
    ("GET", "/api/v1/messages", 200),
    ("GET", "/api/v1/messages", 200),
    ("POST", "/api/v1/aliases", 409),
    ("GET", "/api/v1/messages", 200),
    ("GET", "/api/v1/messages", 200),
    ("GET", "/api/v1/aliases", 200),
];
const CRM: &[Shape] = &[
    ("GET", "/api/v1/contacts", 200),
    ("GET", "/api/v1/contacts/{id}", 200),
    ("GET", "/api/v1/contacts", 200),
    ("GET", "/api/v1/messages", 200),
    ("GET", "/api/v1/team/people", 200),
    ("GET", "/api/v1/contacts/{id}", 200),
    ("GET", "/api/v1/contacts", 422),
];
const EXPORT: &[Shape] = &[
    ("GET", "/api/v1/messages", 200),
    ("GET", "/api/v1/messages/{id}/raw", 200),
    ("GET", "/api/v1/messages/{id}/attachments/{attachment}", 200),
];
const SUPPORT: &[Shape] = &[("GET", "/api/v1/messages", 200), ("GET", "/api/v1/messages/{id}", 200)];
const STAGING: &[Shape] = &[("GET", "/api/v1/aliases", 200), ("GET", "/api/v1/domains", 200)];
const SCRIPT: &[Shape] = &[("GET", "/api/v1/team", 200), ("GET", "/api/v1/aliases", 200)];
const WEBSITE: &[Shape] = &[("GET", "/api/v1/me", 200), ("POST", "/api/v1/aliases", 201)];

pub fn record(tx: &mut Tx<'_>, calendar: &Calendar, people: &People, tokens: &Tokens) -> Result<()> {
    for caller in callers(tokens) {
        let calls = calls(calendar, people, &caller);
        let last = calls.iter().filter(|_| !caller.refused).map(|call| call.at).max();
        let last = last.map(|at| Use {
            token: caller.token.id,
            at,
            ip: Some(std::net::IpAddr::from(caller.ip).to_string()),
            agent: Some(caller.agent.to_owned()),
        });
        activity::append_calls(tx, calls.into_iter(), last.as_slice())?;
    }
    record_over_limit(tx, calendar, people, &tokens.staging)
}

fn callers(tokens: &Tokens) -> Vec<Caller<'_>> {
    let usual = |token, agent, ip, peak, shapes| Caller {
        token,
        agent,
        ip,
        peak,
        hours: BY_DAY,
        from: (18, 11, 0),
        until: (0, 0, 2),
        shapes,
        refused: false,
    };
    let orders = usual(&tokens.orders, "acme-orders/2.1", [203, 0, 113, 24], 130, ORDERS);
    let crm = usual(&tokens.crm, "acme-sync/3.0", [198, 51, 100, 7], 36, CRM);
    let export = usual(&tokens.export, "python-requests/2.32", [203, 0, 113, 24], 60, EXPORT);
    let support = usual(&tokens.support, "support-bot/0.9", [192, 0, 2, 61], 14, SUPPORT);
    let staging = usual(&tokens.staging, "acme-sync/3.1-dev", [203, 0, 113, 90], 50, STAGING);
    let script = usual(&tokens.team_key, "curl/8.9.1", [198, 51, 100, 24], 4, SCRIPT);
    let website = usual(&tokens.website, "acme-web/1.4", [192, 0, 2, 10], 20, WEBSITE);
    vec![
        orders,
        Caller { from: (19, 9, 30), until: (0, 0, 6), ..crm },
        Caller { from: (9, 17, 0), hours: AT_NIGHT, ..export },
        Caller { from: (13, 10, 0), until: (0, 0, 21), ..support },
        Caller { from: (16, 12, 0), until: (6, 16, 40), ..staging },
        Caller { from: (14, 10, 30), until: (1, 14, 0), ..script },
        Caller { from: (20, 15, 0), until: (6, 15, 0), ..website },
    ]
    .into_iter()
    .chain(refused(tokens))
    .collect()
}

/// Callers that the gate refuses.
fn refused(tokens: &Tokens) -> [Caller<'_>; 2] {
    let refused = |token, agent, ip, peak, shapes| Caller {
        token,
        agent,
        ip,
        peak,
        hours: BY_DAY,
        from: (13, 10, 0),
        until: (0, 0, 9),
        shapes,
        refused: true,
    };
    let denied = &[("PATCH", "/api/v1/messages/{id}", 403)];
    let revoked = &[("GET", "/api/v1/me", 401), ("POST", "/api/v1/aliases", 401)];
    let support = refused(&tokens.support, "support-bot/0.9", [192, 0, 2, 61], 6, denied);
    let website = refused(&tokens.website, "acme-web/1.4", [192, 0, 2, 10], 16, revoked);
    [support, Caller { from: (6, 15, 20), until: (2, 9, 0), ..website }]
}

fn calls(calendar: &Calendar, people: &People, caller: &Caller<'_>) -> Vec<CallRecord<'static>> {
    let (from, until) = (calendar.at(caller.from), calendar.at(caller.until));
    let days = (0..=caller.from.0).rev();
    let hours = days.flat_map(|day| (0..24).map(move |hour| (day, hour)));
    let times = hours.flat_map(|(day, hour)| {
        let count = count(calendar, caller, day, hour);
        let began = calendar.midnight(day).plus(Duration::hours(i64::from(hour)));
        (0..count).map(move |index| began.plus(spread(index, count)))
    });
    let times = times.filter(|at| (from..until).contains(at));
    times.zip(0..).map(|(at, number)| call(calendar, people, caller, at, number)).collect()
}

/// Returns the number of requests in an hour.
fn count(calendar: &Calendar, caller: &Caller<'_>, day: u16, hour: u32) -> u32 {
    let weekend = matches!(calendar.midnight(day).utc().weekday(), Weekday::Saturday | Weekday::Sunday);
    let share = caller.hours[hour as usize] * if weekend { 35 } else { 100 };
    let growth = 100 - 3 * u32::from(day).min(25);
    let uneven = 75 + noise(u32::from(day) * 24 + hour) % 50;
    // Four percentages are multiplied.
    (u64::from(caller.peak) * u64::from(share * growth) * u64::from(uneven) / 100_000_000) as u32
}

/// Spreads the requests of an hour evenly.
fn spread(index: u32, count: u32) -> Duration {
    let step = 3600 / count.max(1);
    Duration::seconds(i64::from(index * step + noise(index) % step.max(1)))
        + Duration::microseconds(i64::from(noise(index + count) % 1_000_000))
}

/// A pseudorandom number, the same at each start.
const fn noise(number: u32) -> u32 {
    let mixed = (number ^ 0x9e37).wrapping_mul(0x85eb_ca6b);
    (mixed ^ (mixed >> 13)).wrapping_mul(0xc2b2_ae35) >> 8
}

fn call(
    calendar: &Calendar,
    people: &People,
    caller: &Caller<'_>,
    at: Timestamp,
    number: u32,
) -> CallRecord<'static> {
    let shape = caller.shapes[number as usize % caller.shapes.len()];
    // Failures are rarer than their share of the shapes.
    let is_kept = caller.refused || shape.2 < 400 || noise(number).is_multiple_of(4);
    let (method, route, status) = if is_kept { shape } else { caller.shapes[0] };
    let request = RequestId::new(at, entropy::bytes(&*calendar.operator((0, 0, 0)).entropy));
    let slow = if noise(number).is_multiple_of(97) { 40_000 } else { 0 };
    CallRecord {
        team: people.team.id,
        id: ActivityId::from_bytes(request.bytes()),
        at,
        kind: if caller.refused { ActivityKind::ApiRefused } else { ActivityKind::ApiRequest },
        token: Some(caller.token.id),
        person: None,
        method,
        route,
        status,
        duration_us: (900 + noise(number) % 4_000 + slow) as i32,
        ip: Some(caller.ip.into()),
    }
}

/// Records calls over the token's own limit, one record per minute.
fn record_over_limit(tx: &mut Tx<'_>, calendar: &Calendar, people: &People, token: &Token) -> Result<()> {
    let minutes =
        [(14, 10, 41), (14, 10, 42), (13, 15, 30), (9, 11, 12), (9, 11, 13), (9, 11, 14), (7, 16, 55)];
    let shape: &'static [Shape] = &[("GET", "/api/v1/aliases", 429)];
    let records = minutes.into_iter().zip(0..).map(|(when, number)| {
        let caller = Caller {
            token,
            agent: "",
            ip: [203, 0, 113, 90],
            peak: 0,
            hours: BY_DAY,
            from: when,
            until: when,
            shapes: shape,
            refused: true,
        };
        let mut record = call(calendar, people, &caller, calendar.at(when), number).record();
        record.count = (11 + noise(number) % 40) as i32;
        record
    });
    activity::append(tx, &records.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::routes;

    #[test]
    fn every_request_matches_an_api_route() {
        let known = routes::all();
        for (method, route, _) in [ORDERS, CRM, EXPORT, SUPPORT, STAGING, SCRIPT, WEBSITE].concat() {
            let matches = |(known, path): &(_, String)| *known == method && path == route;
            assert!(known.iter().any(matches), "{method} {route}");
        }
    }

    #[test]
    fn noise_covers_all_values() {
        let values: std::collections::HashSet<u32> = (0..500).map(|number| noise(number) % 50).collect();
        assert_eq!(values.len(), 50);
    }
}
