//! The vault as the rest of QueryBox meets it.

#![expect(clippy::unwrap_used, reason = "in tests, helpers included, a failure is a panic")]

mod canary;
mod keyring;
mod keyset;
mod tampering;
