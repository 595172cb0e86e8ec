//! What a statement says around the cursor: which tables it names, and what can stand there.

use querybox_sql::{Dialect, Token, TokenKind, lex};

/// What is known of the cursor's surroundings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    pub place: Place,
    /// The tables that the statement names, before the cursor and behind it.
    pub sources: Vec<Source>,
}

/// What can stand at the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// What belongs to something with this name.
    Behind(String),
    /// A table.
    Relation,
    Anywhere,
}

/// A table that a statement names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Source {
    pub schema: Option<String>,
    pub relation: String,
    pub alias: Option<String>,
}

/// Words that a table follows.
const BEFORE_RELATION: [&str; 5] = ["from", "join", "into", "update", "table"];
/// Words that end a list of tables, so that none of them is an alias.
const AFTER_RELATION: [&str; 22] = [
    "select",
    "where",
    "set",
    "values",
    "group",
    "order",
    "having",
    "limit",
    "offset",
    "on",
    "using",
    "inner",
    "left",
    "right",
    "full",
    "cross",
    "natural",
    "union",
    "except",
    "intersect",
    "returning",
    "window",
];

struct Piece<'a> {
    kind: TokenKind,
    text: &'a str,
    start: usize,
}

impl Piece<'_> {
    fn is(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }

    fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    fn is_name(&self) -> bool {
        match self.kind {
            TokenKind::Word => !self.is_any(&BEFORE_RELATION) && !self.is_any(&AFTER_RELATION),
            TokenKind::QuotedIdentifier => true,
            _ => false,
        }
    }
}

impl Scope {
    /// Looks around the word that begins at `start`.
    pub(crate) fn read(text: &str, start: usize, dialect: &Dialect) -> Scope {
        let pieces: Vec<_> = lex(text, dialect)
            .filter(|token| !matches!(token.kind, TokenKind::Whitespace | TokenKind::Comment))
            .map(|Token { kind, range }| Piece { kind, start: range.start, text: &text[range] })
            .collect();
        let at = pieces.partition_point(|piece| piece.start < start);
        let ends = |piece: &Piece<'_>| piece.kind == TokenKind::Semicolon;
        let first = pieces[..at].iter().rposition(ends).map_or(0, |semicolon| semicolon + 1);
        let last = pieces[at..].iter().position(ends).map_or(pieces.len(), |semicolon| at + semicolon);
        // What is being typed names nothing yet.
        let is_typed = |piece: &Piece<'_>| piece.start == start && piece.kind != TokenKind::Operator;
        let typed = usize::from(pieces[at..last].first().is_some_and(is_typed));
        let mut sources = sources(&pieces[first..at]);
        sources.extend(self::sources(&pieces[at + typed..last]));
        if let Some(source) = straddling(&pieces[first..at], &pieces[at + typed..last]) {
            sources.push(source);
        }
        Scope { place: place(&pieces[first..at]), sources }
    }
}

fn place(before: &[Piece<'_>]) -> Place {
    let Some((last, rest)) = before.split_last() else { return Place::Anywhere };
    if last.text == "." {
        return match rest.last() {
            Some(name) if matches!(name.kind, TokenKind::Word | TokenKind::QuotedIdentifier) => {
                Place::Behind(unquoted(name.text))
            }
            _ => Place::Anywhere,
        };
    }
    if last.is_any(&BEFORE_RELATION) {
        return Place::Relation;
    }
    if last.text == "," {
        let is_clause = |piece: &&Piece<'_>| piece.is_any(&BEFORE_RELATION) || piece.is_any(&AFTER_RELATION);
        if rest.iter().rfind(is_clause).is_some_and(|clause| clause.is("from")) {
            return Place::Relation;
        }
    }
    Place::Anywhere
}

/// The tables that follow FROM, JOIN, INTO, UPDATE and TABLE.
fn sources(pieces: &[Piece<'_>]) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut at = 0;
    while at < pieces.len() {
        let opens = pieces[at].is_any(&BEFORE_RELATION);
        let is_list = pieces[at].is("from");
        at += 1;
        if !opens {
            continue;
        }
        while let Some((source, after)) = source(pieces, at) {
            sources.push(source);
            at = after;
            if !is_list || pieces.get(at).is_none_or(|piece| piece.text != ",") {
                break;
            }
            at += 1;
        }
    }
    sources
}

/// `schema.name AS alias`, and where it ends.
fn source(pieces: &[Piece<'_>], at: usize) -> Option<(Source, usize)> {
    let name = |at: usize| pieces.get(at).filter(|piece| piece.is_name()).map(|piece| unquoted(piece.text));
    let mut source = Source { relation: name(at)?, ..Source::default() };
    let mut at = at + 1;
    if pieces.get(at).is_some_and(|piece| piece.text == ".")
        && let Some(relation) = name(at + 1)
    {
        source.schema = Some(std::mem::replace(&mut source.relation, relation));
        at += 2;
    }
    if pieces.get(at).is_some_and(|piece| piece.is("as")) {
        at += 1;
    }
    if let Some(alias) = name(at) {
        source.alias = Some(alias);
        at += 1;
    }
    Some((source, at))
}

/// A list of tables that the cursor stands in: those behind it follow a comma, not a FROM.
fn straddling(before: &[Piece<'_>], after: &[Piece<'_>]) -> Option<Source> {
    let in_list = matches!(place(before), Place::Relation);
    match after.first() {
        Some(comma) if in_list && comma.text == "," => source(after, 1).map(|(source, _)| source),
        _ => None,
    }
}

/// A name without its quotes.
pub(crate) fn unquoted(name: &str) -> String {
    let mut chars = name.chars();
    let close = match chars.next() {
        Some('[') => ']',
        Some(quote @ ('"' | '`')) => quote,
        _ => return name.to_owned(),
    };
    let inner = chars.as_str().strip_suffix(close).unwrap_or(chars.as_str());
    inner.replace(&format!("{close}{close}"), &close.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Scope {
        let cursor = line.find('|').unwrap();
        Scope::read(&line.replace('|', ""), cursor, &Dialect::postgres())
    }

    fn source(schema: Option<&str>, relation: &str, alias: Option<&str>) -> Source {
        let owned = |text: &str| text.to_owned();
        Source { schema: schema.map(owned), relation: relation.into(), alias: alias.map(owned) }
    }

    #[test]
    fn tables_are_found_on_both_sides_of_the_cursor() {
        let scope = read(
            "with x as (select 1) select | from app.\"Big\" b join c on true, d as e where f(g) order by h",
        );
        assert_eq!(scope.sources, [source(Some("app"), "Big", Some("b")), source(None, "c", None)]);
        assert_eq!(
            read("select | from a, b c").sources,
            [source(None, "a", None), source(None, "b", Some("c"))]
        );
        assert_eq!(
            read("select 1 from z; select | from a; select 1 from y").sources,
            [source(None, "a", None)]
        );
        assert_eq!(read("select 1 from |, b").sources, [source(None, "b", None)]);
        assert_eq!(read("insert into a (|").sources, [source(None, "a", None)]);
    }

    #[test]
    fn the_place_is_told_by_what_stands_before() {
        assert_eq!(read("select * from |").place, Place::Relation);
        assert_eq!(read("select * from a, |").place, Place::Relation);
        assert_eq!(read("select a, | from b").place, Place::Anywhere);
        assert_eq!(read("select * from b where x in (1, |").place, Place::Anywhere);
        assert_eq!(read("select \"My t\".|").place, Place::Behind("My t".into()));
        assert_eq!(read("select 1; |").place, Place::Anywhere);
    }

    #[test]
    fn quotes_are_taken_off() {
        assert_eq!(unquoted("\"a\"\"b\""), "a\"b");
        assert_eq!(unquoted("[a b]"), "a b");
        assert_eq!(unquoted("plain"), "plain");
    }
}
