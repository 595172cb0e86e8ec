//! TLS: who the server must prove to be, and the handshake.

mod words;

use std::{fmt, sync::Arc};

use querybox_plugin::{Error, Reason, Stream};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;

use crate::wire::Transport;

/// Asks the server whether it has TLS: https://www.postgresql.org/docs/current/protocol-message-formats.html
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// How a connection is protected.
#[derive(Debug, Clone)]
pub(crate) enum Tls {
    /// Not at all.
    Off,
    /// Against who only listens.
    Encrypted(Handshake),
    /// Against who stands between, too.
    Verified(Handshake),
}

/// What a handshake needs.
#[derive(Clone)]
pub(crate) struct Handshake {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why TLS cannot be set up.
#[derive(Debug)]
pub(crate) enum Fault {
    Host,
    Roots,
    Library(rustls::Error),
}

impl Fault {
    /// The error, with the parameters that it may blame.
    pub(crate) fn into_error(self, host: &str, roots: &str) -> Error {
        match self {
            Self::Host => {
                Error::parameter(host, "is neither a name nor an address that a certificate could hold")
            }
            Self::Roots => Error::parameter(roots, "holds no certificate in PEM form"),
            Self::Library(error) => Error::broken(format!("TLS cannot be set up: {error}")),
        }
    }
}

impl Tls {
    /// Encrypts, and believes any server.
    pub(crate) fn encrypt(host: &str) -> Result<Self, Fault> {
        let verifier = Arc::new(AnyServer { provider: provider() });
        Ok(Self::Encrypted(handshake(host, verifier)?))
    }

    /// The certificate must be signed by one of `roots` (PEM), for whatever name.
    pub(crate) fn verify_authority(host: &str, roots: &[u8]) -> Result<Self, Fault> {
        let verifier = Arc::new(AnyName { whole: verifier(Some(roots))? });
        Ok(Self::Verified(handshake(host, verifier)?))
    }

    /// The certificate must be signed by one of `roots` (PEM; none: the public authorities), and for this host.
    pub(crate) fn verify_full(host: &str, roots: Option<&[u8]>) -> Result<Self, Fault> {
        Ok(Self::Verified(handshake(host, verifier(roots)?)?))
    }

    /// Makes a fresh connection a protected one.
    ///
    /// # Errors
    ///
    /// [`Reason::TlsFailed`] when the server has no TLS or does not prove who it is; it is then told nothing.
    pub(crate) async fn secure(&self, mut stream: Stream) -> Result<Transport, Error> {
        let handshake = match self {
            Self::Off => return Ok(Transport::Plain(stream)),
            Self::Encrypted(handshake) | Self::Verified(handshake) => handshake,
        };
        let lost =
            |_| Error::new(Reason::TlsFailed, "the server closed the connection when it was asked for TLS");
        stream.write_all(&TLS_REQUEST).await.map_err(lost)?;
        // One byte and no more: what an attacker put behind it in the clear must go into the handshake and break it.
        match stream.read_u8().await.map_err(lost)? {
            b'S' => {}
            b'N' => return Err(Error::new(Reason::TlsFailed, "the server has no TLS")),
            // Nothing that comes before the handshake is shown to people: anybody may have sent it.
            b'E' => return Err(Error::new(Reason::TlsFailed, "the server refuses to speak of TLS")),
            _ => return Err(Error::protocol("the server's answer is not PostgreSQL's protocol")),
        }
        TlsConnector::from(handshake.config.clone())
            .connect(handshake.name.clone(), stream)
            .await
            .map(|stream| Transport::Tls(Box::new(stream)))
            .map_err(|error| words::explain(&error))
    }
}

impl Transport {
    /// The version of TLS for people; none without it.
    pub(crate) fn tls_version(&self) -> Option<&'static str> {
        let Self::Tls(stream) = self else { return None };
        match stream.get_ref().1.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => Some("TLS 1.3"),
            Some(rustls::ProtocolVersion::TLSv1_2) => Some("TLS 1.2"),
            _ => Some("TLS"),
        }
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn handshake(host: &str, verifier: Arc<dyn ServerCertVerifier>) -> Result<Handshake, Fault> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| Fault::Host)?;
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(Fault::Library)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    // Nothing is resumed: a driver connects once, and a cancel request must check the server anew.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Handshake { config: Arc::new(config), name })
}

fn verifier(roots: Option<&[u8]>) -> Result<Arc<WebPkiServerVerifier>, Fault> {
    let mut store = RootCertStore::empty();
    match roots {
        None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                store.add(certificate.map_err(|_| Fault::Roots)?).map_err(|_| Fault::Roots)?;
            }
        }
    }
    if store.is_empty() {
        return Err(Fault::Roots);
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider()).build().map_err(|_| Fault::Roots)
}

/// `verify-ca`: all of a certificate is checked but for the name.
#[derive(Debug)]
struct AnyName {
    whole: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        // The name is the last thing that is looked at, so that all else holds when only the name is wrong.
        match self.whole.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.whole.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.whole.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.whole.supported_verify_schemes()
    }
}

/// `require`: any certificate will do, but the server must hold its key.
#[derive(Debug)]
struct AnyServer {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
