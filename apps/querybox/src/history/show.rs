//! Runs as people and programs read them.

use jiff::Timestamp;
use querybox_contracts::core::v1::{Run, RunOutcome, RunTextState};
use serde_json::json;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::{connections::local_time, sanitize, screen::Paint, stdout, words};

/// Columns of a list that goes to no terminal.
const WIDTH: usize = 80;
/// A statement is shown so wide at least, however narrow the terminal is.
const TEXT_WIDTH_MIN: usize = 16;
/// A connection's name is cut to so much, so that there is room for what ran.
const NAME_WIDTH_MAX: usize = 12;

const HEAD: [&str; 7] = ["RUN", "AGE", "TOOK", "ROWS", "OUTCOME", "CONNECTION", "STATEMENT"];

/// Runs, one a line. `ends`: by which they are told apart.
pub(super) fn list(
    runs: &[Run],
    ends: &[&str],
    now: Timestamp,
    width: Option<usize>,
    paint: Paint,
) -> String {
    let mut rows: Vec<_> = runs.iter().zip(ends).map(|(run, end)| row(run, end, now)).collect();
    let widths = (0..HEAD.len() - 1).map(|at| {
        let cells = rows.iter().map(|row| sanitize::line(&row[at]).width());
        cells.chain([HEAD[at].width()]).max().unwrap_or(0) + 2
    });
    let room = width.unwrap_or(WIDTH).saturating_sub(widths.sum()).max(TEXT_WIDTH_MIN);
    for [.., text] in &mut rows {
        *text = cut(&sanitize::line(text), room);
    }
    stdout::columns(HEAD, &rows, paint)
}

fn row(run: &Run, end: &str, now: Timestamp) -> [String; 7] {
    let has_ended = has_ended(run);
    let started = run.started.as_ref().and_then(|time| Timestamp::new(time.seconds, 0).ok());
    let age = started.and_then(|started| now.duration_since(started).try_into().ok()).unwrap_or_default();
    let took = words::time(words::span(run.duration.as_ref()));
    [
        end.to_owned(),
        words::age(age),
        if has_ended { took } else { "-".to_owned() },
        if has_ended { words::grouped(run.row_count) } else { "-".to_owned() },
        outcome(run.outcome()).to_owned(),
        cut(&sanitize::line(connection(run)), NAME_WIDTH_MAX),
        match run.text_state() {
            RunTextState::Kept | RunTextState::Cut => {
                run.text_start.split_whitespace().collect::<Vec<_>>().join(" ")
            }
            state => format!("({})", text_state(state)),
        },
    ]
}

fn has_ended(run: &Run) -> bool {
    !matches!(run.outcome(), RunOutcome::Running | RunOutcome::Unfinished)
}

/// A text of so many columns at most.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (mut shown, mut used) = (String::new(), 1);
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        shown.push(c);
    }
    shown.push('…');
    shown
}

/// All that is known of a run, then what was run.
pub(super) fn one(run: &Run, text: &str, paint: Paint) -> String {
    let rows = words::count(run.row_count, "row");
    let took = words::time(words::span(run.duration.as_ref()));
    let ended = match run.error_code.as_str() {
        "" => outcome(run.outcome()).to_owned(),
        code => format!("{} ({code})", outcome(run.outcome())),
    };
    let kept = match run.text_state() {
        RunTextState::Kept => String::new(),
        RunTextState::Cut => {
            format!("{} of {}", words::bytes(text.len() as u64), words::bytes(run.text_bytes))
        }
        state => text_state(state).to_owned(),
    };
    let mut facts = vec![
        ("run", run.run_id.clone()),
        ("session", run.session_id.clone()),
        ("connection", connection(run).to_owned()),
        ("driver", run.driver_type.clone()),
        ("began", local_time(run.started.as_ref()).unwrap_or_default()),
        ("outcome", ended),
    ];
    if has_ended(run) {
        facts.extend([("took", took), ("answer", format!("{rows}, {}", words::bytes(run.byte_count)))]);
    }
    facts.push(("statement", kept));
    facts.retain(|(_, value)| !value.is_empty());
    let mut shown = String::new();
    for (label, value) in facts {
        shown.push_str(&format!("{}  {}\n", paint.dim(&format!("{label:10}")), sanitize::line(&value)));
    }
    if !text.is_empty() {
        shown.push_str(&format!("\n{}\n", sanitize::lines(text.trim_end())));
    }
    shown
}

/// A run for programs. `text`: as much of it as is asked for.
pub(super) fn document(run: &Run, text: &str) -> serde_json::Value {
    let or_null = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let nanos = |time: &prost_types::Timestamp| Timestamp::new(time.seconds, time.nanos).ok();
    let started = run.started.as_ref().and_then(nanos);
    json!({
        "run_id": run.run_id,
        "session_id": run.session_id,
        "connection": or_null(&run.connection_name),
        "connection_id": or_null(&run.connection_id),
        "driver": run.driver_type,
        "started": started.map(|started| started.to_string()),
        "duration_ms": words::span(run.duration.as_ref()).as_millis(),
        "rows": run.row_count,
        "bytes": run.byte_count,
        "outcome": outcome(run.outcome()),
        "error_code": or_null(&run.error_code),
        "text_state": text_state(run.text_state()),
        "text": or_null(text),
        "text_bytes": run.text_bytes,
    })
}

fn connection(run: &Run) -> &str {
    match run.connection_name.as_str() {
        "" => "-",
        name => name,
    }
}

fn outcome(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Unspecified => "unknown",
        RunOutcome::Done => "done",
        RunOutcome::Rejected => "rejected",
        RunOutcome::Failed => "failed",
        RunOutcome::Limited => "limited",
        RunOutcome::Cancelled => "cancelled",
        RunOutcome::Running => "running",
        RunOutcome::Unfinished => "unfinished",
    }
}

fn text_state(state: RunTextState) -> &'static str {
    match state {
        RunTextState::Unspecified => "unknown",
        RunTextState::Kept => "kept",
        RunTextState::Cut => "cut",
        RunTextState::NotKept => "not kept",
        RunTextState::Unreadable => "unreadable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_eighty_columns_at_most() {
        let run = |text: &str, rows: u64| Run {
            connection_name: "a very long name of a connection".to_owned(),
            row_count: rows,
            outcome: RunOutcome::Rejected.into(),
            text_state: RunTextState::Kept.into(),
            text_start: text.to_owned(),
            started: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            ..Run::default()
        };
        let runs =
            [run("select *\n  from\torders", 12), run(&"日".repeat(100), 1_234_567), run("\x1b[31m", 0)];
        let now = Timestamp::new(1_700_000_090, 0).unwrap();
        let text = list(&runs, &["5c1f02ab", "5c1f02ac", "5c1f02ad"], now, None, Paint::OFF);
        assert!(text.lines().all(|line| line.width() <= 80), "{text}");
        assert!(text.contains("1 min") && text.contains("select * from"), "{text}");
        assert!(text.contains("1,234,567") && text.contains("a very long…"), "{text}");
        assert!(!text.contains('\x1b'), "{text}");
    }
}
