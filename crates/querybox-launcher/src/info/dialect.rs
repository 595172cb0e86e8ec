//! What a driver says of its SQL, as the lexer wants to know it.

use querybox_contracts::plugin::v1 as pb;
use querybox_sql::{Backslashes, CompoundBodies, Dialect, DoubleQuotes, ParameterStyle};

/// Reads the facts of a dialect. A database that speaks no SQL has the plainest.
#[must_use]
pub fn read_dialect(facts: &pb::Dialect) -> Dialect {
    let quotes = |quote: &str| facts.identifier_quotes.iter().any(|one| one == quote);
    let has = |form| facts.string_forms().any(|one| one == form);
    Dialect {
        double_quotes: match (quotes("\""), has(pb::StringForm::DoubleQuotes)) {
            (true, true) => DoubleQuotes::Either,
            (false, true) => DoubleQuotes::String,
            (_, false) => DoubleQuotes::Identifier,
        },
        backtick_identifiers: quotes("`"),
        bracket_identifiers: quotes("["),
        backslashes: if has(pb::StringForm::BackslashEscapes) {
            Backslashes::AllStrings
        } else if has(pb::StringForm::EEscapes) {
            Backslashes::EStrings
        } else {
            Backslashes::Literal
        },
        dollar_quotes: has(pb::StringForm::DollarQuotes),
        hash_comments: facts.line_comments.iter().any(|start| start == "#"),
        carriage_return_ends_line: facts.carriage_return_ends_line,
        nested_block_comments: facts.nested_block_comments,
        compound_bodies: match facts.compound_bodies() {
            pb::CompoundBodies::Unspecified => CompoundBodies::None,
            pb::CompoundBodies::Routines => CompoundBodies::Routines,
            pb::CompoundBodies::Triggers => CompoundBodies::Triggers,
        },
        parameter_styles: facts.parameter_styles().filter_map(parameter_style).collect(),
        backslash_commands: facts.backslash_commands,
    }
}

fn parameter_style(style: pb::ParameterStyle) -> Option<ParameterStyle> {
    Some(match style {
        pb::ParameterStyle::Unspecified => return None,
        pb::ParameterStyle::QuestionMark => ParameterStyle::QuestionMark,
        pb::ParameterStyle::QuestionNumber => ParameterStyle::QuestionNumber,
        pb::ParameterStyle::DollarNumber => ParameterStyle::DollarNumber,
        pb::ParameterStyle::ColonName => ParameterStyle::ColonName,
        pb::ParameterStyle::AtName => ParameterStyle::AtName,
        pb::ParameterStyle::DollarName => ParameterStyle::DollarName,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facts_of_postgres_and_sqlite_make_their_dialects() {
        let quotes = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        let postgres = pb::Dialect {
            identifier_quotes: quotes(&["\""]),
            parameter_styles: vec![
                pb::ParameterStyle::DollarNumber.into(),
                pb::ParameterStyle::ColonName.into(),
            ],
            line_comments: quotes(&["--"]),
            nested_block_comments: true,
            string_forms: vec![pb::StringForm::EEscapes.into(), pb::StringForm::DollarQuotes.into()],
            compound_bodies: pb::CompoundBodies::Routines.into(),
            carriage_return_ends_line: true,
            backslash_commands: true,
            ..pb::Dialect::default()
        };
        assert_eq!(read_dialect(&postgres), Dialect::postgres());
        let sqlite = pb::Dialect {
            identifier_quotes: quotes(&["\"", "`", "["]),
            parameter_styles: vec![
                pb::ParameterStyle::QuestionMark.into(),
                pb::ParameterStyle::QuestionNumber.into(),
                pb::ParameterStyle::ColonName.into(),
                pb::ParameterStyle::AtName.into(),
                pb::ParameterStyle::DollarName.into(),
            ],
            line_comments: quotes(&["--"]),
            string_forms: vec![pb::StringForm::DoubleQuotes.into()],
            compound_bodies: pb::CompoundBodies::Triggers.into(),
            ..pb::Dialect::default()
        };
        assert_eq!(read_dialect(&sqlite), Dialect::sqlite());
    }
}
