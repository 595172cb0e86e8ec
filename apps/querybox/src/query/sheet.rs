//! Where the results of an answer are written, one after another, parted by an empty line.

use std::{
    io::{self, Write},
    mem,
};

use querybox_contracts::plugin::v1 as plugin;
use querybox_results::{Shape, Writer};

use crate::{
    failure::Failure,
    output::Output,
    query::shapes,
    screen::Paint,
    table::{Arrangement, Table},
};

/// How results look.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Look {
    /// A table for eyes. `room`: columns of the terminal it goes to.
    Table { room: Option<usize>, paint: Paint, arrangement: Arrangement },
    /// A document for programs.
    Document(querybox_results::Format),
}

/// An output with the result that is being written to it. After an error it takes nothing more.
pub(crate) struct Sheet {
    look: Look,
    place: Place,
    /// What people call the output.
    name: String,
    is_replacement: bool,
    results: u64,
}

/// What has been lost of a result on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    /// Cells that the driver had cut, because they were too long to be sent.
    pub cells_cut: u64,
    /// Cells that were cut, because the terminal is too narrow.
    pub cells_narrowed: u64,
}

enum Place {
    Between(Output),
    Inside(Box<(Shape, Renderer)>),
    /// Writing failed.
    Lost,
}

enum Renderer {
    Table(Table<Output>),
    Document(Writer<Output>),
}

impl Sheet {
    /// A sheet on which so many results stand already.
    pub(crate) fn new(output: Output, look: Look, results: u64) -> Sheet {
        let (name, is_replacement) = (output.name().to_owned(), output.is_replacement());
        Sheet { look, place: Place::Between(output), name, is_replacement, results }
    }

    /// What people call the output.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the output stays as it was until [`Sheet::finish`].
    pub(crate) fn is_replacement(&self) -> bool {
        self.is_replacement
    }

    /// Begins a result.
    pub(crate) fn begin(&mut self, header: plugin::Header) -> Result<(), Failure> {
        let shape = shapes::shape(header)?;
        let Place::Between(mut output) = mem::replace(&mut self.place, Place::Lost) else {
            return Err(out_of_order("a result began inside another"));
        };
        if self.results > 0 {
            output.write_all(b"\n").map_err(|error| self.failure(&error))?;
        }
        let renderer = match self.look {
            Look::Table { room, paint, arrangement } => {
                Renderer::Table(Table::begin(shape.columns(), output, room, paint, arrangement))
            }
            Look::Document(format) => {
                let writer = Writer::begin(format, shape.columns(), output);
                Renderer::Document(writer.map_err(|error| self.failure(&error))?)
            }
        };
        self.place = Place::Inside(Box::new((shape, renderer)));
        self.results += 1;
        Ok(())
    }

    /// Writes rows of the result that was begun.
    pub(crate) fn batch(&mut self, batch: plugin::Batch) -> Result<(), Failure> {
        let Place::Inside(inside) = &mut self.place else {
            return Err(out_of_order("rows came outside of a result"));
        };
        let (shape, renderer) = &mut **inside;
        let batch = shapes::batch(shape, batch)?;
        let written = match renderer {
            Renderer::Table(table) => table.batch(&batch),
            Renderer::Document(writer) => writer.batch(&batch),
        };
        written.map_err(|error| self.failure(&error))
    }

    /// Whether rows wait for more.
    pub(crate) fn is_waiting(&self) -> bool {
        match &self.place {
            Place::Inside(inside) => match &inside.1 {
                Renderer::Table(table) => table.is_waiting(),
                // A document writes every batch out.
                Renderer::Document(_) => false,
            },
            Place::Between(_) | Place::Lost => false,
        }
    }

    /// Writes what waits.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        let Place::Inside(inside) = &mut self.place else { return Ok(()) };
        match &mut inside.1 {
            Renderer::Table(table) => table.flush().map_err(|error| self.failure(&error)),
            Renderer::Document(_) => Ok(()),
        }
    }

    /// Ends the result that was begun. `None`: none was.
    pub(crate) fn end(&mut self) -> Result<Option<Losses>, Failure> {
        let inside = match mem::replace(&mut self.place, Place::Lost) {
            Place::Inside(inside) => inside,
            other => {
                self.place = other;
                return Ok(None);
            }
        };
        let (output, losses) = match inside.1 {
            Renderer::Table(table) => {
                let (output, counts) = table.end().map_err(|error| self.failure(&error))?;
                (output, Losses { cells_cut: counts.cells_cut, cells_narrowed: counts.cells_narrowed })
            }
            Renderer::Document(writer) => {
                let (output, written) = writer.end().map_err(|error| self.failure(&error))?;
                (output, Losses { cells_cut: written.cells_cut, cells_narrowed: 0 })
            }
        };
        self.place = Place::Between(output);
        Ok(Some(losses))
    }

    /// Ends all. A file takes its place.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.end()?;
        match self.place {
            Place::Between(output) => output.finish(),
            Place::Inside(..) | Place::Lost => Ok(()),
        }
    }

    fn failure(&self, error: &io::Error) -> Failure {
        Failure::writing(&self.name, error)
    }
}

/// Core checks the order of parts, so this is a mistake of ours; the user still gets an answer.
fn out_of_order(what: &str) -> Failure {
    Failure::machinery(format!("the answer is out of order: {what}"))
}
