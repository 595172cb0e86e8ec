//! `Debug` of the messages that hold a secret: their kind and nothing else.

use std::fmt;

use crate::{
    core::v1::{
        MakeCodeResponse, MakeDownloadResponse, NewSecret, SetCredentialRequest, TradeCodeRequest,
        TradeCodeResponse,
    },
    plugin::v1::{Credential, SecretField},
};

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

impl fmt::Debug for SecretField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretField(..)")
    }
}

impl fmt::Debug for SetCredentialRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetCredentialRequest(..)")
    }
}

impl fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewSecret(..)")
    }
}

impl fmt::Debug for TradeCodeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TradeCodeRequest(..)")
    }
}

impl fmt::Debug for TradeCodeResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TradeCodeResponse(..)")
    }
}

impl fmt::Debug for MakeCodeResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MakeCodeResponse(..)")
    }
}

impl fmt::Debug for MakeDownloadResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MakeDownloadResponse(..)")
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        core::v1::{
            CreateConnectionRequest, MakeCodeResponse, NewSecret, TradeCodeRequest, TradeCodeResponse,
        },
        plugin::v1::{Credential, OpenRequest, SecretField},
    };

    #[test]
    fn a_request_with_a_secret_prints_without_it() {
        let secret = SecretField { name: "password".into(), value: "canary-7f3a".into() };
        let open = OpenRequest {
            credential: Some(Credential { fields: vec![secret.clone()] }),
            ..OpenRequest::default()
        };
        let create = CreateConnectionRequest {
            secret: Some(NewSecret { secret: "canary-7f3a".into(), ..NewSecret::default() }),
            ..CreateConnectionRequest::default()
        };
        let canary = || "canary-7f3a".to_owned();
        for printed in [
            format!("{open:?}"),
            format!("{open:#?}"),
            format!("{secret:?}"),
            format!("{create:?}"),
            format!("{:?}", TradeCodeRequest { code: canary() }),
            format!("{:?}", TradeCodeResponse { token: canary() }),
            format!("{:?}", MakeCodeResponse { code: canary(), life: None }),
        ] {
            assert!(!printed.contains("canary"), "{printed}");
            // Bytes print as numbers too.
            assert!(!printed.contains("99, 97, 110"), "{printed}");
            assert!(printed.contains("(..)"), "{printed}");
        }
    }
}
