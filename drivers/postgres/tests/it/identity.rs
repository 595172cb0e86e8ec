//! How the user proves who they are over TLS: client certificates, and log-ins that nobody can pass on.

use std::sync::Arc;

use querybox_driver_postgres::Postgres as Driver;
use querybox_fixtures::{Certificate, Folder, Postgres, PostgresOptions, unprivileged};
use querybox_plugin::{
    pb::{self, open_response::Outcome, parameter::Value},
    testkit::Client,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::server::{ends, parameters, reason, secrets};

const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

fn request(
    client: &Client,
    server: &Postgres,
    port: u16,
    texts: &[(&str, &str)],
    contents: &[(&str, &str)],
    keys: &[&str],
) -> pb::OpenRequest {
    let mut parameters = parameters(server);
    parameters[0].1 = "localhost".into();
    parameters[1].1 = port.to_string();
    parameters.extend(texts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let mut secrets = secrets();
    secrets.extend(keys.iter().map(|key| ("sslkey".to_owned(), key.as_bytes().to_vec())));
    let mut request = client.open_request(parameters, secrets);
    request.parameters.extend(contents.iter().map(|(name, pem)| pb::Parameter {
        name: (*name).into(),
        value: Some(Value::Content(pem.as_bytes().to_vec().into())),
    }));
    request
}

#[tokio::test]
async fn a_client_certificate_opens_what_needs_one() {
    let user = Certificate::make(&["somebody"]);
    let other = Certificate::make(&["somebody"]);
    let certificate = Certificate::make(&["localhost"]);
    let folder = Folder::make(unprivileged(), 0o755).unwrap();
    let authorities = folder.add_file("authority.pem", unprivileged(), 0o644, user.authority_pem()).unwrap();
    let server = Postgres::start_with(&PostgresOptions {
        certificate: Some(&certificate),
        settings: &[&format!("ssl_ca_file = '{}'", authorities.display())],
        access: &["hostssl all all all scram-sha-256 clientcert=verify-ca", "local all all scram-sha-256"],
    });
    let root = ("sslrootcert", certificate.authority_pem());
    let chain = ("sslcert", user.chain_pem());

    let mut client = Client::connect(Driver);
    let open = request(&client, &server, server.port(), &[], &[root, chain], &[user.key_pem()]);
    let Outcome::Opened(opened) = client.open_with(open.clone()).await.unwrap() else { panic!("let in") };
    // Another process cancels without the key, which is a secret.
    let (answer, ()) = tokio::join!(client.execute("select pg_sleep(60)"), async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        Client::connect(Driver).cancel_detached(open, opened.cancel_token).await.unwrap();
    });
    assert_eq!(ends(&answer.unwrap()), ["57014"]);

    let mut client = Client::connect(Driver);
    let open = request(&client, &server, server.port(), &[], &[root], &[]);
    let Outcome::Rejection(rejection) = client.open_with(open).await.unwrap() else { panic!("refused") };
    assert_eq!(rejection.sqlstate, "28000");
    for (contents, keys) in [
        (vec![root, chain], vec![other.key_pem()]),
        (vec![root, chain], vec!["no key"]),
        (vec![root, chain], vec![]),
        (vec![root], vec![user.key_pem()]),
        (vec![root, ("sslcert", "no certificate")], vec![user.key_pem()]),
    ] {
        let mut client = Client::connect(Driver);
        let open = request(&client, &server, server.port(), &[], &contents, &keys);
        let status = client.open_with(open).await.unwrap_err();
        assert_eq!(reason(&status), "PARAMETER_INVALID", "{status:?}");
    }
}

/// Somebody in between, with a certificate of their own, who passes everything on. To the server they speak TLS too.
async fn in_between(listener: TcpListener, own: Certificate, server_authority: String, port: u16) {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(own.chain_pem().as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(own.key_pem().as_bytes()).unwrap();
    let accepting = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(server_authority.as_bytes()).unwrap()).unwrap();
    let connecting = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();

    let (mut client, _) = listener.accept().await.unwrap();
    client.read_exact(&mut [0; 8]).await.unwrap();
    client.write_all(b"S").await.unwrap();
    let Ok(mut client) = TlsAcceptor::from(Arc::new(accepting)).accept(client).await else { return };
    let mut server = TcpStream::connect((Postgres::HOST, port)).await.unwrap();
    server.write_all(&TLS_REQUEST).await.unwrap();
    assert_eq!(server.read_u8().await.unwrap(), b'S');
    let name = ServerName::try_from("localhost").unwrap();
    let mut server = TlsConnector::from(Arc::new(connecting)).connect(name, server).await.unwrap();
    tokio::io::copy_bidirectional(&mut client, &mut server).await.ok();
}

#[tokio::test]
async fn a_log_in_cannot_be_passed_on() {
    let certificate = Certificate::make(&["localhost"]);
    let options = PostgresOptions { certificate: Some(&certificate), ..Default::default() };
    let server = Postgres::start_with(&options);
    // Encrypted to whoever answers, which is where it matters.
    for (binding, is_in_between, is_let_in) in [
        ("prefer", false, true),
        ("require", false, true),
        ("disable", false, true),
        ("prefer", true, false),
        ("require", true, false),
        // This is what it protects from.
        ("disable", true, true),
    ] {
        let mut others = JoinSet::new();
        let mut port = server.port();
        if is_in_between {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            port = listener.local_addr().unwrap().port();
            let own = Certificate::make(&["localhost"]);
            others.spawn(in_between(listener, own, certificate.authority_pem().to_owned(), server.port()));
        }
        let mut client = Client::connect(Driver);
        let texts = [("sslmode", "require"), ("channel_binding", binding)];
        match client.open_with(request(&client, &server, port, &texts, &[], &[])).await.unwrap() {
            Outcome::Opened(_) => assert!(is_let_in, "{binding} {is_in_between}"),
            Outcome::Rejection(rejection) => {
                assert!(!is_let_in, "{binding} {is_in_between}: {rejection:?}");
                assert!(rejection.message.contains("channel binding"), "{rejection:?}");
            }
        }
    }
    let mut client = Client::connect(Driver);
    let texts = [("sslmode", "disable"), ("channel_binding", "require")];
    let open = request(&client, &server, server.port(), &texts, &[], &[]);
    assert_eq!(reason(&client.open_with(open).await.unwrap_err()), "TLS_FAILED");
}

#[tokio::test]
async fn tls_can_come_first() {
    let certificate = Certificate::make(&["localhost"]);
    let options = PostgresOptions { certificate: Some(&certificate), ..Default::default() };
    let server = Postgres::start_with(&options);
    let root = ("sslrootcert", certificate.authority_pem());
    let mut client = Client::connect(Driver);
    let open = request(&client, &server, server.port(), &[("sslnegotiation", "direct")], &[root], &[]);
    let opened = client.open_with(open).await;
    if server.psql("show server_version_num") >= b"170000\n".to_vec() {
        let Outcome::Opened(opened) = opened.unwrap() else { panic!("let in") };
        assert_eq!(opened.server.unwrap().tls, "TLS 1.3");
    } else {
        assert_eq!(reason(&opened.unwrap_err()), "TLS_FAILED");
    }
    let mut client = Client::connect(Driver);
    let texts = [("sslnegotiation", "direct"), ("sslmode", "disable")];
    let open = request(&client, &server, server.port(), &texts, &[], &[]);
    assert_eq!(reason(&client.open_with(open).await.unwrap_err()), "PARAMETER_INVALID");
}
