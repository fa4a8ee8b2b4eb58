//! The open ports, and the end of them.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::guesses::Guesses;
use super::limits::Limits;
use super::reply::{self, Reply};
use super::session::{Protocol, Session, SmtpContext};
use super::tls::Tls;
use crate::app::App;
use crate::app::connections::Crowded;
use crate::app::memory::Memory;
use crate::app::places::{Place, Places};

/// After an error of the system, such as too many open files, nothing is accepted for so long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Ports that are taken, before anything else has started.
#[derive(Default)]
pub struct Bound {
    pub smtp: Option<TcpListener>,
    pub lmtp: Option<TcpListener>,
}

/// The ports at work, on threads of their own. Dropping this ends them: sessions under way
/// finish, and until then new ones are told to come back.
pub struct MailServer {
    pub smtp: Option<SocketAddr>,
    pub lmtp: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl MailServer {
    /// # Errors
    /// When the system gives no thread or does not let the ports be used.
    pub fn open(app: App, bound: Bound, tls: Option<Tls>, limits: Limits) -> io::Result<Self> {
        let address = |port: &Option<TcpListener>| port.as_ref().map(TcpListener::local_addr).transpose();
        let (smtp, lmtp) = (address(&bound.smtp)?, address(&bound.lmtp)?);
        let host = app.mail_host();
        let (stop, stopping) = watch::channel(false);
        let memory = Memory::new(limits.memory, limits.network_memory);
        let guesses = Guesses::default();
        let context = Arc::new(SmtpContext { app, host, limits, tls, memory, guesses, stopping });
        let runtime = Builder::new_multi_thread().thread_name("mail").enable_all().build()?;
        let ports = {
            let _context = runtime.enter();
            Ports::listen(bound)?
        };
        let told = stop.clone();
        let thread = std::thread::Builder::new()
            .name("mail".into())
            .spawn(move || run(runtime, context, ports, told))?;
        Ok(Self { smtp, lmtp, stop, thread: Some(thread) })
    }

    /// Where mail is taken, for the operator.
    pub fn addresses(&self) -> Vec<String> {
        let each = [("SMTP", self.smtp), ("LMTP", self.lmtp)];
        each.iter().filter_map(|(name, at)| Some(format!("Mail by {name} on {}", (*at)?))).collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(runtime: Runtime, context: Arc<SmtpContext>, ports: Ports, stop: watch::Sender<bool>) {
    runtime.spawn(stop_when_asked(stop));
    runtime.block_on(serve(context, ports));
    // What is left waits for peers that do not answer, or for a store out of reach.
    runtime.shutdown_timeout(Duration::from_secs(1));
}

/// SIGTERM and SIGINT reach this together with the web server.
async fn stop_when_asked(stop: watch::Sender<bool>) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    stop.send_replace(true);
}

struct Ports {
    smtp: Option<tokio::net::TcpListener>,
    lmtp: Option<tokio::net::TcpListener>,
}

impl Ports {
    fn listen(bound: Bound) -> io::Result<Self> {
        let listen = |port: TcpListener| {
            port.set_nonblocking(true)?;
            tokio::net::TcpListener::from_std(port)
        };
        Ok(Self { smtp: bound.smtp.map(listen).transpose()?, lmtp: bound.lmtp.map(listen).transpose()? })
    }

    async fn accept(&self) -> (Protocol, io::Result<(TcpStream, SocketAddr)>) {
        tokio::select! {
            peer = accept(self.smtp.as_ref()) => (Protocol::Smtp, peer),
            peer = accept(self.lmtp.as_ref()) => (Protocol::Lmtp, peer),
        }
    }
}

async fn accept(port: Option<&tokio::net::TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match port {
        Some(port) => port.accept().await,
        None => std::future::pending().await,
    }
}

async fn serve(context: Arc<SmtpContext>, ports: Ports) {
    let (places, mut sessions) = ([Places::default(), Places::default()], JoinSet::new());
    let mut stopping = context.stopping.clone();
    loop {
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => break,
            Some(_) = sessions.join_next() => {}
            (protocol, peer) = ports.accept() => start_session(&context, &places, &mut sessions, protocol, peer).await,
        }
    }
    let finished = async {
        loop {
            tokio::select! {
                ended = sessions.join_next() => if ended.is_none() { break },
                (_, peer) = ports.accept() => reject(peer, &reply::STOPPING).await,
            }
        }
    };
    if timeout(context.limits.closing_timeout, finished).await.is_err() {
        tracing::warn!("mail sessions were broken off; their senders will try again");
    }
}

async fn start_session(
    context: &Arc<SmtpContext>,
    places: &[Places; 2],
    sessions: &mut JoinSet<()>,
    protocol: Protocol,
    peer: io::Result<(TcpStream, SocketAddr)>,
) {
    let address = match &peer {
        Ok((_, address)) => *address,
        Err(cause) => {
            tracing::warn!(%cause, "a mail connection could not be accepted");
            return tokio::time::sleep(ACCEPT_PAUSE).await;
        }
    };
    match (peer, admit(context, places, protocol, address)) {
        (Ok((stream, _)), Ok(place)) => {
            let _ = stream.set_nodelay(true);
            let ip = address.ip().to_canonical();
            sessions.spawn(Session::new(context.clone(), protocol, Box::new(stream), ip, place).run());
        }
        (peer, Err(Crowded::Everywhere)) => reject(peer, &reply::TOO_MANY_CONNECTIONS).await,
        (peer, Err(Crowded::There(..))) => reject(peer, &reply::TOO_MANY_FROM_NETWORK).await,
        (Err(_), _) => {}
    }
}

/// Mail by LMTP comes from a server of the operator's, for which strangers leave places free.
fn admit(
    context: &SmtpContext,
    [smtp, lmtp]: &[Places; 2],
    protocol: Protocol,
    peer: SocketAddr,
) -> Result<Place, Crowded> {
    let limits = &context.limits;
    let (places, all, per_ip) = match protocol {
        Protocol::Smtp => (smtp, limits.connections, limits.per_ip),
        Protocol::Lmtp => (lmtp, limits.lmtp_connections, limits.lmtp_connections),
    };
    places.admit(peer.ip(), all, per_ip, limits.idle)
}

/// What fits into the socket at once; nobody waits for a peer that does not read it.
async fn reject(peer: io::Result<(TcpStream, SocketAddr)>, why: &Reply) {
    let Ok((mut stream, _)) = peer else { return tokio::time::sleep(ACCEPT_PAUSE).await };
    let mut line = Vec::new();
    why.write(&mut line);
    let _ = timeout(ACCEPT_PAUSE, async {
        stream.write_all(&line).await?;
        stream.shutdown().await
    })
    .await;
}
