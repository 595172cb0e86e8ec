//! What the program is attached to: terminals or not, their width, and whether they want colors.

use std::{env, io::IsTerminal, os::fd::AsFd};

use anstyle::{AnsiColor, Style};

/// Columns of a terminal that does not tell its width.
const WIDTH_DEFAULT: usize = 80;

/// Where standard input, output and error lead. Looked at once, at the start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    pub stdin_is_terminal: bool,
    pub stdout_is_terminal: bool,
    pub stderr_is_terminal: bool,
    /// Columns of standard output's terminal. `None`: it is no terminal, and nothing has to fit.
    pub stdout_width: Option<usize>,
    /// Columns of standard error's terminal, or a usual width.
    pub stderr_width: usize,
    pub stdout_paint: Paint,
    pub stderr_paint: Paint,
}

impl Screen {
    pub(crate) fn look() -> Screen {
        let stdin_is_terminal = std::io::stdin().is_terminal();
        let stdout_is_terminal = std::io::stdout().is_terminal();
        let stderr_is_terminal = std::io::stderr().is_terminal();
        // https://no-color.org: set, to anything but the empty text.
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colors = !refused && !dumb;
        Screen {
            stdin_is_terminal,
            stdout_is_terminal,
            stderr_is_terminal,
            stdout_width: stdout_is_terminal.then(|| width_of(std::io::stdout())),
            stderr_width: if stderr_is_terminal { width_of(std::io::stderr()) } else { WIDTH_DEFAULT },
            stdout_paint: Paint { on: stdout_is_terminal && colors },
            stderr_paint: Paint { on: stderr_is_terminal && colors },
        }
    }
}

fn width_of(terminal: impl AsFd) -> usize {
    let told = rustix::termios::tcgetwinsize(terminal).map_or(0, |size| usize::from(size.ws_col));
    if told > 0 { told } else { WIDTH_DEFAULT }
}

/// Paints text for a terminal, or leaves it alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// Paints nothing.
    pub(crate) const OFF: Paint = Paint { on: false };

    #[cfg(test)]
    pub(crate) const ON: Paint = Paint { on: true };

    pub(crate) fn is_on(self) -> bool {
        self.on
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.style(Style::new().bold(), text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.style(Style::new().dimmed(), text)
    }

    pub(crate) fn error(self, text: &str) -> String {
        self.style(AnsiColor::Red.on_default().bold(), text)
    }

    pub(crate) fn warning(self, text: &str) -> String {
        self.style(AnsiColor::Yellow.on_default().bold(), text)
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.style(AnsiColor::Green.on_default(), text)
    }

    pub(crate) fn accent(self, text: &str) -> String {
        self.style(AnsiColor::Cyan.on_default(), text)
    }

    fn style(self, style: Style, text: &str) -> String {
        if self.on { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}
