//! What observers are told: each request that begins ends, and how.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use querybox_core::{
    Deadline, DriverStart, FrontEndId, Happening, LeaseOutcome, LeaseRequest, Outcome, RequestEnd, SessionId,
    Target, Verb,
};

use crate::house::{House, options, request, rest, session_id, soon, unsaved};

/// Longer than anything here takes on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Heard {
    begun: Vec<(SessionId, Verb)>,
    ended: Vec<(SessionId, Verb, RequestEnd)>,
    starts: Vec<DriverStart>,
    closed: Vec<SessionId>,
    cancelled: Vec<SessionId>,
}

/// Listens to a Core.
fn listen(house: &House) -> Arc<Mutex<Heard>> {
    let heard = Arc::new(Mutex::new(Heard::default()));
    let written = Arc::clone(&heard);
    house.core.observe(move |happening| {
        let mut heard = written.lock().unwrap();
        match *happening {
            Happening::Began(request) => heard.begun.push((request.session, request.verb)),
            Happening::Ended(request, end) => {
                heard.ended.push((request.session, request.verb, end.clone()));
            }
            Happening::DriverStarted { start, .. } => heard.starts.push(start),
            Happening::SessionEnded { session, .. } => heard.closed.push(session),
            Happening::Cancelled { session, .. } => heard.cancelled.push(session),
            Happening::Extended { .. } | Happening::VaultUsed(..) | Happening::KeyringUsed(..) => {}
        }
    });
    heard
}

#[tokio::test]
async fn a_script_begins_and_ends_with_what_it_returned() {
    let house = House::new().await;
    let heard = listen(&house);
    let second = listen(&house);
    let id = session_id();
    let answers = house.core.execute(request(id, "rows 3", Deadline::None)).await.unwrap();
    let (_, last) = rest(answers).await;
    assert!(last.is_ok(), "{last:?}");
    let heard = heard.lock().unwrap();
    assert_eq!(heard.begun, [(id, Verb::Execute)]);
    assert_eq!(heard.starts, [DriverStart::Fresh]);
    let [(session, Verb::Execute, end)] = &heard.ended[..] else { panic!("{:?}", heard.ended) };
    assert_eq!((*session, end.outcome, end.rows, end.statements_done), (id, Outcome::Done, 3, 1));
    assert!(end.first_row.unwrap() <= end.duration, "{end:?}");
    // Each observer hears all.
    assert_eq!(second.lock().unwrap().begun.len(), 1);
}

#[tokio::test]
async fn a_leased_session_is_told_of_from_its_opening_to_its_end() {
    let house = House::new().await;
    let heard = listen(&house);
    let id = session_id();
    let lease = LeaseRequest {
        session_id: id,
        front_end: FrontEndId::default(),
        target: Target::Unsaved(Box::new(unsaved("test"))),
        secrets: Vec::new(),
        idle_limit: None,
    };
    let opened = house.core.open_session(lease).await.unwrap();
    assert!(matches!(opened, LeaseOutcome::Leased(_)), "{opened:?}");
    let answers = house.core.execute_in_session(id, "rows 2".to_owned(), options()).await.unwrap();
    assert!(rest(answers).await.1.is_ok());
    house.core.cancel_session(id).await.unwrap();
    house.core.close_session(id).await.unwrap();
    // The closing is answered when the driver is gone, and told at that moment.
    assert!(soon(PATIENCE, || !heard.lock().unwrap().closed.is_empty()).await);
    let heard = heard.lock().unwrap();
    assert_eq!(heard.begun, [(id, Verb::Open), (id, Verb::Execute)]);
    let ends: Vec<_> = heard.ended.iter().map(|(_, verb, end)| (*verb, end.outcome, end.rows)).collect();
    assert_eq!(ends, [(Verb::Open, Outcome::Done, 0), (Verb::Execute, Outcome::Done, 2)]);
    assert_eq!((&heard.closed[..], &heard.cancelled[..]), (&[id][..], &[id][..]));
}

#[tokio::test]
async fn what_nobody_reads_to_its_end_has_ended_all_the_same() {
    let house = House::new().await;
    let heard = listen(&house);
    let answers = house.execute("rows 3").await;
    drop(answers);
    assert!(soon(PATIENCE, || heard.lock().unwrap().ended.len() == 1).await);
    let heard = heard.lock().unwrap();
    assert_eq!(heard.begun.len(), 1);
    assert_eq!(heard.ended[0].2.outcome, Outcome::Canceled);
}
