//! What kind of statement it is, by its first words: read as the server's scanner reads them, and nothing behind them.

use querybox_plugin::pb;

/// What a statement does to the transaction that it runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It begins, ends or divides one. The command's name.
    Control(&'static str),
    /// It only changes a setting or what the session listens to, which a commit makes last.
    Setting,
    /// Anything else.
    Other,
}

/// The commands that the server's grammar has for transactions.
const CONTROL: [&str; 8] = ["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"];
const SETTING: [&str; 4] = ["SET", "RESET", "LISTEN", "UNLISTEN"];

/// What a statement does to its transaction.
pub(crate) fn effect(sql: &str) -> Effect {
    let (first, rest) = word(sql);
    let is = |name: &&&str| first.eq_ignore_ascii_case(name);
    if let Some(name) = CONTROL.iter().find(is) {
        return Effect::Control(name);
    }
    if first.eq_ignore_ascii_case("PREPARE") && word(rest).0.eq_ignore_ascii_case("TRANSACTION") {
        return Effect::Control("PREPARE TRANSACTION");
    }
    if SETTING.iter().any(|name| is(&name)) { Effect::Setting } else { Effect::Other }
}

/// A statement's first word; empty when it begins otherwise.
pub(crate) fn first_word(sql: &str) -> &str {
    word(sql).0
}

/// The command of a statement that ends the transaction around it. One that goes back to a savepoint does not.
pub(crate) fn end_of_transaction(sql: &str) -> Option<&'static str> {
    let Effect::Control(command) = effect(sql) else { return None };
    match command {
        "BEGIN" | "START" | "SAVEPOINT" | "RELEASE" => None,
        "ROLLBACK" => {
            let (mut second, rest) = word(word(sql).1);
            if ["WORK", "TRANSACTION"].iter().any(|noise| second.eq_ignore_ascii_case(noise)) {
                second = word(rest).0;
            }
            (!second.eq_ignore_ascii_case("TO")).then_some(command)
        }
        command => Some(command),
    }
}

/// Whether a statement asks to commit: a failed transaction is rolled back by it, which is no error to the server.
pub(crate) fn asks_to_commit(sql: &str) -> bool {
    matches!(effect(sql), Effect::Control("COMMIT" | "END" | "PREPARE TRANSACTION"))
}

/// The rejection of a statement that would begin or end a transaction.
pub(crate) fn control_refused(command: &str, transaction_state: pb::TransactionState) -> pb::Rejection {
    pb::Rejection {
        // feature_not_supported
        sqlstate: "0A000".into(),
        severity: "ERROR".into(),
        message: format!(
            "{command} is not taken on a read-only connection: its transactions are the driver's"
        ),
        detail: "Each statement has a read-only transaction of its own.".into(),
        hint: "A script as a single transaction sees the same data in all its statements.".into(),
        position_byte: Some(0),
        transaction_state: transaction_state.into(),
        ..pb::Rejection::default()
    }
}

/// The word at the start, behind space and comments, and what follows it. Empty: there is none.
fn word(sql: &str) -> (&str, &str) {
    let sql = behind_blank(sql);
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii();
    let end = sql
        .bytes()
        .enumerate()
        .find(|&(at, byte)| !(is_letter(byte) || at > 0 && (byte.is_ascii_digit() || byte == b'$')))
        .map_or(sql.len(), |(at, _)| at);
    sql.split_at(end)
}

fn behind_blank(mut sql: &str) -> &str {
    loop {
        // A vertical tab is space from version 16 on, and no part of any statement before.
        sql = sql.trim_start_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
        if sql.starts_with("--") {
            sql = sql.find(['\n', '\r']).map_or("", |end| &sql[end..]);
        } else if sql.starts_with("/*") {
            sql = behind_comment(sql);
        } else {
            return sql;
        }
    }
}

/// What follows a comment, in which there may be others.
fn behind_comment(sql: &str) -> &str {
    let bytes = sql.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(pair) = bytes.get(at..at + 2) {
        match pair {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return &sql[at..];
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_transactions_are_known_however_they_are_written() {
        for sql in [
            "commit",
            "COMMIT AND CHAIN",
            "\tcOmMiT/**/work",
            "/*+ hint */ -- a\r/* b /* c */ **/\u{b}\u{c}commit",
            "/*/**/*/commit",
            "--\rcommit",
            "commit-- ",
        ] {
            assert_eq!(effect(sql), Effect::Control("COMMIT"), "{sql}");
        }
        for sql in ["begin", "start transaction", "end", "abort", "rollback to a", "savepoint a", "release a"]
        {
            assert!(matches!(effect(sql), Effect::Control(_)), "{sql}");
        }
        for sql in ["prepare transaction 'a'", "PREPARE/* a */--\nTransaction'a'"] {
            assert_eq!(effect(sql), Effect::Control("PREPARE TRANSACTION"), "{sql}");
        }
    }

    #[test]
    fn what_ends_a_transaction_is_told_from_what_goes_back_in_it() {
        for (sql, command) in [
            ("commit", Some("COMMIT")),
            ("end work", Some("END")),
            ("rollback", Some("ROLLBACK")),
            ("rollback work and chain", Some("ROLLBACK")),
            ("prepare transaction 'a'", Some("PREPARE TRANSACTION")),
            ("rollback to a", None),
            ("rollback/**/TRANSACTION -- a\n to savepoint a", None),
            ("rollback work to a", None),
            ("savepoint a", None),
            ("begin", None),
            ("select 1", None),
        ] {
            assert_eq!(end_of_transaction(sql), command, "{sql}");
        }
    }

    #[test]
    fn what_only_sets_is_kept() {
        for sql in ["set a = 1", "RESET ALL", "listen a", "unlisten *", "/* a */ set local a to b"] {
            assert_eq!(effect(sql), Effect::Setting, "{sql}");
        }
    }

    #[test]
    fn everything_else_is_the_databases_to_judge() {
        for sql in [
            "",
            "-- commit",
            "/* commit",
            "/*/commit*/",
            "select 1",
            "\"commit\"",
            "commit1",
            "commit$",
            "commité",
            "_commit",
            "1commit",
            "(commit)",
            "prepare a as select 1",
            "prepare",
            "do $$ begin commit; end $$",
            "'set'",
            "\u{a0}commit",
        ] {
            assert_eq!(effect(sql), Effect::Other, "{sql}");
        }
    }
}
