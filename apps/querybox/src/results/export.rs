//! Kept results as files.

use std::{io::Write as _, path::Path, time::Duration};

use bytes::Bytes;
use querybox_contracts::core::v1::{self as core, export_order::Format, export_response::Part};
use tokio::{sync::mpsc, time::timeout};
use tonic::Streaming;

use super::{client, place};
use crate::{
    app::App,
    cli::results::ExportArgs,
    exit::Exit,
    failure::Failure,
    messages::Messages,
    output::Output,
    progress::{FIRST_ROW, Progress},
    signals::Interrupts,
    words,
};

/// Pieces that wait to be written; the server waits with the next ones.
const PIECES_AHEAD: usize = 4;
/// After a cancel the writer has so long to take its unfinished file away. It may hang on a full pipe.
const WRITER_GRACE: Duration = Duration::from_millis(500);

/// What is said of rows that are a part, where they are taken for all.
pub(super) const INCOMPLETE: &str = "these are not all rows that the database would have returned: a limit cut them, the statement \
    was broken off, or more were still to come";

/// What is known before the server is asked.
pub(super) struct Prepared {
    format: Format,
    output: Output,
    interrupts: Interrupts,
    shows_progress: bool,
}

/// Opens the output. What cannot be written is refused before anything is asked.
pub(super) async fn prepare(args: &ExportArgs, messages: &Messages) -> Result<Prepared, Failure> {
    let mut interrupts = Interrupts::listen()
        .map_err(|error| Failure::machinery(format!("cannot listen for signals: {error}")))?;
    let file = args.output.clone().filter(|path| path != Path::new("-"));
    let screen = messages.screen();
    let to_terminal = file.is_none() && screen.stdout_is_terminal;
    let kind = args.format();
    if to_terminal {
        kind.refuse_terminal()?;
    }
    let format = args.document.format(kind)?;
    let output = Output::open(file, &mut interrupts).await?;
    let shows_progress = screen.stderr_is_terminal && !to_terminal;
    Ok(Prepared { format, output, interrupts, shows_progress })
}

pub(super) async fn run(app: &App, args: ExportArgs, prepared: Prepared) -> Result<Exit, Failure> {
    let Prepared { format, output, mut interrupts, shows_progress } = prepared;
    let place = place::of(app, &args.place).await?;
    let order = core::ExportOrder {
        result_id: place.result_id,
        statement: place.statement.statement,
        view: place.view,
        format: Some(format),
    };
    let progress = if shows_progress { Progress::shown(FIRST_ROW) } else { Progress::hidden() };
    let messages = app.messages.above(progress.line());
    // Writing blocks as long as the reader of a pipe wishes. Interrupts must be heard meanwhile.
    let (pieces, received) = mpsc::channel(PIECES_AHEAD);
    let mut writing = tokio::task::spawn_blocking(move || write(output, received));
    let copied = async {
        let mut client = client(&app.channel);
        let parts = client.export(core::ExportRequest { order: Some(order) }).await?.into_inner();
        copy(parts, pieces, &progress).await
    };
    let ended = tokio::select! {
        ended = async {
            let copied = copied.await;
            // What the writer says comes first: that it is gone is why no more was copied.
            let written = (&mut writing).await;
            written.unwrap_or_else(|_| Err(Failure::machinery("the writer has ended by a mistake of ours")))?;
            copied
        } => ended,
        () = interrupts.next() => {
            progress.end();
            // Without pieces the writer ends, and takes its unfinished file away.
            tokio::select! {
                _ = timeout(WRITER_GRACE, writing) => {}
                () = interrupts.next() => app.leave_at_once(),
            }
            messages.say(&messages.screen().stderr_paint.warning("cancelled"));
            return Ok(Exit::Cancelled);
        }
    };
    progress.end();
    let done = ended?.ok_or_else(|| Failure::machinery("the server ended without an answer"))?;
    Ok(tell(&messages, &done))
}

/// What the writer is handed.
enum Piece {
    Data(Bytes),
    /// All is there. Without it the document was broken off.
    End,
}

/// Writes until the document is whole, and then gives it its place. Blocks.
fn write(mut output: Output, mut pieces: mpsc::Receiver<Piece>) -> Result<(), Failure> {
    while let Some(piece) = pieces.blocking_recv() {
        match piece {
            Piece::Data(data) => {
                output.write_all(&data).map_err(|error| Failure::writing(output.name(), &error))?;
            }
            Piece::End => return output.finish(),
        }
    }
    Ok(())
}

/// Hands the document on, piece by piece. `None`: it is not whole, and whoever broke it off knows why.
async fn copy(
    mut parts: Streaming<core::ExportResponse>,
    pieces: mpsc::Sender<Piece>,
    progress: &Progress,
) -> Result<Option<core::ExportDone>, Failure> {
    while let Some(part) = parts.message().await? {
        let (piece, done) = match part.part {
            Some(Part::Data(data)) => (Piece::Data(data), None),
            Some(Part::Done(done)) => (Piece::End, Some(done)),
            Some(Part::Progress(told)) => {
                progress
                    .tell(&written(told.rows_done, told.bytes_done), share(told.rows_done, told.rows_all));
                continue;
            }
            None => continue,
        };
        if pieces.send(piece).await.is_err() || done.is_some() {
            return Ok(done);
        }
    }
    Ok(None)
}

fn written(rows: u64, bytes: u64) -> String {
    format!("{}, {}", words::count(rows, "row"), words::bytes(bytes))
}

/// `None`: nobody knows how many there will be.
pub(super) fn share(done: u64, all: u64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "it is shown in percent")]
    (all > done).then(|| done as f64 / all as f64)
}

/// Tells what was written, and what of it is not what the database has.
fn tell(messages: &Messages, done: &core::ExportDone) -> Exit {
    messages.note(&format!("({})", written(done.rows, done.bytes)));
    let mut exit = Exit::Done;
    if done.incomplete {
        messages.warn(INCOMPLETE);
        exit = Exit::Limit;
    }
    let losses = [
        (done.cells_cut, "too long to be sent whole: its beginning stands there"),
        (done.cells_undecodable, "not decoded: its bytes stand there"),
        (done.cells_left_out, "null there, because its column's type has no form for it"),
        (done.cells_shortened, "shortened, because it is too long for the format"),
    ];
    for (count, what) in losses.into_iter().filter(|(count, _)| *count > 0) {
        let were = if count == 1 { "was" } else { "were each" };
        messages.warn(&format!("{} {were} {what}", words::count(count, "cell")));
        exit = Exit::Limit;
    }
    exit
}
