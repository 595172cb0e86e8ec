//! Master keys: where this program gets them from. Core and the vault only ever see the keys.

pub(crate) mod disk;
pub(crate) mod source;
