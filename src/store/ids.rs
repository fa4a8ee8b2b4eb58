//! Ids: a UUIDv7 (RFC 9562, section 5.7) in 16 bytes, shown with the prefix of its noun.

use std::fmt;

use super::columns::Timestamp;

const LAST_MICRO: i64 = (1 << 48) * 1000 - 1;

/// A UUIDv7 of `at`. The 12 bits after the milliseconds hold the microseconds (RFC 9562, section 6.2,
/// method 3), so that ids sort by time.
///
/// Can express times from 1970 to 10889. Others become the first or last of these, so that ranges over time are correct.
pub(in crate::store) fn uuid_v7(at: Timestamp, random: [u8; 8]) -> [u8; 16] {
    let micros = at.micros().clamp(0, LAST_MICRO) as u64;
    let (millis, fraction) = (micros / 1000, (micros % 1000 * 4096 / 1000) as u16);
    let mut id = [0; 16];
    id[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    id[6..8].copy_from_slice(&(0x7000 | fraction).to_be_bytes());
    id[8..].copy_from_slice(&random);
    id[8] = 0x80 | (id[8] & 0x3f);
    id
}

/// The time at which an id was created, to the microsecond.
pub(in crate::store) fn moment(id: [u8; 16]) -> Timestamp {
    let [a, b, c, d, e, f, g, h, ..] = id;
    let millis = i64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    // A microsecond is more than four 4096ths of a millisecond, so none is lost.
    let fraction = i64::from(u16::from_be_bytes([g, h]) & 0x0fff);
    Timestamp::from_micros(millis * 1000 + (fraction * 1000 + 4095) / 4096)
}

/// A buffer for any id as text.
#[derive(Clone, Copy)]
pub struct Room([u8; 40]);

impl Default for Room {
    fn default() -> Self {
        Self([0; 40])
    }
}

/// Writes an id into the caller's buffer without `fmt`, because every response contains several.
pub(in crate::store) fn write_into<'r>(prefix: &str, id: [u8; 16], room: &'r mut Room) -> &'r str {
    let (start, digits) = room.0.split_at_mut(prefix.len());
    start.copy_from_slice(prefix.as_bytes());
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(id) {
        *pair = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    }
    std::str::from_utf8(&room.0[..prefix.len() + 32]).expect("ids are ASCII")
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

pub(in crate::store) fn parse_hex(text: &str) -> Option<[u8; 16]> {
    let plain = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    plain.then(|| u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes))?
}

/// An id that the API shows.
pub(crate) trait PublicId: Copy + fmt::Display + Send + 'static {
    const NOUN: &'static str;
    const EXAMPLE: &'static str;

    /// The inverse of [`fmt::Display`]. `None` for any other text.
    fn parse(text: &str) -> Option<Self>;
}

/// Declares the ids of a noun with their prefix, and for the API, the noun and the end of an example.
macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $noun:literal, $example:literal) => {
        $crate::store::ids::id_type!($(#[$doc])* $name, $prefix);

        impl $crate::store::ids::PublicId for $name {
            const NOUN: &'static str = $noun;
            const EXAMPLE: &'static str = concat!($prefix, "019f2a4c1d877e02b6f03a9d1c55e7", $example);

            fn parse(text: &str) -> Option<Self> {
                Self::parse(text)
            }
        }
    };
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = diesel::sql_types::Binary)]
        pub struct $name([u8; 16]);

        impl $name {
            pub fn new(at: $crate::store::columns::Timestamp, random: [u8; 8]) -> Self {
                Self($crate::store::ids::uuid_v7(at, random))
            }

            /// The smallest id created at `at`, for the start of a range over time.
            pub fn floor(at: $crate::store::columns::Timestamp) -> Self {
                Self($crate::store::ids::uuid_v7(at, [0; 8]))
            }

            pub fn moment(self) -> $crate::store::columns::Timestamp {
                $crate::store::ids::moment(self.0)
            }

            /// The inverse of [`std::fmt::Display`]. `None` for any other text.
            pub fn parse(text: &str) -> Option<Self> {
                $crate::store::ids::parse_hex(text.strip_prefix($prefix)?).map(Self)
            }

            /// The text of [`std::fmt::Display`].
            pub fn write_into(self, room: &mut $crate::store::ids::Room) -> &str {
                $crate::store::ids::write_into($prefix, self.0, room)
            }

            pub const fn bytes(self) -> [u8; 16] {
                self.0
            }

            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.write_into(&mut $crate::store::ids::Room::default()))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.write_into(&mut $crate::store::ids::Room::default()))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an id of this kind"))
            }
        }

        impl<DB: diesel::backend::Backend> diesel::serialize::ToSql<diesel::sql_types::Binary, DB> for $name
        where
            [u8]: diesel::serialize::ToSql<diesel::sql_types::Binary, DB>,
        {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, DB>,
            ) -> diesel::serialize::Result {
                <[u8] as diesel::serialize::ToSql<diesel::sql_types::Binary, DB>>::to_sql(&self.0, out)
            }
        }

        impl<DB: diesel::backend::Backend> diesel::deserialize::FromSql<diesel::sql_types::Binary, DB>
            for $name
        where
            Vec<u8>: diesel::deserialize::FromSql<diesel::sql_types::Binary, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                let bytes = Vec::<u8>::from_sql(bytes)?;
                Ok(Self(bytes.as_slice().try_into()?))
            }
        }
    };
}
pub(in crate::store) use id_type;

id_type!(UserId, "usr_", "person", "ac");
id_type!(TeamId, "team_", "team", "aa");
id_type!(InvitationId, "inv_");
id_type!(SessionId, "ses_");
id_type!(TokenId, "tok_", "token", "ab");
id_type!(DomainId, "dom_", "domain", "b2");
id_type!(AliasId, "alias_", "alias", "ad");
id_type!(ConversationId, "conv_", "conversation", "b0");
id_type!(MessageId, "msg_", "message", "af");
id_type!(AttachmentId, "att_", "attachment", "b1");
id_type!(JobId, "job_");
id_type!(
    /// A claim of jobs by a process.
    WorkerId,
    "worker_"
);
id_type!(
    /// A process that caches verified tokens.
    LeaseId,
    "lease_"
);
id_type!(
    /// A record of activity. The record of an API request has the bytes of its [`RequestId`].
    ActivityId,
    "act_"
);
id_type!(
    /// An HTTP request, in logs and responses.
    RequestId,
    "req_"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_parse_back_and_sort_by_time() {
        let early = TokenId::new(Timestamp::from_micros(1_700_000_000_000_001), [0xff; 8]);
        let late = TokenId::new(Timestamp::from_micros(1_700_000_000_000_003), [0; 8]);
        assert!(early < late);
        assert_eq!(TokenId::parse(&early.to_string()), Some(early));
        assert_eq!(early.bytes()[6] >> 4, 7, "version 7");
        assert_eq!(early.bytes()[8] >> 6, 0b10, "variant of RFC 9562");
    }

    #[test]
    fn an_id_contains_its_time_to_the_microsecond() {
        for micros in
            (0..1000).map(|fraction| 1_700_000_000_123_000 + fraction).chain([0, 2_209_111_200_999_999])
        {
            let at = Timestamp::from_micros(micros);
            assert_eq!(TokenId::new(at, [0xff; 8]).moment(), at);
        }
    }

    #[test]
    fn times_out_of_range_become_the_nearest() {
        let floor = |micros| TokenId::floor(Timestamp::from_micros(micros));
        for before in [-1, -1000, -62_135_596_800_000_000, i64::MIN] {
            assert_eq!(floor(before), floor(0), "{before}");
        }
        assert!(floor(0) < floor(1) && floor(253_402_300_800_000_000) < floor(LAST_MICRO));
        assert_eq!(floor(i64::MAX), floor(LAST_MICRO));
    }

    #[test]
    fn ids_have_one_spelling() {
        let id = TokenId::new(Timestamp::from_micros(1), [1; 8]).to_string();
        assert_eq!(UserId::parse(&id), None);
        assert_eq!(TokenId::parse(&id.to_uppercase()), None);
        assert_eq!(TokenId::parse(&format!("{id}0")), None);
        assert_eq!(TokenId::parse("tok_+0000000000000000000000000000001"), None);
    }
}
