//! What a driver says of its SQL, as the lexer wants to know it.

use querybox_contracts::plugin::v1 as plugin;
use querybox_sql::{Backslashes, CompoundBodies, Dialect, DoubleQuotes, ParameterStyle};

/// Reads the facts of a dialect. A database that speaks no SQL has the plainest.
pub(crate) fn read(facts: &plugin::Dialect) -> Dialect {
    let quotes = |quote: &str| facts.identifier_quotes.iter().any(|one| one == quote);
    let has = |form| facts.string_forms().any(|one| one == form);
    Dialect {
        double_quotes: match (quotes("\""), has(plugin::StringForm::DoubleQuotes)) {
            (true, true) => DoubleQuotes::Either,
            (false, true) => DoubleQuotes::String,
            (_, false) => DoubleQuotes::Identifier,
        },
        backtick_identifiers: quotes("`"),
        bracket_identifiers: quotes("["),
        backslashes: if has(plugin::StringForm::BackslashEscapes) {
            Backslashes::AllStrings
        } else if has(plugin::StringForm::EEscapes) {
            Backslashes::EStrings
        } else {
            Backslashes::Literal
        },
        dollar_quotes: has(plugin::StringForm::DollarQuotes),
        hash_comments: facts.line_comments.iter().any(|start| start == "#"),
        carriage_return_ends_line: facts.carriage_return_ends_line,
        nested_block_comments: facts.nested_block_comments,
        compound_bodies: match facts.compound_bodies() {
            plugin::CompoundBodies::Unspecified => CompoundBodies::None,
            plugin::CompoundBodies::Routines => CompoundBodies::Routines,
            plugin::CompoundBodies::Triggers => CompoundBodies::Triggers,
        },
        parameter_styles: facts.parameter_styles().filter_map(parameter_style).collect(),
        backslash_commands: facts.backslash_commands,
    }
}

fn parameter_style(style: plugin::ParameterStyle) -> Option<ParameterStyle> {
    Some(match style {
        plugin::ParameterStyle::Unspecified => return None,
        plugin::ParameterStyle::QuestionMark => ParameterStyle::QuestionMark,
        plugin::ParameterStyle::QuestionNumber => ParameterStyle::QuestionNumber,
        plugin::ParameterStyle::DollarNumber => ParameterStyle::DollarNumber,
        plugin::ParameterStyle::ColonName => ParameterStyle::ColonName,
        plugin::ParameterStyle::AtName => ParameterStyle::AtName,
        plugin::ParameterStyle::DollarName => ParameterStyle::DollarName,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facts_of_postgres_and_sqlite_make_their_dialects() {
        let quotes = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        let postgres = plugin::Dialect {
            identifier_quotes: quotes(&["\""]),
            parameter_styles: vec![
                plugin::ParameterStyle::DollarNumber.into(),
                plugin::ParameterStyle::ColonName.into(),
            ],
            line_comments: quotes(&["--"]),
            nested_block_comments: true,
            string_forms: vec![plugin::StringForm::EEscapes.into(), plugin::StringForm::DollarQuotes.into()],
            compound_bodies: plugin::CompoundBodies::Routines.into(),
            carriage_return_ends_line: true,
            backslash_commands: true,
            ..plugin::Dialect::default()
        };
        assert_eq!(read(&postgres), Dialect::postgres());
        let sqlite = plugin::Dialect {
            identifier_quotes: quotes(&["\"", "`", "["]),
            parameter_styles: vec![
                plugin::ParameterStyle::QuestionMark.into(),
                plugin::ParameterStyle::QuestionNumber.into(),
                plugin::ParameterStyle::ColonName.into(),
                plugin::ParameterStyle::AtName.into(),
                plugin::ParameterStyle::DollarName.into(),
            ],
            line_comments: quotes(&["--"]),
            string_forms: vec![plugin::StringForm::DoubleQuotes.into()],
            compound_bodies: plugin::CompoundBodies::Triggers.into(),
            ..plugin::Dialect::default()
        };
        assert_eq!(read(&sqlite), Dialect::sqlite());
    }
}
