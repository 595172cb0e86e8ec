//! `querybox`: the command line of QueryBox, with Core in its own process.
//!
//! This is a composition root: the only code that reads flags, the environment and configuration files. Every verb is a
//! client of Core's services and nothing more, so that a remote Core could answer as well.

mod app;
mod channel;
mod cli;
mod composition;
mod config;
mod connections;
mod credentials;
mod exit;
mod failure;
mod first_run;
mod form;
mod history;
mod home;
mod ids;
mod key_verbs;
mod keys;
mod link;
mod log;
mod master_key;
mod messages;
mod output;
mod plugins;
mod progress;
mod query;
mod reason;
mod rejection;
mod remote;
mod results;
mod sample;
mod sanitize;
mod schema;
mod screen;
mod secrets;
mod serve;
mod sessions;
mod shell;
mod signals;
mod stdout;
mod table;
mod told;
mod words;

use std::{alloc::System, process::ExitCode, time::Duration};

use clap::{CommandFactory, Parser};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use zeroizing_alloc::ZeroAlloc;

use crate::{
    app::{App, Place},
    cli::{Cli, Verb, serve::LogFormat},
    exit::Exit,
    failure::{Failure, describe},
    messages::Messages,
    screen::Screen,
};

/// Whatever was in memory is wiped when it is freed: a password passes through buffers of libraries that wipe nothing.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// Threads that may hang in a blocked write or an unopened FIFO do not keep the program.
const RUNTIME_GRACE: Duration = Duration::from_millis(50);

fn main() -> ExitCode {
    if let Some(exit) = keys::source::guard_if_asked() {
        return exit;
    }
    // First of all: until then the key can be read by other processes of the user.
    let hidden = keys::source::hide_from_environment();
    keys::source::take_descriptors();
    keep_memory_private();
    // What this program was started with, a master key among it, is not for those that it starts.
    close_fds::set_fds_cloexec(3, &[]);
    let cli = Cli::parse();
    let messages = Messages::new(Screen::look());
    let started = hidden.map_err(Failure::from).and_then(|()| start(cli, &messages));
    let exit = started.unwrap_or_else(|failure| {
        messages.fail(&failure);
        failure.exit
    });
    exit.into()
}

/// Passwords pass through this process: no other process of the user may read its memory, and no core file shows it.
fn keep_memory_private() {
    // Both only fail where a sandbox around this program forbids them, which is then stricter than they are.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

fn start(cli: Cli, messages: &Messages) -> Result<Exit, Failure> {
    // A server logs as its own settings say.
    if !matches!(cli.verb, Verb::Serve(_)) {
        log::to_stderr(None, LogFormat::Text)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::machinery(format!("cannot start: {}", describe(&error))))?;
    let done = runtime.block_on(run(cli, messages));
    runtime.shutdown_timeout(RUNTIME_GRACE);
    done
}

async fn run(cli: Cli, messages: &Messages) -> Result<Exit, Failure> {
    let place = Place { home: cli.home, server: cli.server, authorities: cli.ca };
    // What can be refused without Core is refused before anything is opened or made.
    match cli.verb {
        Verb::Query(args) if args.keep => {
            let prepared = query::prepare_kept(args.sql.clone(), args.run.clone(), messages)?;
            let place = place.of_running_server().map_err(results::needs_a_server)?;
            with_core(&place, messages, async |app| results::keep(args, prepared, app).await).await
        }
        Verb::Results(verb) => {
            let place = place.of_running_server().map_err(results::needs_a_server)?;
            let prepared = results::prepare(verb, messages).await?;
            with_core(&place, messages, async |app| results::run(prepared, app).await).await
        }
        Verb::Sessions(verb) => {
            let place = place.of_running_server().map_err(sessions::needs_a_server)?;
            with_core(&place, messages, async |app| sessions::run(verb, app).await).await
        }
        Verb::Query(args) => {
            let prepared = query::prepare(args.sql.clone(), args.run.clone(), messages).await?;
            with_core(&place, messages, async |app| query::query(args, prepared, app).await).await
        }
        Verb::Exec(args) => {
            let prepared = query::prepare(args.sql.clone(), args.run.clone(), messages).await?;
            with_core(&place, messages, async |app| query::exec(args, prepared, app).await).await
        }
        Verb::Shell(args) => {
            let prepared = shell::prepare(args, messages)?;
            with_core(&place, messages, async |app| shell::run(prepared, app).await).await
        }
        Verb::Connections(verb) => {
            with_core(&place, messages, async |app| connections::run(verb, app).await).await
        }
        Verb::Credentials(verb) => {
            with_core(&place, messages, async |app| credentials::run(verb, app).await).await
        }
        Verb::History(verb) => with_core(&place, messages, async |app| history::run(verb, app).await).await,
        Verb::Keys(verb) => with_core(&place, messages, async |app| key_verbs::run(verb, app).await).await,
        Verb::Plugins(verb) => with_core(&place, messages, async |app| plugins::run(verb, app).await).await,
        Verb::Schema(args) => with_core(&place, messages, async |app| schema::run(args, app).await).await,
        Verb::Serve(args) => serve::run(args, &place, messages).await,
        Verb::Link => {
            let place = place.of_running_server()?;
            with_core(&place, messages, async |app| link::run(app).await).await
        }
        Verb::Completions { shell } => complete(shell),
    }
}

/// Opens Core or goes to a server's, works with it, and waits until it is gone.
async fn with_core(
    place: &Place,
    messages: &Messages,
    work: impl AsyncFnOnce(&App) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let app = App::open(place, messages.clone()).await?;
    let done = work(&app).await;
    app.close().await;
    done
}

fn complete(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "querybox", &mut script);
    stdout::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
