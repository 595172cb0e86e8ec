//! Shows the parts of an answer in their order: rows where data goes, everything else on standard error.

use std::{sync::Arc, time::Duration};

use querybox_contracts::plugin::v1::{self as plugin, execute_response::Part as ResultPart};
use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
    time::{Instant, timeout_at},
};

use crate::{
    exit::Exit,
    failure::Failure,
    messages::Messages,
    progress::Progress,
    query::{
        parts::Part,
        script::Script,
        sheet::Sheet,
        tell::{self, Times},
    },
    rejection::{self, Source},
    told::Told,
};

/// Rows of a table wait so long for more, so that its columns fit what people see first.
const LAYOUT_WAIT: Duration = Duration::from_millis(100);

/// What the printer is told.
pub(crate) enum Order {
    Show(Box<Part>),
    /// The answer is complete. Without this order it was broken off.
    Finish,
}

/// Shows one answer.
pub(crate) struct Printer {
    pub sheet: Sheet,
    pub messages: Messages,
    pub progress: Arc<Progress>,
    pub script: Arc<Script>,
    /// Whether statements after a rejected one run, so that what they return is wanted.
    pub keeps_going: bool,
    /// Whether the statements count together or not at all.
    pub single_transaction: bool,
    pub verbose: bool,
    pub times: Times,
    pub told: Told,
    /// How the program ends by what was shown so far.
    pub exit: Exit,
    /// Whether a statement was told to be done.
    pub has_done: bool,
}

impl Printer {
    /// Shows what is ordered until the orders end, and tells how the program ends by it. Blocks.
    ///
    /// Once `stopped`, nothing more is shown and the output does not take its place, whatever was ordered before.
    ///
    /// The output takes its place only when the answer is complete and wanted: a rejection that ended the script leaves a
    /// file as it was.
    pub(crate) fn run(
        mut self,
        mut orders: mpsc::Receiver<Order>,
        stopped: &watch::Receiver<bool>,
        runtime: &Handle,
    ) -> Result<Exit, Failure> {
        let mut layout_at = None;
        loop {
            let order = match layout_at {
                None => orders.blocking_recv(),
                Some(at) => match runtime.block_on(timeout_at(at, orders.recv())) {
                    Ok(order) => order,
                    Err(_) => {
                        if !*stopped.borrow() {
                            self.sheet.flush()?;
                        }
                        layout_at = None;
                        continue;
                    }
                },
            };
            match order {
                Some(_) if *stopped.borrow() => {}
                None if *stopped.borrow() => return Ok(self.exit),
                Some(Order::Show(part)) => self.show(*part)?,
                Some(Order::Finish) => return self.finish(),
                None => {
                    self.sheet.flush()?;
                    return Ok(self.exit);
                }
            }
            layout_at = match self.sheet.is_waiting() {
                true => layout_at.or_else(|| Some(Instant::now() + LAYOUT_WAIT)),
                false => None,
            };
        }
    }

    fn show(&mut self, part: Part) -> Result<(), Failure> {
        match part {
            Part::Opened(session) => tell::opened(&self.messages, &session, self.verbose, &self.told),
            Part::Ended(ended) if self.verbose => tell::ended(&self.messages, &ended),
            Part::Ended(_) => {}
            Part::Result(part) => self.show_result(part)?,
        }
        Ok(())
    }

    fn show_result(&mut self, part: ResultPart) -> Result<(), Failure> {
        match part {
            ResultPart::Header(header) => {
                if header.returns_rows {
                    self.sheet.begin(header)?;
                }
            }
            // Whoever has the data sends it: see `copy`.
            ResultPart::ColumnFacts(_) | ResultPart::CopyIn(_) => {}
            ResultPart::Batch(batch) => {
                let (rows, bytes) = (u64::from(batch.row_count), batch.arrow_body.len() as u64);
                self.sheet.batch(batch)?;
                self.progress.add(rows, bytes);
            }
            ResultPart::Progress(progress) => self.progress.tell(&progress.message, progress.fraction),
            ResultPart::Notice(notice) => {
                self.sheet.flush()?;
                tell::notice(&self.messages, &notice);
            }
            ResultPart::Summary(summary) => {
                self.has_done = true;
                let losses = self.sheet.end()?;
                tell::summary(&self.messages, &summary, losses, self.times);
                let is_damaged =
                    self.sheet.is_exact() && losses.is_some_and(|losses| losses.is_damage_for_programs());
                let is_short = summary.stopped_by() == plugin::StoppedBy::BytesMax;
                if (is_damaged || is_short) && self.exit == Exit::Done {
                    self.exit = Exit::Limit;
                }
            }
            ResultPart::Rejection(rejection) => {
                self.sheet.abort()?;
                self.reject(&rejection);
                self.exit = Exit::Rejected;
            }
        }
        Ok(())
    }

    fn reject(&self, rejection: &plugin::Rejection) {
        let source = match rejection.span {
            Some(span) => Source {
                sql: &self.script.sql,
                file: self.script.file.as_deref(),
                first_line: self.script.first_line,
                statement: (rejection.statement > 0).then_some(span.start_byte as usize),
            },
            // Whatever was rejected, a log-in or start-up SQL for instance, is none of the script's text.
            None => Source::NONE,
        };
        let screen = self.messages.screen();
        self.messages.say(&rejection::describe(rejection, &source, screen.stderr_width, screen.stderr_paint));
    }

    fn finish(self) -> Result<Exit, Failure> {
        let is_wanted = match self.exit {
            Exit::Done => true,
            Exit::Rejected => self.keeps_going,
            Exit::Limit | Exit::Usage | Exit::Machinery | Exit::Cancelled | Exit::PipeClosed => false,
        };
        if is_wanted {
            self.sheet.finish()?;
        } else if self.sheet.is_replacement() {
            self.messages.note(&format!("{} was not written", self.sheet.name()));
        }
        if self.exit == Exit::Rejected && self.single_transaction && self.has_done {
            self.messages.warn("rolled back: the script is one transaction, and not all of it could be done");
        }
        Ok(self.exit)
    }
}
