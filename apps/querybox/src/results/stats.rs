//! What there is to say of a column of a kept result.

use querybox_contracts::core::v1::{self as core, get_statistics_response::Part};
use serde_json::json;

use super::{client, columns, export::INCOMPLETE, place};
use crate::{app::App, cli::results::StatsArgs, exit::Exit, failure::Failure, sanitize, stdout, words};

pub(super) async fn run(app: &App, args: StatsArgs) -> Result<Exit, Failure> {
    let place = place::of(app, &args.place).await?;
    // Of a statement that runs they are those of the rows so far.
    let is_part = place.is_part() || place.view == 0 && place.statement.end.is_none();
    let request = core::GetStatisticsRequest {
        result_id: place.result_id,
        statement: place.statement.statement,
        view: place.view,
        column: columns::find(&place.statement.columns, &args.column)?,
    };
    let mut parts = client(&app.channel).get_statistics(request).await?.into_inner();
    while let Some(part) = parts.message().await? {
        match part.part {
            Some(Part::Statistics(statistics)) => {
                match args.json.json {
                    true => stdout::print_json(&document(&statistics, is_part))?,
                    false => stdout::print(&text(&statistics))?,
                }
                if is_part {
                    app.messages.warn(INCOMPLETE);
                    return Ok(Exit::Limit);
                }
                return Ok(Exit::Done);
            }
            Some(Part::Progress(_)) | None => {}
        }
    }
    Err(Failure::machinery("the server ended without an answer"))
}

fn document(found: &core::Statistics, is_part: bool) -> serde_json::Value {
    json!({
        "incomplete": is_part,
        "rows": found.rows,
        "nulls": found.nulls,
        "cut": found.cut,
        "distinct": found.distinct,
        "distinct_is_estimate": found.distinct_is_estimate,
        "least": found.least,
        "greatest": found.greatest,
        "sum": found.numbers.as_ref().map(|numbers| &numbers.sum),
        "mean": found.numbers.as_ref().and_then(|numbers| numbers.mean.as_ref()),
        "not_finite": found.numbers.as_ref().map(|numbers| numbers.not_finite),
        "histogram": found.histogram.iter().map(|bar| json!([bar.from, bar.to, bar.count])).collect::<Vec<_>>(),
    })
}

fn text(found: &core::Statistics) -> String {
    let about = if found.distinct_is_estimate { "about " } else { "" };
    let shown = |value: &Option<String>| value.as_deref().map(|value| sanitize::line(value).into_owned());
    let numbers = found.numbers.as_ref();
    let facts = [
        ("rows", Some(words::grouped(found.rows))),
        ("null", Some(words::grouped(found.nulls))),
        ("distinct", Some(format!("{about}{}", words::grouped(found.distinct)))),
        ("least", shown(&found.least)),
        ("greatest", shown(&found.greatest)),
        ("sum", numbers.map(|numbers| numbers.sum.clone())),
        ("mean", numbers.and_then(|numbers| numbers.mean.clone())),
        (
            "not finite",
            numbers.map(|numbers| numbers.not_finite).filter(|count| *count > 0).map(words::grouped),
        ),
        ("cut", Some(found.cut).filter(|count| *count > 0).map(words::grouped)),
    ];
    let lines = facts.into_iter().filter_map(|(name, fact)| Some(format!("{name:<10}  {}\n", fact?)));
    lines.collect()
}
