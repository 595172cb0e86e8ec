//! Leased sessions that nobody comes to hold, or that are given up while they open.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::FutureExt as _;
use querybox_core::{
    Extension, FrontEndId, LeaseError, LeaseOutcome, LeaseRequest, QueryText, SessionError, SessionId, Target,
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use crate::house::{House, options, session_id, soon, unsaved};

fn lease(session_id: SessionId) -> LeaseRequest {
    LeaseRequest {
        session_id,
        front_end: FrontEndId::default(),
        target: Target::Unsaved(Box::new(unsaved("test"))),
        secrets: Vec::new(),
        idle_limit: None,
    }
}

/// Longer than anything here takes on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_session_whose_opening_was_given_up_ends_though_it_had_opened() {
    let house = House::new().await;
    let id = session_id();
    let mut opening = Box::pin(house.core.open_session(lease(id)));
    // Only what runs can be given more time: up to the moment at which the driver is being started.
    let runs = || house.core.extend_deadline(id, Extension::By(Duration::from_millis(1))).is_ok();
    while !runs() {
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(opening.as_mut().now_or_never().is_none(), "no driver can have been started");
    }
    // From here on nobody polls, and it opens all the same.
    assert!(soon(PATIENCE, || !runs()).await);
    drop(opening);
    assert!(soon(PATIENCE, || house.core.running_sessions().is_empty()).await);
    let asked = house.core.close_session(id).await;
    assert!(matches!(asked, Err(SessionError::Lease(LeaseError::Ended(_)))), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_was_closed_while_it_opened_does_not_live_on() {
    let house = House::new().await;
    for round in 0..300 {
        let id = session_id();
        let opening = house.core.open_session(lease(id));
        let closing = async {
            // Some come before it has opened, some after, some at that moment.
            tokio::time::sleep(Duration::from_micros(round * 60)).await;
            house.core.close_session(id).await
        };
        let (opened, closed) = tokio::join!(opening, closing);
        assert!(closed.is_ok(), "{closed:?}");
        let is_open = house.core.execute_in_session(id, "rows 1".to_owned(), options()).await.is_ok();
        assert!(
            !is_open,
            "round {round}: closed, and open: {}",
            matches!(opened, Ok(LeaseOutcome::Leased(_)))
        );
    }
}

/// What is logged by this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Visit for Log {
    fn record_debug(&mut self, _: &Field, value: &dyn fmt::Debug) {
        self.0.lock().unwrap().push_str(&format!("{value:?}\n"));
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn the_log_names_no_script_that_a_session_refused() {
    let log = Log::default();
    let _logged = tracing::subscriber::set_default(log.clone());
    let House { core, folder: _folder } = House::new().await;
    let core = core.showing(QueryText::Full);
    let id = session_id();
    let opened = core.open_session(lease(id)).await.unwrap();
    assert!(matches!(opened, LeaseOutcome::Leased(_)));
    let running = core.execute_in_session(id, "wait".to_owned(), options()).await.unwrap();
    let refused = core.execute_in_session(id, "rows 7".to_owned(), options()).await;
    assert!(matches!(refused, Err(SessionError::Lease(LeaseError::Busy))));
    drop(running);
    core.close_session(id).await.unwrap();
    let refused = core.execute_in_session(id, "rows 8".to_owned(), options()).await;
    assert!(matches!(refused, Err(SessionError::Lease(LeaseError::Ended(_)))));
    let log = log.0.lock().unwrap().clone();
    assert!(log.contains("\"wait\"") && !log.contains("rows 7") && !log.contains("rows 8"), "{log}");
}
