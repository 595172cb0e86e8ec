//! Colors of what is typed: keywords, literals, comments, parameters.

use std::collections::HashSet;

use querybox_sql::{Dialect, TokenKind, Unterminated, lex};
use reedline::{Color, Highlighter, StyledText};

/// Paints by the facts of the dialect.
pub(crate) struct SqlHighlighter {
    dialect: Dialect,
    keywords: HashSet<String>,
}

impl SqlHighlighter {
    pub(crate) fn new(dialect: Dialect, keywords: &[String]) -> SqlHighlighter {
        SqlHighlighter { dialect, keywords: keywords.iter().cloned().collect() }
    }
}

impl Highlighter for SqlHighlighter {
    fn highlight(&self, text: &str, _cursor: usize) -> StyledText {
        let mut styled = StyledText::new();
        if text.trim_start().starts_with('\\') {
            styled.push((Color::Cyan.normal(), text.to_owned()));
            return styled;
        }
        for token in lex(text, &self.dialect) {
            let piece = &text[token.range];
            let style = match token.kind {
                TokenKind::Word if self.keywords.contains(&piece.to_ascii_uppercase()) => Color::Blue.bold(),
                TokenKind::String => Color::Green.normal(),
                TokenKind::Unterminated(Unterminated::String | Unterminated::DollarQuote) => {
                    Color::Green.normal()
                }
                TokenKind::Comment | TokenKind::Unterminated(Unterminated::Comment) => {
                    Color::Default.dimmed()
                }
                TokenKind::Parameter => Color::Magenta.normal(),
                TokenKind::BackslashCommand => Color::Red.normal(),
                TokenKind::Word
                | TokenKind::QuotedIdentifier
                | TokenKind::Number
                | TokenKind::Whitespace
                | TokenKind::Operator
                | TokenKind::Semicolon
                | TokenKind::Unterminated(Unterminated::QuotedIdentifier) => Color::Default.normal(),
            };
            styled.push((style, piece.to_owned()));
        }
        styled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_or_added() {
        let highlighter = SqlHighlighter::new(Dialect::postgres(), &["SELECT".to_owned()]);
        for text in ["select 'a;b', $1 -- done\n;", "\\d x", "select 'open", "", "日本 /* x"] {
            assert_eq!(highlighter.highlight(text, 0).raw_string(), text);
        }
    }
}
