//! A mail server, and sessions with it, byte by byte.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use gatepost::app::App;
use gatepost::config::TlsFiles;
use gatepost::smtp::{Limits, Listeners, MailServer, Tls};

use super::TestApp;
use super::database::Database;
use super::process::Serving;

/// The timeout for replies that must arrive.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Opens SMTP and LMTP on free ports.
pub fn open(app: &App) -> MailServer {
    open_with(app, None, |_| {})
}

/// Like [`open`], with a certificate or with other limits.
pub fn open_with(app: &App, tls: Option<&TlsFiles>, change: impl FnOnce(&mut Limits)) -> MailServer {
    let port = || Some(TcpListener::bind("127.0.0.1:0").expect("a free port"));
    let listeners = Listeners { smtp: port(), lmtp: port() };
    let mut limits = Limits::for_size(app.config().mail.max_size);
    change(&mut limits);
    let tls = tls.map(|files| Tls::load(files).expect("a certificate"));
    MailServer::open(app.clone(), listeners, tls, limits).expect("a mail server")
}

pub fn smtp(server: &MailServer) -> SocketAddr {
    server.smtp.expect("an SMTP port")
}

pub fn lmtp(server: &MailServer) -> SocketAddr {
    server.lmtp.expect("an LMTP port")
}

/// Returns the SMTP address that a process prints.
pub fn of(server: &Serving) -> SocketAddr {
    let printed = server.stdout();
    let address = printed.lines().find_map(|line| line.strip_prefix("Mail by SMTP on "));
    address.expect("an SMTP port").parse().expect("an address")
}

/// A connection, with or without TLS.
pub struct Talk<S = TcpStream> {
    stream: S,
    read: Vec<u8>,
}

impl Talk {
    /// Connects without reading the greeting.
    pub fn connect(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).expect("a connection");
        stream.set_read_timeout(Some(TIMEOUT)).expect("a time limit");
        Self::over(stream)
    }

    /// Connects from another address of this machine.
    pub fn from(ip: IpAddr, to: SocketAddr) -> Self {
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::new(ip, 0).into()).expect("a free port");
        socket.connect(&to.into()).expect("a connection");
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(TIMEOUT)).expect("a time limit");
        Self::over(stream)
    }

    /// Connects and greets by SMTP.
    pub fn smtp(to: SocketAddr) -> Self {
        let mut talk = Self::connect(to);
        talk.expect("220");
        talk.say("EHLO client.test").expect("250");
        talk
    }

    /// Connects and greets by LMTP.
    pub fn lmtp(to: SocketAddr) -> Self {
        let mut talk = Self::connect(to);
        talk.expect("220");
        talk.say("LHLO client.test").expect("250");
        talk
    }

    pub fn into_stream(self) -> TcpStream {
        assert!(self.read.is_empty(), "{:?}", String::from_utf8_lossy(&self.read));
        self.stream
    }

    /// Stops sending, but still reads.
    pub fn hang_up(&self) {
        self.stream.shutdown(std::net::Shutdown::Write).expect("a connection");
    }
}

impl<S: Read + Write> Talk<S> {
    pub fn over(stream: S) -> Self {
        Self { stream, read: Vec::new() }
    }

    /// Sends exactly these bytes. An error is ignored, because the server may have replied and closed
    /// already.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        match self.stream.write_all(bytes.as_ref()).and_then(|()| self.stream.flush()) {
            Err(cause) if !matches!(cause.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
                panic!("{cause}")
            }
            _ => self,
        }
    }

    /// Sends a line.
    pub fn say(&mut self, line: &str) -> &mut Self {
        self.send(format!("{line}\r\n"))
    }

    /// Returns the next reply with its line endings; empty if the server has closed the connection.
    pub fn reply(&mut self) -> String {
        let mut reply = String::new();
        while let Some(line) = self.line() {
            reply.push_str(&line);
            if line.as_bytes().get(3) != Some(&b'-') {
                break;
            }
        }
        reply
    }

    /// Checks the beginning of the next reply, and returns it.
    #[track_caller]
    pub fn expect(&mut self, start: &str) -> String {
        let reply = self.reply();
        assert!(reply.starts_with(start), "expected {start}, not {reply:?}");
        reply
    }

    /// Checks that the server closes the connection.
    #[track_caller]
    pub fn expect_end(&mut self) {
        assert_eq!(self.reply(), "");
    }

    /// Sends MAIL and RCPT, which must be accepted.
    pub fn envelope(&mut self, from: &str, to: &[&str]) -> &mut Self {
        self.say(&format!("MAIL FROM:<{from}>")).expect("250 2.1.0");
        for to in to {
            self.say(&format!("RCPT TO:<{to}>")).expect("250 2.1.5");
        }
        self
    }

    /// Sends DATA, the message unchanged, and its end.
    pub fn data(&mut self, message: impl AsRef<[u8]>) -> &mut Self {
        self.say("DATA").expect("354");
        self.send(message).send("\r\n.\r\n")
    }

    fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.read.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.read.drain(..end + 2).collect();
                return Some(String::from_utf8(line).expect("UTF-8"));
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                Ok(read) => self.read.extend_from_slice(&bytes[..read]),
                Err(cause) if cause.kind() == ErrorKind::ConnectionReset => return None,
                Err(cause) => panic!("no reply: {cause}"),
            }
        }
    }
}

pub fn letter(subject: &str) -> String {
    format!(
        "From: Bob <bob@example.test>\r\nTo: hello@gatepost.localhost\r\nSubject: {subject}\r\nMessage-ID: <{subject}@example.test>\r\n\r\nHello\r\n"
    )
}

impl TestApp {
    /// Returns ids and subjects of the stored messages, in the order of arrival.
    pub fn stored(&self) -> Vec<(String, String)> {
        stored(&self.database)
    }

    /// Returns the results of verifying the sender of the only message with this subject.
    pub fn authentication(&self, subject: &str) -> serde_json::Value {
        let from = "message_contents c JOIN messages m ON m.seq = c.seq";
        let found = self
            .database
            .texts(&format!("SELECT c.authentication AS t FROM {from} WHERE m.subject = '{subject}'"));
        let [one] = &found[..] else { panic!("{} messages with the subject {subject}", found.len()) };
        serde_json::from_str(one).expect("JSON")
    }

    /// Returns the only message with this subject, as stored.
    pub fn raw(&self, subject: &str) -> Vec<u8> {
        let from = "message_contents c JOIN messages m ON m.seq = c.seq";
        let (raw, subject) = (self.database.hex("c.raw"), subject.replace('\'', ""));
        let found =
            self.database.texts(&format!("SELECT {raw} AS t FROM {from} WHERE m.subject = '{subject}'"));
        let first = found.first().expect("a message");
        assert!(found.iter().all(|each| each == first), "different messages with one subject");
        let byte = |at: usize| u8::from_str_radix(&first[at..at + 2], 16).expect("digits");
        (0..first.len()).step_by(2).map(byte).collect()
    }
}

pub fn stored(database: &Database) -> Vec<(String, String)> {
    let id = database.hex("id");
    let rows =
        database.texts(&format!("SELECT 'msg_' || {id} || ' ' || subject AS t FROM messages ORDER BY seq"));
    let pair = |row: String| row.split_once(' ').map(|(id, subject)| (id.to_owned(), subject.to_owned()));
    rows.into_iter().map(|row| pair(row).expect("an id and a subject")).collect()
}
