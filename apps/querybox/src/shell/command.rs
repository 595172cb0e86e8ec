//! The shell's own commands: lines that begin with a backslash.

use std::path::PathBuf;

/// What a command asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// What the database holds, or one table of it.
    Describe(Option<Target>),
    /// The tables.
    Tables,
    /// Whether times are shown; `None`: the other way round.
    Timing(Option<bool>),
    /// Whether rows are shown one column a line; `None`: the other way round.
    Expanded(Option<bool>),
    /// Edit the last statement in an editor.
    Edit,
    /// Give a file to a table.
    Copy(Copy),
    /// Run a file.
    Include(PathBuf),
    /// Read the names for completion again.
    Refresh,
    Quit,
    Help,
}

/// A table or view, as it was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub schema: Option<String>,
    pub relation: String,
    /// Whether it stood in quotes, so that upper and lower case are meant.
    pub is_quoted: bool,
}

/// A COPY from a file of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copy {
    /// The statement for the database, which asks for the data.
    pub sql: String,
    pub file: PathBuf,
}

/// Names and what they do, in the order of the help.
pub(crate) const COMMANDS: [(&str, &str, &str); 11] = [
    ("\\copy", "TABLE from 'FILE' [OPTIONS]", "give a file of this machine to a table"),
    ("\\d", "[NAME]", "list tables and views, or describe one"),
    ("\\dt", "", "list tables"),
    ("\\e", "", "edit the last statement with $VISUAL or $EDITOR, then run it"),
    ("\\i", "FILE", "run the statements of a file"),
    ("\\q", "", "leave; Ctrl-D does it too"),
    ("\\refresh", "", "read the names that Tab completes again"),
    ("\\timing", "[on|off]", "show how long statements take, or not"),
    ("\\x", "[on|off]", "show rows one column a line, or not"),
    ("\\?", "", "show this"),
    (";", "", "ends a statement; Enter runs it"),
];

impl Command {
    /// Reads a line that begins with a backslash.
    ///
    /// # Errors
    ///
    /// What is wrong with it, for people.
    pub(crate) fn parse(line: &str) -> Result<Command, String> {
        let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        // People end everything with a semicolon.
        let name = name.trim_end_matches(';');
        let argument = argument.trim().trim_end_matches(';').trim_end();
        let plain = |command: Command| match argument {
            "" => Ok(command),
            _ => Err(format!("{name} takes nothing behind it")),
        };
        match name {
            "\\copy" => copy(argument).map(Command::Copy),
            "\\d" => target(argument).map(Command::Describe),
            "\\dt" => plain(Command::Tables),
            "\\timing" => switch(name, argument).map(Command::Timing),
            "\\x" => switch(name, argument).map(Command::Expanded),
            "\\e" => plain(Command::Edit),
            "\\i" if argument.is_empty() => Err("\\i takes the name of a file".to_owned()),
            "\\i" => Ok(Command::Include(argument.into())),
            "\\refresh" => plain(Command::Refresh),
            "\\q" => plain(Command::Quit),
            "\\?" => plain(Command::Help),
            _ => Err(format!("there is no command {name}; \\? shows those that there are")),
        }
    }
}

/// Reads `TABLE [(COLUMNS)] from 'FILE' [OPTIONS]`.
fn copy(argument: &str) -> Result<Copy, String> {
    const FORM: &str =
        "\\copy takes a table, `from`, a file in quotes, and options: \\copy t from 'file.csv' (format csv)";
    let Some((table, rest)) = split_at_word(argument, "from") else {
        return Err(match split_at_word(argument, "to") {
            Some(_) => "\\copy gives a file to a table; `querybox query … --format csv -o FILE` writes one",
            None => FORM,
        }
        .to_owned());
    };
    if table.trim().is_empty() {
        return Err(FORM.to_owned());
    }
    let rest = rest.trim_start();
    let (file, options) = match rest.strip_prefix('\'') {
        Some(quoted) => literal(quoted).ok_or("the file's quotes are not closed")?,
        None => {
            let (file, options) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            // Words of psql's own command. A file of such a name stands in quotes.
            let other = match file.to_ascii_lowercase().as_str() {
                "program" => Some("runs no program: pipe what it writes to"),
                "stdin" | "pstdin" => Some("does not read standard input: pipe the data to"),
                _ => None,
            };
            if let Some(other) = other {
                return Err(format!("\\copy reads a file, and {other} `querybox query … --copy-from -`"));
            }
            (file.to_owned(), options)
        }
    };
    if file.is_empty() {
        return Err(FORM.to_owned());
    }
    let sql = format!("COPY {} FROM STDIN {}", table.trim(), options.trim());
    Ok(Copy { sql: sql.trim_end().to_owned(), file: file.into() })
}

/// What stands before and behind a word that is neither in quotes nor in parentheses.
fn split_at_word<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let (mut quote, mut depth, mut start) = (None, 0_u32, None);
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (quote, c) {
            (Some(open), c) => {
                if c == open {
                    quote = None;
                }
                continue;
            }
            (None, '"' | '\'') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        if c.is_alphanumeric() || c == '_' || c == '.' {
            start.get_or_insert(at);
        } else if let Some(start) = start.take()
            && depth == 0
            && text[start..at].eq_ignore_ascii_case(word)
        {
            return Some((&text[..start], &text[at..]));
        }
    }
    None
}

/// A literal whose quote was opened, and what stands behind it.
fn literal(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let (part, behind) = rest.split_once('\'')?;
        value.push_str(part);
        match behind.strip_prefix('\'') {
            Some(more) => {
                value.push('\'');
                rest = more;
            }
            None => return Some((value, behind)),
        }
    }
}

fn switch(name: &str, argument: &str) -> Result<Option<bool>, String> {
    match argument {
        "" => Ok(None),
        "on" => Ok(Some(true)),
        "off" => Ok(Some(false)),
        _ => Err(format!("{name} takes `on` or `off`")),
    }
}

/// Reads `name`, `schema.name`, each perhaps in double quotes.
fn target(argument: &str) -> Result<Option<Target>, String> {
    if argument.is_empty() {
        return Ok(None);
    }
    let (first, rest) = part(argument)?;
    let Some(rest) = rest else {
        let (relation, is_quoted) = first;
        return Ok(Some(Target { schema: None, relation, is_quoted }));
    };
    match part(rest)? {
        ((relation, is_quoted), None) => {
            Ok(Some(Target { schema: Some(first.0), relation, is_quoted: is_quoted || first.1 }))
        }
        (_, Some(_)) => Err("\\d takes a name, or a schema and a name: \\d schema.name".to_owned()),
    }
}

/// A name with whether it was quoted, and what stands behind its dot.
type Part<'a> = ((String, bool), Option<&'a str>);

fn part(text: &str) -> Result<Part<'_>, String> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (name, rest) = match text.split_once('.') {
            Some((name, rest)) => (name, Some(rest)),
            None => (text, None),
        };
        return match name {
            "" => Err("\\d takes a name".to_owned()),
            name => Ok(((name.to_owned(), false), rest)),
        };
    };
    let mut name = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        if c != '"' {
            name.push(c);
            continue;
        }
        match &quoted[at + 1..] {
            "" => return Ok(((name, true), None)),
            rest if rest.starts_with('"') => {
                chars.next();
                name.push('"');
            }
            rest => match rest.strip_prefix('.') {
                Some(rest) => return Ok(((name, true), Some(rest))),
                None => break,
            },
        }
    }
    Err("a name's quotes are not closed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(schema: Option<&str>, relation: &str, is_quoted: bool) -> Command {
        let (schema, relation) = (schema.map(str::to_owned), relation.to_owned());
        Command::Describe(Some(Target { schema, relation, is_quoted }))
    }

    #[test]
    fn commands_are_read() {
        let check = |line: &str, expected: Command| assert_eq!(Command::parse(line), Ok(expected), "{line}");
        check("\\d", Command::Describe(None));
        check("\\d orders;", described(None, "orders", false));
        check("\\d app.orders", described(Some("app"), "orders", false));
        check("\\d \"a.b\".\"My \"\"own\"\"\"", described(Some("a.b"), "My \"own\"", true));
        check("\\dt", Command::Tables);
        check("\\timing", Command::Timing(None));
        check("\\x  on", Command::Expanded(Some(true)));
        check("\\x off;", Command::Expanded(Some(false)));
        check("\\i my file.sql", Command::Include("my file.sql".into()));
        check("\\q;", Command::Quit);
    }

    #[test]
    fn a_copy_is_read_as_people_write_it() {
        let check = |line: &str, sql: &str, file: &str| {
            let copy = Copy { sql: sql.into(), file: file.into() };
            assert_eq!(Command::parse(line), Ok(Command::Copy(copy)), "{line}");
        };
        check("\\copy t from 'a b.csv'", "COPY t FROM STDIN", "a b.csv");
        check("\\copy t FROM 'it''s' with (format csv);", "COPY t FROM STDIN with (format csv)", "it's");
        check(
            "\\copy s.t (a, \"from\") from x.csv csv header",
            "COPY s.t (a, \"from\") FROM STDIN csv header",
            "x.csv",
        );
        check(
            "\\copy \"from\" from '/tmp/x' (delimiter '|')",
            "COPY \"from\" FROM STDIN (delimiter '|')",
            "/tmp/x",
        );
        for line in
            ["\\copy", "\\copy t", "\\copy from 'x'", "\\copy t from", "\\copy t from 'x", "\\copy t to 'x'"]
        {
            assert!(Command::parse(line).is_err(), "{line}");
        }
        check("\\copy t from 'stdin'", "COPY t FROM STDIN", "stdin");
        for (line, told) in [
            (
                "\\copy t from PROGRAM 'cat x' (format csv)",
                "\\copy reads a file, and runs no program: pipe what it writes to `querybox query … --copy-from -`",
            ),
            (
                "\\copy t from stdin",
                "\\copy reads a file, and does not read standard input: pipe the data to `querybox query … --copy-from -`",
            ),
            (
                "\\copy (select 1) to 'x'",
                "\\copy gives a file to a table; `querybox query … --format csv -o FILE` writes one",
            ),
        ] {
            assert_eq!(Command::parse(line), Err(told.to_owned()), "{line}");
        }
    }

    #[test]
    fn what_is_no_command_is_told() {
        let check = |line: &str, told: &str| assert_eq!(Command::parse(line), Err(told.to_owned()), "{line}");
        check("\\foo bar", "there is no command \\foo; \\? shows those that there are");
        check("\\x maybe", "\\x takes `on` or `off`");
        check("\\q now", "\\q takes nothing behind it");
        check("\\d a.b.c", "\\d takes a name, or a schema and a name: \\d schema.name");
        check("\\d \"a", "a name's quotes are not closed");
        check("\\d .a", "\\d takes a name");
        check("\\i", "\\i takes the name of a file");
    }

    #[test]
    fn the_help_names_every_command() {
        let long = crate::cli::shell::HELP;
        for (name, ..) in COMMANDS.iter().filter(|(name, ..)| name.starts_with('\\')) {
            assert!(long.contains(&format!("\n  {name} ")), "{name}");
        }
        for (name, argument, _) in COMMANDS.iter().filter(|(name, ..)| name.starts_with('\\')) {
            let line = match *argument {
                "FILE" => format!("{name} x"),
                "TABLE from 'FILE' [OPTIONS]" => format!("{name} t from 'x' (format csv)"),
                _ => (*name).to_owned(),
            };
            assert!(Command::parse(&line).is_ok(), "{line}");
        }
    }
}
