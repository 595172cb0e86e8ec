//! A connection to PostgreSQL, from its URL to its tables.

use expect_test::expect;

use super::{PG, Site};

#[test]
fn a_url_is_saved_without_a_password_and_leads_to_the_server() {
    let site = Site::start();
    let exported = site.house.run(["connections", "export", PG]).exits(0);
    super::without_port(exported, site.server.port()).on_stdout(expect![[r#"
        [[connection]]
        name = "pg"
        driver = "postgres"
        read_only = false
        secret = "ask"

        [connection.params]
        host = "127.0.0.1"
        port = "<port>"
        user = "postgres"
        database = "postgres"
    "#]]);
    site.query("select current_user, current_database() as db, 'grün' as word")
        .exits(0)
        .on_stdout(expect![[r#"
            current_user,db,word
            postgres,postgres,grün
        "#]])
        .on_stderr(expect![[r#"
            (1 row, T)
        "#]]);
    // What was typed for one request is not there for the next.
    let mut command = std::process::Command::new("setsid");
    command.arg("--wait").arg(env!("CARGO_BIN_EXE_querybox")).args(["query", PG, "select 1"]);
    site.house.furnish(&mut command);
    site.house.ran(command.output().unwrap()).says(
        2,
        expect![[r#"
        error: pg asks for a password: there is no terminal to ask on
         hint: run it from a terminal to be asked, or give the password to `--password-stdin`; `querybox credentials set pg` keeps it
    "#]],
    );
}

#[test]
fn a_test_shows_its_stages() {
    let site = Site::start();
    let version = site.ask("show server_version");
    let version = version.split(' ').next().unwrap();
    let ran = site.run(&["connections", "test", PG]).exits(0);
    expect![[r#"
        ✓ start driver T
        ✓ resolve name T 127.0.0.1
        ✓ reach T 127.0.0.1:<port>
        ✓ log in T as postgres
        ✓ ask version T PostgreSQL <version>
    "#]]
    .assert_eq(&stages(&ran.stdout).replace(version, "<version>"));
    ran.on_stderr(expect![[r#"
        pg works
    "#]]);

    let ran = site.run_with("wrong", &["connections", "test", PG]).exits(1);
    expect![[r#"
        ✓ start driver T
        ✓ resolve name T 127.0.0.1
        ✓ reach T 127.0.0.1:<port>
        ✗ log in T
    "#]]
    .assert_eq(&stages(&ran.stdout));
    ran.on_stderr(expect![[r#"
        fatal: password authentication failed for user "postgres"
         code: SQLSTATE 28P01
    "#]]);

    site.add("nowhere", &site.url("no-such-host.invalid", "postgres"), &[]);
    let ran = site.run(&["connections", "test", "nowhere"]).exits(3);
    expect![[r#"
        ✓ start driver T
        ✗ resolve name T
    "#]]
    .assert_eq(&stages(&ran.stdout));
    let said = "error: the name \"no-such-host.invalid\" cannot be resolved: ";
    assert!(ran.stderr.starts_with(said), "{ran:#?}");
}

/// Stages without the room between their columns, which follows the times.
fn stages(stdout: &str) -> String {
    stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
}

#[test]
fn a_schema_is_shown() {
    let site = Site::start();
    site.server.psql(
        "create schema shop;
         create table shop.customers (id int generated always as identity primary key, name text not null);
         comment on table shop.customers is 'Who buys.';
         create table shop.orders (
             id bigint primary key, customer int not null references shop.customers, total numeric(10,2) default 0);
         create index on shop.orders (customer);
         create view shop.totals as select customer, sum(total) as total from shop.orders group by customer;",
    );
    site.run(&["schema", PG, "--schema", "shop"]).exits(0).on_stdout(expect![[r#"
        shop
        ├── customers (table)  -- Who buys.
        │   ├── id    integer  primary key, not null, identity
        │   ├── name  text     not null
        │   └── unique index customers_pkey (id)
        ├── orders (table)
        │   ├── id        bigint         primary key, not null
        │   ├── customer  integer        not null
        │   ├── total     numeric(10,2)  default 0
        │   ├── foreign key (customer) → customers (id)
        │   ├── index orders_customer_idx (customer)
        │   └── unique index orders_pkey (id)
        └── totals (view)
            ├── customer  integer
            └── total     numeric
    "#]]);
    let orders = site.run(&["schema", PG, "--schema", "shop", "--relation", "orders", "--json"]).exits(0);
    let orders: serde_json::Value = serde_json::from_str(&orders.stdout).unwrap();
    assert_eq!(orders["schemas"][0]["relations"][0]["columns"][2]["name"], "total");
    site.run(&["schema", PG, "--relation", "nope"]).says(
        2,
        expect![[r#"
        error: pg has no table or view nope
    "#]],
    );
}

#[test]
fn all_kinds_are_shown_where_they_belong() {
    let site = Site::start();
    site.server.psql(
        "create schema shop;
         create type shop.mood as enum ('sad', 'happy');
         create sequence shop.tickets;
         create function shop.touch() returns trigger language plpgsql as 'begin return new; end';
         create table shop.log (at date not null, id serial, mood shop.mood) partition by range (at);
         create table shop.log_2020 partition of shop.log for values from ('2020-01-01') to ('2021-01-01');
         create trigger touched before insert on shop.log for each row execute function shop.touch();
         alter table shop.log enable row level security;
         create policy own on shop.log for select using (id > 0);",
    );
    site.run(&["schema", PG, "--schema", "shop", "--like", "*LOG"]).exits(0).on_stdout(expect![[r#"
        shop
        └── log (partitioned table, by RANGE (at), row security enabled)
            ├── at    date       not null
            ├── id    integer    not null, default nextval('shop.log_id_seq'::regclass)
            ├── mood  shop.mood
            ├── trigger touched → touch()
            └── policy own for SELECT to public using (id > 0)
    "#]]);
    site.run(&[
        "schema", PG, "--schema", "shop", "--kind", "type", "--kind", "routine", "--kind", "sequence",
    ])
    .exits(0)
    .on_stdout(expect![[r#"
            shop
            ├── tickets (sequence of bigint)
            ├── mood (enum: sad, happy)
            └── touch() (function → trigger)
        "#]]);
    let ddl = site.run(&["schema", PG, "--schema", "shop", "--ddl"]).exits(0);
    assert!(ddl.stdout.starts_with("CREATE SCHEMA shop;\n"), "{}", ddl.stdout);
    assert!(
        ddl.stderr.contains("left out: owner postgres (6 times), value of the sequence"),
        "{}",
        ddl.stderr
    );
    // As a script it makes the same again.
    site.server.psql("drop schema shop cascade");
    site.run(&["query", PG, &ddl.stdout]).exits(0);
    let again = site.run(&["schema", PG, "--schema", "shop", "--ddl"]).exits(0);
    assert_eq!(again.stdout, ddl.stdout);
    let one =
        site.run(&["schema", PG, "--schema", "shop", "--relation", "log_2020", "--ddl", "--json"]).exits(0);
    let one: serde_json::Value = serde_json::from_str(&one.stdout).unwrap();
    let ties = one[0]["ties_sql"].as_str().unwrap();
    assert!(ties.starts_with("ALTER TABLE ONLY shop.log ATTACH PARTITION shop.log_2020 FOR VALUES"), "{one}");

    let roles = site.run(&["schema", PG, "--kind", "role", "--json"]).exits(0);
    let roles: serde_json::Value = serde_json::from_str(&roles.stdout).unwrap();
    assert_eq!(roles["roles"][0]["name"], "postgres");
    assert_eq!(roles["roles"][0]["attributes"][0], "superuser");
}

#[test]
fn a_script_makes_what_is_needed_first() {
    let site = Site::start();
    site.server.psql(
        r#"create schema deep;
           create table deep.t (a int generated always as identity (minvalue -10 start 1));
           create view deep.zz as select a from deep.t;
           create view deep.aa as select * from deep.zz;
           create function deep.all_t() returns setof deep.t language sql as 'select * from deep.t';
           create function deep.five() returns int language sql immutable as 'select 5';
           create table deep.b (a int default deep.five() check (a < deep.five() + 1), t deep.t);
           create view deep.by_function as select * from deep.all_t();
           create domain deep.z as int; create domain deep.a as deep.z;
           create type deep.pair as (one deep.a, many deep.t[]);
           create table deep.a_heir () inherits (deep.b); create table deep."0 heir" () inherits (deep.a_heir);
           create type deep.rng as range (subtype = text, collation = "C", multirange_type_name = deep.rngs);
           create table deep."0 ranges" (r deep.rngs, p deep.pair);
           comment on column deep.pair.one is 'first';"#,
    );
    let arguments = ["schema", PG, "--schema", "deep", "--ddl"];
    let ddl = site.run(&arguments).exits(0);
    assert!(ddl.stdout.contains("MINVALUE -10 START WITH 1"), "{}", ddl.stdout);
    assert!(
        ddl.stdout.contains(r#"COLLATION = pg_catalog."C", MULTIRANGE_TYPE_NAME = deep.rngs)"#),
        "{}",
        ddl.stdout
    );
    assert!(ddl.stderr.contains("comments on its attributes"), "{}", ddl.stderr);
    site.server.psql("drop schema deep cascade");
    site.run(&["query", PG, &ddl.stdout]).exits(0);
    assert_eq!(site.run(&arguments).exits(0).stdout, ddl.stdout);
    // What every database has is no reason to stop.
    let whole = site.run(&["schema", PG, "--ddl"]).exits(0);
    site.server.psql("drop schema deep cascade");
    site.run(&["query", PG, &whole.stdout]).exits(0);
}
