//! The calls of the plugin contract, each with its plain order and its checked answer.

pub(crate) mod copy;
pub(crate) mod error;
pub(crate) mod events;
pub(crate) mod execute;
pub(crate) mod failure;
pub(crate) mod open;
pub(crate) mod part;
pub(crate) mod parts;
pub(crate) mod schema;
pub(crate) mod test;
