//! `querybox query` and `querybox exec`: run SQL and show what comes back.

pub(crate) mod copy;
pub(crate) mod drive;
pub(crate) mod parts;
pub(crate) mod printer;
pub(crate) mod script;
mod shapes;
pub(crate) mod sheet;
pub(crate) mod tell;

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
};

use querybox_contracts::{
    core::v1::{self as core, connection_ref, query_service_client::QueryServiceClient},
    plugin::v1 as plugin,
};
use tonic::Response;
use uuid::Uuid;

use crate::{
    app::App,
    cli::query::{ExecArgs, FormatArg, OnErrorArg, QueryArgs, RunArgs},
    composition::{Channel, MESSAGE_BYTES_MAX},
    exit::Exit,
    failure::Failure,
    form,
    messages::Messages,
    output::Output,
    progress::Progress,
    screen::{Paint, Screen},
    secrets,
    signals::Interrupts,
    table::Arrangement,
};

use copy::{Source, Supply};
use printer::Printer;
use script::Script;
use sheet::{Look, Sheet};
use tell::Times;

/// What is known before Core is asked: a request that cannot be carried out never opens Core's store.
pub(crate) struct Prepared {
    script: Arc<Script>,
    interrupts: Interrupts,
    sheet: Sheet,
    shows_progress: bool,
    session_id: String,
    /// The data of a COPY.
    source: Option<Source>,
    run: RunArgs,
}

/// Reads the script and opens the output.
pub(crate) async fn prepare(
    sql: Option<String>,
    mut run: RunArgs,
    messages: &Messages,
) -> Result<Prepared, Failure> {
    run.output = run.output.filter(|path| path != Path::new("-"));
    let screen = *messages.screen();
    let reads_stdin = sql.is_none() && run.file.as_deref().is_none_or(|file| file == Path::new("-"));
    if reads_stdin && run.secret.password_stdin {
        return Err(Failure::usage("standard input cannot hold both the SQL and the password")
            .with_hint("give the SQL as an argument or in a file with `-f FILE`"));
    }
    let source = copy_source(&run, reads_stdin).await?;
    let script = script::read(sql, run.file.as_deref(), screen.stdin_is_terminal)?;
    let mut interrupts = Interrupts::listen()
        .map_err(|error| Failure::machinery(format!("cannot listen for signals: {error}")))?;
    let output = match run.output.clone() {
        None => Output::stdout()?,
        // Opening a FIFO waits for its reader.
        Some(path) => tokio::select! {
            opened = tokio::task::spawn_blocking(move || Output::file(&path)) => {
                opened.unwrap_or_else(|_| Err(Failure::machinery("opening the output failed by a mistake of ours")))?
            }
            () = interrupts.next() => return Err(Failure::silent(Exit::Cancelled)),
        },
    };
    let to_terminal = run.output.is_none() && screen.stdout_is_terminal;
    let look = match run.format_of_output(to_terminal) {
        FormatArg::Arrow if to_terminal => {
            return Err(Failure::usage("an Arrow stream is nothing for a terminal")
                .with_hint("write it to a file with `-o FILE`, or pipe it to a program that reads Arrow"));
        }
        FormatArg::Table if run.output.is_some() => {
            Look::Table { room: None, paint: Paint::OFF, arrangement: Arrangement::Fitting }
        }
        format => look(format, &screen, Arrangement::Fitting),
    };
    Ok(Prepared {
        script: Arc::new(script),
        interrupts,
        sheet: Sheet::new(output, look, 0).only(run.result),
        shows_progress: screen.stderr_is_terminal && !to_terminal,
        session_id: Uuid::now_v7().to_string(),
        source,
        run,
    })
}

/// Opens what `--copy-from` names.
async fn copy_source(run: &RunArgs, reads_stdin: bool) -> Result<Option<Source>, Failure> {
    let Some(path) = &run.copy_from else { return Ok(None) };
    if path == Path::new("-") && (reads_stdin || run.secret.password_stdin) {
        let other = if reads_stdin { "the SQL" } else { "the password" };
        return Err(Failure::usage(format!("standard input cannot hold both {other} and the data"))
            .with_hint("name a file with `--copy-from FILE`"));
    }
    Source::open(path).await.map(Some)
}

/// Runs on a saved connection.
pub(crate) async fn query(args: QueryArgs, prepared: Prepared, app: &App) -> Result<Exit, Failure> {
    let connection = core::ConnectionRef { key: Some(connection_ref::Key::Name(args.connection)) };
    let credential = secrets::of_connection(app, &connection, &prepared.run.secret).await?;
    let request = core::ExecuteRequest {
        session_id: prepared.session_id.clone(),
        connection: Some(connection),
        sql: prepared.script.sql.clone(),
        options: Some(options(&prepared.run)),
        credential,
    };
    let mut client = client(&app.channel);
    let asking =
        async move { client.execute(request).await.map(Response::into_inner).map(parts::of_connection) };
    prepared.run(asking, app).await
}

/// Runs on a driver that is named directly.
pub(crate) async fn exec(args: ExecArgs, prepared: Prepared, app: &App) -> Result<Exit, Failure> {
    let form = form::of_driver(app, &args.driver).await?;
    let request = core::ExecutePluginRequest {
        session_id: prepared.session_id.clone(),
        driver_type: args.driver,
        parameters: form::parameters(&args.params, &form)?,
        credential: secrets::for_form(&form, &prepared.run.secret, "the database").await?,
        sql: prepared.script.sql.clone(),
        options: Some(options(&prepared.run)),
        read_only: args.read_only,
    };
    let mut client = client(&app.channel);
    let asking =
        async move { client.execute_plugin(request).await.map(Response::into_inner).map(parts::of_driver) };
    prepared.run(asking, app).await
}

impl Prepared {
    async fn run<S>(
        self,
        asking: impl Future<Output = Result<S, tonic::Status>>,
        app: &App,
    ) -> Result<Exit, Failure>
    where
        S: futures::Stream<Item = Result<parts::Part, tonic::Status>>,
    {
        let Prepared { script, mut interrupts, sheet, shows_progress, session_id, source, run } = self;
        let progress = Arc::new(if shows_progress { Progress::shown() } else { Progress::hidden() });
        let messages = app.messages.above(progress.line());
        if run.verbose {
            messages.note(&format!("session {session_id}"));
        }
        let printer = Printer {
            sheet,
            messages,
            progress,
            script,
            keeps_going: run.on_error == OnErrorArg::Continue,
            single_transaction: run.single_transaction,
            verbose: run.verbose,
            times: if run.verbose { Times::Detailed } else { Times::Shown },
            told: app.told.clone(),
            exit: Exit::Done,
            has_done: false,
        };
        let file = source.as_ref().map(|source| source.name().to_owned());
        let supply = Supply::new(app.channel.clone(), session_id.clone(), source);
        let was_asked = supply.was_asked();
        let asking = async { asking.await.map(|parts| copy::supplied(parts, supply)) };
        let done = drive::drive(asking, &session_id, &app.channel, printer, &mut interrupts).await;
        if interrupts.are_urgent() {
            app.leave_at_once();
        }
        match (done, file) {
            (Ok(Exit::Done), Some(file)) if !was_asked.load(Ordering::Relaxed) => {
                Err(Failure::usage(format!("no statement asked for data, so that {file} was not used"))
                    .with_hint("`--copy-from` gives it to a `COPY … FROM STDIN` among the statements"))
            }
            (done, _) => done,
        }
    }
}

fn bindings(run: &RunArgs) -> Vec<plugin::Binding> {
    let values = run.binds.iter().map(|bind| (&bind.name, Some(bind.value.clone())));
    let nulls = run.null_binds.iter().map(|name| (name, None));
    values.chain(nulls).map(|(name, text)| plugin::Binding { name: name.clone(), text }).collect()
}

/// How results look on standard output.
pub(crate) fn look(format: FormatArg, screen: &Screen, arrangement: Arrangement) -> Look {
    match format {
        FormatArg::Table => {
            Look::Table { room: screen.stdout_width, paint: screen.stdout_paint, arrangement }
        }
        FormatArg::Csv => Look::Document(querybox_results::Format::Csv),
        FormatArg::Tsv => Look::Document(querybox_results::Format::Tsv),
        FormatArg::Json => Look::Document(querybox_results::Format::Json),
        FormatArg::Ndjson => Look::Document(querybox_results::Format::NdJson),
        FormatArg::Markdown => Look::Document(querybox_results::Format::Markdown),
        FormatArg::Arrow => Look::Arrow,
    }
}

fn client(channel: &Channel) -> QueryServiceClient<Channel> {
    QueryServiceClient::new(channel.clone())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX)
}

fn options(run: &RunArgs) -> core::ExecuteOptions {
    core::ExecuteOptions {
        on_error: match run.on_error {
            OnErrorArg::Stop => plugin::OnError::Stop,
            OnErrorArg::Continue => plugin::OnError::Continue,
        }
        .into(),
        single_transaction: run.single_transaction,
        rows_max: run.max_rows,
        bytes_max: None,
        deadline: run.deadline.map(core::Deadline::from),
        bindings: bindings(run),
        gives_copy_data: run.copy_from.is_some(),
        connections_max: run.parallel.unwrap_or(1),
    }
}
