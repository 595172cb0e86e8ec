//! What the database is said to hold.

use querybox_plugin::pb::{self, schema_object::Object};

use crate::database::Database;

const SHOP: &str = "
    create table \"odd \"\"name'; drop\" (a);
    create table customer (
        id integer primary key, email text not null unique, born date default (date('now')),
        initial text generated always as (substr(email, 1, 1)) virtual,
        check (email <> '')
    );
    create table item (
        a int, b text, customer references customer on delete cascade on update set null,
        ca int, cb int, primary key (b, a), unique (ca, cb), foreign key (ca, cb) references pair (x, y)
    ) without rowid;
    create table pair (x, y, unique (x, y));
    create index by_born on customer (born desc, lower(email));
    create unique index partial on customer (born) where born is not null;
    create view young as select id, email from customer where born > '2000';
    create view broken as select * from young;
    create virtual table words using fts5(word);
    insert into pair values (1, 1), (2, 2);
    analyze;
    drop view young;
";

fn show(object: &Object) -> String {
    match object {
        Object::Schema(schema) => {
            format!("schema {}{}", schema.name, if schema.is_default { " default" } else { "" })
        }
        Object::Relation(relation) => {
            let rows = relation.row_estimate.map(|rows| format!(" ~{rows}")).unwrap_or_default();
            format!("{:?} {}.{}{rows}", relation.kind(), relation.schema, relation.name)
        }
        Object::Column(column) => format!(
            "  {} {} {}{}{}{}{}",
            column.position,
            column.name,
            column.database_type,
            if column.nullable { "" } else { " not null" },
            column.default_expression.as_ref().map(|text| format!(" default {text}")).unwrap_or_default(),
            if column.generated() == pb::Generated::Virtual { " generated" } else { "" },
            if column.primary_key_position > 0 {
                format!(" key {}", column.primary_key_position)
            } else {
                String::new()
            },
        ),
        Object::Key(key) => {
            let target = match key.kind() {
                pb::KeyKind::Foreign => format!(
                    " -> {}.{} {:?}",
                    key.referenced_schema, key.referenced_relation, key.referenced_columns
                ),
                _ => String::new(),
            };
            format!("  {:?} {:?}{target} {}", key.kind(), key.columns, key.definition)
        }
        Object::Index(index) => format!(
            "  index {}{} {:?} {}",
            index.name,
            if index.unique { " unique" } else { "" },
            index.columns,
            index.definition
        ),
        other => format!("{other:?}"),
    }
}

async fn told(database: &Database, request: pb::GetSchemaRequest) -> Vec<String> {
    let mut session = database.session().await;
    session.client.schema(request).await.unwrap().iter().map(show).collect()
}

#[tokio::test]
async fn tables_columns_keys_and_indexes_are_told() {
    let database = Database::made_by(SHOP);
    let told = told(&database, pb::GetSchemaRequest::default()).await;
    let expected = [
        "schema main default",
        "View main.broken",
        "Table main.customer ~0",
        "  1 id INTEGER not null key 1",
        "  2 email TEXT not null",
        "  3 born date default date('now')",
        "  4 initial TEXT generated",
        "  Primary [\"id\"] ",
        "  Unique [\"email\"] ",
        "  Check [] email <> ''",
        "  index sqlite_autoindex_customer_1 unique [\"email\"] ",
        "  index by_born [\"born\", \"lower(email)\"] CREATE INDEX by_born on customer (born desc, lower(email))",
        "  index partial unique [\"born\"] CREATE UNIQUE INDEX partial on customer (born) where born is not null",
        "Table main.item",
        "  1 a INT not null key 2",
        "  2 b TEXT not null key 1",
        "  3 customer ",
        "  4 ca INT",
        "  5 cb INT",
        "  Primary [\"b\", \"a\"] ",
        "  Unique [\"ca\", \"cb\"] ",
        "  Foreign [\"customer\"] -> main.customer [\"id\"] ON UPDATE SET NULL ON DELETE CASCADE",
        "  Foreign [\"ca\", \"cb\"] -> main.pair [\"x\", \"y\"] ",
        "  index sqlite_autoindex_item_1 unique [\"b\", \"a\"] ",
        "  index sqlite_autoindex_item_2 unique [\"ca\", \"cb\"] ",
        "Table main.odd \"name'; drop",
        "  1 a ",
        "Table main.pair ~2",
        "  1 x ",
        "  2 y ",
        "  Unique [\"x\", \"y\"] ",
        "  index sqlite_autoindex_pair_1 unique [\"x\", \"y\"] ",
        "VirtualTable main.words",
        "  1 word ",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn the_filter_is_honored() {
    let database = Database::made_by(SHOP);
    let relation = pb::GetSchemaRequest {
        name: "pair".into(),
        kinds: vec![pb::SchemaObjectKind::Relation.into(), pb::SchemaObjectKind::Column.into()],
        ..pb::GetSchemaRequest::default()
    };
    assert_eq!(told(&database, relation).await, ["Table main.pair ~2", "  1 x ", "  2 y "]);
    let none = pb::GetSchemaRequest { schemas: vec!["other".into()], ..pb::GetSchemaRequest::default() };
    assert!(told(&database, none).await.is_empty());
    let odd = pb::GetSchemaRequest { name: "odd \"name'; drop".into(), ..pb::GetSchemaRequest::default() };
    assert_eq!(told(&database, odd).await, ["schema main default", "Table main.odd \"name'; drop", "  1 a "]);
    let system = pb::GetSchemaRequest {
        include_system: true,
        kinds: vec![pb::SchemaObjectKind::Relation.into()],
        ..pb::GetSchemaRequest::default()
    };
    let told = told(&database, system).await;
    for name in ["Table main.sqlite_schema", "Table main.sqlite_stat1", "Table main.words_content"] {
        assert!(told.contains(&name.to_owned()), "{name}: {told:?}");
    }
}

#[tokio::test]
async fn temporary_and_attached_tables_are_told_in_their_schemas() {
    let database = Database::new();
    let mut session = database.session().await;
    let attach = format!("attach '{}/beside' as \"be\"\"side\"", database.folder().display());
    session.run(&format!("{attach}; create table \"be\"\"side\".t(a); create temp table mine(b)")).await;
    let objects = session.client.schema(pb::GetSchemaRequest::default()).await.unwrap();
    assert_eq!(
        objects.iter().map(show).collect::<Vec<_>>(),
        [
            "schema main default",
            "schema temp",
            "Table temp.mine",
            "  1 b ",
            "schema be\"side",
            "Table be\"side.t",
            "  1 a ",
        ]
    );
}

#[tokio::test]
async fn names_are_looked_for_by_a_pattern_and_triggers_are_told() {
    let database =
        Database::made_by("create table audit (a); create table other (b); create view av as select 1");
    let mut session = database.session().await;
    session.run("create trigger watch after insert on audit begin select 1; end").await;
    let request = pb::GetSchemaRequest {
        name_pattern: "A*".into(),
        kinds: vec![pb::SchemaObjectKind::Relation.into(), pb::SchemaObjectKind::Trigger.into()],
        ..pb::GetSchemaRequest::default()
    };
    let objects = session.client.schema(request).await.unwrap();
    let [Object::Relation(audit), Object::Trigger(watch), Object::Relation(view)] = &objects[..] else {
        panic!("{objects:?}")
    };
    assert_eq!((audit.name.as_str(), view.name.as_str()), ("audit", "av"));
    assert_eq!((watch.relation.as_str(), watch.name.as_str()), ("audit", "watch"));
    assert!(
        watch.definition.starts_with("CREATE TRIGGER watch after insert on audit"),
        "{}",
        watch.definition
    );
    let none = pb::GetSchemaRequest { name: "nothing".into(), ..pb::GetSchemaRequest::default() };
    assert!(session.client.schema(none).await.unwrap().is_empty());
}

#[tokio::test]
async fn statements_make_the_same_catalog_again() {
    let database = Database::made_by(SHOP);
    let mut session = database.session().await;
    session.run("create trigger t after insert on pair begin delete from item; end; drop view broken").await;
    session.run("create table noted (a -- the end\n)").await;
    let request = || pb::GetSchemaRequest::default();
    let expected = session.client.schema(request()).await.unwrap();
    let object = |object: &Object| match object {
        Object::Relation(it) => Some(pb::ObjectRef {
            kind: pb::SchemaObjectKind::Relation.into(),
            schema: it.schema.clone(),
            name: it.name.clone(),
            ..pb::ObjectRef::default()
        }),
        _ => None,
    };
    let asked: Vec<_> = expected.iter().filter_map(object).collect();
    let told = session.client.ddl(asked.clone()).await.unwrap();
    assert_eq!(told.len(), asked.len());
    assert!(told.iter().all(|ddl| ddl.left_out.is_empty()), "{told:?}");
    let copy = Database::new();
    let mut made = copy.session().await;
    for script in told.iter().map(|ddl| &ddl.sql).chain(told.iter().map(|ddl| &ddl.ties_sql)) {
        if !script.is_empty() {
            made.run(script).await;
        }
    }
    let without_estimates = |objects: Vec<Object>| {
        let plain = |mut object: Object| {
            if let Object::Relation(relation) = &mut object {
                relation.row_estimate = None;
            }
            show(&object)
        };
        objects.into_iter().map(plain).collect::<Vec<_>>()
    };
    let copied = made.client.schema(request()).await.unwrap();
    assert_eq!(without_estimates(copied), without_estimates(expected));
}

#[tokio::test]
async fn an_object_is_found_where_its_name_is_looked_up() {
    let database = Database::made_by("create table t (a unique); create index i on t (a)");
    let mut session = database.session().await;
    session.run("create temp table t (b)").await;
    let object = |kind: pb::SchemaObjectKind, schema: &str, name: &str| pb::ObjectRef {
        kind: kind.into(),
        schema: schema.into(),
        name: name.into(),
        ..pb::ObjectRef::default()
    };
    let asked = vec![
        object(pb::SchemaObjectKind::Unspecified, "", "t"),
        object(pb::SchemaObjectKind::Relation, "main", "nothing"),
        object(pb::SchemaObjectKind::Relation, "main", "t"),
        object(pb::SchemaObjectKind::Index, "", "sqlite_autoindex_t_1"),
    ];
    let told = session.client.ddl(asked).await.unwrap();
    let facts: Vec<_> = told.iter().map(|it| (it.object, it.sql.as_str(), it.left_out.join(", "))).collect();
    assert_eq!(
        facts,
        [
            (0, "CREATE TABLE t (b);\n", "that it is temporary".to_owned()),
            (2, "CREATE TABLE t (a unique);\nCREATE INDEX i on t (a);\n", String::new()),
            (3, "", "all of it: a constraint of its table makes it".to_owned()),
        ]
    );
}
