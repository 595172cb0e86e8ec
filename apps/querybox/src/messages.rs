//! What the program says to people: standard error, beside a progress line that steps aside.

use std::io::Write;

use indicatif::ProgressBar;

use crate::{failure::Failure, sanitize, screen::Screen};

/// The voice on standard error. Cloning shares the progress line.
#[derive(Clone)]
pub(crate) struct Messages {
    screen: Screen,
    progress: ProgressBar,
}

impl Messages {
    pub(crate) fn new(screen: Screen) -> Messages {
        Messages { screen, progress: ProgressBar::hidden() }
    }

    /// The same voice above a progress line.
    #[must_use]
    pub(crate) fn above(&self, progress: ProgressBar) -> Messages {
        Messages { screen: self.screen, progress }
    }

    pub(crate) fn screen(&self) -> &Screen {
        &self.screen
    }

    /// Says text that is safe for a terminal already. A line end is added.
    ///
    /// That standard error is gone is no reason to stop, and there is nobody to tell.
    pub(crate) fn say(&self, text: &str) {
        self.progress.suspend(|| {
            let mut stderr = std::io::stderr().lock();
            let _ = stderr.write_all(format!("{text}\n").as_bytes());
        });
    }

    /// Says something that stands beside the data: counts, command tags, facts.
    pub(crate) fn note(&self, text: &str) {
        self.say(&self.screen.stderr_paint.dim(&sanitize::lines(text)));
    }

    pub(crate) fn warn(&self, text: &str) {
        let label = self.screen.stderr_paint.warning("warning:");
        self.say(&format!("{label} {}", sanitize::lines(text)));
    }

    /// Says why the command ends, unless that was said before.
    pub(crate) fn fail(&self, failure: &Failure) {
        if failure.message.is_empty() {
            return;
        }
        let paint = self.screen.stderr_paint;
        let mut text = format!("{} {}", paint.error("error:"), sanitize::lines(&failure.message));
        if !failure.hint.is_empty() {
            text.push_str(&format!("\n {} {}", paint.accent("hint:"), failure.hint));
        }
        self.say(&text);
    }
}
