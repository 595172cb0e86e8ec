//! Data for a COPY, while the server is listened to: it may refuse at any time, and has notices to tell.

use postgres_protocol::message::frontend;
use querybox_plugin::{CopyInput, CopyPiece, Error};

use super::Executor;
use crate::copy;

/// What becomes of the data.
pub(super) enum Feed {
    /// None is asked for.
    Nothing,
    /// The front end gives it.
    From(CopyInput),
}

impl Executor<'_> {
    /// Goes one step on: sends what is to be sent, or waits for the server, for data, or for the wish to stop.
    pub(super) async fn feed(&mut self, feed: &mut Feed) -> Result<(), Error> {
        if !self.connection.wire.is_sent() {
            // A server that waits until its notices are read takes no data meanwhile.
            return self.connection.wire.send_or_fill().await;
        }
        let Feed::From(input) = feed else { return Ok(()) };
        let piece = tokio::select! {
            biased;
            // The server does not look for a request to cancel while it waits for data.
            () = self.query.cancelled.cancelled() => CopyPiece::Failed("canceled on request".into()),
            filled = self.connection.wire.fill() => return filled,
            piece = input.next() => piece,
        };
        match piece {
            CopyPiece::Data(data) => {
                return self.connection.put_copy_data(&data);
            }
            CopyPiece::Done => {
                frontend::copy_done(&mut self.connection.wire.output);
                self.connection.put_sync();
            }
            // The server's refusal is followed by a Sync, as any.
            CopyPiece::Failed(why) => copy::fail(self.connection, &why),
        }
        self.connection.is_copying_in = false;
        *feed = Feed::Nothing;
        Ok(())
    }
}
