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
    /// Contains the time of the call.
    pub request: RequestId,
    pub method: &'static str,
    /// The route's template. Never the path, which can contain a secret.
    pub route: &'a str,
    pub status: u16,
    pub took: Duration,
    pub ip: Option<IpAddr>,
    pub agent: Option<&'a str>,
    /// Whether the gate admitted the call. Only admitted calls count as uses and against limits.
    pub admitted: bool,
}

#[derive(Clone, Debug)]
pub enum Caller {
    Token(TokenId),
    Person { id: UserId, label: String },
}
