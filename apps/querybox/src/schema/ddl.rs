//! `querybox schema --ddl`: the statements that make again what a connection's database holds.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap},
};

use querybox_contracts::{
    core::v1::{self as core, get_ddl_response::Part, schema_service_client::SchemaServiceClient},
    plugin::v1::{self as plugin, SchemaObjectKind as Kind},
};
use serde::Serialize;
use tonic::Status;
use uuid::Uuid;

use super::model::Catalog;
use crate::composition::{Channel, MESSAGE_BYTES_MAX};

/// Objects of one request, by the contract.
const OBJECTS_MAX: usize = 1000;

/// The statements of one object.
#[derive(Debug, Serialize)]
pub(crate) struct Statements {
    pub schema: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<String>,
    pub sql: String,
    pub ties_sql: String,
    pub left_out: Vec<String>,
    #[serde(skip)]
    key: Key,
    #[serde(skip)]
    needs: Vec<Key>,
}

/// What tells an object from all others: its kind, schema, name and arguments.
type Key = (i32, String, String, Option<String>);

fn key(object: plugin::ObjectRef) -> Key {
    let plugin::ObjectRef { kind, schema, name, arguments, .. } = object;
    (kind, schema, name, arguments)
}

/// Everything in a catalog that stands by itself, what others are mostly made of first. What an extension has brought comes with the
/// extension, and a sequence of a column with its table.
pub(crate) fn objects(catalog: &Catalog) -> Vec<plugin::ObjectRef> {
    let object = |kind: Kind, schema: &str, name: &str| plugin::ObjectRef {
        kind: kind.into(),
        schema: schema.to_owned(),
        name: name.to_owned(),
        ..plugin::ObjectRef::default()
    };
    let mut ranked = Vec::new();
    for it in &catalog.extensions {
        ranked.push((1, object(Kind::Extension, "", &it.name)));
    }
    for schema in &catalog.schemas {
        if schema.is_listed && schema.extension.is_empty() {
            ranked.push((0, object(Kind::Schema, "", &schema.name)));
        }
        for it in schema.types.iter().filter(|it| it.extension.is_empty()) {
            ranked.push((2, object(Kind::Type, &schema.name, &it.name)));
        }
        for it in schema.sequences.iter().filter(|it| it.extension.is_empty() && it.owned_by.is_none()) {
            ranked.push((3, object(Kind::Sequence, &schema.name, &it.name)));
        }
        for it in schema.routines.iter().filter(|it| it.extension.is_empty()) {
            let arguments = Some(it.identity_arguments.clone());
            let routine = plugin::ObjectRef { arguments, ..object(Kind::Routine, &schema.name, &it.name) };
            // Behind all that they may speak of: databases look into the texts of some.
            ranked.push((8, routine));
        }
        for it in schema.relations.iter().filter(|it| it.extension.is_empty()) {
            let rank = match (it.kind, it.partition_bound.is_empty() && !it.parents.is_empty()) {
                ("view" | "materialized view", _) => 7,
                // Its parents are named in its own statement.
                (_, true) => 6,
                (_, false) => 5,
            };
            ranked.push((rank, object(Kind::Relation, &schema.name, &it.name)));
        }
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, object)| object).collect()
}

/// What the database answered.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub statements: Vec<Statements>,
    /// What was listed and not found again, by name: somebody dropped it meanwhile, or its name is no text.
    pub lost: Vec<String>,
    /// The database refused to tell more.
    pub rejection: Option<plugin::Rejection>,
}

/// Asks for the statements of objects.
pub(crate) async fn read(
    client: SchemaServiceClient<Channel>,
    connection: &core::ConnectionRef,
    credential: Option<plugin::Credential>,
    objects: Vec<plugin::ObjectRef>,
) -> Result<Told, Status> {
    let mut client = client.max_decoding_message_size(MESSAGE_BYTES_MAX);
    let mut told = Told::default();
    for objects in objects.chunks(OBJECTS_MAX) {
        let request = core::GetDdlRequest {
            session_id: Uuid::now_v7().to_string(),
            connection: Some(connection.clone()),
            objects: objects.to_vec(),
            credential: credential.clone(),
        };
        let mut found = vec![false; objects.len()];
        let mut parts = client.get_ddl(request).await?.into_inner();
        while let Some(response) = parts.message().await? {
            match response.part {
                Some(Part::Ddl(part)) => {
                    for ddl in &part.ddl {
                        if let Some(found) = found.get_mut(ddl.object as usize) {
                            *found = true;
                        }
                    }
                    told.statements.extend(part.ddl.into_iter().map(statements));
                    told.rejection = told.rejection.or(part.rejection);
                }
                Some(Part::Rejection(rejection)) => told.rejection = Some(rejection),
                None => {}
            }
        }
        if told.rejection.is_some() {
            break;
        }
        let lost = objects.iter().zip(found).filter(|(_, found)| !found);
        told.lost.extend(lost.map(|(object, _)| match object.schema.as_str() {
            "" => object.name.clone(),
            schema => format!("{schema}.{}", object.name),
        }));
    }
    told.statements = by_needs(told.statements);
    Ok(told)
}

fn statements(ddl: plugin::Ddl) -> Statements {
    let key = key(ddl.found.unwrap_or_default());
    let (_, schema, name, arguments) = key.clone();
    let needs = ddl.needs.into_iter().map(self::key).collect();
    Statements {
        schema,
        name,
        arguments,
        sql: ddl.sql,
        ties_sql: ddl.ties_sql,
        left_out: ddl.left_out,
        key,
        needs,
    }
}

/// Each object behind what it needs, and else as they stand. In a circle the first one goes first.
fn by_needs(statements: Vec<Statements>) -> Vec<Statements> {
    let places: HashMap<&Key, usize> =
        statements.iter().enumerate().map(|(place, it)| (&it.key, place)).collect();
    let mut waiting = vec![0_usize; statements.len()];
    let mut needed_by = vec![Vec::new(); statements.len()];
    for (place, it) in statements.iter().enumerate() {
        for needed in it.needs.iter().filter_map(|key| places.get(key)).filter(|needed| **needed != place) {
            waiting[place] += 1;
            needed_by[*needed].push(place);
        }
    }
    let mut ready: BinaryHeap<_> =
        (0..statements.len()).filter(|place| waiting[*place] == 0).map(Reverse).collect();
    let needs: Vec<Vec<usize>> = statements
        .iter()
        .map(|it| it.needs.iter().filter_map(|key| places.get(key)).copied().collect())
        .collect();
    let mut objects: Vec<_> = statements.into_iter().map(Some).collect();
    let mut ordered = Vec::with_capacity(objects.len());
    while let Some(place) = ready.pop().map(|Reverse(place)| place).or_else(|| circle(&objects, &needs)) {
        let Some(it) = objects[place].take() else { continue };
        ordered.push(it);
        for &behind in &needed_by[place] {
            waiting[behind] -= 1;
            if waiting[behind] == 0 {
                ready.push(Reverse(behind));
            }
        }
    }
    ordered
}

/// One of the objects that need each other, when all that are left wait for one another. None: none is left.
fn circle(objects: &[Option<Statements>], needs: &[Vec<usize>]) -> Option<usize> {
    let mut place = objects.iter().position(Option::is_some)?;
    let mut passed = vec![false; objects.len()];
    while !passed[place] {
        passed[place] = true;
        let next = needs[place].iter().find(|needed| **needed != place && objects[**needed].is_some());
        place = next.copied()?;
    }
    Some(place)
}

/// A script that makes everything: first the objects, then what ties them to one another.
pub(crate) fn script(statements: &[Statements]) -> String {
    let objects = statements.iter().map(|it| it.sql.as_str());
    let ties = statements.iter().map(|it| it.ties_sql.as_str());
    objects.chain(ties).filter(|sql| !sql.is_empty()).collect::<Vec<_>>().join("\n")
}

/// What the statements leave out, in a sentence: each thing with the number of objects that have it. None: nothing.
pub(crate) fn left_out(statements: &[Statements]) -> Option<String> {
    let mut counts = BTreeMap::<&str, usize>::new();
    for words in statements.iter().flat_map(|it| &it.left_out) {
        *counts.entry(words).or_default() += 1;
    }
    let told: Vec<_> = counts
        .into_iter()
        .map(|(words, count)| if count > 1 { format!("{words} ({count} times)") } else { words.to_owned() })
        .collect();
    (!told.is_empty()).then(|| format!("left out: {}", told.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str, needs: &[&str]) -> Statements {
        let named = |name: &str| plugin::ObjectRef { name: name.to_owned(), ..plugin::ObjectRef::default() };
        statements(plugin::Ddl {
            found: Some(named(name)),
            needs: needs.iter().map(|name| named(name)).collect(),
            ..plugin::Ddl::default()
        })
    }

    fn names(statements: Vec<Statements>) -> String {
        by_needs(statements).into_iter().map(|it| it.name).collect()
    }

    #[test]
    fn what_is_needed_goes_first_and_the_rest_stays() {
        assert_eq!(names(vec![object("a", &["c"]), object("b", &[]), object("c", &["x"])]), "bca");
        assert_eq!(names(vec![object("a", &["b"]), object("b", &["c"]), object("c", &[])]), "cba");
        assert_eq!(names(vec![object("a", &["a"]), object("b", &["a", "a"])]), "ab");
        assert_eq!(names(Vec::new()), "");
    }

    #[test]
    fn a_circle_is_told_whole() {
        assert_eq!(
            names(vec![object("d", &["b"]), object("b", &["c"]), object("c", &["b"]), object("a", &[])]),
            "abdc"
        );
    }
}
