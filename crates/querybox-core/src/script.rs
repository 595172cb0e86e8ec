//! Reading scripts for an editor, without a database.

mod format;
mod span;

use std::{fmt, sync::Arc};

use querybox_sql::{
    AskedLimits, AskedParameters, Dialect, Outlined, StatementKind, asked_parameters, outline, statement_at,
};
use querybox_store::DriverType;
use tokio::task::spawn_blocking;

pub use self::format::{FormatAsk, FormattedScript};
use self::span::{Measure, byte_of};
pub use self::span::{ScriptPlace, ScriptSpan, TextPlace};
use crate::{Core, NoPlugin};

/// Longer texts are read in a thread that may block: these take a fraction of a millisecond.
const AT_ONCE_BYTES_MAX: usize = 64 << 10;
/// Long texts that are read at once; others wait for their turn. Each takes a core, and memory beside its text.
pub(crate) const READERS_MAX: usize = 2;
/// What is told of values: of one statement, and of all statements together.
const PARAMETERS: AskedLimits = AskedLimits { count_max: 10_000, name_bytes_max: 1 << 20 };

/// Asks what an editor has to know of a text. `Debug` leaves the text out.
#[derive(Clone)]
pub struct ScriptAsk {
    /// Whose SQL it is.
    pub driver_type: DriverType,
    pub text: String,
    pub cursor: Option<TextPlace>,
    /// Statements to be told, from the first on.
    pub statements_max: usize,
}

impl fmt::Debug for ScriptAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { driver_type, text, cursor, statements_max } = self;
        f.debug_struct("ScriptAsk")
            .field("driver_type", driver_type)
            .field("text_bytes", &text.len())
            .field("cursor", cursor)
            .field("statements_max", statements_max)
            .finish()
    }
}

/// What an editor has to know of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptOutline {
    /// The first of them, in order.
    pub statements: Vec<ScriptStatement>,
    /// How many there are in all.
    pub statement_count: usize,
    /// The one that is meant by who has the cursor there.
    pub at_cursor: Option<ScriptStatement>,
}

/// A statement of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptStatement {
    /// Its number, from 0.
    pub number: usize,
    pub span: ScriptSpan,
    pub kind: StatementKind,
    /// The values that it needs, as far as they are told.
    pub parameters: Vec<ScriptParameter>,
    /// How many it needs, as far as they were counted.
    pub parameter_count: usize,
    /// It needs more than are told.
    pub has_more_parameters: bool,
}

/// A value that a statement needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptParameter {
    /// By which a binding finds it.
    pub name: String,
    /// Where it is written first.
    pub span: ScriptSpan,
}

impl Core {
    /// Tells where the statements of a script lie. Any text has an answer.
    ///
    /// # Errors
    ///
    /// There is no driver of that type, which would know how its SQL is read.
    pub async fn split_script(&self, ask: ScriptAsk) -> Result<ScriptOutline, NoPlugin> {
        let ScriptAsk { driver_type, text, cursor, statements_max } = ask;
        let Some(driver) = self.plugins.find(&driver_type).await else { return Err(NoPlugin(driver_type)) };
        let is_short = text.len() <= AT_ONCE_BYTES_MAX;
        let read = move || read(&text, driver.info.dialect.as_ref(), cursor, statements_max);
        if is_short {
            return Ok(read());
        }
        let turn = Arc::clone(&self.readers).acquire_owned().await.expect("this semaphore is never closed");
        let read = move || {
            // Also when nobody waits for the answer any more.
            let _turn = turn;
            read()
        };
        Ok(spawn_blocking(read).await.expect("reading a text is total, and this runtime's threads run"))
    }
}

fn read(
    text: &str,
    dialect: Option<&Dialect>,
    cursor: Option<TextPlace>,
    statements_max: usize,
) -> ScriptOutline {
    let Some(dialect) = dialect else { return whole(text, cursor) };
    let mut left = PARAMETERS;
    let mut measure = Measure::of(text);
    let mut statements = Vec::new();
    let mut statement_count = 0;
    for (number, one) in outline(text, dialect).enumerate() {
        statement_count = number + 1;
        if number < statements_max {
            statements.push(told(text, dialect, number, &one, &mut left, &mut measure));
        }
    }
    let at_cursor = cursor
        .and_then(|cursor| statement_at(text, byte_of(text, cursor), outline(text, dialect)))
        .map(|(number, one)| told(text, dialect, number, &one, &mut { PARAMETERS }, &mut Measure::of(text)));
    ScriptOutline { statements, statement_count, at_cursor }
}

/// What is no SQL is one statement.
fn whole(text: &str, cursor: Option<TextPlace>) -> ScriptOutline {
    let start = text.len() - text.trim_start().len();
    let range = start..start + text.trim().len();
    let statements: Vec<_> = (!range.is_empty())
        .then(|| ScriptStatement {
            number: 0,
            span: Measure::of(text).span(range),
            kind: StatementKind::Other,
            parameters: Vec::new(),
            parameter_count: 0,
            has_more_parameters: false,
        })
        .into_iter()
        .collect();
    let at_cursor = cursor.and(statements.first().cloned());
    ScriptOutline { statement_count: statements.len(), statements, at_cursor }
}

fn told(
    text: &str,
    dialect: &Dialect,
    number: usize,
    one: &Outlined,
    left: &mut AskedLimits,
    measure: &mut Measure<'_>,
) -> ScriptStatement {
    let Outlined { range, kind, .. } = one;
    let AskedParameters { told: asked, has_more } = match kind {
        StatementKind::Command => AskedParameters { told: Vec::new(), has_more: false },
        _ => asked_parameters(&text[range.clone()], dialect, PARAMETERS),
    };
    let parameter_count = asked.len();
    let start = measure.place(range.start);
    let parameters: Vec<_> = asked
        .into_iter()
        .map_while(|one| {
            left.count_max = left.count_max.checked_sub(1)?;
            left.name_bytes_max = left.name_bytes_max.checked_sub(one.name.len())?;
            let span = measure.span(range.start + one.range.start..range.start + one.range.end);
            Some(ScriptParameter { name: one.name, span })
        })
        .collect();
    let has_more_parameters = has_more || parameters.len() < parameter_count;
    let span = ScriptSpan { start, end: measure.place(range.end) };
    ScriptStatement { number, span, kind: *kind, parameters, parameter_count, has_more_parameters }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_cursor(text: &str, cursor: TextPlace, expected: Option<usize>) {
        let outline = read(text, Some(&Dialect::postgres()), Some(cursor), 10);
        assert_eq!(outline.at_cursor.map(|one| one.number), expected, "{cursor:?}");
    }

    #[test]
    fn places_are_told_in_bytes_and_in_units_of_utf16() {
        let text = "select 'é🐘', :nämé; select :b";
        let outline = read(text, Some(&Dialect::postgres()), Some(TextPlace::Utf16(100)), 10);
        let [first, second] = outline.statements.as_slice() else { panic!("{outline:?}") };
        let of = |span: ScriptSpan| {
            let units: Vec<u16> = text.encode_utf16().collect();
            let (start, end) = (span.start, span.end);
            let text = &text[start.byte..end.byte];
            assert_eq!(String::from_utf16(&units[start.utf16..end.utf16]).unwrap(), text);
            text
        };
        assert_eq!((of(first.span), of(second.span)), ("select 'é🐘', :nämé", "select :b"));
        assert_eq!(of(first.parameters[0].span), ":nämé");
        assert_eq!((first.parameters[0].name.as_str(), first.parameter_count), ("nämé", 1));
        assert_eq!(of(second.parameters[0].span), ":b");
        assert_eq!(outline.at_cursor.as_ref(), Some(second));
    }

    #[test]
    fn a_cursor_is_found_by_bytes_and_by_units_and_never_lies_in_a_character() {
        let text = "'🐘';select 1";
        for (utf16, expected) in [(0, 0), (2, 0), (4, 0), (5, 1), (99, 1)] {
            check_cursor(text, TextPlace::Utf16(utf16), Some(expected));
        }
        for (byte, expected) in [(0, 0), (3, 0), (6, 0), (7, 1), (99, 1)] {
            check_cursor(text, TextPlace::Byte(byte), Some(expected));
        }
        check_cursor("--", TextPlace::Byte(1), None);
    }

    #[test]
    fn what_is_told_is_bounded_and_counted() {
        let text = "select ?, ?, ?;".repeat(5000);
        let outline = read(&text, Some(&Dialect::sqlite()), Some(TextPlace::Byte(text.len())), 4000);
        assert_eq!((outline.statement_count, outline.statements.len()), (5000, 4000));
        let told: usize = outline.statements.iter().map(|one| one.parameters.len()).sum();
        assert_eq!(told, PARAMETERS.count_max);
        assert!(!outline.statements[0].has_more_parameters && outline.statements[3999].has_more_parameters);
        assert!(outline.statements.iter().all(|one| one.parameter_count == 3));
        let at_cursor = outline.at_cursor.unwrap();
        assert_eq!((at_cursor.number, at_cursor.parameters.len()), (4999, 3));
    }

    #[test]
    fn a_text_of_values_alone_is_told_as_far_as_it_may_be() {
        let text = "?".repeat(1 << 20);
        let outline = read(&text, Some(&Dialect::sqlite()), Some(TextPlace::Byte(0)), 10);
        let [one] = outline.statements.as_slice() else { panic!("{}", outline.statement_count) };
        assert_eq!(
            (one.parameters.len(), one.parameter_count, one.has_more_parameters),
            (10_000, 10_000, true)
        );
        assert_eq!(outline.at_cursor.as_ref(), Some(one));
        let long = format!("select :{}, :b", "a".repeat(1 << 20));
        let outline = read(&long, Some(&Dialect::postgres()), None, 10);
        assert_eq!(outline.statements[0].parameters.len(), 1);
        assert!(outline.statements[0].has_more_parameters);
    }

    #[test]
    fn what_is_asked_is_not_printed() {
        let ask = ScriptAsk {
            driver_type: "sqlite".parse().unwrap(),
            text: "select 'canary'".to_owned(),
            cursor: None,
            statements_max: 1,
        };
        let printed = format!("{ask:?}");
        assert!(printed.contains("text_bytes: 15") && !printed.contains("canary"), "{printed}");
    }

    #[test]
    fn what_is_no_sql_is_one_statement() {
        let outline = read(
            " get a; get b
",
            None,
            Some(TextPlace::Byte(0)),
            10,
        );
        assert_eq!(outline.statement_count, 1);
        let span = outline.statements[0].span;
        assert_eq!((span.start.byte, span.end.byte), (1, 13));
        assert_eq!(outline.at_cursor.as_ref(), outline.statements.first());
        assert_eq!(read(" \n".trim_end_matches("\n"), None, None, 10).statement_count, 0);
    }
}
