//! The audit file: what happened to which session, a JSON object a line. Nothing in it is a statement, a value or a name that
//! people gave.
//!
//! Whatever becomes of the file, nothing that runs waits for it or fails for it: lines are written by a thread of its own, and
//! those that could not be written are counted, told in the log, and told in the file once it can be written again.

mod file;
mod line;

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
};

use querybox_core::{Core, Happening};
use tracing::{info, warn};

use self::{file::AuditFile, line::Line};
use crate::failure::{Failure, describe};

/// Lines that wait to be written. A disk that takes longer than this many loses some, which is told.
const LINES_WAITING_MAX: usize = 4096;

/// Writes what happens, until it is [ended](Audit::end).
pub(super) struct Audit {
    lines: Lines,
    thread: JoinHandle<()>,
}

/// Where lines are handed in.
#[derive(Clone)]
struct Lines {
    waiting: SyncSender<Message>,
    /// Lines that found no room.
    lost: Arc<AtomicU64>,
}

enum Message {
    Line(String),
    End,
}

impl Audit {
    /// Opens the file, which only its owner may read, and writes from now on what happens.
    pub(super) fn begin(path: PathBuf, core: &Core) -> Result<Audit, Failure> {
        let file = AuditFile::open(path.clone()).map_err(|error| {
            Failure::usage(format!("cannot write {}: {}", path.display(), describe(&error)))
        })?;
        let (waiting, lines) = sync_channel(LINES_WAITING_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        let thread = thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || write(file, &lines, &counted))
            .map_err(|error| Failure::machinery(format!("cannot start a thread: {}", describe(&error))))?;
        let lines = Lines { waiting, lost };
        lines.add(Line::of_server("begun"));
        let of_core = lines.clone();
        core.observe(move |happening| of_core.tell(happening));
        info!(path = %path.display(), "what happens is written down");
        Ok(Audit { lines, thread })
    }

    /// Writes what waits, and that nothing follows.
    pub(super) fn end(self) {
        self.lines.add(Line::of_server("ended"));
        // It waits for room: the thread takes what is there, whatever becomes of it.
        let _ = self.lines.waiting.send(Message::End);
        // A panic there was told by itself.
        let _ = self.thread.join();
    }
}

impl Lines {
    fn tell(&self, happening: &Happening<'_>) {
        if let Some(line) = Line::of(happening) {
            self.add(line);
        }
    }

    fn add(&self, line: Line<'_>) {
        match self.waiting.try_send(Message::Line(line.text())) {
            Ok(()) => {}
            // The thread ends last of all.
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Writes line by line until the end is asked for.
fn write(mut file: AuditFile, lines: &Receiver<Message>, lost: &AtomicU64) {
    while let Ok(Message::Line(line)) = lines.recv() {
        let missing = lost.swap(0, Ordering::Relaxed);
        let line = match missing {
            0 => line,
            _ => Line::of_loss(missing).text() + &line,
        };
        if !put(&mut file, &line) {
            lost.fetch_add(missing + 1, Ordering::Relaxed);
        }
    }
    file.sync();
}

/// Whether a line was written. What is wrong is told when it begins.
fn put(file: &mut AuditFile, line: &str) -> bool {
    let was_whole = file.is_whole();
    match file.append(line) {
        Ok(()) if was_whole => true,
        Ok(()) => {
            info!("the audit file can be written again");
            true
        }
        Err(error) => {
            if was_whole {
                tell(&error);
            }
            false
        }
    }
}

fn tell(error: &io::Error) {
    warn!(
        error = describe(error),
        "the audit file cannot be written: what happens meanwhile is only counted"
    );
}
