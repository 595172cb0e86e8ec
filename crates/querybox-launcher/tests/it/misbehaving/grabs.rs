//! Drivers that take too much meet their limit.

use querybox_launcher::Cause;

use crate::misbehaving::{
    trial::{Call, Outcome},
    trials,
};

/// Without a grant a driver writes to no file.
pub(crate) const NO_FILE: Outcome = Outcome::Ended(Cause::FileSize { limit_bytes: 0 });

trials! {
    Execute {
        allocate => Outcome::Memory,
        allocate_slowly => Outcome::Memory,
        shared_memory => NO_FILE,
        shared_memory_mapped => NO_FILE,
        shared_mapping => Outcome::Memory,
        temporary_file => NO_FILE,
        memfd => Outcome::Rejected("a memfd was refused: Operation not permitted"),
        descriptors => Outcome::Rejected("Too many open files"),
        threads => Outcome::Rejected("was refused"),
    }
}
