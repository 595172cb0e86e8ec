//! A server that speaks TLS: whom it is known to, by what, and what becomes of a certificate that changes.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::PathBuf,
    sync::Arc,
};

use querybox_fixtures::Certificate;
use rustix::process::Signal;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};

use super::server::{PATIENCE, Server};
use crate::house::{House, Ran, within};

/// Puts a certificate where the server looks for it, the key last.
fn put(house: &House, certificate: &Certificate) {
    replace(house.path("chain.pem"), certificate.chain_pem());
    replace(house.path("key.pem"), certificate.key_pem());
    replace(house.path("ca.pem"), certificate.authority_pem());
}

/// Whoever reads meanwhile reads the old file or the new one.
fn replace(path: PathBuf, text: &str) {
    let new = path.with_extension("new");
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    fs::rename(new, path).unwrap();
}

fn certificate() -> Certificate {
    Certificate::make(&["127.0.0.1", "localhost"])
}

fn serve(house: &House) -> Server {
    let mut command = house.command(["serve", "--listen", "127.0.0.1:0"]);
    command.env("QUERYBOX_TLS_CERTIFICATE", house.path("chain.pem"));
    command.arg("--tls-key").arg(house.path("key.pem"));
    Server::run(command, house)
}

/// Runs a verb that goes to the server and trusts the authority of `ca.pem`.
fn trusting(house: &House, server: &Server, args: &[&str]) -> Ran {
    let ca = house.path("ca.pem");
    house.run([args, &["--server", &server.url(), "--ca", ca.to_str().unwrap()]].concat())
}

/// A connection that offers these protocols, and which of them was agreed on.
fn dial(
    house: &House,
    server: &Server,
    protocols: &[&[u8]],
) -> (StreamOwned<ClientConnection, TcpStream>, Option<Vec<u8>>) {
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_file_iter(house.path("ca.pem")).unwrap() {
        roots.add(authority.unwrap()).unwrap();
    }
    let mut config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let connection =
        ClientConnection::new(Arc::new(config), ServerName::try_from("127.0.0.1").unwrap()).unwrap();
    let stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).unwrap();
    }
    let agreed = stream.conn.alpn_protocol().map(<[u8]>::to_vec);
    (stream, agreed)
}

#[test]
fn commands_go_to_a_server_whose_certificate_they_trust_and_to_no_other() {
    let house = House::new();
    put(&house, &certificate());
    let server = serve(&house);
    assert!(server.url().starts_with("https://127.0.0.1:"), "{}", server.url());
    let sql =
        "with recursive c(n) as (select 1 union all select n + 1 from c where n < 100000) select n from c";
    let ran = trusting(&house, &server, &["query", "shop", sql, "--format", "csv"]).exits(0);
    assert!(ran.stdout.lines().count() == 100_001 && ran.stdout.ends_with("\n100000\n"));
    trusting(&house, &server, &["query", "shop", "selec 1"]).exits(1);

    let ran = server.verb(&house, &["query", "shop", "select 1"]).exits(3);
    assert!(ran.stderr.contains("certificate is not trusted") && ran.stderr.contains("--ca"), "{ran:?}");
    let stranger = house.path("stranger.pem");
    fs::write(&stranger, certificate().authority_pem()).unwrap();
    let args = ["query", "shop", "select 1", "--server", &server.url(), "--ca", stranger.to_str().unwrap()];
    let ran = house.run(args).exits(3);
    assert!(ran.stderr.contains("certificate is not trusted"), "{ran:?}");
    fs::write(&stranger, "no certificate").unwrap();
    assert!(house.run(args).exits(2).stderr.contains("has no certificate in PEM"));

    // A server of the home is found with how it speaks.
    let mut command = house.command(["link"]);
    let ran = house.ran(command.env("QUERYBOX_CA", house.path("ca.pem")).output().unwrap()).exits(0);
    assert!(ran.stdout.starts_with(&format!("{}/#code=", server.url())), "{ran:?}");
    // The home's own token goes to no other machine, and nothing is asked of one.
    let ran = house.run(["query", "shop", "select 1", "--server", "https://box.invalid:8443"]).exits(2);
    assert!(
        ran.stderr.contains("for this machine alone") && ran.stderr.contains("QUERYBOX_TOKEN"),
        "{ran:?}"
    );
    // Who speaks in the clear hears nothing, and is told.
    let plain = server.url().replace("https://", "http://");
    let ran = house.run(["query", "shop", "select 1", "--server", &plain]).exits(3);
    assert!(ran.stderr.contains("is no QueryBox that this one knows"), "{ran:?}");
    server.signal(Signal::TERM);
    server.end(&house).exits(0);
}

#[test]
fn a_browser_and_a_client_of_grpc_agree_on_what_each_speaks() {
    let house = House::new();
    put(&house, &certificate());
    let server = serve(&house);
    assert_eq!(dial(&house, &server, &[b"h2", b"http/1.1"]).1.as_deref(), Some(&b"h2"[..]));
    for protocols in [&[&b"http/1.1"[..]][..], &[]] {
        let (mut stream, agreed) = dial(&house, &server, protocols);
        assert_eq!(agreed.as_deref(), protocols.first().copied());
        let address = &server.address;
        let origin = format!("origin: https://{address}");
        let asked =
            format!("GET /healthz HTTP/1.1\r\nhost: {address}\r\n{origin}\r\nconnection: close\r\n\r\n");
        stream.write_all(asked.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("ok\n"), "{answer}");
        // The same page, had it come in the clear, is another one.
        let (mut stream, _) = dial(&house, &server, protocols);
        stream.write_all(asked.replace("https://", "http://").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    }
}

#[test]
fn a_certificate_that_changes_is_shown_and_a_broken_one_is_not() {
    let house = House::new();
    put(&house, &certificate());
    let server = serve(&house);
    trusting(&house, &server, &["sessions", "list"]).exits(0);
    put(&house, &certificate());
    within(PATIENCE, "the new certificate is shown", || {
        trusting(&house, &server, &["sessions", "list"]).code == 0
    });
    let log = || fs::read_to_string(house.path("serve.log")).unwrap();
    let told = |what: &str| log().matches(what).count();
    // The two files come one after the other, so that more may be told than once.
    let refused = || told("the certificate that changed cannot be used");
    within(PATIENCE, "it is told", || told("the certificate was read anew") >= 1);
    // A key of another certificate, and then none at all.
    let put_alone = |name: &str, text: &str| {
        let before = refused();
        replace(house.path(name), text);
        within(PATIENCE, "it is told", || refused() > before);
        trusting(&house, &server, &["sessions", "list"]).exits(0);
    };
    put_alone("key.pem", certificate().key_pem());
    put_alone("chain.pem", "nothing of the kind");
    assert!(!log().contains("PRIVATE KEY"));
}

#[test]
fn a_key_that_others_might_read_is_taken_once_they_cannot() {
    let house = House::new();
    put(&house, &certificate());
    let server = serve(&house);
    let log = || fs::read_to_string(house.path("serve.log")).unwrap();
    let key = house.path("key.pem");
    let open = house.path("open.pem");
    let certificate = certificate();
    fs::write(&open, certificate.key_pem()).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    replace(house.path("chain.pem"), certificate.chain_pem());
    replace(house.path("ca.pem"), certificate.authority_pem());
    fs::rename(&open, &key).unwrap();
    within(PATIENCE, "it is refused", || log().contains("may be read by everybody"));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    within(PATIENCE, "the new certificate is shown", || {
        trusting(&house, &server, &["sessions", "list"]).code == 0
    });
}

#[test]
fn what_is_no_certificate_is_refused_before_anything_is_served() {
    let house = House::new();
    put(&house, &certificate());
    let chain = house.path("chain.pem").display().to_string();
    let key = house.path("key.pem").display().to_string();
    let serve = |args: &[&str]| house.run([&["serve", "--listen", "127.0.0.1:0"], args].concat()).exits(2);
    let ran = serve(&["--tls-certificate", &chain]);
    assert!(ran.stderr.contains("--tls-key"), "{ran:?}");
    let both = ["--tls-certificate", chain.as_str(), "--tls-key", key.as_str()];
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let ran = serve(&both);
    assert!(ran.stderr.contains("may be read by everybody"), "{ran:?}");
    replace(house.path("key.pem"), certificate().key_pem());
    let ran = serve(&both);
    assert!(ran.stderr.contains("do not belong together"), "{ran:?}");
    replace(house.path("key.pem"), "no key");
    let ran = serve(&both);
    assert!(ran.stderr.contains("has no private key"), "{ran:?}");
    fs::remove_file(house.path("chain.pem")).unwrap();
    let ran = serve(&both);
    assert!(ran.stderr.contains("cannot read"), "{ran:?}");
    assert!(!house.home().join("token").exists());
}
