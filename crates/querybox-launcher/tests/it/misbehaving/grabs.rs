//! Drivers that take too much meet their limit.

use querybox_launcher::Cause;

use crate::misbehaving::{
    trial::{Call, Outcome},
    trials,
};

trials! {
    Execute {
        allocate => Outcome::Memory,
        allocate_slowly => Outcome::Memory,
        shared_memory => Outcome::Ended(Cause::FileSize { limit_bytes: 64 << 20 }),
        memfd => Outcome::Rejected("a memfd was refused: Operation not permitted"),
        descriptors => Outcome::Rejected("Too many open files"),
        threads => Outcome::Rejected("was refused"),
    }
}
