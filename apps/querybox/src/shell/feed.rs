//! Lines in, statements and commands out: where what is typed is complete, for people and for scripts alike.

use querybox_sql::{Backslashes, Dialect, TokenKind, Unterminated, lex, split};

/// Text that waits is looked at after every line as long as it is short.
const SHORT_BYTES: usize = 64 * 1024;

/// Something that can be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub text: String,
    /// The line at which it begins, from 1.
    pub line: usize,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One or more whole statements.
    Sql,
    /// A line of the shell's own, which begins with a backslash.
    Command,
}

/// Gathers lines until they make a whole statement.
///
/// A statement is whole at the semicolon that ends it, outside of literals, comments and bodies. A line that begins with a
/// backslash where no literal or comment is open is a command; a statement that waits meanwhile goes on waiting.
pub(crate) struct Feed {
    dialect: Dialect,
    pending: String,
    first_line: usize,
    lines: usize,
    /// Long text is not looked at before it has so many bytes, so that the time is not square in its length. A statement that
    /// ended meanwhile only waits for the next one.
    look_at: usize,
    tail: Tail,
}

/// What the lines so far leave open for the next one, so that no line is read twice for it.
#[derive(Default)]
struct Tail {
    /// What the open literal, name or comment began with. Read in front of the next line, it stands for all that came before.
    opener: String,
    is_open: bool,
}

/// How far a text has come.
enum Extent {
    /// Nothing but space and comments.
    Empty,
    /// The last statement goes on.
    Open,
    Whole,
}

impl Feed {
    pub(crate) fn new(dialect: Dialect) -> Feed {
        Feed { dialect, pending: String::new(), first_line: 1, lines: 0, look_at: 0, tail: Tail::default() }
    }

    /// Takes the next line, without its end.
    pub(crate) fn push(&mut self, line: &str) -> Option<Entry> {
        self.lines += 1;
        if line.trim_start().starts_with('\\') && !self.tail.is_open {
            let text = line.trim().to_owned();
            return Some(Entry { text, line: self.lines, kind: Kind::Command });
        }
        if self.pending.is_empty() {
            self.first_line = self.lines;
        }
        self.pending.push_str(line);
        self.pending.push('\n');
        self.tail.read(line, &self.dialect);
        if self.tail.is_open {
            return None;
        }
        let bytes = self.pending.len();
        if bytes > SHORT_BYTES && (bytes < self.look_at || !line.contains(';')) {
            return None;
        }
        match self.extent() {
            Extent::Whole => self.take(),
            Extent::Empty => {
                self.pending.clear();
                self.tail = Tail::default();
                None
            }
            Extent::Open => {
                self.look_at = bytes + bytes / 4;
                None
            }
        }
    }

    /// The statement that no semicolon ends, when nothing follows any more.
    pub(crate) fn end(&mut self) -> Option<Entry> {
        match self.extent() {
            Extent::Empty => None,
            Extent::Open | Extent::Whole => self.take(),
        }
    }

    /// The beginning of a statement that waits for its end.
    pub(crate) fn pending(&self) -> &str {
        &self.pending
    }

    fn take(&mut self) -> Option<Entry> {
        self.look_at = 0;
        self.tail = Tail::default();
        let text = std::mem::take(&mut self.pending);
        Some(Entry { text, line: self.first_line, kind: Kind::Sql })
    }

    /// A word behind the text is a statement of its own when the last one has ended, and part of whatever is open else.
    fn extent(&self) -> Extent {
        let mark = self.pending.len();
        match split(&format!("{}x", self.pending), &self.dialect) {
            Ok(statements) => match statements.last() {
                Some(last) if last.range.start == mark && statements.len() == 1 => Extent::Empty,
                Some(last) if last.range.start == mark => Extent::Whole,
                Some(_) | None => Extent::Open,
            },
            // Whoever runs it says what is wrong with it.
            Err(_) => Extent::Whole,
        }
    }
}

impl Tail {
    /// Reads the next line, without its end. No literal and no comment's mark lies across the end of a line.
    fn read(&mut self, line: &str, dialect: &Dialect) {
        let text = format!("{}{line}\n", self.opener);
        let mut last = None;
        for token in lex(&text, dialect) {
            // The database looks over these too when it looks for the rest of a literal.
            let is_passed_over = token.kind == TokenKind::Whitespace
                || token.kind == TokenKind::Comment && text[token.range.clone()].starts_with("--");
            if !is_passed_over {
                last = Some(token);
            }
        }
        let (kind, token) = match last {
            Some(last) => (last.kind, &text[last.range]),
            None => return,
        };
        let through = |c: &[char]| token.find(c).map_or(token, |at| &token[..=at]).to_owned();
        self.is_open = matches!(kind, TokenKind::Unterminated(_));
        self.opener = match kind {
            TokenKind::Unterminated(Unterminated::String) => through(&['\'', '"']),
            TokenKind::Unterminated(Unterminated::QuotedIdentifier) => through(&['"', '`', '[']),
            TokenKind::Unterminated(Unterminated::DollarQuote) => {
                token.splitn(3, '$').take(2).map(|piece| format!("{piece}$")).collect()
            }
            TokenKind::Unterminated(Unterminated::Comment) => "/*".repeat(depth(token, dialect)),
            // Where it has ended, a literal in quotes on a later line goes on with it.
            TokenKind::String
                if dialect.backslashes == Backslashes::EStrings && token.starts_with(['e', 'E']) =>
            {
                "E''\n".to_owned()
            }
            _ => String::new(),
        };
    }
}

/// How many comments are open at the end of one that is.
fn depth(comment: &str, dialect: &Dialect) -> usize {
    let mut depth = 1_usize;
    let mut rest = &comment["/*".len()..];
    while let Some(at) = rest.find(['*', '/']) {
        let mark = rest.get(at..at + 2).unwrap_or_default();
        depth = match mark {
            "*/" => depth.saturating_sub(1),
            "/*" if dialect.nested_block_comments => depth + 1,
            _ => {
                rest = &rest[at + 1..];
                continue;
            }
        };
        rest = &rest[at + 2..];
    }
    depth.max(1)
}

/// Whether all that was typed can be carried out, so that Enter does so.
pub(crate) fn is_whole(text: &str, dialect: &Dialect) -> bool {
    let mut feed = Feed::new(dialect.clone());
    let mut last = None;
    for line in text.lines() {
        last = feed.push(line);
    }
    feed.pending.is_empty() || last.is_some_and(|entry| entry.kind == Kind::Command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str, dialect: &Dialect) -> Vec<(usize, String)> {
        let mut feed = Feed::new(dialect.clone());
        let mut entries: Vec<_> = text.lines().filter_map(|line| feed.push(line)).collect();
        entries.extend(feed.end());
        entries.into_iter().map(|entry| (entry.line, entry.text.trim_end().to_owned())).collect()
    }

    #[track_caller]
    fn check(text: &str, expected: &[(usize, &str)]) {
        for dialect in [Dialect::sqlite(), Dialect::postgres()] {
            let found = entries(text, &dialect);
            let found: Vec<_> = found.iter().map(|(line, text)| (*line, text.as_str())).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_statement_ends_with_its_semicolon() {
        check("select 1;", &[(1, "select 1;")]);
        check("select\n1\n;\n\nselect 2;", &[(1, "select\n1\n;"), (5, "select 2;")]);
        check("select 1; select 2;", &[(1, "select 1; select 2;")]);
        check("select 1; select\n2;", &[(1, "select 1; select\n2;")]);
        check("select 1", &[(1, "select 1")]);
    }

    #[test]
    fn literals_and_comments_hold_semicolons_and_backslashes() {
        check("select ';\n\\d\n';", &[(1, "select ';\n\\d\n';")]);
        check("select /* ; */ 1 -- ;\n;", &[(1, "select /* ; */ 1 -- ;\n;")]);
        check("/*\n\\q\n*/ select 1;", &[(1, "/*\n\\q\n*/ select 1;")]);
    }

    #[test]
    fn what_is_open_lasts_over_lines() {
        let postgres = |text: &str, expected: &[(usize, &str)]| {
            let found = entries(text, &Dialect::postgres());
            let found: Vec<_> = found.iter().map(|(line, text)| (*line, text.as_str())).collect();
            assert_eq!(found, expected);
        };
        for text in [
            "select $a$\n\\d $$\n$b$;\n\\d\n$a$;",
            "select $$\n\\d '$\n$$;",
            "/* /*\n\\d */\n\\d\n/*/ */\n\\d */ */ select 1;",
            "select 1 as \"\n\\d '\n\\d\"\"\n\\d\";",
            "select e'it\\'\n\\d\\'\n\\d';",
            "select E'it' -- '\n\n  'is\\'\n\\d;\n';",
            "select U&'\n\\0061\n';",
            "select ''\n'\n\\d''\n\\d';",
        ] {
            postgres(text, &[(1, text)]);
        }
        postgres("select 'it\\'\n\\x\n;", &[(2, "\\x"), (1, "select 'it\\'\n;")]);
        postgres("select e'it'\n\\x\n;", &[(2, "\\x"), (1, "select e'it'\n;")]);
        let escapes = "select 'it\\'\n\\d;\n';";
        assert_eq!(entries(escapes, &Dialect::postgres_with_escapes()), [(1, escapes.to_owned())]);
        let brackets = "select 1 as [\n\\d\n];";
        assert_eq!(entries(brackets, &Dialect::sqlite()), [(1, brackets.to_owned())]);
    }

    #[test]
    fn comments_and_space_are_nothing() {
        check("\n -- nothing\n/* nothing */\n", &[]);
        check("-- first\nselect 1;", &[(2, "select 1;")]);
        check(";", &[]);
    }

    #[test]
    fn a_command_is_a_line() {
        check("\\dt\nselect 1;\n  \\x on \n", &[(1, "\\dt"), (2, "select 1;"), (3, "\\x on")]);
        check("select\n\\?\n1;", &[(2, "\\?"), (1, "select\n1;")]);
    }

    #[test]
    fn bodies_hold_semicolons() {
        let trigger = "create trigger t after insert on a begin\n delete from b;\nend;";
        assert_eq!(entries(trigger, &Dialect::sqlite()), [(1, trigger.to_owned())]);
        let function = "create function f() returns int as $$\nselect 1;\n$$ language sql;";
        assert_eq!(entries(function, &Dialect::postgres()), [(1, function.to_owned())]);
    }

    #[test]
    fn enter_runs_what_is_whole() {
        let dialect = Dialect::postgres();
        for text in ["", "  ", "select 1;", "\\d", "select 1; -- done", "select 1;\n\\x", "select\n\\q"] {
            assert!(is_whole(text, &dialect), "{text}");
        }
        for text in ["select 1", "select (1;", "select 'a;", "select $$;", "/* ;", "select 1; select 2"] {
            assert!(!is_whole(text, &dialect), "{text}");
        }
    }

    #[test]
    fn a_long_literal_of_backslashes_costs_little() {
        let mut feed = Feed::new(Dialect::postgres());
        let start = std::time::Instant::now();
        assert!(feed.push("select '").is_none());
        for _ in 0..60_000 {
            assert!(feed.push("\\x; a line of text that begins as a command does").is_none());
        }
        assert_eq!(feed.push("';").map(|entry| entry.kind), Some(Kind::Sql));
        assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    }

    #[test]
    fn a_long_statement_costs_little_and_ends_all_the_same() {
        let mut feed = Feed::new(Dialect::sqlite());
        assert!(feed.push("insert into t values").is_none());
        let row = format!("('{};'),", "x".repeat(60));
        let start = std::time::Instant::now();
        for _ in 0..100_000 {
            assert!(feed.push(&row).is_none());
        }
        assert!(feed.push("('');").is_some() || feed.end().is_some());
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
}
