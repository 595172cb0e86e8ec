//! A catalog as a tree of text.

mod others;

use std::borrow::Cow;

use querybox_sql::{Dialect, TokenKind, lex};
use unicode_width::UnicodeWidthStr;

use super::model::{Catalog, Column, Index, Key, Reference, Relation};
use crate::{sanitize, screen::Paint, words};

/// Draws the tree.
pub(crate) fn draw(catalog: &Catalog, paint: Paint) -> String {
    let mut text = String::new();
    for schema in &catalog.schemas {
        text.push_str(&paint.bold(&sanitize::line(&schema.name)));
        if schema.is_default {
            text.push_str(&paint.dim(" (default)"));
        }
        text.push_str(&comment(&schema.comment, paint));
        text.push('\n');
        let others = others::of_schema(schema);
        for (index, relation) in schema.relations.iter().enumerate() {
            let is_last = others.is_empty() && index + 1 == schema.relations.len();
            push_relation(&mut text, &schema.name, relation, is_last, paint);
        }
        push_leaves(&mut text, &others, paint);
    }
    for (title, leaves) in others::beside_schemas(catalog) {
        text.push_str(&format!("{}\n", paint.bold(title)));
        push_leaves(&mut text, &leaves, paint);
    }
    text
}

/// What has nothing below it.
struct Leaf {
    name: String,
    facts: String,
    comment: String,
}

fn push_leaves(text: &mut String, leaves: &[Leaf], paint: Paint) {
    for (index, leaf) in leaves.iter().enumerate() {
        let branch = if index + 1 == leaves.len() { "└── " } else { "├── " };
        text.push_str(&format!(
            "{}{}{}{}\n",
            paint.dim(branch),
            paint.accent(&sanitize::line(&leaf.name)),
            paint.dim(&format!(" ({})", sanitize::line(&leaf.facts))),
            comment(&leaf.comment, paint)
        ));
    }
}

fn push_relation(text: &mut String, schema: &str, relation: &Relation, is_last: bool, paint: Paint) {
    let (branch, trunk) = if is_last { ("└── ", "    ") } else { ("├── ", "│   ") };
    text.push_str(&format!(
        "{}{}{}{}\n",
        paint.dim(branch),
        paint.accent(&sanitize::line(&relation.name)),
        paint.dim(&format!(" ({})", sanitize::line(&facts(relation, schema)))),
        comment(&relation.comment, paint)
    ));
    let name_width = widest(relation.columns.iter().map(|column| sanitize::line(&column.name).width()));
    let type_width =
        widest(relation.columns.iter().map(|column| sanitize::line(&column.database_type).width()));
    let leaves = relation.columns.iter().map(|column| describe_column(column, name_width, type_width));
    let leaves = leaves.chain(relation.keys.iter().filter_map(|key| describe_key(key, schema)));
    let leaves = leaves.chain(relation.indexes.iter().map(describe_index));
    let leaves = leaves.chain(relation.triggers.iter().map(others::describe_trigger));
    let leaves: Vec<_> = leaves.chain(relation.policies.iter().map(others::describe_policy)).collect();
    for (index, leaf) in leaves.iter().enumerate() {
        let branch = if index + 1 == leaves.len() { "└── " } else { "├── " };
        text.push_str(&format!(
            "{}{}\n",
            paint.dim(&format!("{trunk}{branch}")),
            sanitize::line(leaf).trim_end()
        ));
    }
}

fn facts(relation: &Relation, schema: &str) -> String {
    let mut facts = vec![match relation.persistence {
        Some(persistence) => format!("{persistence} {}", relation.kind),
        None => relation.kind.to_owned(),
    }];
    facts.extend(relation.row_estimate.map(|rows| format!("about {}", words::count(rows, "row"))));
    facts.extend(relation.size_bytes.map(words::bytes));
    let mut parents = relation.parents.iter().map(|parent| described(&parent.schema, &parent.name, schema));
    if relation.partition_bound.is_empty() {
        let parents: Vec<_> = parents.collect();
        facts.extend((!parents.is_empty()).then(|| format!("inherits {}", parents.join(", "))));
    } else if let Some(parent) = parents.next() {
        facts.push(format!("partition of {parent} {}", relation.partition_bound));
    }
    if !relation.partition_key.is_empty() {
        facts.push(format!("by {}", relation.partition_key));
    }
    facts.extend(relation.row_security.map(|state| format!("row security {state}")));
    facts.extend(relation.unpopulated.then(|| "never filled".to_owned()));
    facts.join(", ")
}

/// A name from within a schema.
fn described(schema: &str, name: &str, from: &str) -> String {
    match schema.is_empty() || schema == from {
        true => quoted(name).into_owned(),
        false => format!("{}.{}", quoted(schema), quoted(name)),
    }
}

fn widest(widths: impl Iterator<Item = usize>) -> usize {
    widths.max().unwrap_or(0)
}

fn describe_column(column: &Column, name_width: usize, type_width: usize) -> String {
    let mut marks = Vec::new();
    if column.primary_key_position.is_some() {
        marks.push("primary key".to_owned());
    }
    if !column.nullable {
        marks.push("not null".to_owned());
    }
    match column.identity {
        Some("always") => marks.push("identity".to_owned()),
        Some(how) => marks.push(format!("identity {how}")),
        None => {}
    }
    if !column.collation.is_empty() {
        marks.push(format!("collate {}", quoted(&column.collation)));
    }
    match (&column.generated, &column.default_expression) {
        (Some("virtual"), expression) => {
            marks.push(format!("generated when read {}", expression.as_deref().unwrap_or_default()));
        }
        (Some(_), expression) => {
            marks.push(format!("generated {}", expression.as_deref().unwrap_or_default()));
        }
        (None, Some(default)) => marks.push(format!("default {default}")),
        (None, None) => {}
    }
    let comment = if column.comment.is_empty() { String::new() } else { format!("  -- {}", column.comment) };
    let name = padded(&sanitize::line(&column.name), name_width);
    let database_type = padded(&sanitize::line(&column.database_type), type_width);
    format!("{name}  {database_type}  {}{comment}", marks.join(", "))
}

/// A primary key of one column stands at the column already.
fn describe_key(key: &Key, schema: &str) -> Option<String> {
    if key.kind == "primary key" && key.columns.len() == 1 {
        return None;
    }
    if key.kind == "exclusion" {
        // The database's own words begin with its kind.
        return Some(key.definition.clone());
    }
    let mut text = key.kind.to_owned();
    // The expression of a check names its columns itself.
    let names_itself = key.kind == "check" && !key.definition.is_empty();
    if !key.columns.is_empty() && !names_itself {
        text.push_str(&format!(" ({})", list(&key.columns)));
    }
    if let Some(Reference { schema: referenced, relation, columns }) = &key.references {
        text.push_str(&format!(" → {} ({})", described(referenced, relation, schema), list(columns)));
    }
    if !key.definition.is_empty() {
        text.push_str(&format!(" {}", key.definition));
    }
    Some(text)
}

fn describe_index(index: &Index) -> String {
    let kind = if index.unique { "unique index" } else { "index" };
    // Expressions stand among the columns, as the database writes them.
    let mut text = format!("{kind} {} ({})", quoted(&index.name), index.columns.join(", "));
    if !index.included_columns.is_empty() {
        text.push_str(&format!(" including {}", list(&index.included_columns)));
    }
    if !matches!(index.method.as_str(), "" | "btree") {
        text.push_str(&format!(" by {}", index.method));
    }
    if clause(&index.definition, "nulls not distinct").is_some() {
        text.push_str(" nulls not distinct");
    }
    if let Some(predicate) = clause(&index.definition, "where") {
        text.push_str(&format!(" where {}", predicate.split_whitespace().collect::<Vec<_>>().join(" ")));
    }
    if index.invalid {
        text.push_str(", invalid");
    }
    text
}

/// What follows these words of a definition, where they are neither quoted nor within parentheses.
fn clause<'a>(definition: &'a str, words: &str) -> Option<&'a str> {
    // Of the databases that have drivers, this one knows most ways to quote.
    let dialect = Dialect::sqlite();
    let (mut depth, mut wanted) = (0_u32, words.split(' '));
    for token in lex(definition, &dialect) {
        let text = &definition[token.range.clone()];
        match (token.kind, text) {
            (TokenKind::Whitespace | TokenKind::Comment, _) => continue,
            (_, "(") => depth += 1,
            (_, ")") => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0
            && token.kind == TokenKind::Word
            && wanted.next().is_some_and(|word| text.eq_ignore_ascii_case(word))
        {
            if wanted.clone().next().is_none() {
                return Some(&definition[token.range.end..]);
            }
        } else {
            wanted = words.split(' ');
        }
    }
    None
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

/// A name among others: in quotes when it could be taken for more or less than one.
fn quoted(name: &str) -> Cow<'_, str> {
    let is_word = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$'));
    match is_word && !name.is_empty() {
        true => Cow::Borrowed(name),
        false => Cow::Owned(format!("\"{}\"", name.replace('"', "\"\""))),
    }
}

fn comment(comment: &str, paint: Paint) -> String {
    if comment.is_empty() { String::new() } else { paint.dim(&format!("  -- {}", sanitize::line(comment))) }
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use querybox_contracts::plugin::v1::{self as plugin, schema_object::Object};

    use super::*;

    fn catalog() -> Catalog {
        let mut catalog = Catalog::default();
        let relation = |name: &str, kind: plugin::RelationKind| {
            Object::Relation(plugin::Relation {
                schema: "main".into(),
                name: name.into(),
                kind: kind.into(),
                ..plugin::Relation::default()
            })
        };
        let column = |relation: &str, name: &str, database_type: &str, key: u32| {
            Object::Column(plugin::RelationColumn {
                schema: "main".into(),
                relation: relation.into(),
                name: name.into(),
                database_type: database_type.into(),
                nullable: key == 0,
                primary_key_position: key,
                ..plugin::RelationColumn::default()
            })
        };
        let objects = [
            Object::Schema(plugin::Schema {
                name: "main".into(),
                is_default: true,
                ..plugin::Schema::default()
            }),
            relation("orders", plugin::RelationKind::Table),
            relation("totals", plugin::RelationKind::View),
            column("orders", "id", "INTEGER", 1),
            column("orders", "note\x1b", "TEXT", 0),
            column("totals", "total", "", 0),
            Object::Key(plugin::Key {
                schema: "main".into(),
                relation: "orders".into(),
                kind: plugin::KeyKind::Foreign.into(),
                columns: vec!["customer_id".into()],
                referenced_schema: "main".into(),
                referenced_relation: "customers".into(),
                referenced_columns: vec!["id".into()],
                ..plugin::Key::default()
            }),
            Object::Key(plugin::Key {
                schema: "main".into(),
                relation: "orders".into(),
                kind: plugin::KeyKind::Foreign.into(),
                columns: vec!["a, b".into(), "Größe".into()],
                referenced_schema: "my.own".into(),
                referenced_relation: "the \"thing\"".into(),
                referenced_columns: vec!["id".into()],
                ..plugin::Key::default()
            }),
            Object::Index(plugin::Index {
                schema: "main".into(),
                relation: "orders".into(),
                name: "orders_by_note".into(),
                columns: vec!["note".into()],
                ..plugin::Index::default()
            }),
            Object::Index(plugin::Index {
                schema: "main".into(),
                relation: "orders".into(),
                name: "open".into(),
                unique: true,
                columns: vec!["lower(note)".into()],
                definition:
                    "CREATE UNIQUE INDEX open ON main.orders USING btree (lower(note), \"x where y\") \
                             NULLS NOT DISTINCT WHERE ((note <> ' where '::text)\n AND open)"
                        .into(),
                ..plugin::Index::default()
            }),
        ];
        for object in objects {
            catalog.add(plugin::SchemaObject { object: Some(object) });
        }
        catalog
    }

    #[test]
    fn what_belongs_together_stands_together() {
        expect![[r#"
            main (default)
            ├── orders (table)
            │   ├── id        INTEGER  primary key, not null
            │   ├── note\x1b  TEXT
            │   ├── foreign key (customer_id) → customers (id)
            │   ├── foreign key ("a, b", Größe) → "my.own"."the ""thing""" (id)
            │   ├── index orders_by_note (note)
            │   └── unique index open (lower(note)) nulls not distinct where ((note <> ' where '::text) AND open)
            └── totals (view)
                └── total
        "#]]
        .assert_eq(&draw(&catalog(), Paint::OFF));
    }

    #[test]
    fn json_is_nested_alike() {
        let json = serde_json::to_value(catalog()).unwrap();
        assert_eq!(json["schemas"][0]["relations"][0]["columns"][1]["name"], "note\u{1b}");
        assert_eq!(json["schemas"][0]["relations"][0]["keys"][0]["references"]["relation"], "customers");
    }

    #[test]
    fn a_clause_is_found_where_it_is_no_part_of_anything_else() {
        let check = |definition: &str, expected: Option<&str>| {
            assert_eq!(clause(definition, "where").map(str::trim), expected, "{definition}");
        };
        check("create index i on t (a) -- where\nwhere a > 1", Some("a > 1"));
        check("create index \"where\" on [where] (a, 'where')", None);
        check("CREATE INDEX i ON t USING btree (((SELECT WHERE true)))", None);
        check("", None);
        assert_eq!(clause("UNIQUE (a) NULLS DISTINCT", "nulls not distinct"), None);
    }
}
