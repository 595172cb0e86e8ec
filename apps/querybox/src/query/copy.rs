//! Data for a `COPY … FROM STDIN`: read from a file or standard input, and sent as fast as the database takes it.

use std::{
    io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::{
    FutureExt, Stream, StreamExt,
    future::{BoxFuture, OptionFuture},
    stream::unfold,
};
use querybox_contracts::{
    core::v1::{self as core, session_service_client::SessionServiceClient},
    plugin::v1::{CopyDataEnd, CopyDataOutcome, execute_response::Part as ResultPart},
};
use tokio::io::{AsyncRead, AsyncReadExt};
use tonic::Status;

use super::parts::Part;
use crate::{composition::Channel, failure::Failure};

/// What is read and sent at once: a quarter of what one message may hold.
const PIECE_BYTES: usize = 256 * 1024;

/// Where data comes from. It is opened before anything is sent.
pub(crate) struct Source {
    from: Box<dyn AsyncRead + Send + Unpin>,
    /// For people.
    name: String,
}

impl Source {
    /// Opens a file; `-` is standard input.
    pub(crate) async fn open(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Ok(Self { from: Box::new(tokio::io::stdin()), name: "standard input".to_owned() });
        }
        let unreadable =
            |error: io::Error| Failure::usage(format!("cannot read {}: {}", path.display(), error.kind()));
        let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
        if file.metadata().await.map_err(unreadable)?.is_dir() {
            return Err(Failure::usage(format!("cannot read {}: it is a folder", path.display())));
        }
        let name = PathBuf::from(path).display().to_string();
        Ok(Self { from: Box::new(file), name })
    }

    /// What people know it by.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// Gives the first statement that asks for data what a source has.
pub(crate) struct Supply {
    channel: Channel,
    session_id: String,
    /// `None`: nothing is to be given, or it was given already.
    source: Option<Source>,
    was_asked: Arc<AtomicBool>,
}

/// The same parts; data is sent while they are read on.
pub(crate) fn supplied<S>(parts: S, supply: Supply) -> impl Stream<Item = Result<Part, Status>>
where
    S: Stream<Item = Result<Part, Status>>,
{
    let sending: OptionFuture<BoxFuture<'static, ()>> = None.into();
    unfold((Box::pin(parts), supply, sending), |(mut parts, mut supply, mut sending)| async move {
        loop {
            let part = tokio::select! {
                biased;
                Some(()) = &mut sending => {
                    sending = None.into();
                    continue;
                }
                part = next(parts.as_mut()) => part?,
            };
            if let Ok(Part::Result(ResultPart::CopyIn(copy_in))) = &part {
                sending = Some(supply.send(copy_in.statement)).into();
                continue;
            }
            return Some((part, (parts, supply, sending)));
        }
    })
}

async fn next<S: Stream>(mut parts: Pin<&mut S>) -> Option<S::Item> {
    parts.next().await
}

impl Supply {
    pub(crate) fn new(channel: Channel, session_id: String, source: Option<Source>) -> Self {
        Self { channel, session_id, source, was_asked: Arc::default() }
    }

    /// Becomes true when a statement asks for the data.
    pub(crate) fn was_asked(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.was_asked)
    }

    /// Sends all there is to a statement. How that statement ends, its own parts tell.
    fn send(&mut self, statement: u32) -> BoxFuture<'static, ()> {
        self.was_asked.store(true, Ordering::Relaxed);
        let client = SessionServiceClient::new(self.channel.clone());
        let to = Recipient { client, session_id: self.session_id.clone(), statement };
        match self.source.take() {
            Some(source) => send_all(to, source).boxed(),
            None => async move {
                let mut to = to;
                to.give(Vec::new(), End::Failed("the data was given to a statement before".to_owned())).await;
            }
            .boxed(),
        }
    }
}

async fn send_all(mut to: Recipient, Source { mut from, name }: Source) {
    loop {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        let (piece, end) = match (&mut from).take(PIECE_BYTES as u64).read_to_end(&mut piece).await {
            Ok(0) => (piece, End::Done),
            Ok(_) => (piece, End::More),
            // What was read before it is lost with all else.
            Err(error) => (Vec::new(), End::Failed(format!("cannot read {name}: {}", error.kind()))),
        };
        let is_last = !matches!(end, End::More);
        if !to.give(piece, end).await || is_last {
            return;
        }
    }
}

/// What follows a piece.
enum End {
    More,
    Done,
    Failed(String),
}

/// A statement that asked for data.
struct Recipient {
    client: SessionServiceClient<Channel>,
    session_id: String,
    statement: u32,
}

impl Recipient {
    /// Whether more is wanted.
    async fn give(&mut self, data: Vec<u8>, end: End) -> bool {
        let (end, failure) = match end {
            End::More => (CopyDataEnd::Unspecified, String::new()),
            End::Done => (CopyDataEnd::Done, String::new()),
            End::Failed(why) => (CopyDataEnd::Failed, why),
        };
        let request = core::SendCopyDataRequest {
            session_id: self.session_id.clone(),
            statement: self.statement,
            data: data.into(),
            end: end.into(),
            failure,
        };
        // A failure of the session is told by the statement's own stream.
        let answer: Result<_, Status> = self.client.send_copy_data(request).await;
        answer.is_ok_and(|answer| answer.get_ref().outcome() == CopyDataOutcome::Taken)
    }
}
