//! The driver against a real PostgreSQL, and against servers that are none.

#![expect(clippy::unwrap_used, reason = "a helper of a test may give up as the test itself")]

mod cancel;
mod catalog;
mod connect;
mod contract;
mod copy_in;
mod ddl;
mod facts;
mod hostile;
mod identity;
mod limits;
mod notifications;
mod parallel;
mod pooler;
mod read_only;
mod readers;
mod rejections;
mod relay;
mod rendering;
mod schema;
mod scripts;
mod server;
mod servers;
mod settings;
mod statements;
mod tls;
mod types;
mod values;
