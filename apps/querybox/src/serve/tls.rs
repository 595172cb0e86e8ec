//! TLS: the certificate that the server shows, read anew when its files change.

use std::{
    convert::Infallible,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use rustls::{
    ServerConfig,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};
use zeroize::Zeroizing;

use crate::failure::{Failure, describe};

/// How often the files are looked at. Both are written one after the other, so that they are read when they have stayed the same
/// for as long.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What was refused is tried again, for not all that is wrong lies in the files.
const RETRY_EVERY: Duration = Duration::from_secs(60);
/// A chain is a few kilobytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The files of a certificate, PEM both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Files {
    /// The server's certificate, and those between it and its authority.
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// Why files are no certificate to be shown. Nothing of a key is in it.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("cannot read {path}: {why}")]
    Read { path: String, why: String },
    #[error("{0} may be read by everybody; `chmod o= FILE` keeps them out")]
    Open(String),
    #[error("{0} has no certificate in PEM")]
    NoCertificate(String),
    #[error("{0} has no private key in PEM")]
    NoKey(String),
    #[error("the certificate and the key do not belong together, or are of a kind that is not known")]
    NoPair,
}

/// The certificate that is shown now.
#[derive(Debug)]
pub(super) struct Shown {
    files: Files,
    provider: Arc<CryptoProvider>,
    /// The files as they were just before they were read first.
    first: Stamp,
    now: RwLock<Arc<CertifiedKey>>,
}

impl Shown {
    /// Reads the files.
    pub(super) fn read(files: Files) -> Result<Arc<Shown>, Failure> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let first = files.stamp();
        let now = read(&files, &provider).map_err(|error| {
            Failure::usage(error.to_string())
                .with_hint("`--tls-certificate` and `--tls-key` name two files in PEM")
        })?;
        Ok(Arc::new(Shown { files, provider, first, now: RwLock::new(Arc::new(now)) }))
    }

    /// What takes connections, by HTTP/2 or HTTP/1.1 as the other side can.
    pub(super) fn acceptor(self: &Arc<Self>) -> TlsAcceptor {
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(self) as _;
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .expect("the provider knows TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }

    /// Shows what the files hold when they change. What is no certificate is told, and what was shown before stays.
    pub(super) async fn follow(&self) -> Infallible {
        let mut known = self.first;
        let mut seen = known;
        let mut refused: Option<(Stamp, Instant)> = None;
        loop {
            sleep(LOOK_EVERY).await;
            let now = self.files.stamp();
            let is_settled = now == seen;
            seen = now;
            if !is_settled || seen == known {
                continue;
            }
            if refused.is_some_and(|(stamp, at)| stamp == seen && at.elapsed() < RETRY_EVERY) {
                continue;
            }
            match read(&self.files, &self.provider) {
                Ok(read) => {
                    (known, refused) = (seen, None);
                    *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read);
                    info!("the certificate was read anew");
                }
                Err(error) => {
                    refused = Some((seen, Instant::now()));
                    warn!(%error, "the certificate that changed cannot be used: the old one is shown")
                }
            }
        }
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// What tells that a file is another one, or has other contents, another mode or owner.
type Stamp = [Option<(u64, u64, i64, i64, u64)>; 2];

impl Files {
    fn stamp(&self) -> Stamp {
        [&self.certificate, &self.key].map(|path| {
            let metadata = fs::metadata(path).ok()?;
            // Its last change: a new mode leaves the time of the contents as it was, and new contents do not.
            Some((metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec(), metadata.size()))
        })
    }
}

fn read(files: &Files, provider: &CryptoProvider) -> Result<CertifiedKey, Unusable> {
    let certificate = contents(&files.certificate)?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&certificate)
        .collect::<Result<_, _>>()
        .map_err(|_| Unusable::NoCertificate(shown(&files.certificate)))?;
    if chain.is_empty() {
        return Err(Unusable::NoCertificate(shown(&files.certificate)));
    }
    let metadata = fs::metadata(&files.key).map_err(|error| unreadable(&files.key, &error))?;
    if metadata.mode() & 0o007 != 0 {
        return Err(Unusable::Open(shown(&files.key)));
    }
    let key = Zeroizing::new(contents(&files.key)?);
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| Unusable::NoKey(shown(&files.key)))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|_| Unusable::NoPair)
}

fn contents(path: &Path) -> Result<Vec<u8>, Unusable> {
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !metadata.is_file() || metadata.len() > FILE_BYTES_MAX {
        return Err(Unusable::Read { path: shown(path), why: "it is no file of PEM".to_owned() });
    }
    fs::read(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> Unusable {
    Unusable::Read { path: shown(path), why: describe(error) }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
