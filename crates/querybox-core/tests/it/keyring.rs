//! The keyring and the store, hand in hand: two programs at once, and one that dies.

mod double;
mod kills;
mod panics;
mod races;
mod site;
