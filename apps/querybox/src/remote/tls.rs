//! The way to a server that speaks TLS: dialed, and known for the one that was named, before anything is said.

use std::{fs, io, path::Path, sync::Arc};

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::failure::{Failure, describe};

const PORT_DEFAULT: u16 = 443;

/// Dials servers and checks who they are.
#[derive(Clone)]
pub(super) struct Dialer(TlsConnector);

/// Why a server was not reached.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreached {
    #[error(transparent)]
    Dial(io::Error),
    /// It shows no certificate that is good for its name.
    #[error("its certificate is not trusted: {0}")]
    Untrusted(rustls::Error),
    #[error("it speaks no TLS, or none that this program speaks")]
    NoTls(#[source] io::Error),
    #[error("it does not speak HTTP/2")]
    NoHttp2,
}

impl Dialer {
    /// Trusts the authorities of a file in PEM alone. `None`: those that browsers trust.
    pub(super) fn trusting(authorities: Option<&Path>) -> Result<Dialer, Failure> {
        let mut roots = RootCertStore::empty();
        match authorities {
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(path) => add(&mut roots, path)?,
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider knows TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Dialer(TlsConnector::from(Arc::new(config))))
    }

    pub(super) async fn dial(self, uri: Uri) -> Result<TokioIo<TlsStream<TcpStream>>, Unreached> {
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host.clone())
            .map_err(|error| Unreached::Dial(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let port = uri.port_u16().unwrap_or(PORT_DEFAULT);
        let stream = TcpStream::connect((host, port)).await.map_err(Unreached::Dial)?;
        // Calls of a few bytes are not to wait for more. Without it they are late and no worse.
        let _ = stream.set_nodelay(true);
        let stream = self.0.connect(name, stream).await.map_err(|error| {
            match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(inner @ rustls::Error::InvalidCertificate(_)) => Unreached::Untrusted(inner.clone()),
                Some(_) | None => Unreached::NoTls(error),
            }
        })?;
        match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => Ok(TokioIo::new(stream)),
            Some(_) | None => Err(Unreached::NoHttp2),
        }
    }
}

fn add(roots: &mut RootCertStore, path: &Path) -> Result<(), Failure> {
    let pem = fs::read(path)
        .map_err(|error| Failure::usage(format!("cannot read {}: {}", path.display(), describe(&error))))?;
    let none = || Failure::usage(format!("{} has no certificate in PEM", path.display()));
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        roots.add(certificate.map_err(|_| none())?).map_err(|_| none())?;
    }
    if roots.is_empty() { Err(none()) } else { Ok(()) }
}
