//! The tables that are read: made by the server, the same in every run.

use querybox_fixtures::Postgres;

/// A table, and what is known of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) rows: u64,
}

/// Rows of `narrow` for one of `mixed`.
const NARROW_ROWS: u64 = 10;

impl Table {
    /// Twelve columns of all common types, one value in twenty NULL in each but the first: 317 MB as text with a million
    /// rows.
    pub(crate) fn make_mixed(server: &Postgres, narrow_rows: u64) -> Self {
        let rows = narrow_rows.div_ceil(NARROW_ROWS);
        let null = |remainder: u32, value: &str| format!("case when i % 20 <> {remainder} then {value} end");
        let columns = [
            ("id", "i".to_owned()),
            ("amount", null(1, "(i * 7919 % 1000003)::int")),
            ("ratio", null(2, "sin(i) * 1e6")),
            ("price", null(3, "(i * 104729 % 100000000000 / 10000.0)::numeric(18,4)")),
            ("active", null(4, "i % 3 = 0")),
            ("label", null(5, "'label ' || i % 1000")),
            ("body", null(6, "rpad(md5(i::text), 80, md5((i + 1)::text))")),
            ("key", null(7, "md5(i::text)::uuid")),
            ("seen", null(8, "timestamptz '2020-01-01 00:00+00' + i * interval '37 s 1 us'")),
            ("day", null(9, "date '2000-01-01' + (i % 20000)::int")),
            (
                "doc",
                null(
                    10,
                    "jsonb_build_object('number', i, 'tags', array['one', 'two'], 'even', i % 2 = 0, 'name', md5(i::text))",
                ),
            ),
            ("marks", null(11, "array[i % 100, i % 7, null, i]::int[]")),
        ];
        let columns = columns.map(|(name, value)| format!("{value} as {name}")).join(", ");
        Self::make(server, "mixed", rows, &columns)
    }

    /// A bigint, an int and a float8.
    pub(crate) fn make_narrow(server: &Postgres, rows: u64) -> Self {
        Self::make(server, "narrow", rows, "i as id, (i * 7919 % 1000003)::int as number, sin(i) as wave")
    }

    fn make(server: &Postgres, name: &'static str, rows: u64, columns: &str) -> Self {
        let mark = format!("{rows} rows");
        let found = format!("select coalesce(obj_description(to_regclass('{name}'), 'pg_class'), '')");
        // Another bench of the same run has made it.
        if String::from_utf8_lossy(&server.psql(&found)).trim() == mark {
            return Self { name, rows };
        }
        server.psql(&format!(
            "create table {name} as select {columns} from generate_series(1::bigint, {rows}) i"
        ));
        // Nothing of it is left to be done while it is read.
        server.psql(&format!("vacuum (analyze, freeze) {name}"));
        server.psql("checkpoint");
        server.psql(&format!("comment on table {name} is '{mark}'"));
        Self { name, rows }
    }

    /// Of the first column.
    pub(crate) fn sum(self) -> u64 {
        self.rows * (self.rows + 1) / 2
    }

    pub(crate) fn query(self) -> String {
        format!("select * from {}", self.name)
    }
}
