//! STARTTLS, and replacing the certificate while the server runs.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use gatepost::config::TlsFiles;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::support::TestApp;
use crate::support::mail_server::{self, Talk, letter};

const HELLO: &str = "hello@gatepost.localhost";

type Secured = Talk<StreamOwned<ClientConnection, TcpStream>>;

fn files(folder: &Path) -> TlsFiles {
    TlsFiles { cert: folder.join("cert.pem"), key: folder.join("key.pem") }
}

/// Returns a self-signed certificate in PEM, its key, and the certificate that a client has to trust.
fn certificate() -> (String, String, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(vec!["gatepost.localhost".into()]).expect("a certificate");
    (made.cert.pem(), made.signing_key.serialize_pem(), made.cert.der().clone())
}

/// Starts TLS after EHLO, trusting only this certificate; an error if the server has another.
fn secured(to: SocketAddr, trusted: &CertificateDer<'static>) -> Result<Secured, std::io::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).expect("a certificate");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("protocols")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("gatepost.localhost").expect("a name");
    let mut talk = Talk::smtp(to);
    talk.say("STARTTLS").expect("220 2.0.0");
    let mut stream = talk.into_stream();
    let mut client = ClientConnection::new(Arc::new(config), name).expect("a client");
    while client.is_handshaking() {
        client.complete_io(&mut stream)?;
    }
    Ok(Talk::over(StreamOwned::new(client, stream)))
}

#[tokio::test]
async fn mail_arrives_over_tls() {
    let app = TestApp::sqlite().await;
    app.alias("Acme", "hello");
    let (cert, key, trusted) = certificate();
    let files = files(app.data.path());
    fs::write(&files.cert, cert).and_then(|()| fs::write(&files.key, key)).expect("files");
    let server = mail_server::open_with(&app.app, Some(&files), |_| {});
    let mut talk = Talk::smtp(mail_server::smtp(&server));
    assert!(talk.say("EHLO client.test").reply().contains("STARTTLS"));
    talk.envelope("bob@example.test", &[HELLO]);
    let mut talk = secured(mail_server::smtp(&server), &trusted).expect("TLS");
    // The state from before TLS is discarded.
    talk.say("MAIL FROM:<bob@example.test>").expect("503 5.5.1");
    assert!(!talk.say("EHLO client.test").reply().contains("STARTTLS"));
    talk.say("STARTTLS").expect("503 5.5.1");
    talk.envelope("bob@example.test", &[HELLO]).data(letter("secret")).expect("250 2.0.0 Stored");
    assert!(String::from_utf8_lossy(&app.raw("secret")).contains(" with ESMTPS id "));
    talk.say("QUIT").expect("221");
}

/// Text that an attacker adds after STARTTLS must not be read as encrypted.
#[tokio::test]
async fn commands_before_tls_are_discarded() {
    let app = TestApp::sqlite().await;
    let (cert, key, _) = certificate();
    let files = files(app.data.path());
    fs::write(&files.cert, cert).and_then(|()| fs::write(&files.key, key)).expect("files");
    let server = mail_server::open_with(&app.app, Some(&files), |_| {});
    let mut talk = Talk::smtp(mail_server::smtp(&server));
    talk.send("STARTTLS\r\nMAIL FROM:<mallory@example.test>\r\n").expect("554 5.5.1");
    talk.expect_end();
}

#[tokio::test]
async fn a_new_certificate_is_used_without_a_restart() {
    let app = TestApp::sqlite().await;
    let ((cert, key, former), (new_cert, new_key, new)) = (certificate(), certificate());
    let files = files(app.data.path());
    fs::write(&files.cert, cert).and_then(|()| fs::write(&files.key, key)).expect("files");
    let server = mail_server::open_with(&app.app, Some(&files), |_| {});
    let to = mail_server::smtp(&server);
    secured(to, &former).expect("TLS").say("EHLO a.test").expect("250");
    fs::write(&files.cert, new_cert).expect("a file");
    secured(to, &former).expect("the old certificate, while the key is missing");
    fs::write(&files.key, new_key).expect("a file");
    secured(to, &new).expect("TLS").say("EHLO a.test").expect("250");
    assert!(secured(to, &former).is_err());
    fs::remove_file(&files.key).expect("a deleted file");
    secured(to, &new).expect("the last valid certificate");
}
