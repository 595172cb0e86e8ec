//! A Core that a server has: found, and known to be one, before a verb works with it.

mod tls;

use std::{env, fs, io, net::IpAddr, path::Path, str::FromStr, time::Duration};

use http::{HeaderValue, Uri};
use querybox_contracts::core::v1::{GetServerRequest, access_service_client::AccessServiceClient};
use tonic::{Status, transport::Endpoint};
use zeroize::Zeroizing;

use self::tls::{Dialer, Unreached};
use crate::{
    channel::Channel,
    failure::{Failure, chain, describe},
    reason::Reason,
};

const CONNECT: Duration = Duration::from_secs(5);
/// Time for a server to say that it is one. Something that takes connections and says nothing is none.
const ANSWER: Duration = Duration::from_secs(10);
/// Bytes that a call and the connection may have on the way, as the server has them.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
/// A batch in one frame: HTTP/2's own 16 KiB would cut each into many.
const FRAME_BYTES_MAX: u32 = 256 << 10;
/// A token is much shorter.
const TOKEN_BYTES_MAX: usize = 1 << 10;

/// Where a server is: `https://` and any name, or `http://` and a loopback address or `localhost`, for there the token goes in
/// the clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerUrl(Uri);

impl FromStr for ServerUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<ServerUrl, String> {
        let form = || "give an address such as `http://127.0.0.1:8210`".to_owned();
        let uri: Uri = text.parse().map_err(|_| form())?;
        let host = uri.host().ok_or_else(form)?;
        let is_here = is_here(host);
        let has_more = uri.path() != "/" || uri.query().is_some() || text.contains(['@', '#']);
        match uri.scheme_str() {
            Some("https") if !has_more => return Ok(ServerUrl(uri)),
            Some("http") if !has_more => {}
            _ => return Err(form()),
        }
        if !is_here {
            return Err(format!(
                "{host} is not this machine, and the token would go there in the clear; `https://` seals it"
            ));
        }
        Ok(ServerUrl(uri))
    }
}

impl ServerUrl {
    fn speaks_tls(&self) -> bool {
        self.0.scheme_str() == Some("https")
    }

    /// Whether it is on this machine.
    fn is_here(&self) -> bool {
        self.0.host().is_some_and(is_here)
    }
}

/// Whether a host is this machine, by its name alone.
fn is_here(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|ip| ip.is_loopback())
}

impl std::fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.to_string().trim_end_matches('/'))
    }
}

/// Connects to a server with the token of the environment, or else, when it is on this machine, of the home. `authorities`:
/// whom to trust when it speaks TLS; `None`: those that browsers trust.
pub(crate) async fn connect(
    url: &ServerUrl,
    authorities: Option<&Path>,
    token_file: &Path,
) -> Result<Channel, Failure> {
    let authorization = authorization(url, token_file)?;
    let endpoint = Endpoint::from(url.0.clone())
        .connect_timeout(CONNECT)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_frame_size(FRAME_BYTES_MAX)
        .user_agent(concat!("querybox/", env!("CARGO_PKG_VERSION")))
        .expect("the name and a version make a header");
    let connected = if url.speaks_tls() {
        let dialer = Dialer::trusting(authorities)?;
        // The scheme stays the server's own, and tonic is not asked to speak TLS by itself.
        endpoint.connect_with_connector(tower::service_fn(move |uri| dialer.clone().dial(uri))).await
    } else {
        endpoint.connect().await
    };
    let connected = connected.map_err(|error| unreached(url, &error))?;
    let channel = Channel::there(connected, authorization);
    let mut client = AccessServiceClient::new(channel.clone());
    match tokio::time::timeout(ANSWER, client.get_server(GetServerRequest {})).await {
        Ok(Ok(_)) => Ok(channel),
        Ok(Err(status)) => Err(refused(url, status)),
        Err(_) => Err(not_ours(url)),
    }
}

/// Why there is no connection.
fn unreached(url: &ServerUrl, error: &(dyn std::error::Error + 'static)) -> Failure {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    match causes.find_map(|cause| cause.downcast_ref::<Unreached>()) {
        Some(untrusted @ Unreached::Untrusted(_)) => Failure::machinery(format!(
            "the server at {url} cannot be talked to: {untrusted}"
        ))
        .with_hint("`--ca FILE` names the certificate of the authority that signed the server's, in PEM"),
        Some(other @ (Unreached::NoTls(_) | Unreached::NoHttp2)) => {
            Failure::machinery(format!("the server at {url} cannot be talked to: {other}"))
                .with_hint("the address is the one that `querybox serve` printed, up to the port")
        }
        Some(Unreached::Dial(error)) => no_server(url, &describe(error)),
        None => no_server(url, &innermost(error)),
    }
}

fn no_server(url: &ServerUrl, why: &str) -> Failure {
    Failure::machinery(format!("there is no server at {url}: {why}")).with_hint("`querybox serve` starts one")
}

/// Why what is at the address is not the Core that was wanted.
fn refused(url: &ServerUrl, status: Status) -> Failure {
    tracing::debug!(%status, "the server did not answer");
    let failure = Failure::from(status);
    match failure.reason {
        Some(Reason::TokenWrong | Reason::TokenMissing) => {
            Failure { message: format!("the server at {url} does not know the token"), ..failure }
        }
        Some(_) => failure,
        None => not_ours(url),
    }
}

fn not_ours(url: &ServerUrl) -> Failure {
    Failure::machinery(format!("what answers at {url} is no QueryBox that this one knows"))
        .with_hint("the address is the one that `querybox serve` printed, up to the port")
}

fn authorization(url: &ServerUrl, token_file: &Path) -> Result<HeaderValue, Failure> {
    let token = match env::var_os("QUERYBOX_TOKEN").filter(|token| !token.is_empty()) {
        Some(token) => token.into_encoded_bytes(),
        // The home's own server listens on this machine alone. Whoever else got its token would own all connections with it.
        None if !url.is_here() => {
            return Err(Failure::usage(format!(
                "there is no token for the server at {url}: that of the home is for this machine alone"
            ))
            .with_hint("QUERYBOX_TOKEN has the token of a server elsewhere"));
        }
        None => match fs::read(token_file) {
            Ok(token) => token,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Failure::usage("there is no token for the server: none serves this home")
                    .with_hint("`--home` names the home that it serves, or QUERYBOX_TOKEN has the token"));
            }
            Err(error) => {
                let path = token_file.display();
                return Err(Failure::usage(format!("cannot read {path}: {}", describe(&error))));
            }
        },
    };
    let token = Zeroizing::new(token);
    let no_token = || Failure::usage("what should be the token is none");
    if token.len() > TOKEN_BYTES_MAX {
        return Err(no_token());
    }
    let shown = Zeroizing::new([b"Bearer ".as_slice(), token.trim_ascii()].concat());
    let mut header = HeaderValue::from_bytes(&shown).map_err(|_| no_token())?;
    header.set_sensitive(true);
    Ok(header)
}

/// What the system said, without the words of the layers above it.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    match cause.downcast_ref::<io::Error>() {
        Some(error) => describe(error),
        None => chain(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_on_this_machine_or_speaks_tls() {
        for url in [
            "http://127.0.0.1:8210",
            "http://127.0.0.1:8210/",
            "http://localhost:1",
            "http://[::1]:8210",
            "https://box.example",
        ] {
            let parsed = url.parse::<ServerUrl>().unwrap();
            assert_eq!(parsed.to_string(), url.trim_end_matches('/'));
        }
        for url in [
            "",
            "127.0.0.1:8210",
            "https://127.0.0.1:8210/path",
            "https://me@127.0.0.1:8210",
            "http://box.example:8210",
            "http://192.168.0.1:8210",
            "http://127.0.0.1:8210/path",
            "http://127.0.0.1:8210/#code=x",
            "http://me@127.0.0.1:8210",
            "ftp://127.0.0.1",
        ] {
            assert!(url.parse::<ServerUrl>().is_err(), "{url}");
        }
    }

    #[test]
    fn a_token_is_never_printed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "canary-7f3a\n").unwrap();
        let here: ServerUrl = "https://localhost:8210".parse().unwrap();
        let authorization = |path: &Path| authorization(&here, path);
        let header = authorization(&path).unwrap();
        assert_eq!(header.as_bytes(), b"Bearer canary-7f3a");
        assert!(!format!("{header:?}").contains("canary"));
        assert!(authorization(&folder.path().join("none")).is_err_and(|failure| failure.exit.code() == 2));
        fs::write(&path, "two\nlines").unwrap();
        assert!(authorization(&path).is_err());
    }

    #[test]
    fn the_token_of_a_home_stays_on_this_machine() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "canary-7f3a\n").unwrap();
        for url in ["http://127.0.0.1:1", "https://[::1]:1", "https://LOCALHOST:1"] {
            assert!(authorization(&url.parse().unwrap(), &path).is_ok(), "{url}");
        }
        for url in [
            "https://box.example",
            "https://192.168.0.1:8443",
            "https://localhost.example",
            "https://127.0.0.1.example",
        ] {
            let failure = authorization(&url.parse().unwrap(), &path).unwrap_err();
            assert_eq!(failure.exit.code(), 2, "{url}");
            assert!(failure.message.contains(url) && !failure.message.contains("canary"), "{failure}");
            assert!(failure.hint.contains("QUERYBOX_TOKEN"), "{url}");
        }
    }
}
