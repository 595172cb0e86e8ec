//! The soaks at a hundredth of their length, by the same code.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends here")]
#![expect(clippy::print_stdout, reason = "what a soak found is worth reading")]

mod soaks;
