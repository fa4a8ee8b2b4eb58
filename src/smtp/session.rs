//! A session of SMTP (RFC 5321) or LMTP (RFC 2033), which differ only in their greeting and the number of replies to a
//! message.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use smtp_proto::{
    EXT_8BIT_MIME, EXT_ENHANCED_STATUS_CODES, EXT_PIPELINING, EXT_SIZE, EXT_SMTP_UTF8, EXT_START_TLS,
    EhloResponse, Request,
};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::command::parse_command;
use super::data::{Data, Ending};
use super::limits::Limits;
use super::outcomes::{combined_reply, is_http, outcome_reply, syntax_error, unroutable_reply};
use super::protocol::Protocol;
use super::reply::{self, Reply};
use super::session_limits::SessionLimits;
use super::tls::Tls;
use super::transaction::Transaction;
use super::wire::{Disconnected, Line, Stream, Wire};
use crate::app::App;
use crate::app::inbound::Envelope;
use crate::app::intake::Submission;
use crate::app::limits::connections::Slot;
use crate::app::limits::hourly::Hourly;
use crate::app::limits::memory::{Memory, MessageMemory};
use crate::domain::mailroom::messages::MessageId;
use crate::domain::mailroom::parse::has_message_id;
use crate::domain::mailroom::route::Recipient;
use crate::domain::network::site;
use crate::domain::people::teams::TeamId;

/// The code after which a server closes the connection (RFC 5321, section 3.8).
const CLOSING: u16 = 421;
const EVICTION_TIMEOUT: Duration = Duration::from_secs(1);

pub struct SmtpContext {
    pub app: App,
    pub host: String,
    pub limits: Limits,
    pub tls: Option<Tls>,
    /// The memory of incoming messages.
    pub memory: Memory,
    /// Counted by site, because address guessers use many connections.
    pub unknown_recipients: Hourly<u32>,
    pub stopping: watch::Receiver<bool>,
}

pub struct Session {
    context: Arc<SmtpContext>,
    protocol: Protocol,
    wire: Wire,
    ip: IpAddr,
    secured: bool,
    /// The name in the peer's greeting, and whether it was EHLO or LHLO.
    greeting: Option<(String, bool)>,
    transaction: Option<Transaction>,
    /// Messages without an id whose reply the peer may not have received.
    unacknowledged: Vec<(TeamId, MessageId)>,
    slot: Arc<Slot>,
    session_limits: SessionLimits,
}

#[derive(PartialEq, Eq)]
enum Next {
    Continue,
    /// Closes although the peer may still be sending.
    Close,
    /// The peer has sent QUIT.
    Quit,
}

impl Session {
    pub fn new(
        context: Arc<SmtpContext>,
        protocol: Protocol,
        stream: Box<dyn Stream>,
        ip: IpAddr,
        slot: Slot,
    ) -> Self {
        Self {
            session_limits: SessionLimits::new(context.limits.clone()),
            context,
            protocol,
            wire: Wire::new(stream),
            ip,
            secured: false,
            greeting: None,
            transaction: None,
            unacknowledged: Vec::new(),
            slot: Arc::new(slot),
        }
    }

    pub async fn run(mut self) {
        let slot = self.slot.clone();
        let ended = tokio::select! {
            biased;
            () = slot.evicted() => return self.evict().await,
            ended = self.run_commands() => ended,
        };
        match ended {
            Ok(Next::Quit) => return self.wire.hang_up().await,
            Ok(_) => {}
            Err(Disconnected::TimedOut) => self.wire.say(&reply::TIMED_OUT),
            Err(cause) => return tracing::debug!(%cause, ip = %self.ip, "a mail connection failed"),
        }
        self.wire.close().await;
    }

    /// Uses a short timeout, because a new connection waits for this one to end.
    async fn evict(mut self) {
        self.wire.say(&reply::EVICTED);
        let _ = timeout(EVICTION_TIMEOUT, self.wire.hang_up()).await;
    }

    async fn run_commands(&mut self) -> Result<Next, Disconnected> {
        let name = if self.protocol == Protocol::Smtp { "ESMTP" } else { "LMTP" };
        // A stopping server sends no greeting, because the next line closes the connection.
        if !*self.context.stopping.borrow() {
            self.wire.say(&Reply::new(220, "", format!("{} {name} Gatepost", self.context.host)));
        }
        while let Some(line) = self.next_line().await? {
            // The next command shows that the peer has received the reply to its message.
            self.context.app.acknowledge(std::mem::take(&mut self.unacknowledged)).await;
            let next = self.handle(line).await?;
            if next != Next::Continue {
                return Ok(next);
            }
        }
        Ok(Next::Close)
    }

    /// Returns `None` if the process is stopping and there is no transaction.
    async fn next_line(&mut self) -> Result<Option<Line>, Disconnected> {
        let until = self.session_limits.command_deadline().ok_or(Disconnected::TimedOut)?;
        if self.transaction.is_some() {
            return self.wire.line(until).await.map(Some);
        }
        let mut stopping = self.context.stopping.clone();
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => {
                self.wire.say(&reply::STOPPING);
                Ok(None)
            }
            line = self.wire.line(until) => line.map(Some),
        }
    }

    async fn handle(&mut self, line: Line) -> Result<Next, Disconnected> {
        let line = match line {
            Line::Whole(line) => line,
            Line::TooLong => return Ok(self.say(&reply::LINE_TOO_LONG)),
            Line::Bare => return Ok(self.say(&reply::BARE_LINE)),
        };
        match parse_command(&line) {
            Ok(request) => self.execute(request, &line).await,
            Err(_) if is_http(&line) => {
                self.wire.say(&reply::NOT_SMTP);
                Ok(Next::Close)
            }
            Err(error) => Ok(self.say(&syntax_error(error))),
        }
    }

    async fn execute(&mut self, request: Request<String>, line: &[u8]) -> Result<Next, Disconnected> {
        if self.session_limits.counts_too_many_idle_commands(&request) {
            return Ok(self.say(&reply::TOO_MANY_COMMANDS));
        }
        let reply = match request {
            Request::Ehlo { host } if self.protocol == Protocol::Smtp => return Ok(self.greet(host)),
            Request::Lhlo { host } if self.protocol == Protocol::Lmtp => return Ok(self.greet(host)),
            Request::Helo { host } if self.protocol == Protocol::Smtp => {
                self.start_over(host, false);
                Reply::new(250, "", self.context.host.clone())
            }
            Request::StartTls => return self.start_tls().await,
            Request::Mail { from } => self.mail(from),
            Request::Rcpt { to } => self.rcpt(to, line).await,
            Request::Data => return self.data().await,
            Request::Rset => {
                self.transaction = None;
                reply::OK
            }
            Request::Noop { .. } => reply::OK,
            Request::Help { .. } => reply::HELP,
            Request::Vrfy { .. } => reply::CANNOT_VERIFY,
            Request::Quit => {
                self.wire.say(&reply::GOODBYE);
                return Ok(Next::Quit);
            }
            _ => reply::NOT_IMPLEMENTED,
        };
        Ok(self.say(&reply))
    }

    /// Sends a reply, and closes the session after too many errors.
    fn say(&mut self, reply: &Reply) -> Next {
        self.wire.say(reply);
        if reply.code == CLOSING {
            return Next::Close;
        }
        if !self.session_limits.counts_too_many_errors(reply) {
            return Next::Continue;
        }
        self.wire.say(&reply::TOO_MANY_ERRORS);
        Next::Close
    }

    fn greet(&mut self, name: String) -> Next {
        self.start_over(name, true);
        let mut response = EhloResponse::new(self.context.host.as_str());
        response.size = self.context.limits.size;
        response.capabilities =
            EXT_SIZE | EXT_8BIT_MIME | EXT_PIPELINING | EXT_SMTP_UTF8 | EXT_ENHANCED_STATUS_CODES;
        if self.context.tls.is_some() && !self.secured {
            response.capabilities |= EXT_START_TLS;
        }
        response.write(self.wire.output()).expect("writing to memory can't fail");
        Next::Continue
    }

    fn start_over(&mut self, name: String, extended: bool) {
        self.greeting = Some((name, extended));
        self.transaction = None;
    }

    async fn start_tls(&mut self) -> Result<Next, Disconnected> {
        let context = self.context.clone();
        let Some(tls) = &context.tls else { return Ok(self.say(&reply::NOT_IMPLEMENTED)) };
        if self.secured {
            return Ok(self.say(&reply::ALREADY_SECURE));
        }
        if self.wire.has_more() {
            // This line was sent in the clear, perhaps by an attacker.
            self.wire.say(&reply::PIPELINED_TLS);
            return Ok(Next::Close);
        }
        self.wire.say(&reply::READY_FOR_TLS);
        self.wire.flush().await?;
        let clear = std::mem::replace(&mut self.wire, Wire::new(Box::new(tokio::io::empty())));
        self.wire = Wire::new(tls.accept(clear.into_stream()).await?);
        (self.secured, self.greeting, self.transaction) = (true, None, None);
        Ok(Next::Continue)
    }

    fn mail(&mut self, from: smtp_proto::MailFrom<String>) -> Reply {
        if self.greeting.is_none() {
            return reply::GREET_FIRST;
        }
        if self.transaction.is_some() {
            return reply::NESTED_MAIL;
        }
        if self.protocol == Protocol::Smtp && self.context.app.is_over_hourly_limit(self.ip) {
            return reply::HOURLY_LIMIT;
        }
        match Transaction::begin(from, self.context.limits.size) {
            Ok(transaction) => {
                self.transaction = Some(transaction);
                reply::SENDER_OK
            }
            Err(refusal) => refusal,
        }
    }

    async fn rcpt(&mut self, to: smtp_proto::RcptTo<String>, line: &[u8]) -> Reply {
        let Some(transaction) = &self.transaction else { return reply::SENDER_FIRST };
        if self.client_ip().is_some() && self.session_limits.has_too_many_unknown() {
            return reply::TOO_MANY_UNKNOWN;
        }
        if transaction.recipients.len() >= self.context.limits.recipients {
            return reply::TOO_MANY_RECIPIENTS;
        }
        let app = &self.context.app;
        let address = match transaction.address(to, line, &app.config().mail.domain) {
            Ok(address) => address,
            Err(refusal) => return refusal,
        };
        match app.route_recipient(&address).await {
            Ok(Ok(recipient)) => {
                self.transaction.iter_mut().for_each(|it| it.recipients.push(recipient.clone()));
                reply::RECIPIENT_OK
            }
            Ok(Err(why)) => {
                let refusal = unroutable_reply(why);
                if refusal == reply::UNKNOWN_RECIPIENT && self.counts_unknown_recipient() {
                    return reply::TOO_MANY_UNKNOWN;
                }
                refusal.about(&address)
            }
            Err(cause) => {
                tracing::warn!(%cause, "could not look up a recipient");
                reply::STORE_UNAVAILABLE
            }
        }
    }

    /// Counts an unknown recipient. Over the limit, each further one closes the connection, but existing recipients still
    /// get mail, because legitimate senders can share the network.
    fn counts_unknown_recipient(&mut self) -> bool {
        // The LMTP peer is the operator's own server, which may forward guesses of others.
        let Some(ip) = self.client_ip() else { return false };
        self.session_limits.count_unknown();
        let (now, limit) = (self.context.app.now(), self.context.limits.unknown_an_hour);
        self.context.unknown_recipients.update(site(ip), now, |count| {
            *count += 1;
            *count > limit
        })
    }

    async fn data(&mut self) -> Result<Next, Disconnected> {
        let ready = self.transaction.take_if(|transaction| !transaction.recipients.is_empty());
        let Some(transaction) = ready else {
            let missing =
                if self.transaction.is_some() { reply::RECIPIENT_FIRST } else { reply::SENDER_FIRST };
            return Ok(self.say(&missing));
        };
        self.wire.say(&reply::GO_AHEAD);
        let limits = &self.context.limits;
        // Reserved until the reply has been sent, because parts of the message can be in memory until then.
        let memory = self.context.memory.for_message(self.client_ip());
        let data = Data::new(limits.size, memory.clone());
        let until = Instant::now() + limits.message;
        let ending = self.wire.message(data, until, || self.slot.touch()).await?;
        let (bare, names) = (ending == Ending::Bare, names(&transaction.recipients));
        let replies = match ending {
            Ending::Whole(raw) => self.deliver(transaction, raw, memory.clone()).await,
            Ending::TooLarge => vec![reply::TOO_LARGE; names.len()],
            Ending::OutOfMemory => vec![reply::OUT_OF_MEMORY; names.len()],
            Ending::Bare => vec![reply::BARE_ENDING; names.len()],
        };
        if replies.iter().any(|reply| !reply.is_refusal()) {
            self.session_limits.accepted_message();
        }
        let next = self.send_replies(&names, &replies);
        self.wire.flush().await?;
        drop(memory);
        Ok(if bare { Next::Close } else { next })
    }

    /// Delivers the message and returns the reply for each recipient.
    async fn deliver(&mut self, transaction: Transaction, raw: Vec<u8>, memory: MessageMemory) -> Vec<Reply> {
        let slot = self.slot.clone();
        let _busy = slot.busy();
        let (helo, extended) = self.greeting.clone().unwrap_or_default();
        let envelope = Envelope { from: transaction.from, helo, ip: self.client_ip(), tls: self.secured };
        let with = self.protocol.name(extended, self.secured, transaction.utf8);
        let teams: Vec<_> = transaction.recipients.iter().map(|to| to.team).collect();
        let has_id = has_message_id(&raw);
        let submission =
            Submission { envelope, with, peer: Some(self.ip), raw, to: transaction.recipients, memory };
        let outcomes = self.context.app.accept_message(submission).await;
        if !has_id {
            let stored = teams
                .into_iter()
                .zip(&outcomes)
                .filter_map(|(team, it)| Some((team, it.as_ref().ok()?.stored()?)));
            self.unacknowledged.extend(stored);
        }
        outcomes.into_iter().map(outcome_reply).collect()
    }

    /// The IP address of the sender; `None` for LMTP, whose peer is the operator's own server.
    fn client_ip(&self) -> Option<IpAddr> {
        (self.protocol == Protocol::Smtp).then_some(self.ip)
    }

    /// Sends one reply per recipient for LMTP, and one for all for SMTP.
    fn send_replies(&mut self, names: &[String], replies: &[Reply]) -> Next {
        if self.protocol == Protocol::Smtp {
            return self.say(&combined_reply(replies));
        }
        let each = names.iter().zip(replies).map(|(name, reply)| self.say(&reply.about(name)));
        if each.filter(|next| *next == Next::Close).count() > 0 { Next::Close } else { Next::Continue }
    }
}

fn names(recipients: &[Recipient]) -> Vec<String> {
    recipients.iter().map(|recipient| recipient.address.clone()).collect()
}
