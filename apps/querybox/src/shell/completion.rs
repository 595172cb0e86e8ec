//! What Tab offers: tables, columns, schemas and keywords, by where in the statement the cursor stands.

mod scope;

use std::collections::HashSet;

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

/// What is offered: each text once, and no more than is of help.
#[derive(Default)]
struct Offers {
    list: Vec<Offer>,
    texts: HashSet<String>,
}

impl Offers {
    /// Appends what is not offered yet. What is past the bound is not even looked at: a catalog may be huge.
    fn add(&mut self, more: impl IntoIterator<Item = Offer>) {
        for offer in more {
            if self.list.len() == OFFERED_MAX {
                return;
            }
            if self.texts.insert(offer.text.clone()) {
                self.list.push(offer);
            }
        }
    }
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
        offers.list.into_iter().map(suggestion).collect()
    }

    /// On a line of the shell's own.
    fn of_command(&self, before: &str, line_start: usize) -> (usize, Offers) {
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
            let mut offers = Offers::default();
            offers.add(known.map(offer));
            return (name_start, offers);
        };
        let start = before.len() - argument.len();
        let mut offers = Offers::default();
        if command != "\\d" {
            return (start, offers);
        }
        let Some((at, prefix)) = self.typed(argument) else { return (before.len(), offers) };
        let names = self.names.get();
        match Scope::read(argument, at, &self.dialect).place {
            Place::Behind(schema) => self.relations_of(&schema, prefix, &names, &mut offers),
            Place::Relation | Place::Anywhere => self.relations(prefix, &names, &mut offers),
        }
        (start + at, offers)
    }

    fn of_sql(&self, line: &str, cursor: usize) -> (usize, Offers) {
        let mut offers = Offers::default();
        let Some((start, prefix)) = self.typed(&line[..cursor]) else { return (cursor, offers) };
        let names = self.names.get();
        let scope = Scope::read(line, start, &self.dialect);
        match &scope.place {
            Place::Behind(qualifier) => self.behind(qualifier, prefix, &scope, &names, &mut offers),
            Place::Relation => self.relations(prefix, &names, &mut offers),
            Place::Anywhere => {
                self.columns_in(&scope.sources, prefix, &names, &mut offers);
                if !prefix.is_empty() {
                    self.relations(prefix, &names, &mut offers);
                    if scope.sources.is_empty() {
                        let all = names.relations.iter().filter(|relation| relation.is_default);
                        self.columns_of(all, prefix, &mut offers);
                    }
                    // In quotes stands a name.
                    if line[start..].starts_with(prefix) {
                        self.keywords(prefix, &mut offers);
                    }
                }
            }
        }
        (start, offers)
    }

    /// Where the name begins with which the text ends, and what is there of it, without its quote. `None`: the text ends in
    /// something that is no name and holds none.
    fn typed<'t>(&self, before: &'t str) -> Option<(usize, &'t str)> {
        let Some(token) = lex(before, &self.dialect).last() else { return Some((0, "")) };
        Some(match token.kind {
            TokenKind::Word => (token.range.start, &before[token.range]),
            TokenKind::Unterminated(Unterminated::QuotedIdentifier) => {
                (token.range.start, &before[token.range.start + 1..])
            }
            TokenKind::Unterminated(_) | TokenKind::Number | TokenKind::String => return None,
            // A comment that ends with its line has the cursor in it.
            TokenKind::Comment if !before.ends_with("*/") => return None,
            _ => (before.len(), ""),
        })
    }

    /// What follows `name.`: columns of what has that name, and relations of a schema that has it.
    fn behind(&self, qualifier: &str, prefix: &str, scope: &Scope, names: &Names, offers: &mut Offers) {
        let aliased = scope.sources.iter().find(|source| {
            source.alias.as_deref().is_some_and(|alias| alias.eq_ignore_ascii_case(qualifier))
        });
        match aliased {
            Some(source) => self.columns_of(found(names, source), prefix, offers),
            None => self.columns_of(with_name(names, None, qualifier), prefix, offers),
        }
        self.relations_of(qualifier, prefix, names, offers);
    }

    fn relations_of(&self, schema: &str, prefix: &str, names: &Names, offers: &mut Offers) {
        let relations =
            names.relations.iter().filter(|relation| relation.schema.eq_ignore_ascii_case(schema));
        let relations = relations.filter(|relation| begins(&relation.name, prefix));
        offers.add(relations.map(|relation| self.relation(relation)));
    }

    /// Relations that need no schema, then the schemas: behind a schema's dot come its own.
    fn relations(&self, prefix: &str, names: &Names, offers: &mut Offers) {
        let relations = names.relations.iter().filter(|relation| relation.is_default);
        let relations = relations.filter(|relation| begins(&relation.name, prefix));
        offers.add(relations.map(|relation| self.relation(relation)));
        let schemas = names.schemas.iter().filter(|schema| begins(schema, prefix));
        offers.add(schemas.map(|schema| Offer { text: self.written(schema), about: "schema".to_owned() }));
    }

    fn relation(&self, relation: &RelationNames) -> Offer {
        Offer { text: self.written(&relation.name), about: relation.kind.to_owned() }
    }

    fn columns_in(&self, sources: &[Source], prefix: &str, names: &Names, offers: &mut Offers) {
        for source in sources {
            self.columns_of(found(names, source), prefix, offers);
        }
        let aliases = sources.iter().filter_map(|source| source.alias.as_ref());
        let aliases = aliases.filter(|alias| !prefix.is_empty() && begins(alias, prefix));
        offers.add(aliases.map(|alias| Offer { text: self.written(alias), about: String::new() }));
    }

    fn columns_of<'n>(
        &self,
        relations: impl Iterator<Item = &'n RelationNames>,
        prefix: &str,
        offers: &mut Offers,
    ) {
        let columns = relations.flat_map(|relation| &relation.columns);
        let columns = columns.filter(|(name, _)| begins(name, prefix));
        offers.add(columns.map(|(name, kind)| Offer { text: self.written(name), about: kind.clone() }));
    }

    /// Keywords in the case in which the first letter was typed.
    fn keywords(&self, prefix: &str, offers: &mut Offers) {
        let is_lower = prefix.starts_with(|c: char| c.is_ascii_lowercase());
        let words = self.keywords.iter().filter(|word| begins(word, prefix));
        let written = |word: &String| if is_lower { word.to_ascii_lowercase() } else { word.clone() };
        offers.add(words.map(|word| Offer { text: written(word), about: String::new() }));
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

fn found<'n>(names: &'n Names, source: &Source) -> impl Iterator<Item = &'n RelationNames> {
    with_name(names, source.schema.as_deref(), &source.relation)
}

fn with_name<'n>(
    names: &'n Names,
    schema: Option<&str>,
    name: &str,
) -> impl Iterator<Item = &'n RelationNames> + use<'n> {
    let (schema, name) = (schema.map(str::to_owned), unquoted(name));
    let is_in_schema = move |relation: &RelationNames| match &schema {
        Some(schema) => relation.schema.eq_ignore_ascii_case(schema),
        None => relation.is_default,
    };
    names
        .relations
        .iter()
        .filter(move |relation| relation.name.eq_ignore_ascii_case(&name) && is_in_schema(relation))
}

fn begins(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation(schema: &str, name: &str, columns: &[&str]) -> RelationNames {
        let columns = columns.iter().map(|column| ((*column).to_owned(), "text".to_owned())).collect();
        let (is_default, name) = (schema == "main", name.to_owned());
        RelationNames { schema: schema.to_owned(), is_default, name, kind: "table", columns }
    }

    /// `|` is the cursor; what is offered there.
    fn offered(line: &str) -> Vec<String> {
        let names = SharedNames::default();
        names.set(Names {
            schemas: ["main", "archive", "empty_", "My own"].map(str::to_owned).to_vec(),
            relations: vec![
                relation("main", "customers", &["id", "name", "Country"]),
                relation("main", "orders", &["id", "customer_id", "order"]),
                relation("archive", "orders_2019", &["id", "total"]),
                relation("My own", "orders", &["thing"]),
            ],
        });
        completer(names).offered(line)
    }

    fn completer(names: SharedNames) -> SqlCompleter {
        let keywords = ["SELECT", "SET", "FROM", "ORDER", "NATURAL"].map(str::to_owned).to_vec();
        SqlCompleter { names, dialect: Dialect::postgres(), keywords, quote: '"' }
    }

    impl SqlCompleter {
        fn offered(&self, line: &str) -> Vec<String> {
            let cursor = line.find('|').unwrap();
            let line = line.replace('|', "");
            self.suggestions(&line, cursor).into_iter().map(|suggestion| suggestion.value).collect()
        }
    }

    #[track_caller]
    fn check(line: &str, expected: &[&str]) {
        assert_eq!(offered(line), expected, "{line}");
    }

    #[test]
    fn tables_follow_from() {
        check("select * from |", &["customers", "orders", "main", "archive", "empty_", "\"My own\""]);
        check("select * from cu|", &["customers"]);
        check(
            "select * from customers, |",
            &["customers", "orders", "main", "archive", "empty_", "\"My own\""],
        );
        check("select 1; delete from o|", &["orders"]);
        check("insert into ORD|", &["orders"]);
        check("select * from archive.|", &["orders_2019"]);
        check("select * from main.o|", &["orders"]);
        check("select * from \"My own\".|", &["orders"]);
        check("select * from empty_.|", &[]);
        check("select * from nowhere.|", &[]);
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
        check("\\d |", &["customers", "orders", "main", "archive", "empty_", "\"My own\""]);
        check("\\d \"My|", &["\"My own\""]);
        check("\\d archive.|", &["orders_2019"]);
        check("\\d \"My own\".|", &["orders"]);
        check("\\d \"My own\".or|", &["orders"]);
        check("\\d empty_.|", &[]);
        check("\\x |", &[]);
    }

    #[test]
    fn a_huge_catalog_is_completed_at_once_and_no_more_offered_than_helps() {
        let names = SharedNames::default();
        let columns =
            |table: usize| (0..25).map(|column| format!("col_{table}_{column}")).collect::<Vec<_>>();
        let table = |table: usize| {
            let columns = columns(table);
            let columns: Vec<_> = columns.iter().map(String::as_str).collect();
            relation("main", &format!("table_{table}"), &columns)
        };
        names.set(Names { schemas: vec!["main".to_owned()], relations: (0..4000).map(table).collect() });
        let completer = completer(names);
        let start = std::time::Instant::now();
        assert_eq!(completer.offered("select col|").len(), OFFERED_MAX);
        assert_eq!(completer.offered("select col_3999_24|"), ["col_3999_24"]);
        assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    }
}
