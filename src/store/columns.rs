//! Maps Gatepost's value types to columns, in the same way in both engines.

use std::fmt;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::BigInt;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

/// Microseconds since 1970-01-01T00:00:00Z, which both engines store exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = BigInt)]
pub struct Timestamp(i64);

/// The first microsecond of the year 0, and the last of 9999.
const YEAR_0: i64 = -62_167_219_200_000_000;
const YEAR_9999: i64 = 253_402_300_799_999_999;

impl Timestamp {
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    pub const fn micros(self) -> i64 {
        self.0
    }

    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by.whole_microseconds() as i64))
    }

    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(by.whole_microseconds() as i64))
    }

    /// The time since `earlier`; negative if that is in the future.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::microseconds(self.0.saturating_sub(earlier.0))
    }

    /// A stored time further in the future is treated as written by a wrong clock. The clocks of several servers differ
    /// a little.
    pub const MAX_CLOCK_DRIFT: Duration = Duration::HOUR;

    /// Whether a clock that ran ahead wrote this time, so that nothing should wait for it.
    pub(crate) fn is_ahead_of(self, now: Self) -> bool {
        self > now.plus(Self::MAX_CLOCK_DRIFT)
    }

    /// RFC 3339 in UTC, written into the caller's buffer, because every response contains times.
    fn write_into(self, room: &mut [u8; 40]) -> &str {
        let mut rest = room.as_mut_slice();
        // The returned length leaves out fractions of a second, so it is not used.
        self.utc().format_into(&mut rest, &Rfc3339).expect("years have at most four digits");
        let length = 40 - rest.len();
        std::str::from_utf8(&room[..length]).expect("RFC 3339 is ASCII")
    }

    /// UTC. Times outside the years 0 to 9999, which RFC 3339 cannot express, become the nearest one.
    pub(crate) fn utc(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0.clamp(YEAR_0, YEAR_9999)) * 1000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(at: OffsetDateTime) -> Self {
        Self((at.unix_timestamp_nanos() / 1000) as i64)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.write_into(&mut [0; 40]))
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.write_into(&mut [0; 40]))
    }
}

impl<DB: Backend> ToSql<BigInt, DB> for Timestamp
where
    i64: ToSql<BigInt, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.to_sql(out)
    }
}

impl<DB: Backend> FromSql<BigInt, DB> for Timestamp
where
    i64: FromSql<BigInt, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        i64::from_sql(bytes).map(Self)
    }
}

/// Declares an enum that is stored as text, like `Plan::Pro` as `pro`.
macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = diesel::sql_types::Text)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        $crate::store::columns::text_column!($name);
    };
}
pub(in crate::store) use text_enum;

/// Stores a type as the text of its `as_str`, and reads it from its `ALL`.
macro_rules! text_column {
    ($name:ident) => {
        impl $name {
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|each| each.as_str() == text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<DB: diesel::backend::Backend> diesel::serialize::ToSql<diesel::sql_types::Text, DB> for $name
        where
            str: diesel::serialize::ToSql<diesel::sql_types::Text, DB>,
        {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, DB>,
            ) -> diesel::serialize::Result {
                self.as_str().to_sql(out)
            }
        }

        impl<DB: diesel::backend::Backend> diesel::deserialize::FromSql<diesel::sql_types::Text, DB> for $name
        where
            String: diesel::deserialize::FromSql<diesel::sql_types::Text, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                let text = String::from_sql(bytes)?;
                Self::parse(&text)
                    .ok_or_else(|| format!("{text:?} is not a valid {}", stringify!($name)).into())
            }
        }
    };
}
pub(in crate::store) use text_column;

text_enum! {
    Plan { Free = "free", Pro = "pro", Enterprise = "enterprise" }
}

text_enum! {
    /// The role in a membership row. The team row names the owner.
    MemberRole { Member = "member", Admin = "admin" }
}

text_enum! {
    /// A `Token` is revealed once. The owner and admins can reveal the `TeamKey` again.
    TokenKind { Token = "token", TeamKey = "team_key" }
}

text_enum! {
    ActorKind {
        Person = "person",
        Token = "token",
        Operator = "operator",
        /// Gatepost itself, for incoming mail and jobs.
        System = "gatepost",
        Visitor = "visitor",
    }
}

text_enum! {
    Direction { In = "in", Out = "out" }
}

text_enum! {
    /// The first three are states of incoming mail, the others of outgoing mail.
    MessageState {
        Delivered = "delivered",
        /// Accepted, but from a blocked contact.
        Denied = "denied",
        /// Refused to its sender, and stored for inspection.
        Rejected = "rejected",
        Queued = "queued",
        Sent = "sent",
        Failed = "failed",
        Bounced = "bounced",
        Scheduled = "scheduled",
        Cancelled = "cancelled",
    }
}

impl MessageState {
    /// Whether an incoming message is from a blocked contact or was refused; see
    /// [`MailUsage`](super::mailroom::mail_usage::MailUsage).
    pub fn is_blocked_or_rejected(self) -> bool {
        matches!(self, Self::Denied | Self::Rejected)
    }
}

text_enum! {
    /// `Blocked` has refused mail and mail of blocked contacts.
    Folder { Inbox = "inbox", Archive = "archive", Blocked = "blocked" }
}

impl From<MessageState> for Folder {
    /// The folder of a message on arrival.
    fn from(state: MessageState) -> Self {
        if state.is_blocked_or_rejected() { Self::Blocked } else { Self::Inbox }
    }
}

text_enum! {
    /// Whether a conversation still needs attention.
    ConversationState { Open = "open", Resolved = "resolved" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_to_the_microsecond() {
        for (micros, text) in [
            (1_790_000_000_000_000, "2026-09-21T14:13:20Z"),
            (1_790_000_000_400_000, "2026-09-21T14:13:20.4Z"),
            (1_790_000_000_000_001, "2026-09-21T14:13:20.000001Z"),
            (1_790_000_000_123_456, "2026-09-21T14:13:20.123456Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(Timestamp::from_micros(micros).to_string(), text);
        }
    }
}
