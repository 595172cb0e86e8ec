//! Where the results of an answer are written, one after another, parted by an empty line.

use std::{
    io::{self, Write},
    mem,
};

use querybox_contracts::plugin::v1 as plugin;
use querybox_results::Shape;

use crate::{
    failure::Failure,
    output::Output,
    query::{
        document::{Document, DocumentWriter},
        shapes,
    },
    screen::Paint,
    table::{Arrangement, Counts, Table},
    words,
};

/// How results look.
#[derive(Debug, Clone)]
pub(crate) enum Look {
    /// A table for eyes. `room`: columns of the terminal it goes to.
    Table { room: Option<usize>, paint: Paint, arrangement: Arrangement },
    /// For programs, or to be kept.
    Document(Document),
}

impl Look {
    /// What people call it when it holds one result and no more.
    fn of_one_result(&self) -> Option<&'static str> {
        match self {
            Look::Table { .. } => None,
            Look::Document(document) => document.kind.of_one_result(),
        }
    }
}

/// An output with the result that is being written to it. After an error it takes nothing more.
pub(crate) struct Sheet {
    look: Look,
    place: Place,
    /// What people call the output.
    name: String,
    is_replacement: bool,
    /// Results that have come, whether they are written or not.
    results: u64,
    /// The only result that is written, from 1. `None`: all are.
    only: Option<u64>,
}

/// What has been lost of a result on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    /// Cells that the driver had cut, because they were too long to be sent.
    pub cells_cut: u64,
    /// Cells of a document that the driver could not decode, so that their bytes stand there.
    pub cells_undecodable: u64,
    /// Cells that were cut, because the terminal is too narrow.
    pub cells_narrowed: u64,
    /// Cells that are left out, because the format does not hold them.
    pub cells_left_out: u64,
    /// Cells that are too long for the format.
    pub cells_shortened: u64,
}

impl Losses {
    /// Whether a program would take what stands there for the value: a part of it, its bytes, or NULL.
    pub(crate) fn is_damage_for_programs(&self) -> bool {
        let Losses { cells_cut, cells_undecodable, cells_narrowed: _, cells_left_out, cells_shortened } =
            *self;
        cells_cut > 0 || cells_undecodable > 0 || cells_left_out > 0 || cells_shortened > 0
    }
}

enum Place {
    Between(Output),
    /// A result is announced, and nothing of it written: it may still be refused.
    Before(Box<(Output, Shape)>),
    Inside(Box<(Shape, Renderer)>),
    /// Inside of a result that nobody wants to see.
    Skipping(Output),
    /// Writing failed.
    Lost,
}

enum Renderer {
    Table(Table<Output>),
    Document(DocumentWriter),
}

impl Sheet {
    /// A sheet on which so many results stand already.
    pub(crate) fn new(output: Output, look: Look, results: u64) -> Sheet {
        let (name, is_replacement) = (output.name().to_owned(), output.is_replacement());
        Sheet { look, place: Place::Between(output), name, is_replacement, results, only: None }
    }

    /// The same, for one result of all, counted from 1.
    #[must_use]
    pub(crate) fn only(self, only: Option<u64>) -> Sheet {
        Sheet { only, ..self }
    }

    /// What people call the output.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the output stays as it was until [`Sheet::finish`].
    pub(crate) fn is_replacement(&self) -> bool {
        self.is_replacement
    }

    /// Whether what is written is for programs, who do not see that a value was cut.
    pub(crate) fn is_exact(&self) -> bool {
        match self.look {
            Look::Table { .. } => false,
            Look::Document(_) => true,
        }
    }

    /// Begins a result. What stands above its rows is written with the first of them, or at its end.
    pub(crate) fn begin(&mut self, header: plugin::Header) -> Result<(), Failure> {
        let Place::Between(output) = mem::replace(&mut self.place, Place::Lost) else {
            return Err(out_of_order("a result began inside another"));
        };
        self.place = Place::Before(Box::new((output, shapes::shape(&header)?)));
        Ok(())
    }

    /// Writes what stands above the rows, unless that is done.
    fn open(&mut self) -> Result<(), Failure> {
        let (mut output, shape) = match mem::replace(&mut self.place, Place::Lost) {
            Place::Before(before) => *before,
            other => {
                self.place = other;
                return Ok(());
            }
        };
        self.results += 1;
        match self.only {
            Some(wanted) if wanted != self.results => {
                self.place = Place::Skipping(output);
                return Ok(());
            }
            Some(_) => {}
            None if self.results == 1 => {}
            None => match self.look.of_one_result() {
                Some(noun) => {
                    return Err(Failure::usage(format!("there are several results, and {noun} holds one"))
                        .with_hint("say which one with `--result NUMBER`"));
                }
                None => output.write_all(b"\n").map_err(|error| self.failure(&error))?,
            },
        }
        let renderer = match &self.look {
            Look::Table { room, paint, arrangement } => {
                Renderer::Table(Table::begin(shape.columns(), output, *room, *paint, *arrangement))
            }
            Look::Document(document) => Renderer::Document(DocumentWriter::begin(document, &shape, output)?),
        };
        self.place = Place::Inside(Box::new((shape, renderer)));
        Ok(())
    }

    /// Writes rows of the result that was begun.
    pub(crate) fn batch(&mut self, batch: plugin::Batch) -> Result<(), Failure> {
        self.open()?;
        let inside = match &mut self.place {
            Place::Inside(inside) => inside,
            Place::Skipping(_) => return Ok(()),
            Place::Between(_) | Place::Before(_) | Place::Lost => {
                return Err(out_of_order("rows came outside of a result"));
            }
        };
        let (shape, renderer) = &mut **inside;
        match renderer {
            Renderer::Table(table) => {
                table.batch(&shapes::batch(shape, batch)?).map_err(|error| self.failure(&error))
            }
            Renderer::Document(writer) => writer.batch(batch),
        }
    }

    /// Whether rows wait for more.
    pub(crate) fn is_waiting(&self) -> bool {
        match &self.place {
            Place::Inside(inside) => match &inside.1 {
                Renderer::Table(table) => table.is_waiting(),
                // What waits here waits for the format's sake.
                Renderer::Document(_) => false,
            },
            Place::Between(_) | Place::Before(_) | Place::Skipping(_) | Place::Lost => false,
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

    /// Ends a result that was refused. Of one without a row nothing is left.
    pub(crate) fn abort(&mut self) -> Result<(), Failure> {
        match mem::replace(&mut self.place, Place::Lost) {
            Place::Before(before) => self.place = Place::Between(before.0),
            other => {
                self.place = other;
                self.end()?;
            }
        }
        Ok(())
    }

    /// Ends the result that was begun. `None`: none was.
    pub(crate) fn end(&mut self) -> Result<Option<Losses>, Failure> {
        self.open()?;
        let inside = match mem::replace(&mut self.place, Place::Lost) {
            Place::Inside(inside) => inside,
            Place::Skipping(output) => {
                self.place = Place::Between(output);
                return Ok(Some(Losses::default()));
            }
            other => {
                self.place = other;
                return Ok(None);
            }
        };
        let (output, losses) = match inside.1 {
            Renderer::Table(table) => {
                let (output, counts) = table.end().map_err(|error| self.failure(&error))?;
                let Counts { cells_cut, cells_narrowed, .. } = counts;
                (output, Losses { cells_cut, cells_narrowed, ..Losses::default() })
            }
            Renderer::Document(writer) => writer.end()?,
        };
        self.place = Place::Between(output);
        Ok(Some(losses))
    }

    /// Ends all. A file takes its place.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.abort()?;
        let returned = words::count(self.results, "result");
        match (self.only, self.look.of_one_result()) {
            (Some(wanted), _) if wanted > self.results => {
                return Err(Failure::usage(format!("there is no result {wanted}: {returned} came")));
            }
            (None, Some(noun)) if self.results == 0 => {
                return Err(Failure::usage(format!("no result came that could be written as {noun}")));
            }
            (Some(_), _) | (None, _) => {}
        }
        match self.place {
            Place::Between(output) => output.finish(),
            Place::Before(_) | Place::Inside(..) | Place::Skipping(_) | Place::Lost => Ok(()),
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
