//! How far a query has come: a line on standard error while its data goes elsewhere.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{sanitize, words};

/// What queries and exports wait for.
pub(crate) const FIRST_ROW: &str = "waiting for the first row";

/// How often the line is drawn while nothing arrives.
const TICK: Duration = Duration::from_millis(100);

/// Counts what has arrived, and shows it where there is somebody to see it.
pub(crate) struct Progress {
    bar: ProgressBar,
    rows: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    /// A line that is not shown.
    pub(crate) fn hidden() -> Progress {
        Progress { bar: ProgressBar::hidden(), rows: AtomicU64::new(0), bytes: AtomicU64::new(0) }
    }

    /// A line on standard error's terminal, with what is waited for.
    pub(crate) fn shown(waiting: &'static str) -> Progress {
        let style = ProgressStyle::with_template("{spinner:.cyan} {msg}, {elapsed}")
            .expect("the template is well-formed");
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style);
        bar.set_message(waiting);
        bar.enable_steady_tick(TICK);
        Progress { bar, ..Progress::hidden() }
    }

    /// The line itself, for messages that have to stand above it.
    pub(crate) fn line(&self) -> ProgressBar {
        self.bar.clone()
    }

    /// A batch has arrived.
    pub(crate) fn add(&self, rows: u64, bytes: u64) {
        let rows = self.rows.fetch_add(rows, Ordering::Relaxed) + rows;
        let bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if !self.bar.is_hidden() {
            self.bar.set_message(format!("{}, {}", words::count(rows, "row"), words::bytes(bytes)));
        }
    }

    /// The driver knows more than the rows it sent.
    pub(crate) fn tell(&self, message: &str, fraction: Option<f64>) {
        let share =
            fraction.map_or_else(String::new, |share| format!(" ({:.0} %)", share.clamp(0.0, 1.0) * 100.0));
        self.bar.set_message(format!("{}{share}", sanitize::line(message)));
    }

    /// Takes the line away.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
