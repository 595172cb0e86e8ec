//! Whose results are whose.

use std::time::Duration;

use querybox_core::{
    BrokenContract, DropCause, FrontEndId, Owner, Reading, ResultError, RunError, RunFailure, RunPlace,
    RunRequest, RunState, SessionId, Target,
};

use crate::house::{House, limits, options, session_id, soon, unsaved};

const PATIENCE: Duration = Duration::from_secs(60);

fn owner(name: &str) -> Owner {
    name.parse().unwrap()
}

/// What the test driver returns is not read.
fn reading() -> Reading {
    Reading {
        shape: |_| Err(BrokenContract { what: "rows".into() }),
        batch: |_| Err(BrokenContract { what: "rows".into() }),
        failure: |error| RunFailure { reason: String::new(), message: error.to_string() },
    }
}

fn request(owner: &Owner, sql: &str) -> RunRequest {
    RunRequest {
        id: session_id(),
        owner: owner.clone(),
        place: RunPlace::Own { target: Target::Unsaved(Box::new(unsaved("test"))), secrets: Vec::new() },
        sql: sql.to_owned(),
        options: options(),
        front_end: FrontEndId::default(),
        reading: reading(),
    }
}

async fn run(house: &House, owner: &Owner, sql: &str) -> SessionId {
    house.core.run(request(owner, sql)).await.unwrap().summary.id
}

async fn ended(house: &House, owner: &Owner, id: SessionId) -> RunState {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let facts = house.core.attach_result(owner, id, FrontEndId::default(), 0).unwrap();
        if facts.summary.state != RunState::Running {
            return facts.summary.state;
        }
        assert!(tokio::time::Instant::now() < end, "{facts:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_result_does_not_exist_for_others_than_its_owner() {
    let house = House::keeping(limits(), |settings| settings).await;
    let (one, two) = (owner("one"), owner("two"));
    let id = run(&house, &one, "refused").await;
    // Rows are announced, which are not read here.
    let state = ended(&house, &one, id).await;
    assert!(matches!(state, RunState::Failed(_)), "{state:?}");
    assert_eq!(house.core.results(&one).len(), 1);
    assert!(house.core.results(&two).is_empty());
    let attached = house.core.attach_result(&two, id, FrontEndId::default(), 0);
    assert!(matches!(attached, Err(ResultError::NotFound)), "{attached:?}");
    let dropped = house.core.drop_result(&two, id).await;
    assert!(matches!(dropped, Err(ResultError::NotFound)), "{dropped:?}");
    house.core.drop_result(&one, id).await.unwrap();
    // Also why it is gone is told to its owner alone.
    let gone = house.core.drop_result(&one, id).await;
    assert!(matches!(gone, Err(ResultError::Dropped(DropCause::Dropped))), "{gone:?}");
    let gone = house.core.drop_result(&two, id).await;
    assert!(matches!(gone, Err(ResultError::NotFound)), "{gone:?}");
}

#[tokio::test]
async fn each_owner_has_room_of_his_own() {
    let house = House::keeping(limits(), |mut settings| {
        settings.results_max = 1;
        settings
    })
    .await;
    let (one, two) = (owner("one"), owner("two"));
    let id = run(&house, &one, "refused").await;
    let full = house.core.run(request(&one, "refused")).await;
    assert!(matches!(full, Err(RunError::Full { max: 1 })), "{full:?}");
    ended(&house, &one, id).await;
    run(&house, &two, "refused").await;
}

#[tokio::test]
async fn of_those_who_ask_at_the_same_moment_no_more_are_let_in_than_there_is_room_for() {
    let house = House::keeping(limits(), |mut settings| {
        settings.results_max = 2;
        settings
    })
    .await;
    let one = owner("one");
    let asked: Vec<_> = (0..4).map(|_| house.core.run(request(&one, "refused"))).collect();
    let answers = futures::future::join_all(asked).await;
    let full = answers.iter().filter(|answer| matches!(answer, Err(RunError::Full { max: 2 }))).count();
    assert_eq!((answers.len() - full, full), (2, 2), "{answers:?}");
    // Room that was taken for a run that did not come about is given back. That of sessions is given back some time after.
    let kept: Vec<_> = answers.into_iter().filter_map(Result::ok).map(|facts| facts.summary.id).collect();
    for id in &kept {
        ended(&house, &one, *id).await;
    }
    house.core.drop_result(&one, kept[0]).await.unwrap();
    assert!(soon(PATIENCE, || house.core.running_sessions().is_empty()).await);
    let mut impossible = request(&one, "refused");
    impossible.place = RunPlace::Leased(session_id());
    let refused = house.core.run(impossible).await;
    assert!(matches!(refused, Err(RunError::Session(_))), "{refused:?}");
    run(&house, &one, "refused").await;
    assert_eq!(house.core.results(&one).len(), 2);
}
