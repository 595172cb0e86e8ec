//! The soaks at a hundredth of their length and the benches on small tables, by the same code.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends here")]
#![expect(clippy::print_stdout, reason = "what was found is worth reading")]

mod benches;
mod soaks;
