//! What the catalog knows of the columns that come from a table, asked on the way: the question goes out in front of the
//! statement, in the same breath, so that it costs no round trip and its answer is there before the first row.
//!
//! The server reads what follows a refused message only from the next Sync on. So when it refuses the question, the statement
//! behind it never ran, and is sent without one.

use postgres_protocol::message::backend;
use querybox_plugin::{Error, ExecuteError, Statement, pb};

use super::Executor;
use crate::{
    connection::{Answer, Connection, Frame, out_of_order},
    message::{Field, parse_texts},
    rejection::Refusal,
    savepoint::{self, Savepoint, Savepoints},
};

/// For `$1` relations and `$2` numbers of columns, side by side. Each name and operator says that it is the server's own: the
/// user's settings say what others mean.
///
/// Nobody declares a column of a view or a materialized view NOT NULL, whatever is in it. A primary key's index may have
/// columns that are not of the key, its constraint has none.
const SQL: &str = r#"
    SELECT a.attrelid, a.attnum, n.nspname, c.relname, a.attname,
           EXISTS (SELECT FROM pg_catalog.pg_constraint k
                   WHERE k.conrelid OPERATOR(pg_catalog.=) a.attrelid AND k.contype OPERATOR(pg_catalog.=) 'p'
                     AND a.attnum OPERATOR(pg_catalog.=) ANY (k.conkey)),
           CASE WHEN a.attnotnull THEN 'f'
                WHEN c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,f}'::pg_catalog."char"[]) THEN 't' END
    FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS w (relation, attribute)
    JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) w.relation
         AND a.attnum OPERATOR(pg_catalog.=) w.attribute
    JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"#;
/// `oid[]` and `int2[]`.
const TYPES: [u32; 2] = [1028, 1005];

/// The question that goes out in front of a statement.
pub(super) struct Question {
    /// Of each column that comes from a table: the relation, and its number there.
    origins: Vec<Option<(u32, i16)>>,
    savepoint: Savepoint,
}

/// What became of it.
pub(super) enum Reply {
    Facts(Vec<pb::ColumnFact>),
    /// The server refused the question, and nothing of that is left. The statement did not run.
    Nothing,
    /// The refusal is the statement's as well, which did not run.
    Refused(Refusal),
}

impl Question {
    /// The question for these columns; none when it would learn nothing, or could do harm.
    pub(super) fn new(connection: &Connection, fields: &[Field]) -> Option<Self> {
        if connection.refuses_facts {
            return None;
        }
        let savepoint = match (connection.transaction, connection.frame, connection.savepoints) {
            // A transaction of the user's, or one that the user knows of, goes on as if nobody had asked.
            (pb::TransactionState::Open, Frame::None | Frame::Script, Savepoints::Taken) => Savepoint::Set,
            (pb::TransactionState::Open, Frame::None | Frame::Script, _) => return None,
            _ => Savepoint::None,
        };
        let origin = |field: &Field| (field.table != 0).then_some((field.table, field.attribute));
        let origins: Vec<_> = fields.iter().map(origin).collect();
        origins.iter().any(Option::is_some).then_some(Self { origins, savepoint })
    }

    /// Puts the question into the output. The statement that was parsed last stays that.
    pub(super) fn put(&self, connection: &mut Connection) -> Result<(), Error> {
        let mut origins: Vec<_> = self.origins.iter().flatten().collect();
        origins.sort_unstable();
        origins.dedup();
        let array = |numbers: Vec<String>| format!("{{{}}}", numbers.join(","));
        let relations = array(origins.iter().map(|(relation, _)| relation.to_string()).collect());
        let attributes = array(origins.iter().map(|(_, attribute)| attribute.to_string()).collect());
        if self.savepoint == Savepoint::Set {
            connection.put_aside(savepoint::SET, [], [])?;
        }
        connection.put_aside(SQL, TYPES, [Some(relations.as_str()), Some(attributes.as_str())])?;
        if self.savepoint == Savepoint::Set {
            connection.put_aside(savepoint::RELEASE, [], [])?;
        }
        connection.put_aside_end()
    }

    fn commands(&self) -> usize {
        if self.savepoint == Savepoint::Set { 3 } else { 1 }
    }

    /// The facts that a row tells, of each column that has this origin.
    fn read(&self, row: Vec<Option<String>>, facts: &mut Vec<pb::ColumnFact>) -> Result<(), Error> {
        let Ok([Some(relation), Some(attribute), Some(schema), Some(table), Some(name), Some(key), nullable]) =
            <[_; 7]>::try_from(row)
        else {
            return Err(out_of_order());
        };
        let (Ok(relation), Ok(attribute)) = (relation.parse(), attribute.parse()) else {
            return Err(out_of_order());
        };
        for (column, _) in
            (0..).zip(&self.origins).filter(|(_, origin)| **origin == Some((relation, attribute)))
        {
            facts.push(pb::ColumnFact {
                column,
                origin_schema: schema.clone(),
                origin_table: table.clone(),
                origin_column: name.clone(),
                primary_key: key == "t",
                nullable: nullable.as_ref().map(|nullable| nullable == "t"),
            });
        }
        Ok(())
    }
}

impl Executor<'_> {
    /// Reads the answer to the question, up to what the statement answers.
    pub(super) async fn reply(
        &mut self,
        question: &Question,
        statement: &Statement<'_>,
    ) -> Result<Reply, ExecuteError> {
        let mut facts = Vec::new();
        let mut completed = 0;
        while completed < question.commands() {
            let Some(answer) = self.connection.next()? else {
                self.connection.wait(&self.query.cancelled, self.canceller).await?;
                continue;
            };
            match answer {
                Answer::Row(head) => {
                    let encoding = self.connection.reported.encoding();
                    let row = parse_texts(self.connection.wire.body(head), encoding)?;
                    self.connection.wire.consume(head);
                    question.read(row, &mut facts)?;
                }
                Answer::Other(
                    backend::Message::CloseComplete
                    | backend::Message::ParseComplete
                    | backend::Message::BindComplete,
                ) => {}
                Answer::Other(backend::Message::CommandComplete(_)) => completed += 1,
                Answer::Notice(notice) => statement.notice(notice).await?,
                Answer::Refused(refusal) => return self.refused_question(question, completed, refusal).await,
                Answer::Fields(_) | Answer::CopyData(_) | Answer::Ready | Answer::Other(_) => {
                    return Err(out_of_order().into());
                }
            }
        }
        facts.sort_unstable_by_key(|fact| fact.column);
        Ok(Reply::Facts(facts))
    }

    /// Takes back what a refused question did to the transaction, after so many of its commands were done.
    async fn refused_question(
        &mut self,
        question: &Question,
        completed: usize,
        refusal: Refusal,
    ) -> Result<Reply, ExecuteError> {
        // A server that has savepoints refuses one when somebody cancels, or a limit is reached.
        let has_nowhere_to_go_back = question.savepoint == Savepoint::Set && completed == 0;
        if refusal.is_fatal() || self.query.cancelled.is_cancelled() || has_nowhere_to_go_back {
            return Ok(Reply::Refused(refusal));
        }
        // Who may not read the catalog may not the next time either. A limit was reached this once.
        self.connection.refuses_facts |= refusal.is_lasting();
        self.connection.settle().await?;
        question.savepoint.go_back(self.connection).await?;
        if self.connection.frame == Frame::Statement {
            self.connection.roll_back_frame().await?;
        }
        Ok(Reply::Nothing)
    }
}
