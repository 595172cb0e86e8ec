//! SIGTERM: what runs comes to its end, and nothing new is begun.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use querybox_contracts::core::v1::execute_response::Part;
use querybox_fixtures::Postgres;
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

use super::{Crowd, expected::Looker, visitor::Visitor};
use crate::{
    own_server::OwnServer,
    site::{one_shot, session_id},
    soak::Verdict,
};

/// Statements that run when the server is told to end.
const RUNNING: usize = 20;
/// Each takes so long, and answers with the rows that are known.
const STATEMENT: &str = "select i, 'label ' || i as label, case when i % 20 <> 0 then (i / 8.0)::numeric(20,3) end as price \
                         from generate_series(1::bigint, 1000) i, lateral (select pg_sleep(case when i = 500 then 3 else 0 end)) s";
const ROWS: u64 = 1000;
/// To the end of the process.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// Begins statements, ends the server, and sees that each is answered, that nothing new begins, and that nothing is left.
pub(super) async fn check(
    server: OwnServer,
    crowd: &Crowd,
    postgres: &Postgres,
    verdict: &mut Verdict,
) -> anyhow::Result<()> {
    let (runs, mut running) = mpsc::channel(RUNNING);
    let mut clients = JoinSet::new();
    for _ in 0..RUNNING {
        let (url, authorization, runs) = (crowd.url.clone(), crowd.authorization.clone(), runs.clone());
        clients.spawn(async move { waits(&url, &authorization, runs).await });
    }
    for _ in 0..RUNNING {
        running.recv().await.context("a statement does not begin")?;
    }
    let late = Visitor::connect(&crowd.url, &crowd.authorization).await?;
    server.tell_to_end()?;
    let refused = refuses(&late).await;
    let mut answered = 0;
    while let Some(outcome) = clients.join_next().await {
        match outcome.context("a client broke")? {
            Ok(_) => answered += 1,
            Err(error) => verdict.failures.push(format!("while the server drains: {error:#}")),
        }
    }
    let status = timeout(ENDS_WITHIN, server.ended()).await.context("the server does not end")??;
    if !status.success() {
        verdict.failures.push(format!("the server ended with {status}"));
    }
    if let Err(error) = refused {
        verdict.failures.push(format!("a server that drains takes new work: {error:#}"));
    }
    let backends = "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()";
    let mut left = String::new();
    // The server hears of the end of a connection a moment later.
    for _ in 0..120 {
        left = String::from_utf8_lossy(&postgres.psql(backends)).trim().to_owned();
        if left == "0" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    if left != "0" {
        verdict.failures.push(format!("{left} connections to the database are left"));
    }
    verdict.figures.push(format!(
        "SIGTERM with {RUNNING} statements running: {answered} answered whole, the server ended with {status}, {left} \
         connections left"
    ));
    Ok(())
}

async fn waits(url: &str, authorization: &str, runs: mpsc::Sender<()>) -> anyhow::Result<u64> {
    let visitor = Visitor::connect(url, authorization).await?;
    let mut stream = visitor.queries().execute(one_shot(&session_id(), STATEMENT)).await?.into_inner();
    let mut looker = Looker::new();
    while let Some(message) = stream.message().await? {
        match message.part {
            Some(Part::Session(_)) => runs.send(()).await.context("nobody waits for it")?,
            Some(Part::Result(part)) => looker.take(part)?,
            Some(Part::Ended(_)) => return looker.end(ROWS),
            None => {}
        }
    }
    anyhow::bail!("the stream did not say how it ended")
}

/// From some moment on it takes nothing new.
async fn refuses(late: &Visitor) -> anyhow::Result<()> {
    for _ in 0..100 {
        let begun = async {
            let mut stream = late.queries().execute(one_shot(&session_id(), "select 1")).await?.into_inner();
            while stream.message().await?.is_some() {}
            Ok::<(), tonic::Status>(())
        };
        if begun.await.is_err() {
            return Ok(());
        }
    }
    ensure!(false, "a hundred statements were begun after it was told to end");
    Ok(())
}
