//! SQL text cut to pieces: what holds for all text, and what each database does with it.

#![expect(clippy::unwrap_used, reason = "a helper of a test may give up as the test itself")]

mod lexing;
mod outlining;
mod parameters;
mod redaction;
mod rewriting;
mod soup;
mod speed;
mod splitting;
