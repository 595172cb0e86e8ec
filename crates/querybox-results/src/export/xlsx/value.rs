//! One cell of a sheet. What a spreadsheet cannot hold exactly is text.

use std::fmt::Write;

use crate::{
    Cell, Display, State,
    format::json::is_number,
    view::{number::Number, time},
};

/// Characters of a cell at most, in units of UTF-16.
const CELL_UNITS_MAX: usize = 32_767;
/// A number with more digits may change in a spreadsheet.
const DIGITS_MAX: usize = 15;
/// The place of 1970-01-01 in a spreadsheet's days.
const DAYS_BEFORE_1970: i128 = 25_569;
/// Before March 1900 spreadsheets disagree: some have a 29th of February in that year.
const FIRST_DAY: i128 = 61;
/// The last day of the year 9999.
const LAST_DAY: i128 = 2_958_465;
const MILLISECOND: i128 = 1_000_000;
const DAY_MILLISECONDS: i128 = 86_400_000;

/// The looks of cells, by their place in the workbook's styles.
pub(super) const HEADER_STYLE: usize = 1;
const DATE_STYLE: usize = 2;
const TIMESTAMP_STYLE: usize = 3;
const TIME_STYLE: usize = 4;

/// Appends a cell. False: its text is too long, and cut.
pub(super) fn push_cell(out: &mut String, cell: &Cell<'_>, scratch: &mut String) -> bool {
    if cell.state() == State::Null {
        out.push_str("<c/>");
        return true;
    }
    let text = cell.text(scratch);
    if cell.state() == State::Value && push_typed(out, cell.display(), text) {
        return true;
    }
    push_text(out, text, 0)
}

/// Appends a cell of a text. False: it is too long, and cut.
pub(super) fn push_text(out: &mut String, text: &str, style: usize) -> bool {
    let (text, is_whole) = cut(text);
    let style = if style == 0 { String::new() } else { format!(" s=\"{style}\"") };
    write!(out, "<c{style} t=\"inlineStr\"><is><t xml:space=\"preserve\">").expect(TAKES_ANY);
    push_escaped(out, text);
    out.push_str("</t></is></c>");
    is_whole
}

/// Appends a number, a truth or a point in time. False: the value is none that a spreadsheet holds exactly.
fn push_typed(out: &mut String, display: &Display, text: &str) -> bool {
    let serial = match display {
        Display::BoolTF | Display::Bool10 => {
            let truth = match text {
                "t" | "1" => 1,
                "f" | "0" => 0,
                _ => return false,
            };
            write!(out, "<c t=\"b\"><v>{truth}</v></c>").expect(TAKES_ANY);
            return true;
        }
        Display::Integer | Display::Decimal | Display::FloatPg | Display::FloatPoint => {
            let is_float = matches!(display, Display::FloatPg | Display::FloatPoint);
            let is_held = is_number(text) && is_held(text, is_float);
            if is_held {
                write!(out, "<c><v>{text}</v></c>").expect(TAKES_ANY);
            }
            return is_held;
        }
        Display::DateIso => {
            time::parse_date(text).filter(|day| is_day(*day)).map(|day| (serial(day), DATE_STYLE))
        }
        Display::TimestampIso => {
            let held = |point: &time::Point| is_day(*point) && point % MILLISECOND == 0;
            time::parse_timestamp(text).filter(held).map(|point| (serial(point), TIMESTAMP_STYLE))
        }
        Display::Time => {
            let held = |time: &time::Point| time % MILLISECOND == 0 && *time < DAY_MILLISECONDS * MILLISECOND;
            let fraction = |time| (time / MILLISECOND) as f64 / DAY_MILLISECONDS as f64;
            time::parse_time(text).filter(held).map(|time| (fraction(time), TIME_STYLE))
        }
        // A spreadsheet knows no zones.
        Display::TimestampIsoUtc
        | Display::Uuid
        | Display::BytesHex
        | Display::Text
        | Display::Interval
        | Display::TimeZoned
        | Display::Money
        | Display::Json
        | Display::Array(_)
        | Display::ArrayText(_) => None,
    };
    let Some((serial, style)) = serial else { return false };
    write!(out, "<c s=\"{style}\"><v>{serial}</v></c>").expect(TAKES_ANY);
    true
}

/// Whether a spreadsheet, which counts in floats, reads the number and gives it back with the same digits.
fn is_held(text: &str, is_float: bool) -> bool {
    let Some(Number::Finite(decimal)) = Number::parse(text) else { return false };
    // Floats of less than 1e-307 are none for some spreadsheets.
    (is_float || decimal.digits().count() <= DIGITS_MAX) && decimal.magnitude.abs() < 300
}

fn is_day(point: time::Point) -> bool {
    let day = point.div_euclid(DAY_MILLISECONDS * MILLISECOND);
    day.checked_add(DAYS_BEFORE_1970).is_some_and(|day| (FIRST_DAY..=LAST_DAY).contains(&day))
}

/// Days as a spreadsheet counts them.
fn serial(point: time::Point) -> f64 {
    let milliseconds = point / MILLISECOND + DAYS_BEFORE_1970 * DAY_MILLISECONDS;
    milliseconds as f64 / DAY_MILLISECONDS as f64
}

fn cut(text: &str) -> (&str, bool) {
    // A byte is a unit at most.
    if text.len() <= CELL_UNITS_MAX {
        return (text, true);
    }
    let mut units = 0;
    for (at, c) in text.char_indices() {
        units += c.len_utf16();
        if units > CELL_UNITS_MAX {
            return (&text[..at], false);
        }
    }
    (text, true)
}

/// Appends text so that XML and the format's own escapes give it back.
fn push_escaped(out: &mut String, text: &str) {
    let mut written = 0;
    for (at, c) in text.char_indices() {
        let escape = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '\t' | '\n' => continue,
            // It would be read as an escape.
            '_' if looks_like_escape(&text[at..]) => "_x005F_",
            // What XML has no form for, and the carriage return, which it reads as a line feed.
            c if c < ' ' || c == '\u{fffe}' || c == '\u{ffff}' => "",
            _ => continue,
        };
        out.push_str(&text[written..at]);
        out.push_str(escape);
        if escape.is_empty() {
            write!(out, "_x{:04X}_", u32::from(c)).expect(TAKES_ANY);
        }
        written = at + c.len_utf8();
    }
    out.push_str(&text[written..]);
}

fn looks_like_escape(text: &str) -> bool {
    let Some([b'_', b'x', digits @ .., b'_']) = text.as_bytes().get(..7) else { return false };
    digits.iter().all(u8::is_ascii_hexdigit)
}

const TAKES_ANY: &str = "a String takes any text";

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(display: Display, text: &str, expected: &str) {
        let mut out = String::new();
        push_cell(&mut out, &Cell::of_text(text, &display), &mut String::new());
        let whole = match expected.strip_prefix('\'') {
            Some(text) => format!("<c t=\"inlineStr\"><is><t xml:space=\"preserve\">{text}</t></is></c>"),
            None => expected.to_owned(),
        };
        assert_eq!(out, whole, "{text}");
    }

    #[test]
    fn numbers_are_numbers_while_their_digits_fit() {
        check(Display::Integer, "-42", "<c><v>-42</v></c>");
        check(Display::Integer, "999999999999999", "<c><v>999999999999999</v></c>");
        check(Display::Integer, "9007199254740993", "'9007199254740993");
        check(Display::Decimal, "1.50", "<c><v>1.50</v></c>");
        check(Display::Decimal, "0.1234567890123456", "'0.1234567890123456");
        check(Display::Decimal, "NaN", "'NaN");
        check(Display::FloatPg, "0.30000000000000004", "<c><v>0.30000000000000004</v></c>");
        check(Display::FloatPg, "5e-324", "'5e-324");
        check(Display::FloatPg, "-Infinity", "'-Infinity");
        check(Display::BoolTF, "f", "<c t=\"b\"><v>0</v></c>");
        check(Display::Bool10, "1", "<c t=\"b\"><v>1</v></c>");
    }

    #[test]
    fn times_are_days_while_spreadsheets_agree() {
        check(Display::DateIso, "1970-01-01", "<c s=\"2\"><v>25569</v></c>");
        check(Display::DateIso, "1900-03-01", "<c s=\"2\"><v>61</v></c>");
        check(Display::DateIso, "1900-02-28", "'1900-02-28");
        check(Display::DateIso, "9999-12-31", "<c s=\"2\"><v>2958465</v></c>");
        check(Display::DateIso, "10000-01-01", "'10000-01-01");
        check(Display::DateIso, "infinity", "'infinity");
        check(Display::TimestampIso, "1970-01-01 12:00:00", "<c s=\"3\"><v>25569.5</v></c>");
        check(Display::TimestampIso, "1970-01-01 12:00:00.000001", "'1970-01-01 12:00:00.000001");
        check(Display::TimestampIsoUtc, "1970-01-01 12:00:00+00", "'1970-01-01 12:00:00+00");
        check(Display::Time, "18:00:00", "<c s=\"4\"><v>0.75</v></c>");
        check(Display::Time, "24:00:00", "'24:00:00");
    }

    #[test]
    fn texts_come_back() {
        check(Display::Text, "a<b>&\t\n", "'a&lt;b&gt;&amp;\t\n");
        check(Display::Text, "\r\0\u{ffff}", "'_x000D__x0000__xFFFF_");
        check(Display::Text, "_x0041_ _x004_ _", "'_x005F_x0041_ _x004_ _");
        let (long, most) = ("ä😀".repeat(20_000), CELL_UNITS_MAX / 3);
        let mut out = String::new();
        assert!(!push_text(&mut out, &long, 0));
        assert!(out.contains(&format!(">{}ä<", "ä😀".repeat(most))), "32,767 is no multiple of three");
        assert!(push_text(&mut out, &"x".repeat(CELL_UNITS_MAX), 0));
    }
}
