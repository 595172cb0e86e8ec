//! The names that a server goes by, against pages that reach it by a name of their own.

use std::{fmt, net::SocketAddr};

use http::{Request, Uri, header};

use super::AccessError;

/// The names that a server goes by: its address and, on a loopback address, this machine's names for it; and what the operator
/// adds, for instance for a tunnel.
///
/// The port is a part of each: two programs on one machine are two origins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostNames {
    /// How the server speaks.
    scheme: Scheme,
    /// Lower case.
    own: Vec<String>,
    /// Lower case. Pages may come from these by https too, which something in front of the server then speaks.
    added: Vec<String>,
}

/// How a server speaks, as its pages' origins begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Plain.
    Http,
    /// By TLS.
    Https,
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

/// The text is no `name` or `name:port`, as a browser sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("give a name as browsers send it, such as `localhost:9000` or `box.example`")]
pub struct NotAHost;

impl HostNames {
    /// # Errors
    ///
    /// An added name is none.
    pub fn new(address: SocketAddr, scheme: Scheme, added: &[String]) -> Result<Self, NotAHost> {
        let port = address.port();
        let mut own = vec![address.to_string()];
        if address.ip().is_loopback() {
            own.extend(["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{name}:{port}")));
        }
        let added = added.iter().map(|name| {
            let name = name.to_ascii_lowercase();
            let is_name = name.parse::<http::uri::Authority>().is_ok_and(|host| {
                !host.as_str().contains('@') && !host.host().is_empty() && !host.host().contains('*')
            });
            is_name.then_some(name).ok_or(NotAHost)
        });
        Ok(Self { scheme, own, added: added.collect::<Result<_, _>>()? })
    }

    /// Checks by which name a call came, and from which page.
    pub(super) fn check<B>(&self, request: &Request<B>) -> Result<(), AccessError> {
        let host = self.host_of(request).ok_or(AccessError::HostForeign)?;
        let mut origins = request.headers().get_all(header::ORIGIN).into_iter();
        let (origin, more) = (origins.next(), origins.next());
        let is_own = match origin {
            // No page calls, or one of ours asks in a way that changes nothing.
            None => true,
            Some(origin) => origin.to_str().is_ok_and(|origin| self.is_origin_of(&host, origin)),
        };
        (is_own && more.is_none()).then_some(()).ok_or(AccessError::OriginForeign)
    }

    /// The name that a call came by, when it is one of ours. A call with two names has none.
    fn host_of<B>(&self, request: &Request<B>) -> Option<String> {
        let mut said = request.headers().get_all(header::HOST).into_iter();
        let (header, more) = (said.next(), said.next());
        // HTTP/2 has it in the URI.
        let of_uri = request.uri().authority().map(|authority| authority.as_str().to_ascii_lowercase());
        let of_header = match header {
            Some(host) => Some(host.to_str().ok()?.to_ascii_lowercase()),
            None => None,
        };
        let host = match (of_uri, of_header) {
            (Some(uri), Some(header)) if uri == header => uri,
            (Some(host), None) | (None, Some(host)) => host,
            (Some(_), Some(_)) | (None, None) => return None,
        };
        let is_ours = self.own.contains(&host) || self.added.contains(&host);
        (is_ours && more.is_none()).then_some(host)
    }

    fn is_origin_of(&self, host: &str, origin: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        let Some((scheme, name)) = origin.split_once("://") else { return false };
        let is_added = || self.added.iter().any(|added| added == host);
        let may_be = match self.scheme {
            Scheme::Http => scheme == "http" || (scheme == "https" && is_added()),
            Scheme::Https => scheme == "https",
        };
        // A path or anything else behind the name makes it no origin.
        may_be && name == host && origin.parse::<Uri>().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "127.0.0.1:8210";

    fn check(uri: &str, headers: &[(&str, &str)]) -> Result<(), AccessError> {
        let names = HostNames::new(OURS.parse().unwrap(), Scheme::Http, &["Box.example".to_owned()]).unwrap();
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        names.check(&request.body(()).unwrap())
    }

    #[test]
    fn a_name_of_ours_is_taken_and_any_other_is_not() {
        for host in [OURS, "localhost:8210", "LOCALHOST:8210", "[::1]:8210", "box.example"] {
            assert_eq!(check("/", &[("host", host)]), Ok(()), "{host}");
            assert_eq!(check(&format!("http://{host}/"), &[]), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8210",
            "127.0.0.1",
            "localhost",
            "localhost:80",
            "",
            "x@localhost:8210",
        ] {
            assert_eq!(check("/", &[("host", host)]), Err(AccessError::HostForeign), "{host}");
        }
        assert_eq!(check("/", &[]), Err(AccessError::HostForeign));
    }

    #[test]
    fn a_call_with_two_names_has_none() {
        let two = [("host", OURS), ("host", "evil.example")];
        assert_eq!(check("/", &two), Err(AccessError::HostForeign));
        assert_eq!(check("http://evil.example/", &[("host", OURS)]), Err(AccessError::HostForeign));
    }

    #[test]
    fn a_page_of_ours_may_call_and_any_other_may_not() {
        let check = |host, origin| check("/", &[("host", host), ("origin", origin)]);
        assert_eq!(check(OURS, "http://127.0.0.1:8210"), Ok(()));
        assert_eq!(check("box.example", "https://box.example"), Ok(()));
        for origin in [
            "null",
            "",
            "http://127.0.0.1:3000",
            "http://127.0.0.1",
            // The same program by another name is another origin for a browser.
            "http://localhost:8210",
            "https://127.0.0.1:8210",
            "http://127.0.0.1:8210/",
            "http://127.0.0.1:8210.evil.example",
            "http://evil.example",
        ] {
            assert_eq!(check(OURS, origin), Err(AccessError::OriginForeign), "{origin}");
        }
    }

    #[test]
    fn a_page_of_a_server_that_speaks_tls_is_of_https() {
        let names =
            HostNames::new(OURS.parse().unwrap(), Scheme::Https, &["box.example".to_owned()]).unwrap();
        let check = |host: &str, origin: &str| {
            names.check(
                &Request::builder().uri("/").header("host", host).header("origin", origin).body(()).unwrap(),
            )
        };
        assert_eq!(check(OURS, "https://127.0.0.1:8210"), Ok(()));
        assert_eq!(check("box.example", "https://box.example"), Ok(()));
        for (host, origin) in [(OURS, "http://127.0.0.1:8210"), ("box.example", "http://box.example")] {
            assert_eq!(check(host, origin), Err(AccessError::OriginForeign), "{origin}");
        }
    }

    #[test]
    fn a_call_from_two_pages_is_from_none() {
        let own = ("origin", "http://127.0.0.1:8210");
        let two = [("host", OURS), own, ("origin", "http://evil.example")];
        assert_eq!(check("/", &two), Err(AccessError::OriginForeign));
    }

    #[test]
    fn what_is_no_name_cannot_be_added() {
        let new = |name: &str| HostNames::new(OURS.parse().unwrap(), Scheme::Http, &[name.to_owned()]);
        assert!(new("box.example").is_ok() && new("localhost:9000").is_ok());
        for name in ["", "*", "*.example", "http://box.example", "a/b", "user@box"] {
            assert_eq!(new(name), Err(NotAHost), "{name}");
        }
    }
}
