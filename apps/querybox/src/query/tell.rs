//! What is said beside the rows: counts, command tags, notices, facts of the session.

use querybox_contracts::{core::v1 as core, plugin::v1 as plugin};

use crate::{messages::Messages, query::sheet::Losses, sanitize, told::Told, words};

/// What is told of the time that statements take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    Hidden,
    /// The whole time.
    Shown,
    /// The time to the first row too.
    Detailed,
}

/// The session is open. What this machine cannot enforce is told once, and whenever facts are asked for.
pub(crate) fn opened(messages: &Messages, session: &core::SessionOpened, verbose: bool, told: &Told) {
    for sentence in &session.degraded {
        if told.is_new(sentence) || verbose {
            messages.warn(&format!("the driver is confined less than it should be: {sentence}"));
        }
    }
    if !verbose {
        return;
    }
    if let Some(server) = &session.server {
        let mut text = format!("{} {}", server.product, server.version);
        for (label, fact) in
            [("database", &server.database), ("user", &server.user), ("protected by", &server.tls)]
        {
            if !fact.is_empty() {
                text.push_str(&format!(", {label} {fact}"));
            }
        }
        messages.note(&text);
    }
    messages.note(&format!("driver process {}", session.driver_pid));
}

/// The session is closed.
pub(crate) fn ended(messages: &Messages, ended: &core::SessionEnded) {
    let mut text = format!(
        "{} done, {} rejected",
        words::count(ended.statements_done.into(), "statement"),
        words::grouped(ended.statements_rejected.into())
    );
    if ended.driver_memory_peak_bytes > 0 {
        text.push_str(&format!(", driver's memory peak {}", words::bytes(ended.driver_memory_peak_bytes)));
    }
    messages.note(&text);
}

/// Something that the database said while it worked.
pub(crate) fn notice(messages: &Messages, notice: &plugin::Notice) {
    let paint = messages.screen().stderr_paint;
    let severity = if notice.severity.is_empty() { "notice" } else { notice.severity.as_str() };
    let label = paint.accent(&format!("{}:", sanitize::line(&severity.to_lowercase())));
    let mut text = format!("{label} {}", sanitize::lines(&notice.message));
    for (label, fact) in [("detail", &notice.detail), ("hint", &notice.hint)] {
        if !fact.is_empty() {
            text.push_str(&format!("\n {} {}", paint.accent(&format!("{label}:")), sanitize::lines(fact)));
        }
    }
    messages.say(&text);
}

/// A statement is done. `losses`: of the result it returned; `None` when it returned none.
pub(crate) fn summary(messages: &Messages, summary: &plugin::Summary, losses: Option<Losses>, times: Times) {
    messages.note(&format!("({})", outcome(summary, losses.is_some(), times)));
    let Losses { cells_cut, cells_undecodable, cells_narrowed, cells_left_out, cells_shortened } =
        losses.unwrap_or_default();
    if cells_cut > 0 {
        // 16 MiB is Core's limit; a driver may have a smaller one of its own.
        messages.warn(&format!(
            "{} cut at 16 MiB; a part of the value is read with the database's own functions, such as `substr`",
            were(cells_cut, "cell")
        ));
    }
    if cells_undecodable > 0 {
        messages.warn(&format!(
            "{} in an encoding that is not known here, and written as `\\x` and the digits of its bytes",
            were(cells_undecodable, "cell")
        ));
    }
    if cells_left_out > 0 {
        messages.warn(&format!(
            "{} left null: the column's Arrow type does not hold such; `--format csv` writes everything, \
             and `results export` of what `--keep` keeps has such a column as text",
            were(cells_left_out, "value")
        ));
    }
    if cells_shortened > 0 {
        messages.warn(&format!(
            "{} shortened, because the format does not hold more; `--format csv` writes everything",
            were(cells_shortened, "cell")
        ));
    }
    if cells_narrowed > 0 {
        messages.note(&format!(
            "{} cut to fit the terminal; `--format csv` and `-o FILE` show everything",
            were(cells_narrowed, "cell")
        ));
    }
}

fn outcome(summary: &plugin::Summary, returns_rows: bool, times: Times) -> String {
    let mut text = match (returns_rows, summary.stopped_by()) {
        (true, plugin::StoppedBy::Unspecified) => words::count(summary.rows, "row"),
        (true, plugin::StoppedBy::RowsMax) => {
            format!("first {} of more: row limit reached", words::count(summary.rows, "row"))
        }
        (true, plugin::StoppedBy::BytesMax) => {
            format!("first {} of more: byte limit reached", words::count(summary.rows, "row"))
        }
        (false, _) => tag(summary),
    };
    if times != Times::Hidden {
        text.push_str(&format!(", {}", words::time(words::span(summary.elapsed.as_ref()))));
    }
    if times == Times::Detailed && summary.first_row.is_some() {
        text.push_str(&format!(", first row after {}", words::time(words::span(summary.first_row.as_ref()))));
    }
    match summary.transaction_state() {
        plugin::TransactionState::Open => text.push_str(", transaction open"),
        plugin::TransactionState::Failed => text.push_str(", transaction failed"),
        plugin::TransactionState::Unspecified | plugin::TransactionState::Idle => {}
    }
    text
}

/// The command tag, with the number of rows where the database's own words lack it.
fn tag(summary: &plugin::Summary) -> String {
    let tag = match summary.command_tag.as_str() {
        "" => "done",
        tag => tag,
    };
    match summary.affected_rows {
        Some(rows) if !tag.contains(|c: char| c.is_ascii_digit()) => {
            format!("{tag}, {}", words::count(rows, "row"))
        }
        _ => tag.to_owned(),
    }
}

fn were(count: u64, noun: &str) -> String {
    format!("{} {}", words::count(count, noun), if count == 1 { "was" } else { "were" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(summary: plugin::Summary, returns_rows: bool, expected: &str) {
        let elapsed = Some(prost_types::Duration { seconds: 0, nanos: 35_000_000 });
        assert_eq!(outcome(&plugin::Summary { elapsed, ..summary }, returns_rows, Times::Shown), expected);
    }

    #[test]
    fn a_statement_ends_with_one_line() {
        let summary = plugin::Summary::default;
        check(plugin::Summary { rows: 12, ..summary() }, true, "12 rows, 35 ms");
        let limited =
            plugin::Summary { rows: 500, stopped_by: plugin::StoppedBy::RowsMax.into(), ..summary() };
        check(limited, true, "first 500 rows of more: row limit reached, 35 ms");
        let tagged =
            plugin::Summary { command_tag: "INSERT 0 5".into(), affected_rows: Some(5), ..summary() };
        check(tagged, false, "INSERT 0 5, 35 ms");
        let plain = plugin::Summary { command_tag: "UPDATE".into(), affected_rows: Some(1), ..summary() };
        check(plain, false, "UPDATE, 1 row, 35 ms");
        let begin = plugin::Summary {
            command_tag: "BEGIN".into(),
            transaction_state: plugin::TransactionState::Open.into(),
            ..summary()
        };
        check(begin, false, "BEGIN, 35 ms, transaction open");
    }
}
