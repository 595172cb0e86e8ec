//! `exec`: one script for driver authors, without Core.

use std::io::{BufRead as _, Write};

use querybox_contracts::plugin::v1::{self as pb, execute_response::Part};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    Credential, Driver, ExecuteError, OnError, Open, OpenError, Parameters, Query, Results, Session,
    results::PARTS_WAITING_MAX, rows::RowLimits,
};

#[derive(clap::Args)]
pub(crate) struct Exec {
    /// A parameter of the connection, as name=value; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = name_and_value)]
    parameters: Vec<(String, String)>,
    /// Read secrets from standard input, one name=value a line
    #[arg(long)]
    secrets_stdin: bool,
    /// Go on after a statement that the database refuses
    #[arg(long)]
    keep_going: bool,
    /// The script
    sql: String,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it is not NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Runs the script in this process. Each result that returns rows is one Arrow IPC stream on standard output; all else
/// is told on standard error.
pub(crate) fn exec<D: Driver>(driver: &D, arguments: Exec) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(run(driver, arguments))
}

async fn run<D: Driver>(driver: &D, arguments: Exec) -> Result<(), String> {
    let form = driver.info().connection_form;
    let parameters = arguments
        .parameters
        .into_iter()
        .map(|(name, value)| pb::Parameter { name, value: Some(pb::parameter::Value::Text(value)) })
        .collect();
    let secrets = if arguments.secrets_stdin { Some(read_secrets()?) } else { None };
    let open = Open {
        session_id: uuid::Uuid::now_v7().to_string(),
        parameters: Parameters::parse(&form, parameters).map_err(|error| error.to_string())?,
        credential: Credential::parse(&form, secrets).map_err(|error| error.to_string())?,
        read_only: false,
        startup_sql: String::new(),
        default_schema: String::new(),
        connections_max: 1,
        connect_limit: std::time::Duration::from_secs(10),
        memory_bytes: None,
    };
    let session = driver.open(open).await.map_err(|error| match error {
        OpenError::Rejected(rejection) => describe(&rejection),
        OpenError::Failed(error) => error.to_string(),
    })?;

    let (tx, mut rx) = mpsc::channel::<Result<pb::ExecuteResponse, tonic::Status>>(PARTS_WAITING_MAX);
    let limits = RowLimits { rows_max: None, bytes_max: None, cell_bytes_max: 16 * 1024 * 1024 };
    let query = Query {
        sql: arguments.sql,
        on_error: if arguments.keep_going { OnError::Continue } else { OnError::Stop },
        single_transaction: false,
        one_shot: true,
        bindings: Vec::new(),
        rows_max: limits.rows_max,
        bytes_max: limits.bytes_max,
        column_facts: false,
        cancelled: CancellationToken::new(),
    };
    let print = async {
        let (mut rejections, mut streaming) = (0_u32, false);
        while let Some(Ok(part)) = rx.recv().await {
            rejections += u32::from(matches!(part.part, Some(Part::Rejection(_))));
            print_part(part.part, &mut streaming).map_err(|error| error.to_string())?;
        }
        if rejections == 0 { Ok(()) } else { Err(format!("{rejections} rejected")) }
    };
    let (executed, printed) = tokio::join!(session.execute(query, Results::new(tx, limits, None)), print);
    match executed {
        Err(ExecuteError::Failed(error)) => Err(error.to_string()),
        // The printer's own failure says more.
        Ok(()) | Err(ExecuteError::Stopped) => printed,
    }
}

fn read_secrets() -> Result<pb::Credential, String> {
    let mut fields = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| error.to_string())?;
        // The error must not repeat the line.
        let (name, value) = line.split_once('=').ok_or("a line of the secrets is not NAME=VALUE")?;
        fields.push(pb::SecretField { name: name.to_owned(), value: value.as_bytes().to_vec().into() });
    }
    Ok(pb::Credential { fields })
}

/// `streaming` says whether an Arrow stream was begun and not yet ended.
fn print_part(part: Option<Part>, streaming: &mut bool) -> std::io::Result<()> {
    let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr().lock());
    match part {
        Some(Part::Header(header)) if header.returns_rows => {
            *streaming = true;
            write_message(&mut out, &header.arrow_schema, &[])
        }
        // No data is given from here, so that none is asked for.
        Some(Part::Header(_) | Part::ColumnFacts(_) | Part::CopyIn(_)) | None => Ok(()),
        Some(Part::Batch(batch)) => {
            for note in &batch.notes {
                writeln!(err, "note: {note:?}")?;
            }
            write_message(&mut out, &batch.arrow_metadata, &batch.arrow_body)
        }
        Some(Part::Notice(notice)) => writeln!(err, "{}: {}", notice.severity, notice.message),
        Some(Part::Progress(progress)) => writeln!(err, "{}", progress.message),
        Some(Part::Summary(summary)) => {
            end_stream(&mut out, streaming)?;
            writeln!(err, "{} ({} rows)", summary.command_tag, summary.rows)
        }
        Some(Part::Rejection(rejection)) => {
            end_stream(&mut out, streaming)?;
            writeln!(err, "{}", describe(&rejection))
        }
    }
}

fn end_stream(out: &mut impl Write, streaming: &mut bool) -> std::io::Result<()> {
    if std::mem::take(streaming) {
        // The end of an Arrow IPC stream: a continuation marker and a length of 0.
        out.write_all(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])?;
        out.flush()?;
    }
    Ok(())
}

/// Writes a bare message with the encapsulation of Arrow's streaming format: marker, length, message padded to 8 bytes,
/// body. <https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format>
fn write_message(out: &mut impl Write, message: &[u8], body: &[u8]) -> std::io::Result<()> {
    let padding = message.len().wrapping_neg() % 8;
    let length = u32::try_from(message.len() + padding).expect("metadata is below the message limit");
    out.write_all(&[0xff; 4])?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(message)?;
    out.write_all(&[0; 8][..padding])?;
    out.write_all(body)
}

fn describe(rejection: &pb::Rejection) -> String {
    let code = [&rejection.sqlstate, &rejection.vendor_code].into_iter().find(|code| !code.is_empty());
    match code {
        Some(code) => format!("{} ({code})", rejection.message),
        None => rejection.message.clone(),
    }
}
