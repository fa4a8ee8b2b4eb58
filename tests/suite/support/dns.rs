//! A DNS server for tests, over UDP and TCP, with given records.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, MX, TXT};
use hickory_proto::rr::{Name, RData, Record};

/// Longer responses use TCP.
const MAX_UDP: usize = 512;
const TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Clone)]
enum Entry {
    Record(RData),
    /// The server responds with an error.
    Trouble,
    /// The server does not respond.
    Silence,
}

/// Runs until the test process ends.
pub struct Dns {
    pub address: String,
    entries: Arc<Entries>,
}

#[derive(Default)]
struct Entries {
    all: Mutex<Vec<(Name, Entry)>>,
    asked: Mutex<Vec<Name>>,
    was_asked: Condvar,
}

impl Dns {
    pub fn start() -> Self {
        let (tcp, udp) = loop {
            let tcp = TcpListener::bind("127.0.0.1:0").expect("a free port");
            if let Ok(udp) = UdpSocket::bind(tcp.local_addr().expect("an address")) {
                break (tcp, udp);
            }
        };
        let address = tcp.local_addr().expect("an address").to_string();
        let entries = Arc::new(Entries::default());
        let (by_udp, by_tcp) = (entries.clone(), entries.clone());
        thread::spawn(move || serve_udp(&udp, &by_udp));
        thread::spawn(move || {
            for stream in tcp.incoming().map_while(Result::ok) {
                let entries = by_tcp.clone();
                thread::spawn(move || serve_tcp(stream, &entries));
            }
        });
        Self { address, entries }
    }

    pub fn txt(&self, name: &str, text: &str) -> &Self {
        let parts = text.as_bytes().chunks(255).map(|part| String::from_utf8_lossy(part).into_owned());
        self.add(name, Entry::Record(RData::TXT(TXT::new(parts.collect()))))
    }

    pub fn a(&self, name: &str, ip: Ipv4Addr) -> &Self {
        self.add(name, Entry::Record(RData::A(A(ip))))
    }

    pub fn mx(&self, name: &str, preference: u16, host: &str) -> &Self {
        self.add(name, Entry::Record(RData::MX(MX::new(preference, full(host)))))
    }

    pub fn fail(&self, name: &str) -> &Self {
        self.add(name, Entry::Trouble)
    }

    pub fn silence(&self, name: &str) -> &Self {
        self.add(name, Entry::Silence)
    }

    /// Removes all records of a name.
    pub fn remove(&self, name: &str) -> &Self {
        self.entries.all.lock().expect("the entries").retain(|(each, _)| *each != full(name));
        self
    }

    /// Waits until a name is queried.
    pub fn wait_for_question(&self, name: &str) {
        let (name, asked) = (full(name), self.entries.asked.lock().expect("the questions"));
        let waited =
            self.entries.was_asked.wait_timeout_while(asked, TIMEOUT, |asked| !asked.contains(&name));
        assert!(!waited.expect("the questions").1.timed_out(), "no query for {name}");
    }

    fn add(&self, name: &str, entry: Entry) -> &Self {
        self.entries.all.lock().expect("the entries").push((full(name), entry));
        self
    }
}

/// Returns the address of a shared server that answers every query with NXDOMAIN.
pub fn empty() -> &'static str {
    static EMPTY: OnceLock<Dns> = OnceLock::new();
    &EMPTY.get_or_init(Dns::start).address
}

fn full(name: &str) -> Name {
    let mut name = Name::from_ascii(name).expect("a name").to_lowercase();
    name.set_fqdn(true);
    name
}

fn serve_udp(socket: &UdpSocket, entries: &Entries) {
    let mut bytes = [0; 4096];
    while let Ok((length, peer)) = socket.recv_from(&mut bytes) {
        let Some(answer) = answer(&bytes[..length], entries) else { continue };
        let whole = answer.to_vec().expect("octets");
        let sent = if whole.len() > MAX_UDP { answer.truncate().to_vec().expect("octets") } else { whole };
        let _ = socket.send_to(&sent, peer);
    }
}

fn serve_tcp(mut stream: TcpStream, entries: &Entries) {
    loop {
        let mut length = [0; 2];
        if stream.read_exact(&mut length).is_err() {
            return;
        }
        let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
        if stream.read_exact(&mut bytes).is_err() {
            return;
        }
        let Some(answer) = answer(&bytes, entries) else { return };
        let answer = answer.to_vec().expect("octets");
        let length = u16::try_from(answer.len()).expect("a short answer").to_be_bytes();
        if stream.write_all(&[&length[..], &answer].concat()).is_err() {
            return;
        }
    }
}

fn answer(bytes: &[u8], entries: &Entries) -> Option<Message> {
    let question = Message::from_vec(bytes).ok()?;
    let query = question.queries.first()?.clone();
    let name = query.name().to_lowercase();
    entries.asked.lock().expect("the questions").push(name.clone());
    entries.was_asked.notify_all();
    let here: Vec<Entry> = {
        let entries = entries.all.lock().expect("the entries");
        entries.iter().filter(|(each, _)| *each == name).map(|(_, entry)| entry.clone()).collect()
    };
    if here.iter().any(|entry| matches!(entry, Entry::Silence)) {
        return None;
    }
    let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
    answer.metadata.recursion_desired = question.metadata.recursion_desired;
    answer.metadata.recursion_available = true;
    answer.add_query(query.clone());
    if here.is_empty() {
        answer.metadata.response_code = ResponseCode::NXDomain;
    }
    for entry in here {
        match entry {
            Entry::Record(data) if data.record_type() == query.query_type() => {
                answer.add_answer(Record::from_rdata(query.name().clone(), 60, data));
            }
            Entry::Record(_) => {}
            Entry::Trouble | Entry::Silence => answer.metadata.response_code = ResponseCode::ServFail,
        }
    }
    Some(answer)
}
