//! The driver's front: what it says of itself, and how it opens sessions.

use querybox_plugin::{DetachedCancel, Driver, Error, Open, OpenError, Stages, pb};

use crate::{cancel, connect, keywords::KEYWORDS, options, session::PostgresSession};

/// The PostgreSQL driver.
#[derive(Debug, Clone, Copy)]
pub struct Postgres;

impl Driver for Postgres {
    type Session = PostgresSession;

    fn info(&self) -> pb::PluginInfo {
        pb::PluginInfo {
            name: "PostgreSQL".into(),
            driver_type: "postgres".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            contract_version: querybox_plugin::CONTRACT_VERSION,
            description: "Connects to PostgreSQL servers, version 10 and later.".into(),
            license: env!("CARGO_PKG_LICENSE").into(),
            icon_name: "postgresql".into(),
            capabilities: vec![
                pb::Capability::Cancel.into(),
                pb::Capability::Schema.into(),
                pb::Capability::Transactions.into(),
                pb::Capability::ReadOnly.into(),
                pb::Capability::Bindings.into(),
                pb::Capability::DetachedCancel.into(),
                pb::Capability::Ddl.into(),
                pb::Capability::CopyIn.into(),
                pb::Capability::Notifications.into(),
                pb::Capability::ParallelRead.into(),
            ],
            dialect: Some(pb::Dialect {
                keywords: KEYWORDS.iter().map(|&word| word.into()).collect(),
                identifier_quotes: vec!["\"".into()],
                parameter_styles: vec![
                    pb::ParameterStyle::DollarNumber.into(),
                    pb::ParameterStyle::ColonName.into(),
                ],
                line_comments: vec!["--".into()],
                nested_block_comments: true,
                string_forms: vec![pb::StringForm::EEscapes.into(), pb::StringForm::DollarQuotes.into()],
                compound_bodies: pb::CompoundBodies::Routines.into(),
                carriage_return_ends_line: true,
                backslash_commands: true,
                byte_literals: pb::ByteLiterals::Postgres.into(),
            }),
            connection_form: options::form(),
            network_need: pb::NetworkNeed::Dialed.into(),
            file_need: pb::FileNeed::None.into(),
            socket_kinds: vec![pb::SocketKind::Tcp.into(), pb::SocketKind::Unix.into()],
            url_schemes: vec!["postgres".into(), "postgresql".into()],
        }
    }

    async fn open(&self, open: Open) -> Result<PostgresSession, OpenError> {
        connect::open(&open).await
    }

    async fn test(&self, open: Open, stages: &mut Stages) -> Result<pb::ServerFacts, OpenError> {
        connect::test(&open, stages).await
    }

    async fn cancel_detached(&self, cancel: DetachedCancel) -> Result<(), Error> {
        cancel::detached(&cancel).await
    }
}
