//! What differs between the texts of two databases.

/// The facts of a database's SQL that tell code from literals, and one statement from the next.
///
/// Common to all: `'text with '' for a quote'`, `-- comments`, `/* comments */`, and words of letters, digits, `_`
/// and `$`, where every character beyond ASCII counts as a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// What `"text"` means.
    pub double_quotes: DoubleQuotes,
    /// Whether `` `text` `` is an identifier.
    pub backtick_identifiers: bool,
    /// Whether `[text]` is an identifier.
    pub bracket_identifiers: bool,
    /// What a backslash means inside a literal.
    pub backslashes: Backslashes,
    /// Whether `$tag$text$tag$` is a literal.
    pub dollar_quotes: bool,
    /// Whether `#` starts a comment that ends with the line.
    pub hash_comments: bool,
    /// Whether a carriage return ends the line of a comment. A line feed always does.
    pub carriage_return_ends_line: bool,
    /// Whether `/* comments /* like this */ */` nest.
    pub nested_block_comments: bool,
    /// Which statements hold semicolons.
    pub compound_bodies: CompoundBodies,
    /// How a statement names its parameters.
    pub parameter_styles: Vec<ParameterStyle>,
    /// Whether a backslash outside literals is a command of the database's own shell, such as psql's `\d`.
    pub backslash_commands: bool,
}

/// What `"text"` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoubleQuotes {
    /// An identifier.
    Identifier,
    /// A literal.
    String,
    /// An identifier, or a literal when there is no such identifier. Only the database can tell, so the text is lexed
    /// as an identifier and redacted as a literal.
    Either,
}

/// What a backslash means inside a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backslashes {
    /// Nothing.
    Literal,
    /// It escapes the next character in `E'text'`; the prefixes `U&'` and `U&"` exist too. A literal goes on after
    /// white space with a line break: `E'text'`, and `'more'` on the next line.
    EStrings,
    /// It escapes the next character in every literal.
    AllStrings,
}

/// Which statements hold semicolons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompoundBodies {
    /// None.
    None,
    /// Those with `BEGIN ATOMIC … END` in `CREATE FUNCTION` and `CREATE PROCEDURE`, and whatever stands in
    /// parentheses, as the actions of `CREATE RULE … DO (…; …)` do.
    Routines,
    /// Those with `BEGIN … END` in `CREATE TRIGGER`.
    Triggers,
}

/// How a statement names a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterStyle {
    /// `?`
    QuestionMark,
    /// `?1`
    QuestionNumber,
    /// `$1`
    DollarNumber,
    /// `:name`
    ColonName,
    /// `@name`
    AtName,
    /// `$name`
    DollarName,
}

impl Dialect {
    /// PostgreSQL with `standard_conforming_strings` on. `:name` is an addition: [`rewrite_named`](crate::rewrite_named)
    /// makes `$1` of it before the server sees it.
    pub fn postgres() -> Self {
        Self {
            double_quotes: DoubleQuotes::Identifier,
            backtick_identifiers: false,
            bracket_identifiers: false,
            backslashes: Backslashes::EStrings,
            dollar_quotes: true,
            hash_comments: false,
            carriage_return_ends_line: true,
            nested_block_comments: true,
            compound_bodies: CompoundBodies::Routines,
            parameter_styles: vec![ParameterStyle::DollarNumber, ParameterStyle::ColonName],
            backslash_commands: true,
        }
    }

    /// PostgreSQL with `standard_conforming_strings` off, which lets a backslash escape in every literal.
    pub fn postgres_with_escapes() -> Self {
        Self { backslashes: Backslashes::AllStrings, ..Self::postgres() }
    }

    /// SQLite.
    pub fn sqlite() -> Self {
        Self {
            double_quotes: DoubleQuotes::Either,
            backtick_identifiers: true,
            bracket_identifiers: true,
            backslashes: Backslashes::Literal,
            dollar_quotes: false,
            hash_comments: false,
            carriage_return_ends_line: false,
            nested_block_comments: false,
            compound_bodies: CompoundBodies::Triggers,
            parameter_styles: vec![
                ParameterStyle::QuestionMark,
                ParameterStyle::QuestionNumber,
                ParameterStyle::ColonName,
                ParameterStyle::AtName,
                ParameterStyle::DollarName,
            ],
            backslash_commands: false,
        }
    }

    pub(crate) fn has(&self, style: ParameterStyle) -> bool {
        self.parameter_styles.contains(&style)
    }
}
