//! A thread that owns one database connection and does what it is handed, in order.

use std::{io, thread};

use tokio::sync::{mpsc, oneshot};

use crate::Error;

type Job = Box<dyn FnOnce(&mut rusqlite::Connection) + Send>;

/// A job that was accepted is done whole, whether or not somebody still waits for it.
///
/// Dropping the worker lets the thread finish what it has accepted, without waiting for it; [`Worker::close`] waits.
pub(crate) struct Worker {
    jobs: mpsc::Sender<Job>,
    ended: oneshot::Receiver<()>,
}

impl Worker {
    pub(crate) fn start(
        name: &str,
        mut connection: rusqlite::Connection,
        queue_max: usize,
    ) -> io::Result<Worker> {
        let (jobs, mut queue) = mpsc::channel::<Job>(queue_max);
        let (ending, ended) = oneshot::channel::<()>();
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            while let Some(job) = queue.blocking_recv() {
                job(&mut connection);
            }
            drop(connection);
            // Nobody may listen any more.
            let _ = ending.send(());
        })?;
        Ok(Worker { jobs, ended })
    }

    /// Waits for room in the queue, then for the job. Dropped while it waits for room, the job never runs; dropped later,
    /// it runs all the same.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut rusqlite::Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Fails when nobody waits for the answer any more; the work is done either way.
            let _ = answer.send(job(connection));
        });
        self.jobs.send(job).await.map_err(|_| Error::stopped())?;
        answered.await.map_err(|_| Error::stopped())?
    }

    /// Hands over a job without waiting for anything. False when there is no room: the job is dropped.
    pub(crate) fn post(&self, job: impl FnOnce(&mut rusqlite::Connection) + Send + 'static) -> bool {
        self.jobs.try_send(Box::new(job)).is_ok()
    }

    /// Takes no more jobs, and returns when the accepted ones are done and the connection is closed.
    pub(crate) async fn close(self) {
        drop(self.jobs);
        // An error means that the thread has ended by a panic, which is an end too.
        let _ = self.ended.await;
    }
}
