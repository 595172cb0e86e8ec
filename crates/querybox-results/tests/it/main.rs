//! The renderer and the row formats, from a driver's bytes to text.

#![expect(clippy::unwrap_used, reason = "a helper of a test may give up as the test itself")]

mod arrow_streams;
mod cells;
mod copy_from;
mod documents;
mod exports;
mod floats;
mod full_disk;
mod hostile;
mod ipc;
mod keeping;
mod memory;
mod notes;
mod readers;
mod roundtrip;
mod searches;
mod sorts;
mod spools;
mod times;
mod view_types;
mod views;
mod windows;
