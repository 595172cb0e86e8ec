//! The driver meets the server of a case, and what must hold is held: no panic, no waiting without end, no mistake of the
//! driver's own, no password in the clear, parts in the contract's order.

use std::{
    any::Any,
    collections::BTreeSet,
    io,
    ops::ControlFlow,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::FutureExt as _;
use querybox_driver_postgres::Postgres;
use querybox_plugin::{
    Error, ExecuteError, OnError, OpenError, Query, Reason, Session,
    pb::{self, execute_response::Part},
    testkit::{execute_directly, open_directly},
};
use tempfile::TempDir;
use tokio::{net::UnixListener, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    case::{Case, Sent, User},
    corpus::Feature,
    server::{Heard, Server, serve},
};

/// What must never be heard by a server, nor be told to a user.
pub const PASSWORD: &[u8] = b"canary-password";
/// The server has said all that it will say when the driver begins to wait: what takes this long on the most loaded machine
/// waits for nothing.
const PATIENCE: Duration = Duration::from_secs(60);
const CELL_BYTES_MAX: usize = 16 * 1024;

/// Where drivers meet servers.
#[derive(Debug)]
pub struct Place {
    folder: TempDir,
    log_in_patience: Duration,
}

/// What a meeting showed.
#[derive(Debug)]
pub struct Outcome {
    /// What the driver did.
    pub features: BTreeSet<Feature>,
    /// What must not be; none when all held.
    pub fault: Option<String>,
}

impl Place {
    /// Makes one, in a runtime, whose servers wait so long for a word of the log-in that may not come.
    ///
    /// # Errors
    ///
    /// There is no folder for temporary files.
    pub fn make(log_in_patience: Duration) -> io::Result<Self> {
        Ok(Self { folder: tempfile::tempdir()?, log_in_patience })
    }

    /// Lets the driver meet the server of a case.
    ///
    /// # Errors
    ///
    /// The server has no socket.
    pub async fn meet(&self, case: &Case) -> io::Result<Outcome> {
        // A new one each time: a request to cancel that nobody took must not wait for the next server.
        let socket = self.folder.path().join(".s.PGSQL.5432");
        drop(std::fs::remove_file(&socket));
        let listener = UnixListener::bind(&socket)?;
        let heard = Heard::default();
        let mut features = BTreeSet::new();
        let server = Server { case, password: PASSWORD, heard: &heard, patience: self.log_in_patience };
        let left = CancellationToken::new();
        let visit = async {
            let visit = timeout(PATIENCE, self.visit(&case.user, &mut features));
            let met = AssertUnwindSafe(visit).catch_unwind().await;
            left.cancel();
            met
        };
        let (met, ()) = futures::join!(visit, serve(listener, &server, &left));
        let mut fault = match met {
            Ok(Ok(fault)) => fault,
            Ok(Err(_)) => Some(format!("the driver still waits after {PATIENCE:?}")),
            Err(panic) => Some(format!("panic: {}", words(&*panic))),
        };
        if contains(&heard.bytes(), PASSWORD) {
            fault.get_or_insert_with(|| "the password was told in the clear".to_owned());
        }
        let mut before = 0;
        for (tag, _) in heard.messages() {
            features.insert(Feature::Asked(before, tag));
            before = tag;
        }
        sent_features(case, &mut features);
        Ok(Outcome { features, fault })
    }

    /// What the user does. Some: what must not be.
    async fn visit(&self, user: &User, features: &mut BTreeSet<Feature>) -> Option<String> {
        let session = match open_directly(&Postgres, self.request(user)).await {
            Ok(session) => session,
            Err(OpenError::Rejected(rejection)) => {
                features.insert(Feature::Rejected(shape(&rejection)));
                return leaks(&format!("{rejection:?}"));
            }
            Err(OpenError::Failed(error)) => return failed(&error, features),
        };
        features.insert(Feature::Opened(user.read_only));
        for script in &user.scripts {
            if let Some(fault) = run(&session, script, user, features).await {
                return Some(fault);
            }
        }
        None
    }

    fn request(&self, user: &User) -> pb::OpenRequest {
        let text = |name: &str, text: &str| pb::Parameter {
            name: name.into(),
            value: Some(pb::parameter::Value::Text(text.into())),
        };
        let folder = self.folder.path().to_str().expect("folders for temporary files have plain names");
        let password = pb::SecretField { name: "password".into(), value: PASSWORD.into() };
        pb::OpenRequest {
            session_id: uuid::Uuid::nil().to_string(),
            parameters: vec![text("host", folder), text("port", "5432"), text("user", "u")],
            credential: Some(pb::Credential { fields: vec![password] }),
            options: Some(pb::OpenOptions { read_only: user.read_only, ..pb::OpenOptions::default() }),
            limits: None,
        }
    }
}

async fn run(
    session: &impl Session,
    script: &str,
    user: &User,
    features: &mut BTreeSet<Feature>,
) -> Option<String> {
    let cancelled = CancellationToken::new();
    let value = |number: u8| pb::Binding { name: number.to_string(), text: Some("1".into()) };
    let query = Query {
        sql: script.to_owned(),
        on_error: if user.goes_on { OnError::Continue } else { OnError::Stop },
        single_transaction: user.single_transaction,
        one_shot: user.one_shot,
        bindings: (1..=user.values).map(value).collect(),
        rows_max: user.rows_max,
        bytes_max: user.bytes_max,
        column_facts: user.column_facts,
        cancelled: cancelled.clone(),
    };
    let is_over = Arc::new(AtomicBool::new(false));
    let (mut told, mut before) = (0, 0);
    let call = execute_directly(session, query, CELL_BYTES_MAX, data(user), |part| {
        let kind = part_features(part, features);
        features.insert(Feature::Told(before, kind));
        before = kind;
        told += 1;
        if user.cancels_after.is_some_and(|after| told >= u32::from(after)) {
            cancelled.cancel();
        }
        match user.leaves_after {
            Some(after) if told >= u32::from(after) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    });
    let call = async {
        let heard = call.await;
        is_over.store(true, Ordering::Relaxed);
        // Whoever waits for a cancel waits no longer.
        cancelled.cancel();
        heard
    };
    if user.cancels_after == Some(0) {
        cancelled.cancel();
    }
    let cancel = async {
        cancelled.cancelled().await;
        if !is_over.load(Ordering::Relaxed) {
            // The server of a case takes a request, and does nothing.
            session.cancel().await.ok();
        }
    };
    let (heard, ()) = futures::join!(call, cancel);
    for statement in &heard.answer.statements {
        let said = format!("{:?}{:?}", statement.rejection, statement.notices);
        if let Some(leak) = leaks(&said) {
            return Some(leak);
        }
    }
    match &heard.ended {
        Ok(()) => None,
        Err(ExecuteError::Stopped) => {
            features.insert(Feature::Stopped);
            None
        }
        Err(ExecuteError::Failed(error)) => failed(error, features),
    }
}

/// What a COPY is given.
pub(crate) fn data(user: &User) -> Option<&'static [u8]> {
    user.gives_data.then_some(b"7\tseven\n8\t\\N\n")
}

/// What a failure shows. A mistake of the driver's own must not be, whatever a server does.
fn failed(error: &Error, features: &mut BTreeSet<Feature>) -> Option<String> {
    let message = error.to_string();
    features.insert(Feature::Failed(plain(&message)));
    if error.reason() == Reason::DriverBroken {
        return Some(format!("a mistake of the driver's own: {message}"));
    }
    leaks(&message)
}

fn leaks(told: &str) -> Option<String> {
    contains(told.as_bytes(), PASSWORD).then(|| "the password was told to the user".to_owned())
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// A message without what the server chose of it: numbers and quotations.
fn plain(message: &str) -> String {
    let mut is_quoted = false;
    let mut plain = String::new();
    for c in message.chars() {
        is_quoted ^= c == '"';
        if !is_quoted && !c.is_ascii_digit() {
            plain.push(c);
        }
    }
    plain.truncate(plain.floor_char_boundary(80));
    plain
}

/// Which parts a rejection has.
fn shape(rejection: &pb::Rejection) -> u8 {
    let has = [
        !rejection.sqlstate.is_empty(),
        !rejection.detail.is_empty(),
        !rejection.hint.is_empty(),
        !rejection.context.is_empty(),
        rejection.position_byte.is_some(),
        rejection.rolled_back_at_end,
    ];
    has.into_iter().fold(0, |shape, has| shape << 1 | u8::from(has))
}

/// Notes what is in a part, and answers with a number for its kind.
fn part_features(part: &Part, features: &mut BTreeSet<Feature>) -> u8 {
    match part {
        Part::Header(header) => {
            features.extend(header.columns.iter().map(|column| Feature::Column(column.display)));
            if header.returns_rows { 1 } else { 2 }
        }
        Part::Batch(batch) => {
            let note = |note: &pb::CellNote| match note.note {
                Some(pb::cell_note::Note::ExactText(_)) => 1,
                Some(pb::cell_note::Note::UndecodableBytes(_)) => 2,
                Some(pb::cell_note::Note::CutAtSize(_)) => 3,
                None => 0,
            };
            features.extend(batch.notes.iter().map(|cell| Feature::Note(note(cell))));
            features.insert(Feature::Rows(batch.row_count.checked_ilog2().unwrap_or_default()));
            3
        }
        Part::Notice(_) => 4,
        Part::Progress(_) => 5,
        Part::ColumnFacts(_) => 6,
        Part::Summary(summary) => {
            features.insert(Feature::Done(summary.transaction_state, summary.stopped_by));
            7
        }
        Part::Rejection(rejection) => {
            features.insert(Feature::Rejected(shape(rejection)));
            features.insert(Feature::RejectedIn(rejection.transaction_state));
            8
        }
        Part::CopyIn(_) => 9,
    }
}

/// Pairs of messages that a server sent, whatever became of them.
fn sent_features(case: &Case, features: &mut BTreeSet<Feature>) {
    let tag = |sent: &Sent| match sent {
        Sent::Message { tag, .. } => *tag,
        Sent::Raw(_) => 1,
        Sent::Challenge { .. } => 2,
        Sent::Proof => 3,
    };
    let tags: Vec<u8> = case.sent.iter().map(tag).filter(|tag| *tag < 4 || tag.is_ascii_graphic()).collect();
    features.extend(tags.windows(2).map(|pair| Feature::Sent(pair[0], pair[1])));
}

fn words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
