//! What a database holds.

use querybox_fixtures::Postgres;
use querybox_plugin::{
    pb::{
        self, GetSchemaRequest, KeyKind, RelationKind, SchemaObjectKind, TransactionState,
        schema_object::Object,
    },
    testkit::Answer,
};

use crate::server::{ends, open};

const SHOP: &str = r#"
    create schema shop;
    comment on schema shop is 'a shop';
    create table shop.customer (
        id bigint generated always as identity primary key,
        dropped int,
        name varchar(40) not null default 'some''body',
        upper_name text generated always as (upper(name)) stored,
        constraint named check (name <> '')
    );
    alter table shop.customer drop column dropped;
    comment on column shop.customer.name is 'how we call them';
    comment on table shop.customer is 'who buys';
    create table shop."order" (
        customer bigint references shop.customer on delete cascade deferrable,
        number int,
        total numeric(10,2),
        primary key (number, customer),
        unique (total, number)
    );
    create index on shop."order" (lower(total::text), number desc) include (customer);
    create unique index by_name on shop.customer (name) where name <> 'x';
    create view shop.big as select * from shop."order" where total > 100;
    create materialized view shop.sums as select sum(total) from shop."order";
    create table shop.log (at date) partition by range (at);
    insert into shop.customer (name) select 'n' || i from generate_series(1, 100) i;
    analyze shop.customer;
"#;

#[tokio::test]
async fn a_schema_is_told_with_all_that_belongs_to_it() {
    let server = Postgres::start();
    server.psql(SHOP);
    let mut client = open(&server).await;
    let objects = client.schema(GetSchemaRequest::default()).await.unwrap();

    let schemas: Vec<_> = objects
        .iter()
        .filter_map(|o| match o {
            Object::Schema(schema) => {
                Some((schema.name.as_str(), schema.is_default, schema.comment.as_str()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(schemas, [("public", true, "standard public schema"), ("shop", false, "a shop")]);

    let relations: Vec<_> = objects
        .iter()
        .filter_map(|o| match o {
            Object::Relation(relation) => {
                Some((relation.name.as_str(), relation.kind(), relation.row_estimate))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        relations,
        [
            ("big", RelationKind::View, None),
            ("customer", RelationKind::Table, Some(100)),
            ("log", RelationKind::PartitionedTable, None),
            ("order", RelationKind::Table, None),
            ("sums", RelationKind::MaterializedView, None),
        ]
    );

    let columns: Vec<_> = objects
        .iter()
        .filter_map(|o| match o {
            Object::Column(column) if column.relation == "customer" => Some(column.clone()),
            _ => None,
        })
        .collect();
    let column = |name: &str, position, database_type: &str| pb::RelationColumn {
        schema: "shop".into(),
        relation: "customer".into(),
        name: name.into(),
        position,
        database_type: database_type.into(),
        ..pb::RelationColumn::default()
    };
    assert_eq!(
        columns,
        [
            pb::RelationColumn {
                primary_key_position: 1,
                identity: pb::Identity::Always.into(),
                ..column("id", 1, "bigint")
            },
            pb::RelationColumn {
                default_expression: Some("'some''body'::character varying".into()),
                comment: "how we call them".into(),
                ..column("name", 2, "character varying(40)")
            },
            pb::RelationColumn {
                nullable: true,
                generated: pb::Generated::Stored.into(),
                default_expression: Some("upper((name)::text)".into()),
                ..column("upper_name", 3, "text")
            },
        ]
    );

    let keys: Vec<_> = objects
        .iter()
        .filter_map(|o| match o {
            Object::Key(key) => Some((
                key.kind(),
                key.columns.join(","),
                key.referenced_columns.join(","),
                key.definition.as_str(),
            )),
            _ => None,
        })
        .collect();
    let key = |kind, columns: &str, referenced: &str, definition| {
        (kind, columns.to_owned(), referenced.to_owned(), definition)
    };
    assert_eq!(
        keys,
        [
            key(KeyKind::Primary, "id", "", ""),
            key(KeyKind::Check, "name", "", "((name)::text <> ''::text)"),
            key(KeyKind::Primary, "number,customer", "", ""),
            key(KeyKind::Foreign, "customer", "id", "ON DELETE CASCADE DEFERRABLE"),
            key(KeyKind::Unique, "total,number", "", ""),
        ]
    );

    let indexes: Vec<_> = objects
        .iter()
        .filter_map(|o| match o {
            Object::Index(index) => {
                Some((index.relation.as_str(), index.unique, index.columns.join(","), !index.key.is_empty()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        indexes,
        [
            ("customer", true, "name".to_owned(), false),
            ("customer", true, "id".to_owned(), true),
            ("order", false, "lower(total::text),number".to_owned(), false),
            ("order", true, "number,customer".to_owned(), true),
            ("order", true, "total,number".to_owned(), true),
        ]
    );
}

#[tokio::test]
async fn a_schema_is_filtered_and_its_refusal_is_a_result() {
    let server = Postgres::start();
    server.psql(SHOP);
    let mut client = open(&server).await;
    let request = GetSchemaRequest {
        schemas: vec!["shop".into(), "a\"b\\".into()],
        name: "customer".into(),
        ..GetSchemaRequest::default()
    };
    let objects = client.schema(request.clone()).await.unwrap();
    // One schema, one relation, three columns, two keys, two indexes.
    assert_eq!(objects.len(), 9);
    let kinds = vec![SchemaObjectKind::Key.into()];
    assert_eq!(client.schema(GetSchemaRequest { kinds, ..request }).await.unwrap().len(), 2);

    let request = GetSchemaRequest { include_system: true, ..GetSchemaRequest::default() };
    let objects = client.schema(request).await.unwrap();
    let holds = |name: &str| objects.iter().any(|o| matches!(o, Object::Relation(r) if r.name == name));
    assert!(holds("pg_class") && holds("tables") && holds("customer"));

    client.execute("create temp table mine (a int); begin; select nowhere").await.unwrap();
    let session_id = client.session_id.clone();
    let request = GetSchemaRequest { session_id, ..GetSchemaRequest::default() };
    let mut parts = client.grpc.get_schema(request).await.unwrap().into_inner();
    let part = parts.message().await.unwrap().unwrap();
    assert_eq!(part.rejection.unwrap().sqlstate, "25P02");
    client.execute("rollback").await.unwrap();
    let objects = client.schema(GetSchemaRequest::default()).await.unwrap();
    assert!(objects.iter().any(|o| matches!(o, Object::Relation(r) if r.name == "mine")));
}

#[tokio::test]
async fn a_look_at_the_catalog_leaves_the_users_transaction_as_it_was() {
    let server = Postgres::start();
    server.psql("create table t (a int)");
    let (mut client, mut other) = (open(&server).await, open(&server).await);
    let opened = client.execute("begin; insert into t values (1)").await.unwrap();
    assert_eq!(ends(&opened), ["BEGIN", "INSERT 0 1"]);
    assert!(!client.schema(GetSchemaRequest::default()).await.unwrap().is_empty());
    let in_it = |answer: &Answer| answer.statements[0].summary.as_ref().unwrap().transaction_state();
    let answer = client.execute("savepoint querybox_schema").await.unwrap();
    assert_eq!(in_it(&answer), TransactionState::Open);

    // One that waits, and is cancelled.
    other.execute("begin; lock pg_catalog.pg_constraint").await.unwrap();
    let session_id = client.session_id.clone();
    let request = GetSchemaRequest { session_id: session_id.clone(), ..GetSchemaRequest::default() };
    let mut grpc = client.grpc.clone();
    let looked = async {
        let mut parts = grpc.get_schema(request.clone()).await.unwrap().into_inner();
        let mut rejection = None;
        while let Some(part) = parts.message().await.unwrap() {
            rejection = part.rejection;
        }
        rejection.unwrap().sqlstate
    };
    let mut canceller = client.grpc.clone();
    let (refused, ()) = tokio::join!(looked, async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        canceller.cancel(pb::CancelRequest { session_id, ..Default::default() }).await.unwrap();
    });
    assert_eq!(refused, "57014");
    other.execute("rollback").await.unwrap();
    let answer = client.execute("select a from t").await.unwrap();
    assert_eq!((ends(&answer), in_it(&answer)), (vec!["SELECT 1".to_owned()], TransactionState::Open));
    let answer = client.execute("rollback to querybox_schema; commit").await.unwrap();
    assert_eq!(ends(&answer), ["ROLLBACK", "COMMIT"]);
    assert_eq!(server.psql("select a from t"), b"1\n");
}
