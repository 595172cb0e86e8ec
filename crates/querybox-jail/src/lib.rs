//! Confinement of a driver: what it may do is written down in a [`Policy`], and [`enter`] makes the calling process obey
//! it for good. The binary `querybox-jail` does so with a policy that it reads from descriptor 0, then becomes the driver.
//!
//! The crate must not know what a driver is for, which database it speaks, or why it is started. It has no threads, no
//! async and no `unsafe`; whoever audits it reads [`enter`] from top to bottom.
//!
//! # The channel
//!
//! Descriptor 0 is a Unix stream socket. The launcher writes one message, the [`Policy`], before it starts the jail. The
//! jail reads exactly that message and answers with one [`Report`]; every later byte belongs to the driver. A message is
//! a length of four bytes, big endian, and that many bytes of JSON: see [`channel`].
//!
//! # Ends
//!
//! A process that refused to confine itself ends with [`EXIT_REFUSED`], and one that could not be turned into the driver
//! with [`EXIT_NOT_EXECUTED`] and a line on descriptor 2.

#[cfg(not(target_os = "linux"))]
compile_error!("querybox-jail confines processes by means of Linux; no other system is supported yet");

pub mod channel;
mod descriptors;
mod driver_file;
mod enter;
mod filter;
mod identity;
mod limits;
mod policy;
mod report;
mod view;

pub use crate::{
    enter::{Confined, enter},
    policy::{Ids, Limits, Pin, Policy, Stdin},
    report::{Enforced, Mechanism, Refused, Report, Step},
};

/// Exit code of a jail that refused; why stands in its [`Report`].
pub const EXIT_REFUSED: i32 = 125;

/// Exit code of a jail that was confined, but whose driver the kernel did not execute; why stands on descriptor 2.
pub const EXIT_NOT_EXECUTED: i32 = 126;
