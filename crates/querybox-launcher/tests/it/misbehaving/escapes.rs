//! Drivers that try what the jail forbids are refused by the kernel.

use crate::misbehaving::{
    trial::{Call, Outcome},
    trials,
};

trials! {
    Execute {
        fork => Outcome::Rejected("Operation not permitted"),
        clear_death_signal => Outcome::Rejected("Operation not permitted"),
        end_parent => Outcome::Rejected("Operation not permitted"),
    }
}
