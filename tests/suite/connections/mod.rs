//! Limits on the web server's resources for slow clients and many clients.

mod capacity;
mod deadlines;
mod downloads;
mod floods;

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

/// The timeout for events that must happen.
const TIMEOUT: Duration = Duration::from_secs(30);

pub struct Client(TcpStream);

impl Client {
    pub fn connect(base: &str) -> Self {
        let stream = TcpStream::connect(base.trim_start_matches("http://")).expect("a connection");
        Self::over(stream)
    }

    /// Connects from another address of this machine.
    pub fn connect_from(from: IpAddr, to: SocketAddr) -> Self {
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::new(from, 0).into()).expect("a free port");
        socket.connect(&to.into()).expect("a connection");
        Self::over(socket.into())
    }

    fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(TIMEOUT)).expect("a time limit");
        Self(stream)
    }

    /// Sends exactly these bytes. An error is ignored, because the server may have responded and closed
    /// already.
    pub fn send(mut self, bytes: impl AsRef<[u8]>) -> Self {
        let _ = self.0.write_all(bytes.as_ref());
        self
    }

    /// Reads the header of the next response, and the part of its body that has arrived.
    pub fn response(&mut self) -> String {
        let mut response = Vec::new();
        while !response.windows(4).any(|end| end == b"\r\n\r\n") {
            let mut some = [0; 4096];
            match self.0.read(&mut some) {
                Ok(0) => break,
                Ok(count) => response.extend_from_slice(&some[..count]),
                Err(cause) if cause.kind() == ErrorKind::ConnectionReset => break,
                Err(cause) => panic!("no response: {cause}"),
            }
        }
        String::from_utf8_lossy(&response).into_owned()
    }

    /// Reads the rest until the server closes.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Err(cause) if cause.kind() != ErrorKind::ConnectionReset => panic!("it does not close: {cause}"),
            _ => rest,
        }
    }

    pub fn text(&mut self) -> String {
        String::from_utf8_lossy(&self.rest()).into_owned()
    }
}
