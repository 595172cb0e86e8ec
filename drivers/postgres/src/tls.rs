//! TLS: who the server must prove to be, and the handshake.

mod end_point;

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
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;

use crate::wire::Transport;

/// Asks the server whether it has TLS: https://www.postgresql.org/docs/current/protocol-message-formats.html
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
/// What PostgreSQL calls itself where TLS comes first.
const ALPN: &[u8] = b"postgresql";

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
    negotiation: Negotiation,
}

/// How TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Negotiation {
    /// When the server said that it has it.
    Asked,
    /// At once.
    Direct,
}

/// What the handshakes with all servers of a connection have in common.
pub(crate) struct Manner {
    /// None: the user has none, or this is a cancel request, for which servers want none.
    pub(crate) client: Option<ClientCertificate>,
    pub(crate) negotiation: Negotiation,
}

/// What the user proves to the server who they are with.
pub(crate) struct ClientCertificate {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl ClientCertificate {
    /// Reads PEM files.
    pub(crate) fn parse(certificate: &[u8], key: &[u8]) -> Result<Self, Fault> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or(Fault::Certificates)?;
        // The error could quote what it found there.
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| Fault::Key)?;
        Ok(Self { chain, key })
    }
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
    Certificates,
    Key,
    Library(rustls::Error),
}

impl Fault {
    /// The error, with the parameters that it may blame.
    pub(crate) fn into_error(self, host: &str, certificates: &str, key: &str) -> Error {
        match self {
            Self::Host => {
                Error::parameter(host, "is neither a name nor an address that a certificate could hold")
            }
            Self::Certificates => Error::parameter(certificates, "holds no certificate in PEM form"),
            Self::Key => Error::parameter(key, "holds no key in PEM form that fits the client certificate"),
            Self::Library(error) => Error::broken(format!("TLS cannot be set up: {error}")),
        }
    }
}

impl Tls {
    /// Encrypts, and believes any server.
    pub(crate) fn encrypt(host: &str, manner: &Manner) -> Result<Self, Fault> {
        let verifier = Arc::new(AnyServer { provider: provider() });
        Ok(Self::Encrypted(handshake(host, verifier, manner)?))
    }

    /// The certificate must be signed by one of `roots` (PEM), for whatever name.
    pub(crate) fn verify_authority(host: &str, roots: &[u8], manner: &Manner) -> Result<Self, Fault> {
        let verifier = Arc::new(AnyName { whole: verifier(Some(roots))? });
        Ok(Self::Verified(handshake(host, verifier, manner)?))
    }

    /// The certificate must be signed by one of `roots` (PEM; none: the public authorities), and for this host.
    pub(crate) fn verify_full(host: &str, roots: Option<&[u8]>, manner: &Manner) -> Result<Self, Fault> {
        Ok(Self::Verified(handshake(host, verifier(roots)?, manner)?))
    }

    /// Makes a fresh connection a protected one.
    ///
    /// # Errors
    ///
    /// [`Reason::TlsFailed`] when the server has no TLS or does not prove who it is; it is then told nothing.
    pub(crate) async fn secure(&self, mut stream: Stream) -> Result<Transport, Error> {
        let Handshake { config, name, negotiation } = match self {
            Self::Off => return Ok(Transport::Plain(stream)),
            Self::Encrypted(handshake) | Self::Verified(handshake) => handshake,
        };
        let lost =
            |_| Error::new(Reason::TlsFailed, "the server closed the connection when it was asked for TLS");
        if *negotiation == Negotiation::Asked {
            stream.write_all(&TLS_REQUEST).await.map_err(lost)?;
            // One byte and no more: what an attacker put behind it in the clear must go into the handshake and break it.
            match stream.read_u8().await.map_err(lost)? {
                b'S' => {}
                b'N' => return Err(Error::new(Reason::TlsFailed, "the server has no TLS")),
                // Nothing that comes before the handshake is shown to people: anybody may have sent it.
                b'E' => return Err(Error::new(Reason::TlsFailed, "the server refuses to speak of TLS")),
                _ => return Err(Error::protocol("the server's answer is not PostgreSQL's protocol")),
            }
        }
        let failed = |why: &dyn fmt::Display| {
            Error::new(Reason::TlsFailed, format!("TLS with the server failed: {why}"))
        };
        let stream = TlsConnector::from(config.clone())
            .connect(name.clone(), stream)
            .await
            .map_err(|error| words::explain(&error))?;
        if *negotiation == Negotiation::Direct && stream.get_ref().1.alpn_protocol() != Some(ALPN) {
            return Err(failed(&"what answers there does not say that it is PostgreSQL"));
        }
        Ok(Transport::Tls(Box::new(stream)))
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

impl Transport {
    /// What ties a log-in to this connection: see [`end_point`]. None without TLS.
    pub(crate) fn end_point(&self) -> Option<Vec<u8>> {
        let Self::Tls(stream) = self else { return None };
        end_point::of_certificate(stream.get_ref().1.peer_certificates()?.first()?)
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn handshake(host: &str, verifier: Arc<dyn ServerCertVerifier>, manner: &Manner) -> Result<Handshake, Fault> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| Fault::Host)?;
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(Fault::Library)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match &manner.client {
        None => config.with_no_client_auth(),
        Some(ClientCertificate { chain, key }) => {
            config.with_client_auth_cert(chain.clone(), key.clone_key()).map_err(|_| Fault::Key)?
        }
    };
    if manner.negotiation == Negotiation::Direct {
        config.alpn_protocols = vec![ALPN.to_vec()];
    }
    // Nothing is resumed: a driver connects once, and a cancel request must check the server anew.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Handshake { config: Arc::new(config), name, negotiation: manner.negotiation })
}

fn verifier(roots: Option<&[u8]>) -> Result<Arc<WebPkiServerVerifier>, Fault> {
    let mut store = RootCertStore::empty();
    match roots {
        None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                store.add(certificate.map_err(|_| Fault::Certificates)?).map_err(|_| Fault::Certificates)?;
            }
        }
    }
    if store.is_empty() {
        return Err(Fault::Certificates);
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider())
        .build()
        .map_err(|_| Fault::Certificates)
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
