//! What is tried.

/// One way to write.
#[derive(Debug)]
pub(super) struct Attack {
    /// One after another on one session. Rejected statements do not end them.
    pub(super) scripts: &'static [&'static str],
    pub(super) servers: Servers,
}

/// Where it is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Servers {
    All,
    /// Where a read-only transaction stays one, so that the user may own the sequence `s`.
    Holding,
    /// Where it writes on a session that may only because a transaction can be reset.
    Resetting,
}

const fn attack(scripts: &'static [&'static str]) -> Attack {
    Attack { scripts, servers: Servers::All }
}

const fn with_sequence(scripts: &'static [&'static str]) -> Attack {
    Attack { scripts, servers: Servers::Holding }
}

const fn with_reset(scripts: &'static [&'static str]) -> Attack {
    Attack { scripts, servers: Servers::Resetting }
}

/// What the attacked own.
pub(super) const SETUP: &str = r#"
create table t (a int primary key, b text);
insert into t select i, 'x' from generate_series(1, 5) i;
create table parent (a int) partition by range (a);
create table part partition of parent for values from (0) to (10);
create index i on t (b);
create view v as select * from t;
create materialized view m as select count(*) from t;
create table log (a text);
create type mood as enum ('sad');
create function writes() returns int language plpgsql as $$ begin insert into log values ('f'); return 1; end $$;
create function lies() returns int stable language sql as $$ select writes() $$;
create function as_owner() returns int language plpgsql security definer
    as $$ begin insert into log values ('d'); return 1; end $$;
create function unsets() returns int language plpgsql set default_transaction_read_only = off
    as $$ begin insert into log values ('u'); return 1; end $$;
create function triggered() returns trigger language plpgsql
    as $$ begin insert into log values ('t'); return new; end $$;
create trigger after_update after update on t for each row execute function triggered();
create procedure commits() language plpgsql
    as $$ begin commit; insert into log values ('p'); commit; end $$;
create procedure chains() language plpgsql
    as $$ begin rollback and chain; set transaction read write; insert into log values ('c'); commit; end $$;
create operator public.= (leftarg = name, rightarg = name, function = pg_catalog.namene);
select lo_create(77);
"#;

/// At least sixty, each of which writes on a session that may.
pub(super) const ATTACKS: &[Attack] = &[
    // Plainly.
    attack(&["insert into t values (100, 'a')"]),
    attack(&["insert into v values (101, 'a')"]),
    attack(&["insert into parent values (1)"]),
    attack(&["update t set b = 'y1' where a = 1"]),
    attack(&["delete from t where a = 5"]),
    attack(&["insert into t values (1, '') on conflict (a) do update set b = 'y2'"]),
    attack(&["merge into t using (values (1)) s(a) on t.a = s.a when matched then update set b = 'y3'"]),
    attack(&["truncate log"]),
    attack(&["create table t1 (a int)"]),
    attack(&["create table t2 as select * from t"]),
    attack(&["select * into t3 from t"]),
    attack(&["create schema s1 create table t (a int)"]),
    attack(&["alter table t add column c int"]),
    attack(&["alter table t alter column b set default 'z'"]),
    attack(&["create index i2 on t (b)"]),
    attack(&["create view v2 as select 1"]),
    attack(&["comment on table t is 'c1'"]),
    attack(&["grant select on t to public"]),
    attack(&["create type mood2 as enum ('a')"]),
    attack(&["alter type mood add value 'glad'"]),
    attack(&["create function f2() returns int language sql as 'select 1'"]),
    attack(&["create role r1"]),
    attack(&["alter role other set work_mem = '5MB'"]),
    attack(&["alter role current_user set work_mem = '5MB'"]),
    attack(&["create database d1"]),
    attack(&["create rule r as on insert to log do also select 1"]),
    attack(&["alter default privileges grant select on tables to public"]),
    attack(&["insert into t values (102, 'a') returning pg_backend_pid()"]),
    attack(&["refresh materialized view m"]),
    attack(&["reassign owned by current_user to other"]),
    // Inside of something that reads.
    attack(&["with w as (insert into t values (103, 'a') returning *) select * from w"]),
    attack(&["with w as (update t set b = 'y4' returning *) select count(*) from w"]),
    attack(&["with recursive w as (delete from t where a = 4 returning *) table w"]),
    attack(&["explain analyze insert into t values (104, 'a')"]),
    attack(&["explain (analyze) create table t7 as select 1"]),
    attack(&["copy (insert into t values (105, 'a') returning *) to stdout"]),
    attack(&["prepare q as insert into t values (106, 'a'); execute q"]),
    attack(&["prepare q2 (int) as insert into t values ($1, 'a')", "execute q2(107)"]),
    attack(&[
        "explain analyze execute q3",
        "prepare q3 as insert into t values (108, 'a')",
        "explain analyze execute q3",
    ]),
    attack(&[
        "create or replace procedure p1() language sql as 'insert into log values (''p1'')'; call p1()",
    ]),
    // By functions, triggers and procedures.
    attack(&["select writes()"]),
    attack(&["select lies()"]),
    attack(&["select as_owner()"]),
    attack(&["select unsets()"]),
    attack(&["select * from t where writes() = 1"]),
    attack(&["values (writes())"]),
    attack(&["declare c cursor with hold for select writes(); fetch all from c"]),
    attack(&["begin; declare c cursor for select writes(); fetch all from c; commit"]),
    attack(&["select query_to_xml('select writes()', true, true, '')"]),
    attack(&["do $$ begin insert into log values ('do'); end $$"]),
    attack(&["do $$ begin execute 'create table t8 (a int)'; end $$"]),
    attack(&["do $$ begin begin insert into log values ('e'); exception when others then null; end; end $$"]),
    // By leaving the transaction.
    attack(&["commit; insert into log values ('1')"]),
    attack(&["commit", "insert into log values ('2')"]),
    attack(&["rollback; insert into log values ('3')"]),
    attack(&["end; insert into log values ('4')"]),
    attack(&["abort; insert into log values ('5')"]),
    attack(&["/* a */ -- b\n cOmMiT/**/; insert into log values ('6')"]),
    attack(&["begin read write; insert into log values ('7'); commit"]),
    attack(&["begin", "insert into log values ('8')", "commit"]),
    attack(&[
        "start transaction isolation level serializable, read write; insert into log values ('9'); commit",
    ]),
    attack(&["begin; commit and chain; set transaction read write; insert into log values ('10'); commit"]),
    attack(&[
        "begin read only; rollback and chain; set transaction read write; insert into log values ('11'); commit",
    ]),
    attack(&[
        "begin; savepoint a; set transaction read write; insert into log values ('12'); release a; commit",
    ]),
    attack(&["begin; savepoint a; select 1/0; rollback to a; insert into log values ('13'); commit"]),
    attack(&["select 1/0; rollback; insert into log values ('14')"]),
    attack(&["call commits()"]),
    attack(&["call chains()"]),
    attack(&["do $$ begin commit; insert into log values ('15'); end $$"]),
    attack(&["do $$ begin rollback; set transaction read write; insert into log values ('16'); end $$"]),
    attack(&["begin; insert into log values ('17'); prepare transaction 'x1'"]),
    attack(&["begin; select lo_create(0); prepare transaction 'x2'", "commit prepared 'x2'"]),
    // By making it a writing one.
    attack(&["set transaction read write; insert into log values ('18')"]),
    attack(&["set transaction_read_only = off; insert into log values ('19')"]),
    attack(&["set local transaction_read_only = off; insert into log values ('20')"]),
    attack(&["set transaction_read_only to default; insert into log values ('21')"]),
    attack(&["reset transaction_read_only; insert into log values ('22')"]),
    attack(&["reset all; insert into log values ('23')"]),
    attack(&["discard all; insert into log values ('24')"]),
    attack(&["set default_transaction_read_only = off; insert into log values ('25')"]),
    attack(&["set session characteristics as transaction read write; insert into log values ('26')"]),
    attack(&["select set_config('transaction_read_only', 'off', false); insert into log values ('27')"]),
    with_reset(&["select set_config('transaction_read_only', null, true), writes()"]),
    attack(&["select set_config('transaction_read_only', null, false); insert into log values ('28')"]),
    attack(&[
        "select set_config('default_transaction_read_only', 'off', false); insert into log values ('29')",
    ]),
    attack(&["do $$ begin perform set_config('transaction_read_only', 'off', true); \
        exception when others then null; end $$; insert into log values ('30')"]),
    attack(&["do $$ begin execute 'reset transaction_read_only'; exception when others then null; end $$; \
        insert into log values ('31')"]),
    attack(&["do $$ begin execute 'set transaction_read_only to default'; insert into log values ('32'); \
        exception when others then insert into log values ('33'); end $$"]),
    attack(&[
        "update pg_settings set setting = 'off' where name = 'transaction_read_only'; insert into log values ('34')",
    ]),
    attack(&["set role other; reset role; insert into log values ('35')"]),
    // Large objects.
    attack(&["select lo_create(0)"]),
    attack(&["select lo_creat(-1)"]),
    attack(&["select lo_from_bytea(0, 'abc')"]),
    attack(&["select lo_put(77, 0, 'abcd')"]),
    attack(&["select lowrite(lo_open(77, 131072), 'efg')"]),
    attack(&["select lo_truncate(lo_open(77, 131072), 2)"]),
    attack(&["grant select on large object 77 to public; create table t9 (a int)"]),
    attack(&["select lo_unlink(77)"]),
    attack(&["select lo_create(0); commit"]),
    attack(&["declare h cursor with hold for select lo_create(0)", "fetch all from h"]),
    // Sequences, which no rollback brings back.
    with_sequence(&["select nextval('s')"]),
    with_sequence(&["select setval('s', 50)"]),
    with_sequence(&["alter sequence s restart 7"]),
    with_sequence(&["do $$ begin perform nextval('s'); exception when others then \
        execute 'reset transaction_read_only'; perform nextval('s'); end $$"]),
    // What another statement hides.
    attack(&["set standard_conforming_strings = off; select '\\'; insert into log values ('36'); --'; \
        insert into log values ('37')"]),
    attack(&["listen c; notify c, 'x'; insert into log values ('38')"]),
    attack(&["vacuum t; insert into log values ('39')"]),
    attack(&["lock table t in access exclusive mode; insert into log values ('40')"]),
    attack(&[
        "create temp table tt (a int); insert into log select 'tt' from (insert into tt values (1) returning a) s; \
        create table t10 as select * from tt",
    ]),
    attack(&["drop view v"]),
    attack(&["drop table part"]),
    attack(&["drop owned by current_user"]),
];

/// What reads, and what a read-only transaction lets through without harm.
pub(super) const HARMLESS: &[&str] = &[
    "select 1; table t; values (1)",
    "show all",
    "explain analyze select * from t",
    "copy t to stdout",
    "prepare p as select * from t where a = 1; execute p; deallocate p",
    "lock table t in access share mode",
    "analyze t",
    "reindex table t",
    "cluster t using i",
    "notify c, 'x'",
    "listen c; unlisten *",
    "do $$ begin perform 1; end $$",
    "select set_config('work_mem', '5MB', false)",
    "set work_mem = '5MB'; reset work_mem; discard plans",
    "select lo_get(77)",
    "select pg_advisory_lock(1); select pg_advisory_unlock(1)",
    "set search_path = public, pg_catalog; select current_setting('search_path'); reset search_path",
];
