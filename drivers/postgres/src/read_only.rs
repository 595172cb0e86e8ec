//! Read-only sessions: whatever the user runs, runs inside a read-only transaction of the driver's, and nothing but the
//! driver ends one.
//!
//! Two things keep data as it is, and each statement has both:
//!
//! - The transaction is read-only and has its snapshot before the statement is sent. From then on the server refuses to
//!   make it a writing one. Opening it and the statement travel in one batch of the extended protocol, in which the server
//!   skips whatever follows an error: a statement whose transaction could not be opened does not run.
//! - It is rolled back. That takes back what the server lets through: a notification, an index built anew, before version
//!   16 a large object, and whatever is done in a transaction that `RESET transaction_read_only` made a writing one, which
//!   before version 16 asks nobody.
//!
//! So statements that begin or end transactions are not sent. They are known by their first word, by which the server's
//! parser knows them too; no other decision rests on a statement's text.
//!
//! Commands that run on the server's machine, files that it writes, replication slots and sequences that advance do not come
//! back. Who may cause them is refused when the session is opened: see [`check`].

mod statement;

use querybox_plugin::{Error, OpenError, pb};

use crate::connection::{Connection, Frame};

pub(crate) use statement::{Effect, asks_to_commit, control_refused, effect, end_of_transaction, first_word};

/// Opens a transaction; the query gives it its snapshot.
const OPENING: [&str; 2] = ["BEGIN READ ONLY", "SELECT 1"];
/// For a transaction that is open: whatever a statement did to it, it is read-only again, and has its snapshot.
const KEEPING: [&str; 2] = ["SET TRANSACTION READ ONLY", "SELECT 1"];

/// A role by which the user could write outside of transactions, and what it is. Names mean the server's own, whatever a
/// user's settings say.
const ROLES: &str = "BEGIN READ ONLY; SET LOCAL search_path TO pg_catalog, pg_temp; \
     SELECT rolname, CASE WHEN rolsuper THEN 'superuser' WHEN rolreplication THEN 'replication role' ELSE '' END, \
            rolname = session_user \
     FROM pg_roles \
     WHERE (rolsuper OR rolreplication OR rolname IN ('pg_execute_server_program', 'pg_write_server_files')) \
       AND pg_has_role(session_user, oid, 'MEMBER') \
     ORDER BY rolname = session_user, rolsuper, rolreplication, rolname DESC";
/// Whether a statement can make that transaction a writing one.
const PROBE: &str = "RESET transaction_read_only; SELECT current_setting('transaction_read_only')";
/// From this version on the server refuses that, and is not asked: the refusal would only fill its log.
const HOLDS_SINCE: u32 = 16;
/// By what the user, or a role that they can become, may advance a sequence: their rights on it, a table that advances the
/// sequence of its identity column whoever inserts, or a function that runs with another's rights. The last row says most.
const SEQUENCES: &str = "WITH r AS (SELECT oid FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER')), \
       s AS (SELECT c.* FROM pg_class c WHERE c.relkind = 'S') \
     SELECT what FROM ( \
       SELECT 1, format('run %s, which has the rights of another user', p.oid::regprocedure) FROM pg_proc p, r \
       WHERE p.prosecdef AND p.pronamespace <> 'pg_catalog'::regnamespace AND EXISTS (SELECT FROM s) \
         AND (has_function_privilege(r.oid, p.oid, 'EXECUTE') \
              AND has_schema_privilege(r.oid, p.pronamespace, 'USAGE') \
           OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgfoid = p.oid \
                AND has_table_privilege(r.oid, t.tgrelid, 'INSERT, UPDATE, DELETE, TRUNCATE'))) \
       UNION ALL \
       SELECT 2, format('insert into %s, where identity columns are', c.oid::regclass) FROM pg_class c, r \
       WHERE (c.relkind = 'v' AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) \
                AND EXISTS (SELECT FROM pg_attribute a WHERE a.attidentity <> '') \
           OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attidentity <> '')) \
         AND has_schema_privilege(r.oid, c.relnamespace, 'USAGE') \
         AND (has_table_privilege(r.oid, c.oid, 'INSERT') OR has_any_column_privilege(r.oid, c.oid, 'INSERT')) \
       UNION ALL \
       SELECT 3, format('advance the sequence %s', s.oid::regclass) FROM s, r \
       WHERE has_schema_privilege(r.oid, s.relnamespace, 'USAGE') \
         AND has_sequence_privilege(r.oid, s.oid, 'USAGE, UPDATE') \
     ) AS ways (weight, what) ORDER BY weight, what DESC";

/// Refuses a user from whom a read-only transaction protects nothing.
///
/// # Errors
///
/// The refusal, by the name of what the user may do.
pub(crate) async fn check(connection: &mut Connection) -> Result<(), OpenError> {
    // The last row: the one that says most.
    if let [Some(role), Some(kind), Some(is_self)] = connection.simple(ROLES).await?.as_slice() {
        let user = connection.reported.user();
        let who = match (is_self.as_str(), kind.as_str()) {
            ("t", kind) => format!("a {kind}"),
            (_, "") => format!("a member of {role:?}"),
            (_, kind) => format!("who can become the {kind} {role:?}"),
        };
        let detail = match kind.as_str() {
            "replication role" => {
                "Replication slots are made, advanced and dropped in a read-only transaction as in any."
            }
            _ => {
                "COPY runs programs and writes files of the server for such users, in a read-only transaction as in any."
            }
        };
        return Err(refusal(
            format!("a read-only connection is refused for {user:?}, {who}"),
            detail,
            "Connect as a user without these rights.",
        ));
    }
    if connection.reported.major_version() < HOLDS_SINCE && !holds(connection).await? {
        let sequences = connection.simple(SEQUENCES).await?;
        if let [Some(what)] = sequences.as_slice() {
            let version = connection.reported.version();
            return Err(refusal(
                format!("a read-only connection is refused for a user who may {what}"),
                &format!(
                    "On version {version} a function can leave a read-only transaction. It is rolled back all the same, \
                     but a sequence that was advanced does not come back."
                ),
                "Connect as a user who only reads, or to version 16 or later.",
            ));
        }
    }
    connection.simple("ROLLBACK").await?;
    Ok(())
}

/// Whether the transaction stays read-only when a statement resets that.
async fn holds(connection: &mut Connection) -> Result<bool, OpenError> {
    match connection.simple(PROBE).await {
        Ok(row) => Ok(row == [Some("on".to_owned())]),
        // The server refuses, and the transaction is over with it.
        Err(OpenError::Rejected(_)) if !connection.is_over => Ok(true),
        Err(error) => Err(error),
    }
}

fn refusal(message: String, detail: &str, hint: &str) -> OpenError {
    OpenError::Rejected(Box::new(pb::Rejection {
        // feature_not_supported
        sqlstate: "0A000".into(),
        severity: "FATAL".into(),
        message,
        detail: detail.into(),
        hint: hint.into(),
        transaction_state: pb::TransactionState::Idle.into(),
        ..pb::Rejection::default()
    }))
}

/// Puts the commands into the output that make sure of a transaction, for a statement to follow without a Sync between.
/// The answer is how many the server completes before it comes to the statement.
pub(crate) fn put_transaction(connection: &mut Connection) -> Result<usize, Error> {
    let commands = match connection.transaction {
        pb::TransactionState::Idle => OPENING,
        _ => KEEPING,
    };
    if connection.frame == Frame::None {
        connection.frame = Frame::Statement;
    }
    for command in commands {
        connection.put_command(command)?;
    }
    Ok(commands.len())
}

/// Begins a transaction for what the driver does in the user's place.
pub(crate) async fn begin(connection: &mut Connection) -> Result<(), Error> {
    put_transaction(connection)?;
    connection.put_sync();
    connection.wire.send().await?;
    match connection.simple_answer("").await {
        Ok(_) => Ok(()),
        Err(OpenError::Failed(error)) => Err(error),
        Err(OpenError::Rejected(rejection)) => Err(Error::lost(rejection.message)),
    }
}

/// Ends the transaction of one statement.
///
/// A setting that was made lasts as it would anywhere: a statement that only sets can write nothing.
pub(crate) async fn end_statement(connection: &mut Connection, effect: Effect) -> Result<(), Error> {
    if connection.frame != Frame::Statement {
        return Ok(());
    }
    if effect == Effect::Setting && connection.transaction == pb::TransactionState::Open {
        connection.frame = Frame::None;
        return match connection.simple("COMMIT").await {
            Ok(_) => Ok(()),
            Err(OpenError::Failed(error)) => Err(error),
            // Whether the setting is there is not known, and everything after rests on it.
            Err(OpenError::Rejected(rejection)) => Err(Error::lost(rejection.message)),
        };
    }
    connection.roll_back_frame().await
}

/// Runs one of the user's statements whose results nobody wants, in a transaction of its own.
///
/// # Errors
///
/// The server's refusal, or the driver's of a statement that begins or ends a transaction.
pub(crate) async fn run(connection: &mut Connection, sql: &str) -> Result<(), OpenError> {
    let effect = effect(sql);
    if let Effect::Control(word) = effect {
        return Err(OpenError::Rejected(Box::new(control_refused(word, connection.told_transaction()))));
    }
    put_transaction(connection)?;
    connection.put_command(sql)?;
    connection.put_sync();
    connection.wire.send().await?;
    let answer = connection.simple_answer(sql).await;
    match &answer {
        Err(OpenError::Failed(_)) => {}
        Err(OpenError::Rejected(_)) if connection.is_over => {}
        _ => end_statement(connection, effect).await?,
    }
    answer.map(|_| ())
}
