//! The statements that make objects again.

use querybox_driver_postgres::Postgres as Driver;
use querybox_fixtures::Postgres;
use querybox_plugin::{
    pb::{self, GetSchemaRequest, ObjectRef, SchemaObjectKind as Kind, schema_object::Object},
    testkit::Client,
};

use crate::{
    catalog::ZOO,
    server::{ends, open, parameters, secrets},
};

fn object(kind: Kind, schema: &str, name: &str) -> ObjectRef {
    ObjectRef { kind: kind.into(), schema: schema.into(), name: name.into(), ..ObjectRef::default() }
}

async fn open_database(server: &Postgres, database: &str) -> Client {
    let mut client = Client::connect(Driver);
    let mut parameters = parameters(server);
    parameters.retain(|(name, _)| name != "database");
    parameters.push(("database".into(), database.into()));
    client.open(parameters, secrets()).await.unwrap();
    client
}

/// What a schema holds, in an order that does not depend on when it was made.
async fn catalog(client: &mut Client) -> Vec<Object> {
    let kinds = [
        Kind::Schema,
        Kind::Relation,
        Kind::Column,
        Kind::Key,
        Kind::Index,
        Kind::Trigger,
        Kind::Policy,
        Kind::Sequence,
        Kind::Type,
        Kind::Routine,
    ];
    let request = GetSchemaRequest {
        schemas: vec!["zoo".into()],
        kinds: kinds.iter().map(|kind| i32::from(*kind)).collect(),
        ..GetSchemaRequest::default()
    };
    let mut objects = client.schema(request).await.unwrap();
    objects.sort_by_key(|object| format!("{object:?}"));
    objects
}

/// Every object that stands by itself, what others are made of first.
fn all(objects: &[Object]) -> Vec<ObjectRef> {
    let mut refs: Vec<(u8, ObjectRef)> = objects
        .iter()
        .filter_map(|it| match it {
            Object::Schema(it) => Some((0, object(Kind::Schema, "", &it.name))),
            Object::Type(it) => Some((1, object(Kind::Type, &it.schema, &it.name))),
            Object::Sequence(it) if it.owned_by_relation.is_empty() => {
                Some((2, object(Kind::Sequence, &it.schema, &it.name)))
            }
            Object::Routine(it) => {
                let arguments = Some(it.identity_arguments.clone());
                Some((3, ObjectRef { arguments, ..object(Kind::Routine, &it.schema, &it.name) }))
            }
            Object::Relation(it) => {
                let is_view =
                    matches!(it.kind(), pb::RelationKind::View | pb::RelationKind::MaterializedView);
                Some((4 + u8::from(is_view), object(Kind::Relation, &it.schema, &it.name)))
            }
            _ => None,
        })
        .collect();
    refs.sort_by_key(|(rank, it)| (*rank, it.name.clone()));
    refs.into_iter().map(|(_, it)| it).collect()
}

#[tokio::test]
async fn statements_make_the_same_catalog_again() {
    let server = Postgres::start();
    server.psql(ZOO);
    server.psql("create database copy");
    let mut original = open(&server).await;
    // Settings of a session that change how values and names are written.
    original
        .execute("set datestyle = 'SQL, DMY'; set intervalstyle = iso_8601; set search_path = zoo")
        .await
        .unwrap();
    let expected = {
        let mut plain = open(&server).await;
        catalog(&mut plain).await
    };
    let asked = all(&expected);
    let told = original.ddl(asked.clone()).await.unwrap();
    assert_eq!(told.len(), asked.len());

    let mut copy = open_database(&server, "copy").await;
    let prepared = "create foreign data wrapper nowhere; create server far foreign data wrapper nowhere; \
                    create aggregate public.stand_in(integer) (sfunc = int4pl, stype = integer)";
    copy.execute(prepared).await.unwrap();
    let scripts = told.iter().map(|ddl| &ddl.sql).chain(told.iter().map(|ddl| &ddl.ties_sql));
    for script in scripts.filter(|script| !script.is_empty()) {
        let answer = copy.execute(script).await.unwrap();
        let refused: Vec<_> = answer.statements.iter().filter_map(|it| it.rejection.as_ref()).collect();
        assert!(refused.is_empty(), "{script}\n{refused:?}");
    }
    // Told as left out: the server has no text of an aggregate.
    copy.execute("create aggregate zoo.total(integer) (sfunc = int4pl, stype = integer, initcond = '0')")
        .await
        .unwrap();
    let made = catalog(&mut copy).await;
    for (made, expected) in made.iter().zip(&expected) {
        assert_eq!(made, expected);
    }
    assert_eq!(made.len(), expected.len());
    // What a catalog does not show: the statements of the copy are those of the original.
    let again = copy.ddl(asked).await.unwrap();
    let texts =
        |told: &[pb::Ddl]| told.iter().map(|it| (it.sql.clone(), it.ties_sql.clone())).collect::<Vec<_>>();
    assert_eq!(texts(&again), texts(&told));
}

#[tokio::test]
async fn what_is_left_out_is_said_exactly() {
    let server = Postgres::start();
    server.psql(ZOO);
    server.psql("alter table zoo.fast alter a set statistics 7; alter table zoo.base replica identity full");
    let mut client = open(&server).await;
    let left_out = async |client: &mut Client, kind: Kind, name: &str| {
        let told = client.ddl(vec![object(kind, "zoo", name)]).await.unwrap();
        told.into_iter().next().unwrap().left_out
    };
    assert_eq!(left_out(&mut client, Kind::Relation, "nothing").await, ["owner postgres"]);
    assert_eq!(
        left_out(&mut client, Kind::Relation, "keeper").await,
        ["value of the sequence keeper_serial_seq", "owner postgres", "grants"]
    );
    assert_eq!(
        left_out(&mut client, Kind::Relation, "fast").await,
        ["owner postgres", "statistics target or options of columns a"]
    );
    assert_eq!(left_out(&mut client, Kind::Relation, "base").await, ["owner postgres", "replica identity"]);
    assert_eq!(
        left_out(&mut client, Kind::Routine, "total").await,
        ["owner postgres", "all of it: the server has no text of an aggregate"]
    );
    assert!(left_out(&mut client, Kind::Index, "keeper_lower").await.is_empty());
}

#[tokio::test]
async fn names_are_found_as_the_session_finds_them() {
    let server = Postgres::start();
    server.psql(ZOO);
    let mut client = open(&server).await;
    let mut any = object(Kind::Unspecified, "", "twice");
    assert!(client.ddl(vec![any.clone()]).await.unwrap().is_empty(), "zoo is not looked in");
    client.execute("set search_path = zoo").await.unwrap();
    let told = client.ddl(vec![object(Kind::Relation, "zoo", "no"), any.clone()]).await.unwrap();
    assert_eq!(
        told.iter().map(|ddl| ddl.object).collect::<Vec<_>>(),
        [1, 1],
        "two of one name, of the second"
    );
    any.arguments = Some("n text".into());
    let told = client.ddl(vec![any]).await.unwrap();
    assert_eq!(told.len(), 1);
    assert!(told[0].sql.starts_with("CREATE OR REPLACE FUNCTION zoo.twice(n text)\n"), "{}", told[0].sql);
    assert!(told[0].sql.ends_with("COMMENT ON FUNCTION zoo.twice(n text) IS 'twice a text';\n"));
    let found = told[0].found.as_ref().unwrap();
    assert_eq!((found.kind(), found.schema.as_str()), (Kind::Routine, "zoo"));

    for (kind, name, start) in [
        (
            Kind::Key,
            "animal_keeper_fkey",
            "ALTER TABLE zoo.animal ADD CONSTRAINT animal_keeper_fkey FOREIGN KEY",
        ),
        (Kind::Trigger, "off", "CREATE TRIGGER off AFTER DELETE ON zoo.animal"),
        (Kind::Policy, "own", "CREATE POLICY own ON zoo.animal FOR SELECT USING ((keeper = 1));"),
    ] {
        let of_animal = ObjectRef { relation: "animal".into(), ..object(kind, "zoo", name) };
        let told = client.ddl(vec![of_animal]).await.unwrap();
        assert!(told[0].sql.starts_with(start), "{}", told[0].sql);
    }
    let odd = client.ddl(vec![object(Kind::Relation, "", "odd\nname\"quoted")]).await.unwrap();
    assert_eq!(
        odd[0].sql,
        "CREATE TABLE zoo.\"odd\nname\"\"quoted\" (\n    \"col\n1\" integer,\n    \"a.b\" text\n);\n"
    );
    let status = client.ddl(Vec::new()).await.unwrap_err();
    assert_eq!(status.message(), "parameter \"objects\" are none, or more than 1,000");
}

#[tokio::test]
async fn the_users_transaction_and_settings_stay_as_they_were() {
    let server = Postgres::start();
    server.psql(ZOO);
    let mut client = open(&server).await;
    let settings = "select current_setting('search_path') = 'zoo' and current_setting('datestyle') = 'German, DMY' as a \
                    where current_setting('search_path') = 'zoo' and current_setting('datestyle') = 'German, DMY'";
    client.execute("set search_path = zoo; set datestyle = German, DMY").await.unwrap();
    let keeper = || vec![object(Kind::Relation, "", "keeper")];
    assert_eq!(client.ddl(keeper()).await.unwrap().len(), 1);
    assert_eq!(ends(&client.execute(settings).await.unwrap()), ["SELECT 1"]);
    client.execute("begin; create table late (a int)").await.unwrap();
    assert_eq!(client.ddl(vec![object(Kind::Relation, "", "late")]).await.unwrap().len(), 1);
    assert_eq!(ends(&client.execute(settings).await.unwrap()), ["SELECT 1"]);
    client.execute("select nowhere").await.unwrap();
    let session_id = client.session_id.clone();
    let request = pb::GetDdlRequest { session_id, objects: keeper() };
    let mut parts = client.grpc.get_ddl(request).await.unwrap().into_inner();
    let part = parts.message().await.unwrap().unwrap();
    assert_eq!(part.rejection.unwrap().sqlstate, "25P02");
    assert_eq!(ends(&client.execute("rollback").await.unwrap()), ["ROLLBACK"]);
    assert_eq!(client.ddl(keeper()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn nothing_that_others_made_runs_when_somebody_looks() {
    let server = Postgres::start();
    server.psql(ZOO);
    // Better than the server's own for what catalog queries compare, and first in the session's search path.
    server.psql(
        "create function public.trap(oid, regclass) returns boolean language plpgsql as \
           $$ begin raise exception 'sprung'; end $$; \
         create function public.trap(name, text) returns boolean language plpgsql as \
           $$ begin raise exception 'sprung'; end $$; \
         create function public.trap(\"char\", \"char\") returns boolean language plpgsql as \
           $$ begin raise exception 'sprung'; end $$; \
         create operator public.= (leftarg = oid, rightarg = regclass, function = public.trap); \
         create operator public.= (leftarg = name, rightarg = text, function = public.trap); \
         create operator public.= (leftarg = \"char\", rightarg = \"char\", function = public.trap); \
         create operator public.<> (leftarg = \"char\", rightarg = \"char\", function = public.trap)",
    );
    let mut client = open(&server).await;
    client.execute("set search_path = public, pg_catalog, zoo").await.unwrap();
    for own in ["select 1::oid = 'pg_class'::regclass", "select 'a'::name = 'a'::text"] {
        let answer = client.execute(own).await.unwrap();
        assert_eq!(answer.statements[0].rejection.as_ref().unwrap().message, "sprung", "{own}");
    }
    let objects = client.schema(GetSchemaRequest::default()).await.unwrap();
    assert!(objects.iter().any(|it| matches!(it, Object::Relation(it) if it.name == "keeper")));
    let asked = all(&catalog(&mut client).await);
    assert_eq!(client.ddl(asked.clone()).await.unwrap().len(), asked.len());
    assert_eq!(client.ddl(vec![object(Kind::Relation, "", "keeper")]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_needed_first_is_told() {
    let server = Postgres::start();
    server.psql(
        "create view zz as select 1 as a; create view aa as select a from zz; \
         create function five(aa) returns int language sql immutable as 'select 5'; \
         create type pair as (one aa, two text); create sequence counter; \
         create table t (a int default nextval('counter'), p pair[] check (five(null) = 5), unique (a), \
                         own serial references t (a))",
    );
    let mut client = open(&server).await;
    let told = client
        .ddl(vec![
            object(Kind::Relation, "public", "aa"),
            object(Kind::Routine, "public", "five"),
            object(Kind::Type, "public", "pair"),
            object(Kind::Relation, "public", "t"),
            object(Kind::Relation, "public", "zz"),
        ])
        .await
        .unwrap();
    let needs: Vec<Vec<String>> = told
        .iter()
        .map(|ddl| {
            let name = |it: &ObjectRef| match &it.arguments {
                Some(arguments) => format!("{}.{}({arguments})", it.schema, it.name),
                None => format!("{}.{}", it.schema, it.name),
            };
            ddl.needs.iter().map(name).collect()
        })
        .collect();
    assert_eq!(needs[0], ["public.zz"]);
    assert_eq!(needs[1], ["public.aa"]);
    assert_eq!(needs[2], ["public.aa"]);
    // The check casts its NULL to the type of a view's rows.
    assert_eq!(needs[3], ["public.aa", "public.counter", "public.pair", "public.five(public.aa)"]);
    assert!(needs[4].is_empty());
}
