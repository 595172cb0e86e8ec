//! Secrets: what a credential is while it is in memory.
//!
//! - [`Secret`]: a credential in the clear, wiped on drop.
//!
//! Must not know: databases, rows, transports, any runtime.

mod secret;

pub use secret::{NotText, Secret};
