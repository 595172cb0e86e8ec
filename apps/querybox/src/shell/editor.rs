//! The line editor: keys, history, completion. It blocks a thread while somebody types.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use querybox_contracts::plugin::v1 as plugin;
use querybox_sql::Dialect;
use reedline::{
    ColumnarMenu, EditCommand, Emacs, KeyCode, KeyModifiers, MenuBuilder, Reedline, ReedlineEvent,
    ReedlineMenu, Signal, ValidationResult, Validator, default_emacs_keybindings,
};
use rustix::{
    stdio::stdin,
    termios::{OptionalActions, Termios, tcgetattr, tcsetattr},
};

use super::{
    completion::SqlCompleter, feed, highlight::SqlHighlighter, history, names::SharedNames, prompt::Prompt,
};
use crate::failure::{Failure, describe};

const MENU: &str = "completion";

/// What somebody did at the prompt.
#[derive(Debug)]
pub(crate) enum Typed {
    /// Whole statements or a command.
    Text(String),
    /// Ctrl-C: what was typed is dropped.
    Dropped,
    /// Ctrl-D on an empty line.
    End,
    /// [`Stop::stop`]. What was typed so far stands there again when it is asked next.
    Stopped,
    /// It did not stop in time: see [`Editor::leave_behind`].
    Stuck,
}

/// The line editor.
pub(crate) struct Editor {
    /// `None` while it runs on its thread.
    reedline: Option<Reedline>,
    stop: Stop,
    /// How the terminal was before anything was asked.
    before: Option<Termios>,
}

/// Ends the typing from elsewhere.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(crate) fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Editor {
    /// `history`: see [`history::open`].
    pub(crate) fn new(
        facts: &plugin::Dialect,
        dialect: &Dialect,
        names: SharedNames,
        history: Option<&Path>,
        colors: bool,
    ) -> Result<Editor, Failure> {
        let stop = Stop::default();
        let completer = SqlCompleter {
            names,
            dialect: dialect.clone(),
            keywords: facts.keywords.clone(),
            quote: facts.identifier_quotes.first().and_then(|quote| quote.chars().next()).unwrap_or('"'),
        };
        let mut keys = default_emacs_keybindings();
        let next = vec![ReedlineEvent::Menu(MENU.to_owned()), ReedlineEvent::MenuNext];
        keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, ReedlineEvent::UntilFound(next));
        keys.add_binding(KeyModifiers::SHIFT, KeyCode::BackTab, ReedlineEvent::MenuPrevious);
        let newline = ReedlineEvent::Edit(vec![EditCommand::InsertNewline]);
        keys.add_binding(KeyModifiers::ALT, KeyCode::Enter, newline);
        let menu = ReedlineMenu::EngineCompleter(Box::new(ColumnarMenu::default().with_name(MENU)));
        let reedline = Reedline::create()
            .with_ansi_colors(colors)
            .with_history(history::open(history)?)
            // As in other shells: a line that begins with a space is not remembered.
            .with_history_exclusion_prefix(Some(" ".to_owned()))
            .with_validator(Box::new(Wholeness(dialect.clone())))
            .with_highlighter(Box::new(SqlHighlighter::new(dialect.clone(), &facts.keywords)))
            .with_completer(Box::new(completer))
            .with_quick_completions(true)
            .with_partial_completions(true)
            .with_menu(menu)
            .with_edit_mode(Box::new(Emacs::new(keys)))
            // What is pasted is text, whatever its line ends and tabs would do when typed.
            .use_bracketed_paste(true)
            .with_break_signal(Arc::clone(&stop.0));
        Ok(Editor { reedline: Some(reedline), stop, before: tcgetattr(stdin()).ok() })
    }

    pub(crate) fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Leaves a thread behind that still waits for keys, and sets the terminal as it was. The program ends after it.
    pub(crate) fn leave_behind(&self) {
        if let Some(before) = &self.before {
            // It mostly is the terminal that is gone.
            let _ = tcsetattr(stdin(), OptionalActions::Now, before);
        }
    }

    /// Asks for the next entry, which begins with `text`. The terminal is as it was when this ends.
    ///
    /// When the future is dropped the typing goes on unseen: end it with [`Stop::stop`] and wait.
    pub(crate) async fn ask(&mut self, prompt: Prompt, text: String) -> Result<Typed, Failure> {
        let Some(mut reedline) = self.reedline.take() else {
            return Err(Failure::machinery("the line editor has failed before"));
        };
        let typing = tokio::task::spawn_blocking(move || {
            if !text.is_empty() {
                reedline.run_edit_commands(&[EditCommand::InsertString(text)]);
            }
            let signal = reedline.read_line(&prompt);
            // A shell that is killed later has lost nothing; that the disk is full is no reason to stop typing.
            let _ = reedline.sync_history();
            (reedline, signal)
        });
        let failed = |why: &str| Failure::machinery(format!("the line editor has failed: {why}"));
        let (reedline, signal) = typing.await.map_err(|_| failed("by a mistake of ours"))?;
        self.reedline = Some(reedline);
        signal.map(typed).map_err(|error: io::Error| failed(&describe(&error)))
    }
}

fn typed(signal: Signal) -> Typed {
    match signal {
        Signal::Success(text) => Typed::Text(text),
        Signal::CtrlC => Typed::Dropped,
        Signal::CtrlD => Typed::End,
        Signal::ExternalBreak(_) => Typed::Stopped,
        // No key is bound to anything else.
        _ => Typed::Dropped,
    }
}

/// Enter runs what is whole, and begins a new line else.
struct Wholeness(Dialect);

impl Validator for Wholeness {
    fn validate(&self, text: &str) -> ValidationResult {
        match feed::is_whole(text, &self.0) {
            true => ValidationResult::Complete,
            false => ValidationResult::Incomplete,
        }
    }
}
