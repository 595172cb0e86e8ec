//! Drivers that end are told by how they ended.

use querybox_launcher::{Cause, Reason};

use crate::misbehaving::{
    trial::{Call, Outcome},
    trials,
};

trials! {
    Open {
        panic_in_open => Outcome::Failed(Reason::DriverBroken, "the driver panicked: asked to panic"),
        exit_in_open => Outcome::Ended(Cause::Exited(5)),
    }
    Test {
        exit_in_test => Outcome::Ended(Cause::Exited(5)),
    }
    Execute {
        panic => Outcome::Failed(Reason::DriverBroken, "the driver panicked: asked to panic"),
        exit_well => Outcome::Broken("it exited in the middle of a call"),
        exit_badly => Outcome::Ended(Cause::Exited(7)),
        abort => Outcome::Ended(Cause::Signal(6)),
        segmentation_fault => Outcome::Ended(Cause::Signal(11)),
        bus_error => Outcome::Ended(Cause::Signal(7)),
        illegal_instruction => Outcome::Ended(Cause::Signal(4)),
        arithmetic_fault => Outcome::Ended(Cause::Signal(8)),
        bad_system_call => Outcome::Ended(Cause::Signal(31)),
        terminate => Outcome::Ended(Cause::Signal(15)),
        hang_up => Outcome::Ended(Cause::Signal(1)),
        kill => Outcome::Ended(Cause::Signal(9)),
    }
}
