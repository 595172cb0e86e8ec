//! The statements that make objects again: SQLite keeps the text of each.

use futures::executor::block_on;
use querybox_plugin::{DdlStatements, SchemaError, pb, pb::SchemaObjectKind as Kind};

use super::{
    Stop,
    catalog::{self, Entry},
};
use crate::{execute::Fault, open::Database};

/// Tells the statements of objects in the order in which they are asked for.
pub(crate) fn tell(
    database: &Database,
    objects: &[pb::ObjectRef],
    statements: DdlStatements,
) -> Result<(), SchemaError> {
    tell_all(database, objects, statements).map_err(|stop| match stop {
        Stop::Listener(error) => error,
        Stop::Sqlite(error) => match database.fault(&error) {
            Fault::Refused(rejection) => SchemaError::Rejected(rejection),
            Fault::Failed(error) => error.into(),
        },
    })
}

fn tell_all(
    database: &Database,
    objects: &[pb::ObjectRef],
    mut statements: DdlStatements,
) -> Result<(), Stop> {
    let mut schemas = catalog::schemas(&database.connection)?;
    // Where unqualified names are looked up: in temp first, then in main, then in what is attached.
    schemas.sort_by_key(|schema| schema != "temp");
    for (place, object) in (0_u32..).zip(objects) {
        let asked = |schema: &&String| object.schema.is_empty() || object.schema == **schema;
        for schema in schemas.iter().filter(asked) {
            let entries = catalog::entries(&database.connection, schema, &object.name)?;
            if let Some(ddl) = ddl(object, schema, &entries) {
                block_on(statements.tell(pb::Ddl { object: place, ..ddl }))?;
                break;
            }
        }
    }
    block_on(statements.flush())?;
    Ok(())
}

/// The statements of an object, if it is among the entries of its name.
fn ddl(object: &pb::ObjectRef, schema: &str, entries: &[Entry]) -> Option<pb::Ddl> {
    let is_asked_for = |entry: &&Entry| {
        let kind = kind(entry);
        entry.name == object.name
            && (object.kind() == kind || object.kind() == Kind::Unspecified && kind != Kind::Trigger)
            && (object.relation.is_empty() || object.relation == entry.table)
    };
    let entry = entries.iter().find(is_asked_for)?;
    let mut ddl = pb::Ddl {
        found: Some(pb::ObjectRef {
            kind: kind(entry).into(),
            schema: schema.to_owned(),
            relation: if kind(entry) == Kind::Relation { String::new() } else { entry.table.clone() },
            name: entry.name.clone(),
            arguments: None,
        }),
        ..pb::Ddl::default()
    };
    match &entry.sql {
        Some(sql) => push(&mut ddl.sql, sql),
        None => ddl.left_out.push("all of it: a constraint of its table makes it".to_owned()),
    }
    if kind(entry) == Kind::Relation {
        for part in entries.iter().filter(|part| part.table == entry.name && part.name != entry.name) {
            let Some(sql) = &part.sql else { continue };
            let is_trigger = kind(part) == Kind::Trigger;
            push(if is_trigger { &mut ddl.ties_sql } else { &mut ddl.sql }, sql);
        }
    }
    // The text that SQLite keeps does not say where the object is.
    match schema {
        "main" => {}
        "temp" => ddl.left_out.push("that it is temporary".to_owned()),
        attached => ddl.left_out.push(format!("that it is in the schema {attached}")),
    }
    Some(ddl)
}

fn kind(entry: &Entry) -> Kind {
    match entry.kind.as_str() {
        "index" => Kind::Index,
        "trigger" => Kind::Trigger,
        _ => Kind::Relation,
    }
}

fn push(script: &mut String, sql: &str) {
    script.push_str(sql);
    // A comment at the end would take the semicolon with it.
    script.push_str(if sql.contains("--") { "\n;\n" } else { ";\n" });
}
