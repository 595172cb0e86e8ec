//! The server of a case: it sends what the case says, whatever is asked, and remembers what it heard.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures::{StreamExt as _, stream::FuturesUnordered};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream, unix::OwnedWriteHalf},
    sync::Notify,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{
    case::{Case, Sent, message},
    random::Random,
    scram::Exchange,
};

/// What a server heard on the driver's first connection.
#[derive(Debug, Default)]
pub struct Heard {
    bytes: Mutex<Vec<u8>>,
    more: Notify,
}

impl Heard {
    /// All of it.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, bytes: &[u8]) {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        self.more.notify_one();
    }

    /// The messages behind the start-up message, as far as they are whole: tags and bodies.
    #[must_use]
    pub fn messages(&self) -> Vec<(u8, Vec<u8>)> {
        let bytes = self.bytes();
        let length = |at: usize| {
            let bytes = bytes.get(at..at + 4)?;
            usize::try_from(u32::from_be_bytes(bytes.try_into().expect("four bytes"))).ok()
        };
        let mut messages = Vec::new();
        let Some(mut at) = length(0) else { return messages };
        while let (Some(tag), Some(length)) = (bytes.get(at), length(at + 1)) {
            let Some(body) = bytes.get(at + 5..at + 1 + length) else { break };
            messages.push((*tag, body.to_vec()));
            at += 1 + length;
        }
        messages
    }

    /// The driver's word number `number` of the log-in, if it comes.
    async fn word(&self, number: usize, patience: Duration) -> Option<Vec<u8>> {
        let word = async {
            loop {
                let mut words = self.messages().into_iter().filter(|(tag, _)| *tag == b'p');
                if let Some((_, body)) = words.nth(number) {
                    return body;
                }
                self.more.notified().await;
            }
        };
        timeout(patience, word).await.ok()
    }
}

/// The server's side of a meeting.
pub struct Server<'a> {
    pub case: &'a Case,
    pub password: &'a [u8],
    pub heard: &'a Heard,
    /// How long a word of the log-in is waited for, which a bent case may have no reason to expect.
    pub patience: Duration,
}

/// Plays the server on the first connection, and takes all others as requests to cancel, until the user has left and
/// everything was heard.
pub async fn serve(listener: UnixListener, server: &Server<'_>, left: &CancellationToken) {
    let mut connections = FuturesUnordered::new();
    let mut is_first = true;
    while !(left.is_cancelled() && connections.is_empty()) {
        tokio::select! {
            () = left.cancelled(), if !left.is_cancelled() => {}
            accepted = listener.accept(), if !left.is_cancelled() => {
                let Ok((stream, _)) = accepted else { continue };
                let server = std::mem::take(&mut is_first).then_some(server);
                connections.push(connection(stream, server));
            }
            Some(()) = connections.next() => {}
        }
    }
}

async fn connection(stream: UnixStream, server: Option<&Server<'_>>) {
    let (mut input, output) = stream.into_split();
    let Some(server) = server else {
        // A request to cancel is one message, after which a server closes.
        drop(input.read(&mut [0; 16]).await);
        return;
    };
    let listen = async {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = input.read(&mut buffer).await {
            server.heard.add(&buffer[..count]);
        }
    };
    // When all is said the driver finds the end of the stream, so that it never has a reason to wait.
    let speak = async {
        let pieces = server.case.pieces;
        let mut output = Speech { output, pieces: (pieces > 0).then(|| Random::new(pieces)) };
        speak(&mut output, server).await;
        drop(output);
    };
    futures::join!(listen, speak);
}

async fn speak(output: &mut Speech, server: &Server<'_>) {
    let Server { case, password, heard, patience } = *server;
    let mut exchange: Option<Exchange> = None;
    // Who waited in vain once does not wait again.
    let mut is_silent = false;
    // What needs no answer goes out at once.
    let mut waiting = Vec::new();
    for sent in &case.sent {
        match sent {
            Sent::Message { .. } | Sent::Raw(_) => waiting.extend(sent.bytes().unwrap_or_default()),
            Sent::Challenge { iterations } => {
                output.say(&std::mem::take(&mut waiting)).await;
                let first = if is_silent { None } else { heard.word(0, patience).await };
                is_silent |= first.is_none();
                let Some(first) = first else { continue };
                exchange = Exchange::begin(&first, *iterations);
                if let Some(exchange) = &exchange {
                    let body = [b"\0\0\0\x0b", exchange.challenge().as_bytes()].concat();
                    output.say(&message(b'R', &body, None)).await;
                }
            }
            Sent::Proof => {
                output.say(&std::mem::take(&mut waiting)).await;
                let word = if is_silent { None } else { heard.word(1, patience).await };
                is_silent |= word.is_none();
                let Some(word) = word else { continue };
                if let Some(proof) = exchange.as_ref().and_then(|exchange| exchange.proof(&word, password)) {
                    let body = [b"\0\0\0\x0c", proof.as_bytes()].concat();
                    waiting.extend(message(b'R', &body, None));
                }
            }
        }
    }
    output.say(&waiting).await;
}

/// What is said, in pieces or not. The stream ends with it, in this direction.
struct Speech {
    output: OwnedWriteHalf,
    pieces: Option<Random>,
}

impl Speech {
    async fn say(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let length = match &mut self.pieces {
                None => bytes.len(),
                Some(random) => {
                    let longest = random.of(&[1, 4, 64, 1024]);
                    1 + random.below(longest.min(bytes.len()))
                }
            };
            let (piece, rest) = bytes.split_at(length);
            // A driver that has heard enough closes.
            if self.output.write_all(piece).await.is_err() {
                return;
            }
            bytes = rest;
            if self.pieces.is_some() {
                tokio::task::yield_now().await;
            }
        }
    }
}
