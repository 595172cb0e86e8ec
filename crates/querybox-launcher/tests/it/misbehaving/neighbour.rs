//! A driver that behaves while another one does not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use querybox_launcher::{CancelOutcome, Fact, OpenDriver, Parts};
use tokio::{task::JoinSet, time::timeout};

use crate::{house::script, misbehaving::pen::Pen};

/// Its query would run for longer than an hour.
const QUERY: &str = "count 1000000 every 5";
const ALIVE_FOR: Duration = Duration::from_secs(3600);
/// Two hundred rows.
const SOON: Duration = Duration::from_secs(1);

pub(crate) struct Neighbour {
    driver: Box<OpenDriver>,
    rows: Arc<AtomicU64>,
    reading: JoinSet<Option<Fact>>,
}

impl Neighbour {
    /// Starts its query and waits for rows.
    pub(crate) async fn move_in(pen: &Pen) -> Self {
        let driver = pen.open_good(ALIVE_FOR).await;
        let parts = driver.execute(script(QUERY)).await.unwrap();
        let rows = Arc::new(AtomicU64::new(0));
        let mut reading = JoinSet::new();
        reading.spawn(read(parts, Arc::clone(&rows)));
        let neighbour = Self { driver, rows, reading };
        neighbour.wait_for_a_row().await;
        neighbour
    }

    /// Its query still runs, still obeys, and its driver leaves as it should.
    pub(crate) async fn check_unharmed(mut self) {
        self.wait_for_a_row().await;
        assert_eq!(self.driver.cancel().await.unwrap(), CancelOutcome::Requested);
        let last = timeout(SOON, self.reading.join_next()).await.unwrap().unwrap().unwrap();
        let Some(Fact::Rejection(rejection)) = last else { panic!("{last:?}") };
        assert_eq!(rejection.sqlstate, "57014");
        let ending = self.driver.close().await;
        assert_eq!(ending.to_string(), "it exited with code 0");
    }

    async fn wait_for_a_row(&self) {
        let before = self.rows.load(Ordering::Relaxed);
        timeout(SOON, async {
            while self.rows.load(Ordering::Relaxed) == before {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await
        .expect("the neighbour gets its rows");
    }
}

/// Reads to the end, and answers with the last fact.
async fn read(mut parts: Parts, rows: Arc<AtomicU64>) -> Option<Fact> {
    let mut last = None;
    while let Some(part) = parts.next().await.unwrap() {
        if let Fact::Batch { rows: more, .. } = part.fact {
            rows.fetch_add(more.into(), Ordering::Relaxed);
        }
        last = Some(part.fact);
    }
    last
}
