//! Which results are kept, and how they stand.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;
use querybox_contracts::core::v1::{
    self as core, ResultState, connection_service_client::ConnectionServiceClient,
};
use serde_json::json;
use unicode_width::UnicodeWidthStr;

use super::client;
use crate::{app::App, cli::JsonArg, exit::Exit, failure::Failure, ids, sanitize, stdout, words};

/// Columns of a list that goes to no terminal.
const WIDTH: usize = 80;
/// A script is shown so wide at least, however narrow the terminal is.
const SQL_WIDTH_MIN: usize = 16;

const HEAD: [&str; 7] = ["RESULT", "STATE", "AGE", "TOOK", "KEPT", "CONNECTION", "SQL"];

pub(super) async fn run(app: &App, json: JsonArg) -> Result<Exit, Failure> {
    let results = all(app).await?;
    if results.is_empty() && !json.json {
        app.messages.note("no results are kept; `querybox query --keep` has one kept");
        return Ok(Exit::Done);
    }
    let names = connection_names(app).await?;
    if json.json {
        let results: Vec<_> = results.iter().map(|result| document(result, &names)).collect();
        stdout::print_json(&results)?;
        return Ok(Exit::Done);
    }
    let ids = short_ids(&results);
    let now = Timestamp::now();
    let mut rows: Vec<_> = results.iter().zip(ids).map(|(result, id)| row(result, id, &names, now)).collect();
    let screen = app.messages.screen();
    fit(&mut rows, screen.stdout_width.unwrap_or(WIDTH));
    stdout::print(&stdout::columns(HEAD, &rows, screen.stdout_paint))?;
    Ok(Exit::Done)
}

/// All, newest first.
pub(super) async fn all(app: &App) -> Result<Vec<core::Result>, Failure> {
    Ok(client(&app.channel).list_results(core::ListResultsRequest {}).await?.into_inner().results)
}

/// The names of saved connections by their ids.
async fn connection_names(app: &App) -> Result<HashMap<String, String>, Failure> {
    let mut client = ConnectionServiceClient::new(app.channel.clone());
    let saved = client.list_connections(core::ListConnectionsRequest {}).await?.into_inner().connections;
    Ok(saved.into_iter().map(|saved| (saved.id, saved.spec.unwrap_or_default().name)).collect())
}

fn short_ids(results: &[core::Result]) -> Vec<&str> {
    ids::ends(&results.iter().map(|result| result.result_id.as_str()).collect::<Vec<_>>())
}

fn row(result: &core::Result, id: &str, names: &HashMap<String, String>, now: Timestamp) -> [String; 7] {
    let name = names.get(&result.connection_id).map_or("-", String::as_str);
    [
        id.to_owned(),
        word(result.state()).to_owned(),
        age(result, now),
        words::time(words::span(result.elapsed.as_ref())),
        words::bytes(result.kept_bytes),
        name.to_owned(),
        result.sql.split_whitespace().collect::<Vec<_>>().join(" "),
    ]
}

/// Cuts the scripts so that a line has as many columns.
fn fit(rows: &mut [[String; 7]], width: usize) {
    let widths = (0..HEAD.len() - 1).map(|at| {
        let cells = rows.iter().map(|row| sanitize::line(&row[at]).width());
        cells.chain([HEAD[at].width()]).max().unwrap_or(0) + 2
    });
    let room = width.saturating_sub(widths.sum()).max(SQL_WIDTH_MIN);
    for [.., sql] in rows {
        let shown = sanitize::line(sql).into_owned();
        *sql = match shown.width() > room {
            true => format!("{}…", sanitize::prefix_of_width(&shown, room - 1)),
            false => shown,
        };
    }
}

/// How long ago it began.
fn age(result: &core::Result, now: Timestamp) -> String {
    let started = result.started.as_ref().map_or(0, |started| started.seconds);
    // A server's clock may be ahead of this one's.
    let seconds = u64::try_from(now.as_second().saturating_sub(started)).unwrap_or(0);
    words::age(Duration::from_secs(seconds))
}

fn document(result: &core::Result, names: &HashMap<String, String>) -> serde_json::Value {
    let started = result.started.as_ref().and_then(|started| Timestamp::from_second(started.seconds).ok());
    json!({
        "result_id": result.result_id,
        "session_id": result.session_id,
        "connection": names.get(&result.connection_id),
        "state": word(result.state()),
        "failure": result.failure.as_ref().map(|failure| &failure.message),
        "started": started.map(|started| started.to_string()),
        "elapsed_ms": words::span(result.elapsed.as_ref()).as_millis(),
        "statements": result.statement_count,
        "kept_bytes": result.kept_bytes,
        "sql": result.sql,
    })
}

/// How a result stands, in a word.
pub(super) fn word(state: ResultState) -> &'static str {
    match state {
        ResultState::Unspecified => "unknown",
        ResultState::Running => "running",
        ResultState::Done => "done",
        ResultState::Rejected => "rejected",
        ResultState::Cancelled => "cancelled",
        ResultState::Limited => "limited",
        ResultState::Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::Paint;

    fn result(id: &str, sql: &str) -> core::Result {
        core::Result {
            result_id: id.to_owned(),
            sql: sql.to_owned(),
            state: ResultState::Done.into(),
            kept_bytes: 64_000,
            ..core::Result::default()
        }
    }

    #[test]
    fn ids_are_as_long_as_they_must_be() {
        let results =
            [result("019a-bcde-0123456789ab", ""), result("019a-bcde-1123456789ab", ""), result("x", "")];
        assert_eq!(short_ids(&results[..1]), ["456789ab"]);
        assert_eq!(short_ids(&results), ["0123456789ab", "1123456789ab", "x"]);
    }

    #[test]
    fn a_list_fits_its_terminal() {
        let results = [
            result("019a-bcde-0123456789ab", "select *\n  from orders where country = 'DE' order by created"),
            result(
                "019a-bcde-1123450789ab",
                "select '日本', '日本', '日本', '日本', '日本', '日本', '日本', '日本'",
            ),
            result("019a-bcde-2123451789ab", "select 1"),
        ];
        for width in [60, 80, 120] {
            let ids = short_ids(&results);
            let now = Timestamp::UNIX_EPOCH;
            let mut rows: Vec<_> =
                results.iter().zip(ids).map(|(one, id)| row(one, id, &HashMap::new(), now)).collect();
            fit(&mut rows, width);
            let text = stdout::columns(HEAD, &rows, Paint::OFF);
            assert!(text.lines().all(|line| line.width() <= width.max(72)), "{text}");
            assert!(text.contains("select * from o"), "{text}");
            assert!(text.contains("select 1\n"), "{text}");
        }
    }
}
