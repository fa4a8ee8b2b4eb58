//! The baseline for receiving mail, and its load generator:
//!
//! ```text
//! sink serve ADDRESS                 accepts mail by SMTP and drops it
//! sink dns ADDRESS                   a DNS server that knows no name
//! sink load ADDRESS SECONDS once|kept FILE     sends mail of 2 KiB to the addresses in FILE
//! ```

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::SOA;
use hickory_proto::rr::{Name, RData, Record};
use smtp_proto::request::receiver::{DataReceiver, RequestReceiver};
use smtp_proto::{EXT_8BIT_MIME, EXT_PIPELINING, EXT_SIZE, EhloResponse, Error, Request};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

const CONNECTIONS: u64 = 64;
const SIZE: usize = 2048;

#[tokio::main]
async fn main() -> io::Result<()> {
    let given: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    match given[..] {
        ["serve", address] => serve(address).await,
        ["dns", address] => dns(address).await,
        ["load", address, seconds, way, file] => load(address, seconds, way == "kept", file).await,
        _ => {
            println!("this is run by benches/mail");
            Ok(())
        }
    }
}

async fn serve(address: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(session(stream));
    }
}

/// The minimal cost of a session: parser and socket, without storage.
async fn session(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(b"220 sink ESMTP\r\n").await?;
    let (mut requests, mut data) = (RequestReceiver::default(), None::<(DataReceiver, Vec<u8>)>);
    let mut chunk = vec![0; 16 * 1024];
    let mut out = Vec::new();
    loop {
        let read = stream.read(&mut chunk).await?;
        if read == 0 {
            return Ok(());
        }
        let mut bytes = chunk[..read].iter();
        while bytes.len() > 0 {
            if let Some((receiver, message)) = &mut data {
                if receiver.ingest(&mut bytes, message) {
                    data = None;
                    out.extend_from_slice(b"250 2.0.0 OK\r\n");
                }
                continue;
            }
            match requests.ingest(&mut bytes) {
                Ok(Request::Ehlo { .. }) => {
                    let mut response = EhloResponse::new("sink");
                    response.capabilities = EXT_SIZE | EXT_8BIT_MIME | EXT_PIPELINING;
                    response.write(&mut out)?;
                }
                Ok(Request::Data) => {
                    data = Some((DataReceiver::new(), Vec::new()));
                    out.extend_from_slice(b"354 Go ahead\r\n");
                }
                Ok(Request::Quit) => {
                    out.extend_from_slice(b"221 2.0.0 Bye\r\n");
                    return stream.write_all(&out).await;
                }
                Ok(_) => out.extend_from_slice(b"250 2.0.0 OK\r\n"),
                Err(Error::NeedsMoreData { .. }) => break,
                Err(_) => out.extend_from_slice(b"500 5.5.1 What\r\n"),
            }
        }
        stream.write_all(&out).await?;
        out.clear();
    }
}

/// Answers every query with NXDOMAIN and a TTL of five minutes.
async fn dns(address: &str) -> io::Result<()> {
    let socket = UdpSocket::bind(address).await?;
    let mut bytes = [0; 4096];
    loop {
        let (length, peer) = socket.recv_from(&mut bytes).await?;
        let Ok(question) = Message::from_vec(&bytes[..length]) else { continue };
        let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
        answer.metadata.response_code = ResponseCode::NXDomain;
        answer.metadata.recursion_available = true;
        answer.add_queries(question.queries);
        let soa = SOA::new(Name::root(), Name::root(), 1, 300, 300, 300, 300);
        answer.add_authority(Record::from_rdata(Name::root(), 300, RData::SOA(soa)));
        socket.send_to(&answer.to_vec().map_err(io::Error::other)?, peer).await?;
    }
}

/// Sends as fast as the server accepts, and prints messages per second.
async fn load(address: &str, seconds: &str, kept: bool, file: &str) -> io::Result<()> {
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    let seconds: f64 = seconds.parse().map_err(io::Error::other)?;
    let to: Arc<[String]> = std::fs::read_to_string(file)?.lines().map(str::to_owned).collect();
    let (began, sent) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let until = began + Duration::from_secs_f64(seconds);
    let senders: Vec<_> = (0..CONNECTIONS)
        .map(|sender| tokio::spawn(send(address, until, kept, to.clone(), sent.clone(), sender)))
        .collect();
    for sender in senders {
        sender.await??;
    }
    println!("{:.0}", sent.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64());
    Ok(())
}

async fn send(
    address: SocketAddr,
    until: Instant,
    kept: bool,
    to: Arc<[String]>,
    sent: Arc<AtomicU64>,
    sender: u64,
) -> io::Result<()> {
    let unique = std::process::id();
    let mut open: Option<BufReader<TcpStream>> = None;
    for number in 0u64.. {
        if Instant::now() >= until {
            return Ok(());
        }
        let mut stream = match open.take() {
            Some(stream) => stream,
            None => match greeted(address).await {
                // The previous connection may still be open.
                Err(cause) if cause.to_string().contains("421 ") => continue,
                greeted => greeted?,
            },
        };
        let (from, to) =
            (format!("sender{}@example.test", sender % 50), &to[(sender + number) as usize % to.len()]);
        for (line, code) in [
            (format!("MAIL FROM:<{from}>"), "250"),
            (format!("RCPT TO:<{to}>"), "250"),
            ("DATA".into(), "354"),
        ] {
            say(&mut stream, &format!("{line}\r\n"), code).await?;
        }
        let id = format!("{unique}.{sender}.{number}");
        say(&mut stream, &letter(&from, to, &id), "250").await?;
        sent.fetch_add(1, Ordering::Relaxed);
        if kept {
            open = Some(stream);
        } else {
            say(&mut stream, "QUIT\r\n", "221").await?;
        }
    }
    Ok(())
}

async fn greeted(address: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    answer(&mut stream, "220").await?;
    say(&mut stream, "EHLO bench.test\r\n", "250").await?;
    Ok(stream)
}

async fn say(stream: &mut BufReader<TcpStream>, text: &str, code: &str) -> io::Result<()> {
    stream.get_mut().write_all(text.as_bytes()).await?;
    answer(stream, code).await
}

async fn answer(stream: &mut BufReader<TcpStream>, code: &str) -> io::Result<()> {
    let mut line = String::new();
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        if !line.starts_with(code) {
            return Err(io::Error::other(format!("{code} was expected, not {line:?}")));
        }
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(());
        }
    }
}

/// A message of 2 KiB with varied words, like real text.
fn letter(from: &str, to: &str, id: &str) -> String {
    let mut text = format!(
        "From: Sender <{from}>\r\nTo: {to}\r\nSubject: Order {id}\r\nMessage-ID: <{id}@example.test>\r\n\
         Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    );
    let mut word = id.bytes().fold(7u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    let mut column = 0;
    while text.len() < SIZE - 2 {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let next = format!("word{} ", (word >> 16) % 3000);
        column += next.len();
        text.push_str(&next);
        if column > 70 {
            text.push_str("\r\n");
            column = 0;
        }
    }
    text.truncate(SIZE - 2);
    text.trim_end_matches(['\r', '\n']).to_owned() + "\r\n.\r\n"
}
