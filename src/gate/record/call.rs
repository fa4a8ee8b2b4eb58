//! A call and its result.

use std::net::IpAddr;
use std::time::Duration;

use crate::domain::RequestId;
use crate::domain::access::activity::TokenId;
use crate::domain::people::teams::TeamId;
use crate::domain::people::users::UserId;

#[derive(Debug)]
pub struct Call<'a> {
    pub team: TeamId,
    pub caller: Caller,
    /// Holds the time of the call, too.
    pub request: RequestId,
    pub method: &'static str,
    /// The route's template. Never the path: it can hold a secret.
    pub route: &'a str,
    pub status: u16,
    pub took: Duration,
    pub ip: Option<IpAddr>,
    pub agent: Option<&'a str>,
    /// Whether the gate let it in. Only then it counts as a use and against a limit.
    pub admitted: bool,
}

#[derive(Clone, Debug)]
pub enum Caller {
    Token(TokenId),
    Person { id: UserId, label: String },
}
