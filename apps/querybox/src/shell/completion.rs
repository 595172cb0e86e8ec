//! What Tab offers: tables, columns, schemas and keywords, by where in the statement the cursor stands.

mod scope;

use querybox_sql::{Dialect, TokenKind, Unterminated, lex};
use reedline::{Completer, CompletionResult, Span, Suggestion};

use crate::shell::{
    command::COMMANDS,
    names::{Names, RelationNames, SharedNames},
};
use scope::{Place, Scope, Source, unquoted};

/// More are no help.
const OFFERED_MAX: usize = 200;

/// Words that are reserved nearly everywhere: a name that is one of them is quoted.
const RESERVED: &[&str] = &[
    "all",
    "and",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "check",
    "column",
    "constraint",
    "create",
    "default",
    "delete",
    "desc",
    "distinct",
    "drop",
    "else",
    "end",
    "except",
    "exists",
    "for",
    "foreign",
    "from",
    "grant",
    "group",
    "having",
    "in",
    "index",
    "insert",
    "intersect",
    "into",
    "is",
    "join",
    "left",
    "like",
    "limit",
    "not",
    "null",
    "offset",
    "on",
    "or",
    "order",
    "primary",
    "references",
    "right",
    "select",
    "set",
    "table",
    "then",
    "to",
    "union",
    "unique",
    "update",
    "user",
    "using",
    "values",
    "when",
    "where",
    "with",
];

/// Completes by the names of the database and the words of its SQL.
pub(crate) struct SqlCompleter {
    pub names: SharedNames,
    pub dialect: Dialect,
    /// As the driver says them: upper case.
    pub keywords: Vec<String>,
    /// What a quoted name begins with.
    pub quote: char,
}

/// Something that can stand at the cursor.
struct Offer {
    text: String,
    about: String,
}

impl Completer for SqlCompleter {
    fn complete(&mut self, line: &str, cursor: usize) -> CompletionResult {
        CompletionResult::fresh(self.suggestions(line, cursor))
    }
}

impl SqlCompleter {
    fn suggestions(&self, line: &str, cursor: usize) -> Vec<Suggestion> {
        let Some(before) = line.get(..cursor) else { return Vec::new() };
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let (start, offers) = match before[line_start..].trim_start().starts_with('\\') {
            true => self.of_command(before, line_start),
            false => self.of_sql(line, cursor),
        };
        let span = Span::new(start, cursor);
        let suggestion = |offer: Offer| Suggestion {
            value: offer.text,
            description: Some(offer.about).filter(|about| !about.is_empty()),
            span,
            ..Suggestion::default()
        };
        offers.into_iter().take(OFFERED_MAX).map(suggestion).collect()
    }

    /// On a line of the shell's own.
    fn of_command(&self, before: &str, line_start: usize) -> (usize, Vec<Offer>) {
        let line = &before[line_start..];
        let name_start = line_start + (line.len() - line.trim_start().len());
        let name = &before[name_start..];
        let Some((command, argument)) = name.split_once(' ') else {
            let known =
                COMMANDS.iter().filter(|(known, ..)| known.starts_with('\\') && known.starts_with(name));
            let offer = |(name, _, about): &(&str, &str, &str)| Offer {
                text: (*name).to_owned(),
                about: (*about).to_owned(),
            };
            return (name_start, known.map(offer).collect());
        };
        let argument = argument.trim_start();
        let start = before.len() - argument.len();
        let offers = match command {
            "\\d" => self.relations(argument),
            _ => Vec::new(),
        };
        (start, offers)
    }

    fn of_sql(&self, line: &str, cursor: usize) -> (usize, Vec<Offer>) {
        let before = &line[..cursor];
        let last = lex(before, &self.dialect).last();
        let (start, prefix) = match last {
            Some(token) => match token.kind {
                TokenKind::Word => (token.range.start, &before[token.range]),
                TokenKind::Unterminated(Unterminated::QuotedIdentifier) => {
                    (token.range.start, &before[token.range.start + 1..])
                }
                TokenKind::Unterminated(_) | TokenKind::Number | TokenKind::String => {
                    return (cursor, Vec::new());
                }
                // A comment that ends with its line has the cursor in it.
                TokenKind::Comment if !before.ends_with("*/") => return (cursor, Vec::new()),
                _ => (cursor, ""),
            },
            None => (cursor, ""),
        };
        let names = self.names.get();
        let scope = Scope::read(line, start, &self.dialect);
        let mut offers = match &scope.place {
            Place::Behind(qualifier) => return (start, self.behind(qualifier, prefix, &scope, &names)),
            Place::Relation => self.relations(prefix),
            Place::Anywhere => self.columns_in(&scope.sources, prefix, &names),
        };
        if matches!(scope.place, Place::Anywhere) && !prefix.is_empty() {
            offers.extend(self.relations(prefix));
            if scope.sources.is_empty() {
                let all: Vec<_> =
                    names.relations.iter().filter(|relation| relation.schema.is_none()).collect();
                push_new(&mut offers, self.columns_of(&all, prefix));
            }
            // In quotes stands a name.
            if !line[start..].starts_with(prefix) {
                return (start, offers);
            }
            push_new(&mut offers, self.keywords(prefix));
        }
        (start, offers)
    }

    /// What follows `name.`: columns of what has that name, and relations of a schema that has it.
    fn behind(&self, qualifier: &str, prefix: &str, scope: &Scope, names: &Names) -> Vec<Offer> {
        let aliased = scope.sources.iter().find(|source| {
            source.alias.as_deref().is_some_and(|alias| alias.eq_ignore_ascii_case(qualifier))
        });
        let relations = match aliased {
            Some(source) => found(names, source),
            None => with_name(names, None, qualifier),
        };
        let mut offers = self.columns_of(&relations, prefix);
        let in_schema = names.relations.iter().filter(|relation| {
            relation.schema.as_deref().is_some_and(|schema| schema.eq_ignore_ascii_case(qualifier))
                || (relation.schema.is_none() && self.is_default_schema(qualifier, names))
        });
        let in_schema = in_schema.filter(|relation| begins(&relation.name, prefix));
        push_new(
            &mut offers,
            in_schema.map(|relation| Offer {
                text: self.written(&relation.name),
                about: relation.kind.to_owned(),
            }),
        );
        offers
    }

    fn is_default_schema(&self, name: &str, names: &Names) -> bool {
        let known = names.schemas.iter().any(|schema| schema.eq_ignore_ascii_case(name));
        known
            && !names.relations.iter().any(|relation| {
                relation.schema.as_deref().is_some_and(|schema| schema.eq_ignore_ascii_case(name))
            })
    }

    fn relations(&self, prefix: &str) -> Vec<Offer> {
        let names = self.names.get();
        let relations = names.relations.iter().filter_map(|relation| match &relation.schema {
            None if begins(&relation.name, prefix) => {
                Some(Offer { text: self.written(&relation.name), about: relation.kind.to_owned() })
            }
            // The schema's own name comes first; behind its dot come these.
            None | Some(_) => None,
        });
        let schemas = names.schemas.iter().filter(|schema| begins(schema, prefix));
        let schemas = schemas.map(|schema| Offer { text: self.written(schema), about: "schema".to_owned() });
        relations.chain(schemas).collect()
    }

    fn columns_in(&self, sources: &[Source], prefix: &str, names: &Names) -> Vec<Offer> {
        let relations: Vec<_> = sources.iter().flat_map(|source| found(names, source)).collect();
        let mut offers = self.columns_of(&relations, prefix);
        let aliases = sources.iter().filter_map(|source| source.alias.as_ref());
        let aliases = aliases.filter(|alias| !prefix.is_empty() && begins(alias, prefix));
        push_new(&mut offers, aliases.map(|alias| Offer { text: self.written(alias), about: String::new() }));
        offers
    }

    fn columns_of(&self, relations: &[&RelationNames], prefix: &str) -> Vec<Offer> {
        let mut offers = Vec::new();
        for relation in relations {
            let columns = relation.columns.iter().filter(|(name, _)| begins(name, prefix));
            let offer =
                |(name, kind): &(String, String)| Offer { text: self.written(name), about: kind.clone() };
            push_new(&mut offers, columns.map(offer));
        }
        offers
    }

    /// Keywords in the case in which the first letter was typed.
    fn keywords(&self, prefix: &str) -> Vec<Offer> {
        let is_lower = prefix.starts_with(|c: char| c.is_ascii_lowercase());
        let words = self.keywords.iter().filter(|word| begins(word, prefix));
        let written = |word: &String| if is_lower { word.to_ascii_lowercase() } else { word.clone() };
        words.map(|word| Offer { text: written(word), about: String::new() }).collect()
    }

    /// A name as SQL takes it: in quotes unless it is a plain word in lower case.
    fn written(&self, name: &str) -> String {
        let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        let goes_on_well = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if starts_well && goes_on_well && !RESERVED.contains(&name) {
            return name.to_owned();
        }
        let close = if self.quote == '[' { ']' } else { self.quote };
        let doubled = [close, close].iter().collect::<String>();
        format!("{}{}{close}", self.quote, name.replace(close, &doubled))
    }
}

fn found<'n>(names: &'n Names, source: &Source) -> Vec<&'n RelationNames> {
    with_name(names, source.schema.as_deref(), &source.relation)
}

fn with_name<'n>(names: &'n Names, schema: Option<&str>, name: &str) -> Vec<&'n RelationNames> {
    let is_in_schema = |relation: &RelationNames| match (schema, &relation.schema) {
        (Some(asked), Some(schema)) => schema.eq_ignore_ascii_case(asked),
        // The default schema may be named or not.
        (None | Some(_), None) => true,
        (None, Some(_)) => false,
    };
    let name = unquoted(name);
    let has_name =
        |relation: &&RelationNames| relation.name.eq_ignore_ascii_case(&name) && is_in_schema(relation);
    names.relations.iter().filter(has_name).collect()
}

fn begins(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Appends what is not offered yet.
fn push_new(offers: &mut Vec<Offer>, more: impl IntoIterator<Item = Offer>) {
    for offer in more {
        if offers.iter().all(|known| known.text != offer.text) {
            offers.push(offer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation(schema: Option<&str>, name: &str, columns: &[&str]) -> RelationNames {
        let columns = columns.iter().map(|column| ((*column).to_owned(), "text".to_owned())).collect();
        RelationNames { schema: schema.map(str::to_owned), name: name.to_owned(), kind: "table", columns }
    }

    /// `|` is the cursor; what is offered there.
    fn offered(line: &str) -> Vec<String> {
        let names = SharedNames::default();
        names.set(Names {
            schemas: ["main", "archive"].map(str::to_owned).to_vec(),
            relations: vec![
                relation(None, "customers", &["id", "name", "Country"]),
                relation(None, "orders", &["id", "customer_id", "order"]),
                relation(Some("archive"), "orders_2019", &["id", "total"]),
            ],
        });
        let keywords = ["SELECT", "SET", "FROM", "ORDER", "NATURAL"].map(str::to_owned).to_vec();
        let completer = SqlCompleter { names, dialect: Dialect::postgres(), keywords, quote: '"' };
        let cursor = line.find('|').unwrap();
        let line = line.replace('|', "");
        completer.suggestions(&line, cursor).into_iter().map(|suggestion| suggestion.value).collect()
    }

    #[track_caller]
    fn check(line: &str, expected: &[&str]) {
        assert_eq!(offered(line), expected, "{line}");
    }

    #[test]
    fn tables_follow_from() {
        check("select * from |", &["customers", "orders", "main", "archive"]);
        check("select * from cu|", &["customers"]);
        check("select * from customers, |", &["customers", "orders", "main", "archive"]);
        check("select 1; delete from o|", &["orders"]);
        check("insert into ORD|", &["orders"]);
        check("select * from archive.|", &["orders_2019"]);
        check("select * from main.o|", &["orders"]);
    }

    #[test]
    fn columns_are_those_of_the_tables_that_are_named() {
        check("select | from customers", &["id", "name", "\"Country\""]);
        check("select n| from customers", &["name", "natural"]);
        check("select c.| from orders o, customers as c", &["id", "name", "\"Country\""]);
        check("select * from orders o where o.cus|", &["customer_id"]);
        check("select * from orders o where customers.|", &["id", "name", "\"Country\""]);
        check("select \"Co| from customers", &["\"Country\""]);
        check("select \"na|", &["name"]);
        check("select * from orders where o|", &["\"order\"", "orders", "order"]);
        check("update customers set na|", &["name", "natural"]);
    }

    #[test]
    fn keywords_keep_the_case_that_was_begun() {
        check("SEL|", &["SELECT"]);
        check("sel|", &["select"]);
        check("select 1; se|", &["select", "set"]);
        check("|", &[]);
    }

    #[test]
    fn nothing_is_offered_in_literals_and_comments() {
        check("select 'cu|", &[]);
        check("select 1 -- cu|", &[]);
        check("select /* cu|", &[]);
        check("select 12|", &[]);
    }

    #[test]
    fn commands_and_their_tables() {
        check("\\ti|", &["\\timing"]);
        check("\\d cu|", &["customers"]);
        check("select 1;\n\\d or|", &["orders"]);
        check("\\x |", &[]);
    }
}
