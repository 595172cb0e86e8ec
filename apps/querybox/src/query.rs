//! `querybox query` and `querybox exec`: run SQL and show what comes back.

pub(crate) mod copy;
pub(crate) mod document;
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
    core::v1::{self as core, export_order::Format, query_service_client::QueryServiceClient},
    plugin::v1 as plugin,
};
use tonic::Response;
use uuid::Uuid;

use crate::{
    app::App,
    cli::{
        documents::{DocumentArg, DocumentArgs, FormatArg},
        query::{ExecArgs, OnErrorArg, QueryArgs, RunArgs, SecretArgs},
    },
    composition::{Channel, MESSAGE_BYTES_MAX},
    connections,
    exit::Exit,
    failure::Failure,
    form,
    messages::Messages,
    output::Output,
    progress::{FIRST_ROW, Progress},
    screen::{Paint, Screen},
    secrets,
    signals::Interrupts,
    table::Arrangement,
};

use copy::{Source, Supply};
use document::Document;
use printer::Printer;
use script::Script;
use sheet::{Look, Sheet};
use tell::Times;

/// What is known before Core is asked: a request that cannot be carried out never opens Core's store.
pub(crate) struct Prepared {
    script: Arc<Script>,
    interrupts: Interrupts,
    output: Output,
    wanted: Wanted,
    shows_progress: bool,
    session_id: String,
    /// The data of a COPY.
    source: Option<Source>,
    run: RunArgs,
}

/// How results are to look, as far as it is known before Core is asked.
enum Wanted {
    Table { room: Option<usize>, paint: Paint },
    Document(DocumentArg, Format),
}

impl Wanted {
    /// Whether it depends on the database how it is written.
    fn needs_dialect(&self) -> bool {
        matches!(self, Wanted::Document(DocumentArg::Sql, _))
    }

    fn look(self, dialect: &plugin::Dialect) -> Result<Look, Failure> {
        Ok(match self {
            Wanted::Table { room, paint } => Look::Table { room, paint, arrangement: Arrangement::Fitting },
            Wanted::Document(kind, format) => Look::Document(Document::new(kind, format, dialect)?),
        })
    }
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
        return Err(one_stdin());
    }
    let source = copy_source(&run, reads_stdin).await?;
    let script = script::read(sql, run.file.as_deref(), screen.stdin_is_terminal)?;
    let mut interrupts = Interrupts::listen()
        .map_err(|error| Failure::machinery(format!("cannot listen for signals: {error}")))?;
    let to_terminal = run.output.is_none() && screen.stdout_is_terminal;
    let wanted = match run.format_of_output(to_terminal) {
        FormatArg::Document(kind) => {
            if to_terminal {
                kind.refuse_terminal()?;
            }
            Wanted::Document(kind, run.document.format(kind)?)
        }
        FormatArg::Table => {
            run.document.refuse_all()?;
            let (room, paint) = match run.output {
                Some(_) => (None, Paint::OFF),
                None => (screen.stdout_width, screen.stdout_paint),
            };
            Wanted::Table { room, paint }
        }
    };
    let output = Output::open(run.output.clone(), &mut interrupts).await?;
    Ok(Prepared {
        script: Arc::new(script),
        interrupts,
        output,
        wanted,
        shows_progress: screen.stderr_is_terminal && !to_terminal,
        session_id: Uuid::now_v7().to_string(),
        source,
        run,
    })
}

/// What is known before a server is asked to run something and to keep its results.
pub(crate) struct PreparedToKeep {
    pub(crate) sql: String,
    pub(crate) options: core::ExecuteOptions,
    pub(crate) secret: SecretArgs,
}

/// Reads the script.
pub(crate) fn prepare_kept(
    sql: Option<String>,
    run: RunArgs,
    messages: &Messages,
) -> Result<PreparedToKeep, Failure> {
    let reads_stdin = sql.is_none() && run.file.as_deref().is_none_or(|file| file == Path::new("-"));
    if reads_stdin && run.secret.password_stdin {
        return Err(one_stdin());
    }
    run.document.refuse_all()?;
    let script = script::read(sql, run.file.as_deref(), messages.screen().stdin_is_terminal)?;
    Ok(PreparedToKeep { sql: script.sql, options: options(&run), secret: run.secret })
}

fn one_stdin() -> Failure {
    Failure::usage("standard input cannot hold both the SQL and the password")
        .with_hint("give the SQL as an argument or in a file with `-f FILE`")
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
    let connection = connections::named(&args.connection);
    let credential = secrets::of_connection(app, &connection, &prepared.run.secret).await?;
    let dialect = match prepared.wanted.needs_dialect() {
        true => {
            let driver_type = connections::driver_type(app, &args.connection).await?;
            form::info_of_driver(app, &driver_type).await?.dialect
        }
        false => None,
    };
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
    prepared.run(asking, dialect, app).await
}

/// Runs on a driver that is named directly.
pub(crate) async fn exec(args: ExecArgs, prepared: Prepared, app: &App) -> Result<Exit, Failure> {
    let plugin::PluginInfo { connection_form: form, dialect, .. } =
        form::info_of_driver(app, &args.driver).await?;
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
    prepared.run(asking, dialect, app).await
}

impl Prepared {
    async fn run<S>(
        self,
        asking: impl Future<Output = Result<S, tonic::Status>>,
        dialect: Option<plugin::Dialect>,
        app: &App,
    ) -> Result<Exit, Failure>
    where
        S: futures::Stream<Item = Result<parts::Part, tonic::Status>>,
    {
        let Prepared { script, mut interrupts, output, wanted, shows_progress, session_id, source, run } =
            self;
        let look = wanted.look(&dialect.unwrap_or_default())?;
        let progress = Arc::new(if shows_progress { Progress::shown(FIRST_ROW) } else { Progress::hidden() });
        let messages = app.messages.above(progress.line());
        if run.verbose {
            messages.note(&format!("session {session_id}"));
        }
        let printer = Printer {
            sheet: Sheet::new(output, look, 0).only(run.result),
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

/// How results look on standard output, without options.
pub(crate) fn look(format: FormatArg, screen: &Screen, arrangement: Arrangement) -> Result<Look, Failure> {
    Ok(match format {
        FormatArg::Table => {
            Look::Table { room: screen.stdout_width, paint: screen.stdout_paint, arrangement }
        }
        FormatArg::Document(kind) => {
            let format = DocumentArgs::default().format(kind)?;
            Look::Document(Document::new(kind, format, &plugin::Dialect::default())?)
        }
    })
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
        // Nothing that is printed shows them.
        column_facts: false,
    }
}
