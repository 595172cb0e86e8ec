//! What a driver can and cannot do in the jail. Each attack runs in a process of its own, under the real binary, started
//! by root and by an ordinary user; and once without the jail, where it must succeed, so that a broken probe is no proof.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends here")]

mod descriptors;
mod grant;
mod identity;
mod limits;
mod neighbors;
mod processes;
mod refusal;
mod trial;
