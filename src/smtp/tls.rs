//! STARTTLS. The certificate is reloaded when its files change.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;

use super::wire::Stream;
use crate::config::TlsFiles;

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

/// Sizes and modification times of the files.
type Stamp = Vec<(u64, Option<SystemTime>)>;

pub struct Tls {
    files: TlsFiles,
    current: Mutex<(Stamp, Arc<ServerConfig>)>,
}

impl Tls {
    pub fn load(files: &TlsFiles) -> Result<Self, String> {
        let current = Mutex::new((stamp(files), read(files)?));
        Ok(Self { files: files.clone(), current })
    }

    pub async fn accept(&self, stream: Box<dyn Stream>) -> io::Result<Box<dyn Stream>> {
        let acceptor = TlsAcceptor::from(self.current());
        let accepted = timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await;
        Ok(Box::new(accepted.map_err(|_| io::ErrorKind::TimedOut)??))
    }

    /// Keeps the previous certificate while the files are invalid, for example while only one of them has been replaced.
    fn current(&self) -> Arc<ServerConfig> {
        let mut current = self.current.lock();
        let stamp = stamp(&self.files);
        if stamp != current.0 {
            current.0 = stamp;
            match read(&self.files) {
                Ok(config) => {
                    current.1 = config;
                    tracing::info!("the certificate for STARTTLS was reloaded");
                }
                Err(why) => {
                    tracing::error!(why, "the new certificate is invalid; the previous one stays in use")
                }
            }
        }
        current.1.clone()
    }
}

fn stamp(files: &TlsFiles) -> Stamp {
    let of = |meta: Metadata| (meta.len(), meta.modified().ok());
    [&files.cert, &files.key].iter().map(|path| fs::metadata(path).map_or((0, None), of)).collect()
}

fn read(files: &TlsFiles) -> Result<Arc<ServerConfig>, String> {
    let unreadable = |path: &Path, cause: &dyn std::fmt::Display| format!("{}: {cause}", path.display());
    let certs: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect)
        .map_err(|cause| unreadable(&files.cert, &cause))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|cause| unreadable(&files.key, &cause))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(certs, key))
        .map_err(|cause| unreadable(&files.cert, &cause))?;
    Ok(Arc::new(config))
}
