//! What belongs to relations beside columns: keys, indexes, triggers and policies.

use querybox_plugin::{Error, pb};

use super::{
    columns::Columns,
    filter::{comment, visible_relations},
    reading::Row,
    relations::Relations,
};
use crate::connection::out_of_order;

/// For a server of this major version.
pub(super) fn keys(version: u32) -> String {
    // A foreign key that points to a partitioned table has a copy for each partition. They came with version 12.
    let is_no_copy = match version {
        11.. => {
            "NOT EXISTS (SELECT FROM pg_catalog.pg_constraint o
                         WHERE o.oid = k.conparentid AND o.conrelid = k.conrelid)"
        }
        _ => "true",
    };
    let not_enforced = if version >= 18 { "NOT k.conenforced" } else { "false" };
    format!(
        "SELECT k.conrelid, k.conname, k.contype, k.conkey,
                rn.nspname, r.relname, k.confrelid, k.confkey,
                CASE WHEN k.contype = 'f' AND NOT ({referenced_visible}) THEN ARRAY(
                  SELECT a.attname FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS p (attribute, place)
                  JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = p.attribute
                  ORDER BY p.place) END,
                CASE k.contype
                  WHEN 'c' THEN pg_catalog.concat_ws(' ', pg_catalog.pg_get_expr(k.conbin, k.conrelid),
                    CASE WHEN k.connoinherit THEN 'NO INHERIT' END)
                  WHEN 'x' THEN pg_catalog.pg_get_constraintdef(k.oid)
                  WHEN 'f' THEN pg_catalog.concat_ws(' ',
                    CASE k.confmatchtype WHEN 'f' THEN 'MATCH FULL' END,
                    CASE k.confupdtype WHEN 'r' THEN 'ON UPDATE RESTRICT' WHEN 'c' THEN 'ON UPDATE CASCADE'
                      WHEN 'n' THEN 'ON UPDATE SET NULL' WHEN 'd' THEN 'ON UPDATE SET DEFAULT' END,
                    CASE k.confdeltype WHEN 'r' THEN 'ON DELETE RESTRICT' WHEN 'c' THEN 'ON DELETE CASCADE'
                      WHEN 'n' THEN 'ON DELETE SET NULL' WHEN 'd' THEN 'ON DELETE SET DEFAULT' END)
                END,
                k.condeferrable, k.condeferred, NOT k.convalidated, {not_enforced}, NOT k.conislocal,
                d.description
         FROM pg_catalog.pg_constraint k
         JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
         LEFT JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
         {comment}
         WHERE k.contype IN ('p', 'u', 'f', 'c', 'x') AND {is_no_copy} AND {visible}
         ORDER BY k.conrelid, k.contype = 'p' DESC, k.conname",
        referenced_visible = visible_relations("r", "rn"),
        comment = comment("pg_constraint", "k.oid"),
        visible = visible_relations("c", "n"),
    )
}

/// `None`: its relation is not known.
pub(super) fn key(
    row: &mut Row<'_>,
    relations: &Relations,
    columns: &Columns,
) -> Result<Option<pb::Key>, Error> {
    let oid = row.number()?;
    let mut key = pb::Key { name: row.text()?, ..pb::Key::default() };
    let kind = match row.letter()? {
        b'p' => pb::KeyKind::Primary,
        b'u' => pb::KeyKind::Unique,
        b'f' => pb::KeyKind::Foreign,
        b'c' => pb::KeyKind::Check,
        b'x' => pb::KeyKind::Exclusion,
        // The query asks for no other.
        _ => return Err(out_of_order()),
    };
    key.set_kind(kind);
    key.columns = names(columns, oid, &row.attributes()?);
    (key.referenced_schema, key.referenced_relation) = (row.text()?, row.text()?);
    let referenced = row.number()?;
    let attributes = row.attributes()?;
    let outside = row.texts()?;
    key.referenced_columns =
        if outside.is_empty() { names(columns, referenced, &attributes) } else { outside };
    let rest = row.text()?;
    let (is_deferrable, is_deferred) = (row.flag()?, row.flag()?);
    key.set_deferral(match (is_deferrable, is_deferred) {
        (false, _) => pb::Deferral::Unspecified,
        (true, false) => pb::Deferral::Deferrable,
        (true, true) => pb::Deferral::Deferred,
    });
    (key.not_validated, key.not_enforced, key.inherited) = (row.flag()?, row.flag()?, row.flag()?);
    key.comment = row.text()?;
    key.definition = definition(&key, rest);
    let Some((schema, relation)) = relations.get(oid) else { return Ok(None) };
    (key.schema, key.relation) = (schema, relation);
    Ok(Some(key))
}

fn definition(key: &pb::Key, rest: String) -> String {
    if key.kind() == pb::KeyKind::Exclusion {
        // The server's own text says all of it.
        return rest;
    }
    let words = [
        (!rest.is_empty(), rest.as_str()),
        (key.deferral() != pb::Deferral::Unspecified, "DEFERRABLE"),
        (key.deferral() == pb::Deferral::Deferred, "INITIALLY DEFERRED"),
        (key.not_enforced, "NOT ENFORCED"),
        // Nothing that is not enforced is validated.
        (key.not_validated && !key.not_enforced, "NOT VALID"),
    ];
    words.iter().filter_map(|(is_so, word)| is_so.then_some(*word)).collect::<Vec<_>>().join(" ")
}

/// Names of columns; an expression (0) has none.
fn names(columns: &Columns, relation: u32, attributes: &[i16]) -> Vec<String> {
    attributes.iter().filter_map(|attribute| columns.name(relation, *attribute)).map(str::to_owned).collect()
}

/// For a server of this major version.
pub(super) fn indexes(version: u32) -> String {
    // Columns that are only stored beside the key came with version 11.
    let key_columns = if version >= 11 { "i.indnkeyatts" } else { "i.indnatts" };
    format!(
        "SELECT i.indrelid, x.relname, i.indisunique, i.indkey, {key_columns},
                CASE WHEN i.indexprs IS NOT NULL THEN ARRAY(
                  SELECT pg_catalog.pg_get_indexdef(i.indexrelid, place::pg_catalog.int4, true)
                  FROM pg_catalog.generate_series(1, {key_columns}) AS p (place) ORDER BY place) END,
                pg_catalog.pg_get_indexdef(i.indexrelid), k.conname, i.indisprimary, NOT i.indisvalid,
                m.amname, CASE WHEN $5 AND x.relkind = 'i' THEN pg_catalog.pg_relation_size(x.oid) END,
                d.description
         FROM pg_catalog.pg_index i
         JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
         JOIN pg_catalog.pg_am m ON m.oid = x.relam
         JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_catalog.pg_constraint k
           ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
         {comment}
         WHERE {visible}
         ORDER BY i.indrelid, x.relname",
        comment = comment("pg_class", "x.oid"),
        visible = visible_relations("c", "n"),
    )
}

/// `None`: its relation is not known.
pub(super) fn index(
    row: &mut Row<'_>,
    relations: &Relations,
    columns: &Columns,
) -> Result<Option<pb::Index>, Error> {
    let oid = row.number()?;
    let mut index = pb::Index { name: row.text()?, unique: row.flag()?, ..pb::Index::default() };
    let attributes = row.attributes()?;
    let key_count = usize::min(row.number()?, attributes.len());
    let mut expressions = row.texts()?;
    let (key, included) = attributes.split_at(key_count);
    for (place, attribute) in key.iter().enumerate() {
        let name = match columns.name(oid, *attribute) {
            Some(name) => name.to_owned(),
            None => expressions.get_mut(place).map(std::mem::take).unwrap_or_default(),
        };
        index.columns.push(name);
    }
    index.included_columns = names(columns, oid, included);
    index.definition = row.text()?;
    index.key = row.text()?;
    (index.primary, index.invalid) = (row.flag()?, row.flag()?);
    index.method = row.text()?;
    index.size_bytes = row.optional_number()?;
    index.comment = row.text()?;
    let Some((schema, relation)) = relations.get(oid) else { return Ok(None) };
    (index.schema, index.relation) = (schema, relation);
    Ok(Some(index))
}

pub(super) fn triggers() -> String {
    format!(
        "SELECT t.tgrelid, t.tgname, pg_catalog.pg_get_triggerdef(t.oid), t.tgenabled, fn.nspname, f.proname,
                d.description
         FROM pg_catalog.pg_trigger t
         JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_catalog.pg_proc f ON f.oid = t.tgfoid
         LEFT JOIN pg_catalog.pg_namespace fn ON fn.oid = f.pronamespace
         {comment}
         WHERE NOT t.tgisinternal AND {visible}
         ORDER BY t.tgrelid, t.tgname",
        comment = comment("pg_trigger", "t.oid"),
        visible = visible_relations("c", "n"),
    )
}

/// `None`: its relation is not known.
pub(super) fn trigger(row: &mut Row<'_>, relations: &Relations) -> Result<Option<pb::Trigger>, Error> {
    let oid = row.number()?;
    let trigger = pb::Trigger {
        name: row.text()?,
        definition: row.text()?,
        state: match row.letter()? {
            b'D' => pb::TriggerState::Disabled,
            b'R' => pb::TriggerState::Replica,
            b'A' => pb::TriggerState::Always,
            _ => pb::TriggerState::Unspecified,
        }
        .into(),
        function_schema: row.text()?,
        function: row.text()?,
        comment: row.text()?,
        ..pb::Trigger::default()
    };
    Ok(relations.get(oid).map(|(schema, relation)| pb::Trigger { schema, relation, ..trigger }))
}

pub(super) fn policies() -> String {
    format!(
        "SELECT p.polrelid, p.polname,
                CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                  WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                NOT p.polpermissive,
                CASE WHEN 0 = ANY (p.polroles) THEN '{{public}}'::pg_catalog.name[] ELSE ARRAY(
                  SELECT r.rolname FROM pg_catalog.pg_roles r WHERE r.oid = ANY (p.polroles) ORDER BY 1) END,
                pg_catalog.pg_get_expr(p.polqual, p.polrelid),
                pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), d.description
         FROM pg_catalog.pg_policy p
         JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         {comment}
         WHERE {visible}
         ORDER BY p.polrelid, p.polname",
        comment = comment("pg_policy", "p.oid"),
        visible = visible_relations("c", "n"),
    )
}

/// `None`: its relation is not known.
pub(super) fn policy(row: &mut Row<'_>, relations: &Relations) -> Result<Option<pb::Policy>, Error> {
    let oid = row.number()?;
    let policy = pb::Policy {
        name: row.text()?,
        command: row.text()?,
        restrictive: row.flag()?,
        roles: row.texts()?,
        using_expression: row.optional()?,
        check_expression: row.optional()?,
        comment: row.text()?,
        ..pb::Policy::default()
    };
    Ok(relations.get(oid).map(|(schema, relation)| pb::Policy { schema, relation, ..policy }))
}
