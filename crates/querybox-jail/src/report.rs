//! What the jail answers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The jail's one answer on the channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// The process is confined and is about to become the driver.
    Entered(Enforced),
    /// The process ended instead.
    Refused(Refused),
}

/// What holds for the driver, read back from the kernel where the kernel tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enforced {
    /// The user that the driver runs as.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// What was put in force.
    pub mechanisms: Vec<Mechanism>,
    /// What could not be, one sentence for people each. Empty: nothing is missing.
    pub degraded: Vec<String>,
}

/// One means of confinement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mechanism {
    /// A terminal session of its own: no key of a terminal reaches the driver, and it has no terminal.
    OwnSession,
    /// Other ids than those of whoever started it.
    OtherIds,
    /// No capability, and none to be had.
    NoCapabilities,
    /// No program that it executes gains a right.
    NoNewPrivileges,
    /// A folder that its user could not reach is there for it alone, without what lies around it.
    PrivateView,
    /// The kernel kills it when its parent is gone.
    DiesWithParent,
    /// Bounds on memory, descriptors, files and core dumps.
    ResourceLimits,
    /// No descriptors but the documented ones.
    ClosedDescriptors,
    /// One process, no signals to others, no look into others, no new kernel surface.
    SystemCallFilter,
}

/// The jail did not confine itself, and so did not start the driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// Where it stopped.
    pub step: Step,
    /// Why, for people: lower case, without a full stop.
    pub message: String,
}

impl Refused {
    pub(crate) fn new(step: Step, message: impl fmt::Display) -> Self {
        Self { step, message: message.to_string() }
    }

    /// For `map_err`: `what` failed, and the error says why.
    pub(crate) fn because<E: fmt::Display>(step: Step, what: impl fmt::Display) -> impl FnOnce(E) -> Self {
        move |error| Self::new(step, format_args!("{what}: {error}"))
    }
}

/// A step of [`enter`](crate::enter), in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    ReadPolicy,
    OpenDriver,
    LeaveTerminal,
    ChooseIds,
    ReachGrant,
    DropPrivileges,
    DieWithParent,
    LimitResources,
    CloseDescriptors,
    FilterSystemCalls,
}
