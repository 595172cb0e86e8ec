//! What a statement takes and returns, before it runs; and what has to be known besides to choose the formats.

use std::fmt::Write as _;

use postgres_protocol::message::{backend, frontend};
use querybox_plugin::{Error, ExecuteError, Statement};

use super::Executor;
use crate::{
    connect::LOOKS,
    connection::{Access, Answer, out_of_order},
    message::{Field, parse_texts},
    read_only,
    rejection::Refusal,
    settings::Looks,
    types,
};

/// What a statement takes and returns.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) parameters: usize,
    /// None: it returns no rows.
    pub(super) fields: Option<Vec<Field>>,
}

/// Names that are asked for at once. A row has at most 1,664 columns, in a query of the driver's as in a result.
const NAMES_MAX: usize = 1_000;

/// What has to be asked for before the formats can be chosen.
struct Lookup {
    /// Types whose names are not known.
    types: Vec<(u32, i32)>,
}

impl Executor<'_> {
    /// Has the server parse the statement and describe it.
    ///
    /// When the formats depend on something unknown, that is asked for, and the statement is described once more, because
    /// the query forgets the statement before it. It is not sent along: a pooler takes the connection away when a
    /// transaction ends, together with what was sent behind it.
    pub(super) async fn describe(
        &mut self,
        sql: &str,
        statement: &Statement<'_>,
    ) -> Result<Result<Described, Refusal>, ExecuteError> {
        let commands_before = match self.connection.access {
            Access::ReadWrite => 0,
            Access::ReadOnly => read_only::put_transaction(self.connection)?,
        };
        self.put_describe(sql)?;
        self.connection.wire.send().await?;
        if let Err(refusal) = self.completed(commands_before, statement).await? {
            return Ok(Err(refusal));
        }
        let described = match self.described(statement).await? {
            Ok(described) => described,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Some(lookup) = self.lookup(&described) else { return Ok(Ok(described)) };

        if let Err(refusal) = self.look_up(lookup).await? {
            return Ok(Err(refusal));
        }
        self.put_describe(sql)?;
        self.connection.wire.send().await?;
        self.described(statement).await
    }

    /// The name of a column's type; empty when not even the server knows one.
    pub(super) fn type_name(&self, field: &Field) -> String {
        let Field { type_oid, modifier, .. } = *field;
        types::name(type_oid, modifier)
            .or_else(|| self.connection.type_names.get(type_oid, modifier).map(str::to_owned))
            .unwrap_or_default()
    }

    fn put_describe(&mut self, sql: &str) -> Result<(), Error> {
        self.connection.put(|output| frontend::parse("", sql, [], output))?;
        self.connection.put(|output| frontend::describe(b'S', "", output))?;
        frontend::flush(&mut self.connection.wire.output);
        Ok(())
    }

    /// Reads the answers to commands of the driver's own that go before.
    async fn completed(
        &mut self,
        mut commands: usize,
        statement: &Statement<'_>,
    ) -> Result<Result<(), Refusal>, ExecuteError> {
        while commands > 0 {
            let Some(answer) = self.connection.next()? else {
                self.connection.wait(&self.query.cancelled, self.canceller).await?;
                continue;
            };
            match answer {
                Answer::Row(head) => self.connection.wire.consume(head),
                Answer::Other(backend::Message::ParseComplete | backend::Message::BindComplete) => {}
                Answer::Other(backend::Message::CommandComplete(_)) => commands -= 1,
                Answer::Notice(notice) => statement.notice(notice).await?,
                Answer::Refused(refusal) => return Ok(Err(refusal)),
                Answer::Fields(_) | Answer::CopyData(_) | Answer::Ready | Answer::Other(_) => {
                    return Err(out_of_order().into());
                }
            }
        }
        Ok(Ok(()))
    }

    async fn described(
        &mut self,
        statement: &Statement<'_>,
    ) -> Result<Result<Described, Refusal>, ExecuteError> {
        let mut parameters = 0;
        loop {
            let Some(answer) = self.connection.next()? else {
                // Parsing can wait for a lock.
                self.connection.wait(&self.query.cancelled, self.canceller).await?;
                continue;
            };
            match answer {
                Answer::Other(backend::Message::ParseComplete) => {}
                Answer::Other(backend::Message::ParameterDescription(description)) => {
                    parameters = fallible_iterator::FallibleIterator::count(description.parameters())
                        .map_err(|_| Error::protocol("the server describes parameters wrongly"))?;
                }
                Answer::Other(backend::Message::NoData) => {
                    return Ok(Ok(Described { parameters, fields: None }));
                }
                Answer::Fields(fields) => return Ok(Ok(Described { parameters, fields: Some(fields) })),
                Answer::Notice(notice) => statement.notice(notice).await?,
                Answer::Refused(refusal) => return Ok(Err(refusal)),
                Answer::Row(_) | Answer::CopyData(_) | Answer::Ready | Answer::Other(_) => {
                    return Err(out_of_order().into());
                }
            }
        }
    }

    fn lookup(&self, described: &Described) -> Option<Lookup> {
        if self.connection.looks == Looks::Unavailable {
            return None;
        }
        let fields = described.fields.as_deref().unwrap_or_default();
        let needs_looks = self.connection.looks == Looks::Stale
            && fields.iter().any(|field| types::needs_looks(field.type_oid));
        let mut types: Vec<_> = fields
            .iter()
            .map(|field| (field.type_oid, field.modifier))
            .filter(|&(type_oid, modifier)| {
                types::name(type_oid, modifier).is_none()
                    && self.connection.type_names.get(type_oid, modifier).is_none()
            })
            .collect();
        types.sort_unstable();
        types.dedup();
        (needs_looks || !types.is_empty()).then_some(Lookup { types })
    }

    async fn look_up(&mut self, lookup: Lookup) -> Result<Result<(), Refusal>, Error> {
        let mut row = Vec::new();
        for query in lookup.queries() {
            self.connection.put_command(&query)?;
            self.connection.put_sync();
            self.connection.wire.send().await?;
            loop {
                match self.connection.answer().await? {
                    Answer::Ready => break,
                    Answer::Row(head) => {
                        let encoding = self.connection.reported.encoding();
                        row.extend(parse_texts(self.connection.wire.body(head), encoding)?);
                        self.connection.wire.consume(head);
                    }
                    Answer::Refused(fatal) if fatal.is_fatal() => return Ok(Err(fatal)),
                    // Formats are then chosen as for unknown settings, and the statement itself tells what is wrong.
                    Answer::Refused(_) | Answer::Notice(_) | Answer::Other(_) => {}
                    Answer::Fields(_) | Answer::CopyData(_) => return Err(out_of_order()),
                }
            }
        }
        if row.len() != lookup.types.len() + 2 {
            return Ok(Ok(()));
        }
        let [Some(extra_float_digits), Some(bytea_output), names @ ..] = row.as_slice() else {
            return Err(out_of_order());
        };
        let major_version = self.connection.reported.major_version();
        self.connection.looks = Looks::new(major_version, extra_float_digits, bytea_output);
        for ((type_oid, modifier), name) in lookup.types.into_iter().zip(names) {
            self.connection.type_names.add(type_oid, modifier, name.clone().unwrap_or_default());
        }
        Ok(Ok(()))
    }
}

impl Lookup {
    /// Queries whose rows put together are the settings and then the names.
    fn queries(&self) -> Vec<String> {
        let (first, others) = self.types.split_at(self.types.len().min(NAMES_MAX));
        let mut queries = vec![names(&format!("SELECT {LOOKS}, "), first)];
        queries.extend(others.chunks(NAMES_MAX).map(|types| names("SELECT ", types)));
        queries
    }
}

/// The names of types behind the beginning of a query.
fn names(query: &str, types: &[(u32, i32)]) -> String {
    let mut sql = query.to_owned();
    for (type_oid, modifier) in types {
        write!(sql, "pg_catalog.format_type({type_oid}, {modifier}), ").expect("a String takes any text");
    }
    sql.truncate(sql.trim_end_matches(", ").len());
    sql
}
