//! `querybox shell`: one session, statement after statement, for people at a terminal and for scripts.

mod command;
mod completion;
mod editor;
mod events;
mod external;
mod feed;
mod hangup;
mod highlight;
mod history;
mod lease;
mod lines;
mod names;
mod prompt;
mod session;

use std::{pin::pin, time::Duration};

use futures::{FutureExt, future::LocalBoxFuture};
use tokio::time::{Instant, sleep_until};

use crate::{
    app::App,
    cli::{documents::FormatArg, query::OnErrorArg, shell::ShellArgs},
    exit::Exit,
    failure::Failure,
    messages::Messages,
    query::{copy::Source, tell::Times},
    reason::Reason,
    sanitize,
    screen::Screen,
    signals::Ends,
    stdout,
    table::Arrangement,
    words,
};

use command::{COMMANDS, Command};
use editor::{Editor, Typed};
use events::{Events, Told};
use feed::{Entry, Feed, Kind};
use lines::Lines;
use names::SharedNames;
use prompt::Prompt;
use session::Session;

/// Files that name files that name files: more of them are a circle.
const FILES_DEEP_MAX: usize = 16;
/// The line editor sees the wish to stop within a tenth of a second. One whose terminal is gone may never look again, and
/// is not waited for.
const EDITOR_GRACE: Duration = Duration::from_secs(2);

/// What is known before Core is asked.
pub(crate) struct Prepared {
    args: ShellArgs,
    /// `None`: a person types.
    lines: Option<Lines>,
}

/// Finds out who speaks.
pub(crate) fn prepare(args: ShellArgs, messages: &Messages) -> Result<Prepared, Failure> {
    let Screen { stdin_is_terminal, stderr_is_terminal, .. } = *messages.screen();
    let lines = match &args.file {
        Some(path) if path.as_os_str() != "-" => Some(Lines::of_file(path)?),
        None if stdin_is_terminal && stderr_is_terminal => None,
        Some(_) | None => Some(Lines::of_stdin()),
    };
    if lines.is_none() && args.secret.password_stdin {
        return Err(Failure::usage("standard input is the terminal, where the password is asked for anyway")
            .with_hint("leave `--password-stdin` out"));
    }
    if let Some(FormatArg::Document(document)) = args.format
        && let Some(noun) = document.of_one_result()
    {
        return Err(Failure::usage(format!("{noun} holds one result, and a shell shows many"))
            .with_hint("`querybox query --format` writes one"));
    }
    Ok(Prepared { args, lines })
}

/// Opens the session and works with it until the person or the script is done.
pub(crate) async fn run(prepared: Prepared, app: &App) -> Result<Exit, Failure> {
    let Prepared { args, lines } = prepared;
    let ends =
        Ends::listen().map_err(|error| Failure::machinery(format!("cannot listen for signals: {error}")))?;
    let session = Session::open(app, &args).await?;
    let is_script = lines.is_some();
    let mut shell = Shell { app, session, ends, last_sql: String::new(), unsent: String::new() };
    let done = match lines {
        Some(lines) => match shell.recite(lines, 1).await {
            Err(failure) => Err(match shell.session.loss() {
                Some(end) if end.transaction_lost => failure.with_hint("the open transaction is lost"),
                Some(_) | None => failure,
            }),
            done => done,
        },
        None => shell.converse().await,
    };
    let transaction_lost = shell.session.close().await;
    match done {
        Ok(Exit::Done) if transaction_lost && is_script => {
            app.messages
                .fail(&Failure::new(Exit::Rejected, "rolled back: the script ended inside a transaction"));
            Ok(Exit::Rejected)
        }
        done => {
            if transaction_lost {
                app.messages.warn("the open transaction was rolled back");
            }
            done
        }
    }
}

struct Shell<'a> {
    app: &'a App,
    session: Session<'a>,
    ends: Ends,
    /// What `\e` begins with.
    last_sql: String,
    /// What was typed and could not be sent, with what follows it.
    unsent: String,
}

/// What came of a prompt.
enum Asked {
    Typed(Typed),
    /// Something happened meanwhile. What was typed was not carried out.
    Told(Told, Typed),
}

/// What follows a command.
enum Next {
    On(Exit),
    Leave,
    /// Statements from an editor.
    Edited(String),
}

impl Shell<'_> {
    /// Asks for statements until the person leaves.
    async fn converse(&mut self) -> Result<Exit, Failure> {
        let Session { app, args, facts, dialect, server, .. } = &self.session;
        let keeps_history = args.plain_history || app.keeps_history;
        let history = keeps_history.then(|| app.home.shell_history());
        let names = SharedNames::default();
        let colors = app.messages.screen().stderr_paint.is_on();
        let mut editor = Editor::new(facts, dialect, names.clone(), history.as_deref(), colors)?;
        let version = format!("{} {}", server.product, server.version);
        app.messages.note(&format!("{}; \\? shows the commands, Ctrl-D leaves", version.trim()));
        let mut text = String::new();
        let mut events = Events::watch(&app.channel, self.session.front_end_id.clone()).await?;
        loop {
            // The answers told of it as well, or it is another session's.
            while let Some(told) = events.meanwhile() {
                if !matches!(told, Told::EndsSoon { .. }) {
                    self.hear(told);
                }
            }
            let asked = self.ask(&mut editor, &names, &mut events, std::mem::take(&mut text)).await?;
            let typed = match asked {
                Asked::Typed(Typed::Text(typed)) => typed,
                Asked::Typed(Typed::Dropped) => continue,
                Asked::Typed(Typed::End) => return Ok(Exit::Done),
                Asked::Typed(Typed::Stopped) => return Ok(Exit::Cancelled),
                Asked::Typed(Typed::Stuck) => {
                    editor.leave_behind();
                    return Ok(Exit::Cancelled);
                }
                Asked::Told(told, typed) => {
                    // It may change what the user wants of the text.
                    if let Typed::Text(typed) = typed {
                        text = typed;
                    } else {
                        // Below what stands at the prompt.
                        self.app.messages.say("");
                    }
                    self.hear(told);
                    continue;
                }
            };
            match self.take(&typed).await {
                Ok(Some(rest)) => text = rest,
                Ok(None) => return Ok(Exit::Done),
                // Nobody reads any more.
                Err(failure) if failure.exit == Exit::PipeClosed => return Err(failure),
                Err(failure) => {
                    self.app.messages.fail(&failure);
                    // It stands there again, to be sent or not.
                    text = std::mem::take(&mut self.unsent);
                }
            }
            if let Some(end) = self.session.loss() {
                let text = format!("{}; the next statement opens a new session", end.sentence());
                self.app.messages.warn(&text);
            }
            if self.ends.next().now_or_never().is_some() {
                return Ok(Exit::Cancelled);
            }
        }
    }

    /// Waits for the next entry; meanwhile the names for completion are read.
    async fn ask(
        &mut self,
        editor: &mut Editor,
        names: &SharedNames,
        events: &mut Events,
        text: String,
    ) -> Result<Asked, Failure> {
        let stop = editor.stop();
        let prompt = Prompt::new(&self.session.args.connection, self.session.transaction());
        let mut typing = pin!(editor.ask(prompt, text));
        // Dropped when something was typed: a session does one thing at a time, and people come first.
        let mut reading = pin!(self.session.names());
        let mut reads = true;
        let mut hung_up = pin!(hangup::hung_up());
        let mut told = None;
        // Set when everything is to end.
        let mut waits_until = None;
        loop {
            tokio::select! {
                typed = &mut typing => {
                    if waits_until.is_some() {
                        return Ok(Asked::Typed(Typed::Stopped));
                    }
                    let typed = typed?;
                    return Ok(match told {
                        Some(told) if !matches!(typed, Typed::End) => Asked::Told(told, typed),
                        Some(_) | None => Asked::Typed(typed),
                    });
                }
                event = events.next(), if told.is_none() => {
                    if self.session.concerns(&event) {
                        told = Some(event);
                        stop.stop();
                    }
                }
                read = &mut reading, if reads => {
                    reads = false;
                    if let Some(read) = read {
                        names.set(read);
                    }
                }
                () = self.ends.next(), if waits_until.is_none() => {
                    waits_until = Some(Instant::now() + EDITOR_GRACE);
                    stop.stop();
                }
                () = &mut hung_up, if waits_until.is_none() => {
                    waits_until = Some(Instant::now() + EDITOR_GRACE);
                    stop.stop();
                }
                () = wait_until(waits_until) => return Ok(Asked::Typed(Typed::Stuck)),
            }
        }
    }

    /// Tells the user what happened to the session.
    fn hear(&mut self, told: Told) {
        if !self.session.concerns(&told) {
            return;
        }
        match told {
            Told::EndsSoon { remaining, .. } => {
                let time = words::time(remaining);
                self.app.messages.warn(&format!("the session ends in {time} unless it is used"));
            }
            Told::Notified { text, .. } => self.app.messages.say(&text),
            Told::Missed { count } => {
                let events = words::count(count, "event");
                self.app.messages.warn(&format!(
                    "at least {events} before this were missed: they came faster than they could be shown"
                ));
            }
            Told::Ended { end, .. } => {
                self.app
                    .messages
                    .warn(&format!("{}; the next statement opens a new session", end.sentence()));
                self.session.forget();
            }
        }
    }

    /// Carries out what was typed. What is left of it stands at the next prompt. `None`: the person leaves.
    async fn take(&mut self, typed: &str) -> Result<Option<String>, Failure> {
        let mut feed = Feed::new(self.session.dialect.clone());
        let mut lines = typed.lines();
        while let Some(line) = lines.next() {
            let Some(entry) = feed.push(line) else { continue };
            let exit = match entry.kind {
                Kind::Sql => {
                    let text = entry.text.clone();
                    let executed = self.execute(entry, None).await;
                    if executed.is_err() && !self.session.was_sent {
                        self.unsent = lines.fold(text, |text, line| text + line + "\n").trim_end().to_owned();
                        return executed.map(|_| None);
                    }
                    executed?
                }
                Kind::Command => match self.command(&entry.text, 0).await {
                    Err(failure) if failure.reason == Some(Reason::SessionEnded) => {
                        let text = entry.text + "\n";
                        self.unsent = lines.fold(text, |text, line| text + line + "\n").trim_end().to_owned();
                        return Err(failure);
                    }
                    Err(failure) => return Err(failure),
                    Ok(Next::On(exit)) => exit,
                    Ok(Next::Leave) => return Ok(None),
                    Ok(Next::Edited(text)) if feed::is_whole(&text, &self.session.dialect) => {
                        return Box::pin(self.take(&text)).await;
                    }
                    Ok(Next::Edited(text)) => return Ok(Some(text)),
                },
            };
            if !self.goes_on(exit) {
                if lines.any(|line| !line.trim().is_empty()) {
                    self.app.messages.note("the rest of what was entered was not run");
                }
                return Ok(Some(String::new()));
            }
        }
        Ok(Some(feed.pending().trim_end().to_owned()))
    }

    /// Carries out the lines of a script until they end or something fails.
    async fn recite(&mut self, mut lines: Lines, depth: usize) -> Result<Exit, Failure> {
        let mut interrupts = session::listen()?;
        let mut feed = Feed::new(self.session.dialect.clone());
        let mut worst = Exit::Done;
        loop {
            let line = tokio::select! {
                line = lines.next() => line?,
                () = interrupts.next() => return Ok(Exit::Cancelled),
            };
            let is_last = line.is_none();
            let entry = match line {
                Some(line) => feed.push(&line),
                None => feed.end(),
            };
            if let Some(entry) = entry {
                let exit = match entry.kind {
                    Kind::Sql => self.execute(entry, Some(&lines.name)).await?,
                    Kind::Command => match self.command(&entry.text, depth).await? {
                        Next::On(exit) => exit,
                        Next::Leave => return Ok(worst),
                        Next::Edited(_) => {
                            return Err(Failure::usage("\\e has no place in a script"));
                        }
                    },
                };
                if !self.goes_on(exit) {
                    return Ok(exit);
                }
                if worst == Exit::Done {
                    worst = exit;
                }
            }
            if is_last {
                return Ok(worst);
            }
        }
    }

    /// Whether what follows in the same text is run.
    fn goes_on(&self, exit: Exit) -> bool {
        match exit {
            Exit::Done | Exit::Limit => true,
            Exit::Rejected => self.session.args.on_error == OnErrorArg::Continue,
            Exit::Usage | Exit::Machinery | Exit::Cancelled | Exit::PipeClosed => false,
        }
    }

    async fn execute(&mut self, entry: Entry, file: Option<&str>) -> Result<Exit, Failure> {
        self.last_sql.clone_from(&entry.text);
        self.session.execute(entry, file).await
    }

    /// Carries out a command. `depth`: of the file that it stands in; 0: it was typed.
    async fn command(&mut self, line: &str, depth: usize) -> Result<Next, Failure> {
        let command = Command::parse(line).map_err(|why| Failure::usage(sanitize::line(&why)))?;
        let messages = &self.app.messages;
        Ok(Next::On(match command {
            Command::Describe(Some(target)) => self.session.describe(target).await?,
            Command::Describe(None) => self.session.list(false).await?,
            Command::Tables => self.session.list(true).await?,
            Command::Timing(wish) => {
                let is_on = wish.unwrap_or(self.session.times == Times::Hidden);
                self.session.times = match is_on {
                    false => Times::Hidden,
                    true if self.session.args.verbose => Times::Detailed,
                    true => Times::Shown,
                };
                messages.note(&format!("times are {}", if is_on { "shown" } else { "not shown" }));
                Exit::Done
            }
            Command::Expanded(wish) => {
                let is_on = wish.unwrap_or(self.session.arrangement == Arrangement::Fitting);
                self.session.arrangement = if is_on { Arrangement::Records } else { Arrangement::Fitting };
                let text =
                    if is_on { "rows are shown one column a line" } else { "rows are shown as a table" };
                messages.note(text);
                Exit::Done
            }
            Command::Edit if depth > 0 => return Err(Failure::usage("\\e has no place in a script")),
            Command::Edit => {
                let text = self.last_sql.clone();
                let edited = tokio::task::spawn_blocking(move || external::edit(&text)).await;
                let edited = edited
                    .unwrap_or_else(|_| Err(Failure::machinery("editing ended by a mistake of ours")))?;
                return Ok(Next::Edited(edited));
            }
            Command::Include(_) if depth >= FILES_DEEP_MAX => {
                return Err(Failure::usage(format!(
                    "files include one another more than {FILES_DEEP_MAX} deep"
                )));
            }
            Command::Include(path) => {
                let lines = Lines::of_file(&path)?;
                let reciting: LocalBoxFuture<'_, _> = Box::pin(self.recite(lines, depth + 1));
                reciting.await?
            }
            Command::Copy(copy) => {
                let source = Source::open(&copy.file).await?;
                let entry = Entry { kind: Kind::Sql, text: copy.sql, line: 1 };
                self.session.execute_with(entry, None, Some(source)).await?
            }
            Command::Refresh => {
                self.session.forget_names();
                Exit::Done
            }
            Command::Quit => return Ok(Next::Leave),
            Command::Help => {
                let rows =
                    COMMANDS.map(|(name, argument, about)| [format!("{name} {argument}"), about.to_owned()]);
                stdout::print(&stdout::columns(["COMMAND", ""], &rows, Screen::look().stdout_paint))?;
                Exit::Done
            }
        }))
    }
}

/// Never comes without a time.
async fn wait_until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
