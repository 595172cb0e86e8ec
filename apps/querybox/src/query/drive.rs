//! Drives one answer from Core to the printer, and stops it when the user wishes so.

use std::{pin::pin, time::Duration};

use futures::{Stream, StreamExt};
use querybox_contracts::core::v1::{self as core, session_service_client::SessionServiceClient};
use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
    task::JoinHandle,
    time::timeout,
};
use tonic::Status;

use crate::{
    composition::Channel,
    exit::Exit,
    failure::Failure,
    query::{
        parts::Part,
        printer::{Order, Printer},
    },
    signals::Interrupts,
    words,
};

/// Parts that wait for the printer. Each is a batch of some 100 kB.
const PARTS_AHEAD: usize = 4;
/// After a cancel the printer has so long to take its unfinished file away. It may hang on a full pipe.
const PRINTER_GRACE: Duration = Duration::from_millis(500);

/// After the answer to a cancel the stream has so long to end.
const STREAM_GRACE: Duration = Duration::from_millis(500);

/// How a stream of parts ended.
enum End {
    Complete,
    Failed(Status),
    /// Writing failed; the printer knows why.
    PrinterGone,
}

/// Shows the answer that `asking` brings, until it ends or is stopped.
///
/// The first interrupt asks Core to cancel and tells what the database answered; the second ends everything at once.
pub(crate) async fn drive<S>(
    asking: impl Future<Output = Result<S, Status>>,
    session_id: &str,
    channel: &Channel,
    printer: Printer,
    interrupts: &mut Interrupts,
) -> Result<Exit, Failure>
where
    S: Stream<Item = Result<Part, Status>>,
{
    let (messages, progress) = (printer.messages.clone(), printer.progress.clone());
    let (orders, received) = mpsc::channel(PARTS_AHEAD);
    let runtime = Handle::current();
    // Writing blocks as long as the reader of a pipe wishes. Interrupts must be heard meanwhile.
    let (stop, stopped) = watch::channel(false);
    let ordered = stopped.clone();
    let mut printing = tokio::task::spawn_blocking(move || printer.run(received, &ordered, &runtime));
    let mut forwarding = Box::pin(forward(asking, orders, stopped));

    let end = tokio::select! {
        end = &mut forwarding => end,
        () = interrupts.next() => {
            stop.send_replace(true);
            progress.end();
            let told = cancel(channel, session_id, forwarding, interrupts).await;
            // Without orders the printer ends, and takes its unfinished file away. What is told comes after its last row.
            tokio::select! {
                _ = timeout(PRINTER_GRACE, printing) => {}
                () = interrupts.next() => {}
            }
            if let Some(text) = told {
                messages.say(&messages.screen().stderr_paint.warning(&text));
            }
            return Ok(Exit::Cancelled);
        }
    };
    // The stream is dropped with it: whatever still runs is cancelled.
    drop(forwarding);
    let printed = tokio::select! {
        printed = joined(&mut printing) => printed,
        () = interrupts.next() => {
            stop.send_replace(true);
            progress.end();
            let _ = timeout(PRINTER_GRACE, printing).await;
            return Ok(Exit::Cancelled);
        }
    };
    progress.end();
    match end {
        End::Complete | End::PrinterGone => printed,
        // The failure of the machinery comes after what was shown, unless nothing can be shown any more.
        End::Failed(status) => printed.and(Err(Failure::from(status))),
    }
}

async fn joined(printing: &mut JoinHandle<Result<Exit, Failure>>) -> Result<Exit, Failure> {
    printing.await.unwrap_or_else(|_| Err(Failure::machinery("the printer has ended by a mistake of ours")))
}

/// Hands parts to the printer. Once `stopped`, they are taken from Core and dropped, so that the end comes into sight.
async fn forward<S>(
    asking: impl Future<Output = Result<S, Status>>,
    orders: mpsc::Sender<Order>,
    mut stopped: watch::Receiver<bool>,
) -> End
where
    S: Stream<Item = Result<Part, Status>>,
{
    let mut parts = match asking.await {
        Ok(parts) => pin!(parts),
        Err(status) => return End::Failed(status),
    };
    loop {
        let part = tokio::select! {
            part = parts.next() => part,
            () = orders.closed() => return End::PrinterGone,
        };
        let order = match part {
            Some(Ok(part)) => Order::Show(Box::new(part)),
            Some(Err(status)) => return End::Failed(status),
            None => Order::Finish,
        };
        let is_last = matches!(order, Order::Finish);
        if !*stopped.borrow() {
            tokio::select! {
                sent = orders.send(order) => if sent.is_err() { return End::PrinterGone },
                // The sender outlives this future, so this is the wish to stop.
                _ = stopped.changed() => {}
            }
        }
        if is_last {
            return End::Complete;
        }
    }
}

/// Cancels while the stream is read on, and answers how it went. `None`: a second interrupt stopped the waiting.
async fn cancel(
    channel: &Channel,
    session_id: &str,
    forwarding: impl Future<Output = End>,
    interrupts: &mut Interrupts,
) -> Option<String> {
    let mut client = SessionServiceClient::new(channel.clone());
    let request = core::CancelSessionRequest { session_id: session_id.to_owned() };
    let mut answer = pin!(client.cancel_session(request));
    let mut forwarding = pin!(forwarding);
    let mut is_over = false;
    let answer = loop {
        tokio::select! {
            answer = &mut answer => break answer,
            _ = &mut forwarding, if !is_over => is_over = true,
            () = interrupts.next() => return None,
        }
    };
    // The rest of the stream tells how a leased session stands now. It ends by itself soon after the answer.
    if !is_over {
        tokio::select! {
            _ = timeout(STREAM_GRACE, &mut forwarding) => {}
            () = interrupts.next() => return None,
        }
    }
    Some(match answer {
        Ok(answer) => receipt(answer.get_ref()),
        // The session has not begun, or is over. Dropping the stream ends what may still be there.
        Err(_) => "cancelled".to_owned(),
    })
}

fn receipt(answer: &core::CancelSessionResponse) -> String {
    let elapsed = words::time(words::span(answer.elapsed.as_ref()));
    match answer.receipt() {
        core::CancelReceipt::Confirmed => format!("cancelled: confirmed by the database after {elapsed}"),
        core::CancelReceipt::AlreadyDone => "cancelled: nothing ran any more".to_owned(),
        core::CancelReceipt::Killed => {
            format!("cancelled: the database did not answer; its driver was killed after {elapsed}")
        }
        core::CancelReceipt::Unspecified => "cancelled".to_owned(),
    }
}
