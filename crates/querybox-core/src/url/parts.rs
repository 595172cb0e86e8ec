//! The parts of a URL behind its scheme, percent-decoded.

use super::UrlError;

/// The parts that are there and not empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) user: Option<String>,
    pub(super) host: Option<String>,
    pub(super) port: Option<String>,
    pub(super) database: Option<String>,
    pub(super) path: Option<String>,
    /// In their order.
    pub(super) options: Vec<(String, String)>,
}

/// Splits `path?options`, and `///absolute/path?options`.
pub(super) fn split_path(rest: &str) -> Result<Parts, UrlError> {
    let (path, options) = split_options(rest)?;
    let path = match path.strip_prefix("//") {
        // The empty host before an absolute path.
        Some(path) if path.starts_with('/') => path,
        Some(_) => {
            return Err(UrlError::Malformed("a file has no host: write scheme:path or scheme:///path"));
        }
        None => path,
    };
    Ok(Parts { path: decode_some(path)?, options, ..Parts::default() })
}

/// Splits `//user@host:port/database?options`, of which there may be several `host:port`.
pub(super) fn split_network(rest: &str) -> Result<Parts, UrlError> {
    let rest = rest.strip_prefix("//").ok_or(UrlError::Malformed("\"//\" and a host follow the scheme"))?;
    let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(authority_end);
    if behind.contains('@') {
        return Err(UrlError::Password);
    }
    let (user, address) = match authority.rsplit_once('@') {
        // A colon begins a password, be it empty.
        Some((user, _)) if user.contains(':') => return Err(UrlError::Password),
        Some((user, address)) => (decode_some(user)?, address),
        None => (None, authority),
    };
    let (host, port) = split_address(address)?;
    let (path, options) = split_options(behind)?;
    let database = decode_some(path.strip_prefix('/').unwrap_or(path))?;
    Ok(Parts { user, host, port, database, path: None, options })
}

/// Splits `host:port`, `[ipv6]:port`. Several, parted by commas, are one host in which each has its port.
fn split_address(address: &str) -> Result<(Option<String>, Option<String>), UrlError> {
    if !address.contains(',') {
        return split_host(address);
    }
    let hosts = address.split(',').map(|host| match split_host(host)? {
        (Some(host), port) => Ok((host, port)),
        (None, _) => Err(UrlError::Malformed("one of the hosts has no name")),
    });
    Ok((Some(join_hosts(hosts.collect::<Result<_, UrlError>>()?)?), None))
}

/// Writes several hosts as one: each with its port behind a colon, an IPv6 address in brackets.
pub(super) fn join_hosts(hosts: Vec<(String, Option<String>)>) -> Result<String, UrlError> {
    let host = |(host, port): (String, Option<String>)| match port {
        _ if host.contains(',') => Err(UrlError::Malformed("one of the hosts has a comma in its name")),
        Some(_) if host.starts_with('/') => {
            Err(UrlError::Malformed("a socket among several hosts has no port of its own"))
        }
        Some(port) if host.contains(':') => Ok(format!("[{host}]:{port}")),
        Some(port) => Ok(format!("{host}:{port}")),
        None => Ok(host),
    };
    Ok(hosts.into_iter().map(host).collect::<Result<Vec<_>, UrlError>>()?.join(","))
}

fn split_host(address: &str) -> Result<(Option<String>, Option<String>), UrlError> {
    let (host, port) = if let Some(bracketed) = address.strip_prefix('[') {
        let (host, behind) = bracketed.split_once(']').ok_or(UrlError::Malformed("a \"[\" is not closed"))?;
        match behind.strip_prefix(':') {
            Some(port) => (host, port),
            None if behind.is_empty() => (host, ""),
            None => return Err(UrlError::Malformed("a port follows \"]\" behind a colon")),
        }
    } else {
        let (host, port) = address.split_once(':').unwrap_or((address, ""));
        if port.contains(':') {
            return Err(UrlError::Malformed("an IPv6 address stands in brackets"));
        }
        (host, port)
    };
    // Checked here, because what looks like a port may be the start of a password.
    if !port.is_empty() && !is_port(port) {
        return Err(UrlError::Malformed("the port is not a number from 1 to 65535"));
    }
    Ok((decode_some(host)?, Some(port.to_owned()).filter(|port| !port.is_empty())))
}

pub(super) fn is_port(text: &str) -> bool {
    // `parse` would take a sign.
    text.bytes().all(|byte| byte.is_ascii_digit()) && matches!(text.parse::<u16>(), Ok(1..))
}

type Options = Vec<(String, String)>;

fn split_options(text: &str) -> Result<(&str, Options), UrlError> {
    let Some((before, options)) = text.split_once('?') else {
        return Ok((text, Vec::new()));
    };
    let options = options
        .split('&')
        .filter(|option| !option.is_empty())
        .map(|option| {
            let (name, value) = option
                .split_once('=')
                .ok_or(UrlError::Malformed("an option has no value: write name=value"))?;
            Ok((decode(name)?, decode(value)?))
        })
        .collect::<Result<_, UrlError>>()?;
    Ok((before, options))
}

fn decode_some(text: &str) -> Result<Option<String>, UrlError> {
    Ok(Some(decode(text)?).filter(|text| !text.is_empty()))
}

/// Replaces each `%` and two hexadecimal digits by the byte. A plus stays a plus.
fn decode(text: &str) -> Result<String, UrlError> {
    const NOT_HEX: UrlError =
        UrlError::Malformed("two hexadecimal digits follow each % (a plain % is written %25)");
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let piece = piece.as_bytes();
        let (&[high, low], plain) = piece.split_first_chunk().ok_or(NOT_HEX)?;
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let (high, low) = digit(high).zip(digit(low)).ok_or(NOT_HEX)?;
        bytes.push(high << 4 | low);
        bytes.extend_from_slice(plain);
    }
    String::from_utf8(bytes).map_err(|_| UrlError::Malformed("what it decodes to is not UTF-8"))
}
