//! From the contract's messages to the renderer's types. A message outside of the contract is a failure of the machinery.

use querybox_api::{read_batch, read_header};
use querybox_contracts::plugin::v1 as plugin;
use querybox_core::BrokenContract;
use querybox_results::{Batch, RawBatch, Shape};

use crate::failure::{Failure, chain};

/// Reads a result's header.
pub(crate) fn shape(header: &plugin::Header) -> Result<Shape, Failure> {
    read_header(header).map_err(|error| broken(&error))
}

/// Reads a batch of a result.
pub(crate) fn batch(shape: &Shape, batch: plugin::Batch) -> Result<Batch, Failure> {
    let RawBatch { metadata, body, row_count, notes } = read_batch(batch).map_err(|error| broken(&error))?;
    let read = shape.batch(&metadata, body, row_count, notes);
    read.map_err(|error| broken(&BrokenContract { what: chain(&error).into() }))
}

pub(crate) fn broken(error: &BrokenContract) -> Failure {
    Failure::machinery(error.to_string())
}
