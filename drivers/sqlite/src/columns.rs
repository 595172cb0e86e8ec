//! Kinds of a result's columns. SQLite has a type per value; a column's kind is the one that its values most likely
//! have, by its declared type and the first row, and what differs is noted cell by cell.

use querybox_plugin::{Column, ColumnKind, TextKind, pb};
use rusqlite::{Connection, Row, Statement, types::Type};

/// The columns of a statement that was stepped once; `first` is its first row, when it has one.
pub(crate) fn columns(statement: &Statement<'_>, first: Option<&Row<'_>>) -> Vec<Column> {
    let described = statement.columns().zip(statement.columns_with_metadata()).enumerate();
    described
        .map(|(index, (column, origin))| {
            let declared = column.decl_type().unwrap_or_default();
            let value = first
                .map(|row| row.get_ref(index).expect("a row has a value for each column").data_type())
                .unwrap_or(Type::Null);
            Column {
                name: column.name().to_owned(),
                database_type: declared.to_owned(),
                kind: kind(declared, value),
                origin_id: match (origin.database_name(), origin.table_name(), origin.origin_name()) {
                    // Names hold any character but NUL.
                    (Some(schema), Some(table), Some(column)) => format!("{schema}\0{table}\0{column}"),
                    _ => String::new(),
                },
            }
        })
        .collect()
}

/// What is known of those columns that come from a table. A fact is of the table's column: an outer join may add NULLs.
pub(crate) fn facts(connection: &Connection, statement: &Statement<'_>) -> Vec<pb::ColumnFact> {
    let mut facts = Vec::new();
    for (index, origin) in statement.columns_with_metadata().enumerate() {
        let (Some(schema), Some(table), Some(column)) =
            (origin.database_name(), origin.table_name(), origin.origin_name())
        else {
            continue;
        };
        let mut fact = pb::ColumnFact {
            column: u32::try_from(index).expect("a result has at most 32,767 columns"),
            origin_schema: schema.to_owned(),
            origin_table: table.to_owned(),
            origin_column: column.to_owned(),
            primary_key: false,
            nullable: None,
        };
        // Not there when the table was changed meanwhile, or is a module's: then nothing more is known.
        if let Ok((_, _, not_null, primary_key, _)) = connection.column_metadata(Some(schema), table, column)
        {
            fact.primary_key = primary_key;
            // A key without NOT NULL is the row's number, or takes NULL by an old habit of SQLite.
            fact.nullable = (not_null || !primary_key).then_some(!not_null);
        }
        facts.push(fact);
    }
    facts
}

/// The kind of a column by its declared type, empty for an expression, and the storage class of its first value.
fn kind(declared: &str, first: Type) -> ColumnKind {
    let declared = declared.to_ascii_uppercase();
    let contains = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    let text = ColumnKind::Text(TextKind::Text);
    if contains(&["JSON"]) {
        return ColumnKind::Text(TextKind::Json);
    }
    // The rules of <https://sqlite.org/datatype3.html#determination_of_column_affinity>, in their order.
    if contains(&["INT"]) {
        ColumnKind::Int64
    } else if contains(&["CHAR", "CLOB", "TEXT"]) {
        text
    } else if contains(&["BLOB"]) {
        ColumnKind::Bytes
    } else if declared.is_empty() {
        match first {
            Type::Null | Type::Text => text,
            Type::Integer => ColumnKind::Int64,
            Type::Real => ColumnKind::Float64Point,
            Type::Blob => ColumnKind::Bytes,
        }
    } else if contains(&["REAL", "FLOA", "DOUB"]) {
        ColumnKind::Float64Point
    } else if contains(&["DEC", "NUM", "MONEY", "CURRENCY"]) {
        ColumnKind::Text(TextKind::Decimal)
    } else {
        // NUMERIC affinity without a number in its name: BOOLEAN, DATE, DATETIME.
        match first {
            Type::Integer if contains(&["BOOL"]) => ColumnKind::Int64,
            Type::Integer | Type::Real => ColumnKind::Text(TextKind::Decimal),
            Type::Null | Type::Text | Type::Blob => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declared_type_decides_and_the_first_value_where_it_does_not() {
        let text = || ColumnKind::Text(TextKind::Text);
        let decimal = || ColumnKind::Text(TextKind::Decimal);
        for (declared, first, expected) in [
            ("INTEGER", Type::Text, ColumnKind::Int64),
            ("bigint", Type::Null, ColumnKind::Int64),
            // SQLite's own surprise: INT comes first.
            ("FLOATING POINT", Type::Real, ColumnKind::Int64),
            ("VARCHAR(20)", Type::Integer, text()),
            ("BLOB", Type::Null, ColumnKind::Bytes),
            ("DOUBLE PRECISION", Type::Null, ColumnKind::Float64Point),
            ("DECIMAL(10,2)", Type::Null, decimal()),
            ("NUMERIC", Type::Text, decimal()),
            ("BOOLEAN", Type::Integer, ColumnKind::Int64),
            ("DATE", Type::Text, text()),
            ("DATETIME", Type::Real, decimal()),
            ("TIMESTAMP", Type::Integer, decimal()),
            ("JSON", Type::Text, ColumnKind::Text(TextKind::Json)),
            ("", Type::Null, text()),
            ("", Type::Text, text()),
            ("", Type::Integer, ColumnKind::Int64),
            ("", Type::Real, ColumnKind::Float64Point),
            ("", Type::Blob, ColumnKind::Bytes),
        ] {
            assert_eq!(kind(declared, first), expected, "{declared} {first:?}");
        }
    }
}
