//! Replies for errors and for the outcomes of a message.

use smtp_proto::Error;

use super::reply::{self, Reply};
use crate::app::inbound::{Delivered, Undelivered};
use crate::domain::mailroom::authors::Malformed;
use crate::domain::mailroom::receive::Outcome;
use crate::domain::mailroom::route::Unroutable;

/// Malicious pages can make browsers send mail commands in HTTP requests.
pub fn is_http(line: &[u8]) -> bool {
    [&b"GET "[..], b"POST ", b"PUT ", b"HEAD ", b"CONNECT ", b"OPTIONS "]
        .iter()
        .any(|word| line.starts_with(word))
}

pub fn syntax_error(error: Error) -> Reply {
    match error {
        Error::InvalidSenderAddress => reply::BAD_SENDER,
        Error::InvalidRecipientAddress => reply::BAD_RECIPIENT,
        Error::SyntaxError { syntax } => Reply::new(501, "5.5.4", format!("Syntax: {syntax}")),
        Error::InvalidParameter { param } => Reply::new(501, "5.5.4", format!("{param} is malformed")),
        Error::UnsupportedParameter { .. } => reply::UNKNOWN_PARAMETER,
        Error::ResponseTooLong => reply::LINE_TOO_LONG,
        _ => reply::UNKNOWN_COMMAND,
    }
}

pub fn unroutable_reply(why: Unroutable) -> Reply {
    match why {
        Unroutable::Full => reply::FULL,
        Unroutable::HourlyLimit => reply::HOURLY_LIMIT,
        Unroutable::Loop => reply::LOOP,
        Unroutable::Unknown | Unroutable::Disabled | Unroutable::Deleted | Unroutable::Suspended => {
            reply::UNKNOWN_RECIPIENT
        }
    }
}

pub fn outcome_reply(delivered: Delivered) -> Reply {
    match delivered {
        Ok(Outcome::Stored { message, .. } | Outcome::Duplicate { message }) => {
            Reply::new(250, "2.0.0", format!("Stored as {message}"))
        }
        Ok(Outcome::Rejected { reason, .. }) => Reply::new(550, "5.7.1", reason),
        Ok(Outcome::NotAccepted(why)) => unroutable_reply(why),
        Ok(Outcome::Malformed(Malformed::TooLarge)) => reply::HEADER_TOO_LARGE,
        Ok(Outcome::Malformed(why)) => Reply::new(550, "5.6.0", why.to_string()),
        Err(Undelivered::OutOfMemory) => reply::OUT_OF_MEMORY,
        Err(Undelivered::Unverified) => reply::UNVERIFIED,
        Err(Undelivered::Failed(_)) => reply::STORE_UNAVAILABLE,
    }
}

/// Returns one reply for all recipients of a message: "try again" if that can help one of them, because the others won't
/// get it twice; or else success if one of them has it.
pub fn combined_reply(replies: &[Reply]) -> Reply {
    let again = replies.iter().find(|reply| (400..500).contains(&reply.code));
    let taken: Vec<&Reply> = replies.iter().filter(|reply| !reply.is_refusal()).collect();
    match (again, &taken[..]) {
        (Some(again), _) => again.clone(),
        (None, [first, rest @ ..]) if !rest.is_empty() => {
            Reply { text: format!("{} and {} more", first.text, rest.len()).into(), ..(*first).clone() }
        }
        (None, [only]) => (*only).clone(),
        (None, _) => replies.first().cloned().unwrap_or(reply::STORE_UNAVAILABLE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reply_covers_all_recipients() {
        let taken = Reply::new(250, "2.0.0", "Stored as msg_1");
        let said = |replies: &[&Reply]| {
            combined_reply(&replies.iter().map(|&each| each.clone()).collect::<Vec<_>>())
        };
        assert_eq!(said(&[&taken]), taken);
        assert_eq!(said(&[&taken, &taken, &taken]).text, "Stored as msg_1 and 2 more");
        assert_eq!(said(&[&taken, &reply::FULL]), reply::FULL);
        assert_eq!(said(&[&reply::UNKNOWN_RECIPIENT, &taken]), taken);
        assert_eq!(said(&[&reply::UNKNOWN_RECIPIENT, &reply::UNKNOWN_RECIPIENT]), reply::UNKNOWN_RECIPIENT);
    }
}
