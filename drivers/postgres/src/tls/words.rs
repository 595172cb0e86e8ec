//! Failures of a handshake in words for people.

use std::io;

use querybox_plugin::{Error, Reason};
use rustls::{CertificateError, OtherError};

const FAILED: &str = "TLS with the server failed";

/// What went wrong in a handshake.
pub(super) fn explain(error: &io::Error) -> Error {
    match error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(fault)) => {
            let fault = certificate(fault);
            Error::new(Reason::TlsFailed, format!("{FAILED}: invalid peer certificate: {fault}"))
        }
        Some(rustls::Error::AlertReceived(alert)) => {
            let alert = spaced(&format!("{alert:?}"));
            Error::new(Reason::TlsFailed, format!("{FAILED}: the server ended it with the alert \"{alert}\""))
        }
        Some(fault) => Error::new(Reason::TlsFailed, format!("{FAILED}: {fault}")),
        None => Error::of_socket(Reason::TlsFailed, FAILED, error),
    }
}

fn certificate(fault: &CertificateError) -> String {
    match fault {
        CertificateError::UnknownIssuer => "no authority that is believed has signed it".into(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            // `DnsName("localhost")`, as the library shows them.
            let inside = |name: &String| {
                let inside = name.split_once('(').map_or(name.as_str(), |(_, inside)| inside);
                inside.trim_matches([')', '"']).to_owned()
            };
            let names: Vec<_> = presented.iter().map(inside).collect();
            let valid = if names.is_empty() { "any".to_owned() } else { names.join(", ") };
            let only = if names.is_empty() { "nor" } else { "but" };
            format!("it is not valid for name {:?}, {only} for {valid}", expected.to_str())
        }
        CertificateError::ExpiredContext { .. } | CertificateError::NotValidYetContext { .. } => {
            fault.to_string()
        }
        CertificateError::Other(OtherError(cause)) => match cause.to_string().as_str() {
            "CaUsedAsEndEntity" => "it is an authority's, which a server cannot use for itself; \
                                    make one for the server and sign it with this one"
                .into(),
            name => spaced(name),
        },
        fault => spaced(&format!("{fault:?}")),
    }
}

/// The name of a fault as words: `BadSignature` is "bad signature". What stands in brackets behind it is left out.
fn spaced(name: &str) -> String {
    let name = name.split(['(', '{', ' ']).next().unwrap_or_default();
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_faults_are_words() {
        let shown = |fault| explain(&io::Error::new(io::ErrorKind::InvalidData, fault)).to_string();
        let invalid = |fault| shown(rustls::Error::InvalidCertificate(fault));
        assert!(invalid(CertificateError::BadSignature).ends_with(": bad signature"));
        let other = |name: &'static str| {
            let fault: Box<dyn std::error::Error + Send + Sync> = name.into();
            invalid(CertificateError::Other(OtherError(fault.into())))
        };
        assert!(other("EndEntityUsedAsCa").ends_with(": end entity used as ca"));
        assert!(other("CaUsedAsEndEntity").contains("it is an authority's"));
        assert!(
            shown(rustls::Error::AlertReceived(rustls::AlertDescription::HandshakeFailure))
                .contains("\"handshake failure\"")
        );
        let reset = io::Error::from_raw_os_error(104);
        assert_eq!(explain(&reset).to_string(), "TLS with the server failed: connection reset by peer");
    }
}
