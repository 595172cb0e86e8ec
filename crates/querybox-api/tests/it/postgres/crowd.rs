//! As many sessions as there may be, and more.

use std::time::{Duration, Instant};

use futures::future::join_all;
use querybox_core::Limits;
use tonic::Code;

use super::site::{SLEEP, Site, request, rows};
use crate::house::{check, limits, metadata, without_end};

/// Rows whose every value tells of which session they are.
fn script(session: usize) -> String {
    format!(
        "select {session} * 1000000 + i, md5('{session}:' || i) from generate_series(1, 500) i order by i"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_sessions_at_once_lose_no_row() {
    const SESSIONS: usize = 200;
    let site = Site::start_with(Limits { sessions_max: 256, ..limits() }, |_| {}).await;
    // What the server itself says, in one piece.
    let mut expected = vec![String::new(); SESSIONS];
    let all = format!(
        "select n, n * 1000000 + i, md5(n || ':' || i) from generate_series(0, {}) n, generate_series(1, 500) i order by n, i",
        SESSIONS - 1
    );
    for line in String::from_utf8(site.server.psql(&all)).unwrap().lines() {
        let (session, row) = line.split_once('|').unwrap();
        expected[session.parse::<usize>().unwrap()] += &(row.replace('|', ",") + "\n");
    }

    let begun = Instant::now();
    let answers = join_all((0..SESSIONS).map(|session| {
        let site = &site;
        async move {
            let rest = site.execute(&script(session), without_end()).await.rest().await;
            let ended = rest.end.unwrap_or_else(|status| panic!("session {session}: {status}"));
            assert_eq!(ended.statements_done, 1);
            rows(&rest.results)
        }
    }))
    .await;
    for (session, (answer, expected)) in answers.iter().zip(&expected).enumerate() {
        assert_eq!(answer.lines().count(), 500, "session {session}");
        assert!(answer == expected, "session {session} has other rows");
    }
    println!("{SESSIONS} sessions in {:?}", begun.elapsed());
    site.until_alone(Duration::from_secs(5)).await;
    assert!(site.house.core.running_sessions().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_house_answers_at_once_and_has_room_again() {
    const SESSIONS: usize = 50;
    let site = Site::start_with(Limits { sessions_max: SESSIONS, ..limits() }, |_| {}).await;
    let mut answers = join_all((0..SESSIONS).map(|_| site.execute(SLEEP, without_end()))).await;
    // Some run, some still open; all have their places.
    assert_eq!(site.house.core.running_sessions().len(), SESSIONS);
    site.until(Duration::from_secs(60), "all run", || site.running() == SESSIONS).await;
    let mut took = Vec::new();
    for _ in 0..150 {
        let asked = Instant::now();
        let status = site.house.ask(request("select 1", without_end())).await.err().unwrap();
        took.push(asked.elapsed());
        check(&status, Code::ResourceExhausted, "SESSIONS_FULL", "50 sessions run, and no more may");
        assert_eq!(metadata(&status, "max"), "50");
    }
    // A machine that is busy may have other things to do once; nobody waits for a session that runs.
    took.sort_unstable();
    assert!(took[75] < Duration::from_millis(100) && took[149] < Duration::from_secs(5), "{took:?}");
    let last = answers.pop().unwrap();
    site.house.cancel(&last.session_id).await;
    last.rest().await.end.unwrap();
    let rest = site.execute(&script(7), without_end()).await.rest().await;
    assert_eq!(rest.rows(), 500);
    drop(answers);
    site.until_alone(Duration::from_secs(10)).await;
}
