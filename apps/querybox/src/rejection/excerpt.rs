//! The line of a statement in which a fault was found, with carets under the token.

use unicode_width::UnicodeWidthStr;

use super::Source;
use crate::{sanitize, screen::Paint};

/// Part of one source line, ready to be shown.
pub(crate) struct Excerpt {
    /// From 1.
    line: usize,
    /// In characters, from 1, as editors count.
    column: usize,
    /// What stands left of the token, the token, and what stands right of it: sanitized, tabs as spaces.
    before: String,
    token: String,
    after: String,
    /// What is said of the place.
    remark: &'static str,
}

impl Excerpt {
    /// `None` when the position lies outside of the text.
    pub(crate) fn new(
        source: &Source<'_>,
        position: usize,
        remark: &'static str,
        width: usize,
    ) -> Option<Excerpt> {
        let sql = source.sql;
        if position > sql.len() {
            return None;
        }
        // A driver that counts otherwise may point into the middle of a character.
        let position = sql.floor_char_boundary(position);
        // A fault "at the end" belongs under the end of what was written, not on an empty last line.
        let position = if sql[position..].trim().is_empty() { sql.trim_end().len() } else { position };
        let line_start = sql[..position].rfind('\n').map_or(0, |at| at + 1);
        let line_end = sql[position..].find('\n').map_or(sql.len(), |at| position + at);
        let token_end = position + token_len(&sql[position..line_end]);
        let mut excerpt = Excerpt {
            line: sql[..line_start].matches('\n').count() + source.first_line,
            column: sql[line_start..position].chars().count() + 1,
            before: show(&sql[line_start..position]),
            token: show(&sql[position..token_end]),
            after: show(sql[token_end..line_end].trim_end()),
            remark,
        };
        excerpt.fit(width.saturating_sub(excerpt.gutter().len() + 3));
        Some(excerpt)
    }

    /// Appends the place, the line and the carets.
    pub(crate) fn push(&self, out: &mut String, source: &Source<'_>, paint: Paint) {
        let Excerpt { line, column, before, token, after, remark } = self;
        let gutter = self.gutter();
        let place = match source.file {
            Some(file) => format!("{}:{line}:{column}", sanitize::line(file)),
            None => format!("line {line}, column {column}"),
        };
        let blank = paint.dim(&format!("{} |", " ".repeat(gutter.len())));
        let numbered = paint.dim(&format!("{gutter} |"));
        let indent = " ".repeat(before.width());
        let carets = paint.error(&"^".repeat(token.width().max(1)));
        let arrow = paint.dim(&format!("{}-->", " ".repeat(gutter.len() + 2)));
        out.push_str(&format!(
            "\n{arrow} {place}{remark}\n{blank}\n{numbered} {before}{token}{after}\n{blank} {indent}{carets}"
        ));
    }

    fn gutter(&self) -> String {
        self.line.to_string()
    }

    /// Cuts what does not fit into so many columns: the token stays, then what stands around it.
    fn fit(&mut self, width: usize) {
        let width = width.max(20);
        if self.before.width() + self.token.width() + self.after.width() <= width {
            return;
        }
        if self.token.width() > width / 2 {
            self.token = format!("{}…", sanitize::prefix_of_width(&self.token, width / 2));
        }
        let around = width.saturating_sub(self.token.width());
        let after_wants = self.after.width().min(around / 2);
        let before_gets = around - after_wants;
        if self.before.width() > before_gets {
            let mut start = 0;
            while self.before[start..].width() > before_gets.saturating_sub(1) {
                start += self.before[start..].chars().next().map_or(1, char::len_utf8);
            }
            self.before = format!("…{}", &self.before[start..]);
        }
        let after_gets = around.saturating_sub(self.before.width());
        if self.after.width() > after_gets {
            let kept = sanitize::prefix_of_width(&self.after, after_gets.saturating_sub(1));
            self.after = format!("{kept}…");
        }
    }
}

fn show(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => shown.push_str("    "),
            c => sanitize::push_char(&mut shown, c),
        }
    }
    shown
}

/// The length in bytes of the token that begins here: a word, a number, or one character.
fn token_len(text: &str) -> usize {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let word = text.find(|c| !is_word(c)).unwrap_or(text.len());
    if word > 0 { word } else { text.chars().next().map_or(0, char::len_utf8) }
}
