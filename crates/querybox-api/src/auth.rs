//! Who calls over a network, and whether they may.

mod calls;
mod codes;
mod guard;
mod names;

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use querybox_core::Token;

use self::{calls::Calls, codes::Codes};
pub use self::{
    guard::{Guard, GuardLayer},
    names::{HostNames, NotAHost, Scheme},
};

/// What a server asks of those who call.
///
/// One run of Core has one token. A page comes by it through a code, which a link carries and which is good once.
#[derive(Debug)]
pub struct Access {
    token: Token,
    codes: Mutex<Codes>,
    names: HostNames,
    /// Paths of the server's own that need no token.
    open: &'static [&'static str],
    calls: Calls,
}

impl Access {
    /// `open`: paths that are no rpc's and need no token. `calls_max`: calls of token holders that may run at once.
    #[must_use]
    pub fn new(token: Token, names: HostNames, open: &'static [&'static str], calls_max: usize) -> Self {
        Self { token, codes: Mutex::default(), names, open, calls: Calls::new(calls_max) }
    }

    /// A code that is good once, and for the time that is told.
    #[must_use]
    pub fn make_code(&self) -> (String, Duration) {
        (self.codes().make(Instant::now()), Codes::LIFE)
    }

    /// Calls of token holders that run now.
    #[must_use]
    pub fn calls_running(&self) -> usize {
        self.calls.running()
    }

    /// The token, for a code that was made and never traded.
    pub(crate) fn trade_code(&self, code: &str) -> Result<String, AccessError> {
        if !self.codes().take(code, Instant::now()) {
            return Err(AccessError::CodeInvalid);
        }
        // Who traded a code is to have it.
        Ok(self.token.expose().to_owned())
    }

    fn codes(&self) -> std::sync::MutexGuard<'_, Codes> {
        // Every change is whole before anything can panic.
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a call is refused before anything looks at what it asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AccessError {
    #[error("this server does not go by the name that it was called by")]
    HostForeign,
    #[error("a page of another origin may not call this server")]
    OriginForeign,
    #[error("no token was shown; this server needs one")]
    TokenMissing,
    #[error("the token is not this server's; each start makes a new one")]
    TokenWrong,
    #[error("the code is not good, or not any more")]
    CodeInvalid,
    #[error("{max} calls run, and no more may")]
    CallsFull { max: usize },
}
