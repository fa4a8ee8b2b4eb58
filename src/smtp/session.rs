//! One conversation, in SMTP (RFC 5321) or LMTP (RFC 2033): the same code, since they differ
//! in their greeting and in how many answers a message gets.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use smtp_proto::{
    EXT_8BIT_MIME, EXT_ENHANCED_STATUS_CODES, EXT_PIPELINING, EXT_SIZE, EXT_SMTP_UTF8, EXT_START_TLS,
    EhloResponse, Request,
};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::answers::{answered, is_http, malformed, summary, unroutable};
use super::data::{Data, Ending};
use super::guesses::Guesses;
use super::limits::Limits;
use super::reply::{self, Reply};
use super::tls::Tls;
use super::transaction::Transaction;
use super::used::Used;
use super::wire::{Gone, Line, Stream, Wire};
use crate::app::App;
use crate::app::intake::Handed;
use crate::app::mail::Envelope;
use crate::app::memory::{Memory, Share};
use crate::app::places::Place;
use crate::domain::mailroom::receive::Recipient;

/// The code after which a server closes (RFC 5321, section 3.8).
const CLOSING: u16 = 421;
const GIVING_WAY: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Smtp,
    Lmtp,
}

/// What all sessions share.
pub struct House {
    pub app: App,
    pub host: String,
    pub limits: Limits,
    pub tls: Option<Tls>,
    /// For messages on their way in.
    pub memory: Memory,
    pub guesses: Guesses,
    pub stopping: watch::Receiver<bool>,
}

pub struct Session {
    house: Arc<House>,
    protocol: Protocol,
    wire: Wire,
    ip: IpAddr,
    secured: bool,
    /// By what name the peer greeted, and whether with EHLO or LHLO.
    greeting: Option<(String, bool)>,
    transaction: Option<Transaction>,
    place: Arc<Place>,
    used: Used,
}

/// Whether the conversation goes on.
#[derive(PartialEq, Eq)]
enum Next {
    GoOn,
    /// The peer may still be talking.
    End,
    /// The peer has said that it is done.
    Done,
}

impl Session {
    pub fn new(
        house: Arc<House>,
        protocol: Protocol,
        stream: Box<dyn Stream>,
        ip: IpAddr,
        place: Place,
    ) -> Self {
        Self {
            used: Used::new(house.limits.clone()),
            house,
            protocol,
            wire: Wire::new(stream),
            ip,
            secured: false,
            greeting: None,
            transaction: None,
            place: Arc::new(place),
        }
    }

    pub async fn run(mut self) {
        let place = self.place.clone();
        let ended = tokio::select! {
            biased;
            () = place.leave() => return self.give_way().await,
            ended = self.converse() => ended,
        };
        match ended {
            Ok(Next::Done) => return self.wire.hang_up().await,
            Ok(_) => {}
            Err(Gone::TimedOut) => self.wire.say(&reply::TIMED_OUT),
            Err(cause) => return tracing::debug!(%cause, ip = %self.ip, "a mail session broke off"),
        }
        self.wire.close().await;
    }

    /// A newcomer waits for the place, so a peer that does not read why is not waited for.
    async fn give_way(mut self) {
        self.wire.say(&reply::GIVES_WAY);
        let _ = timeout(GIVING_WAY, self.wire.hang_up()).await;
    }

    async fn converse(&mut self) -> Result<Next, Gone> {
        let name = if self.protocol == Protocol::Smtp { "ESMTP" } else { "LMTP" };
        // Nobody is asked in who is sent away with the next line.
        if !*self.house.stopping.borrow() {
            self.wire.say(&Reply::new(220, "", format!("{} {name} Gatepost", self.house.host)));
        }
        while let Some(line) = self.next_line().await? {
            let next = self.answer(line).await?;
            if next != Next::GoOn {
                return Ok(next);
            }
        }
        Ok(Next::End)
    }

    /// Nothing when the process ends and nothing is under way here.
    async fn next_line(&mut self) -> Result<Option<Line>, Gone> {
        let until = self.used.until().ok_or(Gone::TimedOut)?;
        if self.transaction.is_some() {
            return self.wire.line(until).await.map(Some);
        }
        let mut stopping = self.house.stopping.clone();
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => {
                self.wire.say(&reply::STOPPING);
                Ok(None)
            }
            line = self.wire.line(until) => line.map(Some),
        }
    }

    async fn answer(&mut self, line: Line) -> Result<Next, Gone> {
        let line = match line {
            Line::Whole(line) => line,
            Line::TooLong => return Ok(self.say(&reply::LINE_TOO_LONG)),
            Line::Bare => return Ok(self.say(&reply::BARE_LINE)),
        };
        match Request::parse(&mut line.iter()) {
            Ok(request) => self.obey(request.into_owned(), &line).await,
            Err(_) if is_http(&line) => {
                self.wire.say(&reply::NOT_SMTP);
                Ok(Next::End)
            }
            Err(error) => Ok(self.say(&malformed(error))),
        }
    }

    async fn obey(&mut self, request: Request<String>, line: &[u8]) -> Result<Next, Gone> {
        if self.used.leads_nowhere(&request) {
            return Ok(self.say(&reply::TOO_MANY_COMMANDS));
        }
        let reply = match request {
            Request::Ehlo { host } if self.protocol == Protocol::Smtp => return Ok(self.greet(host)),
            Request::Lhlo { host } if self.protocol == Protocol::Lmtp => return Ok(self.greet(host)),
            Request::Helo { host } if self.protocol == Protocol::Smtp => {
                self.start_over(host, false);
                Reply::new(250, "", self.house.host.clone())
            }
            Request::StartTls => return self.start_tls().await,
            Request::Mail { from } => self.mail(from),
            Request::Rcpt { to } => self.rcpt(to, line).await,
            Request::Data => return self.data().await,
            Request::Rset => {
                self.transaction = None;
                reply::FINE
            }
            Request::Noop { .. } => reply::FINE,
            Request::Help { .. } => reply::HELP,
            Request::Vrfy { .. } => reply::NOT_TOLD,
            Request::Quit => {
                self.wire.say(&reply::GOODBYE);
                return Ok(Next::Done);
            }
            _ => reply::NOT_HERE,
        };
        Ok(self.say(&reply))
    }

    /// Says it; a peer that is refused too often is let go.
    fn say(&mut self, reply: &Reply) -> Next {
        self.wire.say(reply);
        if reply.code == CLOSING {
            return Next::End;
        }
        if !self.used.is_one_error_too_many(reply) {
            return Next::GoOn;
        }
        self.wire.say(&reply::TOO_MANY_ERRORS);
        Next::End
    }

    fn greet(&mut self, name: String) -> Next {
        self.start_over(name, true);
        let mut response = EhloResponse::new(self.house.host.as_str());
        response.size = self.house.limits.size;
        response.capabilities =
            EXT_SIZE | EXT_8BIT_MIME | EXT_PIPELINING | EXT_SMTP_UTF8 | EXT_ENHANCED_STATUS_CODES;
        if self.house.tls.is_some() && !self.secured {
            response.capabilities |= EXT_START_TLS;
        }
        response.write(self.wire.output()).expect("a vector takes everything");
        Next::GoOn
    }

    fn start_over(&mut self, name: String, extended: bool) {
        self.greeting = Some((name, extended));
        self.transaction = None;
    }

    async fn start_tls(&mut self) -> Result<Next, Gone> {
        let house = self.house.clone();
        let Some(tls) = &house.tls else { return Ok(self.say(&reply::NOT_HERE)) };
        if self.secured {
            return Ok(self.say(&reply::SECURE_ALREADY));
        }
        if self.wire.has_more() {
            // It was said in the clear, perhaps by somebody in between.
            self.wire.say(&reply::PIPELINED_TLS);
            return Ok(Next::End);
        }
        self.wire.say(&reply::READY_FOR_TLS);
        self.wire.flush().await?;
        let clear = std::mem::replace(&mut self.wire, Wire::new(Box::new(tokio::io::empty())));
        self.wire = Wire::new(tls.accept(clear.into_stream()).await?);
        (self.secured, self.greeting, self.transaction) = (true, None, None);
        Ok(Next::GoOn)
    }

    fn mail(&mut self, from: smtp_proto::MailFrom<String>) -> Reply {
        if self.greeting.is_none() {
            return reply::GREET_FIRST;
        }
        if self.transaction.is_some() {
            return reply::ONE_AT_A_TIME;
        }
        if self.protocol == Protocol::Smtp && self.house.app.has_sent_enough(self.ip) {
            return reply::SENT_TOO_MUCH;
        }
        match Transaction::begin(from, self.house.limits.size) {
            Ok(transaction) => {
                self.transaction = Some(transaction);
                reply::SENDER_FINE
            }
            Err(refusal) => refusal,
        }
    }

    async fn rcpt(&mut self, to: smtp_proto::RcptTo<String>, line: &[u8]) -> Reply {
        let Some(transaction) = &self.transaction else { return reply::SENDER_FIRST };
        if self.outside().is_some() && self.used.has_guessed_enough() {
            return reply::TOO_MANY_UNKNOWN;
        }
        if transaction.recipients.len() >= self.house.limits.recipients {
            return reply::TOO_MANY_RECIPIENTS;
        }
        let app = &self.house.app;
        let address = match transaction.address(to, line, &app.config().mail.domain) {
            Ok(address) => address,
            Err(refusal) => return refusal,
        };
        match app.route_recipient(&address).await {
            Ok(Ok(recipient)) => {
                self.transaction.iter_mut().for_each(|it| it.recipients.push(recipient.clone()));
                reply::RECIPIENT_FINE
            }
            Ok(Err(why)) => {
                let refusal = unroutable(why);
                if refusal == reply::NOBODY && self.is_a_guess_too_many() {
                    return reply::TOO_MANY_UNKNOWN;
                }
                refusal.about(&address)
            }
            Err(cause) => {
                tracing::warn!(%cause, "a recipient could not be looked up");
                reply::OUT_OF_REACH
            }
        }
    }

    /// Counts an unknown recipient. Past the limit of a network each costs it a connection, but
    /// recipients that exist still get their mail: honest senders can share the address.
    fn is_a_guess_too_many(&mut self) -> bool {
        // A server of the operator's hands on what others have guessed.
        let Some(ip) = self.outside() else { return false };
        let is_used_up = self.house.guesses.are_used_up(ip, self.house.limits.unknown_an_hour);
        self.used.count_unknown();
        self.house.guesses.count(ip);
        is_used_up
    }

    async fn data(&mut self) -> Result<Next, Gone> {
        let ready = self.transaction.take_if(|transaction| !transaction.recipients.is_empty());
        let Some(transaction) = ready else {
            let missing =
                if self.transaction.is_some() { reply::RECIPIENT_FIRST } else { reply::SENDER_FIRST };
            return Ok(self.say(&missing));
        };
        self.wire.say(&reply::GO_AHEAD);
        let limits = &self.house.limits;
        // Held until the answer has left: until then something of the message may be around.
        let share = self.house.memory.share(self.outside());
        let data = Data::new(limits.size, share.clone());
        let until = Instant::now() + limits.message;
        let ending = self.wire.message(data, until, || self.place.progress()).await?;
        let (bare, names) = (ending == Ending::Bare, names(&transaction.recipients));
        let replies = match ending {
            Ending::Whole(raw) => self.hand_in(transaction, raw, share.clone()).await,
            Ending::TooLarge => vec![reply::TOO_LARGE; names.len()],
            Ending::TooMuch => vec![reply::TOO_MUCH_AT_ONCE; names.len()],
            Ending::Bare => vec![reply::BARE_ENDING; names.len()],
        };
        if replies.iter().any(|reply| !reply.is_refusal()) {
            self.used.message_taken();
        }
        let next = self.say_all(&names, &replies);
        self.wire.flush().await?;
        drop(share);
        Ok(if bare { Next::End } else { next })
    }

    /// The answer for each recipient, all of it after the commit.
    async fn hand_in(&self, transaction: Transaction, raw: Vec<u8>, share: Share) -> Vec<Reply> {
        let _busy = self.place.busy();
        let (helo, extended) = self.greeting.clone().unwrap_or_default();
        let envelope = Envelope { from: transaction.from, helo, ip: self.outside(), tls: self.secured };
        let with = self.with(extended, transaction.utf8);
        let handed = Handed { envelope, with, peer: Some(self.ip), raw, to: transaction.recipients, share };
        self.house.app.take_in(handed).await.into_iter().map(answered).collect()
    }

    /// Where mail comes from. The peer of LMTP is the operator's own mail server.
    fn outside(&self) -> Option<IpAddr> {
        (self.protocol == Protocol::Smtp).then_some(self.ip)
    }

    /// The name of what was spoken, from RFC 3848 and RFC 6531.
    fn with(&self, extended: bool, utf8: bool) -> &'static str {
        match (self.protocol, extended, self.secured, utf8) {
            (Protocol::Smtp, false, ..) => "SMTP",
            (Protocol::Smtp, true, false, false) => "ESMTP",
            (Protocol::Smtp, true, true, false) => "ESMTPS",
            (Protocol::Smtp, true, false, true) => "UTF8SMTP",
            (Protocol::Smtp, true, true, true) => "UTF8SMTPS",
            (Protocol::Lmtp, _, false, false) => "LMTP",
            (Protocol::Lmtp, _, true, false) => "LMTPS",
            (Protocol::Lmtp, _, false, true) => "UTF8LMTP",
            (Protocol::Lmtp, _, true, true) => "UTF8LMTPS",
        }
    }

    /// LMTP answers for each recipient, SMTP once for all of them.
    fn say_all(&mut self, names: &[String], replies: &[Reply]) -> Next {
        if self.protocol == Protocol::Smtp {
            return self.say(&summary(replies));
        }
        let each = names.iter().zip(replies).map(|(name, reply)| self.say(&reply.about(name)));
        if each.filter(|next| *next == Next::End).count() > 0 { Next::End } else { Next::GoOn }
    }
}

fn names(recipients: &[Recipient]) -> Vec<String> {
    recipients.iter().map(|recipient| recipient.address.clone()).collect()
}
