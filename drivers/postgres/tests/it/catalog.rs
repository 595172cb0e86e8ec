//! Every kind of object of a catalog, on whatever version the server is.

use querybox_fixtures::Postgres;
use querybox_plugin::pb::{self, GetSchemaRequest, SchemaObjectKind as Kind, schema_object::Object};

use crate::server::{ends, open};

/// One of everything, with names and texts that are hard to quote.
pub(crate) const ZOO: &str = include_str!("zoo.sql");

async fn told(server: &Postgres, request: GetSchemaRequest) -> Vec<Object> {
    open(server).await.schema(request).await.unwrap()
}

fn of(schema: &str, kinds: &[Kind]) -> GetSchemaRequest {
    GetSchemaRequest {
        schemas: vec![schema.into()],
        kinds: kinds.iter().map(|kind| i32::from(*kind)).collect(),
        ..GetSchemaRequest::default()
    }
}

macro_rules! of_kind {
    ($objects:expr, $kind:ident) => {
        $objects.iter().filter_map(|object| match object {
            Object::$kind(it) => Some(it),
            _ => None,
        })
    };
}

#[tokio::test]
async fn relations_are_told_with_parents_bounds_and_owners() {
    let server = Postgres::start();
    server.psql(ZOO);
    let request = GetSchemaRequest { include_sizes: true, ..of("zoo", &[Kind::Relation]) };
    let objects = told(&server, request).await;
    let find = |name: &str| of_kind!(objects, Relation).find(|it| it.name == name).unwrap();
    let rest = find("log_rest");
    assert_eq!((rest.partition_bound.as_str(), rest.partition_key.as_str()), ("DEFAULT", "LIST (id)"));
    assert_eq!(rest.parents, [pb::RelationName { schema: "zoo".into(), name: "log".into() }]);
    assert_eq!(find("log_2020").partition_bound, "FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')");
    assert_eq!(find("child").parents, [pb::RelationName { schema: "zoo".into(), name: "base".into() }]);
    assert_eq!(
        (find("keeper").owner.as_str(), find("keeper").comment.as_str()),
        ("postgres", "who feeds\nthem")
    );
    assert!(find("keeper").size_bytes.unwrap() >= 8192, "its TOAST table has an index");
    assert_eq!(find("named").size_bytes, None);
    assert_eq!(find("fast").persistence(), pb::Persistence::Unlogged);
    assert_eq!(find("animal").row_security(), pb::RowSecurity::Forced);
    assert!(find("counts").unpopulated);
    assert_eq!((find("far").kind(), find("far").source.as_str()), (pb::RelationKind::ForeignTable, "far"));
    assert_eq!(of_kind!(objects, Relation).filter(|it| it.name == "odd\nname\"quoted").count(), 1);

    let sizes = told(&server, of("zoo", &[Kind::Relation])).await;
    assert!(of_kind!(sizes, Relation).all(|it| it.size_bytes.is_none()), "nobody asked for sizes");
}

#[tokio::test]
async fn columns_keys_and_indexes_are_told_in_full() {
    let server = Postgres::start();
    server.psql(ZOO);
    let objects = told(&server, of("zoo", &[Kind::Column, Kind::Key, Kind::Index])).await;
    let column = |relation: &str, name: &str| {
        of_kind!(objects, Column).find(|it| it.relation == relation && it.name == name).unwrap()
    };
    assert_eq!(column("keeper", "id").identity(), pb::Identity::Always);
    assert_eq!(column("animal", "id").identity(), pb::Identity::ByDefault);
    assert_eq!(column("keeper", "initials").collation, "C");
    assert_eq!(column("keeper", "Full Name").collation, "");
    assert_eq!(column("keeper", "upper_name").generated(), pb::Generated::Stored);
    assert_eq!(column("keeper", "mood").database_type, "zoo.mood");
    assert_eq!((column("dropped", "c").position, column("dropped", "a").position), (2, 1));
    assert!(column("child", "a").inherited && !column("child", "c").inherited);
    assert_eq!(of_kind!(objects, Column).filter(|it| it.relation == "nothing").count(), 0);
    assert_eq!(column("odd\nname\"quoted", "col\n1").database_type, "integer");

    let key = |name: &str| of_kind!(objects, Key).find(|it| it.name == name).unwrap();
    assert_eq!(key("only_one").deferral(), pb::Deferral::Deferred);
    assert_eq!(key("only_one").definition, "DEFERRABLE INITIALLY DEFERRED");
    assert_eq!(key("only_one").columns, ["Full Name", "initials"]);
    assert!(key("late").not_validated && !key("named, well").not_validated);
    assert_eq!(
        (key("named, well").comment.as_str(), key("late").definition.as_str()),
        ("not empty", "(id < 1000000) NOT VALID")
    );
    assert_eq!(key("animal_size_excl").kind(), pb::KeyKind::Exclusion);
    assert_eq!(key("animal_size_excl").definition, "EXCLUDE USING gist (size WITH &&)");
    let foreign = key("animal_keeper_fkey");
    assert_eq!(foreign.definition, "ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE");
    assert_eq!(
        (&foreign.columns[..], &foreign.referenced_columns[..]),
        (&["keeper".to_owned()][..], &["id".to_owned()][..])
    );

    let index = |name: &str| of_kind!(objects, Index).find(|it| it.name == name).unwrap();
    let lower = index("keeper_lower");
    assert_eq!(lower.columns, ["lower(initials)", "id"]);
    assert_eq!((&lower.included_columns[..], lower.method.as_str()), (&["mood".to_owned()][..], "btree"));
    assert_eq!((lower.comment.as_str(), lower.key.as_str(), lower.primary), ("fast", "", false));
    assert!(lower.definition.ends_with("INCLUDE (mood) WHERE (id > 10)"), "{}", lower.definition);
    assert_eq!((index("keeper_pkey").key.as_str(), index("keeper_pkey").primary), ("keeper_pkey", true));
    assert_eq!(index("animal_size_excl").method, "gist");
    // An index of a partitioned table is one, too.
    assert_eq!(index("log_text").columns, ["text"]);
}

#[tokio::test]
async fn a_key_that_leads_out_of_what_is_asked_for_names_its_columns() {
    let server = Postgres::start();
    server.psql(
        "create schema a; create schema b; create table b.t (x int, y int, primary key (y, x));
         create table a.t (p int, q int, foreign key (p, q) references b.t (y, x))",
    );
    let objects = told(&server, of("a", &[Kind::Key])).await;
    let [Object::Key(key)] = &objects[..] else { panic!("{objects:?}") };
    assert_eq!((key.columns.join(","), key.referenced_columns.join(",")), ("p,q".into(), "y,x".into()));
    assert_eq!((key.referenced_schema.as_str(), key.referenced_relation.as_str()), ("b", "t"));
}

#[tokio::test]
async fn what_does_not_hold_rows_is_told() {
    let server = Postgres::start();
    server.psql(ZOO);
    let kinds = [Kind::Trigger, Kind::Policy, Kind::Sequence, Kind::Type, Kind::Routine];
    let objects = told(&server, of("zoo", &kinds)).await;
    let trigger = |name: &str| of_kind!(objects, Trigger).find(|it| it.name == name).unwrap();
    assert_eq!(trigger("off").state(), pb::TriggerState::Disabled);
    assert_eq!((trigger("off").comment.as_str(), trigger("off").function.as_str()), ("never", "touch"));
    assert!(trigger("touched").definition.contains("BEFORE INSERT OR UPDATE ON zoo.animal"));
    let policy = |name: &str| of_kind!(objects, Policy).find(|it| it.name == name).unwrap();
    assert_eq!((policy("own").command.as_str(), policy("own").restrictive), ("SELECT", false));
    assert_eq!(policy("strict").roles, ["public"]);
    assert_eq!(policy("strict").check_expression.as_deref(), Some("(id > 0)"));

    let sequences: Vec<_> = of_kind!(objects, Sequence)
        .map(|it| (it.name.as_str(), it.owned_by_column.as_str(), it.of_identity, it.increment))
        .collect();
    assert_eq!(
        sequences,
        [
            ("animal_id_seq", "id", true, 10),
            ("counter", "", false, 5),
            ("keeper_id_seq", "id", true, 1),
            ("keeper_serial_seq", "serial", false, 1),
        ]
    );
    let own = |name: &str| of_kind!(objects, Type).find(|it| it.name == name).unwrap();
    assert_eq!(own("mood").labels, ["sad", "it's \"ok\"", "happy"]);
    assert_eq!(own("point3").attributes[1].name, "Y z");
    assert_eq!(own("point3").attributes[1].database_type, "numeric(6,2)");
    assert_eq!((own("positive").base_type.as_str(), own("positive").not_null), ("integer", true));
    let checks: Vec<_> = own("positive").checks.iter().map(|it| (&*it.name, &*it.definition)).collect();
    assert_eq!(checks, [("above", "CHECK ((VALUE > 0))"), ("odd name", "CHECK ((VALUE <> 13))")]);
    assert_eq!((own("span").kind(), own("span").base_type.as_str()), (pb::TypeKind::Range, "numeric"));
    assert_eq!(
        of_kind!(objects, Type).count(),
        4,
        "rows of tables, arrays and multiranges are no types of their own"
    );

    let routines: Vec<_> = of_kind!(objects, Routine)
        .map(|it| (it.name.as_str(), it.kind(), it.identity_arguments.as_str(), it.result.as_str()))
        .collect();
    use pb::RoutineKind::{Aggregate, Function, Procedure};
    assert_eq!(routines.len(), 5, "{routines:?}");
    assert!(routines.contains(&("total", Aggregate, "integer", "integer")));
    assert!(routines.contains(&("twice", Function, "n text", "text")));
    assert!(routines.iter().any(|it| (it.0, it.1) == ("feed", Procedure)));
    let twice = of_kind!(objects, Routine).find(|it| it.comment == "twice a text").unwrap();
    assert_eq!((twice.language.as_str(), twice.volatility()), ("sql", pb::Volatility::Stable));
}

#[tokio::test]
async fn the_server_and_its_roles_are_told_without_passwords() {
    let server = Postgres::start();
    server.psql(ZOO);
    server.psql("alter role keeper_two password 'canary-9x'");
    let kinds = [Kind::Database, Kind::Role, Kind::Extension];
    let request = GetSchemaRequest {
        kinds: kinds.iter().map(|kind| i32::from(*kind)).collect(),
        include_sizes: true,
        ..GetSchemaRequest::default()
    };
    let objects = told(&server, request).await;
    let current = of_kind!(objects, Database).find(|it| it.is_current).unwrap();
    assert_eq!((current.name.as_str(), current.encoding.as_str()), ("postgres", "UTF8"));
    assert!(current.size_bytes.unwrap() > 1_000_000);
    let names: Vec<_> = of_kind!(objects, Database).map(|it| (&*it.name, it.template, it.closed)).collect();
    assert_eq!(names, [("postgres", false, false), ("template0", true, true), ("template1", true, false)]);
    let role = |name: &str| of_kind!(objects, Role).find(|it| it.name == name).unwrap();
    assert!(role("postgres").superuser && role("postgres").is_current);
    let two = role("keeper_two");
    assert_eq!(
        (two.can_log_in, two.connections_max, &two.member_of[..]),
        (true, Some(3), &["keeper_role".to_owned()][..])
    );
    assert_eq!(two.comment, "two");
    assert_eq!(of_kind!(objects, Role).filter(|it| it.name.starts_with("pg_")).count(), 0);
    assert!(!format!("{objects:?}").contains("canary-9x") && !format!("{objects:?}").contains("SCRAM"));
    let extension = of_kind!(objects, Extension).find(|it| it.name == "plpgsql").unwrap();
    assert_eq!((extension.schema.as_str(), extension.version.as_str()), ("pg_catalog", "1.0"));
}

#[tokio::test]
async fn names_are_looked_for_by_a_pattern() {
    let server = Postgres::start();
    server.psql(ZOO);
    server.psql("create table public.\"100%_x\" (a int); create table public.\"100ab\" (a int)");
    let names = async |pattern: &str| {
        let request = GetSchemaRequest {
            name_pattern: pattern.into(),
            kinds: vec![Kind::Relation.into(), Kind::Routine.into(), Kind::Schema.into()],
            ..GetSchemaRequest::default()
        };
        let name = |object: &Object| match object {
            Object::Relation(it) => it.name.clone(),
            Object::Routine(it) => format!("{}()", it.name),
            Object::Schema(it) => format!("{}.", it.name),
            other => panic!("{other:?}"),
        };
        told(&server, request).await.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(names("*EEP*").await, ["zoo.", "keeper"]);
    assert_eq!(names("tot?l").await, ["zoo.", "total()"]);
    assert_eq!(names("100%_*").await, ["public.", "100%_x"]);
    assert!(names("keep").await.is_empty());
}

#[tokio::test]
async fn a_role_without_privileges_is_told_what_there_is() {
    let server = Postgres::start();
    server.psql(ZOO);
    server.psql("revoke all on schema zoo from public; revoke connect on database template1 from public");
    let mut client = open(&server).await;
    client.execute("set role keeper_two").await.unwrap();
    let request = GetSchemaRequest { include_sizes: true, ..GetSchemaRequest::default() };
    let objects = client.schema(request).await.unwrap();
    assert!(of_kind!(objects, Column).any(|it| it.relation == "keeper" && it.name == "Full Name"));
    assert!(of_kind!(objects, Role).any(|it| it.name == "keeper_role"));
    let database = |name: &str| of_kind!(objects, Database).find(|it| it.name == name).unwrap();
    assert_eq!(database("template1").size_bytes, None);
    // All of the system's own, which is a lot, in every kind.
    let request = GetSchemaRequest { include_system: true, ..GetSchemaRequest::default() };
    let system = client.schema(request).await.unwrap();
    assert!(of_kind!(system, Routine).any(|it| it.schema == "pg_catalog" && it.name == "lower"));
    assert!(of_kind!(system, Index).any(|it| it.name == "pg_class_oid_index" && it.columns == ["oid"]));
    let answer = client.execute("select 1").await.unwrap();
    assert_eq!(ends(&answer), ["SELECT 1"]);
}

#[tokio::test]
async fn a_temporary_table_is_told_in_its_own_session_alone() {
    let server = Postgres::start();
    let (mut client, mut other) = (open(&server).await, open(&server).await);
    client.execute("create temp table mine (id serial primary key)").await.unwrap();
    let request = || GetSchemaRequest { name: "mine".into(), ..GetSchemaRequest::default() };
    let objects = client.schema(request()).await.unwrap();
    let relation = of_kind!(objects, Relation).next().unwrap();
    assert_eq!(relation.persistence(), pb::Persistence::Temporary);
    assert_eq!(of_kind!(objects, Key).count(), 1);
    assert!(other.schema(request()).await.unwrap().is_empty());
}
