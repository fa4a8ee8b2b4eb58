//! Listens for SMTP and LMTP, and shuts down gracefully.

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

use super::limits::Limits;
use super::protocol::Protocol;
use super::reply::{self, Reply};
use super::session::{Session, SmtpContext};
use super::tls::Tls;
use crate::app::App;
use crate::app::limits::connections::{Connections, Slot};
use crate::app::limits::hourly::Hourly;
use crate::app::limits::in_use::Exceeded;
use crate::app::limits::memory::Memory;
use crate::domain::network::Network;

/// The pause after an error, like too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Some 500 kB.
const MAX_NETWORKS: usize = 10_000;

/// Sockets bound before anything else starts.
#[derive(Default)]
pub struct Listeners {
    pub smtp: Option<TcpListener>,
    pub lmtp: Option<TcpListener>,
}

/// Serves the ports on its own threads. Dropping it stops the server: open sessions finish, and new ones
/// are asked to come back later.
pub struct MailServer {
    pub smtp: Option<SocketAddr>,
    pub lmtp: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl MailServer {
    pub fn open(app: App, listeners: Listeners, tls: Option<Tls>, limits: Limits) -> io::Result<Self> {
        let address = |port: &Option<TcpListener>| port.as_ref().map(TcpListener::local_addr).transpose();
        let (smtp, lmtp) = (address(&listeners.smtp)?, address(&listeners.lmtp)?);
        let host = app.mail_host();
        let (stop, stopping) = watch::channel(false);
        let memory = Memory::new(limits.memory, limits.network_memory);
        let unknown_recipients = Hourly::new(MAX_NETWORKS);
        let context = Arc::new(SmtpContext { app, host, limits, tls, memory, unknown_recipients, stopping });
        let runtime = Builder::new_multi_thread().thread_name("mail").enable_all().build()?;
        let ports = {
            let _context = runtime.enter();
            Ports::listen(listeners)?
        };
        let stop_signal = stop.clone();
        let thread = std::thread::Builder::new()
            .name("mail".into())
            .spawn(move || run(runtime, context, ports, stop_signal))?;
        Ok(Self { smtp, lmtp, stop, thread: Some(thread) })
    }

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
    runtime.spawn(stop_on_signal(stop));
    runtime.block_on(serve(context, ports));
    // The remaining tasks wait for silent peers or an unreachable store.
    runtime.shutdown_timeout(Duration::from_secs(1));
}

/// SIGTERM and SIGINT also stop the web server.
async fn stop_on_signal(stop: watch::Sender<bool>) {
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
    fn listen(listeners: Listeners) -> io::Result<Self> {
        let listen = |port: TcpListener| {
            port.set_nonblocking(true)?;
            tokio::net::TcpListener::from_std(port)
        };
        Ok(Self {
            smtp: listeners.smtp.map(listen).transpose()?,
            lmtp: listeners.lmtp.map(listen).transpose()?,
        })
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
    let (connections, mut sessions) = ([Connections::default(), Connections::default()], JoinSet::new());
    let mut stopping = context.stopping.clone();
    loop {
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => break,
            Some(_) = sessions.join_next() => {}
            (protocol, peer) = ports.accept() => start_session(&context, &connections, &mut sessions, protocol, peer).await,
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
        tracing::warn!("mail sessions were interrupted; their senders will try again");
    }
}

async fn start_session(
    context: &Arc<SmtpContext>,
    connections: &[Connections; 2],
    sessions: &mut JoinSet<()>,
    protocol: Protocol,
    peer: io::Result<(TcpStream, SocketAddr)>,
) {
    let address = match &peer {
        Ok((_, address)) => *address,
        Err(cause) => {
            tracing::warn!(%cause, "could not accept a mail connection");
            return tokio::time::sleep(ACCEPT_PAUSE).await;
        }
    };
    match (peer, admit(context, connections, protocol, address)) {
        (Ok((stream, _)), Ok(slot)) => {
            let _ = stream.set_nodelay(true);
            let ip = address.ip().to_canonical();
            sessions.spawn(Session::new(context.clone(), protocol, Box::new(stream), ip, slot).run());
        }
        (peer, Err(Exceeded::Total)) => reject(peer, &reply::TOO_MANY_CONNECTIONS).await,
        (peer, Err(Exceeded::Key(_))) => reject(peer, &reply::TOO_MANY_FROM_NETWORK).await,
        (Err(_), _) => {}
    }
}

/// LMTP has its own limit, so that strangers can't keep out the operator's server.
fn admit(
    context: &SmtpContext,
    [smtp, lmtp]: &[Connections; 2],
    protocol: Protocol,
    peer: SocketAddr,
) -> Result<Slot, Exceeded<Network>> {
    let limits = &context.limits;
    let (connections, total, per_ip) = match protocol {
        Protocol::Smtp => (smtp, limits.connections, limits.per_ip),
        Protocol::Lmtp => (lmtp, limits.lmtp_connections, limits.lmtp_connections),
    };
    connections.admit(peer.ip(), total, per_ip, limits.idle)
}

/// Writes as much as fits into the socket's buffer, without waiting for the peer to read it.
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
