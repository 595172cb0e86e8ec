//! What the database holds, from its catalog: one query for each kind of object, told row by row.

mod queries;

use postgres_protocol::message::frontend;
use querybox_plugin::{
    Error, SchemaError, SchemaObjects,
    pb::{self, SchemaObjectKind as Kind, schema_object::Object},
};

use crate::{
    connection::{Answer, Connection, out_of_order},
    decode::Encoding,
    message::parse_texts,
    rejection::Refusal,
};
use queries::Filter;

/// Tells the objects that are asked for, a parent before what belongs to it.
pub(crate) async fn tell(
    connection: &mut Connection,
    request: &pb::GetSchemaRequest,
    mut objects: SchemaObjects,
) -> Result<(), SchemaError> {
    let filter = Filter::new(request)?;
    if objects.wants(Kind::Schema) {
        let mut rows = Rows::begin(connection, queries::SCHEMAS, &filter).await?;
        while let Some(mut row) = rows.next().await? {
            objects.tell(Object::Schema(schema(&mut row)?)).await?;
        }
        objects.flush().await?;
    }
    if objects.wants(Kind::Relation) {
        let mut rows = Rows::begin(connection, queries::RELATIONS, &filter).await?;
        while let Some(mut row) = rows.next().await? {
            objects.tell(Object::Relation(relation(&mut row)?)).await?;
        }
        objects.flush().await?;
    }
    if objects.wants(Kind::Column) {
        let sql = queries::columns(connection.reported.major_version());
        let mut rows = Rows::begin(connection, &sql, &filter).await?;
        while let Some(mut row) = rows.next().await? {
            objects.tell(Object::Column(column(&mut row)?)).await?;
        }
        objects.flush().await?;
    }
    if objects.wants(Kind::Key) {
        tell_keys(connection, &filter, &mut objects).await?;
    }
    if objects.wants(Kind::Index) {
        tell_indexes(connection, &filter, &mut objects).await?;
    }
    Ok(())
}

/// Keys come one row a column, told apart by their first value.
async fn tell_keys(
    connection: &mut Connection,
    filter: &Filter,
    objects: &mut SchemaObjects,
) -> Result<(), SchemaError> {
    let mut rows = Rows::begin(connection, queries::KEYS, filter).await?;
    let mut last: Option<(String, pb::Key)> = None;
    while let Some(mut row) = rows.next().await? {
        let id = row.text()?;
        let (key, column, referenced) = key(&mut row)?;
        if !matches!(&last, Some((last_id, _)) if *last_id == id)
            && let Some((_, whole)) = last.replace((id, key))
        {
            objects.tell(Object::Key(whole)).await?;
        }
        if let Some((_, key)) = &mut last {
            key.columns.extend(column);
            key.referenced_columns.extend(referenced);
        }
    }
    if let Some((_, key)) = last {
        objects.tell(Object::Key(key)).await?;
    }
    objects.flush().await
}

/// Indexes come as keys do.
async fn tell_indexes(
    connection: &mut Connection,
    filter: &Filter,
    objects: &mut SchemaObjects,
) -> Result<(), SchemaError> {
    let sql = queries::indexes(connection.reported.major_version());
    let mut rows = Rows::begin(connection, &sql, filter).await?;
    let mut last: Option<(String, pb::Index)> = None;
    while let Some(mut row) = rows.next().await? {
        let id = row.text()?;
        let (index, column) = index(&mut row)?;
        if !matches!(&last, Some((last_id, _)) if *last_id == id)
            && let Some((_, whole)) = last.replace((id, index))
        {
            objects.tell(Object::Index(whole)).await?;
        }
        if let Some((_, index)) = &mut last {
            index.columns.extend(column);
        }
    }
    if let Some((_, index)) = last {
        objects.tell(Object::Index(index)).await?;
    }
    objects.flush().await
}

fn schema(row: &mut Row) -> Result<pb::Schema, Error> {
    Ok(pb::Schema {
        name: row.text()?,
        is_default: row.flag()?,
        comment: row.text()?,
        ..pb::Schema::default()
    })
}

fn relation(row: &mut Row) -> Result<pb::Relation, Error> {
    Ok(pb::Relation {
        schema: row.text()?,
        name: row.text()?,
        kind: match row.text()?.as_str() {
            "r" => pb::RelationKind::Table,
            "v" => pb::RelationKind::View,
            "m" => pb::RelationKind::MaterializedView,
            "f" => pb::RelationKind::ForeignTable,
            "p" => pb::RelationKind::PartitionedTable,
            // The query asks for no other.
            _ => return Err(out_of_order()),
        }
        .into(),
        row_estimate: row.optional()?.map(|rows| rows.parse().map_err(|_| out_of_order())).transpose()?,
        comment: row.text()?,
        ..pb::Relation::default()
    })
}

fn column(row: &mut Row) -> Result<pb::RelationColumn, Error> {
    Ok(pb::RelationColumn {
        schema: row.text()?,
        relation: row.text()?,
        name: row.text()?,
        position: row.number()?,
        database_type: row.text()?,
        nullable: row.flag()?,
        default_expression: row.optional()?,
        generated: if row.flag()? { pb::Generated::Stored } else { pb::Generated::Unspecified }.into(),
        primary_key_position: row.number()?,
        comment: row.text()?,
        ..pb::RelationColumn::default()
    })
}

/// A key without its columns; one of these, and the one that it points to.
fn key(row: &mut Row) -> Result<(pb::Key, Option<String>, Option<String>), Error> {
    let key = pb::Key {
        schema: row.text()?,
        relation: row.text()?,
        name: row.text()?,
        kind: match row.text()?.as_str() {
            "p" => pb::KeyKind::Primary,
            "u" => pb::KeyKind::Unique,
            "f" => pb::KeyKind::Foreign,
            "c" => pb::KeyKind::Check,
            // The query asks for no other.
            _ => return Err(out_of_order()),
        }
        .into(),
        columns: Vec::new(),
        referenced_schema: row.text()?,
        referenced_relation: row.text()?,
        referenced_columns: Vec::new(),
        definition: row.text()?,
        ..pb::Key::default()
    };
    Ok((key, row.optional()?, row.optional()?))
}

/// An index without its columns; one of these.
fn index(row: &mut Row) -> Result<(pb::Index, Option<String>), Error> {
    let index = pb::Index {
        schema: row.text()?,
        relation: row.text()?,
        name: row.text()?,
        unique: row.flag()?,
        columns: Vec::new(),
        definition: row.text()?,
        ..pb::Index::default()
    };
    Ok((index, row.optional()?))
}

/// The rows of a catalog query, while they come.
struct Rows<'a> {
    connection: &'a mut Connection,
}

impl<'a> Rows<'a> {
    async fn begin(connection: &'a mut Connection, sql: &str, filter: &Filter) -> Result<Self, SchemaError> {
        connection.put(|output| frontend::parse("", sql, [], output))?;
        connection.put_bind(filter.values(), [])?;
        connection.put(|output| frontend::execute("", 0, output))?;
        connection.put_sync();
        connection.wire.send().await?;
        Ok(Self { connection })
    }

    async fn next(&mut self) -> Result<Option<Row>, SchemaError> {
        let mut refusal: Option<Refusal> = None;
        loop {
            match self.connection.answer().await? {
                Answer::Row(head) => {
                    let row =
                        Row::parse(self.connection.wire.body(head), self.connection.reported.encoding())?;
                    self.connection.wire.consume(head);
                    return Ok(Some(row));
                }
                Answer::Refused(fatal) if fatal.is_fatal() => {
                    return Err(Error::lost(fatal.message()).into());
                }
                Answer::Refused(refused) => refusal = Some(refused),
                Answer::Ready => {
                    let Some(refusal) = refusal else { return Ok(None) };
                    let Connection { reported, transaction, .. } = &*self.connection;
                    // Its position counts in the driver's own query, which nobody sees.
                    let rejection = refusal.of_statement("", reported.counting(), *transaction);
                    let rejection = pb::Rejection { position_byte: None, ..rejection };
                    return Err(SchemaError::Rejected(Box::new(rejection)));
                }
                Answer::CopyData(_) | Answer::Fields(_) => return Err(out_of_order().into()),
                Answer::Notice(_) | Answer::Other(_) => {}
            }
        }
    }
}

/// One row: texts, taken in order.
struct Row {
    values: std::vec::IntoIter<Option<String>>,
}

impl Row {
    fn parse(body: &[u8], encoding: Encoding) -> Result<Self, Error> {
        Ok(Self { values: parse_texts(body, encoding)?.into_iter() })
    }

    fn optional(&mut self) -> Result<Option<String>, Error> {
        self.values.next().ok_or_else(out_of_order)
    }

    /// A text; NULL is an empty one.
    fn text(&mut self) -> Result<String, Error> {
        Ok(self.optional()?.unwrap_or_default())
    }

    fn flag(&mut self) -> Result<bool, Error> {
        Ok(self.optional()?.as_deref() == Some("t"))
    }

    fn number(&mut self) -> Result<u32, Error> {
        self.text()?.parse().map_err(|_| out_of_order())
    }
}
