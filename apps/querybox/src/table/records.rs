//! A row at a time, one line a column: for results with more columns than the terminal has room for.

use unicode_width::UnicodeWidthStr;

use super::{Head, PageCell, SEPARATOR, null};
use crate::screen::Paint;

/// Dashes of the line above a record.
const RULE_WIDTH: usize = 40;

/// Appends one row. Values are whole; the terminal wraps them.
pub(crate) fn push<'p>(
    text: &mut String,
    number: u64,
    heads: &[Head],
    names_width: usize,
    row: impl Iterator<Item = (&'p str, PageCell)>,
    paint: Paint,
) {
    let title = format!("-[ RECORD {number} ]");
    let rule = "-".repeat(RULE_WIDTH.saturating_sub(title.width()).max(1));
    text.push_str(&paint.dim(&format!("{title}{rule}")));
    text.push('\n');
    for (head, (shown, cell)) in heads.iter().zip(row) {
        text.push(' ');
        text.push_str(&paint.bold(&head.name));
        text.extend(std::iter::repeat_n(' ', names_width.saturating_sub(head.name.width())));
        text.push_str(SEPARATOR);
        if cell.is_null {
            text.push_str(&null(paint));
        } else {
            text.push_str(shown);
        }
        text.push('\n');
    }
}
