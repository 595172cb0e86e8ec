//! The digits and letters of single values. Each module appends to text and allocates nothing else.

pub(crate) mod array;
pub(crate) mod decimal;
pub(crate) mod float;
pub(crate) mod hex;
pub(crate) mod out;
pub(crate) mod scan;
pub(crate) mod stack;
pub(crate) mod time;
