//! What listing verbs print: whole texts on standard output.

use std::io::Write;

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::{failure::Failure, sanitize, screen::Paint};

/// Prints text that is safe for a terminal. A reader that has gone ends the program in silence.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::writing("standard output", &error))
}

/// Prints a value as JSON.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::machinery(format!("cannot write JSON: {error}")))?;
    print(&format!("{text}\n"))
}

/// Lays out a list: columns aligned by their widest cell, under a head. No cell is ever cut.
pub(crate) fn columns<const N: usize>(head: [&str; N], rows: &[[String; N]], paint: Paint) -> String {
    let rows: Vec<[String; N]> =
        rows.iter().map(|row| std::array::from_fn(|at| sanitize::line(&row[at]).into_owned())).collect();
    let widths: [usize; N] = std::array::from_fn(|at| {
        rows.iter().map(|row| row[at].width()).chain([head[at].width()]).max().unwrap_or(0)
    });
    let mut text = String::new();
    push_row(&mut text, &widths, head, |name| paint.dim(name));
    for row in &rows {
        push_row(&mut text, &widths, std::array::from_fn(|at| row[at].as_str()), str::to_owned);
    }
    text
}

fn push_row<const N: usize>(
    text: &mut String,
    widths: &[usize; N],
    row: [&str; N],
    paint: impl Fn(&str) -> String,
) {
    let last = row.iter().rposition(|cell| !cell.is_empty()).unwrap_or(0);
    for (at, cell) in row.iter().enumerate().take(last + 1) {
        text.push_str(&paint(cell));
        if at < last {
            text.extend(std::iter::repeat_n(' ', widths[at] - cell.width() + 2));
        }
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_aligned_and_end_without_spaces() {
        let rows = [
            ["日本".to_owned(), "sqlite".to_owned(), String::new()],
            ["long name".to_owned(), "x\x1b".to_owned(), "eu".to_owned()],
        ];
        let expected = "NAME       DRIVER  FOLDER\n日本       sqlite\nlong name  x\\x1b   eu\n";
        assert_eq!(columns(["NAME", "DRIVER", "FOLDER"], &rows, Paint::OFF), expected);
    }
}
