//! The server's side of a SCRAM-SHA-256 log-in, for a server that knows the password.

use std::num::NonZeroU32;

use aws_lc_rs::{
    hmac,
    pbkdf2::{self, PBKDF2_HMAC_SHA256},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

const SALT: &[u8] = b"salt";

/// What the driver said first, and what the server answered.
pub(crate) struct Exchange {
    client_first: String,
    server_first: String,
    iterations: NonZeroU32,
}

impl Exchange {
    /// Answers the body of the driver's first message: mechanism, length, and `n,,n=,r=<nonce>`.
    pub(crate) fn begin(body: &[u8], iterations: u32) -> Option<Self> {
        let text = String::from_utf8_lossy(body);
        let client_first = &text[text.find("n=")?..];
        let (_, nonce) = client_first.split_once("r=")?;
        let server_first = format!("r={nonce}server,s={},i={iterations}", STANDARD.encode(SALT));
        Some(Self {
            client_first: client_first.to_owned(),
            server_first,
            // What is hashed here in earnest is bounded; the driver is told what the case says.
            iterations: NonZeroU32::new(iterations.clamp(1, 4096)).expect("at least 1"),
        })
    }

    /// The challenge's text.
    pub(crate) fn challenge(&self) -> &str {
        &self.server_first
    }

    /// The last message's text: only who knows the password can make it.
    pub(crate) fn proof(&self, client_final: &[u8], password: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(client_final);
        let (without_proof, _) = text.rsplit_once(",p=")?;
        let mut salted = [0; 32];
        pbkdf2::derive(PBKDF2_HMAC_SHA256, self.iterations, SALT, password, &mut salted);
        let sign = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
        let server_key = sign(&salted, b"Server Key");
        let all = format!("{},{},{without_proof}", self.client_first, self.server_first);
        Some(format!("v={}", STANDARD.encode(sign(server_key.as_ref(), all.as_bytes()))))
    }
}
