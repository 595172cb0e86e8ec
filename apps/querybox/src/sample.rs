//! The sample database: an invented online shop in one SQLite file, made by code on first run.
//!
//! The same build makes the same rows on every machine: there is no clock and no outside randomness in it. Each table
//! draws from a random stream of its own, so that a new row here changes nothing there. All people, products and
//! addresses are invented, and every email address lies in a domain reserved for examples.

mod amount;
mod calendar;
mod catalog;
mod customers;
mod events;
mod image;
mod orders;
mod people;
mod random;

use std::{
    fs::{File, Permissions},
    os::unix::fs::{PermissionsExt, fchown},
    path::Path,
};

use anyhow::Context;
use rusqlite::{Connection, Transaction};

/// The version of the sample's schema and rows, kept in the file as `PRAGMA user_version`.
///
/// It grows with each change that a user of the sample could see.
const VERSION: i32 = 1;

/// Makes the sample database at `path`, replacing what is there, for `owner` (`None`: whoever runs this).
///
/// It is made under another name in `workshop`, a folder on the same disk into which only the caller writes. Nobody else
/// has to be trusted with the folder of `path`: no name in there is followed.
///
/// The file appears under its name complete and synced to disk or not at all. It is readable by its owner only and
/// needs no other file beside it (its journal mode is DELETE). Blocks for about a second.
///
/// # Errors
///
/// When a folder does not exist, cannot be written, or its disk is full.
pub(crate) fn create(path: &Path, workshop: &Path, owner: Option<u32>) -> anyhow::Result<()> {
    let folder = path.parent().context("the sample database needs a folder")?;
    let partial = tempfile::Builder::new()
        .prefix(".sample-")
        .suffix(".partial")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(workshop)
        .with_context(|| format!("cannot write into {}", workshop.display()))?;
    build(partial.path()).context("cannot make the sample database")?;
    if owner.is_some() {
        fchown(partial.as_file(), owner, owner).context("cannot give the sample database to its user")?;
    }
    partial.as_file().sync_all().context("cannot sync the sample database")?;
    partial.persist(path).with_context(|| format!("cannot put the sample database at {}", path.display()))?;
    // The new name itself lives in the folder.
    File::open(folder).and_then(|folder| folder.sync_all()).context("cannot sync the sample's folder")?;
    Ok(())
}

fn build(path: &Path) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    // The file has no reader yet and a failure throws it away: neither a journal nor early syncs are worth their time.
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(include_str!("sample/tables.sql"))?;
    fill(&transaction)?;
    // Indexes and the trigger come after the rows: an index built once is smaller and faster than one that grows.
    transaction.execute_batch(include_str!("sample/indexes.sql"))?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    connection.execute_batch("ANALYZE")?;
    connection.close().map_err(|(_, error)| error)
}

fn fill(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let calendar = calendar::Calendar::new();
    let products = catalog::insert(transaction, &calendar)?;
    let customers = customers::insert(transaction, &calendar)?;
    let orders = orders::insert(transaction, &calendar, &customers, &products)?;
    events::insert(transaction, &calendar, &customers, &products, &orders)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    /// One sample for all tests of a process: it is read only.
    static SAMPLE: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        make(&folder.path().join("sample.db")).unwrap();
        folder
    });

    fn make(path: &Path) -> anyhow::Result<()> {
        create(path, path.parent().unwrap(), None)
    }

    fn open() -> Connection {
        Connection::open(SAMPLE.path().join("sample.db")).unwrap()
    }

    fn number(sql: &str) -> i64 {
        open().query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Asserts that a query that looks for wrong rows finds none.
    fn none(sql: &str) {
        let found = number(&format!("SELECT count(*) FROM ({sql})"));
        assert_eq!(found, 0, "{found} rows of: {sql}");
    }

    #[test]
    fn it_has_about_two_hundred_thousand_rows() {
        let tables = ["customers", "categories", "products", "orders", "order_items", "payments", "events"];
        let counts = tables.map(|table| number(&format!("SELECT count(*) FROM {table}")));
        let total: i64 = counts.iter().sum();
        assert!((190_000..=210_000).contains(&total), "{total} rows: {tables:?} {counts:?}");
        assert!(counts.iter().all(|count| *count <= counts[6]), "events is the largest: {counts:?}");
    }

    #[test]
    fn the_file_is_alone_sound_and_knows_its_version() {
        assert_eq!(number("PRAGMA user_version"), i64::from(VERSION));
        let text = |sql| open().query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(text("PRAGMA journal_mode"), "delete");
        assert_eq!(text("PRAGMA integrity_check"), "ok");
        none("SELECT * FROM pragma_foreign_key_check");
        let files: Vec<_> =
            std::fs::read_dir(SAMPLE.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, ["sample.db"]);
    }

    #[test]
    fn two_builds_hold_the_same_rows() {
        let other = SAMPLE.path().with_extension("twin");
        make(&other).unwrap();
        let same = std::fs::read(&other).unwrap() == std::fs::read(SAMPLE.path().join("sample.db")).unwrap();
        std::fs::remove_file(&other).unwrap();
        assert!(same);
    }

    #[test]
    fn an_order_costs_what_its_items_cost() {
        none(
            "SELECT o.id FROM orders o LEFT JOIN order_items i ON i.order_id = o.id GROUP BY o.id
             HAVING round(o.total * 100) IS NOT round(sum(i.quantity * i.unit_price - coalesce(i.discount, 0)) * 100)",
        );
        none("SELECT * FROM order_totals WHERE items_total <> total");
    }

    #[test]
    fn what_was_paid_is_what_was_owed() {
        let paid =
            "SELECT o.id FROM orders o LEFT JOIN payments p ON p.order_id = o.id AND p.paid_at IS NOT NULL
                    GROUP BY o.id HAVING round(coalesce(sum(p.amount), 0) * 100)";
        none(&format!("{paid} <> round(o.total * 100) AND o.status IN ('paid', 'shipped', 'delivered')"));
        none(&format!("{paid} <> 0 AND o.status IN ('placed', 'cancelled', 'returned')"));
        none("SELECT p.id FROM payments p JOIN orders o ON o.id = p.order_id WHERE p.paid_at < o.placed_at");
    }

    #[test]
    fn nobody_buys_before_signing_up_and_december_beats_february() {
        none(
            "SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.placed_at < c.created_at",
        );
        none("SELECT * FROM orders o JOIN order_items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id
              WHERE o.placed_at < p.added_on");
        none("SELECT id FROM orders WHERE shipped_at <= placed_at OR datetime(placed_at) IS NOT placed_at");
        let month =
            |month| number(&format!("SELECT count(*) FROM orders WHERE placed_at LIKE '____-{month}-%'"));
        assert!(month("12") > month("02") * 3 / 2, "{} and {}", month("12"), month("02"));
        for status in ["placed", "paid", "shipped", "delivered", "cancelled", "returned"] {
            assert!(
                number(&format!("SELECT count(*) FROM orders WHERE status = '{status}'")) > 20,
                "{status}"
            );
        }
    }

    #[test]
    fn every_email_lies_in_a_reserved_domain() {
        none(
            "SELECT email FROM customers WHERE email NOT GLOB '[a-z]*@example.com'
             AND email NOT GLOB '[a-z]*@example.org' AND email NOT GLOB '[a-z]*@example.net'",
        );
        none("SELECT email FROM customers WHERE email GLOB '*[^a-z0-9.@]*'");
    }

    #[test]
    fn the_rows_show_what_a_client_must_cope_with() {
        let some = |sql: &str| assert!(number(&format!("SELECT count(*) FROM ({sql})")) > 10, "{sql}");
        some("SELECT 1 FROM customers WHERE birthday IS NULL");
        some("SELECT 1 FROM customers WHERE notes LIKE '%' || char(10) || '%'");
        some("SELECT 1 FROM customers WHERE unicode(name) BETWEEN 1024 AND 1279"); // Cyrillic
        some("SELECT 1 FROM customers WHERE unicode(name) BETWEEN 1536 AND 1791"); // Arabic
        some("SELECT 1 FROM customers WHERE unicode(name) BETWEEN 19968 AND 40959"); // Han
        some(
            "SELECT 1 FROM products WHERE typeof(image) = 'blob' AND substr(image, 1, 2) = CAST('BM' AS BLOB)",
        );
        some("SELECT 1 FROM products WHERE weight IS NULL");
        some("SELECT 1 FROM products WHERE discontinued = 1");
        some("SELECT 1 FROM order_items WHERE discount IS NOT NULL");
        some("SELECT 1 FROM payments WHERE paid_at IS NULL");
        some("SELECT 1 FROM payments WHERE amount < 0");
        some("SELECT 1 FROM events WHERE customer_id IS NULL");
        none("SELECT id FROM events WHERE at NOT GLOB '????-??-?? ??:??:??.???'");
        none("SELECT id FROM payments WHERE reference NOT GLOB '????????-????-4???-[89ab]???-????????????'");
        assert_eq!(number("SELECT count(*) FROM top_customers"), 100);
    }

    #[test]
    fn a_changed_status_is_an_event() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sample.db");
        std::fs::copy(SAMPLE.path().join("sample.db"), &path).unwrap();
        let connection = Connection::open(&path).unwrap();
        connection.execute("UPDATE orders SET status = 'returned' WHERE id = 7", []).unwrap();
        let payload: String = connection
            .query_row("SELECT payload FROM events ORDER BY id DESC LIMIT 1", [], |row| row.get(0))
            .unwrap();
        assert_eq!(payload, r#"{"order":7,"from":"delivered","to":"returned"}"#);
    }

    #[test]
    fn a_folder_that_does_not_exist_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = make(&folder.path().join("missing/sample.db")).unwrap_err();
        assert!(error.to_string().contains("missing"), "{error:#}");
    }

    #[test]
    fn a_failed_build_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        // A folder with the sample's name cannot be replaced by a file.
        let path = folder.path().join("sample.db");
        std::fs::create_dir_all(path.join("in the way")).unwrap();
        make(&path).unwrap_err();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
